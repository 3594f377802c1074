"""One timer for all the waits of a connection."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


def _nothing() -> None:
    """What happens after the end."""


class Deadline:
    """Calls back when a moment has passed that moves all the time.

    A timer for every request would cost more than the request's parsing. So setting a later moment, or none,
    changes a number only, and the one timer looks at that number when it fires.

    Args:
        loop: whose clock and timer it is.
        expired: called at most once for each time that ``set`` was called.
    """

    __slots__ = ("_at", "_expired", "_loop", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, expired: Callable[[], None]) -> None:
        self._loop = loop
        self._expired = expired
        self._at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """Expire that many seconds from now, whatever was set before."""
        self._at = at = self._loop.time() + seconds
        timer = self._timer
        if timer is None:
            self._timer = self._loop.call_at(at, self._fired)
        elif timer.when() > at:
            timer.cancel()
            self._timer = self._loop.call_at(at, self._fired)

    def clear(self) -> None:
        """Expire never."""
        self._at = math.inf

    def close(self) -> None:
        """Let go of the timer, and with it of the connection."""
        self._at = math.inf
        self._expired = _nothing
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fired(self) -> None:
        self._timer = None
        if self._at == math.inf:
            return
        if self._loop.time() < self._at:
            self._timer = self._loop.call_at(self._at, self._fired)
            return
        self._at = math.inf
        self._expired()
