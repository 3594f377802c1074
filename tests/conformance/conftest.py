"""The edge on a real socket: a uvicorn server in a thread, and clients that write bytes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Protocol

import pytest
import uvicorn

from proxy.edge import EdgeLimits, hardened
from proxy.turn import BEGINNINGS, Turn

Message = MutableMapping[str, Any]
App = Callable[[Any, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

PATIENCE = 20.0
"""Seconds after which a test fails instead of waiting on; nothing here takes a tenth of it."""


class Edge:
    """A server with the hardened protocol in front of one app, and of what may answer in its place."""

    def __init__(
        self, app: App, limits: EdgeLimits | None, loop: str, direct: Any = None, *, lifespan: bool = False
    ) -> None:
        self.refused: list[str] = []
        self.failures: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self.listener.getsockname()[1]
        config = uvicorn.Config(
            app,
            http=hardened(limits, self.refused.append, direct),
            ws="none",
            loop=loop,
            lifespan="on" if lifespan else "off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=5,
        )
        self.server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self.server.run, kwargs={"sockets": [self.listener]}, daemon=True
        )
        self._thread.start()

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def connect(self, **options: int) -> socket.socket:
        client = socket.socket()
        for name, value in options.items():
            client.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", self.port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def talk(self, *pieces: bytes) -> bytes:
        """Send each piece by itself, and return everything up to the server's end of the connection."""
        with self.connect() as client:
            for piece in pieces:
                # The server may have had enough already.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    client.sendall(piece)
            return read_to_end(client)


def read_to_end(client: socket.socket) -> bytes:
    """All bytes up to FIN; a reset is an error."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def fill(client: socket.socket, block: bytes) -> int:
    """Send until nothing moves any more; return how many bytes went."""
    client.settimeout(0.5)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while True:
            sent += client.send(block)
    client.settimeout(PATIENCE)
    return sent


def read_until(client: socket.socket, end: bytes) -> bytes:
    came = b""
    while not came.endswith(end):
        more = client.recv(65536)
        assert more, f"connection ended after {came!r}"
        came += more
    return came


class Serve(Protocol):
    def __call__(self, app: App, limits: EdgeLimits | None = None) -> Edge: ...


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def loop_name(request: pytest.FixtureRequest) -> str:
    """Transports differ in what they do at once and what later."""
    return str(request.param)


@pytest.fixture
def serve(loop_name: str) -> Iterator[Serve]:
    with contextlib.ExitStack() as stack:

        def start(app: App, limits: EdgeLimits | None = None) -> Edge:
            edge = Edge(app, limits or EdgeLimits(), loop_name)
            stack.callback(edge.stop)
            return edge

        yield start


class Mirror:
    """An app that answers with what it was asked, and remembers it."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.begun = 0

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        self.begun += 1
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            if not message["more_body"]:
                break
        request = {
            "method": scope["method"],
            "target": scope["datacue.target"].decode("latin-1"),
            "path": scope["path"],
            "raw_path": scope["raw_path"].decode("latin-1"),
            "query_string": scope["query_string"].decode("latin-1"),
            "http_version": scope["http_version"],
            "headers": [
                [name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]
            ],
            "extensions": sorted(scope["extensions"]),
            "body": body.decode("latin-1"),
        }
        self.seen.append(request)
        text = json.dumps(request).encode()
        length = b"%d" % len(text)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": text})


class Mirrored:
    """The mirror behind an edge with small limits, for a whole module."""

    def __init__(self, edge: Edge, mirror: Mirror) -> None:
        self.edge = edge
        self.mirror = mirror


@pytest.fixture(scope="module")
def mirror_server(loop_name: str) -> Iterator[Mirrored]:
    mirror = Mirror()
    edge = Edge(mirror, EdgeLimits(body_bytes=1000), loop_name)
    yield Mirrored(edge, mirror)
    edge.stop()


@pytest.fixture
def mirrored(mirror_server: Mirrored) -> Mirrored:
    mirror_server.mirror.seen.clear()
    mirror_server.edge.refused.clear()
    return mirror_server


class Wire(asyncio.Transport):
    """The far end of a connection, for tests that decide on every packet."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.ended = False
        self.paused = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name in {"peername", "sockname"} else default

    def write(self, data: Any) -> None:
        assert not self.ended
        self.sent.append(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.ended

    def pause_reading(self) -> None:
        assert not self.paused
        self.paused = True

    def resume_reading(self) -> None:
        assert self.paused
        self.paused = False


async def turn(loop: asyncio.AbstractEventLoop, times: int = 12) -> None:
    """Let everything run that is ready."""
    for _ in range(times):
        done = loop.create_future()
        loop.call_soon(done.set_result, None)
        await done


class Wired:
    """A connection whose every packet a test decides on, and what it came to."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.mirror = Mirror()
        self.refused: list[str] = []
        config = uvicorn.Config(self.mirror, http=hardened(), ws="none", lifespan="off", log_config=None)
        config.load()
        self.state = uvicorn.server.ServerState()
        protocol = hardened(EdgeLimits(body_bytes=1000), self.refused.append)
        self.connection = protocol(config, self.state, {}, loop)
        self.wire = Wire()
        self.connection.connection_made(self.wire)


@pytest.fixture
async def wired() -> Wired:
    return Wired()


@pytest.fixture(scope="session")
def play() -> Callable[..., tuple[bytes, list[dict[str, Any]], bool]]:
    """Give packets to a protocol as they are; return what went out, what the app saw, whether it closed.

    With ``crowd``, as many turns of the loop lie behind each packet, in turn, and each comes in a turn in which
    others have begun as many requests as may be.
    """

    async def run(packets: list[bytes], crowd: list[int] | None) -> tuple[bytes, list[dict[str, Any]], bool]:
        loop = asyncio.get_running_loop()
        wired = Wired()
        connection, wire = wired.connection, wired.wire
        waiting = list(packets)
        while waiting and not wire.ended:
            if not wire.paused:
                if crowd:
                    Turn.of(loop)._begun = BEGINNINGS
                connection.data_received(waiting.pop(0))
            times = crowd[len(waiting) % len(crowd)] if crowd else 12
            await turn(loop, max(times, wire.paused))
        await turn(loop)
        ended = wire.ended
        connection.connection_lost(None)
        await turn(loop)
        assert not wired.state.connections
        assert not wired.state.tasks
        return b"".join(wire.sent), wired.mirror.seen, ended

    return lambda packets, crowd=None: asyncio.run(run(packets, crowd))
