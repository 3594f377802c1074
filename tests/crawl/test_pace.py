"""When the shop may be asked, on a clock that only waiting moves."""

from __future__ import annotations

import asyncio

import pytest

from proxy.crawl import Pace


async def test_turns_come_at_the_rate_and_the_first_at_once(clock):
    pace = Pace(4, clock=clock, sleep=clock.sleep)
    for _ in range(3):
        await pace.turn()
    assert clock.waits == [0.25, 0.25]


async def test_whoever_is_slow_by_itself_does_not_wait(clock):
    pace = Pace(2, clock=clock, sleep=clock.sleep)
    await pace.turn()
    clock.now += 10
    await pace.turn()
    await pace.turn()
    assert clock.waits == [0.5]


async def test_a_crawl_delay_slows_down_and_never_speeds_up(clock):
    pace = Pace(2, clock=clock, sleep=clock.sleep)
    pace.slow_down(0.1)
    await pace.turn()
    pace.slow_down(10)
    await pace.turn()
    await pace.turn()
    assert clock.waits == pytest.approx([0.5, 10])


async def test_a_rest_holds_up_who_waits_already(clock):
    pace = Pace(2, clock=clock)
    asked = asyncio.Event()

    async def sleep(seconds):
        asked.set()
        await clock.sleep(seconds)
        await asyncio.sleep(0)

    pace._sleep = sleep
    await pace.turn()
    waiting = asyncio.get_running_loop().create_task(pace.turn())
    await asked.wait()
    pace.rest(30)
    began = clock.now
    await waiting
    assert clock.now - began >= 29
