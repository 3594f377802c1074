"""Which page an include is about: what its URL says, held against the page that it stands in."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from proxy.classify import PAGE_FIELDS, is_complete
from proxy.facts.address import parameters
from proxy.models import PAGE_KINDS, Page

if TYPE_CHECKING:
    from proxy.models import PageKind

PAGE = "page"
"""The parameter that says what kind of page an include is about."""

MAX_REMEMBERED = 4096
"""Queries of includes whose page is remembered: as many as there are products that are looked at."""


@lru_cache(maxsize=MAX_REMEMBERED)
def page_asked(query: bytes) -> Page | None:
    """The page that an include's query says it is about; None where it names no kind of page.

    A value that begins with ``$`` is a variable of the server that should have resolved the include: nobody
    has put anything in its place.
    """
    said = _said(query)
    kind = said.pop(PAGE, None)
    if kind not in PAGE_KINDS or kind == "none":
        return None
    return Page(cast("PageKind", kind), **said, why="include")


def complete(query: bytes) -> Page | None:
    """The same, where it says all that the page's event needs."""
    page = page_asked(query)
    return page if page is not None and is_complete(page) else None


def concerns(query: bytes, page: Page) -> bool:
    """Whether an include is about this page: whatever it says of it is so, as far as both know."""
    said = _said(query)
    if said.pop(PAGE, page.kind) != page.kind:
        return False
    return all(getattr(page, name) in {None, value} for name, value in said.items())


def query_of(page: Page) -> str:
    """The query that says which page an include is about: ASCII, and safe between any quotes.

    ``--`` can't stand in a comment, nor ``$`` where nginx would look for a variable.
    """
    pairs = [(PAGE, page.kind), *((name, getattr(page, name)) for name in PAGE_FIELDS)]
    written = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs if value)
    return written.replace("--", "%2D%2D")


def _said(query: bytes) -> dict[str, str]:
    found = parameters(query)
    return {
        name: value
        for name in (PAGE, *PAGE_FIELDS)
        if (value := found.get(name)) and not value.startswith("$")
    }
