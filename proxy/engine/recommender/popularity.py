"""What is wanted now: views, carts and orders, weighted, fading with time.

A weight w given at time t counts w·2^((t-now)/half-life) at now. All scores share the factor that
depends on now, so each is stored relative to a fixed epoch and never has to be touched to fade; when
the exponent grows too large for a float, all are rescaled.
"""

from __future__ import annotations

from typing import Final

HALF_LIFE: Final = 7 * 86_400.0
"""Seconds after which an event counts half: a week spans every weekday's habits once."""
RESCALE_AT: Final = 200.0
"""Half-lives after which scores move to a new epoch, well before 2^1023 overflows a float."""


class Popularity:
    """Decayed scores by item number.

    Args:
        half_life: seconds after which a weight counts half.
    """

    def __init__(self, half_life: float = HALF_LIFE) -> None:
        self._half_life = half_life
        self._epoch: float | None = None
        self.scores: dict[int, float] = {}
        """Comparable with each other at any one time."""

    def add(self, item: int, weight: float, time: float) -> None:
        """Count something that happened to an item at a time (Unix seconds)."""
        if self._epoch is None:
            self._epoch = time
        age = (time - self._epoch) / self._half_life
        if age > RESCALE_AT:
            self._rescale(time)
            age = 0.0
        self.scores[item] = self.scores.get(item, 0.0) + weight * 2.0**age

    def _rescale(self, time: float) -> None:
        assert self._epoch is not None
        factor = 2.0 ** ((self._epoch - time) / self._half_life)
        self._epoch = time
        self.scores = {item: score * factor for item, score in self.scores.items() if score * factor > 0.0}
