"""Places in a page where something else may stand, in page order, and which of them are certain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.models import Slot

LOOK_AHEAD = 64 * 1024
"""Bytes held back while the end of what would be replaced is looked for. A placeholder holds a few banners
or products of the shop's own at most: some 2 KiB each."""

OPEN = -1
"""The end of a mark that is still looked for."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A place that may be filled.

    Attributes:
        slot: what for; None where bytes are to be left out (a vendor script).
        original: the very bytes that stand there. b"" for an insertion.
        fallback: what to send if it isn't filled, where that isn't the original: an include's own bytes
            are nothing for a browser.
    """

    slot: Slot | None
    original: bytes
    fallback: bytes | None = None

    @property
    def unfilled(self) -> bytes:
        """What to send if it isn't filled."""
        return self.original if self.fallback is None else self.fallback


class Mark:
    """A range of the page, in bytes from its start; ``end`` is OPEN as long as it is held."""

    __slots__ = ("claims", "end", "fallback", "insert", "slot", "start")

    def __init__(
        self, slot: Slot | None, start: int, end: int, *, insert: bool = False, claims: int = 0
    ) -> None:
        self.slot = slot
        self.start = start
        self.end = end
        self.fallback: bytes | None = None
        self.insert = insert
        self.claims = claims


class Marks:
    """All marks that have not left yet.

    What begins inside of a mark that is still held waits with it: if the mark's end is found, its content
    goes as a whole; if not, they stand for themselves.
    """

    def __init__(self) -> None:
        self.all: list[Mark] = []
        self.held: list[Mark] = []
        self._claimed: list[int] = []

    @property
    def claimed(self) -> int:
        """How many rules have found their element, for now."""
        return len(self._claimed)

    def is_free(self, rule: int) -> bool:
        """Whether a rule may still fire: each does so once a page."""
        return rule not in self._claimed

    def claim(self, rule: int) -> None:
        """Take a rule for the element at hand."""
        self._claimed.append(rule)

    def add(self, slot: Slot | None, start: int, end: int, fallback: bytes | None = None) -> None:
        """A place that is certain, unless something around it turns out to go as a whole."""
        mark = Mark(slot, start, end)
        mark.fallback = fallback
        self.all.append(mark)

    def hold(self, slot: Slot | None, start: int, *, insert: bool) -> Mark:
        """A range whose end is still to be found.

        Args:
            slot: what for.
            start: where it begins.
            insert: what to do if it isn't found: insert at the start, or nothing.
        """
        mark = Mark(slot, start, OPEN, insert=insert, claims=len(self._claimed))
        self.all.append(mark)
        self.held.append(mark)
        return mark

    def settle(self, mark: Mark, end: int) -> None:
        """The end is found: what was marked inside goes, and its rules are free again."""
        if mark.end != OPEN:
            return
        del self.all[self.all.index(mark) + 1 :]
        at = self.held.index(mark)
        for inner in self.held[at:]:
            inner.end = inner.start
        del self.held[at:]
        del self._claimed[mark.claims :]
        mark.end = end

    def give_up(self, mark: Mark) -> None:
        """The end will not be found."""
        if mark.end != OPEN:
            return
        self.held.remove(mark)
        mark.end = mark.start
        if not mark.insert:
            self.all.remove(mark)

    def expire(self, reached: int) -> None:
        """Give up what would have to be held beyond LOOK_AHEAD for anything that ends at ``reached``."""
        while self.held and reached - self.held[0].start > LOOK_AHEAD:
            self.give_up(self.held[0])
