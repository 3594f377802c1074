"""When the shop may be asked again: so many times a second, and not at all while it needs a rest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Pace:
    """Gives turns, one after the other, to however many fetch at once.

    Args:
        rate: turns a second.
        clock: seconds, monotonic.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        rate: float,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.interval = 1 / rate
        self._clock = clock
        self._sleep = sleep
        self._next = clock()
        self._queue = asyncio.Lock()

    def slow_down(self, interval: float) -> None:
        """At least so many seconds lie between two turns (robots.txt's Crawl-delay)."""
        self.interval = max(self.interval, interval)

    async def turn(self) -> None:
        """Returns when the shop may be asked once."""
        async with self._queue:
            # Looked at again after each sleep: meanwhile the shop may have asked for a rest.
            while (wait := self._next - self._clock()) > 0:
                await self._sleep(wait)
            self._next = self._clock() + self.interval

    def rest(self, seconds: float) -> None:
        """Nobody gets a turn for so long."""
        self._next = max(self._next, self._clock() + seconds)
