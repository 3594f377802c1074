"""How a page is encoded: only so far as to know whether its markup can be read as ASCII, and written to.

Source: HTML, 13.2.3 ("Determining the character encoding"); Encoding Standard, 4.2 (labels).
"""

from __future__ import annotations

import re

from proxy.locate.markup import TAG, attributes

PRESCAN = 1024
"""Bytes at a page's beginning in which it may declare its encoding (HTML, 4.2.5.4)."""

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))
_PARAMETER = re.compile(
    rb";[ \t]*charset[ \t]*=[ \t]*(?:\"([^\"]*)\"|'([^']*)'|([^;\"' \t]+))", re.IGNORECASE
)
_IN_CONTENT = re.compile(rb"charset\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s;\"']+))", re.IGNORECASE)
_COMMENT_OR_META = re.compile(rb"<!--.*?-->|<meta(?=[ \t\n\r\f/])", re.DOTALL)

_UTF8 = frozenset(("utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8"))
_NOT_ASCII = re.compile(
    r"(?:cs)?utf-?(?:7|16|32)|unicode(?:fe|fff|$)|csunicode|unicode-1-1-utf-7|ucs-?[24]|iso-10646|"
    r"(?:cs)?iso-?2022|hz-gb|(?:cs)?ibm-?(?:0?37|1047|5\d\d|4\d\d|2\d\d|8[78]\d|9[0-3]\d)\b|cp0?(?:37|500|875|1026|1047|1140)\b|"
    r".*ebcdic",
)


def sniff(content_type: bytes | None, first: bytes) -> str | None:
    """The encoding's label, as a browser would find it: byte order mark, header, ``<meta>``.

    Args:
        content_type: the header's value.
        first: the page's first bytes; PRESCAN of them are read.

    Returns:
        Lower-case, as written; None if nothing tells.
    """
    for bom, encoding in _BOMS:
        if first.startswith(bom):
            return encoding
    declared = _label(_PARAMETER.search(content_type or b""))
    return declared or _prescan(first[:PRESCAN])


def label(content_type: bytes | None, first: bytes = b"") -> str:
    """The encoding's label as ``sniff`` finds it; UTF-8, which most pages are in, where nothing tells."""
    return sniff(content_type, first) or "utf-8"


def ascii_compatible(content_type: bytes | None, first: bytes) -> bool:
    """Whether bytes below 0x80 are the ASCII characters wherever markup is: else the page must be left alone.

    An unknown label counts as compatible: all but a few encodings of the web are.
    """
    if first[:2] in {b"<\0", b"\0<"}:
        return False  # UTF-16 or UTF-32 that nobody declared
    declared = sniff(content_type, first)
    if declared is None:
        return b"\x1b$" not in first[:PRESCAN]  # ISO-2022-JP that nobody declared
    return _NOT_ASCII.match(declared) is None


def is_utf8(content_type: bytes | None, first: bytes) -> bool:
    """Whether the page says that it is UTF-8; if not, only ASCII may be written into it."""
    return sniff(content_type, first) in _UTF8


def _prescan(first: bytes) -> str | None:
    """What a ``<meta>`` declares (HTML, 13.2.3.2)."""
    low = first.lower()
    for begun in _COMMENT_OR_META.finditer(low):
        if begun[0].startswith(b"<!"):
            continue
        tag = TAG.match(low, begun.start())
        if tag is None:
            continue
        found = attributes(first[tag.end(2) : tag.end() - 1])
        declared = found.get(b"charset", b"").strip().lower().decode("latin-1") or None
        if declared is None and found.get(b"http-equiv", b"").strip().lower() == b"content-type":
            declared = _label(_IN_CONTENT.search(found.get(b"content", b"")))
        if declared is not None:
            # Whoever could read this as ASCII is not reading UTF-16.
            return "utf-8" if declared.startswith("utf-16") else declared
    return None


def _label(match: re.Match[bytes] | None) -> str | None:
    if match is None:
        return None
    return (match[1] or match[2] or match[3] or b"").strip().lower().decode("latin-1") or None
