"""Links, forms and places of a page, found by the locator itself."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urldefrag, urljoin, urlsplit

from msgspec import Struct

from proxy.facts.values import unescape
from proxy.locate import FactSelector, FactSelectors, Plan, Splicer, parse_selector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_LINKS: Final = 2_000
"""Links of a page that are looked at: a large mega menu has some 800."""

_FILE: Final = re.compile(
    r"\.(?:jpe?g|png|gif|webp|avif|svg|ico|css|js|json|xml|pdf|zip|rss|mp4|woff2?)$", re.IGNORECASE
)


class Form(Struct):
    """A form: how it is sent, where to, and its fields with the values that stand in them."""

    method: str
    action: str
    fields: dict[str, str] = {}


class Seen(Struct):
    """What a page holds beside its facts."""

    links: list[str] = []
    """Absolute, of the page's own host, without fragments, each once, in page order; no files."""
    forms: list[Form] = []
    language: str = ""
    """``<html lang>``."""
    generator: str = ""
    """``<meta name="generator">``."""
    places: dict[str, int] = {}
    """How often each of the selectors asked for matched."""


def look(page: bytes, *, charset: str, url: str, places: Sequence[str] = ()) -> Seen:
    """Looks at a page.

    Args:
        page: decoded bytes.
        charset: of the page.
        url: where it stands, absolute.
        places: selectors that are to be counted.

    Raises:
        SelectorError: one of ``places`` can't be used.
    """
    splicer = Splicer(_PLAN, _selectors(tuple(places)))
    splicer.feed(page)
    splicer.close()
    selected = splicer.facts.selected
    seen = Seen(links=[*dict.fromkeys(_links(selected.get("link", ()), charset, url))][:MAX_LINKS])
    for entry in selected.get("form", ()):
        label, _, raw = entry.partition(b"\0")
        value = unescape(raw, charset)
        if label == b"form":
            seen.forms.append(Form("GET", url))
        elif seen.forms:
            _complete(seen.forms[-1], label, value, url)
    seen.language = _first(selected.get("language"), charset)
    seen.generator = _first(selected.get("generator"), charset)
    for entry in selected.get("place", ()):
        place = entry.decode()
        seen.places[place] = seen.places.get(place, 0) + 1
    return seen


def _complete(form: Form, label: bytes, value: str, url: str) -> None:
    match label:
        case b"method":
            form.method = value.strip().upper() or "GET"
        case b"action":
            form.action = urljoin(url, value.strip())
        case b"name" if value:
            form.fields[value] = ""
        case b"value" if form.fields:
            form.fields[next(reversed(form.fields))] = value


def _links(entries: Sequence[bytes], charset: str, url: str) -> Iterator[str]:
    host = urlsplit(url).netloc
    for entry in entries:
        try:
            found = urldefrag(urljoin(url, unescape(entry, charset).strip()))[0]
            parts = urlsplit(found)
        except ValueError:  # a bracket that opens no IPv6 address
            continue
        if parts.scheme in {"http", "https"} and parts.netloc == host and not _FILE.search(parts.path):
            yield found


def _first(entries: Sequence[bytes] | None, charset: str) -> str:
    return unescape(entries[0], charset).strip() if entries else ""


# Nothing is filled or remembered here: each page is looked at once.
_PLAN: Final = Plan(remove_vendor_scripts=False, memory=0)

_WANTED: Final = (
    FactSelector("link", parse_selector("a"), b"href"),
    FactSelector("language", parse_selector("html"), b"lang"),
    FactSelector("generator", parse_selector("meta[name=generator i]"), b"content"),
    FactSelector("form", parse_selector("form"), None, b"form", bare=True),
    FactSelector("form", parse_selector("form"), b"method", b"method\0"),
    FactSelector("form", parse_selector("form"), b"action", b"action\0"),
    FactSelector("form", parse_selector("input, select, textarea, button"), b"name", b"name\0"),
    FactSelector("form", parse_selector("input[name], button[name]"), b"value", b"value\0"),
)


@cache  # a few sets of places a run
def _selectors(places: tuple[str, ...]) -> FactSelectors:
    more = [FactSelector("place", parse_selector(place), None, place.encode(), bare=True) for place in places]
    return FactSelectors({}).joined([*_WANTED, *more])
