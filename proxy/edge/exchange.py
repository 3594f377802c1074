"""One request and its response: what the ASGI app is called with."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol

from proxy.edge.answer import Answer, InvalidResponse, answer, informational
from proxy.edge.limits import HIGH_WATER
from proxy.errors import ClientGone, ProxyError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

    from proxy.edge.head import Head

    Message = MutableMapping[str, Any]
    App = Callable[
        [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
        Awaitable[None],
    ]

_logger = logging.getLogger(__name__)

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Disconnected(ClientGone, OSError):
    """``send`` after the client went: a :class:`ClientGone`, and the ``OSError`` of ASGI 2.4."""


class Connection(Protocol):
    """What an exchange asks of the connection that it runs on."""

    loop: asyncio.AbstractEventLoop

    def default_headers(self) -> Iterable[tuple[bytes, bytes]]:
        """Fields that every response gets."""

    def write(self, *data: bytes) -> None:
        """Hand bytes to the transport, in one go."""

    async def drain(self) -> None:
        """Wait until the transport wants more."""

    def hold_input(self) -> None:
        """Leave what comes to the kernel, and the client waiting."""

    def want_input(self) -> None:
        """Read on."""

    def answered(self, exchange: Exchange) -> None:
        """The response is whole."""

    def cut(self, *, reset: bool) -> None:
        """The response can't be made whole: end the connection so that the client sees that."""


class Exchange:
    """An ASGI HTTP exchange; or, once it was answered with 101, a tunnel.

    Args:
        connection: carries it.
        head: the request's.
        scope: for the app.
        expects_body: content will come through ``feed``.
    """

    __slots__ = (
        "_body",
        "_body_size",
        "_connection",
        "_continue",
        "_ended_told",
        "_event",
        "_flush",
        "_head",
        "_held",
        "_on_disconnect",
        "_response",
        "complete",
        "disconnected",
        "input_ended",
        "keep_alive",
        "scope",
        "started",
        "tunnel",
    )

    def __init__(
        self, connection: Connection, head: Head, scope: dict[str, Any], *, expects_body: bool
    ) -> None:
        self.scope = scope
        self.keep_alive = head.keep_alive
        self.started = False
        """The app has given a final status."""
        self.complete = False
        """The app has given all of the response."""
        self.disconnected = False
        """Nothing can be sent any more."""
        self.tunnel = False
        """It was answered with 101."""
        self.input_ended = not expects_body
        """The client has sent all of the request, or of the tunnel."""
        self._connection = connection
        self._head = head
        self._body: list[bytes] = []
        self._body_size = 0
        self._ended_told = False
        self._continue = head.expects_continue and expects_body
        self._event: asyncio.Event | None = None
        self._response: Answer | None = None
        self._held: bytes | None = None
        self._flush: asyncio.Handle | None = None
        self._on_disconnect: Callable[[], None] | None = None
        scope["datacue.on_disconnect"] = self.on_disconnect

    # What the app may ask for

    def on_disconnect(self, callback: Callable[[], None]) -> None:
        """Call back, once, when the client goes before its answer is whole; none need wait in ``receive``."""
        self._on_disconnect = callback

    # What the connection tells

    def feed(self, data: list[bytes], *, ended: bool) -> None:
        """Content of the request, or bytes of the tunnel, came; ``ended``: and these were the last."""
        self._continue = False
        if data:
            self._body += data
            self._body_size += sum(map(len, data))
            if self._body_size > HIGH_WATER and not ended:
                self._connection.hold_input()
        if ended:
            self.input_ended = True
        self._wake()

    def disconnect(self) -> None:
        """The connection is gone, or was answered without the app."""
        self.disconnected = True
        if self._on_disconnect is not None:
            self._on_disconnect()
        self._held = None
        self._wake()

    def _wake(self) -> None:
        if self._event is not None:
            self._event.set()

    # What the app is called with

    async def run(self, app: App) -> None:
        """Call the app, and answer for it where it doesn't."""
        try:
            await app(self.scope, self.receive, self.send)
        except ClientGone:
            self._abandon()
        except ProxyError as error:
            # Raised on purpose, to keep a cut response from looking whole; whoever raised it has counted it.
            _logger.warning("response given up: %s", error)
            self._abandon(error.status)
        except asyncio.CancelledError:
            # A graceful stop took too long; uvicorn cancels what still runs.
            self._abandon()
            raise
        except Exception:  # the app's failures end here, as ASGI asks of a server
            _logger.exception("the app failed on %s", self.scope["method"])
            self._abandon()
        else:
            if not self.complete and not self.disconnected:
                _logger.error("the app returned before its response was complete")
                self._abandon()
        finally:
            # The scope would hold the exchange that holds the scope.
            self._on_disconnect = None
            self.scope.pop("datacue.on_disconnect", None)

    def _abandon(self, status: int = HTTPStatus.INTERNAL_SERVER_ERROR) -> None:
        """Answer with an error where nothing was promised yet; otherwise leave the response visibly cut."""
        if self.disconnected or self.complete:
            return
        if self.started:
            self._flush_head()
            reset = self.tunnel or self._response is None or self._response.framing == "close"
            self._connection.cut(reset=reset)
            return
        self.keep_alive = False
        text = f"{HTTPStatus(status).phrase}\n".encode("ascii")
        self._start(status, [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(text))])
        self._content(text, more=False)

    async def receive(self) -> Message:
        """The next of the request's content, or of the tunnel's bytes; then ``http.disconnect``."""
        if self._continue:
            self._continue = False
            self._connection.write(_CONTINUE)
        while not self.disconnected and not self.complete:
            if self._body or (self.input_ended and not self._ended_told):
                body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
                self._body = []
                self._body_size = 0
                self._ended_told = self.input_ended
                self._connection.want_input()
                return {"type": "http.request", "body": body, "more_body": not self.input_ended}
            if self._event is None:
                self._event = asyncio.Event()
            self._event.clear()
            await self._event.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a message of the response.

        Raises:
            Disconnected: nobody is left to send it to.
            InvalidResponse: it doesn't belong here, or can't be sent as it is.
        """
        if self.disconnected:
            raise Disconnected("the client is gone")
        kind = message["type"]
        if kind == "http.response.body" and self.started and not self.complete:
            more = message.get("more_body", False)
            self._content(message.get("body", b""), more=more)
            if more:
                await self._connection.drain()
        elif kind == "http.response.start" and not self.started:
            if message["status"] == HTTPStatus.SWITCHING_PROTOCOLS:
                self._switch(message.get("headers", ()))
            else:
                self._start(message["status"], message.get("headers", ()))
        elif kind == "datacue.informational" and not self.started:
            self._inform(message["status"], message.get("headers", ()))
        else:
            raise InvalidResponse(f"unexpected message {kind!r}")

    def _start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Build the head, and hold it: with the first content it makes one write, one packet.

        Should no content come before the event loop turns, the head goes alone.
        """
        if status < HTTPStatus.OK:
            raise InvalidResponse(f"{status} is not a final status")
        head = self._head
        self._response = response = answer(
            status,
            headers,
            self._connection.default_headers(),
            to_head=head.method == "HEAD",
            http_version=head.http_version,
            # A client that still waits for "100 Continue" may now send its body or not: RFC 9110, 10.1.1.
            keep_alive=self.keep_alive and not self._continue and not head.upgrade,
        )
        self.started = True
        self.keep_alive = response.keep_alive
        self._continue = False
        self._held = response.head
        self._flush = self._connection.loop.call_soon(self._flush_head)

    def _flush_head(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._connection.write(held)

    def _content(self, body: bytes, *, more: bool) -> None:
        data: list[bytes] = []
        if self._held is not None:
            data.append(self._held)
            self._held = None
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        short = False
        response = self._response
        if response is None or response.framing == "close":  # a tunnel, or HTTP/1.0
            data.append(body)
        elif response.framing == "length":
            response.length -= len(body)
            if response.length < 0:
                self._held = data[0] if data else None
                raise InvalidResponse("the body is longer than its content-length")
            data.append(body)
            short = not more and response.length > 0
        elif response.framing == "chunked":
            if body:
                data += (b"%x\r\n" % len(body), body, b"\r\n" if more else b"\r\n0\r\n\r\n")
            elif not more:
                data.append(b"0\r\n\r\n")
        self._connection.write(*data)
        if short:
            raise InvalidResponse("the body is shorter than its content-length")
        if not more:
            self.complete = True
            self._wake()
            self._connection.answered(self)

    def _inform(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        if not 100 <= status < 200 or status == HTTPStatus.SWITCHING_PROTOCOLS:  # noqa: PLR2004 - 1xx
            raise InvalidResponse(f"{status} is not informational")
        if self._head.http_version == "1.0":
            return  # RFC 9110, 15.2: not to a client of HTTP/1.0
        head = informational(status, headers)
        if status == HTTPStatus.CONTINUE:
            self._continue = False
        self._connection.write(head)

    def _switch(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Open the tunnel: from here on bytes are bytes, both ways."""
        if not self._head.upgrade:
            raise InvalidResponse("101 without an upgrade request")
        head = informational(HTTPStatus.SWITCHING_PROTOCOLS, headers)
        self.started = self.tunnel = True
        self.keep_alive = False
        self.input_ended = self._ended_told = False
        self._connection.write(head)
        self._connection.want_input()
