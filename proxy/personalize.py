"""The one core: a page view's order, deadline and fallback.

A page view makes one call, however many slots it has; the call's answer is the recommendations. Each
slot waits for it until the page's one deadline, then keeps the shop's content. When the page's last
byte leaves, its events are acknowledged by DataCue or committed to the outbox (design, decision 2).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from proxy.answers import Answers
from proxy.calls import Breaker, Call, Keeper, Pending
from proxy.errors import ProxyError
from proxy.events import Context, page_event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from proxy.metrics import Metrics
    from proxy.models import Page, Recommendations, Slot, Visitor
    from proxy.render import Renderer

__all__ = ["Breaker", "Call", "Keeper", "PageView", "Pending", "Personalizer"]

SETTLE_GRACE = 0.02
"""Seconds that a page without slots waits for its event's acknowledgement before the event goes to
the disk: the embedded engine answers within them, and nobody notices them on the last byte."""

MAX_CALLS = 1000
"""Calls in flight in one process. Beyond, an event goes to the outbox at once: a vendor that slow
has long missed every deadline."""


class Sharing(Protocol):
    """Remembers page views for the requests that belong to them, too."""

    def joined(self, view: PageView, page: Page) -> Call | None:
        """The call of a page view that has an ID and was begun by another request already."""

    def add(self, view: PageView) -> None:
        """Remembers a page view that has begun."""


class Personalizer:
    """Makes page views; one a process.

    Args:
        send: sends an event's JSON and returns the answer's, None for 204; raises PeerError.
        breaker: says whether the vendor is worth a call.
        renderer: makes HTML of an answer.
        keeper: takes what was not acknowledged; None drops (and counts) it.
        deadline: seconds from a request's start that a slot may wait.
        clock: seconds, monotonic. now: seconds since the epoch.

    Attributes:
        answers: those of the vendor, read.
        sharing: who is told of every page view that begins; None where nobody wants to know.
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
        self.calls: set[asyncio.Future[Any]] = set()
        self.answers = Answers()
        self.sharing: Sharing | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that all this runs on; asking asyncio each time would be a system call."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def view(self, visitor: Visitor, context: Context | None, started: float) -> PageView:
        """A page view that began at ``started`` on our clock."""
        return PageView(self, visitor, context, started + self.deadline)

    def own(self, task: asyncio.Future[Any]) -> None:
        """Keeps what a page view has left to do, and waits for it before it closes."""
        self.calls.add(task)
        task.add_done_callback(self.calls.discard)

    async def aclose(self, grace: float) -> None:
        """Lets calls in flight end for ``grace`` seconds, then cancels them."""
        end = self.clock() + grace
        # What ends may leave something for the outbox to do, which is waited for as well.
        while self.calls and (left := end - self.clock()) > 0:
            await asyncio.wait(tuple(self.calls), timeout=left)
        calls = tuple(self.calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


class PageView:
    """One visit of one page.

    Attributes:
        page: what is being looked at; None until ``begin``.
        deadline: until when a slot may wait, on the personalizer's clock.
        name: its ID, as an edge or the including side gave it; empty for none.
        address: path and query of the page; empty where nobody knows.
        outcomes: what became of each slot, in page order.
        filled: whether one of them was filled.
    """

    __slots__ = (
        "_calls", "_core", "_main", "address", "context", "deadline", "filled", "name", "outcomes", "page",
        "visitor",
    )  # fmt: skip

    def __init__(
        self, core: Personalizer, visitor: Visitor, context: Context | None, deadline: float
    ) -> None:
        self._core = core
        self.deadline = deadline
        self._main: Call | None = None
        self._calls: list[Call] = []
        self.visitor = visitor
        self.context = context
        self.page: Page | None = None
        self.name = self.address = ""
        self.outcomes: list[tuple[str, str]] = []
        self.filled = False

    @property
    def begun(self) -> bool:
        """Whether the page view's event is on its way."""
        return self._main is not None

    @property
    def answered(self) -> bool:
        """Whether asking for a slot would not wait."""
        return self._main is None or self._main.over

    @property
    def familiar(self) -> bytes | None:
        """The answer that slots are filled from, where it was given before; None where not, or not yet."""
        call = self._main
        return call.answer if call is not None and call.familiar else None

    @property
    def settled(self) -> bool:
        """Whether every event of this view is acknowledged (or refused) already."""
        for call in self._calls:  # noqa: SIM110  with each page, and mostly of one: a generator for `all` costs three times as much
            if not call.outcome:
                return False
        return True

    @property
    def remaining(self) -> float:
        """Seconds until the page's deadline; not below 0."""
        return max(0.0, self.deadline - self._core.clock())

    def begin(self, page: Page) -> None:
        """Makes the page view's event and starts the call, without waiting; a second time does nothing."""
        if self.page is not None:
            return
        self.page = page
        event = page_event(page)
        if event is None:
            return
        sharing = self._core.sharing
        call = sharing.joined(self, page) if self.name and sharing is not None else None
        if call is not None:
            self._main = call
            self._calls.append(call)
            return
        self._main = self.track(event)
        if sharing is not None:
            sharing.add(self)

    def join(self, page: Page, call: Call, deadline: float) -> None:
        """Takes part in a page view whose event another request has made, and waits no longer than that one.

        Varnish, Apache and PHP ask for one fragment after the other: their page waits once for them all.
        """
        self.page, self._main = page, call
        self._calls.append(call)
        self.deadline = min(self.deadline, deadline)

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
        call = Call(core, Pending(event, self.visitor, self.context, core.now()))
        self._calls.append(call)
        if len(core.calls) < MAX_CALLS and core.breaker.allow():
            call.start()
        return call

    def call(self, target: str, document: dict[str, Any]) -> None:
        """Sends something to the REST API, as ``POST /orders``: from the outbox, as nobody waits for it."""
        self._calls.append(Call(self._core, Pending(document, self.visitor, None, self.now(), target)))

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._core.now()

    async def recommendations(self) -> tuple[Recommendations | None, str]:
        """The answer, waited for until the deadline, or None and why there is none."""
        call = self._main
        if call is not None and not call.over:
            began = self._core.clock()
            await self._wait(call)
            self._core.metrics.wait_seconds(self._core.clock() - began)
        return self._now()

    def _now(self) -> tuple[Recommendations | None, str]:
        call = self._main
        if call is None:
            return None, "unknown"
        if not call.made:
            return None, "down"
        if not call.over:
            return None, "late"
        answer = call.recommendations
        return answer, "error" if answer is None else "hit"

    async def answer(self, call: Call) -> bytes | None:
        """The JSON that the vendor answered to an event, waited for until the deadline, or None."""
        if not call.over:
            await self._wait(call)
        return call.answer

    async def _wait(self, call: Call) -> None:
        if not await call.ended(self.remaining):
            call.late()

    async def slot(self, slot: Slot, *, utf8: bool) -> bytes | None:
        """A slot's HTML, or None: then the shop's own content stays.

        Args:
            slot: what to show.
            utf8: whether the page is UTF-8; else the HTML is pure ASCII.
        """
        if not self.answered:
            await self.recommendations()
        return self.fill(slot, utf8=utf8)

    def fill(self, slot: Slot, *, utf8: bool) -> bytes | None:
        """The same, without waiting: with the answer as far as it is there now."""
        html = None
        answer, outcome = self._now()
        if answer is not None and self.page is not None:
            try:
                html = self._core.renderer.slot(slot, self.page, answer, utf8=utf8, first=not self.filled)
            except ProxyError:
                outcome = "failed"
            else:
                outcome = "empty" if html is None else "hit"
                self.filled |= html is not None
        became = slot.widget, outcome
        self.outcomes.append(became)
        self._core.metrics.slots.once(became)
        return html

    def became(self, outcomes: Iterable[tuple[str, str]]) -> None:
        """Slots were filled without us, by what the same answer made of them before."""
        for became in outcomes:
            self.outcomes.append(became)
            self._core.metrics.slots.once(became)
            self.filled |= became[1] == "hit"

    def forget(self) -> None:
        """The page is out: its answer is only read again where another request asks for the page view."""
        if self._main is not None:
            self._main.forget()

    async def settle(self) -> None:
        """Called before the page's last byte leaves: every event is acknowledged, or on the disk."""
        for call in self._calls:
            if not call.over:
                await call.ended(min(SETTLE_GRACE, self.remaining))
            if not call.outcome and not call.committed:
                await call.keep()
            elif call.kept is not None and not call.kept.done():
                await asyncio.shield(call.kept)  # another request of this page view is at it
