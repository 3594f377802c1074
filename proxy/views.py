"""Which requests belong to one page view: they share its call, and its event is sent once.

A page asks for several fragments, each in a request of its own. They belong together when they carry the
same view ID, or else when the same visitor asks for the same page within a few seconds. Neither ever
reaches over to another visitor: who asks is part of every key.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from proxy.events import Context, has_event
from proxy.headers import value_of
from proxy.models import Page, Recommendations, Visitor  # noqa: TC001  msgspec resolves annotations at run time

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.headers import Headers
    from proxy.personalize import Call, PageView, Personalizer

MAX_VIEWS = 8192
"""Page views remembered in one process: 1,600 a second over the default window. The oldest goes first."""

MAX_BYTES = 16 * 2**20
"""Answers kept in one process, in bytes: the guide's have some 5 KB, so 3,000 of them."""

MAX_UNASKED = 256
"""Page views that nobody asked about yet, set aside as they are: an edge asks within milliseconds."""

ASKED_SECONDS = 60.0
"""After a fragment was asked for, for so long page views are sorted in as they come."""

SIBLING_SECONDS = 0.1
"""How long a fragment that may not, or can't, make the page view waits for another of the same view ID to
make it: an edge asks for all of a page's fragments within a few milliseconds, in any order."""


class Asked(Struct, frozen=True):
    """What a request wants to know.

    Attributes:
        visitor: who looks at the page.
        context: where from.
        page: what is looked at, as far as the request tells.
        view: the ID of the page view; empty where nobody gave one.
        address: path and query of the page; empty where nobody knows.
        counts: whether it may make the page view's event.
    """

    visitor: Visitor
    context: Context | None = None
    page: Page | None = None
    view: str = ""
    address: str = ""
    counts: bool = True


class Seen(NamedTuple):
    """What a page view was answered.

    Attributes:
        page: what is looked at; None where nobody knows.
        answer: the recommendations, or None.
        outcome: why there are none: ``late``, ``down``, ``error``, ``unknown``; ``hit`` otherwise.
    """

    page: Page | None
    answer: Recommendations | None
    outcome: str


UNKNOWN = Seen(None, None, "unknown")

VIEW = b"x-datacue-view"
"""Request field in which an edge gives the page view an ID."""

MAX_VIEW = 200
"""Bytes of a view ID: nginx's has 32, Varnish's 10, a UUID 36."""

Group = tuple[str, str | None, str]
"""Anonymous id, user id, and view ID: empty for all views of the visitor."""


class _Entry:
    """One page view."""

    __slots__ = ("address", "call", "deadline", "expires", "groups", "page", "size")

    def __init__(
        self, page: Page, address: str, call: Call, deadline: float, expires: float, groups: list[Group]
    ) -> None:
        self.page = page
        self.address = address
        self.call = call
        self.deadline = deadline
        self.expires = expires
        self.groups = groups
        self.size = 0


class Views:
    """The page views of the last few seconds.

    Args:
        personalizer: makes the calls.
        window: seconds from its beginning for which a page view's answer is kept, and for which requests
            without a view ID belong to it.
        clock: seconds, monotonic; the personalizer's.
    """

    def __init__(self, personalizer: Personalizer, *, window: float, clock: Callable[[], float]) -> None:
        self._personalizer = personalizer
        personalizer.sharing = self
        self._window = window
        self._clock = clock
        self._groups: dict[Group, list[_Entry]] = {}
        self._order: deque[_Entry] = deque()
        self._bytes = 0
        self._waiting: dict[Group, list[asyncio.Future[None]]] = {}
        # Most shops' pages have no fragments of ours. What is set aside for them costs a microsecond.
        self._aside: deque[tuple[PageView, float]] = deque(maxlen=MAX_UNASKED)
        self._asked = -ASKED_SECONDS

    def __len__(self) -> int:
        return len(self._order) + len(self._aside)

    @property
    def bytes(self) -> int:
        """Bytes of the answers that are kept."""
        return self._bytes

    async def look(self, asked: Asked, started: float) -> Seen:
        """The answer to a page view: the one that is there, or in flight, or a new one.

        When it returns, the page view's event is acknowledged or on the disk.

        Args:
            asked: what the request knows.
            started: when it came, on our clock: it waits until its own deadline, or until that of the page
                view that it joins.
        """
        view = await self.enter(asked, started)
        if view is None:
            return UNKNOWN
        answer, outcome = await view.recommendations()
        await view.settle()
        return Seen(view.page, answer, outcome)

    async def enter(self, asked: Asked, started: float) -> PageView | None:
        """The page view that a request belongs to, or makes; None where it may not, or can't.

        Args:
            asked: what the request knows.
            started: when it came, on our clock.
        """
        view = self._personalizer.view(asked.visitor, asked.context, started)
        entry = self._find(asked)
        if entry is None and asked.view and not makes(asked):
            await self._sibling(asked, min(SIBLING_SECONDS, view.remaining))
            entry = self._find(asked)
        if entry is not None:
            view.join(entry.page, entry.call, entry.deadline)
            return view
        if not makes(asked):
            return None
        assert asked.page is not None
        view.name, view.address = asked.view, asked.address
        view.begin(asked.page)
        return view

    def holds(self, asked: Asked) -> bool:
        """Whether the page view that a request belongs to is here."""
        return self._find(asked) is not None

    def joined(self, view: PageView, page: Page) -> Call | None:
        """The call of a page view that has an ID and was begun by a fragment already."""
        entry = self._find(Asked(view.visitor, page=page, view=view.name))
        return None if entry is None else entry.call

    def add(self, view: PageView, seconds: float | None = None) -> None:
        """Remembers a page view that has begun, with its ID and the page's address as it knows them.

        Args:
            view: it.
            seconds: for which it is good; None: the window.
        """
        now = self._clock()
        expires = now + (self._window if seconds is None else seconds)
        if now - self._asked < ASKED_SECONDS:
            self._sort_in(view, expires, now)
            return
        aside = self._aside
        aside.append((view, expires))
        while aside and aside[0][1] <= now:
            aside.popleft()

    def _sort_in(self, view: PageView, expires: float, now: float) -> None:
        assert view.main is not None
        assert view.page is not None
        names = ("", view.name) if view.name else ("",)
        groups = [group_of(view.visitor, name) for name in names]
        entry = _Entry(view.page, view.address, view.main, view.deadline, expires, groups)
        self._forget(now)
        self._order.append(entry)
        for group in entry.groups:
            self._groups.setdefault(group, []).append(entry)
            for waiter in self._waiting.pop(group, ()):
                waiter.set_result(None)
        task = entry.call.task
        if task is None:
            self._weigh(entry)
        else:
            task.add_done_callback(lambda _: self._weigh(entry))

    def _find(self, asked: Asked) -> _Entry | None:
        """The page view that a request belongs to, the newest first."""
        now = self._asked = self._clock()
        while self._aside:
            view, expires = self._aside.popleft()
            self._sort_in(view, expires, now)
        self._forget(now)
        group = self._groups.get(group_of(asked.visitor, asked.view), ())
        entries = [entry for entry in group if entry.expires > now]
        for entry in reversed(entries):
            if asked.page is not None:
                if _same(entry.page, asked.page):
                    return entry
            elif asked.address and asked.address == entry.address:
                return entry
        # A view ID names one page; what doesn't know which belongs to it all the same.
        return entries[-1] if entries and asked.page is None and asked.view else None

    async def _sibling(self, asked: Asked, seconds: float) -> None:
        """Waits until a request of the same view ID has begun the page view."""
        group = group_of(asked.visitor, asked.view)
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(group, []).append(waiter)
        try:
            await asyncio.wait((waiter,), timeout=seconds)
        finally:  # whoever asked may have gone meanwhile
            if not waiter.done():
                waiters = self._waiting[group]
                waiters.remove(waiter)
                if not waiters:
                    del self._waiting[group]

    def _weigh(self, entry: _Entry) -> None:
        """The answer has come, and takes its place."""
        if entry.groups and entry.call.answer is not None:
            entry.size = len(entry.call.answer)
            self._bytes += entry.size
            self._forget(self._clock())

    def _forget(self, now: float) -> None:
        order = self._order
        while order and (order[0].expires <= now or len(order) > MAX_VIEWS or self._bytes > MAX_BYTES):
            entry = order.popleft()
            self._bytes -= entry.size
            for group in entry.groups:
                entries = self._groups[group]
                entries.remove(entry)
                if not entries:
                    del self._groups[group]
            entry.groups = []


def view_id(headers: Headers) -> str:
    """The ID that an edge gave the page view; empty for none.

    An edge gives every request an ID of its own. Only what it includes belongs to the page's: what a browser
    asks for by itself (htmx, an iframe) is another request, and its ID says nothing.
    """
    if (value_of(headers, b"sec-fetch-dest") or b"document") != b"document":
        return ""
    name = value_of(headers, VIEW)
    return name[:MAX_VIEW].decode("utf-8", "replace") if name else ""


def makes(asked: Asked) -> bool:
    """Whether a request may and can make the page view's event."""
    return asked.counts and asked.page is not None and has_event(asked.page)


def group_of(visitor: Visitor, view: str) -> Group:
    """Under what the page views of a visitor are found, or those of an ID."""
    return visitor.anonymous_id, visitor.user_id, view


def _same(page: Page, other: Page) -> bool:
    """Whether two requests speak of one page; a variant that one of them doesn't name parts none."""
    if page.kind != other.kind:
        return False
    if page.kind == "product":
        return page.product_id == other.product_id and (
            page.variant_id == other.variant_id or page.variant_id is None or other.variant_id is None
        )
    if page.kind == "category":
        return page.category_name == other.category_name
    return page.kind != "search" or page.term == other.term
