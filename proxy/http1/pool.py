"""The keep-alive pool: who gets which connection, and when one is opened or closed."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import TYPE_CHECKING

from proxy.errors import ConnectFailed, ConnectionLost, PeerError, PoolTimeout
from proxy.http1.connection import Connection
from proxy.http1.limits import Limits, Timeouts
from proxy.http1.message import Answer, serialize_head
from proxy.http1.peer import Peer
from proxy.http1.response import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.errors import Source
    from proxy.http1.message import Headers, Request
    from proxy.http1.origin import Origin
    from proxy.http1.receiver import Inflow, Receiver

_SHORTEST_TICK, _LONGEST_TICK = 0.01, 1.0
"""Seconds between two looks at the deadlines: one timer per pool instead of one per request."""

_TICKS_PER_TIMEOUT = 8
"""How exactly the shortest timeout is held: an eighth."""

_FRESH_SECONDS = 0.2
"""A connection that was used so lately isn't looked at before the next request: servers keep theirs open for
seconds, and asking the kernel costs as much as writing the request does. Until one proves to be different."""

_CLOSE_SECONDS = 2.0
"""How long :meth:`Pool.aclose` waits for sockets that are slow to go."""


class Pool:
    """Connections to one origin, each carrying one exchange at a time.

    The most recently used idle connection goes first, so that a quiet pool shrinks. Waiters are served
    in order. A request that is cancelled, fails or is abandoned closes its connection at once: whose
    bytes come next would be anybody's guess.

    Args:
        origin: where to connect.
        source: whose server it is, for errors and metrics.
        limits: see :class:`Limits`.
        timeouts: see :class:`Timeouts`.
        ssl_context: for ``https``; the system's trust store by default.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        source: Source,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._origin = origin
        self._peer = Peer(origin, source)
        self._limits = limits or Limits()
        self._timeouts = timeouts or Timeouts()
        self._ssl = (ssl_context or _default_context()) if origin.scheme == "https" else None
        self._slots = 0  # connections that are open or opening, and slots promised to a waiter
        self._sockets = 0
        self._open: set[Connection] = set()
        self._idle: deque[Connection] = deque()
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._uploads: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._shortest = min(self._timeouts.response, self._timeouts.idle, self._limits.idle_seconds)
        self._tick_seconds = min(max(self._shortest / _TICKS_PER_TIMEOUT, _SHORTEST_TICK), _LONGEST_TICK)
        self._closing = False
        self._hasty = False  # the server has closed a connection right after using it
        self._drained: asyncio.Future[None] | None = None

    # Requests.

    async def send(
        self, request: Request, *, on_informational: Callable[[int, Headers], None] | None = None
    ) -> Response:
        """Sends a request and returns its response as soon as the head is there.

        The caller reads the response to its end or abandons it; either frees the connection. A request
        that met a connection just closed by the server is sent once more if that is safe.

        Args:
            request: see :class:`Request`.
            on_informational: gets each 1xx response (but 101) with its fields; must not raise.

        Raises:
            ValueError: the request is not one unambiguous HTTP/1.1 request; nothing was sent.
            ConnectFailed: no connection.
            PoolTimeout: none became free.
            ResponseTimeout: no response in time.
            ConnectionLost: the server hung up.
            MalformedResponse: the response is not HTTP/1.1, or beyond a limit.
        """
        head = serialize_head(request)
        replayable = request.replayable
        connection = self._take(careful=not replayable) or await self._acquire()
        while True:
            response = self.awaited(on_informational=on_informational)
            connection.begin(request, head, response)
            try:
                await response.due
            except PeerError as error:
                if not (replayable and connection.was_stale and isinstance(error, ConnectionLost)):
                    await connection.upload_stopped()
                    raise
            except BaseException:
                connection.give_up(response)
                response.abandon()
                raise
            else:
                return response
            replayable = False
            connection = await self._acquire(fresh=True)

    async def fetch(self, message: bytes, *, limit: int, idempotent: bool = False) -> Answer:
        """Sends a serialized request and returns its complete answer: the events call.

        Args:
            message: request line, fields, empty line and body, sent byte for byte.
            limit: of the answer's body, in bytes.
            idempotent: it may be sent once more if the server closed an idle connection under it.

        Raises:
            PeerError: as :meth:`send`; a body above ``limit`` is a MalformedResponse.
        """
        connection = self._take(careful=not idempotent) or await self._acquire()
        while True:
            response = self.awaited(whole=True)
            connection.begin_whole(message, response, limit=limit)
            try:
                await response.due
            except ConnectionLost:
                if not idempotent or not connection.was_stale:
                    raise
            except BaseException:
                connection.give_up(response)
                raise
            else:
                return Answer(response.status, response.headers, response.take_all())
            idempotent = False
            connection = await self._acquire(fresh=True)

    def awaited(
        self, *, whole: bool = False, on_informational: Callable[[int, Headers], None] | None = None
    ) -> Response:
        """A response that is to come, for a task to await."""
        loop = asyncio.get_running_loop()
        return Response(
            self._peer, loop, self._limits.read_high_water, whole=whole, on_informational=on_informational
        )

    def send_now(
        self,
        message: bytes,
        receiver: Receiver,
        *,
        limit: int | None = None,
        idempotent: bool = False,
        kept: bool = False,
    ) -> Inflow | None:
        """Sends a serialized request over an idle connection, without waiting for anything.

        Args:
            message: request line, fields, empty line and body, sent byte for byte, once.
            receiver: told of the response.
            limit: of the response's body, in bytes.
            idempotent: whoever gets the failure of a connection that ``was_stale`` may send it once more.
            kept: the failure costs nobody anything: what can't be sent now is sent later.

        Returns:
            what brings the response; None where no connection is idle: nothing was sent.
        """
        connection = self._take(careful=not idempotent, kept=kept)
        if connection is not None:
            connection.begin_whole(message, receiver, limit=limit)
        return connection

    # What it holds.

    @property
    def origin(self) -> Origin:
        """Where it connects to."""
        return self._origin

    @property
    def active(self) -> int:
        """Connections that are opening or carry an exchange."""
        return self._slots - len(self._idle)

    @property
    def idle(self) -> int:
        """Connections kept open for the next request."""
        return len(self._idle)

    async def aclose(self) -> None:
        """Closes every connection; requests under way fail. Returns when the sockets are gone."""
        self._closing = True
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(self._peer.failed(PoolTimeout, "the pool was closed"))
        for connection in tuple(self._open):
            connection.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._uploads:
            await asyncio.wait(self._uploads)
        if self._sockets:
            self._drained = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._drained,), timeout=_CLOSE_SECONDS)

    # Told by connections (connection.Owner).

    def released(self, connection: Connection) -> None:
        """An exchange has ended well: the next waiter gets its connection, or it stays idle."""
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(connection)
        elif self._closing or len(self._idle) >= self._limits.max_idle:
            connection.close()
        else:
            connection.idle_since = connection.now()
            self._idle.append(connection)

    def closed(self, connection: Connection) -> None:
        """A connection is of no use any more: its slot goes to the next waiter."""
        self._open.discard(connection)
        if connection.idle_since:
            self._idle.remove(connection)
            self._hasty = self._hasty or self._is_fresh(connection.idle_since, connection)
        elif connection.was_stale:
            self._hasty = True
        self._free_slot()

    def connected(self) -> None:
        """A socket is open."""
        self._sockets += 1

    def disconnected(self) -> None:
        """A socket is gone."""
        self._sockets -= 1
        if not self._sockets and self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def own_upload(self, task: asyncio.Task[None]) -> None:
        """Keeps an upload until it has ended."""
        self._uploads.add(task)
        task.add_done_callback(self._uploads.discard)

    # Getting a connection.

    def _take(self, *, careful: bool, kept: bool = False) -> Connection | None:
        """The idle connection that was used last, if nobody waits for one.

        Args:
            careful: the request can't be sent twice: look at the socket itself, since a close that
                has arrived but was not yet told to us would cost the visitor an error.
            kept: it would cost nobody anything, and is hardly to be expected of a connection just used.
        """
        while self._idle:
            connection = self._idle.pop()
            released, connection.idle_since = connection.idle_since, 0.0
            trusting = kept and not self._hasty and self._is_fresh(released, connection)
            look = careful and not trusting
            if connection.usable and not (look and connection.has_input()):
                return connection
            connection.close()
        return None

    def _is_fresh(self, released: float, connection: Connection) -> bool:
        return connection.now() - released < _FRESH_SECONDS

    async def _acquire(self, *, fresh: bool = False) -> Connection:
        """Opens a connection, or waits for one.

        Args:
            fresh: rather a new one than an idle one, which may be as stale as the last was.
        """
        while True:
            if self._closing:
                raise self._peer.failed(ConnectFailed, "the pool is closed")
            if fresh and self._slots >= self._limits.max_connections and self._idle:
                self._idle[0].close()
            if self._slots < self._limits.max_connections:
                self._slots += 1
                return await self._connect()
            connection = await self._wait_for_turn()
            if connection is None:
                return await self._connect()
            if connection.usable:
                return connection
            connection.close()

    async def _wait_for_turn(self) -> Connection | None:
        """Waits for a released connection, or for a slot (None), which is then ours."""
        if len(self._waiters) >= self._limits.max_waiters:
            raise self._peer.failed(PoolTimeout, f"{self._limits.max_waiters} requests wait for a connection")
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        self._waiters.append(waiter)
        timer = loop.call_later(self._timeouts.pool, self._waited_too_long, waiter)
        try:
            return await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._return(waiter.result())  # cancelled after its turn had come
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            raise
        finally:
            timer.cancel()

    def _return(self, turn: Connection | None) -> None:
        """Gives an unused turn to the next."""
        if turn is None:
            self._free_slot()
        elif turn.usable:
            self.released(turn)
        else:
            turn.close()

    def _waited_too_long(self, waiter: asyncio.Future[Connection | None]) -> None:
        if not waiter.done():
            what = f"all {self._limits.max_connections} connections busy for {self._timeouts.pool:g} s"
            waiter.set_exception(self._peer.failed(PoolTimeout, what))

    def _next_waiter(self) -> asyncio.Future[Connection | None] | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _free_slot(self) -> None:
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(None)  # the slot stays taken, for the waiter
        else:
            self._slots -= 1

    async def _connect(self) -> Connection:
        """Opens a connection in a slot that is already ours; frees the slot if that fails."""
        loop = asyncio.get_running_loop()
        connection = Connection(self, self._peer, self._limits, self._timeouts, loop)
        self._open.add(connection)
        try:
            async with asyncio.timeout(self._timeouts.connect):
                await self._open_socket(loop, connection)
        except TimeoutError as error:
            connection.never_opened()
            what = f"no connection within {self._timeouts.connect:g} s"
            raise self._peer.failed(ConnectFailed, what) from error
        except OSError as error:
            connection.never_opened()
            what = f"can't connect: {error.strerror or error or type(error).__name__}"
            raise self._peer.failed(ConnectFailed, what) from error
        except BaseException:
            connection.never_opened()
            raise
        if not connection.usable:
            connection.close()
            raise self._peer.failed(ConnectFailed, "the connection was closed as soon as it was open")
        if self._timer is None and not self._closing:
            self._timer = loop.call_later(self._tick_seconds, self._tick, loop)
        return connection

    async def _open_socket(self, loop: asyncio.AbstractEventLoop, connection: Connection) -> None:
        origin = self._origin
        name = origin.host if self._ssl is not None else None
        if origin.uds is not None:
            await loop.create_unix_connection(
                lambda: connection, origin.uds, ssl=self._ssl, server_hostname=name
            )
        else:
            await loop.create_connection(
                lambda: connection, origin.host, origin.port, ssl=self._ssl, server_hostname=name
            )

    # Deadlines.

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends what has waited too long."""
        now = loop.time()
        for connection in [each for each in self._open if each.deadline <= now]:
            connection.expire()
        oldest = now - self._limits.idle_seconds
        while self._idle and self._idle[0].idle_since <= oldest:
            self._idle[0].close()
        self._timer = loop.call_later(self._tick_seconds, self._tick, loop) if self._open else None


def _default_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
