"""All indexes together: fed by what happened, asked for candidates, the best reason first.

Candidates come in *stages*: a list is filled from the first stage that still has something to say,
so evidence always goes before plausibility, and plausibility before mere popularity. Stages are lazy:
what isn't needed isn't computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from proxy.engine.catalog import slug
from proxy.engine.recommender.baskets import Baskets
from proxy.engine.recommender.content import Content
from proxy.engine.recommender.picks import Pick, best, blended
from proxy.engine.recommender.popularity import Popularity
from proxy.engine.recommender.sessions import Sessions
from proxy.engine.wire.events import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxy.engine.catalog import Catalog, Product
    from proxy.engine.visitors import Visitor

SIMILAR: Final = 40
"""Candidates of a list of similar products."""
TRUST_AT: Final = 10.0
"""Sessions with a product at which behaviour weighs as much as content in what is similar to it."""
PAIRED_CATEGORIES: Final = 3
"""Categories whose best products stand in where two products were never bought together."""
WEIGHTS: Final = {Kind.PRODUCT: 1.0, Kind.PRODUCT_CLICK: 0.5, Kind.WISHLIST_ADD: 3.0}
"""What an act adds to a product's popularity; the view that follows a click counts by itself."""
CART: Final = 4.0
ORDER: Final = 8.0
"""The same for a cart and an order: the dearer to the visitor, the more."""


class Recommender:
    """The indexes over one catalogue.

    Args:
        catalog: the products that the numbers stand for.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.sessions = Sessions()
        self.popularity = Popularity()
        self.content = Content()
        self._orders = Baskets("orders")
        self._carts = Baskets("carts")
        self._paired = Baskets("categories")

    # What happened.

    def describe(self, product: Product) -> None:
        """A product is new or has changed."""
        self.content.put(product.number, product.fields, product.categories)

    def cart(self, visitor: int, items: Sequence[int], time: float) -> None:
        """A visitor's cart is now this."""
        self._carts.put(visitor, items, time)

    def order(self, order_id: str, items: Sequence[int], time: float) -> None:
        """These were bought together; the same order again replaces itself."""
        self._orders.put(order_id, items, time)
        products = self._catalog.products
        finest = [products[item].categories[-1] for item in items if products[item].categories]
        numbers = [self._catalog.category_number(slug(name)) for name in finest]
        self._paired.put(order_id, numbers, time)

    def cancel(self, order_id: str) -> None:
        """An order did not happen after all."""
        self._orders.drop(order_id)
        self._paired.drop(order_id)

    # What to show.

    def next_for(self, visitor: Visitor, now: float) -> Iterator[Iterable[Pick]]:
        """For a visitor: what others looked at next, what is like their last views, what is wanted."""
        views = [(act.item, act.time) for act in reversed(visitor.acts)]
        if views:
            yield self.sessions.related(views, now)
            yield self.similar_to(views[0][0])
        yield self.top()

    def similar_to(self, item: int) -> list[Pick]:
        """What is like a product, by content, and by behaviour as far as there is some."""
        content = {pick.item: pick for pick in self.content.similar(item)}
        together, sessions = self.sessions.viewed_together(item)
        seen = self.sessions.support(item)
        trust = seen / (seen + TRUST_AT) if together else 0.0
        likeness = {other: pick.score for other, pick in content.items()}
        scores = blended(((1.0 - trust, likeness), (trust, together)))
        return [
            Pick(other, scores[other], "viewed together", sessions[other])
            if other in sessions
            else Pick(other, scores[other], "content", content[other].support)
            for other in best(scores, SIMILAR)
        ]

    def bought_with(self, items: Sequence[int]) -> Iterator[Iterable[Pick]]:
        """What was ordered together with products, or lay in carts with them."""
        yield self._orders.related(items)
        yield self._carts.related(items)

    def goes_with(self, product: Product, similar: Iterable[Pick]) -> Iterator[Iterable[Pick]]:
        """What may go with a product that has no orders: the best of categories that go with its own.

        Args:
            product: the product.
            similar: what is like it, as the last resort.
        """
        if product.categories:
            own = self._catalog.category_number(slug(product.categories[-1]))
            for pair in self._paired.related([own])[:PAIRED_CATEGORIES]:
                name = self._catalog.category_slugs[pair.item]
                yield (pick._replace(method="categories", support=pair.support) for pick in self.top(name))
        yield similar

    def top(self, category: str | None = None) -> Iterator[Pick]:
        """The most wanted products, of a category (by slug) or of all."""
        catalog = self._catalog
        if category is None:
            return self.popularity.top("*", catalog.version, catalog.showable)
        return self.popularity.top(
            "=" + category,
            catalog.version,
            lambda: np.fromiter(sorted(catalog.showable_of(category)), np.int64),
        )
