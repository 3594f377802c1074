"""Promise 10: what durability costs, printed as a table. Slow: a busy machine would make it lie."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from typing import TYPE_CHECKING

import pytest

from proxy.outbox import Folder, Outbox, Priority, Record, time_ordered_id

if TYPE_CHECKING:
    from pathlib import Path

BODY = b'{"event":"' + b"x" * 600 + b'"}'


def record(visitor: int) -> Record:
    now = time.time()
    return Record(time_ordered_id(now, os.urandom(10)), f"visitor-{visitor}", Priority.VIEW, now, BODY)


def resident() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 -- not a file on a disk
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.slow
async def test_five_thousand_durable_records_a_second_with_a_hundred_committers(folder: Folder) -> None:
    rounds = []
    async with Outbox(folder) as outbox:

        async def commit(visitor: int) -> None:
            for _ in range(50):
                await outbox.commit([record(visitor)])

        for _ in range(5):
            start = time.perf_counter()
            await asyncio.gather(*(commit(visitor) for visitor in range(100)))
            rounds.append(5000 / (time.perf_counter() - start))
    print(f"\n100 committers: {statistics.median(rounds):,.0f} durable records/s (rounds: {rounds})")
    assert statistics.median(rounds) >= 5000


@pytest.mark.slow
async def test_a_commit_adds_two_milliseconds_at_most_at_a_thousand_a_second(folder: Folder) -> None:
    took: list[float] = []
    async with Outbox(folder) as outbox:

        async def commit(number: int) -> None:
            start = time.perf_counter()
            await outbox.commit([record(number % 500)])
            took.append(time.perf_counter() - start)

        async with asyncio.TaskGroup() as tasks:
            for number in range(3000):
                tasks.create_task(commit(number))
                await asyncio.sleep(0.001)
    cuts = statistics.quantiles(took, n=100)
    print(f"\n1,000 commits/s: p50 {cuts[49] * 1e3:.2f} ms, p99 {cuts[98] * 1e3:.2f} ms")
    assert cuts[49] <= 0.002


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_growing_backlog_does_not_grow_the_process(tmp_path: Path) -> None:
    async with Outbox(Folder(tmp_path)) as outbox:
        await outbox.commit([record(0)])
        before = resident()
        for second in range(120):
            await asyncio.gather(
                *(
                    outbox.commit([record(second * 1000 + n + k) for k in range(10)])
                    for n in range(0, 1000, 10)
                )
            )
        status = await outbox.status()
        grown = resident() - before
    assert status is not None
    print(
        f"\n{status.waiting['view']:,} records, {status.used_bytes / 1e6:.0f} MB on disk: +{grown:.1f} MB in memory"
    )
    assert grown <= 50
