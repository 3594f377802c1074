"""What visitors look at next: session kNN, blended with item-to-item transitions.

The sessions that share the latest views with a visitor's own are its neighbours; what they hold near the
shared item is what comes next. Weights follow STAN (Garg et al., SIGIR 2019): late views, recent
neighbours and close positions count more; candidates come from recency-capped inverted lists as in
VMIS-kNN (Kersbergen et al., SIGMOD 2022), so an answer's cost doesn't grow with the traffic. One view
costs one append to each of two lists.
"""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Final

from proxy.engine.recommender.picks import Pick, blended, ranked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SESSION_GAP: Final = 1_800.0
"""Seconds of silence that end a session: the customary half hour."""
SESSION_LENGTH: Final = 64
"""Views of a session that are kept: longer ones are robots or price comparers."""
RECENT_SESSIONS: Final = 400
"""Latest sessions of an item that are searched; quality is level from 100 up on bol.com's sessions."""
NEIGHBOURS: Final = 250
"""Neighbour sessions whose items are counted."""
QUERY_LENGTH: Final = 10
"""Latest views that look for neighbours: the weight of the tenth is under two percent."""
OPEN_SESSIONS: Final = 100_000
"""Open sessions after which the silent ones are closed."""
DAY: Final = 86_400.0

POSITION_SCALE: Final = 2.5
"""Views after which a view's weight falls to 1/e."""
HISTORY_SCALE: Final = 3 * DAY
"""Seconds after which a view's weight falls to 1/e: yesterday's interest still counts."""
NEIGHBOUR_SCALE: Final = 30 * DAY
"""Seconds after which a neighbour session's weight falls to 1/e."""
DISTANCE_SCALE: Final = 0.8
"""Positions from the shared item after which a neighbour's item falls to 1/e."""
TRANSITIONS: Final = 0.12
"""Share of the transitions in the blend."""
TRANSITION_REACH: Final = 8
"""Views after an item that count as its transitions, each by the inverse of its distance."""
REVISITS: Final = 0.2
"""What a visitor's own earlier views add, relative to the best candidate: a third of all views go back."""
LIMIT: Final = 60
"""Picks returned: enough for every list of a page after filtering."""


class Sessions:
    """Every session and which items it holds, growing view by view."""

    def __init__(self) -> None:
        self._views: list[array[int]] = []
        self._ends: array[float] = array("d")
        self._holding: dict[int, array[int]] = {}
        self._counts: dict[int, int] = {}
        self._open: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._views)

    def view(self, visitor: int, item: int, time: float) -> None:
        """A visitor looked at an item (Unix seconds)."""
        number = self._open.get(visitor)
        if number is None or abs(time - self._ends[number]) > SESSION_GAP:
            number = self._begin(visitor, time)
        views = self._views[number]
        self._ends[number] = max(time, self._ends[number])
        if (views and views[-1] == item) or len(views) >= SESSION_LENGTH:
            return  # a reload says nothing new
        if item not in views:
            self._hold(item, number)
        views.append(item)

    def add(self, items: Sequence[int], end: float, visitor: int | None = None) -> None:
        """A whole session at once, in order of its views; open to more if its visitor is given."""
        number = len(self._views)
        self._views.append(array("i", items[-SESSION_LENGTH:]))
        self._ends.append(end)
        for item in dict.fromkeys(items[-SESSION_LENGTH:]):
            self._hold(item, number)
        if visitor is not None:
            self._open[visitor] = number

    def claim(self, anonymous: int, visitor: int) -> None:
        """The open session of a visitor is another's: someone logged in."""
        number = self._open.pop(anonymous, None)
        if number is not None:
            self._open[visitor] = number

    def support(self, item: int) -> int:
        """Sessions in which an item was looked at."""
        return self._counts.get(item, 0)

    def related(self, views: Sequence[tuple[int, float]], now: float) -> list[Pick]:
        """What comes next for a visitor.

        Args:
            views: the visitor's views, the last first: item and Unix seconds.
            now: Unix seconds.
        """
        query = list(_distinct(views))[:QUERY_LENGTH]
        if not query:
            return []
        near, support = self._near(query, now)
        after = self._after(query[0][0])
        best = max(near.values(), default=0.0)
        for place, (item, _time) in enumerate(query[1:]):
            near[item] = near.get(item, 0.0) + REVISITS * best * math.exp(-place)
        scores = blended(((1.0 - TRANSITIONS, near), (TRANSITIONS, after)))
        return ranked(scores, support, "sessions", LIMIT)

    def viewed_together(self, item: int) -> tuple[dict[int, float], dict[int, float]]:
        """Items looked at near an item: weights, damped by how often each is looked at, and sessions."""
        weights: dict[int, float] = {}
        support: dict[int, float] = {}
        for number in self._holding.get(item, ())[-RECENT_SESSIONS:]:
            views = self._views[number]
            shared = views.index(item)
            for other in set(views):
                if other != item:
                    distance = abs(views.index(other) - shared)
                    weights[other] = weights.get(other, 0.0) + 1.0 / distance
                    support[other] = support.get(other, 0.0) + 1.0
        for other in weights:
            weights[other] /= math.sqrt(self._counts[other])
        return weights, support

    def _near(self, query: list[tuple[int, float]], now: float) -> tuple[dict[int, float], dict[int, float]]:
        similar: dict[int, float] = {}
        shared: dict[int, int] = {}
        newest = query[0][1]
        sessions = len(self._views)
        for place, (item, time) in enumerate(query):
            holding = self._holding.get(item)
            if holding is None:
                continue
            rarity = math.sqrt(math.log(1.0 + sessions / self._counts[item]))
            weight = rarity * math.exp(-place / POSITION_SCALE - (newest - time) / HISTORY_SCALE)
            for number in holding[-RECENT_SESSIONS:]:
                if number in similar:
                    similar[number] += weight
                else:
                    similar[number] = weight
                    shared[number] = item
        ends = self._ends
        for number in similar:
            similar[number] *= math.exp(min(0.0, ends[number] - now) / NEIGHBOUR_SCALE)
        neighbours = sorted(similar, reverse=True)  # of equals the latest
        neighbours.sort(key=similar.__getitem__, reverse=True)
        del neighbours[NEIGHBOURS:]
        scores: dict[int, float] = {}
        support: dict[int, float] = {}
        for number in neighbours:
            views = self._views[number]
            weight, place = similar[number], views.index(shared[number])
            for position, item in enumerate(views):
                scores[item] = scores.get(item, 0.0) + weight * _CLOSENESS[abs(position - place)]
                support[item] = support.get(item, 0.0) + 1.0
        for item in scores:
            scores[item] *= math.log(1.0 + sessions / self._counts[item])
        return scores, support

    def _after(self, item: int) -> dict[int, float]:
        scores: dict[int, float] = {}
        for number in self._holding.get(item, ())[-RECENT_SESSIONS:]:
            views = self._views[number]
            start = views.index(item) + 1
            for distance, other in enumerate(views[start : start + TRANSITION_REACH], start=1):
                if other != item:
                    scores[other] = scores.get(other, 0.0) + 1.0 / distance
        return scores

    def _begin(self, visitor: int, time: float) -> int:
        if len(self._open) >= OPEN_SESSIONS:
            self._open = {who: at for who, at in self._open.items() if time - self._ends[at] <= SESSION_GAP}
        number = self._open[visitor] = len(self._views)
        self._views.append(array("i"))
        self._ends.append(time)
        return number

    def _hold(self, item: int, number: int) -> None:
        holding = self._holding.get(item)
        if holding is None:
            holding = self._holding[item] = array("I")
        holding.append(number)
        self._counts[item] = self._counts.get(item, 0) + 1
        if len(holding) > 2 * RECENT_SESSIONS:
            del holding[:-RECENT_SESSIONS]


_CLOSENESS: Final = [math.exp(-distance / DISTANCE_SCALE) for distance in range(SESSION_LENGTH)]


def _distinct(views: Iterable[tuple[int, float]]) -> Iterable[tuple[int, float]]:
    seen: set[int] = set()
    for item, time in views:
        if item not in seen:
            seen.add(item)
            yield item, time
