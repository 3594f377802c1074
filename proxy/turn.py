"""Writes that wait for the end of the loop's turn, to go out one after the other.

In one turn the loop tells of several requests and answers. A peer that is written to at once wakes at once,
and often takes our core; and between two of our own steps lies the kernel's whole way to the peer. So what
is written in a turn is written at its end.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

MOST = 32
"""Writes that wait at a time: of a turn with hundreds of events, the first must not wait for the last."""

_turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Turn] = weakref.WeakKeyDictionary()


class Turn:
    """The turns of one loop.

    Args:
        loop: whose.
    """

    __slots__ = ("__weakref__", "_acts", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._acts: list[Callable[[], None]] = []

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Turn:
        """The one of this loop."""
        turn = _turns.get(loop)
        if turn is None:
            turn = _turns[loop] = cls(loop)
        return turn

    def at_end(self, act: Callable[[], None]) -> None:
        """Does something when the loop has told of all that is new in this turn, or of enough of it."""
        if not self._acts:
            loop = self._loop()
            assert loop is not None, "whoever writes runs on it"
            loop.call_soon(self._end)
        self._acts.append(act)
        if len(self._acts) >= MOST:
            self._end()

    def _end(self) -> None:
        acts, self._acts = self._acts, []
        for act in acts:
            try:
                act()
            except Exception as error:  # noqa: BLE001  one connection's trouble isn't the others'
                loop = self._loop()
                assert loop is not None
                loop.call_exception_handler({"message": "a write at the end of a turn", "exception": error})
