"""``python -m benchmarks.eval.growth``: how start and memory grow with the events in the store."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.eval.plot import line_chart
from proxy.engine.engine import Engine
from proxy.engine.store.database import Database
from proxy.engine.wire.events import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_700_000_000.0
YEAR = 365 * 86_400.0
PER_SESSION = 5
PRODUCTS = 100_000
STEPS = (100_000, 500_000, 1_000_000, 2_500_000, 5_000_000)
CHILD = """
import resource, sys, time
from proxy.engine.engine import Engine
from proxy.engine.wire.events import Event, Kind
begun, cpu = time.perf_counter(), time.process_time()
engine = Engine(sys.argv[1], lambda: 1_700_000_000.0, seed=1)
opened, cpu = time.perf_counter() - begun, time.process_time() - cpu
taken = []
for number in range(300):
    who = f"new{number % 40}"
    for event in (
        Event(Kind.PRODUCT, anonymous_id=who, product_id=str(number * 37 % 100_000)),
        Event(Kind.HOME, anonymous_id=who),
    ):
        begun = time.perf_counter()
        engine.events.record(event, rich=True)
        taken.append(time.perf_counter() - begun)
taken.sort()
engine.close()
print(opened, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, taken[len(taken) // 2] * 1e3,
      taken[int(len(taken) * 0.99)] * 1e3)
"""


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.eval.growth", description=__doc__)
    options.add_argument("--plot", type=Path, help="where to write the plot (SVG)")
    options.add_argument("--most", type=int, default=STEPS[-1], help="events at most")
    chosen = options.parse_args()
    lines: dict[str, list[float]] = {"start, CPU s": [], "memory, 100 MB": []}
    steps = [step for step in STEPS if step <= chosen.most]
    print(f"{PRODUCTS:,} products; goals at 5,000,000 events: start 60 s, memory 2,048 MB.\n")
    print("|    events |  start s | CPU s | memory MB |   p50 ms |   p99 ms |")
    print("|----------:|---------:|------:|----------:|---------:|---------:|")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "engine.db"
        describe(data)
        stored = 0
        for step in steps:
            add_events(data, stored, step)
            stored = step
            found = subprocess.run(
                [sys.executable, "-c", CHILD, str(data)], check=True, capture_output=True, text=True
            )
            start, cpu, memory, median, high = map(float, found.stdout.split())
            cells = f"{start:>8.1f} | {cpu:>5.1f} | {memory:>9.0f} | {median:>8.2f} | {high:>8.2f}"
            print(f"| {step:>9,} | {cells} |", flush=True)
            lines["start, CPU s"].append(cpu)
            lines["memory, 100 MB"].append(memory / 100)
    if chosen.plot:
        chosen.plot.write_text(
            line_chart(
                "The engine's start, by events stored", "events", [f"{step:,}" for step in steps], lines
            )
        )


def describe(data: Path) -> None:
    engine = Engine(data, lambda: NOW, seed=1)
    with engine.writing():
        for number in range(PRODUCTS):
            engine.resources.put_product(
                {
                    "product_id": str(number),
                    "variant_id": "v",
                    "category_1": f"category {number % 60}",
                    "category_2": f"category {number % 60}/{number % 600}",
                    "name": f"Article {number} of the line {number % 5_000}",
                    "price": 5.0 + number % 300,
                    "photo_url": f"/{number}.jpg",
                    "link": f"/p/{number}",
                    "stock": 5,
                },
                update=False,
            )
    engine.close()


def add_events(data: Path, first: int, last: int) -> None:
    """Sessions of a few views; a few products are looked at often, most seldom."""
    database = Database(data)
    with database.transaction():
        # What the last measurement asked is not part of the next one.
        database.connection.execute("DELETE FROM events WHERE visitor > ?", (first // PER_SESSION,))
        database.connection.execute("DELETE FROM visitors WHERE visitor > ?", (first // PER_SESSION,))
        sessions = range(first // PER_SESSION, last // PER_SESSION)
        database.connection.executemany(
            "INSERT INTO visitors VALUES (?, ?)", ((each + 1, f"a:{each}") for each in sessions)
        )
        database.connection.executemany(
            "INSERT INTO events (time, visitor, kind, item) VALUES (?, ?, ?, ?)", _views(sessions)
        )
    database.close()


def _views(sessions: range) -> Iterator[tuple[float, int, int, int]]:
    draw = random.Random(sessions.start)
    for each in sessions:
        time = NOW - YEAR + YEAR * each / (STEPS[-1] / PER_SESSION)
        near = int(PRODUCTS * draw.random() ** 3)
        for view in range(PER_SESSION):
            item = (near + int(draw.expovariate(0.05))) % PRODUCTS
            yield time + view * 40.0, each + 1, Kind.PRODUCT, item


if __name__ == "__main__":
    main()
