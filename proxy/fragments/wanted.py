"""What a fragment's request asks for: its parameters, and the page that it stands in.

Nothing of a request is ever written into the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from proxy.classify import is_complete
from proxy.headers import ORIGINAL_URI, value_of
from proxy.includes import FIELDS, page_said, said
from proxy.models import WIDGETS, Widget
from proxy.views import MAX_VIEW

if TYPE_CHECKING:
    from proxy.classify import Classifier
    from proxy.headers import Client, Headers
    from proxy.models import Page

Fallback = Literal["empty", "keep", "error"]
"""How a fragment says that there is nothing to say, so that the including side shows its own content:
200 with nothing in it (nginx ``stub``, PHP, Varnish), 204 (htmx keeps what it has), or 503 (``onerror``
and ``alt`` of ESI)."""

FALLBACKS: tuple[Fallback, ...] = get_args(Fallback)

WHY = "parameters"
"""``Page.why`` of a page that the parameters tell."""

MAX_INDEX_DIGITS = 2
"""Digits of a banner's place: custom layouts have a dozen."""

MAX_ADDRESS = 4096
"""Bytes of the page's address that are looked at."""


class Wanted(NamedTuple):
    """What a request asks for.

    Attributes:
        page: what is looked at; None where only the page view can tell.
        said: the ID of the page view, as the parameters say it; empty for none.
        view: the same, or else as a header says it.
        counts: whether it may make the page view's event.
        fallback: how it wants to be told that there is nothing.
        wrong: the parameter that can't be what it is; empty for none.
        place: 1-based place of a single banner, as in ``data-dc-main-insert-banner="2"``; None: all.
    """

    page: Page | None
    said: str
    view: str
    counts: bool
    fallback: Fallback
    wrong: str
    place: int | None = None


def widget_of(raw_path: bytes, below: bytes) -> Widget | None:
    """The widget that a path names, byte for byte; None for every other spelling.

    Neither an encoded letter nor anything behind the name is let through: a cache in front may take
    ``top/x.css`` or ``top%2Fx.css`` for a stylesheet.

    Args:
        raw_path: as it came, without query.
        below: what must stand before the name.
    """
    name = raw_path.removeprefix(below)
    return next((widget for widget in WIDGETS if widget.encode() == name), None)


def wanted(query: bytes, address: bytes, view: str, classifier: Classifier) -> Wanted:
    """Reads a request.

    Args:
        query: the fragment's, without "?".
        address: path and query of the page that it stands in; empty where nobody knows.
        view: the page view's ID as a header says it; empty for none.
        classifier: says what the address means.
    """
    found = said(query)
    page, wrong = page_said(found, WHY)
    if address and (page is None or not is_complete(page)):
        path, _, rest = address.partition(b"?")
        there = classifier.from_request(path, rest)
        if there is not None and is_complete(there) and (page is None or page.kind == there.kind):
            page = there
    if page is not None and not is_complete(page):
        wrong = wrong or FIELDS[page.kind][0]
        page = None
    fallback: Fallback = "empty"
    asked = found.get("fallback")
    if asked is not None:
        fallback = next((one for one in FALLBACKS if one == asked), "empty")
        wrong = wrong or ("" if fallback == asked else "fallback")
    name = found.get("view", "")[:MAX_VIEW]
    return Wanted(
        page, name, name or view, found.get("count") != "0", fallback, wrong, _place(found.get("index", ""))
    )


def _place(said: str) -> int | None:
    return int(said) or None if said.isascii() and said.isdigit() and len(said) <= MAX_INDEX_DIGITS else None


def address_of(headers: Headers, client: Client, *, trusted: bool, prefix: str) -> bytes:
    """Path and query of the page that a fragment stands in; empty where nobody knows.

    An edge that includes fragments says it in ``X-Original-URI``. A browser that asks for one itself (htmx,
    an iframe) says it in ``Referer``; but what an edge includes has the headers of the page's own request,
    and its ``Referer`` is the page before.

    Args:
        headers: of the request.
        client: who asks.
        trusted: whether the connection is a trusted proxy's.
        prefix: of our own endpoints, which are no pages.
    """
    below = prefix.encode() + b"/"
    if trusted:
        original = value_of(headers, ORIGINAL_URI) or b""
        if original.startswith(b"/") and not original.startswith(below):
            return original[:MAX_ADDRESS]
    referer = value_of(headers, b"referer")
    if referer is None or value_of(headers, b"sec-fetch-dest") == b"document":
        return b""
    try:
        parts = urlsplit(referer[:MAX_ADDRESS])
    except ValueError:  # a bracket that opens no IPv6 address
        return b""
    if parts.scheme != client.scheme.encode() or parts.netloc.lower() != client.host.lower():
        return b""
    path = parts.path or b"/"
    if path.startswith(below):
        return b""
    return b"%b?%b" % (path, parts.query) if parts.query else path
