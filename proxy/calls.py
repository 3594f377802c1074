"""One event on its way: the call that tells it, and what becomes of the two.

A call is made without a task: it is a future that the connection tells of its answer. An event that is not
acknowledged when its page ends goes to the outbox, under a lease while its call is still in flight.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from proxy.errors import PeerError, PoolTimeout, UnexpectedAnswer
from proxy.events import Context, encode
from proxy.models import Recommendations, Visitor
from proxy.outbox import time_ordered_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proxy.answers import Answers
    from proxy.metrics import Metrics

LEASE = 30.0
"""Seconds for which a committed event is ours while its call is still in flight: several times the
vendor's timeout, so that the relay never sends what is about to be acknowledged."""

REFUSALS = range(400, 500)
RETRYABLE_REFUSALS = frozenset({401, 403, 408, 425, 429})
"""4xx answers that speak of us or of the moment, not of the event: kept, and sent again later."""


class Sending(asyncio.Future["bytes | None"]):
    """An answer to come that tells one listener at once, where a future's callbacks wait for the loop.

    Attributes:
        listener: called once, when it is done, cancelled included.
    """

    listener: Callable[[asyncio.Future[bytes | None]], None] | None = None

    def cancel(self, msg: Any = None) -> bool:
        """See asyncio."""
        cancelled = super().cancel(msg)
        if cancelled:
            self.tell()
        return cancelled

    def tell(self) -> None:
        """It is done."""
        listener, self.listener = self.listener, None  # who listens holds us: the two would be a cycle
        if listener is not None:
            listener(self)


class Breaker(Protocol):
    """What the personalizer asks before it calls, and tells afterwards, once a call."""

    def allow(self) -> bool:
        """Whether a call may be made now."""

    def succeeded(self) -> None:
        """The vendor answered, in time."""

    def failed(self) -> None:
        """It did not."""

    def abandoned(self) -> None:
        """The call was not made, or cancelled: it says nothing."""


class Keeper(Protocol):
    """Where events go that were not acknowledged in time: the outbox, as the page path sees it."""

    async def keep(self, event_id: str, event: Pending, *, lease: float | None) -> bool:
        """Commits the event; True when it is on the disk, False when it had to be given up."""

    async def withdraw(self, event_id: str) -> None:
        """Forgets an event whose answer came after all."""

    async def release(self, event_id: str) -> None:
        """Lets a kept event be sent again: its call failed."""


class Pending(msgspec.Struct, frozen=True):
    """An event on its way: what happened, to whom, when (unix seconds)."""

    event: dict[str, Any]
    visitor: Visitor
    context: Context | None
    happened: float
    target: str = "events"
    """Or a REST call, as ``POST /orders``: then ``event`` is its document."""

    @property
    def kind(self) -> str:
        """For metrics: the event's type, or ``orders``, ``users``."""
        return str(self.event["type"]) if self.target == "events" else self.target.rpartition("/")[2]


class Caller(Protocol):
    """What a call needs of the personalizer that makes it."""

    send: Callable[[bytes], Awaitable[bytes | None]]
    breaker: Breaker
    keeper: Keeper | None
    metrics: Metrics
    clock: Callable[[], float]
    calls: set[asyncio.Future[Any]]
    answers: Answers

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop."""


class Call:
    """One event and what becomes of it.

    Attributes:
        made: whether there was one; the breaker may be open.
        task: the call, while it is under way.
        answer: the vendor's own JSON; None where there is none that can be read.
        familiar: whether the same JSON was answered before, lately.
        over: whether the call has ended and all is known; true as well where none was made.
        committed: whether the outbox has the event. kept: done when it has.
        outcome: of the event: acknowledged, refused, or empty while it is open.
    """

    __slots__ = (
        "_began",
        "_caller",
        "_event_id",
        "_recommendations",
        "_reported",
        "answer",
        "committed",
        "familiar",
        "kept",
        "made",
        "outcome",
        "over",
        "pending",
        "task",
    )

    def __init__(self, caller: Caller, pending: Pending) -> None:
        self._caller = caller
        self._event_id = ""  # made when it goes to the outbox
        self._reported = False  # whether the breaker knows
        self.pending = pending
        self.made = False
        self.over = True
        self.task: asyncio.Future[bytes | None] | None = None
        self.answer: bytes | None = None
        self._recommendations: Recommendations | None = None
        self.familiar = False
        self.committed = False
        self.kept: asyncio.Future[None] | None = None
        self.outcome = ""

    @classmethod
    def elsewhere(cls, caller: Caller, pending: Pending, recommendations: Recommendations | None) -> Call:
        """A call that another worker made, and whose event it looks after.

        Args:
            caller: see ``Caller``.
            pending: the event.
            recommendations: what was answered; None where that is none, or not yet known.
        """
        call = cls(caller, pending)
        call.made = True
        call._recommendations = recommendations
        call.outcome = "acknowledged"
        return call

    @property
    def recommendations(self) -> Recommendations | None:
        """What the answer says; None where there is none."""
        if self._recommendations is None and self.answer is not None:
            self._recommendations = self._caller.answers.read(self.answer).recommendations
        return self._recommendations

    def forget(self) -> None:
        """Nobody asks for the moment: what can be read again, and isn't remembered anyway, takes no place."""
        if self.answer is not None and not self.familiar:
            self._recommendations = None

    def start(self) -> None:
        """Makes the call; the breaker has allowed it."""
        caller, pending = self._caller, self.pending
        self._began = caller.clock()
        sending = caller.send(encode(pending.event, pending.visitor, pending.context))
        task = sending if isinstance(sending, asyncio.Future) else asyncio.ensure_future(sending)
        self.task = task
        self.made, self.over = True, False
        caller.calls.add(task)
        if isinstance(task, Sending) and not task.done():
            task.listener = self._ended
        else:
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Future[bytes | None]) -> None:
        """Tells the breaker, the metrics and the outbox how it went."""
        caller = self._caller
        caller.calls.discard(task)
        self.over, self.task = True, None  # what it took is freed while it is at hand
        if task.cancelled():
            self._report(caller.breaker.abandoned)
            return
        error = task.exception()
        if error is None:
            self.outcome = "acknowledged"
            self._report(caller.breaker.succeeded)
            caller.metrics.vendor_seconds(caller.clock() - self._began)
            self._read(task.result())
        else:
            self._failed(error)
        if self.outcome:
            caller.metrics.events.once((str(self.pending.event["type"]), self.outcome))
        if self.kept is not None and self.kept.done() and caller.keeper is not None:
            self._tell_keeper(caller.keeper)

    def _read(self, answer: bytes | None) -> None:
        if answer is None:
            self._recommendations = Recommendations()
            return
        try:
            self.answer, self._recommendations = self._caller.answers.read(answer)
        except ValueError:  # msgspec's errors are
            self._caller.metrics.failures("vendor", "garbage")
        else:
            self.familiar = self.answer is not answer

    def _failed(self, error: BaseException) -> None:
        breaker, metrics = self._caller.breaker, self._caller.metrics
        if isinstance(error, PoolTimeout):
            # Our own connections are all busy: nothing was asked, and nothing is known of the vendor.
            metrics.failures("proxy", type(error).__name__)
            self._report(breaker.abandoned)
        elif isinstance(error, UnexpectedAnswer):
            metrics.failures("vendor", f"status:{error.answered // 100}xx")
            if error.answered in REFUSALS and error.answered not in RETRYABLE_REFUSALS:
                self.outcome = "refused"
                self._report(breaker.succeeded)  # it answers: the event was wrong, not the vendor
            else:
                self._report(breaker.failed)
        elif isinstance(error, PeerError):
            metrics.failures(error.source, type(error).__name__)
            self._report(breaker.failed)
        else:
            self._report(breaker.abandoned)
            raise error  # a bug of ours: the event loop says so

    def _report(self, outcome: Callable[[], None]) -> None:
        if not self._reported:
            self._reported = True
            outcome()

    async def ended(self, seconds: float) -> bool:
        """Waits for the call's end, ``seconds`` at the most; a third of what ``asyncio.wait`` costs."""
        task = self.task
        if task is None or self.over:
            return True
        if seconds <= 0:
            return False
        loop = self._caller.loop
        waiter = loop.create_future()

        def wake(_task: asyncio.Future[Any] | None = None) -> None:
            if not waiter.done():
                waiter.set_result(None)

        timer = loop.call_later(seconds, wake)
        task.add_done_callback(wake)
        try:
            await waiter
        finally:
            timer.cancel()
            task.remove_done_callback(wake)
        return self.over

    def late(self) -> None:
        """A page gave up waiting: a stalled vendor must not cost every page its deadline."""
        self._report(self._caller.breaker.failed)

    # -- the outbox -------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Commits an event that has no answer yet, or never will have one from its own call."""
        caller, kind = self._caller, self.pending.kind
        if caller.keeper is None:
            if self.over:
                caller.metrics.events(kind, "lost")
            return
        # Ids that grow with time keep the outbox's pages together on the disk.
        self._event_id = time_ordered_id(self.pending.happened, os.urandom(10))
        self.committed = True
        in_flight = not self.over
        self.kept = caller.loop.create_future()
        try:
            kept = await caller.keeper.keep(self._event_id, self.pending, lease=LEASE if in_flight else None)
        finally:
            self.kept.set_result(None)
        caller.metrics.events(kind, "stored" if kept else "lost")
        # What ended while the disk was busy found nothing to withdraw or release.
        if kept and in_flight and self.over:
            await self._told(caller.keeper)

    async def _told(self, keeper: Keeper) -> None:
        """The call of a committed event has ended: nobody need send it again, or somebody has to."""
        await (keeper.withdraw if self.outcome else keeper.release)(self._event_id)

    def _tell_keeper(self, keeper: Keeper) -> None:
        caller = self._caller
        task = caller.loop.create_task(self._told(keeper))
        caller.calls.add(task)
        task.add_done_callback(caller.calls.discard)
