"""Answers of DataCue that came before: read once, known again by all of their bytes.

Visitors who are alike get the same recommendations. What is remembered says nothing of who got them: it is
what the bytes mean, to whoever they are sent.
"""

from __future__ import annotations

from typing import NamedTuple

from proxy.models import Recommendations
from proxy.remember import CacheStats, Remembered
from proxy.widgets import decode_recommendations

ANSWER_BYTES = 4 * 2**20
"""Of answers, read: some 700 of three lists and four banners."""

ITEM_BYTES = 200
"""Of an item, as an object that points into the answer."""

LISTS = Recommendations.__struct_fields__

SIGHTS = 1024
"""Answers of which is known that they came once."""


class Answered(NamedTuple):
    """An answer of the vendor.

    Attributes:
        body: its bytes; where they came before, those that came then, so that the later ones take no place.
        recommendations: what they say; nobody changes it.
    """

    body: bytes
    recommendations: Recommendations


class Answers:
    """Reads answers.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int = ANSWER_BYTES) -> None:
        self._known: Remembered[bytes, Answered] = Remembered(limit, sights=SIGHTS)

    @property
    def stats(self) -> CacheStats:
        """How the memory does."""
        return self._known.stats

    def read(self, answer: bytes) -> Answered:
        """What an answer recommends.

        Raises:
            ValueError: see ``decode_recommendations``.
        """
        known = self._known.get(answer)
        if known is None:
            known = Answered(answer, decode_recommendations(answer))
            if self._known.wanted(answer):
                items = sum(len(getattr(known.recommendations, name) or ()) for name in LISTS)
                self._known.put(answer, known, len(answer) + ITEM_BYTES * items)
        return known
