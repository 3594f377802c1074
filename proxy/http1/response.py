"""A response whose body is still arriving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from proxy.errors import MalformedResponse

if TYPE_CHECKING:
    import asyncio

    from proxy.http1.head import ResponseHead
    from proxy.http1.message import Headers
    from proxy.http1.peer import Peer
    from proxy.http1.tunnel import Tunnel


class Inflow(Protocol):
    """What a response needs of its connection."""

    def pause(self) -> None:
        """The reader has enough: read no more from the socket."""
        ...

    def resume(self) -> None:
        """The reader has taken what there was: read from the socket again."""
        ...

    def close(self) -> None:
        """The response is of no interest any more."""
        ...

    async def upload_stopped(self) -> None:
        """Waits until nobody pulls from the request's body any more."""
        ...


class Response:
    """A response: head at once, body as it comes. One reader.

    Attributes:
        status: 101 or 200 to 999.
        reason: the reason phrase as received.
        headers: lower-case names, order and repeats kept; hop-by-hop fields as received.
        content_length: what the response claims, also where it has no body (HEAD, 304); None without.
        trailers: trailer fields, complete after the body's end.
        tunnel: after 101, the connection itself.
    """

    __slots__ = (
        "_buffered",
        "_chunks",
        "_ended",
        "_error",
        "_high_water",
        "_inflow",
        "_loop",
        "_peer",
        "_waiter",
        "content_length",
        "headers",
        "reason",
        "status",
        "trailers",
        "tunnel",
    )

    def __init__(
        self,
        head: ResponseHead,
        chunks: list[bytes],
        inflow: Inflow,
        peer: Peer,
        loop: asyncio.AbstractEventLoop,
        high_water: int,
    ) -> None:
        self.status = head.status
        self.reason = head.reason
        self.headers = head.headers
        self.content_length = head.length
        self.trailers: Headers = []
        self.tunnel: Tunnel | None = None
        self._buffered = 0
        self._chunks = chunks
        self._ended = False
        self._error: BaseException | None = None
        self._inflow: Inflow | None = inflow
        self._waiter: asyncio.Future[None] | None = None
        self._peer = peer
        self._loop = loop
        self._high_water = high_water

    # For the reader.

    @property
    def ended(self) -> bool:
        """Whether the body is complete and has all been read: the next ``read`` gives ``b""`` at once.

        Not while an upload has yet to be stopped: that ``read`` waits for it.
        """
        return self._ended and not self._chunks and self._inflow is None

    async def read(self) -> bytes:
        """All body bytes that are there, or as soon as some are; ``b""`` at the complete end.

        Raises:
            ConnectionLost: the connection ended before the body did.
            MalformedResponse: what came breaks the framing.
            ResponseTimeout: no byte came for ``Timeouts.idle`` seconds.
        """
        if not self._chunks and not self._ended and self._error is None:
            waiter = self._waiter = self._loop.create_future()
            try:
                await waiter
            finally:
                self._waiter = None
        if self._chunks:
            return self._take()
        inflow = self._inflow
        if inflow is not None:
            await inflow.upload_stopped()
            self._inflow = None
        if self._error is not None:
            raise self._error
        return b""

    async def read_all(self, limit: int) -> bytes:
        """The whole body.

        Args:
            limit: in bytes; a larger body is an error and closes the connection.

        Raises:
            MalformedResponse: larger than ``limit``, or as :meth:`read`, whose other errors it raises.
        """
        parts: list[bytes] = []
        size = 0
        if self.content_length is not None and self.content_length > limit and not self._ended:
            size = self.content_length
        while size <= limit:
            part = await self.read()
            if not part:
                return parts[0] if len(parts) == 1 else b"".join(parts)
            parts.append(part)
            size += len(part)
        self.abandon()
        raise self._peer.failed(MalformedResponse, f"a body of more than {limit} bytes")

    def abandon(self) -> None:
        """Gives up the rest; closes the connection unless the body has already arrived whole."""
        if self.tunnel is not None:
            self.tunnel.close()
        elif not self._ended and self._inflow is not None:
            self._inflow.close()

    # For the connection.

    def take_all(self) -> bytes:
        """What is there, for a reader that waited for the end."""
        return self._take() if self._chunks else b""

    def arrived(self, size: int) -> None:
        """``size`` more bytes are in ``chunks``."""
        self._buffered += size
        if self._buffered > self._high_water and self._inflow is not None:
            self._inflow.pause()
        if size:
            self._wake()

    def end(self, trailers: Headers, *, keep_inflow: bool) -> None:
        """The body has arrived whole; ``keep_inflow`` if an upload has yet to be stopped."""
        self.trailers = trailers
        self._ended = True
        if not keep_inflow:
            self._inflow = None
        self._wake()

    def fail(self, error: BaseException, *, discard: bool) -> None:
        """There is no complete end.

        Args:
            error: what the reader gets after what has arrived.
            discard: the reader gets it at once. Bytes after the body's end must stop the message
                before its last byte was passed on, or it would look complete.
        """
        self._error = error
        if discard:
            self._chunks.clear()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _take(self) -> bytes:
        chunks = self._chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self._buffered = 0
        if self._inflow is not None:
            self._inflow.resume()
        return data
