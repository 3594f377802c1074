"""A response on its way to the client: its head, its content in the framing that the head says, its end."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from proxy.edge.answer import Answer, InvalidResponse, Template, answer, informational

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

    from proxy.edge.head import Head

    Message = MutableMapping[str, Any]
    App = Callable[
        [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
        Awaitable[None],
    ]


class Connection(Protocol):
    """What a reply asks of the connection that it runs on."""

    loop: asyncio.AbstractEventLoop
    peer: str
    """The client's address; empty where it has none (a unix socket)."""
    scheme: str
    """``http`` or ``https``."""

    def default_headers(self) -> Iterable[tuple[bytes, bytes]]:
        """Fields that every response gets."""

    def write(self, *data: bytes) -> None:
        """Hand bytes to the transport, in one go."""

    def write_paused(self) -> bool:
        """Whether the client reads slower than we write."""

    async def drain(self) -> None:
        """Wait until the transport wants more."""

    def hold_input(self) -> None:
        """Leave what comes to the kernel, and the client waiting."""

    def want_input(self) -> None:
        """Read on."""

    def answered(self, reply: Reply) -> None:
        """The response is whole."""

    def hand_over(self, head: Head, app: App | None = None) -> None:
        """Have an ASGI app answer a request without a body, from the start; None: the server's own."""

    def cut(self, *, reset: bool) -> None:
        """The response can't be made whole: end the connection so that the client sees that."""


class Reply:
    """One request's response; or, once it was answered with 101, a tunnel.

    This is what the connection holds; who answers is a subclass's business.

    Args:
        connection: carries it.
        head: the request's.
        expects_body: the request's content will come through ``feed``.
    """

    __slots__ = (
        "_connection",
        "_continue",
        "_framed",
        "_head",
        "_held",
        "complete",
        "disconnected",
        "input_ended",
        "keep_alive",
        "started",
        "tunnel",
    )

    def __init__(self, connection: Connection, head: Head, *, expects_body: bool) -> None:
        self.keep_alive = head.keep_alive
        self.started = False
        """There is a final status."""
        self.complete = False
        """All of the response was given."""
        self.disconnected = False
        """Nothing can be sent any more."""
        self.tunnel = False
        """It was answered with 101."""
        self.input_ended = not expects_body
        """The client has sent all of the request, or of the tunnel."""
        self._connection = connection
        self._head = head
        self._continue = head.expects_continue and expects_body
        self._framed: Answer | None = None
        self._held: bytes | None = None

    # What the connection tells

    def feed(self, data: list[bytes], *, ended: bool) -> None:
        """Content of the request, or bytes of the tunnel, came; ``ended``: and these were the last."""

    def writable(self) -> None:
        """The client has caught up."""

    def disconnect(self) -> None:
        """The connection is gone, or was answered by the edge itself."""
        self.disconnected = True
        self._held = None

    # What whoever answers gives

    def start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Build the head, and hold it: with the first content it makes one write, one packet.

        Raises:
            InvalidResponse: it can't be sent as it is.
        """
        if status < HTTPStatus.OK:
            raise InvalidResponse(f"{status} is not a final status")
        head = self._head
        framed = answer(
            status,
            headers,
            self._connection.default_headers(),
            to_head=head.method == "HEAD",
            http_version=head.http_version,
            # A client that still waits for "100 Continue" may now send its body or not: RFC 9110, 10.1.1.
            keep_alive=self.keep_alive and not self._continue and not head.upgrade,
        )
        self.start_as(framed)

    def template(self, date: bytes) -> Template | None:
        """What was started, for others that are alike but for their date; before any content."""
        return Template.of(self._framed, date) if self._framed is not None else None

    def start_as(self, framed: Answer) -> None:
        """Hold a head that is built already, as ``start`` does."""
        self._framed = framed
        self.started = True
        self.keep_alive = framed.keep_alive
        self._continue = False
        self._held = framed.head

    def flush(self) -> None:
        """Send the head now, without content."""
        held, self._held = self._held, None
        if held is not None:
            self._connection.write(held)

    def content(self, *body: bytes, more: bool) -> None:
        """Send content, in one piece or several, framed; with the last of it the response is whole.

        Raises:
            InvalidResponse: it is longer or shorter than the head said.
        """
        size = sum(map(len, body))
        data: list[bytes] = []
        if self._held is not None:
            data.append(self._held)
            self._held = None
        short = False
        framed = self._framed
        if framed is None or framed.framing == "close":  # a tunnel, or HTTP/1.0
            data += body
        elif framed.framing == "length":
            framed.length -= size
            if framed.length < 0:
                self._held = data[0] if data else None
                raise InvalidResponse("the body is longer than its content-length")
            data += body
            short = not more and framed.length > 0
        elif framed.framing == "chunked":
            if size:
                data += (b"%x\r\n" % size, *body, b"\r\n" if more else b"\r\n0\r\n\r\n")
            elif not more:
                data.append(b"0\r\n\r\n")
        self._connection.write(*data)
        if short:
            raise InvalidResponse("the body is shorter than its content-length")
        if not more:
            self.complete = True
            self._connection.answered(self)

    def inform(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Send a 1xx response.

        Raises:
            InvalidResponse: it is none, or can't be sent as it is.
        """
        if not 100 <= status < 200 or status == HTTPStatus.SWITCHING_PROTOCOLS:  # noqa: PLR2004 - 1xx
            raise InvalidResponse(f"{status} is not informational")
        if self._head.http_version == "1.0":
            return  # RFC 9110, 15.2: not to a client of HTTP/1.0
        head = informational(status, headers)
        if status == HTTPStatus.CONTINUE:
            self._continue = False
        self._connection.write(head)

    def switch(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Open the tunnel: from here on bytes are bytes, both ways.

        Raises:
            InvalidResponse: nobody asked for one, or it can't be sent as it is.
        """
        if not self._head.upgrade:
            raise InvalidResponse("101 without an upgrade request")
        head = informational(HTTPStatus.SWITCHING_PROTOCOLS, headers)
        self.started = self.tunnel = True
        self.keep_alive = False
        self.input_ended = False
        self._connection.write(head)

    def abandon(self, status: int = HTTPStatus.INTERNAL_SERVER_ERROR) -> None:
        """Answer with an error where nothing was promised yet; otherwise leave the response visibly cut."""
        if self.disconnected or self.complete:
            return
        if self.started:
            self.flush()
            reset = self.tunnel or self._framed is None or self._framed.framing == "close"
            self._connection.cut(reset=reset)
            return
        self.keep_alive = False
        text = f"{HTTPStatus(status).phrase}\n".encode("ascii")
        self.start(status, [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(text))])
        self.content(text, more=False)
