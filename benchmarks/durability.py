"""Events made durable a second: the outbox alone, as pages use it when the vendor doesn't answer.

Many pages at a time, each waiting until its one event survives a power cut.
"""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvloop

from proxy.outbox import Folder, Outbox, Priority, Record

if TYPE_CHECKING:
    from pathlib import Path

PAGES = 64
"""Pages that wait at a time: commits are shared, so the rate is theirs over one commit's duration."""
BODY = (
    b'{"user":{"anonymous_id":"07d35b1a-5776-4ddf-8f1c-dd0d2db9c502"},'
    b'"event":{"type":"pageview","subtype":"product","product_id":"1"},"timestamp":"2026-01-01T00:00:00Z"}'
)

FLOOR = 5000.0
"""Durable events a second that the product promises."""

PACE = 1000
"""Events a second at which what a commit adds is measured: a vendor that is down, and a busy shop."""

ADDED = 2.0
"""Milliseconds that a commit may add at that pace, at the median."""


@dataclass(frozen=True)
class Durability:
    """Durable events a second, and milliseconds that an event took: at saturation, and at ``PACE``."""

    rate: float
    p50: float
    p99: float
    paced_p50: float
    paced_p99: float


def measure(folder: Path, *, seconds: float) -> Durability:
    """Commits events one by one from all the pages."""
    return uvloop.run(_measure(folder, seconds))


async def _measure(folder: Path, seconds: float) -> Durability:
    taken: list[float] = []
    async with Outbox(Folder(folder)) as outbox:
        end = time.perf_counter() + seconds

        async def page() -> None:
            while (began := time.perf_counter()) < end:
                name = str(uuid.uuid4())
                await outbox.commit([Record(name, name, Priority.VIEW, time.time(), BODY)])
                taken.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(page() for _ in range(PAGES)))
        wall = time.perf_counter() - began
        added = statistics.quantiles(await _paced(outbox, seconds), n=100)
    steps = statistics.quantiles(taken, n=100)
    return Durability(
        len(taken) / wall, steps[49] * 1000, steps[98] * 1000, added[49] * 1000, added[98] * 1000
    )


async def _paced(outbox: Outbox, seconds: float) -> list[float]:
    """Seconds that each commit took, begun at an even pace whatever the others do."""
    taken: list[float] = []

    async def commit(due: float) -> None:
        name = str(uuid.uuid4())
        await outbox.commit([Record(name, name, Priority.VIEW, time.time(), BODY)])
        taken.append(time.perf_counter() - due)

    async with asyncio.TaskGroup() as pages:
        began = time.perf_counter()
        for number in range(int(PACE * seconds)):
            due = began + number / PACE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            pages.create_task(commit(due))
    return taken
