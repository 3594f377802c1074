"""Readers for single values, as sloppy as real clients send them.

PHP plugins send ids as integers, prices and quantities as strings, empty objects as ``[]`` and
anonymous shoppers as user 0. Each reader takes the object that holds the field, accepts what can be
meant, and raises `FieldRefused` for what can't.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, Final

from proxy.engine.refusals import FieldRefused

MAX_ID: Final = 255
"""Characters of an id: no shop's ids are longer, and each is an index key."""
MAX_TEXT: Final = 65_536
"""Characters of a text: descriptions hold whole HTML documents, but not more."""
MILLISECONDS_FROM: Final = 100_000_000_000
"""A numeric timestamp above this is in milliseconds (the year 5138 in seconds)."""

Fields = dict[str, Any]
"""A decoded JSON object."""

_TRUE: Final = frozenset({"true", "1", "yes", "on", "y"})
_FALSE: Final = frozenset({"false", "0", "no", "off", "n", ""})


def fields(value: object, field: str) -> Fields:
    """An object that must be one."""
    if isinstance(value, dict):
        return value
    raise FieldRefused(field, value, "a JSON object")


def ident(source: Fields, field: str, path: str = "") -> str | None:
    """An id: text, or an integer that stands for one; None where there is none."""
    value = source.get(field)
    if isinstance(value, str):
        text = value.strip()
        if len(text) > MAX_ID:
            raise FieldRefused(path + field, value, f"an id of at most {MAX_ID} characters")
        if "\0" in text:
            raise FieldRefused(path + field, value, "an id without NUL characters")
        return text or None
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**MAX_ID:
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    raise FieldRefused(path + field, value, "an id as text or integer")


def required_ident(source: Fields, field: str, path: str = "") -> str:
    """An id that must be there."""
    found = ident(source, field, path)
    if found is None:
        raise FieldRefused(path + field, source.get(field), "an id as text or integer")
    return found


def text(source: Fields, field: str, path: str = "") -> str | None:
    """Text, or a number that stands for it; None where there is none. Empty text stays empty."""
    value = source.get(field)
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= MAX_TEXT:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise FieldRefused(path + field, value, f"text of at most {MAX_TEXT} characters")


def number(source: Fields, field: str, path: str = "", *, least: float = -math.inf) -> float | None:
    """A finite number, or text that reads as one (``"12.50"``, ``"12,50"``); None where there is none."""
    value = source.get(field)
    if value is None or value == "":
        return None
    found = math.nan
    if isinstance(value, str):
        try:
            found = float(value.strip().replace(",", "."))
        except ValueError:
            found = math.nan
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            found = float(value)
        except OverflowError:
            found = math.nan
    if not math.isfinite(found) or found < least:
        floor = "" if least == -math.inf else f" of at least {least:g}"
        raise FieldRefused(path + field, value, f"a number{floor}")
    return found


def flag(source: Fields, field: str, path: str = "") -> bool | None:
    """A truth value, as JSON, 0/1 or a word; None where there is none."""
    value = source.get(field)
    if value is None:
        return None
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, int | float | str) else "?"
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise FieldRefused(path + field, value, "true or false")


def mapping(source: Fields, field: str, path: str = "") -> Fields | None:
    """An object; PHP writes an empty one as ``[]``. None where there is none."""
    value = source.get(field)
    if value is None or value == "":
        return None
    if isinstance(value, dict):
        return value
    if value == []:
        return {}
    raise FieldRefused(path + field, value, "a JSON object")


def rows(source: Fields, field: str, path: str = "") -> list[Any] | None:
    """An array; a PHP array with gaps comes as an object with numeric keys. None where there is none."""
    value = source.get(field)
    if value is None:
        return None
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and all(key.isdecimal() for key in value):
        return list(value.values())
    raise FieldRefused(path + field, value, "an array")


def texts(source: Fields, field: str, path: str = "") -> tuple[str, ...]:
    """A list of texts, or one text that stands for a list of one."""
    value = source.get(field)
    if value is None or value == "":
        return ()
    members = (
        value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else [value]
    )
    found = []
    for number_, member in enumerate(members):
        if member is None or member == "":
            continue
        if not isinstance(member, str | int | float) or isinstance(member, bool):
            raise FieldRefused(f"{path}{field}[{number_}]", member, "text")
        found.append(str(member))
    return tuple(found)


def moment(source: Fields, field: str, path: str = "") -> float | None:
    """A time as Unix seconds, from ISO 8601 in any of the clients' spellings, or from a number.

    A time without an offset is UTC (guide, "Timestamp"). None where there is none.
    """
    value = source.get(field)
    if value is None or value == "":
        return None
    expected = "an ISO 8601 date and time such as 2018-01-23T00:30:08.276Z"
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise FieldRefused(path + field, value, expected) from None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**15:
        return value / 1000 if value > MILLISECONDS_FROM else float(value)
    raise FieldRefused(path + field, value, expected)
