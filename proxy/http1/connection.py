"""One connection: an asyncio protocol that carries one exchange after another.

A connection is in one stage at a time::

    IDLE ── begin ──► HEAD ── final head ──► BODY ── end ──► IDLE, or closed
                        └──── 101 ─────────► TUNNEL ───────► CLOSING ──► closed

Everything that arrives is judged by the stage; what doesn't fit fails the exchange and closes the
connection. Bytes in IDLE were asked for by nobody: closed, before a visitor can get them as theirs.
"""

from __future__ import annotations

import asyncio
import math
import select
import socket
from typing import TYPE_CHECKING, Protocol, cast

from proxy.errors import ConnectionLost, MalformedResponse, PeerError, ResponseTimeout
from proxy.http1.head import FramingError
from proxy.http1.inbound import AWAITING_HEAD, ENDED, IN_BODY, Inbound
from proxy.http1.tunnel import Tunnel
from proxy.http1.upload import upload
from proxy.turn import Turn

if TYPE_CHECKING:
    from proxy.http1.limits import Limits, Timeouts
    from proxy.http1.message import Head, Request
    from proxy.http1.peer import Peer
    from proxy.http1.receiver import Receiver

_OPENING, _IDLE, _HEAD, _BODY, _TUNNEL, _CLOSING, _CLOSED = range(7)

_CONTINUE = 100

_CLOSE_SECONDS = 5.0
"""For a closed tunnel's last bytes to go out; after that they are dropped with the socket."""


class Owner(Protocol):
    """What a connection tells its pool."""

    def released(self, connection: Connection) -> None:
        """An exchange has ended well: the connection is free."""
        ...

    def closed(self, connection: Connection) -> None:
        """The connection will carry nothing more: its slot is free. Told once."""
        ...

    def connected(self) -> None:
        """There is a transport."""
        ...

    def disconnected(self) -> None:
        """A transport is gone. Told once for each that was made."""
        ...

    def own_upload(self, task: asyncio.Task[None]) -> None:
        """Keeps the task, and waits for it at the latest when the pool closes."""
        ...


class Connection(asyncio.Protocol):
    """See the module's docstring. Made by :class:`Pool` only.

    Attributes:
        deadline: loop time after which :meth:`expire` is due.
        idle_since: loop time of the release, 0 while it is not idle. The pool's.
    """

    __slots__ = (
        "_answered",
        "_continued",
        "_drained",
        "_inbound",
        "_limits",
        "_loop",
        "_outgoing",
        "_owner",
        "_peer",
        "_poll",
        "_read_paused",
        "_receiver",
        "_reused",
        "_stage",
        "_timeouts",
        "_transport",
        "_tunnel",
        "_turn",
        "_upload",
        "_write_paused",
        "deadline",
        "idle_since",
    )

    def __init__(
        self, owner: Owner, peer: Peer, limits: Limits, timeouts: Timeouts, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.deadline = math.inf
        self.idle_since = 0.0
        self._reused = False
        self._answered = False
        self._owner = owner
        self._peer = peer
        self._limits = limits
        self._timeouts = timeouts
        self._loop = loop
        self._stage = _OPENING
        self._transport: asyncio.Transport | None = None
        self._poll = select.poll()
        self._turn = Turn.of(loop)
        self._outgoing = b""  # what goes out at the end of the loop's turn
        self._read_paused = False
        self._write_paused = False
        self._drained: asyncio.Future[None] | None = None
        # The current exchange:
        self._receiver: Receiver | None = None
        self._inbound: Inbound | None = None
        self._tunnel: Tunnel | None = None
        self._upload: asyncio.Task[None] | None = None
        self._continued: asyncio.Future[bool] | None = None

    # For the pool.

    @property
    def usable(self) -> bool:
        """Whether an exchange may begin."""
        return self._stage == _IDLE and self._transport is not None and not self._transport.is_closing()

    @property
    def was_stale(self) -> bool:
        """Whether it had served before and then broke without one byte of answer."""
        return self._reused and not self._answered

    def has_input(self) -> bool:
        """Whether the socket has something that the loop has not told us yet: bytes or its end."""
        return bool(self._poll.poll(0))

    def now(self) -> float:
        """The loop's time."""
        return self._loop.time()

    def begin(self, request: Request, head: Head, receiver: Receiver) -> None:
        """Sends a request, for ``receiver`` to get its response."""
        head_only, upgrade = request.method == b"HEAD", request.upgrade is not None
        self._start(Inbound(self._limits, head_only=head_only, upgrade=upgrade), receiver)
        body = request.body
        transport = self._transport
        assert transport is not None
        if body is None or (isinstance(body, bytes) and not head.expects):
            if not body:
                transport.write(head.data)
            elif len(head.data) + len(body) <= self._limits.one_write:
                transport.write(head.data + body)
            else:
                transport.writelines((head.data, body))
        else:
            transport.write(head.data)
            if head.expects:
                self._continued = self._loop.create_future()
            job = upload(self, body, request.content_length, self._continued, self._timeouts.expect)
            self._upload = self._loop.create_task(job)
            self._upload.add_done_callback(self._upload_ended)
            self._owner.own_upload(self._upload)
        self._rearm()

    def begin_whole(self, message: bytes, receiver: Receiver, *, limit: int | None = None) -> None:
        """Sends a serialized request, its body included, at the end of the loop's turn.

        Args:
            message: sent byte for byte.
            receiver: gets the response.
            limit: bytes that the response's body may have.
        """
        head_only = message.startswith(b"HEAD ")
        self._start(Inbound(self._limits, head_only=head_only, max_body=limit), receiver)
        self._outgoing = message
        self._turn.at_end(self._send)
        self._rearm()

    def _send(self) -> None:
        """The loop's turn is over; the exchange may be, too."""
        outgoing, self._outgoing = self._outgoing, b""
        transport = self._transport
        if outgoing and transport is not None and not transport.is_closing():
            transport.write(outgoing)

    def expire(self) -> None:
        """The deadline has passed."""
        if self._stage == _CLOSING:
            self.close()
        elif self._write_paused:
            self._fail(ResponseTimeout, f"took no byte of the request for {self._timeouts.idle:g} s")
        elif self._stage == _HEAD:
            self._fail(ResponseTimeout, f"no response within {self._timeouts.response:g} s")
        else:
            self._fail(ResponseTimeout, f"the response stalled for {self._timeouts.idle:g} s")

    def give_up(self, receiver: Receiver) -> None:
        """Nobody wants ``receiver``'s response any more: ends its exchange, and never a later one."""
        if self._receiver is receiver:
            self.close()

    def hand_to(self, receiver: Receiver) -> None:
        """From now on another gets the response."""
        self._receiver = receiver

    def close(self) -> None:
        """Closes now, whatever is under way. Idempotent."""
        self._fail(ConnectionLost, "the connection was closed by the proxy")

    def never_opened(self) -> None:
        """Connecting failed or was cancelled, maybe after :meth:`connection_made`.

        uvloop then closes the socket without telling the protocol.
        """
        self.close()
        if self._transport is not None:
            self._transport = None
            self._owner.disconnected()

    # asyncio.Protocol.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.Transport", transport)
        self._owner.connected()
        if self._stage == _CLOSED:  # the connecting task was cancelled meanwhile
            self._transport.abort()
            return
        self._stage = _IDLE
        self._transport.set_write_buffer_limits(high=self._limits.write_high_water)
        sock = transport.get_extra_info("socket")
        self._poll.register(sock.fileno(), select.POLLIN)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # finds dead peers of silent tunnels

    def data_received(self, data: bytes) -> None:
        """See asyncio. The hottest function of the product."""
        if self._outgoing:  # the request is still here: as in IDLE, nobody has asked for this
            self.close()
            return
        self._answered = True
        inbound = self._inbound
        if inbound is None:
            if self._tunnel is not None:
                self._tunnel.feed(data)
            elif self._stage == _IDLE:
                self.close()
            return
        before = inbound.size
        try:
            state = inbound.feed(data)
        except FramingError as error:
            self._fail(MalformedResponse, str(error))
            return
        if inbound.informational:
            self._relay_informational(inbound)
        if state == AWAITING_HEAD:
            return
        if self._stage == _HEAD:
            self._open_response(inbound)
        receiver = self._receiver
        if receiver is None:
            return  # closed: it is of no interest to anybody
        if state == ENDED:
            self._end(inbound, receiver)
        elif state == IN_BODY:
            self._rearm()
            receiver.arrived(inbound.size - before)
        else:
            self._switch(inbound, receiver)

    def eof_received(self) -> bool:
        """See asyncio. Only a tunnel stays half open."""
        if self._stage == _TUNNEL:
            assert self._tunnel is not None
            assert self._transport is not None
            self._tunnel.feed_eof()
            return self._transport.can_write_eof()
        inbound, receiver = self._inbound, self._receiver
        if inbound is not None and receiver is not None and inbound.ends_with_connection():
            self._end(inbound, receiver)
        self._lost(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._lost(exc)
        if self._transport is not None:
            self._transport = None
            self._owner.disconnected()

    def pause_writing(self) -> None:
        """See asyncio."""
        self._write_paused = True
        self._rearm()

    def resume_writing(self) -> None:
        """See asyncio."""
        self._write_paused = False
        self._rearm()
        self._wake_writer()

    # For responses, tunnels and uploads.

    def pause(self) -> None:
        """Reads no more for now: the reader has enough."""
        if not self._read_paused and self._transport is not None:
            self._read_paused = True
            self._transport.pause_reading()
            self._rearm()

    def resume(self) -> None:
        """Reads again."""
        if self._read_paused and self._transport is not None:
            self._read_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
            self._rearm()

    def write(self, data: bytes) -> None:
        """Sends, or keeps until the socket takes it."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def write_chunk(self, data: bytes) -> None:
        """Sends one chunk of a chunked body, at least 1 byte (RFC 9112, 7.1)."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.writelines((b"%x\r\n" % len(data), data, b"\r\n"))

    async def drain(self) -> None:
        """Waits until the socket has taken enough; returns at once where the connection is closed."""
        if self._write_paused and self._stage != _CLOSED:
            drained = self._drained = self._loop.create_future()
            try:
                await drained
            finally:
                self._drained = None

    async def may_go_on(self) -> None:
        """Waits until the socket takes more of the upload, and hears what the peer has said so far.

        A server that has enough answers 413 and closes. Bytes written after that fail, and a failed
        write makes asyncio drop the transport with the answer unread.
        """
        await self.drain()
        if not self._read_paused and self._stage != _CLOSED and self.has_input():
            await asyncio.sleep(0)  # the loop polls the socket,
            await asyncio.sleep(0)  # and hands over what it found

    def upload_done(self) -> None:
        """The request's last byte is written: from now on the response is due."""
        self._upload = None
        self._rearm()

    def _upload_ended(self, task: asyncio.Task[None]) -> None:
        """The request's body broke off: the response's reader gets the reason as it is."""
        if task.cancelled():
            if self._upload is task:
                self._fail(ConnectionLost, "the request's body was cancelled")
            return
        error = task.exception()
        if error is not None:
            self._break(error)

    async def upload_stopped(self) -> None:
        """Waits until nobody pulls from the request's body any more."""
        if self._upload is not None:
            self._upload.cancel()
            await asyncio.wait((self._upload,))

    def shut_down(self, *, both: bool) -> None:
        """Ends a tunnel: our direction, or both after what is written has gone out."""
        transport = self._transport
        if transport is None or self._stage != _TUNNEL or transport.is_closing():
            return  # its end is on the way
        if not both and transport.can_write_eof():
            transport.write_eof()
            return
        self._stage = _CLOSING
        self.deadline = self._loop.time() + _CLOSE_SECONDS
        transport.close()
        self.resume()  # a paused transport would not notice the peer's end

    # The exchange, step by step.

    def _start(self, inbound: Inbound, receiver: Receiver) -> None:
        self._stage = _HEAD
        self._answered = False
        self._inbound = inbound
        self._receiver = receiver

    def _rearm(self) -> None:
        """Sets the deadline for what is awaited of the peer now; none while it is our turn."""
        if self._write_paused and self._stage != _TUNNEL:
            self.deadline = self._loop.time() + self._timeouts.idle
        elif self._upload is not None or self._read_paused:
            self.deadline = math.inf
        elif self._stage == _HEAD:
            self.deadline = self._loop.time() + self._timeouts.response
        elif self._stage == _BODY:
            self.deadline = self._loop.time() + self._timeouts.idle
        elif self._stage != _CLOSING:
            self.deadline = math.inf

    def _relay_informational(self, inbound: Inbound) -> None:
        for head in inbound.informational:
            if head.status == _CONTINUE:
                self._answer_expectation(wanted=True)
            if self._receiver is not None:
                self._receiver.informed(head)
        inbound.informational.clear()
        self._rearm()  # the server lives; only whole heads count, or one could drip for hours

    def _answer_expectation(self, *, wanted: bool) -> None:
        if self._continued is not None and not self._continued.done():
            self._continued.set_result(wanted)

    def _open_response(self, inbound: Inbound) -> None:
        """The final head has come."""
        assert inbound.head is not None
        assert self._receiver is not None
        self._answer_expectation(wanted=False)
        self._stage = _BODY
        self._receiver.begin(inbound.head, inbound.chunks, self)

    def _end(self, inbound: Inbound, receiver: Receiver) -> None:
        """The response is complete."""
        uploading = self._upload is not None
        receiver.end(inbound.trailers, keep_inflow=uploading)
        if self._stage == _CLOSED:
            return
        self._inbound = self._receiver = None
        # Bytes of the request that are still to be sent would precede the next one.
        assert self._transport is not None
        unsent = uploading or self._outgoing or self._transport.get_write_buffer_size()
        if inbound.persistent and not unsent:
            self._stage = _IDLE
            self.deadline = math.inf
            self._reused = True
            self._continued = None
            self.resume()
            self._owner.released(self)
        else:
            self.close()

    def _switch(self, inbound: Inbound, receiver: Receiver) -> None:
        """The connection becomes a tunnel."""
        self._stage = _TUNNEL
        self._inbound = self._receiver = None
        self._tunnel = tunnel = Tunnel(self, self._peer, self._loop, self._limits.read_high_water)
        if inbound.rest:
            tunnel.feed(inbound.rest)
        self._rearm()
        receiver.switched(tunnel)

    # The end of the connection.

    def _lost(self, exc: BaseException | None) -> None:
        """The peer has closed, or the network has."""
        if self._stage == _CLOSED:
            return
        how = "closed the connection" if exc is None else f"connection lost ({_reason(exc)})"
        when = {_HEAD: " before a complete response head", _BODY: " before the end of the response body"}
        self._fail(ConnectionLost, how + when.get(self._stage, ""))

    def _fail(self, kind: type[PeerError], what: str) -> None:
        if self._stage != _CLOSED:
            self._break(self._peer.failed(kind, what))

    def _break(self, error: BaseException) -> None:
        """Closes; who gets the response gets ``error``, once the slot is free."""
        if self._stage == _CLOSED:
            return
        self._stage = _CLOSED
        self._outgoing = b""
        self.deadline = math.inf
        receiver, tunnel, transport = self._receiver, self._tunnel, self._transport
        self._receiver = self._inbound = self._tunnel = None
        if self._upload is not None:
            self._upload.cancel()
        self._wake_writer()
        if transport is not None:
            transport.abort()
        self._owner.closed(self)
        if tunnel is not None:
            tunnel.lose(str(error))
        elif receiver is not None:
            receiver.fail(error, discard=isinstance(error, MalformedResponse))

    def _wake_writer(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)


def _reason(exc: BaseException) -> str:
    """The system's word for it, without the addresses that some messages carry."""
    return (exc.strerror if isinstance(exc, OSError) else None) or type(exc).__name__
