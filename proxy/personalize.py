"""The one core: a page view's order, deadline and fallback.

A page view makes one call, however many slots it has; the call's answer is the recommendations. Each
slot waits for it until the page's one deadline, then keeps the shop's content. When the page's last
byte leaves, its events are acknowledged by DataCue or committed to the outbox (design, decision 2).
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from proxy.errors import PeerError, PoolTimeout, ProxyError, UnexpectedAnswer
from proxy.events import Context, encode, page_event
from proxy.models import Recommendations
from proxy.outbox import time_ordered_id
from proxy.widgets import decode_recommendations

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from proxy.metrics import Metrics
    from proxy.models import Page, Slot, Visitor
    from proxy.render import Renderer

SETTLE_GRACE = 0.02
"""Seconds that a page without slots waits for its event's acknowledgement before the event goes to
the disk: the embedded engine answers within them, and nobody notices them on the last byte."""

LEASE = 30.0
"""Seconds for which a committed event is ours while its call is still in flight: several times the
vendor's timeout, so that the relay never sends what is about to be acknowledged."""

MAX_CALLS = 1000
"""Calls in flight in one process. Beyond, an event goes to the outbox at once: a vendor that slow
has long missed every deadline."""

REFUSALS = range(400, 500)
RETRYABLE_REFUSALS = frozenset({401, 403, 408, 425, 429})
"""4xx answers that speak of us or of the moment, not of the event: kept, and sent again later."""


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


class Personalizer:
    """Makes page views; one a process.

    Args:
        send: sends an event's JSON and returns the answer's, None for 204; raises PeerError.
        breaker: says whether the vendor is worth a call.
        renderer: makes HTML of an answer.
        keeper: takes what was not acknowledged; None drops (and counts) it.
        deadline: seconds from a request's start that a slot may wait.
        clock: seconds, monotonic. now: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        send: Callable[[bytes], Awaitable[bytes | None]],
        breaker: Breaker,
        renderer: Renderer,
        metrics: Metrics,
        keeper: Keeper | None,
        deadline: float,
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self.send = send
        self.breaker = breaker
        self.renderer = renderer
        self.metrics = metrics
        self.keeper = keeper
        self.deadline = deadline
        self.clock = clock
        self.now = now
        self.calls: set[asyncio.Task[Recommendations | None]] = set()

    def view(self, visitor: Visitor, context: Context | None, started: float) -> PageView:
        """A page view that began at ``started`` on our clock."""
        return PageView(self, visitor, context, started + self.deadline)

    async def aclose(self, grace: float) -> None:
        """Lets calls in flight end for ``grace`` seconds, then cancels them."""
        if self.calls:
            await asyncio.wait(self.calls, timeout=grace)
        for call in list(self.calls):
            call.cancel()
        await asyncio.gather(*self.calls, return_exceptions=True)


class Call:
    """One event and what becomes of it."""

    __slots__ = ("answer", "committed", "event_id", "kept", "outcome", "pending", "reported", "task")

    def __init__(self, pending: Pending) -> None:
        self.pending = pending
        self.event_id = ""  # made when it goes to the outbox
        self.task: asyncio.Task[Recommendations | None] | None = None
        self.answer: bytes | None = None  # the vendor's own JSON
        self.committed = False
        self.kept: asyncio.Future[None] | None = None  # done when the commit is
        self.outcome = ""  # of the event: acknowledged, refused, or empty while it is open
        self.reported = False  # whether the breaker knows


class PageView:
    """One visit of one page.

    Attributes:
        page: what is being looked at; None until ``begin``.
        outcomes: what became of each slot, in page order.
    """

    __slots__ = ("_calls", "_core", "_deadline", "_main", "context", "outcomes", "page", "visitor")

    def __init__(
        self, core: Personalizer, visitor: Visitor, context: Context | None, deadline: float
    ) -> None:
        self._core = core
        self._deadline = deadline
        self._main: Call | None = None
        self._calls: list[Call] = []
        self.visitor = visitor
        self.context = context
        self.page: Page | None = None
        self.outcomes: list[tuple[str, str]] = []

    @property
    def begun(self) -> bool:
        """Whether the page view's event is on its way."""
        return self._main is not None

    @property
    def answered(self) -> bool:
        """Whether asking for a slot would not wait."""
        call = self._main
        return call is None or call.task is None or call.task.done()

    @property
    def settled(self) -> bool:
        """Whether every event of this view is acknowledged (or refused) already."""
        return all(call.outcome for call in self._calls)

    @property
    def remaining(self) -> float:
        """Seconds until the page's deadline; not below 0."""
        return max(0.0, self._deadline - self._core.clock())

    def begin(self, page: Page) -> None:
        """Makes the page view's event and starts the call, without waiting; a second time does nothing."""
        if self.page is not None:
            return
        self.page = page
        event = page_event(page)
        if event is not None:
            self._main = self.track(event)

    def join(self, page: Page, call: Call) -> None:
        """Takes part in a page view whose event another request has made."""
        self.page, self._main = page, call
        self._calls.append(call)

    @property
    def main(self) -> Call | None:
        """The page view's own event and call; None where there is none."""
        return self._main

    def restart(self, page: Page) -> None:
        """The shop says that this is another page than the one whose event left with the request."""
        self.page = self._main = None
        self.begin(page)

    def track(self, event: dict[str, Any]) -> Call:
        """Sends one event of the guide (already checked), without waiting."""
        core = self._core
        call = Call(Pending(event, self.visitor, self.context, core.now()))
        self._calls.append(call)
        if len(core.calls) < MAX_CALLS and core.breaker.allow():
            call.task = asyncio.get_running_loop().create_task(self._send(call))
            core.calls.add(call.task)
            call.task.add_done_callback(core.calls.discard)
        return call

    def call(self, target: str, document: dict[str, Any]) -> None:
        """Sends something to the REST API, as ``POST /orders``: from the outbox, as nobody waits for it."""
        self._calls.append(Call(Pending(document, self.visitor, None, self.now(), target)))

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._core.now()

    async def _send(self, call: Call) -> Recommendations | None:
        """The call itself: never raises; tells the breaker, the metrics and the outbox how it went."""
        core = self._core
        pending = call.pending
        body = encode(pending.event, pending.visitor, pending.context)
        began = core.clock()
        answer = None
        healthy = False
        try:
            answer = await core.send(body)
        except UnexpectedAnswer as error:
            if error.answered in REFUSALS and error.answered not in RETRYABLE_REFUSALS:
                call.outcome = "refused"
                healthy = True  # it answers: the event was wrong, not the vendor
            core.metrics.failures("vendor", f"status:{error.answered // 100}xx")
        except PoolTimeout as error:
            # Our own connections are all busy: nothing was asked, and nothing is known of the vendor.
            core.metrics.failures("proxy", type(error).__name__)
            self._report(call, core.breaker.abandoned)
        except PeerError as error:
            core.metrics.failures(error.source, type(error).__name__)
        except asyncio.CancelledError:
            self._report(call, core.breaker.abandoned)
            raise
        else:
            call.outcome = "acknowledged"
            healthy = True
            core.metrics.vendor_seconds(core.clock() - began)
        self._report(call, core.breaker.succeeded if healthy else core.breaker.failed)
        if call.outcome:
            core.metrics.events(str(pending.event["type"]), call.outcome)
        if call.committed and core.keeper is not None:
            await (core.keeper.withdraw if call.outcome else core.keeper.release)(call.event_id)
        if answer is None:
            return Recommendations() if call.outcome == "acknowledged" else None
        try:
            recommendations = decode_recommendations(answer)
        except msgspec.DecodeError:
            core.metrics.failures("vendor", "garbage")
            return None
        call.answer = answer
        return recommendations

    @staticmethod
    def _report(call: Call, outcome: Callable[[], None]) -> None:
        if not call.reported:
            call.reported = True
            outcome()

    async def recommendations(self) -> tuple[Recommendations | None, str]:
        """The answer, waited for until the deadline, or None and why there is none."""
        call = self._main
        if call is None:
            return None, "unknown"
        if call.task is None:
            return None, "down"
        if not call.task.done():
            began = self._core.clock()
            await self._wait(call, call.task)
            self._core.metrics.wait_seconds(self._core.clock() - began)
        if not call.task.done():
            return None, "late"
        answer = call.task.result()
        return answer, "error" if answer is None else "hit"

    async def answer(self, call: Call) -> bytes | None:
        """The JSON that the vendor answered to an event, waited for until the deadline, or None."""
        if call.task is not None and not call.task.done():
            await self._wait(call, call.task)
        return call.answer

    async def _wait(self, call: Call, task: asyncio.Task[Recommendations | None]) -> None:
        await _ended(task, self.remaining)
        if not task.done():
            # A stalled vendor must not cost every page its deadline until its calls time out.
            self._report(call, self._core.breaker.failed)

    async def slot(self, slot: Slot, *, utf8: bool) -> bytes | None:
        """A slot's HTML, or None: then the shop's own content stays.

        Args:
            slot: what to show.
            utf8: whether the page is UTF-8; else the HTML is pure ASCII.
        """
        html = None
        answer, outcome = await self.recommendations()
        if answer is not None and self.page is not None:
            first = not any(became == "hit" for _, became in self.outcomes)
            try:
                html = self._core.renderer.slot(slot, self.page, answer, utf8=utf8, first=first)
            except ProxyError:
                outcome = "failed"
            else:
                outcome = "empty" if html is None else "hit"
        self.outcomes.append((slot.widget, outcome))
        self._core.metrics.slots(slot.widget, outcome)
        return html

    async def settle(self) -> None:
        """Called before the page's last byte leaves: every event is acknowledged, or on the disk."""
        for call in self._calls:
            task = call.task
            if task is not None and not task.done():
                await _ended(task, min(SETTLE_GRACE, self.remaining))
            if not call.outcome and not call.committed:
                await self._keep(call)
            elif call.kept is not None and not call.kept.done():
                await asyncio.shield(call.kept)  # another request of this page view is at it

    async def _keep(self, call: Call) -> None:
        """Commits an event that has no answer yet, or never will have one from its own call."""
        core, task = self._core, call.task
        kind = call.pending.kind
        if core.keeper is None:
            if task is None or task.done():
                core.metrics.events(kind, "lost")
            return
        # Ids that grow with time keep the outbox's pages together on the disk.
        call.event_id = time_ordered_id(call.pending.happened, os.urandom(10))
        call.committed = True
        in_flight = task is not None and not task.done()
        call.kept = asyncio.get_running_loop().create_future()
        try:
            kept = await core.keeper.keep(call.event_id, call.pending, lease=LEASE if in_flight else None)
        finally:
            call.kept.set_result(None)
        core.metrics.events(kind, "stored" if kept else "lost")
        # What ended while the disk was busy found nothing to withdraw or release.
        if kept and in_flight and task is not None and task.done():
            await (core.keeper.withdraw if call.outcome else core.keeper.release)(call.event_id)


async def _ended(task: asyncio.Task[Any], seconds: float) -> None:
    """Waits for a task's end, ``seconds`` at the most; a third of what ``asyncio.wait`` costs."""
    if seconds <= 0:
        return
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake(_task: asyncio.Task[Any] | None = None) -> None:
        if not waiter.done():
            waiter.set_result(None)

    timer = loop.call_later(seconds, wake)
    task.add_done_callback(wake)
    try:
        await waiter
    finally:
        timer.cancel()
        task.remove_done_callback(wake)
