"""Readers of single values: text, ids, prices, ratings. Each takes anything and answers None to nonsense."""

from __future__ import annotations

import codecs
import html
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_T = TypeVar("_T")

MAX_RAW: Final = 4_000
"""Characters of a value that are looked at: the longest description is cut to half of that, and
``html.unescape`` refuses character references of more than 4,300 digits."""

MAX_TEXT: Final = 300
"""Characters of a name, brand or category: merchant feeds allow 150."""

MAX_DESCRIPTION: Final = 2_000

MAX_ID: Final = 256
"""Characters of an id. A longer one isn't cut, for two could become one: it is no id."""

MAX_PRICE: Final = 1e12

_HTML_CODECS: Final = frozenset({
    "utf-8", "utf-8-sig", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257",
    "cp1258", "cp866", "cp874", "cp932", "cp949", "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5",
    "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-10", "iso8859-11", "iso8859-13",
    "iso8859-14", "iso8859-15", "iso8859-16", "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "gbk",
    "gb18030", "big5", "big5hkscs", "euc_jp", "euc_kr",
})  # fmt: skip
"""Encodings of the web (WHATWG Encoding, 4.2) by Python's names; Python's other codecs, such as
``idna`` or ``punycode``, raise or are slow."""

_AS_BROWSERS_DO: Final = {"ascii": "cp1252", "iso8859-1": "cp1252", "gb2312": "gbk", "shift_jis": "cp932"}
"""Labels that the Encoding standard reads as their superset."""

_SPACE: Final = re.compile(r"[\s\x00-\x1f\x7f]+")
_TAG: Final = re.compile(r"<[^<>]*>")
_INLINE_TAG: Final = re.compile(
    r"</?(?:a|abbr|b|em|i|mark|small|span|strong|sub|sup|u)\b[^<>]*>", re.IGNORECASE
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_AMOUNT: Final = re.compile(
    r"""(?P<whole> \d{1,3} (?: (?P<mark>[.,'\u2019\u00a0\u202f\u2009\ ]) \d{3} (?: (?P=mark) \d{3} )* )
                   (?! \d | (?P=mark) \d )
                 | \d+ )
        (?: [.,] (?P<part>\d+) )?""",
    re.VERBOSE,
)
_CURRENCY_CODE: Final = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])")
_CURRENCY_SIGNS: Final = {
    "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₽": "RUB", "₩": "KRW", "₺": "TRY", "₫": "VND",
    "₴": "UAH", "₪": "ILS", "zł": "PLN", "Kč": "CZK", "R$": "BRL", "US$": "USD", "C$": "CAD", "A$": "AUD",
}  # fmt: skip
"""Signs that mean one currency; ``$`` and ``kr`` mean several."""

_AVAILABLE: Final = frozenset({
    "instock", "limitedavailability", "onlineonly", "instoreonly", "preorder", "presale", "backorder",
    "madetoorder", "availablefororder", "available", "yes", "true", "1",
})  # fmt: skip
_UNAVAILABLE: Final = frozenset({
    "outofstock", "soldout", "discontinued", "oos", "unavailable", "no", "false", "0",
})  # fmt: skip


@lru_cache(maxsize=64)
def _codec(charset: str) -> str:
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):  # unknown, or holding a NUL
        return "utf-8"
    name = _AS_BROWSERS_DO.get(name, name)
    return name if name in _HTML_CODECS else "utf-8"


def decode(raw: bytes, charset: str) -> str:
    """The text of a page's bytes; what can't be decoded becomes U+FFFD, an unknown charset UTF-8."""
    return raw.decode(_codec(charset), "replace")


def unescape(raw: bytes, charset: str) -> str:
    """The text of an attribute or element, its character references resolved; cut at `MAX_RAW`."""
    return html.unescape(decode(raw[:MAX_RAW], charset))


def scrub(text: str) -> str:
    """Joins surrogate pairs and replaces lone surrogates, which no UTF-8 encoder takes."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def each(value: Any) -> Iterator[Any]:
    """The values of a field that may hold one, a list, or nothing."""
    if isinstance(value, list):
        yield from (item for item in value if item is not None)
    elif value is not None:
        yield value


def first(found: Iterable[_T | None]) -> _T | None:
    """The first value that was readable."""
    return next((value for value in found if value is not None), None)


def text(value: Any, limit: int = MAX_TEXT) -> str | None:
    """Plain text on one line: references resolved, tags dropped, white space collapsed, cut at ``limit``."""
    if not isinstance(value, str):
        return identifier(value)
    plain = html.unescape(value[:MAX_RAW])
    if "<" in plain:
        plain = _TAG.sub(" ", _INLINE_TAG.sub("", plain))
    return _SPACE.sub(" ", plain).strip()[:limit].rstrip() or None


def identifier(value: Any) -> str | None:
    """An id, which shops write as a string or a number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**MAX_ID:
        return str(value)
    if not isinstance(value, str):
        return None
    trimmed = value.strip()
    return trimmed if 0 < len(trimmed) <= MAX_ID and not _CONTROL.search(trimmed) else None


def number(value: Any) -> float | None:
    """A finite number, as such or as the decimal that machines write."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        read = float(value[:MAX_TEXT] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def price(value: Any) -> float | None:
    """A price in a field meant for machines: ``1.299`` is one and a bit; ``$1,299.00`` as people read it."""
    read = number(value)
    if read is None and isinstance(value, str):
        return written_price(value)
    return read if read is not None and 0 <= read <= MAX_PRICE else None


def written_price(written: str) -> float | None:
    """The first price in what people read: ``£12.99``, ``1.299,00 €``, ``CHF 1'299.-``, ``ab 1.299 €``.

    One mark before exactly three digits parts thousands (but not after a lone zero); the last other
    mark starts the decimals.
    """
    found = _AMOUNT.search(written[:MAX_TEXT])
    if found is None or written[: found.start()].rstrip().endswith("-"):
        return None
    whole, mark, part = found["whole"], found["mark"], found["part"]
    if mark is not None and whole.startswith("0") and part is None:
        whole, part = whole.split(mark, 1)
    digits = "".join(c for c in whole if c.isdecimal())
    return price(float(f"{digits}.{part or 0}"))


def currency(value: Any) -> str | None:
    """An ISO 4217 code, or the code that an unambiguous sign stands for."""
    if not isinstance(value, str):
        return None
    written = value[:MAX_TEXT]
    code = _CURRENCY_CODE.search(written.upper() if len(written.strip()) == 3 else written)  # noqa: PLR2004 - "eur"
    if code is not None:
        return code[0]
    signs = (sign for sign in _CURRENCY_SIGNS if sign in written)
    longest = max(signs, key=len, default=None)
    return None if longest is None else _CURRENCY_SIGNS[longest]


def rating(value: Any, best: Any = None) -> float | None:
    """A rating scaled to 0-100.

    Args:
        value: the rating; ``92%`` is taken at its word.
        best: the best possible one; where it isn't said, 5, or else the next of 10 and 100.
    """
    if isinstance(value, str) and value.strip().endswith("%"):
        value, best = value.strip()[:-1], 100
    read, top = price(value), number(best)
    if read is None:
        return None
    if top is None:
        top = next((scale for scale in (5, 10, 100) if read <= scale), 100)
    return min(100.0, round(100 * read / top, 2)) if top > 0 else None


def availability(value: Any) -> bool | None:
    """Whether it can be ordered: ``https://schema.org/InStock``, ``in stock``, ``OutOfStock``, a boolean."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, (str, int)):
        return None
    word = re.split(r"[/#]", str(value)[:MAX_TEXT].partition("(")[0].strip().rstrip("/"))[-1]
    word = re.sub(r"[\s_-]", "", word).lower()
    return True if word in _AVAILABLE else False if word in _UNAVAILABLE else None


def stock(value: Any) -> int | None:
    """Pieces in stock; less than none is none."""
    read = number(value)
    return None if read is None or abs(read) > MAX_PRICE else max(0, int(read))
