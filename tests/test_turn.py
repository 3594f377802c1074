"""What is written in one turn of the loop goes out at its end, in order, and nobody's trouble is another's."""

from __future__ import annotations

import asyncio
import gc
import weakref

from proxy.turn import BEGINNINGS, MOST, Turn


async def test_all_that_is_asked_for_in_a_turn_is_done_after_it_in_order():
    loop = asyncio.get_running_loop()
    turn, done = Turn.of(loop), []
    assert Turn.of(loop) is turn
    for number in range(3):
        turn.at_end(lambda number=number: done.append(number))
    assert done == []
    await asyncio.sleep(0)
    assert done == [0, 1, 2]
    turn.at_end(lambda: done.append(3))
    await asyncio.sleep(0)
    assert done == [0, 1, 2, 3]


async def test_what_is_asked_for_at_the_end_waits_for_the_next():
    turn, done = Turn.of(asyncio.get_running_loop()), []

    def again():
        done.append("first")
        turn.at_end(lambda: done.append("second"))

    turn.at_end(again)
    await asyncio.sleep(0)
    assert done == ["first"]
    await asyncio.sleep(0)
    assert done == ["first", "second"]


async def test_no_more_than_so_many_wait_for_each_other():
    turn, done = Turn.of(asyncio.get_running_loop()), []
    for number in range(MOST + 1):
        turn.at_end(lambda number=number: done.append(number))
    assert done == list(range(MOST))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert done == list(range(MOST + 1))


async def test_a_turn_begins_only_so_many_and_the_rest_in_order():
    turn, begun = Turn.of(asyncio.get_running_loop()), []

    def begin(number):
        if turn.begins(lambda: begun.append(number)):
            begun.append(number)

    for number in range(3 * BEGINNINGS):
        begin(number)
    assert begun == list(range(BEGINNINGS))
    written = []
    turn.at_end(lambda: written.append(len(begun)))
    await asyncio.sleep(0)
    assert begun == list(range(2 * BEGINNINGS))
    assert written == [BEGINNINGS]  # what was to be written went first
    begin("late")  # comes behind those that wait
    await asyncio.sleep(0)
    assert begun == list(range(3 * BEGINNINGS))
    await asyncio.sleep(0)
    assert begun[-1] == "late"
    await asyncio.sleep(0)
    assert turn.begins(lambda: begun.append("never"))


async def test_answers_come_before_requests_that_wait():
    loop = asyncio.get_running_loop()
    turn, order = Turn.of(loop), []
    for number in range(2 * BEGINNINGS):
        if turn.begins(lambda number=number: order.append(f"request {number}")):
            order.append(f"request {number}")
    loop.call_soon(order.append, "answer")
    for number in range(2 * BEGINNINGS, 3 * BEGINNINGS):
        turn.begins(lambda number=number: order.append(f"request {number}"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order.index("answer") < order.index(f"request {2 * BEGINNINGS}")


async def test_one_that_fails_is_told_and_takes_nothing_from_the_others():
    loop = asyncio.get_running_loop()
    told, done = [], []
    loop.set_exception_handler(lambda _loop, context: told.append(context["exception"]))
    try:
        for act in (lambda: done.append(1), lambda: 1 / 0, lambda: done.append(2)):
            Turn.of(loop).at_end(act)
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
    assert done == [1, 2]
    assert isinstance(told[0], ZeroDivisionError)


def test_a_loop_that_is_gone_leaves_nothing_behind():
    loop = asyncio.new_event_loop()
    turn = weakref.ref(Turn.of(loop))
    loop.close()
    del loop
    gc.collect()
    assert turn() is None
