"""What is wanted now: views, carts and orders, weighted, fading with time.

A weight w given at time t counts w·2^((t-now)/half-life) at now. All scores share the factor that
depends on now, so each is stored relative to a fixed epoch and never has to be touched to fade; when
the exponent grows too large for a float, all are rescaled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from proxy.engine.recommender.picks import Pick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

HALF_LIFE: Final = 7 * 86_400.0
"""Seconds after which an event counts half: a week spans every weekday's habits once."""
RESCALE_AT: Final = 200.0
"""Half-lives after which scores move to a new epoch, well before 2^1023 overflows a float."""
TOP: Final = 200
"""Items of a ranking: enough for every list of a page after filtering."""
STALE_SHARE: Final = 100
"""A ranking of n items is kept for n/100 events: always fresh in a small shop, cheap in a large one."""


class _Ranking(NamedTuple):
    version: int
    fresh_until: int
    items: NDArray[np.int64]
    ranking: list[tuple[int, float]]


class Popularity:
    """Decayed scores by item number, and rankings made from them."""

    def __init__(self) -> None:
        self._epoch: float | None = None
        self._scores: NDArray[np.float64] = np.zeros(1_024)
        self._added = 0
        self._rankings: dict[str, _Ranking] = {}

    def add(self, item: int, weight: float, time: float) -> None:
        """Count something that happened to an item at a time (Unix seconds)."""
        if self._epoch is None:
            self._epoch = time
        age = (time - self._epoch) / HALF_LIFE
        if age > RESCALE_AT:
            self._scores *= 2.0 ** max(-age, -1_000.0)
            self._epoch, age = time, 0.0
        self._grow(item)
        self._scores[item] += weight * 2.0**age
        self._added += 1

    def add_many(
        self, items: NDArray[np.int64], weights: NDArray[np.float64], times: NDArray[np.float64]
    ) -> None:
        """Count many things at once, at a start."""
        if not len(items):
            return
        self._epoch = float(times.max())
        self._grow(int(items.max()))
        ages = np.maximum((times - self._epoch) / HALF_LIFE, -1_000.0)
        counted = np.bincount(items, weights * np.exp2(ages), minlength=len(self._scores))
        self._scores += counted[: len(self._scores)]

    def top(self, key: str, version: int, members: Callable[[], NDArray[np.int64]]) -> Iterator[Pick]:
        """The most wanted of some items; of those nobody wanted yet, the newest.

        Args:
            key: names the set of items.
            version: changes whenever the set does.
            members: gives the set.
        """
        known = self._rankings.get(key)
        current = known is not None and known.version == version
        if known is not None and current and self._added <= known.fresh_until:
            return _picks(known.ranking)
        items = known.items if known is not None and current else members()
        fresh_until = self._added + len(items) // STALE_SHARE
        if len(items):
            self._grow(int(items.max()))
        best, scores = items, self._scores[items]
        if len(items) > TOP:
            at = np.argpartition(-scores, TOP)[:TOP] if scores.any() else np.arange(len(items))[-TOP:]
            best, scores = items[at], scores[at]
        order = np.lexsort((-best, -scores))
        ranking = list(zip(best[order].tolist(), scores[order].tolist(), strict=True))
        self._rankings[key] = _Ranking(version, fresh_until, items, ranking)
        return _picks(ranking)

    def _grow(self, item: int) -> None:
        if item >= len(self._scores):
            self._scores = np.concatenate([self._scores, np.zeros(max(len(self._scores), item + 1))])


def _picks(ranking: list[tuple[int, float]]) -> Iterator[Pick]:
    return (Pick(item, score, "popular", float(score > 0)) for item, score in ranking)
