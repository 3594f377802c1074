"""What a failed attempt means: the rules, without I/O and without a clock."""

from __future__ import annotations

from typing import Final, Literal

from proxy.errors import PeerError, PoolTimeout, UnexpectedAnswer

FIRST_BACKOFF: Final = 1.0
"""Seconds: the bound of the first back-off; doubled with every attempt."""

LONGEST_BACKOFF: Final = 300.0
"""Seconds: a record that was refused all night is tried within five minutes of the vendor's return."""

LONGEST_RETRY_AFTER: Final = 600.0
"""Seconds that a ``Retry-After`` is believed: a slip of the vendor's must not stop delivery for a day."""

FIRST_REFUSAL: Final = 60.0
"""Seconds of the first pause after 401 or 403; doubled with every refused trial."""

LONGEST_REFUSAL: Final = 900.0
"""Seconds: a mended API key is noticed within a quarter of an hour, without a restart."""

LEAST_RANDOM: Final = 0.05
"""Seconds that even the luckiest draw waits: a failure is never answered by a busy loop."""

Verdict = Literal[
    "busy",  # our own connections were taken; says nothing about the vendor
    "down",  # the vendor did not answer, or says that it can't
    "throttled",  # it answers: slow down
    "unauthorized",  # it answers: not with this API key; true for every record
    "permanent",  # it answers: never this record
    "again",  # it answers something that proves nothing
]

_THROTTLED: Final = frozenset({425, 429})
_UNAUTHORIZED: Final = frozenset({401, 403})
_TIMEOUT: Final = 408
_CLIENT_ERRORS: Final = range(400, 500)
_SERVER_ERRORS: Final = range(500, 600)


def judge(error: PeerError) -> Verdict:
    """What a failed attempt says about the record and about the vendor.

    A 2xx or 3xx can be an ``UnexpectedAnswer`` too: a proxy's login page, a 207 without a status for
    the item (promise 6: that means retry).
    """
    if isinstance(error, PoolTimeout):
        return "busy"
    if not isinstance(error, UnexpectedAnswer):
        return "down"
    if error.answered in _UNAUTHORIZED:
        return "unauthorized"
    if error.answered in _THROTTLED:
        return "throttled"
    if error.answered == _TIMEOUT or error.answered in _SERVER_ERRORS:
        return "down"
    return "permanent" if error.answered in _CLIENT_ERRORS else "again"


def backoff(attempts: int, random: float) -> float:
    """Seconds until the next attempt: exponential, full jitter.

    Args:
        attempts: attempts before the one that failed now.
        random: a number in [0, 1).
    """
    bound = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(attempts, 60))
    return max(LEAST_RANDOM, bound * random)


def pause(retry_after: float, random: float) -> float:
    """Seconds to leave the vendor alone, as it asked: clamped, and up to a tenth longer.

    The tenth is random, so that workers that were sent away together don't come back together.
    """
    return min(max(retry_after, 0.0), LONGEST_RETRY_AFTER) * (1.0 + 0.1 * random)
