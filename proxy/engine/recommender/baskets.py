"""What is bought together: directed co-purchase with decay, shrinkage and a damping of bestsellers.

P(b|a) over the orders that hold a, each weighted by its age and, as everything goes with everything in
a wholesaler's order, by its length; divided by a power of b's popularity, which is small for one
product, where the obvious partner is wanted, and grows with the cart. Lift (the power one) ranks
accidents first and scores below plain popularity.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from proxy.engine.recommender.picks import Pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

RECENT_BASKETS: Final = 1_000
"""Latest baskets of an item that are counted."""
BASKET_LENGTH: Final = 200
"""Products of a basket; a longer one says nothing about any two of them and is left out."""
HALF_LIFE: Final = 120 * 86_400.0
"""Seconds after which a basket counts half: this season's habits before last year's."""
LENGTH_POWER: Final = 1.0
"""A basket of n products counts n to minus this."""
SHRINKAGE: Final = 5.0
"""Imagined baskets with an item and no partner: a pair seen once in one basket is no rule."""
DAMPING: Final = (0.4, 0.3)
"""The power of b's popularity for n products asked about: first less second / n."""
CACHED_ITEMS: Final = 20_000
"""Items whose partners are remembered until one of their baskets changes."""
LIMIT: Final = 60
"""Picks returned: enough for every list of a page after filtering."""


class Partners(NamedTuple):
    """What is in the baskets of one item: items, probability of each, baskets with both."""

    items: NDArray[np.int64]
    probability: NDArray[np.float64]
    support: NDArray[np.int64]


class Baskets:
    """Orders or carts.

    Args:
        method: how picks name their reason: ``orders`` or ``carts``.
    """

    def __init__(self, method: str) -> None:
        self._method = method
        self._members: list[NDArray[np.int32]] = []
        self._times: array[float] = array("d")
        self._numbers: dict[str | int, int] = {}
        self._holding: dict[int, array[int]] = {}
        self._popularity: NDArray[np.float64] = np.zeros(1_024)
        self._cache: OrderedDict[int, Partners] = OrderedDict()

    def put(self, key: str | int, items: Sequence[int], time: float) -> None:
        """Create or replace a basket; one without two different products is dropped."""
        self.drop(key)
        distinct = sorted(set(items))
        if not 1 < len(distinct) <= BASKET_LENGTH:
            return
        number = self._numbers[key] = len(self._members)
        self._members.append(np.array(distinct, np.int32))
        self._times.append(time)
        if distinct[-1] >= len(self._popularity):
            self._popularity = np.concatenate([self._popularity, np.zeros(distinct[-1] + 1)])
        for item in distinct:
            holding = self._holding.setdefault(item, array("I"))
            holding.append(number)
            self._popularity[item] += 1
            self._cache.pop(item, None)
            if len(holding) > 2 * RECENT_BASKETS:
                del holding[:-RECENT_BASKETS]

    def drop(self, key: str | int) -> None:
        """Take a basket back: an order that was cancelled, a cart that was emptied."""
        number = self._numbers.pop(key, None)
        if number is None:
            return
        for item in self._members[number].tolist():
            holding = self._holding[item]
            if number in holding:
                holding.remove(number)
            self._popularity[item] -= 1
            self._cache.pop(item, None)
        self._members[number] = _NOTHING

    def related(self, items: Sequence[int]) -> list[Pick]:
        """What goes with some products, the best first, without themselves."""
        found = [partners for item in items if (partners := self._partners(item)) is not None]
        if not found:
            return []
        flat = np.concatenate([partners.items for partners in found])
        others, where = np.unique(flat, return_inverse=True)
        scores = np.bincount(where, np.concatenate([partners.probability for partners in found]))
        support = np.bincount(where, np.concatenate([partners.support for partners in found]))
        most, less = DAMPING
        scores = scores / np.maximum(self._popularity[others], 1.0) ** (most - less / len(items))
        scores[np.isin(others, np.asarray(items))] = 0.0
        best = np.lexsort((others, -scores))[:LIMIT]
        return [
            Pick(int(others[at]), float(scores[at]), self._method, float(support[at]))
            for at in best.tolist()
            if scores[at] > 0.0
        ]

    def _partners(self, item: int) -> Partners | None:
        cached = self._cache.get(item)
        if cached is not None:
            self._cache.move_to_end(item)
            return cached
        numbers = self._holding.get(item, ())[-RECENT_BASKETS:]
        if not numbers:
            return None
        members = [self._members[number] for number in numbers]
        times = np.array([self._times[number] for number in numbers])
        lengths = np.array([len(each) for each in members])
        weights = np.exp2((times - times.max()) / HALF_LIFE) / lengths**LENGTH_POWER
        flat = np.concatenate(members)
        together = np.bincount(flat, np.repeat(weights, lengths))
        support = np.bincount(flat)
        together[item] = 0.0
        others = np.flatnonzero(together)
        total = weights.sum() + SHRINKAGE * weights.mean()
        found = Partners(others, together[others] / total, support[others])
        self._cache[item] = found
        if len(self._cache) > CACHED_ITEMS:
            self._cache.popitem(last=False)
        return found


_NOTHING: Final[NDArray[np.int32]] = np.zeros(0, np.int32)
