"""Connections to a socket on which several workers listen: whoever holds fewest takes the next.

Loops that listen on one socket share badly: of those who come at the same time (a proxy in front that opens
its connections) one worker takes nearly all, of those who come one by one the same worker is always the first
to hear, and connections stay where they are for as long as they live. A socket for each worker would share by
chance, but what waits in the queue of one that died or hangs would wait with it. So each worker writes down
how many it holds, in memory that all of them see, and lets those with fewer go first; if none of them comes,
it takes the next itself.
"""

from __future__ import annotations

import asyncio
import errno
import mmap
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

YIELD_SECONDS = 0.002
"""For a worker with fewer connections to take the next: several turns of a busy loop."""

SLACK = 4
"""So many connections more than the worker with fewest holds, and a quarter more, keep nobody from taking the
next: those that come and go at once would wait, and gain nothing."""

RETRY_SECONDS = 0.5
"""Until somebody may have gone, where this process or machine can't hold another connection."""

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

PLACE_BYTES = 8
"""Of a number that every processor writes in one go: nobody reads half of it."""

_NOBODY = 2**62
"""Stands where no worker is: nobody lets it go first."""


class Shares:
    """How many connections each worker holds.

    Args:
        descriptor: of a file, one for all workers, of ``PLACE_BYTES`` for each.
    """

    def __init__(self, descriptor: int) -> None:
        self._held = memoryview(mmap.mmap(descriptor, 0)).cast("q")

    def clear(self) -> None:
        """Nobody is there yet."""
        for place in range(len(self._held)):
            self.leave(place)

    def hold(self, place: int, connections: int) -> None:
        """A worker says how many it holds."""
        self._held[place] = connections

    def leave(self, place: int) -> None:
        """A worker takes no more, or is gone."""
        self._held[place] = _NOBODY

    def fewest(self) -> int:
        """How many the worker holds that holds fewest."""
        return min(self._held)


class Stoppable(Protocol):
    """A connection, as uvicorn ends it."""

    def shutdown(self) -> None:
        """Finishes what has begun, and begins nothing new."""


class Accepting:
    """Takes a worker's share of the connections; what uvicorn sees as a server.

    Args:
        listener: shared with the other workers.
        make: makes a connection's protocol, which is ``Stoppable``.
        shares: theirs and ours.
        place: ours among them.
        count: of the connections that are open here.
    """

    def __init__(
        self,
        listener: socket.socket,
        make: Callable[[], asyncio.Protocol],
        shares: Shares,
        place: int,
        count: Callable[[], int],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._make = make
        self._shares = shares
        self._place = place
        self._count = count
        self._opening: set[asyncio.Task[None]] = set()
        self._closed = False
        self._waiting: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._loop.add_reader(listener, self._heard)
        self.tell()

    def close(self) -> None:
        """Takes no more; what waits in the socket's queue is for the other workers."""
        self._closed = True
        self._shares.leave(self._place)
        if self._waiting is not None:
            self._waiting.cancel()
        else:
            self._loop.remove_reader(self._listener)

    async def wait_closed(self) -> None:
        """Waits until those who had just come are connections as the others."""
        await asyncio.gather(*self._opening, return_exceptions=True)

    def tell(self) -> int:
        """Lets the others know how many are open here."""
        held = self._count() + len(self._opening)
        if not self._closed:
            self._shares.hold(self._place, held)
        return held

    def _heard(self) -> None:
        """Somebody has come, and all workers hear of it."""
        fewest = self._shares.fewest()
        if self.tell() > fewest + SLACK + fewest // SLACK:
            self._wait(YIELD_SECONDS)
        else:
            self._take()

    def _take(self) -> None:
        """Takes one, unless another worker was first, or whoever came has gone."""
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            if error.errno in EXHAUSTED:
                self._wait(RETRY_SECONDS)
            return
        task = self._loop.create_task(self._open(connection))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        self.tell()

    def _wait(self, seconds: float) -> None:
        """Lets others go first."""
        self._loop.remove_reader(self._listener)
        self._waiting = self._loop.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._waiting = None
        self._loop.add_reader(self._listener, self._heard)
        self._take()

    async def _open(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        _, protocol = await self._loop.connect_accepted_socket(self._make, connection)
        if self._closed:  # meanwhile; who was there before has been told
            cast("Stoppable", protocol).shutdown()
