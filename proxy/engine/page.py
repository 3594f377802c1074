"""One answer in the making: fills lists from candidates, and shows no product twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.engine.catalog import Catalog, Product
    from proxy.engine.recommender.picks import Pick
    from proxy.engine.visitors import Visitor

LIST_SIZE: Final = 8
"""Products of a list: the vendor's section size."""
MAX_LIST_SIZE: Final = 50
"""The most that ``?limit=`` grants: a page of results, not a dump of the catalogue."""
CATEGORY_SHARE: Final = 0.75
"""The most of a mixed list that one category takes while others have candidates of the same stage."""


class Page:
    """What a page shows already, and what it must not show.

    Args:
        catalog: where products are.
        size: products per list.
    """

    def __init__(self, catalog: Catalog, size: int) -> None:
        self._products = catalog.products
        self._taken: set[int] = set()
        self._size = size
        self._cap = max(1, round(size * CATEGORY_SHARE))

    def hide(self, items: Iterable[int]) -> None:
        """Show these nowhere from here on: the page's own product, the cart."""
        self._taken.update(items)

    def recent(self, visitor: Visitor) -> list[tuple[Product, str | None]]:
        """What the visitor viewed last, newest first, with the variants viewed."""
        shown: list[tuple[Product, str | None]] = []
        for item, variant_id in visitor.recent():
            if len(shown) == self._size:
                break
            if self._may_show(item):
                self._taken.add(item)
                shown.append((self._products[item], variant_id))
        return shown

    def fill(
        self, stages: Iterable[Iterable[Pick]], *, mixed: bool = False, most: int | None = None
    ) -> list[Pick]:
        """A list from the first stage that has candidates, then the next.

        Args:
            stages: candidates, the best first, in stages of falling evidence.
            mixed: no category takes the whole list while others have candidates as good.
            most: products, if fewer than the page's size.
        """
        size = self._size if most is None else most
        chosen: list[Pick] = []
        count: dict[str, int] = {}
        for stage in stages:
            waiting: list[Pick] = []
            for pick in stage:
                if len(chosen) == size:
                    return chosen
                if not self._may_show(pick.item):
                    continue
                category = (self._products[pick.item].categories or ("",))[0]
                if mixed and category and count.get(category, 0) >= self._cap:
                    waiting.append(pick)
                    continue
                count[category] = count.get(category, 0) + 1
                self._taken.add(pick.item)
                chosen.append(pick)
            for pick in waiting[: size - len(chosen)]:
                self._taken.add(pick.item)
                chosen.append(pick)
            if len(chosen) == size:
                break
        return chosen

    def _may_show(self, item: int) -> bool:
        return item not in self._taken and self._products[item].shown is not None
