"""What one event costs inside the engine, stored and answered, once it has seen a number of clicks."""

from __future__ import annotations

import gc
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.engine.engine import Engine
from proxy.engine.wire.events import Event, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.eval.data import Session


def percentiles(
    train: Sequence[Session], test: Sequence[Session], clicks: int
) -> dict[str, tuple[float, float, float]]:
    """Milliseconds by kind of page: median, 99th percentile, and 99th percentile of CPU time alone."""
    now = test[0].times[0]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "engine.db"
        fill(data, train, test, clicks)
        engine = Engine(data, lambda: now, seed=1)
        gc.collect()
        gc.freeze()  # as the application does at its start
        taken: dict[str, list[tuple[float, float]]] = {"product page": [], "home page": []}
        for number, session in enumerate(test):
            for item in session.items:
                who = f"v{number}"
                for name, event in (
                    ("product page", Event(Kind.PRODUCT, anonymous_id=who, product_id=str(item))),
                    ("home page", Event(Kind.HOME, anonymous_id=who)),
                ):
                    begun, cpu = time.perf_counter(), time.thread_time()
                    engine.events.record(event, rich=True)
                    taken[name].append((time.perf_counter() - begun, time.thread_time() - cpu))
        engine.close()
    found = {}
    for name, pairs in taken.items():
        wall, cpu_times = (sorted(each * 1000 for each in times) for times in zip(*pairs, strict=True))
        high = int(len(wall) * 0.99)
        found[name] = (wall[len(wall) // 2], wall[high], cpu_times[high])
    return found


def fill(data: Path, train: Sequence[Session], test: Sequence[Session], clicks: int) -> None:
    """A store with every product described, and the last clicks of the training sessions."""
    engine = Engine(data, lambda: test[0].times[0], seed=1)
    with engine.writing():
        numbers = {}
        for item in sorted({item for session in (*train, *test) for item in session.items}):
            numbers[item] = len(numbers)
            engine.resources.put_product(
                {
                    "product_id": str(item),
                    "variant_id": "v",
                    "category_1": f"category {item % 60}",
                    "category_2": f"category {item % 60}/{item % 600}",
                    "name": f"Product {item} of line {item % 900}",
                    "price": 5.0 + item % 300,
                    "photo_url": f"/{item}.jpg",
                    "link": f"/p/{item}",
                    "stock": 5,
                },
                update=False,
            )
        seen = 0
        for number, session in enumerate(reversed(train)):
            visitor = engine.shop.records.add_visitor(f"a:t{number}")
            for item, at in zip(session.items, session.times, strict=True):
                engine.shop.records.add_event(at, visitor, Kind.PRODUCT, numbers[item], None, None)
            seen += len(session.items)
            if seen >= clicks:
                break
    engine.close()
