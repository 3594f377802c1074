"""The breaker, against a model and by its promises."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from proxy.breaker import FAILURES_TO_OPEN, LONGEST_OPEN, MOST_FAILURES, PROBE_LIMIT, Breaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock=clock, jitter=lambda: 0.999)


def open_up(breaker: Breaker) -> None:
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.allow()
        breaker.failed()
    assert breaker.state == "open"


def test_five_failures_in_a_row_open_it(breaker: Breaker) -> None:
    open_up(breaker)
    assert not breaker.allow()


def test_a_success_in_between_starts_the_count_again(breaker: Breaker) -> None:
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.state == "closed"


def test_one_probe_at_a_time_goes_when_the_open_time_is_over(breaker: Breaker, clock: Clock) -> None:
    open_up(breaker)
    clock.now += breaker.wait()
    assert breaker.allow()
    assert not breaker.allow()


def test_a_probe_that_succeeds_closes_it(breaker: Breaker, clock: Clock) -> None:
    open_up(breaker)
    clock.now += breaker.wait()
    breaker.allow()
    breaker.succeeded()
    assert breaker.state == "closed"
    assert breaker.wait() == 0


def test_each_failed_probe_doubles_the_open_time_up_to_the_cap(breaker: Breaker, clock: Clock) -> None:
    open_up(breaker)
    waits = []
    for _ in range(8):
        waits.append(breaker.wait())
        clock.now += breaker.wait()
        assert breaker.allow()
        breaker.failed()
    assert waits == pytest.approx([1, 2, 4, 8, 16, 30, 30, 30], rel=0.01)


def test_an_abandoned_probe_lets_another_go(breaker: Breaker, clock: Clock) -> None:
    open_up(breaker)
    clock.now += breaker.wait()
    breaker.allow()
    breaker.abandoned()
    assert breaker.wait() == 0
    assert breaker.allow()


def test_a_probe_that_never_reports_back_counts_as_lost(breaker: Breaker, clock: Clock) -> None:
    open_up(breaker)
    clock.now += breaker.wait()
    breaker.allow()
    clock.now += PROBE_LIMIT
    assert breaker.allow()


def test_stragglers_neither_close_nor_lengthen_an_opening(breaker: Breaker) -> None:
    open_up(breaker)
    before = breaker.wait()
    breaker.failed()
    breaker.succeeded()
    assert (breaker.state, breaker.wait()) == ("open", before)


def test_the_open_time_is_jittered_between_half_and_whole(clock: Clock) -> None:
    waits = []
    for draw in (0.0, 0.5, 0.999):
        breaker = Breaker(clock=clock, jitter=lambda draw=draw: draw)
        open_up(breaker)
        waits.append(breaker.wait())
    assert waits == pytest.approx([0.5, 0.75, 1.0], abs=0.01)


@pytest.mark.parametrize("failures", [0, MOST_FAILURES + 1])
def test_no_setting_lets_more_than_twenty_calls_wait_for_a_dead_vendor(failures: int) -> None:
    with pytest.raises(ValueError, match="1 to 20"):
        Breaker(failures=failures)


class BreakerModel(RuleBasedStateMachine):
    """Any sequence of calls keeps the promises that pages rely on."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(clock=self.clock, jitter=lambda: 0.5)
        self.calls = 0
        self.failed_in_a_row = 0

    @rule(seconds=st.floats(0.01, 40))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def a_call_is_wanted(self) -> None:
        closed = self.breaker.state == "closed"
        wait = self.breaker.wait()
        allowed = self.breaker.allow()
        assert allowed == (wait == 0)
        if allowed:
            self.calls += 1
            if not closed:
                assert self.breaker.state == "half-open"

    @precondition(lambda self: self.calls)
    @rule()
    def a_call_fails(self) -> None:
        self.calls -= 1
        state = self.breaker.state
        self.failed_in_a_row += 1
        self.breaker.failed()
        assert (self.breaker.state == "closed") == (
            state == "closed" and self.failed_in_a_row < FAILURES_TO_OPEN
        )

    @precondition(lambda self: self.calls)
    @rule()
    def a_call_succeeds(self) -> None:
        self.calls -= 1
        state = self.breaker.state
        if state != "open":
            self.failed_in_a_row = 0
        self.breaker.succeeded()
        assert self.breaker.state == ("open" if state == "open" else "closed")

    @precondition(lambda self: self.calls)
    @rule()
    def a_call_is_abandoned(self) -> None:
        self.calls -= 1
        state = self.breaker.state
        self.breaker.abandoned()
        assert self.breaker.state == state

    @invariant()
    def nobody_waits_longer_than_the_cap(self) -> None:
        assert 0 <= self.breaker.wait() <= max(LONGEST_OPEN, PROBE_LIMIT) + 1e-6  # the clock is a float


TestBreakerModel = BreakerModel.TestCase
TestBreakerModel.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
