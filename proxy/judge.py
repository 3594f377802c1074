"""May this request be a page view, and may this response be rewritten? Decided from the heads alone.

Whatever isn't surely a page passes through untouched, as a stream (design, decision 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy import charset, coding
from proxy.headers import has_token, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE_METHODS = frozenset({"GET", "HEAD"})
PAGE_DESTINATIONS = frozenset({b"document", b"iframe", b"frame", b"fencedframe", b"empty"})
"""``Sec-Fetch-Dest`` values under which a browser asks for a page; ``empty`` is fetch(), which
Turbo and htmx use to load pages, and which must then ask for HTML by name."""

CONDITIONS = frozenset(
    {b"if-none-match", b"if-modified-since", b"if-range", b"if-match", b"if-unmodified-since", b"range"}
)
"""With one of these the answer may be 304, 412 or 206: no page view yet (RFC 9110, 13 and 14)."""

HTML = b"text/html"


class Asking(NamedTuple):
    """What a request's head says about its being a page view.

    Attributes:
        page: whether the answer may be a page that a person will look at.
        conditional: whether the answer may turn out to be none (304, 206).
    """

    page: bool
    conditional: bool


def asking(method: str, headers: Sequence[tuple[bytes, bytes]]) -> Asking:
    """Judges a request."""
    if method not in PAGE_METHODS:
        return Asking(page=False, conditional=False)
    accept = destination = requested_with = b""
    conditional = False
    for name, value in headers:
        if name == b"accept":
            accept = value.lower()
        elif name == b"sec-fetch-dest":
            destination = value.lower()
        elif name == b"x-requested-with":
            requested_with = value.lower()
        elif name in CONDITIONS:
            conditional = True
        elif name == b"upgrade":
            return Asking(page=False, conditional=False)
    by_name = HTML in accept
    page = by_name or not accept or b"*/*" in accept
    if destination and destination not in PAGE_DESTINATIONS:
        page = False
    elif destination == b"empty" or requested_with == b"xmlhttprequest":
        page = by_name
    return Asking(page, conditional)


class Verdict(NamedTuple):
    """What may be done with a response.

    Attributes:
        bypass: why it must stay as it is; empty when it may be rewritten.
        coding: its content coding, ``identity`` for none.
        content_type: its media type with parameters, to find the charset by.
    """

    bypass: str
    coding: bytes = b"identity"
    content_type: bytes = b""


def judge(status: int, headers: Sequence[tuple[bytes, bytes]]) -> Verdict:
    """Judges a response by status and fields: only a 200 (or the 404 page) of HTML is rewritten."""
    if status not in {200, 404}:
        return Verdict(f"status:{status // 100}xx")
    content_type = value_of(headers, b"content-type") or b""
    if content_type.partition(b";")[0].strip().lower() != HTML:
        return Verdict("type")
    if has_token(headers, b"cache-control", b"no-transform"):
        return Verdict("no-transform")
    if value_of(headers, b"content-range") is not None:
        return Verdict("range")
    applied = coding.coding_of(value_of(headers, b"content-encoding"))
    if applied is None:
        return Verdict("coding")
    if value_of(headers, b"x-datacue-off") is not None:
        return Verdict("off")
    if not charset.ascii_compatible(content_type, b""):
        return Verdict("charset")
    return Verdict("", applied, content_type)
