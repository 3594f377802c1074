"""Stops calling a vendor that does not answer, so that a dead one costs no page a wait.

::

              failures in a row                  open time over
    CLOSED ────────────────────► OPEN ◄──────────────────────────► HALF-OPEN
       ▲                                    the probe failed            │
       └────────────────────────────────────────────────────────────────┘
                             the probe succeeded

One breaker is shared by everything that calls the same vendor from one worker: the page path and the
outbox's relay. It has no lock because both live on one event loop, and no timer because it reads the
clock only when asked.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES_TO_OPEN: Final = 5
"""Failures in a row that open it: enough to ride out one lost packet, few enough to hurt few pages."""

MOST_FAILURES: Final = 20
"""No setting may let more calls than this wait for a dead vendor (promise 19)."""

FIRST_OPEN: Final = 1.0
"""Seconds that it stays open the first time; doubled with every probe that fails."""

LONGEST_OPEN: Final = 30.0
"""Seconds that it stays open at most: a vendor that is back is noticed within half a minute."""

PROBE_LIMIT: Final = 60.0
"""Seconds after which a probe counts as lost, should its caller never report back."""

State = Literal["closed", "open", "half-open"]


class Breaker:
    """Closed, open or half-open, by the outcome of the calls that it allowed.

    Every ``allow()`` that said yes is followed by exactly one of ``succeeded()``, ``failed()`` or
    ``abandoned()``.

    Args:
        failures: failures in a row that open it, 1 to 20.
        first_open: seconds that it stays open the first time.
        longest_open: seconds that it stays open at most.
        clock: monotonic seconds.
        jitter: a number in [0, 1), new at each call: workers must not probe in step.
    """

    def __init__(
        self,
        *,
        failures: int = FAILURES_TO_OPEN,
        first_open: float = FIRST_OPEN,
        longest_open: float = LONGEST_OPEN,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        if not 1 <= failures <= MOST_FAILURES:
            raise ValueError(f"failures must be 1 to {MOST_FAILURES}, not {failures}")
        self._failures_to_open = failures
        self._first_open = first_open
        self._longest_open = longest_open
        self._clock = clock
        self._jitter = jitter
        self._state: State = "closed"
        self._failures = 0
        self._openings = 0
        self._until = 0.0  # open: when the next probe may go; half-open: when the probe counts as lost
        self._probing = False

    @property
    def state(self) -> State:
        """``open`` becomes ``half-open`` when a probe is let through, not when its time has come."""
        return self._state

    def allow(self) -> bool:
        """Whether a call may go now. In half-open state, only one probe at a time may."""
        if self._state == "closed":
            return True
        if self._state == "half-open" and not self._probing:
            self._probe()
            return True
        if self._clock() < self._until:
            return False
        self._probe()
        return True

    def wait(self) -> float:
        """Seconds until ``allow()`` can say yes, as far as is known now; 0 when it can."""
        if self._state == "closed" or (self._state == "half-open" and not self._probing):
            return 0.0
        return max(0.0, self._until - self._clock())

    def succeeded(self) -> None:
        """The vendor answered. A straggler from before the opening proves nothing about now."""
        if self._state == "open":
            return
        self._state = "closed"
        self._failures = 0
        self._openings = 0
        self._probing = False

    def failed(self) -> None:
        """The vendor did not answer, or answered that it can't. Stragglers don't lengthen the opening."""
        if self._state == "open":
            return
        self._failures += 1
        if self._state == "half-open" or self._failures >= self._failures_to_open:
            self._open()

    def abandoned(self) -> None:
        """The allowed call was not made, or cancelled: it says nothing, and another may probe."""
        if self._state == "half-open":
            self._probing = False

    def _probe(self) -> None:
        self._state = "half-open"
        self._probing = True
        self._until = self._clock() + PROBE_LIMIT

    def _open(self) -> None:
        longest = min(self._longest_open, self._first_open * 2.0 ** min(self._openings, 30))
        self._openings += 1
        self._state = "open"
        self._probing = False
        # Half fixed, half random: never so short that a dead vendor is hammered.
        self._until = self._clock() + longest * (0.5 + 0.5 * self._jitter())
