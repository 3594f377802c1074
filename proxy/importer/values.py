"""Single values, as shops' exports write them, and what the API takes for them (guide, "Products" on)."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from proxy.importer.amounts import money
from proxy.importer.unusable import Unusable, shown

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ID: Final = 255
"""Characters of an id."""

MAX_TEXT: Final = 65_536
"""Characters of a text: descriptions are whole pages at times, but not more."""

MAX_URL: Final = 2_048
"""Characters of an address: what browsers and caches take."""


PLAIN_ID: Final = re.compile(r"[!-~]{1,255}")


def ident(value: object) -> str:
    """An id."""
    if isinstance(value, str) and PLAIN_ID.fullmatch(value):
        return value  # nearly all
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unusable(f"{shown(value)} is no id")
    text = str(value).strip()
    if len(text) > MAX_ID:
        raise Unusable(f"{shown(text)} is longer than {MAX_ID} characters")
    if not text.isprintable():
        raise Unusable(f"{shown(text)} holds characters that can't be seen")
    return text


def text(value: object) -> str:
    """A text; numbers stand for themselves."""
    if type(value) is str and len(value) < MAX_TEXT and "\0" not in value:
        return value.strip()  # nearly all
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise Unusable(f"{shown(value)} is no text")
    found = str(value).strip()
    if len(found) > MAX_TEXT:
        raise Unusable(f"is longer than {MAX_TEXT:,} characters")
    if "\0" in found:
        raise Unusable("holds a NUL character")
    return found


TAG: Final = re.compile(r"<(?:/?[a-zA-Z][^<>]*|![a-zA-Z][^<>]*)>|<!--.*?(?:-->|\Z)", re.DOTALL)
UNSEEN: Final = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
INLINE: Final = frozenset(("a", "abbr", "b", "em", "font", "i", "small", "span", "strong", "sub", "sup", "u"))
TAG_NAME: Final = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
SPACES: Final = re.compile(r"\s+")


def prose(value: object) -> str:
    """A text without the HTML that editors put into it."""
    if isinstance(value, str) and ("<" in value or "&" in value):
        value = html.unescape(TAG.sub(_gap, UNSEEN.sub(" ", value)))
        value = SPACES.sub(" ", value)
    return text(value)


def _gap(tag: re.Match[str]) -> str:
    name = TAG_NAME.match(tag[0])
    return "" if name and name[1].lower() in INLINE else " "


WHOLE: Final = re.compile(r"-?\d{1,15}(?:[.,]0*)?")


def whole(value: object) -> int:
    """A whole number; ``12.0000`` is one."""
    if isinstance(value, str) and WHOLE.fullmatch(value.strip()):
        return int(re.split("[.,]", value.strip())[0])
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15:
        return value
    raise Unusable(f"{shown(value)} is no whole number")


def stock(value: object) -> int:
    """Pieces in stock; what is sold beyond the last one is none."""
    return max(whole(value), 0)


def pieces(value: object) -> int:
    """Pieces that were bought: one at least."""
    found = whole(value)
    if found < 1:
        raise Unusable(f"{shown(value)} is less than one")
    return found


def number(value: object) -> float:
    """A number, such as a rating."""
    try:
        return float(money(value, "," if isinstance(value, str) and "," in value else "."))
    except Unusable:
        raise Unusable(f"{shown(value)} is no number") from None


TRUE: Final = frozenset((
    "true", "yes", "y", "on", "1", "1.0", "enabled", "active", "visible", "published", "available",
    "in_stock", "instock", "ja", "oui", "si", "sí",
))  # fmt: skip
FALSE: Final = frozenset((
    "false", "no", "n", "off", "0", "0.0", "-1", "disabled", "inactive", "hidden", "draft", "archived",
    "unavailable", "out_of_stock", "outofstock", "nein", "non",
))  # fmt: skip


def flag(value: object) -> bool:
    """Yes or no, as a word or a digit."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold().replace(" ", "_") if isinstance(value, str | int | float) else ""
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise Unusable(f"{shown(value)} is neither yes nor no")


PLAIN_URL: Final = re.compile(r"(?:https?://[A-Za-z0-9.-]+(?=/)|(?!//))/[!-~]*")
"""What nearly all addresses are: nothing in them needs a closer look."""


def url(value: object) -> str:
    """An address, whole or relative (guide, "photo_url", "link")."""
    if isinstance(value, str) and len(value) <= MAX_URL and PLAIN_URL.fullmatch(value):
        return value
    found = text(value).replace(" ", "%20")
    if len(found) > MAX_URL:
        raise Unusable(f"is longer than {MAX_URL:,} characters")
    if not found.isprintable():
        raise Unusable(f"{shown(found)} holds characters that can't be seen")
    try:
        parts = urlsplit(found)
        _ = parts.port
    except ValueError:
        raise Unusable(f"{shown(found)} is no address") from None
    if parts.scheme in {"http", "https"} and parts.hostname:
        return found
    if (
        parts.scheme
        or (not parts.path and not parts.query)
        or (found.startswith("//") and not parts.hostname)
    ):
        raise Unusable(f"{shown(found)} is no http:// or https:// address, nor a path such as /p/1")
    return found


def email(value: object) -> str:
    """An email address, as far as one can tell."""
    found = text(value)
    name, _, host = found.rpartition("@")
    if not name or "." not in host.strip(".") or any(letter.isspace() for letter in found):
        raise Unusable(f"{shown(found)} is no email address")
    return found


def table(value: object) -> dict[str, Any]:
    """An object; in a table's cell it is written in JSON."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeEncodeError):
            raise Unusable(f"{shown(value)} is no JSON object") from None
    if value == []:  # PHP's empty object
        return {}
    if not isinstance(value, dict):
        raise Unusable(f"{shown(value)} is no JSON object")
    return value


def texts(value: object) -> list[str]:
    """A list of texts; in a table's cell they are parted by commas, or written in JSON."""
    if isinstance(value, str):
        value = rows(value) if value.lstrip().startswith("[") else value.split(",")
    if not isinstance(value, list):
        raise Unusable(f"{shown(value)} is no list")
    return [found for found in map(text, value) if found]


def rows(value: object) -> list[Any]:
    """An array; in a table's cell it is written in JSON."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeEncodeError):
            raise Unusable(f"{shown(value)} is no JSON array") from None
    if not isinstance(value, list):
        raise Unusable(f"{shown(value)} is no JSON array")
    return value


def one_of(**words: str) -> Callable[[object], str]:
    """What reads one of a few words, whatever its case."""

    def read(value: object) -> str:
        found = words.get(str(value).strip().casefold())
        if found is None:
            raise Unusable(f"{shown(value)} is none of {', '.join(dict.fromkeys(words.values()))}")
        return found

    return read
