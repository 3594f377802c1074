"""A run as its caller sees it: concurrency, order, sources that fail, callers that stop."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from contextlib import aclosing

import pytest
from harness.peers import reply

from proxy.api import InvalidInput, SyncDataCueClient, Unauthorized


def users(count):
    return [{"user_id": number} for number in range(count)]


def taken(seen):
    states = [{"status": "OK"} for _ in json.loads(seen.body)["batch"]]
    return reply(json.dumps({"status": states}).encode(), 207)


async def collect(run, into):
    """Results one by one, so that those before an error are seen."""
    async for result in run:
        into.append((result.index, result.ok))


async def take(seen, writer):
    writer.write(taken(seen))


def sending():
    """Tasks of batches that are under way."""
    return [task for task in asyncio.all_tasks() if task.get_coro().__qualname__ == "AsyncRun._send"]


class Gate:
    """Holds batches until so many are there at once."""

    def __init__(self, many):
        self.barrier = asyncio.Barrier(many)
        self.most = self.now = 0

    async def __call__(self, seen, writer):
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.wait_for(self.barrier.wait(), 10)
        self.now -= 1
        writer.write(taken(seen))


async def test_so_many_batches_are_under_way_at_once_and_no_more(fake):
    gate = Gate(3)
    fake.say(gate)
    async with fake.client(concurrency=3) as client:
        result = await client.batch.create("users", users(3000))
    assert result.done == 3000
    assert gate.most == 3


async def test_results_keep_the_items_order_though_a_later_batch_is_answered_first(fake):
    second = asyncio.Event()

    async def slow_first(seen, writer):
        if b'"user_id":"0"' in seen.body:
            await asyncio.wait_for(second.wait(), 10)
        else:
            second.set()
        writer.write(taken(seen))

    fake.say(slow_first)
    async with fake.client(concurrency=2) as client:
        results = [result async for result in client.batch.create("users", users(1000))]
    assert [result.index for result in results] == list(range(1000))


async def test_what_the_source_raises_comes_after_the_results_of_what_was_sent(fake):
    def rows():
        yield from users(600)
        raise OSError("the file ends in the middle")

    fake.say(take)
    seen = []
    async with fake.client() as client:
        with pytest.raises(OSError, match="in the middle"):
            await collect(client.batch.create("users", rows()), seen)
    assert seen == [(index, True) for index in range(500)]


async def test_who_stops_early_leaves_nothing_behind(fake):
    fake.say(take)
    async with fake.client() as client, aclosing(aiter(client.batch.create("users", users(5000)))) as run:
        async for result in run:
            assert result.ok
            break
    assert not sending()


async def test_who_is_cancelled_takes_the_batches_along(fake):
    arrived = asyncio.Event()

    async def hang(seen, writer):
        arrived.set()
        await asyncio.Event().wait()

    fake.say(hang)
    async with fake.client() as client:

        async def collect():
            return await client.batch.create("users", users(1000))

        task = asyncio.get_running_loop().create_task(collect())
        await asyncio.wait_for(arrived.wait(), 10)
        assert sending()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not sending()


async def test_a_hopeless_error_ends_the_run_after_the_results_before_it(fake):
    fake.say(take, reply(b'{"error":"revoked"}', 401))
    seen = []
    async with fake.client(concurrency=1) as client:
        with pytest.raises(Unauthorized, match="revoked"):
            await collect(client.batch.create("users", users(2000)), seen)
    assert seen == [(index, True) for index in range(500)]
    assert len(fake.seen) == 2


async def test_the_plain_run_ends_the_same_way(fake):
    fake.say(take, reply(b"", 413), take, take, reply(b'{"error":"revoked"}', 401))
    seen = []

    def run():
        rows = iter([*users(1000), None, *users(1000)])
        with SyncDataCueClient("k", "s", api_url=f"{fake.url}/v1") as plain:
            for result in plain.batch.create("users", rows):
                seen.append((result.index, result.ok))  # noqa: PERF401  those before the error count

    with pytest.raises(Unauthorized, match="revoked"):
        await asyncio.to_thread(run)
    assert seen == [*((index, True) for index in range(1000)), (1000, False)]


async def test_an_async_iterable_is_nothing_for_the_plain_face(fake):
    async def rows():
        yield {"user_id": "u1"}

    source = rows()
    with SyncDataCueClient("k", "s", api_url=f"{fake.url}/v1") as plain, pytest.raises(InvalidInput):
        plain.batch.create("users", source)
    await source.aclose()


async def test_memory_does_not_grow_with_the_rows(fake):
    fake.say(take)

    async def peak(count):
        fake.seen.clear()
        tracemalloc.start()
        async with fake.client(concurrency=1) as client:
            async for _ in client.batch.create("users", ({"user_id": number} for number in range(count))):
                fake.seen.clear()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    await peak(500)
    assert await peak(10_000) < 1.5 * await peak(1_500)
