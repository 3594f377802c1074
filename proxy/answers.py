"""Answers of DataCue that came before: read once, known again by all of their bytes.

Visitors who are alike get the same recommendations. What is remembered says nothing of who got them: it is
what the bytes mean, to whoever they are sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.recent import Recent
from proxy.render.remember import CacheStats, Remembered
from proxy.widgets import decode_recommendations

if TYPE_CHECKING:
    from proxy.models import Recommendations

ANSWER_BYTES = 4 * 2**20
"""Of answers, read: some 700 of three lists and four banners."""

READ_FACTOR = 3
"""Bytes that an answer takes for each of its own: itself, and its items as objects that point into it."""

SIGHTS = 256
"""Answers of which is known that they came once, times four: a place each of 8 bytes."""


class Answers:
    """Reads answers.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int = ANSWER_BYTES) -> None:
        self._known: Remembered[Recommendations] = Remembered(limit)
        self._once: Recent[bytes, None] = Recent(SIGHTS)

    @property
    def stats(self) -> CacheStats:
        """How the memory does."""
        return self._known.stats

    def read(self, answer: bytes) -> Recommendations:
        """What an answer recommends; nobody changes it.

        Raises:
            ValueError: see ``decode_recommendations``.
        """
        key = (answer,)
        known = self._known.get(key)
        if known is not None:
            return known
        read = decode_recommendations(answer)
        if self._once.again(answer):  # most come once: they cost a hash
            self._known.put(key, read, len(answer) * READ_FACTOR)
        return read
