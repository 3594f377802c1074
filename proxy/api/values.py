"""Readers for single values: what a shop's program has in hand, to what the guide's JSON holds.

Each takes a value and where it stands (``cart[0].unit_price``), returns what is sent, and refuses with
`InvalidInput` what can't be meant. They are liberal in the ways in which shops' exports are sloppy
(ids as integers, prices as text, truth as ``"1"``), and never guess: a float becomes the decimal that
it prints as, a time without an offset is refused. None stays None: an update with it clears a field.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from proxy.api.errors import InvalidInput

MAX_DIGITS: Final = 18
"""Digits of a number on either side of its point: no price, rating or stock has more, and
``Decimal("1E+999999")`` would be written as a megabyte of zeros."""

MAX_DEPTH: Final = 32
"""Objects within objects in free-form fields: deeper is a mistake, and a cycle never ends."""

SHOWN: Final = 60
"""Characters of a refused value that its message quotes."""

NO_USER: Final = "no-user"
"""Who ordered, where nobody was logged in: the plugins' word for it."""

_TRUE: Final = frozenset({"true", "1", "yes", "y", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "n", "off"})

Reader = Callable[[Any, str], Any]
"""(value, where it stands) → what is sent."""


def ident(value: object, where: str) -> str | None:
    """An id: text, or an integer that stands for one."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():  # what spreadsheets make of 18
        return str(int(value))
    if isinstance(value, UUID):
        return str(value)
    raise _refused(where, value, "an id, as text or integer")


def buyer(value: object, where: str) -> str | None:
    """An order's user: 0, nothing and empty text are how shops write a guest (guide: it is required)."""
    return NO_USER if value is None or value in (0, "0", "") else ident(value, where)


def text(value: object, where: str) -> str | None:
    """Text, or a number that stands for it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(value)
    raise _refused(where, value, "text")


def number(value: object, where: str) -> Decimal | int | None:
    """A number: Decimal, integer, or text or a float that reads as one; never by way of a float."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise _refused(where, value, "a number, best as a Decimal")
    try:
        # The shortest text that reads back as this float is what its author wrote.
        found = value if isinstance(value, int | Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        raise _refused(where, value, 'a number such as "12.50"') from None
    if isinstance(found, int):
        if abs(found) >= 10**MAX_DIGITS:
            raise InvalidInput(where, f"has more than {MAX_DIGITS} digits")
        return found
    if not found.is_finite():
        raise _refused(where, value, "a finite number")
    exponent = found.as_tuple().exponent
    assert isinstance(exponent, int)  # only infinities and NaN have words here
    if found.adjusted() >= MAX_DIGITS or exponent < -MAX_DIGITS:
        raise InvalidInput(where, f"has more than {MAX_DIGITS} digits on a side of its point")
    return found


def count(value: object, where: str) -> int | None:
    """A whole number: stock, quantity."""
    found = number(value, where)
    if found is None or isinstance(found, int):
        return found
    if found != found.to_integral_value():
        raise _refused(where, value, "a whole number")
    return int(found)


def flag(value: object, where: str) -> bool | None:
    """A truth value, as such, as 0 or 1, or in words. An empty cell says neither."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, int | str) else "?"
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise _refused(where, value, "true or false")


def moment(value: object, where: str) -> str | None:
    """A time with its offset: an aware datetime, sent in UTC, or ISO 8601 text, sent as it is."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return utc(value, where)
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            raise _refused(where, value, "ISO 8601 such as 2018-04-04T23:29:04Z") from None
        _aware(found, where)
        return value.strip()
    raise _refused(where, value, "a datetime with a time zone")


def utc(value: datetime, where: str) -> str:
    """An aware datetime as the guide writes them: ``2018-01-23T00:30:08.276Z``."""
    _aware(value, where)
    precise = "milliseconds" if value.microsecond else "seconds"
    return value.astimezone(UTC).isoformat(timespec=precise).replace("+00:00", "Z")


def free(value: object, where: str, depth: int = 0) -> Any:
    """Free-form JSON: kept as it is, but nothing in it that JSON can't say, or says wrongly."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refused(where, value, "a finite number")
        return value
    if isinstance(value, int | Decimal):
        return number(value, where)
    if isinstance(value, datetime):
        return utc(value, where)
    if isinstance(value, date):
        return value.isoformat()
    if depth == MAX_DEPTH:
        raise InvalidInput(where, f"is nested more than {MAX_DEPTH} deep")
    if isinstance(value, Mapping):
        found = {}
        for key, member in value.items():
            if not isinstance(key, str):
                raise _refused(where, key, "text as an object's key")
            found[key] = free(member, f"{where}.{key}", depth + 1)
        return found
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [free(member, f"{where}[{at}]", depth + 1) for at, member in enumerate(value)]
    raise _refused(where, value, "something that JSON has")


def mapping(value: object, where: str) -> Any:
    """An object of free form; PHP writes an empty one as ``[]``."""
    if value is None or isinstance(value, Mapping):
        return free(value, where)
    if value in ([], ""):
        return {}
    raise _refused(where, value, "an object")


def texts(value: object, where: str) -> list[str] | None:
    """A list of texts, or one text that stands for a list of one."""
    if value is None:
        return None
    members = [value] if isinstance(value, str | int) else value
    if isinstance(members, Sequence) and not isinstance(members, bytes | bytearray):
        read = (text(member, f"{where}[{at}]") for at, member in enumerate(members))
        return [member for member in read if member is not None]
    raise _refused(where, value, "a list of texts")


def _aware(value: datetime, where: str) -> None:
    if value.utcoffset() is None:
        raise InvalidInput(where, f"{value.isoformat()} has no time zone: nobody can tell which moment it is")


def _refused(where: str, value: object, expected: str) -> InvalidInput:
    shown = repr(value)
    if len(shown) > SHOWN:
        shown = shown[: SHOWN - 1] + "…"
    return InvalidInput(where, f"expected {expected}, got {shown}")
