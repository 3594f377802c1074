"""What waits for the end of the loop's turn: writes, to go out one after the other, and requests too many.

In one turn the loop tells of several requests and answers. A peer that is written to at once wakes at once,
and often takes our core; and between two of our own steps lies the kernel's whole way to the peer. So what
is written in a turn is written at its end.

Of a thousand requests that come at once, the last would be asked before the first is answered, and all that
each of them holds would have left the processor's cache when its answer comes. So a turn begins only so many:
answers that have come meanwhile go first.
"""

from __future__ import annotations

import weakref
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

MOST = 32
"""Writes that wait at a time: of a turn with hundreds of events, the first must not wait for the last."""

BEGINNINGS = 32
"""Requests that begin in a turn: more than come at once from a few hundred visitors, and far fewer than would
push each other out of the cache."""

_turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Turn] = weakref.WeakKeyDictionary()


class Turn:
    """The turns of one loop.

    Args:
        loop: whose.
    """

    __slots__ = ("__weakref__", "_acts", "_begun", "_later", "_loop", "_scheduled")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._acts: list[Callable[[], None]] = []
        self._begun = 0
        self._later: deque[Callable[[], None]] = deque()
        self._scheduled = False

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Turn:
        """The one of this loop."""
        turn = _turns.get(loop)
        if turn is None:
            turn = _turns[loop] = cls(loop)
        return turn

    def at_end(self, act: Callable[[], None]) -> None:
        """Does something when the loop has told of all that is new in this turn, or of enough of it."""
        if not self._scheduled:
            self._schedule()
        self._acts.append(act)
        if len(self._acts) >= MOST:
            self._do()

    def begins(self, act: Callable[[], None]) -> bool:
        """Whether something new may begin now; where not, ``act`` is called when it may, in order."""
        if self._begun < BEGINNINGS and not self._later:
            self._begun += 1
            return True
        self._later.append(act)
        if not self._scheduled:
            self._schedule()
        return False

    def _schedule(self) -> None:
        self._scheduled = True
        loop = self._loop()
        assert loop is not None, "whoever asks runs on it"
        loop.call_soon(self._end)

    def _end(self) -> None:
        self._scheduled = False
        if self._acts:
            self._do()
        later = self._later
        self._begun = min(BEGINNINGS, len(later))
        for _ in range(self._begun):
            self._guarded(later.popleft())
        if later and not self._scheduled:
            self._schedule()

    def _do(self) -> None:
        acts, self._acts = self._acts, []
        for act in acts:
            self._guarded(act)

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001  one connection's trouble isn't the others'
            loop = self._loop()
            assert loop is not None
            loop.call_exception_handler({"message": "an act at the end of a turn", "exception": error})
