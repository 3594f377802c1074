"""Sends what the outbox holds, for as long as it takes."""

from __future__ import annotations

import asyncio
import random
import time
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from proxy.errors import OutboxUnavailable, PeerError, UnexpectedAnswer
from proxy.outbox.records import MAX_AGES, Again, Dead, Sent
from proxy.outbox.retries import (
    FIRST_REFUSAL,
    LONGEST_REFUSAL,
    Verdict,
    backoff,
    judge,
    pause,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from proxy.breaker import Breaker
    from proxy.outbox.outbox import Outbox
    from proxy.outbox.records import Held, Outcome, Priority, Record

CONCURRENCY: Final = 32
"""Calls in flight at most. 2,000 events a second, what one hour's backlog needs to drain within thirty
minutes, at 16 ms each; and not so many that pages find no connection."""

SEND_LIMIT: Final = 30.0
"""Seconds for one call. Far above the page's deadline: here nobody waits."""

CLAIM: Final = 2 * SEND_LIMIT
"""Seconds that a claim holds: longer than any call, so that no second sender picks it up."""

POLL: Final = 5.0
"""Seconds between two looks at an idle store: the command line may have replayed something."""

HOUSEKEEPING: Final = 10.0
"""Seconds between two rounds of dropping what is too old and adopting what dead workers left."""

GRACE: Final = 5.0
"""Seconds that ``aclose`` waits for calls in flight."""

STORE_PAUSE: Final = 1.0
"""Seconds to wait after the store failed."""

REASON: Final = 200
"""Characters of a failure's text that are kept with its record."""

_log = structlog.get_logger(__name__)


class Relay:
    """Delivers due records, each visitor's in order, and decides what a failure means.

    Args:
        outbox: where the records are.
        send: sends one record and returns when the vendor has acknowledged it; raises ``PeerError``.
        breaker: shared with the page path.
        clock: Unix seconds, the same as the outbox's.
        jitter: a number in [0, 1), new at each call.
        alarm: told why everything is paused (the API key is refused), and None when it goes on.
        concurrency: calls in flight at most.
        ages: seconds after which a record is dropped, by priority.
    """

    def __init__(
        self,
        outbox: Outbox,
        send: Callable[[Record], Awaitable[None]],
        *,
        breaker: Breaker,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
        alarm: Callable[[str | None], None] | None = None,
        concurrency: int = CONCURRENCY,
        ages: Mapping[Priority, float] = MAX_AGES,
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._breaker = breaker
        self._clock = clock
        self._jitter = jitter
        self._alarm = alarm
        self._concurrency = concurrency
        self._ages = ages
        self._calls: set[asyncio.Task[None]] = set()
        self._visitors: dict[str, asyncio.Task[None]] = {}  # whose record is in flight
        self._nudged = asyncio.Event()  # a call ended, a pause was lifted, or we are closing
        self._ended = asyncio.Event()
        self._ended.set()
        self._closing = False
        self._paused_until = 0.0  # by the loop's clock
        self._throttled = 0  # answers "slow down" in a row
        self._refused = 0  # trials of the API key refused in a row
        self.paused: str | None = None
        """Why nothing is sent although the vendor answers; None when all is well."""

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return len(self._calls)

    async def run(self) -> None:
        """Deliver until ``aclose``. The caller owns the task that this runs in."""
        self._ended.clear()
        try:
            async with asyncio.TaskGroup() as tasks:
                housekeeping = tasks.create_task(self._keep_house())
                await self._dispatch(tasks)
                housekeeping.cancel()
        finally:
            self._ended.set()

    async def aclose(self, grace: float = GRACE) -> None:
        """Claim nothing more, wait up to ``grace`` seconds for calls in flight, then cancel them.

        What was cancelled stays in the outbox: its answer, if there was one, is not known.
        """
        self._closing = True
        self._nudged.set()
        self._outbox.changed.set()
        try:
            async with asyncio.timeout(grace):
                await self._ended.wait()
        except TimeoutError:
            for call in self._calls:
                call.cancel()
            await self._ended.wait()

    def resume(self) -> None:
        """Lift every pause now: the operator mended the API key."""
        self._paused_until = 0.0
        self._nudged.set()

    async def _dispatch(self, tasks: asyncio.TaskGroup) -> None:
        while not self._closing:
            self._nudged.clear()
            self._outbox.changed.clear()
            free = self._free()
            if free == 0:
                await self._nudged.wait()
                continue
            hold = self._holding()
            if hold or not self._breaker.allow():
                await _wait(self._nudged, hold or max(self._breaker.wait(), 0.01))
                continue
            probing = self._breaker.state != "closed"
            try:
                claims = await self._outbox.claim(1 if probing else free, CLAIM)
            except OutboxUnavailable as error:
                self._breaker.abandoned()
                _log.warning("outbox_unreadable", error=str(error))
                await _wait(self._nudged, STORE_PAUSE)
                continue
            # A store that failed and was opened again has forgotten its claims; we have not.
            held = [one for one in claims.held if one.record.visitor not in self._visitors]
            for one in held:
                self._start(tasks, one)
            if not held:
                self._breaker.abandoned()
            if claims.next_due is not None or not held:
                due = POLL if claims.next_due is None else claims.next_due - self._clock()
                await _wait(self._outbox.changed, min(max(due, 0.01), POLL))

    def _free(self) -> int:
        if self._refused or self._throttled:
            # One trial at a time, until the vendor takes something again.
            return 0 if self._calls else 1
        return self._concurrency - len(self._calls)

    def _start(self, tasks: asyncio.TaskGroup, held: Held) -> None:
        visitor = held.record.visitor
        call = tasks.create_task(self._deliver(held))
        self._calls.add(call)
        self._visitors[visitor] = call
        call.add_done_callback(partial(self._called, visitor))

    def _called(self, visitor: str, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        if self._visitors.get(visitor) is call:
            del self._visitors[visitor]
        self._nudged.set()
        self._outbox.changed.set()

    async def _deliver(self, held: Held) -> None:
        record = held.record
        try:
            async with asyncio.timeout(SEND_LIMIT):
                await self._send(record)
        except TimeoutError:
            self._tell_breaker("down", record)
            outcome: Outcome = self._again(held, f"no answer within {SEND_LIMIT:g} s")
        except PeerError as error:
            outcome = self._failed(held, error)
        except asyncio.CancelledError:
            self._breaker.abandoned()
            raise
        except Exception as error:  # noqa: BLE001 -- a bug in the sender may neither end delivery nor cost the record
            _log.exception("outbox_sender_failed", record=record.id)
            self._breaker.failed()
            outcome = self._again(held, f"{type(error).__name__}: {error}")
        else:
            self._tell_breaker("again", record)
            self._cleared()
            outcome = Sent(record)
        await self._settle(outcome)

    async def _settle(self, outcome: Outcome) -> None:
        """Write it down, however long the disk takes: an unrecorded success would be sent again."""
        while True:
            try:
                await self._outbox.settle([outcome])
            except OutboxUnavailable as error:
                if self._closing:
                    return
                _log.warning("outbox_unwritable", error=str(error))
                await asyncio.sleep(STORE_PAUSE)
            else:
                # Before the next claim's answer can come: it may hold this visitor's next record, which
                # would lie claimed and unsent if the visitor still counted as busy.
                self._visitors.pop(outcome.record.visitor, None)
                return

    def _failed(self, held: Held, error: PeerError) -> Outcome:
        verdict = judge(error)
        self._tell_breaker(verdict, held.record)
        reason = f"{type(error).__name__}: {error}"
        if verdict == "permanent":
            self._cleared()
            return Dead(held.record, reason[:REASON])
        if verdict == "unauthorized" and held.record.target != "events":
            # The secret is wrong, or its API has another: events don't need it, and go on.
            _log.error("outbox_call_refused", target=held.record.target, reason=reason[:REASON])
            return self._again(held, reason)
        if verdict == "unauthorized":
            self._refuse(reason)
            return Again(held.record, self._clock(), reason[:REASON], attempted=False)
        asked = error.retry_after if isinstance(error, UnexpectedAnswer) else None
        if asked is not None:
            self._pause(pause(asked, self._jitter()))
        if verdict == "throttled":
            self._slow_down(told=asked is not None)
        return self._again(held, reason, asked)

    def _again(self, held: Held, reason: str, asked: float | None = None) -> Again:
        wait = backoff(held.attempts, self._jitter())
        if asked is not None:
            wait = max(wait, pause(asked, 0.0))
        return Again(held.record, self._clock() + wait, reason[:REASON])

    def _tell_breaker(self, verdict: Verdict, record: Record) -> None:
        if verdict == "busy" or record.target != "events":
            self._breaker.abandoned()  # the REST API is another host: pages ask nothing of it
        elif verdict == "down":
            self._breaker.failed()
        else:  # it answered: pages may go on asking
            self._breaker.succeeded()

    def _holding(self) -> float:
        """Seconds of pause that are left."""
        return max(self._paused_until - asyncio.get_running_loop().time(), 0.0)

    def _pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + seconds)

    def _slow_down(self, *, told: bool) -> None:
        """One call at a time from now on, with growing pauses where the vendor named none."""
        if self._throttled and self._holding():
            return  # a call that was in flight when the first one was sent away
        if not told:
            self._pause(backoff(self._throttled, self._jitter()))
        self._throttled += 1

    def _refuse(self, reason: str) -> None:
        """The API key is refused: nothing that we have could be delivered. Raise the alarm once."""
        if self._refused and self._holding():
            return  # a call that was in flight when the first one was refused
        wait = min(LONGEST_REFUSAL, FIRST_REFUSAL * 2.0 ** min(self._refused, 30))
        self._pause(wait * (0.9 + 0.1 * self._jitter()))
        self._refused += 1
        if self.paused is None:
            self.paused = reason
            _log.error("outbox_paused", reason=reason)
            if self._alarm is not None:
                self._alarm(reason)

    def _cleared(self) -> None:
        """The vendor took, or judged, a record: whatever paused us is over."""
        self._throttled = 0
        self._refused = 0
        if self.paused is not None:
            self.paused = None
            _log.info("outbox_resumed")
            if self._alarm is not None:
                self._alarm(None)

    async def _keep_house(self) -> None:
        while True:
            try:
                await self._outbox.adopt()
                await self._outbox.expire(self._ages)
            except OutboxUnavailable as error:
                _log.warning("outbox_housekeeping_failed", error=str(error))
            await asyncio.sleep(HOUSEKEEPING)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, ``seconds`` at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
