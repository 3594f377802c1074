"""``python -m benchmarks.eval.http``: the engine over HTTP, beside a stub that answers a constant."""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from benchmarks.eval.data import Session, read_sessions
from benchmarks.eval.latency import fill

HERE = Path(__file__).resolve()
DATA = Path(os.environ.get("DATACUE_TEST_DATA", HERE.parents[3] / "shared" / "data"))
CLICKS = 70_000
CONNECTIONS = 16
SECONDS = 5.0
RATES = (100, 200, 400, 800)
ENGINE = """
import sys, uvicorn
from proxy.engine import create_engine
app = create_engine(sys.argv[1], api_key="key", api_secret="secret")
config = uvicorn.Config(app, fd=int(sys.argv[2]), log_level="error", access_log=False, loop="uvloop")
uvicorn.Server(config).run()
"""
STUB = """
import sys, uvicorn
ANSWER = b"x" * 4_000
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4000")]})
    await send({"type": "http.response.body", "body": ANSWER})
config = uvicorn.Config(app, fd=int(sys.argv[2]), log_level="error", access_log=False, loop="uvloop")
uvicorn.Server(config).run()
"""


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.eval.http", description=__doc__)
    options.add_argument("--rates", type=int, nargs="*", default=RATES, help="requests per second")
    chosen = options.parse_args()
    train = read_sessions(DATA / "serenade" / "train.tsv.gz")
    test = read_sessions(DATA / "serenade" / "valid.tsv.gz")
    print(f"After {CLICKS:,} clicks, {CONNECTIONS} connections, {SECONDS:.0f} s each; goal p90 7 ms.\n")
    print("|        | asked/s | done/s | p50 ms | p90 ms | p99 ms |")
    print("|--------|--------:|-------:|-------:|-------:|-------:|")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "engine.db"
        fill(data, train, test, CLICKS)
        for rate in chosen.rates:
            for name, source in (("stub", STUB), ("engine", ENGINE)):
                run(name, source, data, rate, test)


def run(name: str, source: str, data: Path, rate: int, test: list[Session]) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1_024)
    listener.set_inheritable(True)
    child = subprocess.Popen(
        [sys.executable, "-c", source, str(data), str(listener.fileno())], pass_fds=[listener.fileno()]
    )
    address = listener.getsockname()
    listener.close()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            taken = runner.run(load(address, rate, test))
    finally:
        child.terminate()
        child.wait()
    taken.sort()
    figures = [taken[int(len(taken) * share)] * 1000 for share in (0.5, 0.9, 0.99)]
    cells = " | ".join(f"{figure:6.2f}" for figure in figures)
    print(f"| {name:6} | {rate:7} | {len(taken) / SECONDS:6.0f} | {cells} |", flush=True)


async def load(address: tuple[str, int], rate: int, test: list[Session]) -> list[float]:
    """Requests at a fixed rate, whether or not the last one is answered: no coordinated omission."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection(*address))
    draw = random.Random(1)
    taken: list[float] = []
    await exchange(free, message(draw, test), time.perf_counter(), [])  # the child is up once it answers
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * SECONDS)):
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(exchange(free, message(draw, test), due, taken))
    return taken


async def exchange(
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]],
    request: bytes,
    due: float,
    taken: list[float],
) -> None:
    reader, writer = await free.get()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    taken.append(time.perf_counter() - due)
    free.put_nowait((reader, writer))


def message(draw: random.Random, test: list[Session]) -> bytes:
    """A product page three times in four, else the home page."""
    number = draw.randrange(len(test))
    event: dict[str, object] = {"type": "pageview", "subtype": "home"}
    if draw.random() < 0.75:
        product = str(draw.choice(test[number].items))
        event = {"type": "pageview", "subtype": "product", "product_id": product}
    body = json.dumps({"user": {"anonymous_id": f"v{number}"}, "event": event}).encode()
    key = base64.b64encode(b"key:").decode()
    head = (
        f"POST / HTTP/1.1\r\nhost: e\r\nauthorization: Basic {key}\r\n"
        f"prefer: return=representation\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    main()
