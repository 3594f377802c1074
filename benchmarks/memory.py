"""What connections cost: 1,000 that are idle, and 1,000 whose page is on its way."""

from __future__ import annotations

import resource
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from benchmarks import nginx
from benchmarks.contestants import BROWSER, Contestant, proxy, stage
from benchmarks.page import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from benchmarks.process import Server

COUNT = 1000
GOALS = (15.0, 100.0)
"""MB for 1,000 connections: idle, streaming."""

SETTLE_SECONDS = 2.0
TIMEOUT = 30.0
SOCKETS = 4 * COUNT


@dataclass(frozen=True)
class Memory:
    """Megabytes that 1,000 connections add to the worker's resident set."""

    idle: float
    streaming: float


def measure(folder: Path) -> Memory:
    """Opens 1,000 connections, twice.

    Raises:
        StartFailed, WrongAnswer, OSError: it doesn't run as it should.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(SOCKETS, most), most))
    with stage(folder) as field, proxy(folder / "idle", field.shop, field.events) as server:
        ours = Contestant("idle", "this proxy", server)
        ours.invite()
        idle = _added(ours, answered=True)
    with (
        nginx.events(folder / "events-2") as events,
        HaltingShop() as halting,
        proxy(folder / "streaming", halting, events) as server,
    ):
        ours = Contestant("streaming", "this proxy", server)
        streaming = _added(ours, answered=False)
    return Memory(idle, streaming)


def _added(ours: Contestant, *, answered: bool) -> float:
    """Megabytes more with ``COUNT`` connections than with one."""
    fields = dict(BROWSER) | {"Host": "shop.example", "Accept-Encoding": "identity"}
    if ours.cookies:
        fields["Cookie"] = ours.cookies[0]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    request = f"GET {ours.path} HTTP/1.1\r\n{head}\r\n".encode()
    with ExitStack() as stack:

        def one() -> None:
            connection = stack.enter_context(
                socket.create_connection(("127.0.0.1", ours.server.port), TIMEOUT)
            )
            connection.sendall(request)
            got = connection.recv(65536)
            while answered and b"</html>" not in got[-64:]:
                got += connection.recv(65536)

        one()
        before = resident(ours.server)
        for _ in range(COUNT):
            one()
        time.sleep(SETTLE_SECONDS)
        return resident(ours.server) - before


def resident(server: Server) -> float:
    """Megabytes of anonymous memory of a server's biggest process: its worker."""
    return max(_anonymous(pid) for pid in _processes(server.process.pid))


def _anonymous(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1000
    return 0.0


def _processes(root: int) -> Iterator[int]:
    yield root
    for path in Path(f"/proc/{root}/task").iterdir():
        for child in (path / "children").read_text(encoding="ascii").split():
            yield from _processes(int(child))


class HaltingShop:
    """A shop that sends half of a page and then waits, for as many as come.

    Attributes:
        port: where it listens on 127.0.0.1.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=SOCKETS)
        self.port: int = self._listener.getsockname()[1]
        self._kept: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(TIMEOUT)
        for connection in self._kept:
            connection.close()

    def _serve(self) -> None:
        half = PAGE[: len(PAGE) // 2]
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._kept.append(connection)
            connection.recv(65536)
            connection.sendall(head % len(PAGE) + half)
