"""A response whose body is still arriving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.errors import MalformedResponse

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from proxy.http1.head import ResponseHead
    from proxy.http1.message import Headers
    from proxy.http1.peer import Peer
    from proxy.http1.receiver import Inflow
    from proxy.http1.tunnel import Tunnel


class Response:
    """A response that a task awaits: head at once, body as it comes. One reader.

    Args:
        peer: whose it is, for errors.
        loop: the reader's.
        high_water: body bytes not yet taken, above which the socket isn't read.
        whole: the reader wants the body's end, not the head.
        on_informational: gets each 1xx response with its fields.

    Attributes:
        due: done when the head (or the end) is there, or won't be. Cancelled: nobody will read.
        status: 101 or 200 to 999. This and the rest are there once ``due`` is done well.
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
        "_on_informational",
        "_peer",
        "_waiter",
        "_whole",
        "content_length",
        "due",
        "headers",
        "reason",
        "status",
        "trailers",
        "tunnel",
    )

    status: int
    reason: bytes
    headers: Headers
    content_length: int | None

    def __init__(
        self,
        peer: Peer,
        loop: asyncio.AbstractEventLoop,
        high_water: int,
        *,
        whole: bool = False,
        on_informational: Callable[[int, Headers], None] | None = None,
    ) -> None:
        self.due: asyncio.Future[None] = loop.create_future()
        self.trailers: Headers = []
        self.tunnel: Tunnel | None = None
        self._whole = whole
        self._on_informational = on_informational
        self._buffered = 0
        self._chunks: list[bytes] = []
        self._ended = False
        self._error: BaseException | None = None
        self._inflow: Inflow | None = None
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

    def take_all(self) -> bytes:
        """What is there, for a reader that waited for the end."""
        return self._take() if self._chunks else b""

    # For the connection: see receiver.Receiver.

    def informed(self, head: ResponseHead) -> None:
        """A 1xx response."""
        if self._on_informational is not None:
            self._on_informational(head.status, [*head.headers])

    def begin(self, head: ResponseHead, chunks: list[bytes], inflow: Inflow) -> None:
        """The final head has come."""
        self.status = head.status
        self.reason = head.reason
        self.headers = [*head.headers]
        self.content_length = head.length
        self._chunks = chunks
        self._inflow = inflow
        if self.due.cancelled():  # nobody will read
            inflow.close()
        elif not self._whole:
            self.due.set_result(None)

    def arrived(self, size: int) -> None:
        """``size`` more bytes are in ``chunks``."""
        if self._whole:
            return
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
        if not self.due.done():
            self.due.set_result(None)
        self._wake()

    def switched(self, tunnel: Tunnel) -> None:
        """The connection is a tunnel; a 101 has no body."""
        self.tunnel = tunnel
        self.end([], keep_inflow=False)

    def fail(self, error: BaseException, *, discard: bool) -> None:
        """There is no complete end: the reader gets the error after what has arrived, or at once."""
        if not self.due.done():
            self.due.set_exception(error)
            return
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
