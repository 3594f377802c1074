"""What became of chunks that came before: pages repeat, and what equal bytes give is equal.

A page is a path: from its beginning, each chunk leads to a place; what left on the way is remembered there.
The next page whose bytes come in the same chunks walks the same path without being read. Where it turns
off, its chunks so far are read after all (they are kept until then), and it goes on as a page of its own.

The key of a step is the place and the chunk's whole bytes, so that no result can be served for other bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.locate.page import Piece
    from proxy.models import RawFacts

MEMORY = 16 * 1024 * 1024
"""Bytes of remembered chunks and results: some 300 pages of 25 KB."""

MAX_PATH = 128 * 1024
"""Bytes of one page that are walked from memory: turning off later would cost reading them all at once."""

_OVERHEAD = 512
"""Bytes of a step beside its chunk and its pieces, about."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a chunk led.

    Attributes:
        place: names it.
        pieces: what left on the way.
        facts: all that the page had said until there.
        held: bytes held back there.
        bailed: as of a splicer.
    """

    place: int
    pieces: tuple[Piece, ...]
    facts: RawFacts
    held: int
    bailed: str | None


class Memory:
    """Remembers steps, the least recently used forgotten first.

    Args:
        limit: bytes; 0 remembers nothing.
    """

    def __init__(self, limit: int = MEMORY) -> None:
        self.limit = limit
        self.size = 0
        self._steps: OrderedDict[tuple[int, bytes], tuple[Step, int]] = OrderedDict()
        self._places = count()

    def place(self) -> int:
        """A new place, which nothing leads from yet."""
        return next(self._places)

    def step(self, place: int, chunk: bytes) -> Step | None:
        """Where a chunk leads from there, if a page came that way before. b"" is the page's end."""
        key = (place, chunk)
        found = self._steps.get(key)
        if found is None:
            return None
        self._steps.move_to_end(key)
        return found[0]

    def keep(self, place: int, chunk: bytes, step: Step, *, facts: int) -> None:
        """Remember a step.

        Args:
            place: where it began.
            chunk: what led on, or b"" for the page's end.
            step: where to.
            facts: bytes of facts that earlier steps don't hold.
        """
        size = _OVERHEAD + len(chunk) + facts
        size += sum(
            len(piece) if isinstance(piece, bytes) else len(piece.original) + len(piece.fallback or b"")
            for piece in step.pieces
        )
        self._steps[place, chunk] = step, size
        self.size += size
        while self.size > self.limit:
            self.size -= self._steps.popitem(last=False)[1][1]
