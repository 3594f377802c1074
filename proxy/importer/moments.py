"""Times, as shops write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from proxy.importer.unusable import Unusable, shown

SPACED_OFFSET: Final = re.compile(r"(?<=\d) ?(?:UTC|GMT)?([+-]\d\d):?(\d\d)$")
POINTED: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)")
SLASHED: Final = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(.*)")
EPOCH: Final = re.compile(r"\d{9,10}|\d{12,13}")
NEVER: Final = re.compile(r"0000-00-00(?:[ T]00:00(?::00)?)?")
"""How MySQL, and with it PrestaShop and OpenCart, write that there is no time."""

SHORT_TIME: Final = re.compile(r"([ T])(\d):")


def moment(value: object) -> str:
    """A time, in UTC, as which one without an offset is read (guide, "Timestamp"); "" for none."""
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        written = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
        if NEVER.fullmatch(written):
            return ""
        found = _read_moment(written)
    else:
        raise Unusable(f"{shown(value)} is no time")
    found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    return found.isoformat(timespec="milliseconds" if found.microsecond else "seconds").replace("+00:00", "Z")


def _read_moment(written: str) -> datetime:
    try:
        if EPOCH.fullmatch(written):
            seconds = int(written)
            return datetime.fromtimestamp(seconds / 1000 if seconds > 10**11 else seconds, UTC)
        if match := POINTED.fullmatch(written):
            written = f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}{match[4]}"
        elif match := SLASHED.fullmatch(written):
            written = f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}{match[4]}"
        written = SHORT_TIME.sub(r"\g<1>0\2:", written)
        written = SPACED_OFFSET.sub(r"\1:\2", written).removesuffix(" UTC").removesuffix(" GMT")
        return datetime.fromisoformat(written)
    except (ValueError, OverflowError, OSError):
        raise Unusable(f"{shown(written)} is no time such as 2018-01-23T00:30:08Z") from None
