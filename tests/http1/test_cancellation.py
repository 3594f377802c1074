"""Promise 20: whoever leaves, whenever: every slot comes back."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest

from proxy.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BODY = b"0123456789" * 100


async def slow_shop(wire: Any) -> None:
    """Every stage takes a few turns of the loop; answers name what was asked."""
    while True:
        head = await wire.head()
        target = head.split(b" ")[1]
        await pause()
        if b"chunked" in head:
            await wire.chunked()
        if random.random() < 0.05:
            return
        await wire.say(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await pause()
        await wire.say(b"HTTP/1.1 200 OK\r\nX-Target: %b\r\nContent-Length: 1000\r\n\r\n" % target)
        for at in range(0, 1000, 250):
            await pause()
            await wire.say(BODY[at : at + 250])


async def pause() -> None:
    for _ in range(random.randrange(4)):
        await asyncio.sleep(0)


async def visit(pool: Any, get: Any, number: int) -> None:
    target = b"/%d" % number

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            await pause()
            yield b"piece"

    if number % 3 == 2:
        answer = await pool.fetch(b"GET %b HTTP/1.1\r\nhost: a\r\n\r\n" % target, limit=1000, idempotent=True)
        assert (dict(answer.headers)[b"x-target"], answer.body) == (target, BODY)
        return
    post = number % 3 == 1
    response = await pool.send(get(b"POST" if post else b"GET", target, body=body() if post else None))
    try:
        assert dict(response.headers)[b"x-target"] == target  # never another's answer
        assert await response.read_all(1000) == BODY
    finally:
        response.abandon()


@pytest.mark.parametrize("seed", [1, 2])
async def test_1000_cancellations_leak_nothing(seed: int, far_end: Any, pool_to: Any, get: Any) -> None:
    random.seed(seed)
    end = await far_end(slow_shop)
    pool = pool_to(end, limits={"max_connections": 8}, pool=30.0)
    loop = asyncio.get_running_loop()
    outcomes = {"done": 0, "cancelled": 0, "lost": 0}

    async def run(number: int) -> None:
        task = loop.create_task(visit(pool, get, number))
        if random.random() < 0.85:
            for _ in range(random.randrange(60)):
                if task.done():
                    break
                await asyncio.sleep(0)
            task.cancel()
        try:
            await task
            outcomes["done"] += 1
        except asyncio.CancelledError:
            outcomes["cancelled"] += 1
        except PeerError:
            outcomes["lost"] += 1

    numbers = itertools.count()
    while outcomes["cancelled"] < 1000:
        await asyncio.gather(*(run(next(numbers)) for _ in range(20)))
    assert outcomes["done"] > 50
    assert outcomes["lost"] > 5
    assert pool.active == 0
    assert pool.idle <= 8
    assert not pool._waiters
    # and the pool still works, on every one of its slots
    random.seed(seed)
    results = await asyncio.gather(
        *(visit(pool, get, 3 * number) for number in range(30)), return_exceptions=True
    )
    assert sum(each is None for each in results) > 15
    assert pool.active == 0
    for task in tuple(pool._uploads):
        await asyncio.wait((task,))


async def test_a_cancel_between_answer_and_wake_up_spares_the_next_exchange(
    far_end: Any, pool_to: Any, get: Any, says: Any
) -> None:
    """The answer has come and its connection may serve another already: only ours is given up."""
    end = await far_end(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    pool = pool_to(end)
    await pool.send(get())
    (connection,) = pool._open
    loop = asyncio.get_running_loop()
    first = loop.create_task(pool.send(get()))
    await asyncio.sleep(0)
    deliver = connection._receiver.due
    deliver.add_done_callback(lambda _: first.cancel())  # runs in the turn in which the task would wake
    await asyncio.wait((first,))
    assert pool.active == 0
    assert await (await pool.send(get())).read_all(2) == b"ok"
