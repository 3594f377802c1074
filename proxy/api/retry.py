"""When a call is made again by itself, and after how long.

A second time is safe in two cases, and only then is there one:

* **nothing was done**: no connection came about (`NotSent`), or the vendor said later (429, 503);
* **doing it twice is doing it once**: GET, PUT and DELETE are (RFC 9110, 9.2.2), and so is a batch,
  since its items are named by the shop's own ids, a creation replaces what is there, and the answer
  says of each item what became of it.

So a single POST of which nobody knows (500, 502, 504, an answer that broke off) is not repeated: where
creating means "must be new", as the guide's samples have it, the second time would be told "already
exists", and an event would count twice. The error says so, and the caller knows better.

The vendor's own word on when (``Retry-After``) goes before ours, up to a limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from proxy.api.errors import ApiError, NoAnswer, NotSent, Refused, Throttled, VendorFailed

if TYPE_CHECKING:
    from collections.abc import Callable

RETRIES: Final = 4
"""Times that a call is made again: with the waits below, a vendor may be away for some ten seconds."""

FIRST_WAIT: Final = 0.5
"""Seconds before the first retry; each further one waits twice as long."""

LONGEST_WAIT: Final = 8.0
"""Seconds between two tries, unless the vendor asks for more."""

JITTER: Final = 0.5
"""Seconds, at most, by which waits are spread: calls that failed together don't come back together."""

LONGEST_ASKED: Final = 60.0
"""Seconds that a ``Retry-After`` is heeded for: a person may be watching a progress bar."""

UNAVAILABLE: Final = 503


class Waits(TypedDict):
    """How often and after how long stamina tries again."""

    attempts: int
    timeout: None
    wait_initial: float
    wait_max: float
    wait_jitter: float


def waits(retries: int) -> Waits:
    """Up to so many retries; they and their waits are bounded, so that the time needn't be."""
    return Waits(
        attempts=retries + 1,
        timeout=None,
        wait_initial=FIRST_WAIT,
        wait_max=LONGEST_WAIT,
        wait_jitter=JITTER,
    )


def pause(*, repeatable: bool) -> Callable[[Exception], bool | float]:
    """How long to wait after an error: seconds, True for the usual time, False to give up."""

    def after(error: Exception) -> bool | float:
        if not isinstance(error, ApiError) or not is_safe(error, repeatable=repeatable):
            return False
        asked = error.retry_after if isinstance(error, Refused) else None
        return True if asked is None else min(asked, LONGEST_ASKED)

    return after


def is_safe(error: ApiError, *, repeatable: bool) -> bool:
    """Whether a call that failed like this may be made again (see the module's docstring)."""
    if isinstance(error, NotSent | Throttled) or error.answered == UNAVAILABLE:
        return error.retryable
    return repeatable and isinstance(error, NoAnswer | VendorFailed)
