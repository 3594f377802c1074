"""The engine's own indexes, asked the same questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from proxy.engine.recommender.baskets import Baskets
from proxy.engine.recommender.popularity import Popularity
from proxy.engine.recommender.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.eval.data import Order, Session


class EngineSessions:
    """Session kNN blended with transitions; what is missing from the list is filled by popularity."""

    name = "the engine"

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._sessions = Sessions()
        self._popularity = Popularity()
        items: set[int] = set()
        for visitor, session in enumerate(sessions):
            for item, time in zip(session.items, session.times, strict=True):
                self._sessions.view(visitor, item, time)
                self._popularity.add(item, 1.0, time)
                items.add(item)
        self._all = np.array(sorted(items), np.int64)

    def next(self, items: list[int], times: list[float], size: int) -> list[int]:
        views = list(zip(reversed(items), reversed(times), strict=True))
        found = [pick.item for pick in self._sessions.related(views, times[-1]) if pick.item != items[-1]]
        if len(found) < size:
            filler = self._popularity.top("*", 0, lambda: self._all)
            found += [pick.item for pick in filler if pick.item not in {*found, items[-1]}]
        return found[:size]


class EngineBaskets:
    """Directed co-purchase with decay, shrinkage and damping."""

    name = "the engine"

    def __init__(self, orders: Sequence[Order]) -> None:
        self._baskets = Baskets("orders")
        for number, order in enumerate(orders):
            self._baskets.put(number, order.items, order.time)

    def partners(self, items: list[int], size: int) -> list[int]:
        return [pick.item for pick in self._baskets.related(items)[:size]]
