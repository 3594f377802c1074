"""Which lists an event is answered with, and in which order they choose their products.

The list of recent products is a fact and chooses first; then evidence (orders), then likeness, then
what may go together, then popularity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from proxy.engine.catalog import slug
from proxy.engine.page import LIST_SIZE, Page
from proxy.engine.wire import answers
from proxy.engine.wire.events import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.engine.catalog import Catalog, Product
    from proxy.engine.recommender.banners import Banner, Banners
    from proxy.engine.recommender.picks import Pick
    from proxy.engine.recommender.recommender import Recommender
    from proxy.engine.visitors import Visitor

CATEGORY_ROWS: Final = 3
"""Rows of the ``categories`` list: the tastes of one visitor, not a site map."""
AFFINITY_FADE: Final = 0.9
"""What an earlier act counts beside the next one in a visitor's affinity to categories."""
GUIDE_ANSWERS: Final = frozenset({Kind.HOME, Kind.PRODUCT, Kind.SEARCH})
"""Events that the guide answers with lists; all others with 204."""
LISTED: Final = GUIDE_ANSWERS | {Kind.CATEGORY, Kind.CART_PAGE, Kind.NOT_FOUND}
"""Events that have lists for whoever prefers a representation."""


class Row(Struct, frozen=True):
    """One row of the ``categories`` list."""

    name: str
    link: str | None
    picks: list[Pick]


class Answer(Struct):
    """The lists of one answer; None where the page's kind has no such list."""

    recent: list[tuple[Product, str | None]]
    main: list[Banner] | None = None
    sub: list[Banner] | None = None
    related: list[Pick] | None = None
    similar: list[Pick] | None = None
    top: list[Pick] | None = None
    rows: list[Row] | None = None


class Composer:
    """Makes answers from the catalogue and the indexes.

    Args:
        catalog: the products.
        recommender: the candidates.
        banners: the banners.
    """

    def __init__(self, catalog: Catalog, recommender: Recommender, banners: Banners) -> None:
        self._catalog = catalog
        self._recommender = recommender
        self._banners = banners

    def compose(
        self,
        kind: Kind,
        visitor: Visitor,
        now: float,
        *,
        product: Product | None = None,
        category: str | None = None,
        rich: bool = False,
        size: int = LIST_SIZE,
    ) -> Answer:
        """The lists that a page of some kind shows to a visitor now.

        Args:
            kind: the page's kind.
            visitor: who looks at it.
            now: Unix seconds.
            product: the page's own product.
            category: the page's category, as the event named it.
            rich: also the lists that the guide doesn't have.
            size: products per list.
        """
        page = Page(self._catalog, size)
        if product is not None:
            page.hide((product.number,))
        answer = Answer(page.recent(visitor))
        page.hide(visitor.cart)
        find = self._recommender
        if kind is Kind.HOME:
            likes = self._affinity(visitor)
            answer.main, answer.sub = self._banners.choose(likes)
            answer.related = page.fill(find.next_for(visitor, now), mixed=True)
            if rich:
                answer.rows = list(self._rows(page, likes))
                answer.top = page.fill((find.top(),), mixed=True)
        elif kind is Kind.PRODUCT and product is not None:
            related = page.fill(find.bought_with((product.number,)))
            similar = find.similar_to(product.number)
            answer.similar = page.fill((similar,))
            if len(related) < size:
                related += page.fill(find.goes_with(product, similar), most=size - len(related))
            answer.related = related
        elif kind in {Kind.CART_PAGE, Kind.NOT_FOUND}:
            answer.related = page.fill(self._for_cart(visitor, now), mixed=True)
        elif kind is Kind.CATEGORY and category is not None:
            known = self._catalog.find_category(category)
            answer.top = page.fill((find.top(known),))
        return answer

    def encode(self, answer: Answer, *, rich: bool) -> bytes:
        """An answer as the guide writes it; a product page without related products says null."""
        parts: list[tuple[bytes, bytes]] = []
        products = self._catalog.products

        def cards(picks: Iterable[Pick]) -> bytes:
            return answers.array([products[pick.item].card(rich=rich) for pick in picks])

        if answer.main is not None and answer.sub is not None:
            parts.append((b"main_banners", answers.array([banner.card for banner in answer.main])))
            parts.append((b"sub_banners", answers.array([banner.card for banner in answer.sub])))
        if answer.similar is not None:
            parts.append((b"similar_product_skus", cards(answer.similar)))
        if answer.related is not None:
            none = answer.similar is not None and not answer.related
            parts.append((b"related_product_skus", b"null" if none else cards(answer.related)))
        if answer.rows is not None:
            rows = [answers.category_row(row.name, row.link, cards(row.picks)) for row in answer.rows]
            parts.append((b"category_product_skus", answers.array(rows)))
        if answer.top is not None:
            parts.append((b"top_product_skus", cards(answer.top)))
        recent = [product.recent_card(variant, rich=rich) for product, variant in answer.recent]
        parts.append((b"recent_product_skus", answers.array(recent)))
        return answers.document(parts)

    def explain(self, answer: Answer) -> dict[str, Any]:
        """The same lists with the reason of each item instead of its card."""
        products = self._catalog.products

        def why(picks: Iterable[Pick]) -> list[dict[str, Any]]:
            return [
                {
                    "product_id": products[pick.item].product_id,
                    "method": pick.method,
                    "support": pick.support,
                    "score": pick.score,
                }
                for pick in picks
            ]

        found: dict[str, Any] = {}
        for name, banners in (("main_banners", answer.main), ("sub_banners", answer.sub)):
            if banners is not None:
                found[name] = [
                    {
                        "banner_id": banner.banner_id,
                        "method": "thompson",
                        "support": banner.impressions,
                        "score": banner.clicks / max(1, banner.impressions),
                    }
                    for banner in banners
                ]
        for name, picks in (("related", answer.related), ("similar", answer.similar), ("top", answer.top)):
            if picks is not None:
                found[f"{name}_product_skus"] = why(picks)
        if answer.rows is not None:
            found["category_product_skus"] = [
                {"name": row.name, "products": why(row.picks)} for row in answer.rows
            ]
        found["recent_product_skus"] = [
            {"product_id": product.product_id, "method": "viewed", "support": 1.0, "score": 1.0 / place}
            for place, (product, _variant) in enumerate(answer.recent, start=1)
        ]
        return found

    def _for_cart(self, visitor: Visitor, now: float) -> Iterator[Iterable[Pick]]:
        if visitor.cart:
            yield from self._recommender.bought_with(visitor.cart)
        yield from self._recommender.next_for(visitor, now)

    def _rows(self, page: Page, likes: dict[str, float]) -> Iterator[Row]:
        for name in sorted(likes, key=lambda each: (-likes[each], each))[:CATEGORY_ROWS]:
            picks = page.fill((self._recommender.top(name),))
            if picks:
                shown = self._catalog.products[picks[0].item].categories
                label = next(each for each in shown if slug(each) == name)
                yield Row(label, self._catalog.categories.link(label), picks)

    def _affinity(self, visitor: Visitor) -> dict[str, float]:
        """The share of the visitor's acts that each category has, by slug; later acts count more."""
        found: dict[str, float] = {}
        total = 0.0
        for age, act in enumerate(reversed(visitor.acts)):
            weight = AFFINITY_FADE**age
            total += weight
            for name in self._catalog.products[act.item].categories:
                found[slug(name)] = found.get(slug(name), 0.0) + weight
        return {name: weight / total for name, weight in found.items()}
