"""One request and its response: what the ASGI app is called with."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from proxy.edge.answer import InvalidResponse
from proxy.edge.limits import HIGH_WATER
from proxy.edge.reply import Reply
from proxy.errors import ClientGone, ProxyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.edge.head import Head
    from proxy.edge.reply import App, Connection, Message

_logger = logging.getLogger(__name__)

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Disconnected(ClientGone, OSError):
    """``send`` after the client went: a :class:`ClientGone`, and the ``OSError`` of ASGI 2.4."""


class Exchange(Reply):
    """An ASGI HTTP exchange.

    Args:
        connection: carries it.
        head: the request's.
        scope: for the app.
        expects_body: content will come through ``feed``.
    """

    __slots__ = ("_body", "_body_size", "_ended_told", "_event", "_flush", "_on_disconnect", "scope")

    def __init__(
        self, connection: Connection, head: Head, scope: dict[str, Any], *, expects_body: bool
    ) -> None:
        super().__init__(connection, head, expects_body=expects_body)
        self.scope = scope
        self._body: list[bytes] = []
        self._body_size = 0
        self._ended_told = False
        self._event: asyncio.Event | None = None
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
        super().disconnect()
        if self._on_disconnect is not None:
            self._on_disconnect()
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
            self.abandon()
        except ProxyError as error:
            # Raised on purpose, to keep a cut response from looking whole; whoever raised it has counted it.
            _logger.warning("response given up: %s", error)
            self.abandon(error.status)
        except asyncio.CancelledError:
            # A graceful stop took too long; uvicorn cancels what still runs.
            self.abandon()
            raise
        except Exception:  # the app's failures end here, as ASGI asks of a server
            _logger.exception("the app failed on %s", self.scope["method"])
            self.abandon()
        else:
            if not self.complete and not self.disconnected:
                _logger.error("the app returned before its response was complete")
                self.abandon()
        finally:
            # The scope would hold the exchange that holds the scope.
            self._on_disconnect = None
            self.scope.pop("datacue.on_disconnect", None)

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
            self.content(message.get("body", b""), more=more)
            if more:
                await self._connection.drain()
        elif kind == "http.response.start" and not self.started:
            if message["status"] == HTTPStatus.SWITCHING_PROTOCOLS:
                self.switch(message.get("headers", ()))
                self._ended_told = False
                self._connection.want_input()
            else:
                self.start(message["status"], message.get("headers", ()))
                # Should no content come before the event loop turns, the head goes alone.
                self._flush = self._connection.loop.call_soon(self.flush)
        elif kind == "datacue.informational" and not self.started:
            self.inform(message["status"], message.get("headers", ()))
        else:
            raise InvalidResponse(f"unexpected message {kind!r}")

    def content(self, *body: bytes, more: bool) -> None:
        """Send content; with the last of it, whoever still waits for the request's learns of the end."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        super().content(*body, more=more)
        if not more:
            self._wake()
