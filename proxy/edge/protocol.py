"""A client's connection: framing, order, deadlines. uvicorn calls it, it calls the app.

Requests are taken one at a time: what a client sends ahead stays in the buffer, and then in the kernel, until
the response before it is whole. So each request is checked alone, and nothing is parsed that isn't answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from proxy.edge.answer import refusal
from proxy.edge.body import ChunkedBody, LengthBody
from proxy.edge.deadline import Deadline
from proxy.edge.exchange import Exchange
from proxy.edge.head import check_partial, parse_head
from proxy.edge.limits import FRESH_SECONDS, PARTING_SECONDS, EdgeLimits
from proxy.errors import RequestRefused
from proxy.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from proxy.edge.head import Head
    from proxy.edge.reply import App, Connection, Reply

    Direct = Callable[[Head, Connection], Reply | None]

_CR: Final = 0x0D
_EMPTY_LINES: Final = re.compile(rb"(?:\r\n)*+")
_END_OF_HEAD: Final = b"\r\n\r\n"
_AT_ONCE: Final = 64 * 1024
"""More bytes for a client don't wait for the end of the loop's turn: where it is slow, they would pile up."""
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # struct linger: on, 0 seconds


def _ignore(_reason: str) -> None:
    """Count nothing."""


class EdgeProtocol(asyncio.Protocol):
    """The public side of the proxy: HTTP/1.1, as strict as RFC 9112 lets it be.

    uvicorn makes one for each connection. ``hardened`` binds limits and a counter to a class of its own.

    Args:
        config: uvicorn's, loaded.
        server_state: shared by the connections of a server.
        app_state: of the lifespan; each request gets a copy.
        _loop: uvicorn's name for the running loop.
    """

    limits: ClassVar[EdgeLimits] = EdgeLimits()
    on_refused: ClassVar[Callable[[str], None]] = staticmethod(_ignore)
    """Called with one of ``REASONS`` for each request refused and connection given up."""
    direct: ClassVar[Direct | None] = None
    """Asked first about each GET and HEAD without a body: it may answer in place of the app, without a task.
    It returns what will, or None; must not raise, nor answer at once."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self.loop = _loop or asyncio.get_running_loop()
        self._app = config.loaded_app
        self._asgi = {"version": config.asgi_version, "spec_version": "2.4"}
        self._root_path = config.root_path
        self._server_state = server_state
        self._app_state = app_state
        self._deadline = Deadline(self.loop, self._expired)
        self._transport: asyncio.Transport
        self._addresses: dict[str, Any] = {}
        self.peer = ""
        self.scheme = "http"
        self._secure = False
        self._turn = Turn.of(self.loop)
        self._outgoing: list[bytes] = []
        """What goes out at the end of the loop's turn."""
        self._outgoing_bytes = 0
        self._deferred = False
        """What came waits for a turn in which fewer requests begin."""
        self._buffer = bytearray()
        """What came and isn't parsed: part of a head, or what was sent ahead."""
        self._exchange: Reply | None = None
        self._body: LengthBody | ChunkedBody | None = None
        """What of the current request's body is to come."""
        self._used = False
        self._last = False
        """The server stops: no request after this one."""
        self._parting = False
        """The last answer is out: what comes is thrown away."""
        self._read_paused = False
        self._writable: asyncio.Event | None = None
        """Set when the transport wants more; None while it never had enough."""
        self._unsent = 0
        """Bytes that waited for the client when it was last looked at."""

    # Called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet a client: it has ``head_seconds`` to say what it wants."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's doesn't inherit from it
        self._secure = is_ssl(self._transport)
        self._addresses = {
            "client": get_remote_addr(self._transport),
            "server": get_local_addr(self._transport),
            "scheme": "https" if self._secure else "http",
        }
        self.scheme = self._addresses["scheme"]
        if self._addresses["client"]:
            self.peer = self._addresses["client"][0]
        connections: set[Any] = self._server_state.connections
        connections.add(self)
        self._deadline.set(self.limits.head_seconds)
        if len(connections) > self.limits.max_connections:
            self._refuse("too-many-connections", HTTPStatus.SERVICE_UNAVAILABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything, and tell the app."""
        del exc
        connections: set[Any] = self._server_state.connections
        connections.discard(self)
        self._deadline.close()
        self._buffer.clear()
        self._outgoing.clear()
        if self._exchange is not None:
            self._exchange.disconnect()
            self._exchange = None
        if self._writable is not None:
            self._writable.set()

    def eof_received(self) -> bool:
        """In a tunnel the client may stop sending and go on reading; elsewhere its end is the end."""
        exchange = self._exchange
        if exchange is None or not exchange.tunnel or self._secure:
            self._send()  # the transport closes now, and takes nothing more
            return False
        exchange.feed([], ended=True)
        return True

    def data_received(self, data: bytes) -> None:
        """Take bytes, or leave a request that begins to a turn in which fewer do."""
        if self._parting:
            return
        if self._exchange is None:
            if self._deferred:
                self._buffer += data
                self._pause_reading()  # until then it needn't come
                return
            # The rest of a head that has begun to come is no new request.
            if not self._buffer and not self._turn.begins(self._begin_deferred):
                self._buffer += data
                self._deferred = True
                return
        self._take(data)

    def _take(self, data: bytes) -> None:
        """Sort bytes to where they belong."""
        exchange = self._exchange
        try:
            if exchange is None:
                self._take_head(data)
            elif self._body is not None:
                self._take_body(exchange, self._body, data)
            elif exchange.tunnel:
                exchange.feed([data], ended=False)
            else:
                self._buffer += data
                self._pause_reading()
        except RequestRefused as refusal:
            self._refuse(refusal.reason, refusal.status)

    def _begin_deferred(self) -> None:
        """A turn has come that begins fewer requests."""
        self._deferred = False
        came = bytes(self._buffer)
        self._buffer.clear()
        if came and not self._parting:  # it may have gone meanwhile
            self._resume_reading()
            self._take(came)

    def pause_writing(self) -> None:
        """The client reads slower than the app writes."""
        if self._writable is None:
            self._writable = asyncio.Event()
        self._writable.clear()
        self._unsent = self._transport.get_write_buffer_size()
        self._deadline.set(self.limits.write_idle_seconds)

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._writable is not None:
            self._writable.set()
        self._unsent = 0
        self._wait_for_client()
        if self._exchange is not None:
            self._exchange.writable()
        elif not self._parting:
            self._next()

    # Called by the server

    def shutdown(self) -> None:
        """Stop gracefully: what has begun is finished, nothing new is begun."""
        self._last = True
        if self._exchange is not None:
            self._exchange.keep_alive = False
        elif not self._parting and not self._buffer:
            self._deadline.set(PARTING_SECONDS if self._used else FRESH_SECONDS)

    # A request comes

    def _take_head(self, data: bytes) -> None:
        """Find the end of a head, and begin its request."""
        buffer = self._buffer
        seen = len(buffer)
        came: bytes | bytearray = data
        if seen:
            buffer += data
            came = buffer
        if came[0] == _CR:
            # Empty lines before a request line are overlooked (RFC 9112, 2.2).
            begin = _EMPTY_LINES.match(came).end()  # type: ignore[union-attr]  # it matches b"" too
            came = came[begin:]
            seen = 0
        end = came.find(_END_OF_HEAD, max(0, seen - 3), self.limits.head_bytes)
        if end < 0:
            if came:
                check_partial(came, seen, self.limits)
            if came is not buffer:
                buffer[:] = came
            if not seen and (self._used or self._last):
                self._wait_for_client()
            return
        end += len(_END_OF_HEAD)
        if end == len(data) and came is data:
            head, rest = data, b""
        else:
            head, rest = bytes(came[:end]), bytes(came[end:])
            buffer.clear()
        self._begin(parse_head(head, self.limits), rest)

    def _begin(self, head: Head, rest: bytes) -> None:
        """Start a request's exchange, with what of its body came along."""
        body: LengthBody | ChunkedBody | None = None
        limit = self.limits.body_bytes
        if head.chunked:
            body = ChunkedBody(limit)
        elif head.content_length:
            if limit is not None and head.content_length > limit:
                raise RequestRefused("body-too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            body = LengthBody(head.content_length)
        content: list[bytes] = []
        if body is not None and rest:
            rest = body.feed(rest, content)  # before the app hears of it, since it may be refused
        self._used = True
        self._body = body
        direct = type(self).direct if head.bare else None
        reply = direct(head, self) if direct is not None else None
        if reply is not None:
            self._hold(reply)
        else:
            exchange = self._call(head, None, expects_body=body is not None)
            if body is not None and (content or body.ended):
                exchange.feed(content, ended=body.ended)
                self._body = None if body.ended else body
        if rest:
            self._buffer += rest
            self._pause_reading()
        self._wait_for_client()

    def _hold(self, reply: Reply) -> None:
        """From now on this is the connection's."""
        self._exchange = reply
        if self._last:
            reply.keep_alive = False

    def _call(self, head: Head, app: App | None, *, expects_body: bool) -> Exchange:
        """Have the app answer."""
        exchange = Exchange(self, head, self._scope(head), expects_body=expects_body)
        self._hold(exchange)
        tasks = self._server_state.tasks
        task = self.loop.create_task(exchange.run(app or self._app))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return exchange

    def _take_body(self, exchange: Reply, body: LengthBody | ChunkedBody, data: bytes) -> None:
        content: list[bytes] = []
        rest = body.feed(data, content)
        if body.ended:
            self._body = None
            if rest:
                self._buffer += rest
                self._pause_reading()
        exchange.feed(content, ended=body.ended)
        self._wait_for_client()

    def _scope(self, head: Head) -> dict[str, Any]:
        raw_path, _, query = head.target.partition(b"?")
        extensions: dict[str, dict[str, Any]] = {"datacue.informational": {}}
        if head.upgrade:
            extensions["datacue.tunnel"] = {}
        return {
            "type": "http",
            "asgi": self._asgi,
            "http_version": head.http_version,
            "method": head.method,
            **self._addresses,
            "root_path": self._root_path,
            "path": self._root_path + head.path,
            "raw_path": self._root_path.encode("ascii") + raw_path,
            "query_string": query,
            "headers": head.headers.copy(),  # an app may change its own
            "state": self._app_state.copy(),
            "extensions": extensions,
            "datacue.target": head.target,
        }

    # What an exchange asks for

    def default_headers(self) -> Iterable[tuple[bytes, bytes]]:
        """Date, and what the operator gave uvicorn."""
        return self._server_state.default_headers

    def write(self, *data: bytes) -> None:
        """Hand bytes to the transport, at the end of the loop's turn, in one go."""
        if self._transport.is_closing():
            return
        first = not self._outgoing
        self._outgoing += data
        self._outgoing_bytes += sum(map(len, data))
        if self._outgoing_bytes > _AT_ONCE:
            self._send()
        elif first:
            self._turn.at_end(self._send)

    def _send(self) -> None:
        outgoing, self._outgoing, self._outgoing_bytes = self._outgoing, [], 0
        if outgoing and not self._transport.is_closing():
            self._transport.writelines(outgoing)

    def write_paused(self) -> bool:
        """Whether the client reads slower than we write."""
        return self._writable is not None and not self._writable.is_set()

    async def drain(self) -> None:
        """Wait until the transport wants more."""
        if self._writable is not None:
            await self._writable.wait()

    def hold_input(self) -> None:
        """Leave what comes to the kernel, and the client waiting."""
        self._pause_reading()
        self._wait_for_client()

    def want_input(self) -> None:
        """Read on, unless what comes next is another request."""
        if not self._read_paused:
            return
        if self._buffer:
            if self._exchange is None or not self._exchange.tunnel:
                return
            early = bytes(self._buffer)
            self._buffer.clear()
            self._exchange.feed([early], ended=False)
        self._resume_reading()
        self._wait_for_client()

    def answered(self, exchange: Reply) -> None:
        """A response is whole: on to the next request, or away."""
        self._server_state.total_requests += 1
        self._exchange = None
        if exchange.tunnel:
            self._part(linger=not exchange.input_ended)
        elif self._body is not None or not exchange.keep_alive or self._last:
            self._part(linger=self._body is not None or bool(self._buffer))
        elif self.write_paused():
            self._pause_reading()  # a client that doesn't take its answers gets no more of them
        else:
            self._next()

    def _next(self) -> None:
        """On to the next request: it may have come already."""
        self._resume_reading()
        self._wait_for_client()
        if self._buffer:
            ahead = bytes(self._buffer)
            self._buffer.clear()
            self.data_received(ahead)

    def hand_over(self, head: Head, app: App | None = None) -> None:
        """Have an ASGI app answer a request without a body, from the start; None: the server's own."""
        self._call(head, app, expects_body=False)

    def cut(self, *, reset: bool) -> None:
        """End the connection in the middle of a response.

        Args:
            reset: the client could take the end for the response's end, so it has to be an error.
        """
        self._parting = True
        if self._exchange is not None:
            self._exchange.disconnect()
            self._exchange = None
        if reset:
            self._reset()
        else:
            self._part(linger=False)

    # The connection ends

    def _refuse(self, reason: str, status: int) -> None:
        """Answer for the app: the request is not one, or its time is over."""
        type(self).on_refused(reason)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            begun = exchange.started
            exchange.disconnect()
            if begun:
                self.cut(reset=True)
                return
        self.write(refusal(status, reason, self.default_headers()))
        self._part(linger=True)

    def _part(self, *, linger: bool) -> None:
        """Close once everything is sent; ``linger``: but not before the client has stopped sending."""
        self._parting = True
        self._send()
        self._buffer.clear()
        if linger and not self._secure and self._transport.can_write_eof():
            self._unsent = sys.maxsize
            self._deadline.set(self.limits.linger_seconds)
            with contextlib.suppress(OSError):
                self._transport.write_eof()
            self._resume_reading()
        else:
            self._unsent = self._transport.get_write_buffer_size()
            self._deadline.set(self.limits.write_idle_seconds)
            self._transport.close()

    def _reset(self) -> None:
        self._send()
        connection: socket.socket | None = self._transport.get_extra_info("socket")
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    # Waits

    def _pause_reading(self) -> None:
        if not self._read_paused and not self._transport.is_closing():
            self._read_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._read_paused and not self._transport.is_closing():
            self._read_paused = False
            self._transport.resume_reading()

    def _wait_for_client(self) -> None:
        """Set the deadline of what is now to come from the client, if anything."""
        if self._parting or self.write_paused():
            return  # that deadline stands
        if self._exchange is None:
            self._deadline.set(self.limits.head_seconds if self._buffer else self.limits.idle_seconds)
        elif self._body is not None and not self._read_paused:
            self._deadline.set(self.limits.body_idle_seconds)
        else:
            self._deadline.clear()

    def _expired(self) -> None:
        """What was waited for hasn't come."""
        unsent = self._transport.get_write_buffer_size()
        if 0 < unsent < self._unsent:
            # The client takes what waits for it, if slowly.
            self._unsent = unsent
            self._deadline.set(self.limits.write_idle_seconds)
        elif self._parting:
            self._transport.abort()
        elif self.write_paused():
            type(self).on_refused("write-timeout")
            self.cut(reset=True)
        elif self._exchange is not None:
            self._refuse("body-timeout", HTTPStatus.REQUEST_TIMEOUT)
        elif self._deferred:
            self._deadline.set(PARTING_SECONDS)  # what waits for us isn't late
        elif self._buffer:
            self._refuse("head-timeout", HTTPStatus.REQUEST_TIMEOUT)
        else:
            self._part(linger=False)


def hardened(
    limits: EdgeLimits | None = None,
    on_refused: Callable[[str], None] = _ignore,
    direct: Direct | None = None,
) -> type[EdgeProtocol]:
    """A protocol class for ``uvicorn.Config(http=...)``.

    Args:
        limits: the default ones if None.
        on_refused: called with one of ``REASONS`` for each refusal.
        direct: see ``EdgeProtocol.direct``.
    """
    namespace = {
        "limits": limits or EdgeLimits(),
        "on_refused": staticmethod(on_refused),
        "direct": staticmethod(direct) if direct is not None else None,
    }
    return type("HardenedEdge", (EdgeProtocol,), namespace)
