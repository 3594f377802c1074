"""What fetching a page costs: proxy.http1 beside httpx and beside a client that checks nothing.

Run it by hand: ``python -m benchmarks.micro_http1``. nginx serves a 25 KB page over loopback; each client
takes it with 16 connections, in turn, several rounds; printed are the medians. The bare client is the
floor: an asyncio protocol that finds the length and counts bytes.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import httpx
import uvloop

from benchmarks import nginx
from benchmarks.page import PAGE, PATH
from proxy.http1 import Limits, Origin, Pool, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CONNECTIONS = 16
ROUNDS = 5
REQUESTS = {"bare protocol": 8000, "Pool.send": 8000, "Pool.fetch": 8000, "httpx": 600}


class Bare(asyncio.Protocol):
    """Sends, counts, wakes: what no client can do without."""

    waiter: asyncio.Future[None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.left = -1

    def data_received(self, data: bytes) -> None:
        if self.left < 0:
            end = data.index(b"\r\n\r\n") + 4
            at = data.index(b"Content-Length: ") + 16
            self.left = int(data[at : data.index(b"\r", at)]) + end
        self.left -= len(data)
        if not self.left:
            self.left = -1
            self.waiter.set_result(None)


async def run(clients: dict[str, Callable[[], Awaitable[None]]]) -> dict[str, list[tuple[float, float]]]:
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in clients}
    for _ in range(ROUNDS):
        for name, fetch in clients.items():
            count = REQUESTS[name] // CONNECTIONS

            async def visitor(fetch: Callable[[], Awaitable[None]] = fetch, count: int = count) -> None:
                for _ in range(count):
                    await fetch()

            gc.collect()
            cpu, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
            await asyncio.gather(*(visitor() for _ in range(CONNECTIONS)))
            seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
            used = after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime
            results[name].append((count * CONNECTIONS / seconds, used / (count * CONNECTIONS) * 1e6))
    return results


async def measure(port: int) -> None:
    origin = Origin.parse(f"http://127.0.0.1:{port}")
    pool = Pool(origin, source="shop", limits=Limits(max_connections=CONNECTIONS))
    headers = [(b"host", origin.authority), (b"accept", b"text/html"), (b"user-agent", b"bench")]
    message = (
        b"GET " + PATH.encode() + b" HTTP/1.1\r\nhost: a\r\naccept: text/html\r\nuser-agent: bench\r\n\r\n"
    )
    loop = asyncio.get_running_loop()
    bare = [(await loop.create_connection(Bare, origin.host, origin.port))[1] for _ in range(CONNECTIONS)]

    async def by_bare() -> None:
        protocol = bare.pop()
        protocol.waiter = loop.create_future()
        protocol.transport.write(message)
        await protocol.waiter
        bare.append(protocol)

    async def by_send() -> None:
        response = await pool.send(Request(b"GET", PATH.encode(), headers))
        size = 0
        while part := await response.read():
            size += len(part)
        assert size == len(PAGE)

    async def by_fetch() -> None:
        assert len((await pool.fetch(message, limit=100_000, idempotent=True)).body) == len(PAGE)

    async with httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=CONNECTIONS)) as client:

        async def by_httpx() -> None:
            assert len((await client.get(f"{origin}{PATH}")).content) == len(PAGE)

        clients: dict[str, Callable[[], Awaitable[None]]] = {
            "bare protocol": by_bare,
            "Pool.send": by_send,
            "Pool.fetch": by_fetch,
            "httpx": by_httpx,
        }
        results = await run(clients)
    await pool.aclose()
    for protocol in bare:
        protocol.transport.close()
    floor = statistics.median(rate for rate, _ in results["bare protocol"])
    print(f"{'client':<16}{'requests/s':>12}{'CPU us each':>14}{'of bare':>10}")
    for name, rounds in results.items():
        rate, cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"{name:<16}{rate:>12,.0f}{cpu:>14.1f}{rate / floor:>10.2f}")


def main() -> int:
    if nginx.binary() is None:
        print("no nginx on the PATH")
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker may run as another user
        with nginx.shop(folder / "shop") as shop:
            uvloop.run(measure(shop.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
