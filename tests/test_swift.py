"""How long a page that comes in pieces is waited for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from proxy.known import LONG, MAX_PAGE, MAX_WAITING
from proxy.swift import MOST_TURNS, TURNS, Swift


class Loop:
    """Turns when it is told to."""

    def __init__(self):
        self.next = []

    def call_soon(self, callback, *args):
        self.next.append((callback, args))
        return self

    def cancel(self):
        self.next.clear()

    def turn(self):
        now, self.next = self.next, []
        for callback, args in now:
            callback(*args)


class Waiting(Swift):
    """Notes that it doesn't wait any more."""

    __slots__ = ("gone_on",)

    def _go_on(self, *, ended=False):
        assert not ended
        self._stop()
        self.gone_on = True


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def pages():
    return SimpleNamespace(waiting=0)


@pytest.fixture
def waiting(loop, pages):
    head = SimpleNamespace(keep_alive=True, expects_continue=False)
    visit = SimpleNamespace(pages=pages)
    swift = Waiting(visit, None, head, SimpleNamespace(loop=loop), None, None)
    swift.gone_on = False
    swift._chunks = []
    return swift


def turns(loop, waiting, pieces):
    """How many turns it waits when these come, one a turn, and then no more."""
    for turn, piece in enumerate([*pieces, *[b""] * 1000]):
        if piece:
            waiting._chunks.append(piece)
            waiting.arrived(len(piece))
        loop.turn()
        if waiting.gone_on:
            return turn + 1
    return None


@pytest.mark.parametrize("count", [1, 2, 20])
def test_what_pauses_goes_on_after_a_few_turns(loop, waiting, count):
    assert turns(loop, waiting, [b"x"] * count) == count + TURNS


def test_what_trickles_goes_on_although_it_never_pauses(loop, waiting):
    assert turns(loop, waiting, [b"x"] * 10 * MOST_TURNS) == MOST_TURNS + 1


def test_what_is_too_long_goes_on_at_once(loop, waiting):
    assert turns(loop, waiting, [b"x", b"x" * MAX_PAGE, b"x"]) == 2


@pytest.mark.parametrize(("size", "count"), [(LONG, 1 + TURNS), (LONG + 1, 1)])
def test_long_ones_are_not_waited_for_when_others_take_all_the_room(loop, waiting, pages, size, count):
    pages.waiting = MAX_WAITING
    assert turns(loop, waiting, [b"x" * size]) == count
    assert pages.waiting == MAX_WAITING


def test_what_comes_counts_until_it_is_over(loop, waiting, pages):
    for size in (10, 25, 25):
        waiting._chunks = [b"x" * size]
        waiting.arrived(size)
        loop.turn()
        assert pages.waiting == size
    waiting.disconnect()
    assert pages.waiting == 0
