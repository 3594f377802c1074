"""Which page an include is about: what its URL says, held against the page that it stands in."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import structs

from proxy.classify import PAGE_FIELDS, is_complete
from proxy.facts.address import parameters
from proxy.models import PAGE_KINDS, Page, PageKind

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = "page"
"""The parameter that says what kind of page an include is about."""

FIELDS: dict[PageKind, tuple[str, ...]] = {
    "product": ("product_id", "variant_id"),
    "category": ("category_name",),
    "search": ("term",),
}
"""Page kind → the parameters that are its facts."""

TELLING: tuple[tuple[str, PageKind], ...] = (
    ("product_id", "product"),
    ("term", "search"),
    ("category_name", "category"),
)
"""Parameters that tell the page's kind where ``page`` is missing."""

UNRESOLVED = "$"
"""What a value begins with that is a variable (``$request_id``) of a server that hasn't resolved it."""

MAX_REMEMBERED = 4096
"""Queries of includes whose page is remembered: as many as there are products that are looked at."""


@lru_cache(maxsize=MAX_REMEMBERED)
def page_asked(query: bytes) -> Page | None:
    """The page that an include's query says it is about; None where it says nothing of the kind."""
    return page_said(said(query), "include")[0]


def complete(query: bytes) -> Page | None:
    """The same, where it says all that the page's event needs."""
    page = page_asked(query)
    return page if page is not None and is_complete(page) else None


def concerns(query: bytes, page: Page) -> bool:
    """Whether an include is about this page: whatever it says of it is so, as far as both know."""
    found = said(query)
    if found.get(PAGE, page.kind) != page.kind:
        return False
    return all(getattr(page, name) in {None, found.get(name)} for name in PAGE_FIELDS if name in found)


def query_of(page: Page) -> str:
    """The query that says which page an include is about: ASCII, and safe between any quotes.

    ``--`` can't stand in a comment, nor ``$`` where nginx would look for a variable.
    """
    pairs = [(PAGE, page.kind), *((name, getattr(page, name)) for name in PAGE_FIELDS)]
    written = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs if value)
    return written.replace("--", "%2D%2D")


def said(query: bytes) -> dict[str, str]:
    """What a query says; not what nobody has put anything in the place of."""
    return {
        name: value for name, value in parameters(query).items() if value and not value.startswith(UNRESOLVED)
    }


def page_said(found: Mapping[str, str], why: str) -> tuple[Page | None, str]:
    """The page that parameters tell, and the one of them that can't be right; empty for none.

    Args:
        found: what is said, see `said`.
        why: how we know, for ``Page.why``.
    """
    kind: PageKind | None
    named = found.get(PAGE)
    if named is not None:
        kind = next((known for known in PAGE_KINDS if known == named != "none"), None)
        if kind is None:
            return None, PAGE
    else:
        kind = next((kind for name, kind in TELLING if name in found), None)
        if kind is None:
            return None, ""
    facts = {name: found[name] for name in FIELDS.get(kind, ()) if name in found}
    return structs.replace(Page(kind, why=why), **facts), ""
