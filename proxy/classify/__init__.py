"""Request and page facts → `Page`.

First match wins: the operator's ``[[pages]]`` rules and well-known paths are known from the request
alone, so that the event leaves together with the request to the shop; else the page's own facts
decide. (The shop's ``X-DataCue-Event`` header comes before all of them; it is read elsewhere.)

In reading order: ``rules``, ``builtin``, ``counted``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import structs

from proxy.classify import builtin as known
from proxy.classify.counted import NotCounted, is_bot, not_counted
from proxy.classify.rules import PAGE_FIELDS, PageRule, compile_rule, readable_path
from proxy.facts.address import parameters
from proxy.models import Page, PageKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.facts.model import PageFacts, ProductFacts

__all__ = [
    "PAGE_FIELDS",
    "Classifier",
    "NotCounted",
    "PageRule",
    "compile_rule",
    "is_bot",
    "is_complete",
    "not_counted",
    "products_of",
]

_NEEDED: Final[dict[PageKind, str]] = {"product": "product_id", "category": "category_name", "search": "term"}
"""The field without which the guide has no event for a page."""

_FILLED: Final[dict[PageKind, tuple[str, ...]]] = {
    "product": ("product_id", "variant_id"),
    "category": ("category_name",),
    "search": ("term",),
}


MAX_ASKED: Final = 8192
"""Request targets whose page is remembered: the part of a catalogue that is looked at."""

MAX_REMEMBERED: Final = 512
"""Bytes of a target that is remembered: longer ones are searches and tricks, and hardly come again."""


class Classifier:
    """Says what a page is.

    Args:
        rules: the operator's, in order.
        builtin: whether well-known paths (``/``, ``/search?q=``, ``/cart``) count where no rule matches.
    """

    def __init__(self, rules: Sequence[PageRule] = (), builtin: bool = True) -> None:  # noqa: FBT001, FBT002 - a setting passed on
        self._rules = tuple(rules)
        self._builtin = builtin
        self._asked: dict[tuple[bytes, bytes], Page | None] = {}

    def from_request(self, path: bytes | str, query: bytes) -> Page | None:
        """The page, as far as the request tells.

        Args:
            path: as the client sent it, still percent-encoded; from a "?" on it isn't looked at.
            query: as the client sent it, without "?".

        Returns:
            None where only the page itself can tell. The page may lack the field that its event
            needs (`is_complete`): `from_facts` fills it.
        """
        raw = path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
        asked = raw, query
        if asked in self._asked:
            return self._asked[asked]
        page = self._judge(raw, query)
        if len(raw) + len(query) <= MAX_REMEMBERED:
            if len(self._asked) >= MAX_ASKED:
                del self._asked[next(iter(self._asked))]
            self._asked[asked] = page
        return page

    def _judge(self, raw: bytes, query: bytes) -> Page | None:
        readable = readable_path(raw.partition(b"?")[0])
        found = parameters(query)
        for rule in self._rules:
            page = rule.match(readable, found)
            if page is not None:
                return page
        return known.page_of(readable, found) if self._builtin else None

    def from_facts(self, page: Page | None, facts: PageFacts) -> Page | None:
        """The page, once it has said what it is.

        Args:
            page: what the request told; its kind and values win, facts fill what it left open.
            facts: what the page says.

        Returns:
            None where the kind, or the field that the kind's event needs, is still unknown.
        """
        if page is None:
            if facts.kind is None:
                return None
            page = Page(kind=facts.kind, why=facts.why)
        missing = {
            name: getattr(facts, name) for name in _FILLED.get(page.kind, ()) if getattr(page, name) is None
        }
        filled = structs.replace(page, **missing) if missing else page
        return filled if is_complete(filled) else None


def is_complete(page: Page) -> bool:
    """Whether the page has the field that its event needs, so that it can be sent."""
    needed = _NEEDED.get(page.kind)
    return needed is None or getattr(page, needed) is not None


def products_of(page: Page, facts: PageFacts) -> tuple[ProductFacts, ...]:
    """The page's product for the catalogue, under the id that the page's event carries.

    A rule may know the product by another id (a slug) than the page's own markup (a SKU): events and
    catalogue must agree.
    """
    if page.kind != "product" or page.product_id is None:
        return ()
    return tuple(structs.replace(product, product_id=page.product_id) for product in facts.products)
