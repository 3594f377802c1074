"""The lists of an answer: what is recommended, filtered at serving time, no product twice on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.engine.catalog import slug

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.engine.catalog import Catalog, Product
    from proxy.engine.recommender.popularity import Popularity
    from proxy.engine.visitors import Visitor

LIST_SIZE: Final = 8
"""Products of a list: the vendor's section size."""
MAX_LIST_SIZE: Final = 50
"""The most that ``?limit=`` grants: a page of results, not a dump of the catalogue."""
CATEGORY_ROWS: Final = 3
"""Rows of the ``categories`` list."""
SIMILAR_LEVELS: Final = 4
"""Category levels that are compared."""


class Page:
    """One answer in the making: remembers what it shows already.

    Args:
        catalog: where products are.
        hidden: items that must not be recommended here: the page's own product, the cart.
        size: products per list.
    """

    def __init__(self, catalog: Catalog, hidden: Iterable[int], size: int) -> None:
        self._catalog = catalog
        self._taken = set(hidden)
        self.size = size

    def hide(self, items: Iterable[int]) -> None:
        """Don't recommend these from here on."""
        self._taken.update(items)

    def take(
        self, candidates: Iterable[int], accept: Callable[[Product], bool] | None = None
    ) -> list[Product]:
        """The first of the candidates that may be shown and aren't on the page yet."""
        chosen: list[Product] = []
        products = self._catalog.products
        for item in candidates:
            if item in self._taken:
                continue
            product = products[item]
            if product.shown is None or (accept is not None and not accept(product)):
                continue
            self._taken.add(item)
            chosen.append(product)
            if len(chosen) == self.size:
                break
        return chosen

    def recent(self, visitor: Visitor, current: int | None) -> list[tuple[Product, str | None]]:
        """What the visitor viewed last, with the variants viewed."""
        variants = dict(visitor.recent())
        if current is not None:
            variants.pop(current, None)
        return [(product, variants[product.number]) for product in self.take(variants)]


def by_popularity(popularity: Popularity, items: Iterable[int]) -> list[int]:
    """Items, the most wanted first; those nobody has looked at yet come last, the newest first."""
    scores = popularity.scores
    return sorted(items, key=lambda item: (-scores.get(item, 0.0), -item))


def affinity(visitor: Visitor, catalog: Catalog) -> dict[str, float]:
    """The share of the visitor's interest that each category has, by slug; later acts count more."""
    found: dict[str, float] = {}
    total = 0.0
    for age, act in enumerate(reversed(visitor.acts)):
        weight = 0.9**age
        total += weight
        for name in catalog.products[act.item].categories:
            found[slug(name)] = found.get(slug(name), 0.0) + weight
    return {name: weight / total for name, weight in found.items()} if total else {}
