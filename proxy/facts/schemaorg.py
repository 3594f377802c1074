"""What kind of page schema.org's vocabulary describes, in JSON-LD and microdata alike.

A product wins over the rest; but several unrelated products are a listing, whatever else they are.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import structs

from proxy.facts import values
from proxy.facts.graph import Graph, Node, types
from proxy.facts.model import NOTHING, FactsSource, PageFacts, ProductFacts
from proxy.facts.product import MAX_VARIANTS, variants_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.facts.address import PageAddress

MAX_CRUMBS: Final = 12
"""Steps of a breadcrumb trail, and items of a list, that are looked at."""

_PRODUCTS: Final = frozenset({"Product", "ProductGroup", "IndividualProduct", "ProductModel", "SomeProducts"})
_SEARCH: Final = frozenset({"SearchResultsPage"})
_LISTINGS: Final = frozenset({"CollectionPage", "ItemList", "OfferCatalog"})
_PAGES: Final = frozenset({"WebPage", "ItemPage", "CollectionPage", "SearchResultsPage"})
_ANY: Final = frozenset({"ListItem", "Thing"})
_HOME_WORDS: Final = frozenset({
    "home", "homepage", "start", "startseite", "accueil", "inicio", "in\u00edcio", "hjem", "hem", "etusivu",
    "shop", "store",
})  # fmt: skip
_HOME_PATH: Final = re.compile(r"(?:https?://[^/]+)?/(?:[a-z]{2}(?:[-_][A-Za-z]{2})?/?)?(?:index\.\w+)?")


def read(nodes: Sequence[Node], *, page: PageAddress, why: FactsSource) -> PageFacts:
    """What a page's nodes say.

    Args:
        nodes: the top-level ones in document order.
        page: where the page stands: it tells the page's product from those that it recommends.
        why: the format that the nodes come from.
    """
    return _Reading(nodes, page, why).facts()


class _Reading:
    def __init__(self, nodes: Sequence[Node], page: PageAddress, why: FactsSource) -> None:
        self._page = page
        self._why: FactsSource = why
        self._graph = Graph(nodes, page)
        self._typed = [(node, types(node)) for node in self._graph.nodes]

    def facts(self) -> PageFacts:
        """The page's kind and what belongs to it."""
        main = self._main_product()
        if main:
            return self._product_page(main)
        if any(self._of(_SEARCH)):
            return PageFacts(kind="search", term=self._page.term, why=self._why)
        name = self._category()
        if name is not None:
            return PageFacts(kind="category", category_name=name, why=self._why)
        if any(self._of(frozenset({"CheckoutPage"}))):
            return PageFacts(kind="checkout", why=self._why)
        return NOTHING

    def _of(self, wanted: frozenset[str]) -> Iterator[Node]:
        """The top-level nodes of any of these types."""
        return (node for node, kind in self._typed if kind & wanted)

    def _main_product(self) -> list[Node]:
        """The page's own product, as one node or as several variants; empty on a listing."""
        for node in self._of(_PAGES):
            entity = [inner for inner in self._graph.inner(node, "mainEntity") if types(inner) & _PRODUCTS]
            if len(entity) == 1:
                return entity
        candidates = list(self._of(_PRODUCTS))
        listed = any(self._of(_LISTINGS | _SEARCH))
        if self._are_one(candidates) and not (listed and self._is_elsewhere(candidates[0])):
            return candidates
        here = [node for node in candidates if not self._is_elsewhere(node)]
        return here if self._are_one(here) else []

    def _are_one(self, candidates: list[Node]) -> bool:
        """Whether all are one product: the same id, group or name, as variants and plugins repeat it."""
        if not candidates:
            return False
        graph = self._graph
        first, *others = (
            {graph.id(node), graph.group(node), graph.text(node, "name")} - {None} for node in candidates
        )
        return all(first & other for other in others)

    def _is_elsewhere(self, node: Node) -> bool:
        link = self._graph.url(node, "url", "mainEntityOfPage")
        return link is not None and not self._page.is_at(link)

    def _product_page(self, main: list[Node]) -> PageFacts:
        found: dict[tuple[str | None, str | None], ProductFacts] = {}
        for node in islice(main, MAX_VARIANTS):
            for product in variants_of(self._graph, node):
                found.setdefault((product.product_id, product.variant_id), product)
        products = list(found.values())[:MAX_VARIANTS]
        crumbs = tuple(
            name
            for name, link in self._trail()  # whose last step is the product itself
            if name != products[0].name and not self._page.is_at(link)
        )
        if crumbs:
            products = [structs.replace(product, categories=crumbs) for product in products]
        shown = [product for product in products if product.variant_id and product.link == self._page.link]
        return PageFacts(
            kind="product",
            product_id=products[0].product_id,
            variant_id=shown[0].variant_id if len(shown) == 1 else None,
            products=tuple(products),
            why=self._why,
        )

    def _category(self) -> str | None:
        """The name of the category that a listing shows: the trail's last step, else its own."""
        listings = [node for node in self._of(_LISTINGS) if self._lists_products(node)]
        if _HOME_PATH.fullmatch(self._page.path) or not (listings or any(self._of(_PRODUCTS))):
            return None
        trail = self._trail()
        if trail:
            return trail[-1][0]
        return values.first(self._graph.text(node, "name") for node in listings)

    def _lists_products(self, listing: Node) -> bool:
        """Whether a list may be one of products: it isn't known to be one of something else."""
        steps = list(islice(self._graph.inner(listing, "itemListElement"), MAX_CRUMBS))
        items = [*steps, *(item for step in steps for item in self._graph.inner(step, "item"))]
        kinds = [types(item) - _ANY for item in items]
        return all(kind & _PRODUCTS or not kind for kind in kinds)

    def _trail(self) -> list[tuple[str, str | None]]:
        """The first breadcrumb trail as (name, link), without its first step home."""
        graph = self._graph
        trails = [
            *self._of(frozenset({"BreadcrumbList"})),
            *(trail for node in self._of(_PAGES) for trail in graph.inner(node, "breadcrumb")),
        ]
        for trail in trails:
            steps = list(islice(graph.inner(trail, "itemListElement"), MAX_CRUMBS))
            steps.sort(key=lambda step: values.number(graph.first(step, "position")) or 0)
            crumbs = [(name, link) for name, link in map(self._crumb, steps) if name is not None]
            if crumbs and is_home(*crumbs[0]):
                del crumbs[0]
            if crumbs:
                return crumbs
        return []

    def _crumb(self, step: Node) -> tuple[str | None, str | None]:
        graph = self._graph
        name, link = graph.text(step, "name"), graph.url(step, "item", "url")
        for item in graph.inner(step, "item"):
            name = name or graph.text(item, "name")
            link = link or graph.url(item, "url")
        return name, link


def is_home(name: str, link: str | None = None) -> bool:
    """Whether a step of a breadcrumb trail leads home."""
    return name.lower() in _HOME_WORDS or _HOME_PATH.fullmatch(link or "") is not None
