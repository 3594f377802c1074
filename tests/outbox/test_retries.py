"""What a failed attempt means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import (
    ConnectFailed,
    ConnectionLost,
    MalformedResponse,
    PeerError,
    PoolTimeout,
    ResponseTimeout,
    UnexpectedAnswer,
)
from proxy.outbox.retries import (
    LEAST_RANDOM,
    LONGEST_BACKOFF,
    LONGEST_RETRY_AFTER,
    backoff,
    judge,
    pause,
)


@pytest.mark.parametrize("kind", [ConnectFailed, ConnectionLost, MalformedResponse, ResponseTimeout])
def test_a_vendor_that_does_not_answer_is_down(kind: type[PeerError]) -> None:
    assert judge(kind("x", "vendor")) == "down"


def test_a_full_pool_says_nothing_about_the_vendor() -> None:
    assert judge(PoolTimeout("x", "vendor")) == "busy"


@pytest.mark.parametrize(
    ("answered", "verdict"),
    [
        (207, "again"),
        (302, "again"),
        (400, "permanent"),
        (401, "unauthorized"),
        (403, "unauthorized"),
        (404, "permanent"),
        (408, "down"),
        (413, "permanent"),
        (422, "permanent"),
        (425, "throttled"),
        (429, "throttled"),
        (500, "down"),
        (503, "down"),
        (599, "down"),
    ],
)
def test_an_answer_is_judged_by_its_status(answered: int, verdict: str) -> None:
    assert judge(UnexpectedAnswer("x", "vendor", answered)) == verdict


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_back_off_is_full_jitter_below_a_doubling_bound(attempts: int, random: float) -> None:
    wait = backoff(attempts, random)
    assert LEAST_RANDOM <= wait <= LONGEST_BACKOFF
    assert wait <= max(LEAST_RANDOM, 2.0 ** min(attempts, 60))


@given(st.floats(-1e9, 1e9), st.floats(0, 1, exclude_max=True))
def test_retry_after_is_honoured_but_clamped(asked: float, random: float) -> None:
    wait = pause(asked, random)
    assert 0 <= wait <= LONGEST_RETRY_AFTER * 1.1
    if 0 <= asked <= LONGEST_RETRY_AFTER:
        assert wait >= asked
