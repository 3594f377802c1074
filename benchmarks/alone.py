"""What the Python of a page costs: the whole product between transports that do nothing.

``python -m benchmarks.alone``. No kernel, no peers, no other core: what a step gains shows here before it
shows beside nginx. With ``--beside FOLDER`` another checkout runs in turn with this one, and the ratio is of
neighbouring rounds. ``--profile`` says where the time goes, by samples.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any, cast

import uvicorn
import uvloop
from uvicorn.server import ServerState

from benchmarks.answers import PLACES, PRODUCTS_A_PLACE, answer, product
from benchmarks.contestants import BROWSER, ROOT, SETTINGS, VISITORS
from benchmarks.page import PAGE, PATH, widgets_of
from proxy import logs
from proxy.metrics import Metrics
from proxy.server import create_app, public_server
from proxy.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from proxy.edge.protocol import EdgeProtocol

SHOP, EVENTS = 1, 2
"""Ports, for telling the two apart: nobody listens there, and nobody asks."""

CONNECTIONS = 16
BATCH = 2000
"""Pages between two looks at the clock; the answers to them are made before."""

KINDS = {
    "through": "passing through",
    "same": "lists seen before",
    "lists": "every list another",
    "unseen": "products never seen",
}

SAMPLE_SECONDS = 0.001
"""The kernel's clock ticks more slowly, as a rule: 4 ms."""

LINES = 15
"""Of those that take most, in a profile."""

SHOP_HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n"
    b'Last-Modified: Mon, 23 Nov 2026 11:00:00 GMT\r\nConnection: keep-alive\r\nETag: "6740-61a8"\r\n'
    b"Accept-Ranges: bytes\r\n\r\n"
)
EVENTS_HEAD = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n"
)

_COOKIE = re.compile(rb"(?i)\r\nset-cookie: ([^;]*)")


class Transport:
    """Takes what is written, in memory.

    Args:
        wrote: called with the pieces of each write.
    """

    def __init__(self, wrote: Callable[[list[bytes]], None]) -> None:
        self._wrote = wrote
        # Whoever looks for the socket gets a real one, on which nothing ever comes.
        self._socket, self._other = socket.socketpair()

    def write(self, data: bytes) -> None:
        self._wrote([data])

    def writelines(self, data: list[bytes]) -> None:
        self._wrote(data)

    def get_extra_info(self, name: str, default: object = None) -> object:
        if name == "socket":
            return self._socket
        return ("127.0.0.1", 50000) if name in {"peername", "sockname"} else default

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading

    def close(self) -> None:
        self._socket.close()
        self._other.close()

    abort = close


class Loop(uvloop.Loop):
    """A loop whose connections lead to peers in memory.

    Attributes:
        peers: by port, what answers a request.
    """

    peers: dict[int, Callable[[], bytes]]

    async def create_connection(self, factory: Any, host: Any = None, port: Any = None, **_more: Any) -> Any:
        """See asyncio."""
        del host
        protocol, answered = factory(), self.peers[port]
        transport = Transport(lambda _: self.call_soon(protocol.data_received, answered()))
        protocol.connection_made(transport)
        return transport, protocol


class Bench:
    """Visitors in memory, in front of the product as ``run`` makes it.

    Args:
        loop: has the peers.
        protocol: makes a connection.
    """

    def __init__(self, loop: Loop, protocol: Callable[[], EdgeProtocol]) -> None:
        self._loop = loop
        self._protocol = protocol
        self._head = f"GET {PATH} HTTP/1.1\r\nHost: shop.example\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in BROWSER.items()
        )
        self._requests: Iterator[bytes] = cycle([self._head.encode() + b"\r\n"])
        self._left = 0
        self._open = 0
        self._done: asyncio.Future[None]
        self._clients = [self._client() for _ in range(CONNECTIONS)]
        self.last = b""

    def _client(self) -> Callable[[], None]:
        protocol = self._protocol()
        pieces: list[bytes] = []

        def ask() -> None:
            # As it comes from a socket: an object of its own, of which nothing is known.
            protocol.data_received(bytes(memoryview(next(self._requests))))

        def wrote(data: list[bytes]) -> None:
            pieces.extend(data)
            if not data[-1].endswith((b"\r\n0\r\n\r\n", b"</html>\n")):
                return
            if self._open == 1:
                self.last = b"".join(pieces)
            pieces.clear()
            if self._left:
                self._left -= 1
                self._loop.call_soon(ask)
            else:
                self._open -= 1
                if not self._open:
                    self._done.set_result(None)

        protocol.connection_made(cast("asyncio.Transport", Transport(wrote)))
        return ask

    async def serve(self, pages: int) -> float:
        """Microseconds of CPU time a page."""
        self._done = self._loop.create_future()
        clients = self._clients[:pages]
        self._open, self._left = len(clients), pages - len(clients)
        began = time.process_time()
        for ask in clients:
            ask()
        await self._done
        return (time.process_time() - began) / pages * 1e6

    async def invite(self) -> None:
        """Visitors come, and keep their cookies."""
        cookies = []
        for _ in range(VISITORS):
            await self.serve(1)
            cookie = _COOKIE.search(self.last.partition(b"\r\n\r\n")[0])
            assert cookie is not None, "a new visitor got no cookie"
            cookies.append(cookie[1])
        head = self._head.encode()
        self._requests = cycle([b"%bCookie: %b\r\n\r\n" % (head, cookie) for cookie in cookies])


def answers(kind: str) -> Callable[[], bytes]:
    """Makes an answer of the events endpoint: see ``answers.py``."""
    random = Random(1)
    numbers = iter(range(10**9))
    known = [product(str(number), number) for number in range(PLACES * PRODUCTS_A_PLACE)]

    def make() -> bytes:
        if kind == "lists":
            picked = (
                place * PRODUCTS_A_PLACE + random.randrange(PRODUCTS_A_PLACE) for place in range(PLACES)
            )
            body = answer([known[number] for number in picked])
        elif kind == "unseen":
            number = next(numbers)
            body = answer([product(f"7-{number}-{place}", place) for place in range(PLACES)])
        else:
            body = answer([product(str(1001 + place), place) for place in range(PLACES)])
        return EVENTS_HEAD % len(body) + body.encode()

    return make


async def run(kind: str, batches: int, folder: Path, *, profile: bool) -> list[float]:
    """Microseconds a page, of each batch."""
    loop = cast("Loop", asyncio.get_running_loop())
    config = folder / "datacue.toml"
    config.write_text(
        SETTINGS.format(
            shop=SHOP, events=EVENTS, answers="", port=0, admin=0, folder=folder, deadline=5, workers=1,
            kind="none" if kind == "through" else "product", page_cache=0, view_window=5,
        )
    )  # fmt: skip
    settings, metrics = load(config), Metrics()
    app = create_app(settings, metrics, logs.configure("warning", "json"))
    whole = SHOP_HEAD % len(PAGE) + PAGE
    make = answers(kind)
    prepared: list[bytes] = []
    loop.peers = {
        SHOP: lambda: bytes(memoryview(whole)),
        EVENTS: lambda: bytes(memoryview(prepared.pop())),
    }
    await app.open()
    http = cast("type[EdgeProtocol]", public_server(app, settings, metrics).config.http)
    served = uvicorn.Config(app, lifespan="off", log_config=None)
    served.load()
    state = ServerState()
    state.default_headers = [(b"date", b"Mon, 23 Nov 2026 12:00:00 GMT")]
    bench = Bench(loop, lambda: http(served, state, {}, loop))
    if kind != "through":
        prepared += [make() for _ in range(VISITORS)]
        await bench.invite()
        body = b"".join(_unchunked(bench.last.partition(b"\r\n\r\n")[2]))
        cards = sum(widget.count(b'<li class="datacue-rec"') for widget in widgets_of(body))
        assert cards == PLACES, f"{cards} products in the page"
    gc.collect()
    gc.freeze()
    found = []
    sampler = Sampler()
    for number in range(-max(3, batches // 3), batches):  # the first warm up
        prepared += [make() for _ in range(BATCH)]
        if profile and number >= 0:
            with sampler:
                took = await bench.serve(BATCH)
        else:
            took = await bench.serve(BATCH)
        prepared.clear()
        if number >= 0:
            found.append(took)
    await app.aclose()
    if profile:
        print(sampler.table(median(found)))
    return found


def _unchunked(body: bytes) -> Iterator[bytes]:
    while body:
        size, _, body = body.partition(b"\r\n")
        yield body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]


STEPS = {
    "the request read": {"EdgeProtocol.data_received"},
    "who asks, for what, and what becomes of it": {"Personalization.direct"},
    "the event made and sent, the page view noted": {"PageView.begin"},
    "the shop asked": {"Relay.begun", "Swift.begun"},
    "answers taken from their connections": {"Connection.data_received"},
    "DataCue's answer read": {"_Reply.end"},
    "the shop's answer judged, the page known": {"Swift.begin", "Swift._readable", "Relay.begin"},
    "slots filled: which, from what": {"Swift._whole"},
    "lists: looked up, joined": {"Renderer._list"},
    "cards: looked up, noted": {"Renderer._cards_of"},
    "products decoded and checked": {"decode_product"},
    "what a card says, and its link": {"Cards.product"},
    "a card's template": {"Renderer._guarded"},
    "the answer written": {"Swift._finish", "Relay.end"},
    "the turn's end": {"Turn._end"},
}
"""Steps of a page, by the functions that they begin in; what begins within another one is not that one's."""

_STEP_OF = {function: step for step, functions in STEPS.items() for function in functions}


class Sampler:
    """Which line runs, and in which step of a page, every few milliseconds of CPU time."""

    def __init__(self) -> None:
        self._lines: Counter[str] = Counter()
        self._steps: Counter[str] = Counter()

    def __enter__(self) -> None:
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_SECONDS, SAMPLE_SECONDS)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _look(self, _number: int, frame: FrameType | None) -> None:
        line = step = ""
        while frame is not None and not step:
            code = frame.f_code
            if "/proxy/" in code.co_filename:
                line = line or f"{Path(code.co_filename).stem}.py:{frame.f_lineno} {code.co_qualname}"
                step = _STEP_OF.get(code.co_qualname, "")
            frame = frame.f_back
        if step:
            self._lines[line] += 1
            self._steps[step] += 1

    def table(self, page: float) -> str:
        """Microseconds of a page by step, and the lines that take most."""
        total = sum(self._steps.values()) or 1
        rows = [f"{page:.1f} µs a page, {total} samples"]
        rows += [f"{self._steps[step] / total * page:7.1f}  {step}" for step in STEPS if self._steps[step]]
        rows += [f"{count / total * page:7.2f}  {line}" for line, count in self._lines.most_common(LINES)]
        return "\n".join(rows)


def _turn(tree: Path, kind: str, batches: int) -> list[float]:
    """One run of a checkout, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.alone", "--one", kind, "--batches", str(batches)]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, env=environment, cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{tree}: {done.stderr}")
    found: list[float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measures, and prints a line a kind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alone", description=__doc__)
    parser.add_argument(
        "kinds", nargs="*", type=_kind, metavar="KIND", help=f"{', '.join(KINDS)} (default: all)"
    )
    parser.add_argument("--batches", type=int, default=15, help=f"of {BATCH} pages each (default 15)")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each (default 3)")
    parser.add_argument("--beside", type=Path, metavar="FOLDER", help="another checkout, run in turn")
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    parser.add_argument("--one", choices=[*KINDS], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(_measured(given.one, given.batches)))
        return
    for kind in given.kinds or KINDS:
        if given.profile:
            print(f"-- {KINDS[kind]}")
            _measured(kind, given.batches, profile=True)
        else:
            print(_compared(kind, given.batches, given.rounds, given.beside), flush=True)


def _kind(name: str) -> str:
    """One of ``KINDS``.

    Raises:
        ArgumentTypeError: there is none of that name.
    """
    if name not in KINDS:
        raise argparse.ArgumentTypeError(f"{name!r} is no kind of page: {', '.join(KINDS)}")
    return name


def _measured(kind: str, batches: int, *, profile: bool = False) -> list[float]:
    """Microseconds a page in this process, of each batch."""
    with tempfile.TemporaryDirectory(prefix="alone-") as name, asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(run(kind, batches, Path(name), profile=profile))


def _compared(kind: str, batches: int, rounds: int, beside: Path | None) -> str:
    """A line about this checkout, and about another one beside it."""
    here, there = [], []
    for _ in range(rounds):
        here.append(min(_turn(ROOT, kind, batches)))
        if beside is not None:
            there.append(min(_turn(beside.resolve(), kind, batches)))
    line = f"{KINDS[kind]:22} {median(here):6.1f} µs a page [{min(here):.1f}..{max(here):.1f}]"
    if there:
        ratios = [ours / theirs for ours, theirs in zip(here, there, strict=True)]
        line += f", there {median(there):6.1f}"
        line += f", ratio {median(ratios):.3f} [{min(ratios):.3f}..{max(ratios):.3f}]"
    return line


if __name__ == "__main__":
    main()
