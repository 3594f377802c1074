"""A connection that has left HTTP: websockets and other upgrades (RFC 9110, 7.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from proxy.errors import ConnectionLost

if TYPE_CHECKING:
    import asyncio

    from proxy.http1.peer import Peer


class Wire(Protocol):
    """What a tunnel needs of its connection."""

    def resume(self) -> None:
        """Read from the socket again."""
        ...

    def pause(self) -> None:
        """Read no more for now."""
        ...

    def write(self, data: bytes) -> None:
        """Sends, or keeps until the socket takes it."""
        ...

    async def drain(self) -> None:
        """Waits until the socket has taken enough."""
        ...

    def shut_down(self, *, both: bool) -> None:
        """Ends our direction, or both after what is written has gone out."""
        ...


class Tunnel:
    """Bytes both ways until either side ends. One reader, one writer; no idle timeout.

    Whoever opened it must call :meth:`close`. A silent tunnel is legitimate (a websocket may be quiet
    for hours), so how long one may live is its owner's decision.
    """

    __slots__ = (
        "_chunks",
        "_closed",
        "_eof",
        "_error",
        "_high_water",
        "_loop",
        "_peer",
        "_size",
        "_waiter",
        "_wire",
        "_write_closed",
    )

    def __init__(self, wire: Wire, peer: Peer, loop: asyncio.AbstractEventLoop, high_water: int) -> None:
        self._wire = wire
        self._peer = peer
        self._loop = loop
        self._high_water = high_water
        self._chunks: list[bytes] = []
        self._size = 0
        self._eof = False
        self._closed = False
        self._write_closed = False
        self._error: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def read(self) -> bytes:
        """What has come, or will; ``b""`` when the peer has ended its direction.

        Raises:
            ConnectionLost: reset, or closed by ourselves.
        """
        if not self._chunks and not self._eof and self._error is None:
            waiter = self._waiter = self._loop.create_future()
            try:
                await waiter
            finally:
                self._waiter = None
        if self._chunks:
            data = b"".join(self._chunks)
            self._chunks.clear()
            self._size = 0
            self._wire.resume()
            return data
        if self._error is not None and not self._eof:
            raise self._error
        return b""

    async def write(self, data: bytes) -> None:
        """Sends; waits while the peer doesn't take what was sent before.

        Raises:
            ConnectionLost: the tunnel is closed, by either side.
        """
        if self._error is not None:
            raise self._error
        if self._write_closed:
            raise self._peer.failed(ConnectionLost, "our direction of the tunnel was closed")
        self._wire.write(data)
        await self._wire.drain()

    def close_write(self) -> None:
        """Ends our direction and keeps reading. TLS has no such half-close here: it closes both."""
        if not self._write_closed and self._error is None:
            self._write_closed = True
            self._wire.shut_down(both=self._eof)

    def close(self) -> None:
        """Ends both directions, after what was written has gone out. Idempotent."""
        if not self._closed:
            self._closed = True
            if self._error is None:
                self.lose("the tunnel was closed")
                self._wire.shut_down(both=True)

    # For the connection.

    def feed(self, data: bytes) -> None:
        """Bytes from the peer."""
        if self._error is None:
            self._chunks.append(data)
            self._size += len(data)
            if self._size > self._high_water:
                self._wire.pause()
            self._wake()

    def feed_eof(self) -> None:
        """The peer has ended its direction."""
        self._eof = True
        self._wake()

    def lose(self, what: str) -> None:
        """The connection is gone."""
        if self._error is None:
            self._error = self._peer.failed(ConnectionLost, what)
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
