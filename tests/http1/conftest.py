"""A far end that says exactly the bytes it is told to, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from proxy.http1 import Limits, Origin, Pool, Request, Timeouts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Both loops that the product runs on: their transports differ in when they call what."""
    return "asyncio", {"use_uvloop": request.param}


class Wire:
    """One connection, seen from the far end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number
        self.over = asyncio.Event()

    async def head(self) -> bytes:
        """A request's head, to the empty line."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def chunked(self) -> bytes:
        """A chunked request body."""
        body = b""
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        assert await self.reader.readexactly(2) == b"\r\n"
        return body

    async def say(self, data: bytes, *, step: int | None = None) -> None:
        """Sends ``data``, in pieces of ``step`` bytes that arrive one by one."""
        for at in range(0, len(data), step or len(data) or 1):
            if self.writer.is_closing():
                raise ConnectionResetError  # uvloop's transports raise RuntimeError
            self.writer.write(data[at : at + (step or len(data))])
            await self.writer.drain()
            if step:
                await asyncio.sleep(0)

    async def gone(self) -> bytes:
        """What the client still sends until it closes or resets."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""

    def reset(self) -> None:
        """Ends the connection as a crash would."""
        self.writer.transport.abort()


Script = Callable[[Wire], Awaitable[None]]


class FarEnd:
    """A listening far end; every connection runs the script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.connections = 0
        self.wires: list[Wire] = []
        self.failures: list[BaseException] = []
        self.origin = Origin("http", "127.0.0.1", 1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        wire = Wire(reader, writer, self.connections)
        self.wires.append(wire)
        try:
            await self.script(wire)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client has left, as many tests want
        except BaseException as error:  # noqa: BLE001  # told by stop()
            self.failures.append(error)
        finally:
            self._tasks.discard(task)
            wire.over.set()
            writer.close()

    async def stop(self) -> None:
        for wire in self.wires:
            wire.writer.close()
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for failure in self.failures:
            raise failure


@pytest.fixture
async def far_end() -> AsyncIterator[Callable[..., Awaitable[FarEnd]]]:
    """Starts far ends: ``await far_end(script)``; they stop with the test."""
    async with AsyncExitStack() as stack:

        async def start(script: Script, *, uds: Path | None = None, **options: Any) -> FarEnd:
            end = FarEnd(script)
            if uds is not None:
                server = await asyncio.start_unix_server(end.talk, uds, **options)
                end.origin = Origin("http", "shop.test", 80, uds=str(uds))
            else:
                server = await asyncio.start_server(end.talk, "127.0.0.1", 0, **options)
                scheme = "https" if "ssl" in options else "http"
                end.origin = Origin(scheme, "127.0.0.1", server.sockets[0].getsockname()[1])
            stack.push_async_callback(end.stop)
            stack.callback(server.close)
            return end

        yield start


@pytest.fixture
async def pool_to() -> AsyncIterator[Callable[..., Pool]]:
    """Makes pools that are closed with the test; no slot may be left active then."""
    pools: list[Pool] = []

    def make(
        end: FarEnd | Origin, *, limits: dict[str, Any] | None = None, ssl: Any = None, **timeouts: float
    ) -> Pool:
        origin = end.origin if isinstance(end, FarEnd) else end
        pools.append(
            Pool(
                origin,
                source="shop",
                limits=Limits(**limits or {}),
                timeouts=Timeouts(**timeouts),
                ssl_context=ssl,
            )
        )
        return pools[-1]

    yield make
    for pool in pools:
        await pool.aclose()
        assert (pool.active, pool.idle) == (0, 0)


@pytest.fixture
def get() -> Callable[..., Request]:
    """Makes requests: ``get()``, ``get(b"HEAD")``, ``get(b"POST", body=...)``."""

    def make(method: bytes = b"GET", target: bytes = b"/", **more: Any) -> Request:
        headers = [(b"host", b"shop.test"), *more.pop("headers", [])]
        return Request(method, target, headers, **more)

    return make


@pytest.fixture
def says() -> Callable[..., Script]:
    """A script that reads one request and answers with these bytes, request after request."""

    def make(answer: bytes, *, step: int | None = None, close: bool = False) -> Script:
        async def script(wire: Wire) -> None:
            while True:
                await wire.head()
                await wire.say(answer, step=step)
                if close:
                    return

        return script

    return make


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Waits until a condition holds; the test's own timeout is the limit."""

    async def wait(condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(0.001)

    return wait
