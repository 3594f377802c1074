"""The workers of one machine, and how one asks another.

Each listens on a unix socket in a folder that all of them see. The folder is the list of those who live: who
comes puts its socket there, who goes takes it away, and who was killed is found out at the next question. So
all agree at any moment on who is responsible for a key, by rendezvous hashing (Thaler and Ravishankar, 1998):
when one goes, only its keys move.

What is asked travels as HTTP/1.1 over `Pool`, whose waits, limits and broken connections are looked after.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from hashlib import blake2b
from typing import TYPE_CHECKING

from proxy.errors import ConnectFailed, SettingsError, UnexpectedAnswer
from proxy.http1 import Limits, Origin, Pool, Timeouts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

MAX_MESSAGE = 64 * 1024
"""Bytes of a question: ids, a page's facts and a browser's name; a profile is the most of it."""

MAX_ANSWER = 2 << 20
"""Bytes of an answer: twice what the vendor's may have, which is most of it."""

MAX_HEAD = 1024
"""Bytes of a message's head: it is always the same three lines."""

CONNECTIONS = 64
"""Connections to one neighbour: as many questions in flight as deadlines of 0.3 s leave at 200 a second."""

BACKLOG = 128
"""Connections that the kernel holds while a worker is busy."""

SETTLED_SECONDS = 1.0
"""Age of the folder's last change from which its time can be trusted: clocks of file systems tick some
hundred times a second, and two changes in one tick look like one."""

CLOSE_SECONDS = 2.0
"""At the end, for neighbours' questions that are being answered."""

HEAD = b"POST / HTTP/1.1\r\nHost: worker\r\nContent-Length: %d\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
LENGTH = b"Content-Length: "
OK = 200


class Neighbours:
    """One worker among those of its machine.

    Args:
        folder: of the sockets; on a local disk, nobody else's.
        serve: answers a neighbour's question; what it raises, the neighbour sees as a broken connection.
        name: among the others; it begins with the process's number, by which the others see that we live.
    """

    def __init__(
        self, folder: Path, serve: Callable[[bytes], Awaitable[bytes]], name: str | None = None
    ) -> None:
        self._folder = folder
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._pools: dict[str, Pool] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._names: list[str] = []
        self._seen = -1
        self.name = name or str(os.getpid())

    def __repr__(self) -> str:
        return f"Neighbours({self.name})"

    async def open(self) -> None:
        """Listens, and joins the others.

        Raises:
            SettingsError: the folder can't be used.
        """
        place = self._folder / self.name
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            aside = self._folder / f".{self.name}"
            listener.bind(str(aside))
            aside.chmod(0o600)
            listener.listen(BACKLOG)
            listener.setblocking(False)
            aside.rename(place)  # seen by the others when it answers, not before
        except OSError as error:
            listener.close()
            problem = f"{self._folder} can't be used: {(error.strerror or str(error)).lower()}"
            raise SettingsError("state_dir", problem, "Name a folder that this user may write to.") from None
        self._server = await asyncio.start_unix_server(self._accept, sock=listener, limit=MAX_HEAD)

    async def aclose(self) -> None:
        """Leaves the others, answers what they have asked, and closes."""
        with contextlib.suppress(OSError):
            (self._folder / self.name).unlink()
        if self._server is not None:
            self._server.close()
        if self._serving:
            await asyncio.wait(tuple(self._serving), timeout=CLOSE_SECONDS)
        for writer in tuple(self._writers):
            writer.close()
        for task in tuple(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await asyncio.gather(*[pool.aclose() for pool in self._pools.values()], *self._closing)

    # Who is there.

    def all(self) -> list[str]:
        """The workers that live, ourselves among them."""
        try:
            changed = self._folder.stat().st_mtime_ns
            if changed != self._seen or time.time() - changed / 1e9 < SETTLED_SECONDS:
                self._names = sorted(path.name for path in self._folder.iterdir() if path.name[0] != ".")
                self._seen = changed
        except OSError:  # somebody took the folder away: everybody is alone
            self._names = []
        return self._names or [self.name]

    def responsible(self, key: bytes) -> list[str]:
        """The workers in the order in which they are responsible for a key."""
        return sorted(self.all(), key=lambda name: blake2b(name.encode() + key, digest_size=8).digest())

    # Asking.

    async def ask(self, name: str, question: bytes, seconds: float) -> bytes:
        """What a neighbour answers.

        Args:
            name: of the neighbour.
            question: for its ``serve``.
            seconds: that it may take.

        Raises:
            PeerError: it has gone, broke off, or has no answer.
            TimeoutError: it takes too long.
        """
        message = HEAD % len(question) + question
        try:
            async with asyncio.timeout(seconds):
                answer = await self._pool(name).fetch(message, limit=MAX_ANSWER)
        except ConnectFailed:
            self._bury(name)
            raise
        if answer.status != OK:
            raise UnexpectedAnswer(f"worker {name} answered {answer.status}", "proxy", answer.status)
        return answer.body

    def _pool(self, name: str) -> Pool:
        pool = self._pools.get(name)
        if pool is None:
            for gone in self._pools.keys() - set(self.all()):
                self._drop(gone)
            origin = Origin.parse("http://worker/", uds=str(self._folder / name))
            limits, wait = Limits(max_connections=CONNECTIONS), Timeouts()
            pool = self._pools[name] = Pool(origin, source="proxy", limits=limits, timeouts=wait)
        return pool

    def _bury(self, name: str) -> None:
        """Takes away the socket of a worker that was killed."""
        with contextlib.suppress(OSError, ValueError):
            try:
                os.kill(int(name.partition("-")[0]), 0)
            except ProcessLookupError:
                (self._folder / name).unlink()

    def _drop(self, name: str) -> None:
        task = asyncio.get_running_loop().create_task(self._pools.pop(name).aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    # Answering.

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one question after the other on a neighbour's connection."""
        self._writers.add(writer)
        loop = asyncio.get_running_loop()
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.rpartition(LENGTH)[2])
                if size > MAX_MESSAGE:
                    return
                question = await reader.readexactly(size)
                task = loop.create_task(self._answer(question, writer))
                self._serving.add(task)
                task.add_done_callback(self._serving.discard)
                await task
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            pass  # it went, or isn't one of us
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, question: bytes, writer: asyncio.StreamWriter) -> None:
        answer = await self._serve(question)
        writer.write(ANSWER % len(answer) + answer)
        await writer.drain()
