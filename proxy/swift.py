"""A page that came before is personalized from socket to socket: without a task, in one write.

The page's kind is known from its address, so its event leaves with the request; when the shop's answer is
whole, and the page is one whose slots are known, it waits for nothing but the recommendations. Whatever
needs more (a shop that speaks to us, a compressed page, one that comes slowly, says who is logged in, or has
includes) goes on as an ``Exchange`` from where it is, with the page view that has begun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from proxy import coding, surrogate
from proxy.edge import InvalidResponse
from proxy.errors import ConnectionLost, PeerError
from proxy.exchange import INTRODUCED, outcome
from proxy.finished import Finished
from proxy.headers import OUTCOME
from proxy.known import LONG, MAX_PAGE, MAX_WAITING
from proxy.relay import Relay

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from proxy.core import Core
    from proxy.edge import Connection, Head
    from proxy.forwarding import Apology, Change, Forwarding
    from proxy.headers import Client, Headers
    from proxy.http1 import Inflow, Response, ResponseHead
    from proxy.identity import Identity
    from proxy.judge import Asking
    from proxy.known import KnownPage, KnownPages, PageHead
    from proxy.locate import Opening
    from proxy.models import Page
    from proxy.personalize import PageView
    from proxy.relay import Passing

TURNS = 2
"""Turns of the event loop that a page gives its last chunk, or DataCue's answer, to arrive with what is here:
microseconds, and one write in place of two."""

MOST_TURNS = 64
"""Turns that a page is given while more of it comes in nearly each: a megabyte from a shop nearby takes 16.
One that trickles goes on as it comes."""

OK = 200

NARROWED = (coding.narrowed,)
NARROWED_ANNOUNCED = (coding.narrowed, surrogate.announced)

UNFIT = frozenset({OUTCOME, surrogate.CAPABILITY, INTRODUCED})
"""Request fields by which a caller asks for more than the page."""


def asks_simply(asked: Asking, ignored: str | None, headers: Headers) -> bool:
    """Whether a request that asks for a page may be served like this, by its fields."""
    return (
        asked.page
        and not asked.conditional
        and ignored is None
        and UNFIT.isdisjoint([name for name, _ in headers])
    )


def changes(core: Core) -> tuple[Change, ...]:
    """What becomes of a page's request fields before they are the shop's."""
    return NARROWED_ANNOUNCED if core.announcing.going_on else NARROWED


def for_pages(core: Core, headers: Headers) -> Headers:
    """A page's request fields as the shop, or what is kept of it, hears them."""
    for change in changes(core):
        headers = change(headers)
    return headers


class KeptPage(Protocol):
    """A page that was kept.

    Attributes:
        headers: end-to-end.
    """

    headers: Headers
    body: bytes


class Visit(NamedTuple):
    """A page view that has begun.

    Attributes:
        kept: the page, where it is at hand; None: the shop is asked.
        app: answers such a request from the start.
        listening: wraps an app so that what it answers is this page view's page.
    """

    core: Core
    pages: KnownPages
    client: Client
    identity: Identity
    view: PageView
    page: Page
    kept: KeptPage | None
    app: ASGIApp
    listening: Callable[[ASGIApp], ASGIApp]


class Swift(Relay):
    """One page on its way.

    Args:
        visit: what the request told.
        forwarding, head, connection, passing, rest: see ``Relay``.
    """

    __slots__ = (
        "_known", "_page_head", "_removed", "_response_head", "_source", "_timer", "_visit", "_waiting"
    )  # fmt: skip

    def __init__(
        self,
        visit: Visit,
        forwarding: Forwarding,
        head: Head,
        connection: Connection,
        passing: Passing,
        rest: Callable[[Response], ASGIApp],
    ) -> None:
        super().__init__(forwarding, head, connection, passing, rest)
        self._visit = visit
        self._response_head: ResponseHead | None = None
        self._page_head: PageHead | None = None
        self._source: Inflow | None = None
        self._known: KnownPage | None = None
        self._removed = False  # whether a script of the vendor's was left out
        self._timer: asyncio.Handle | None = None
        self._waiting = 0  # bytes that count as waiting

    def begun(self, client: Client) -> bool:
        """Tells DataCue and asks the shop; without a connection at hand the long way goes on from here."""
        visit = self._visit
        visit.view.begin(visit.page)
        if visit.kept is not None:
            self._begin_with(visit.kept)
            return True
        forwarding, head, peer = self._forwarding, self._head, self._connection.peer
        message = forwarding.message(head, peer, client, *changes(visit.core))
        self._began = forwarding.clock()
        self._inflow = forwarding.pool.send_now(message, self, idempotent=True)
        if self._inflow is None:
            self._timer = self._connection.loop.call_soon(self._start_over)
        return True

    def _begin_with(self, kept: KeptPage) -> None:
        """The page is here already; the shop isn't asked."""
        self._page_head = self._judged(OK, kept.headers)
        if self._page_head is not None:
            self._chunks = [kept.body]
            self._known = self._readable()
            self._chunks = []
        loop = self._connection.loop
        if self._known is None:
            self._timer = loop.call_soon(self._start_over)
        else:
            self._timer = loop.call_soon(self._when_answered, TURNS)

    def _start_over(self) -> None:
        """Asks the shop as an exchange, with the page view that has begun."""
        self._timer = None
        self._connection.hand_over(self._head, self._visit.listening(self._visit.app))

    def disconnect(self) -> None:
        """The visitor is gone: the shop need not go on."""
        self._stop()
        super().disconnect()

    # -- the shop's answer ------------------------------------------------------------------------

    def begin(self, head: ResponseHead, chunks: list[bytes], inflow: Inflow) -> None:
        """The head is here: is it an ordinary page's?"""
        self._forwarding.metrics.upstream_seconds(self._forwarding.clock() - self._began)
        self._response_head, self._chunks, self._source = head, chunks, inflow
        self._page_head = self._judged(head.status, head.headers)
        if self._page_head is None:
            self._go_on()

    def _judged(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> PageHead | None:
        """What becomes of a head; None where it says more than to be a page's."""
        visit = self._visit
        return None if visit.core.capture.speaks(headers) else visit.pages.head(status, headers)

    def arrived(self, size: int) -> None:
        """Some of the page is here; the rest is mostly on its heels."""
        if not size or self._timer is not None:
            return
        self._timer = self._connection.loop.call_soon(self._patient, 0, TURNS, MOST_TURNS)

    def _patient(self, before: int, quiet: int, turns: int) -> None:
        """Waits on while more comes.

        Args:
            before: bytes that had come by the last turn.
            quiet: turns without more that are left.
            turns: that are left altogether.
        """
        size, pages = sum(map(len, self._chunks)), self._visit.pages
        if size > before:
            quiet = TURNS
            pages.waiting += size - before
            self._waiting = size
        too_much = size > MAX_PAGE or (size > LONG and pages.waiting > MAX_WAITING)
        if not quiet or not turns or too_much:
            self._timer = None
            self._go_on()
        else:
            self._timer = self._connection.loop.call_soon(self._patient, size, quiet - 1, turns - 1)

    def end(self, trailers: Headers, *, keep_inflow: bool) -> None:
        """The page is whole."""
        del trailers, keep_inflow
        self._stop()
        self._inflow = None
        known = self._readable()
        if known is None:
            self._go_on(ended=True)
            return
        self._known = known
        self._when_answered(TURNS)

    def _readable(self) -> KnownPage | None:
        """What ``_read`` gives; a bug of ours must not cost the page: the long way is left."""
        try:
            return self._read()
        except Exception as error:  # noqa: BLE001  see above
            self._complain("swift", error)
            return None

    def _read(self) -> KnownPage | None:
        """The page, if all it needs is its slots filled."""
        core, page = self._visit.core, self._visit.page
        assert self._page_head is not None
        if not any(self._chunks):
            return None
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        selectors = core.fact_selectors.get(page.why) or core.plan.facts
        known = self._visit.pages.page(selectors, self._page_head.content_type, body)
        if known is None:
            return None
        learns = core.learner is not None and page.kind == "product" and not core.learner.knows(known.facts)
        return None if learns else known

    def fail(self, error: BaseException, *, discard: bool) -> None:
        """The shop failed before its answer was whole."""
        del discard  # none of it is out
        self._stop()
        inflow, self._inflow = self._inflow, None
        if inflow is None:
            return  # we have closed it ourselves
        assert isinstance(error, PeerError)  # all else comes from uploads
        if inflow.was_stale and isinstance(error, ConnectionLost):
            # It was closed while it was idle; nobody has seen the request (RFC 9112, 9.3.1).
            self._start_over()
        elif self._response_head is not None:
            self._forwarding.broken_off(error)
            self.abandon(error.status)
        else:
            # The page view has begun: its event is settled before the last byte of an apology.
            apology = _apologizing(self._forwarding.unanswered(error))
            self._connection.hand_over(self._head, self._visit.listening(apology))

    def _go_on(self, *, ended: bool = False) -> None:
        """An exchange goes on with the answer from here."""
        self._stop()
        head, source = self._response_head, self._source
        assert head is not None
        assert source is not None
        response = self._forwarding.pool.awaited()
        if not ended:
            self._inflow = None
            source.hand_to(response)
        response.begin(head, self._chunks, source)
        if ended:
            response.end([], keep_inflow=False)
        elif self._chunks:
            response.arrived(sum(map(len, self._chunks)))
        self._connection.hand_over(self._head, self._rest(response))

    # -- recommendations --------------------------------------------------------------------------

    def _when_answered(self, turns: int) -> None:
        """DataCue's answer has mostly come before the shop's, or comes in the same turn."""
        self._timer = None
        view, loop = self._visit.view, self._connection.loop
        if view.answered and view.settled:
            try:
                self._finish()
            except InvalidResponse as error:
                self._give_up(error)
        elif turns:
            self._timer = loop.call_soon(self._when_answered, turns - 1)
        else:
            self._visit.core.personalizer.own(loop.create_task(self._slowly()))

    def _finish(self) -> None:
        """All that the page waits for is there."""
        assert self._known is not None
        body = self._whole(self._known)
        self._count()
        self._begin_page()
        self.content(*body, more=False)
        self._visit.view.forget()

    def _whole(self, known: KnownPage) -> Sequence[bytes]:
        """The page, slots filled: looked up where the same answer filled it before."""
        view, finished = self._visit.view, self._visit.pages.finished
        answer = view.familiar
        if answer is None or not known.number:
            return self._filled(known.pieces)
        renderer, kind = self._visit.core.personalizer.renderer, self._visit.page.kind
        found = finished.get(renderer, known.number, kind, answer)
        if found is not None:
            view.became(found.outcomes)
            self._removed = found.removed
            return (found.body,)
        body = b"".join(self._filled(known.pieces))
        if len(view.outcomes) == sum(map(self._waits, known.pieces)):  # or else we have stumbled over a slot
            page = Finished(body, tuple(view.outcomes), self._removed)
            finished.keep(renderer, known.number, kind, answer, page)
        return (body,)

    async def _slowly(self) -> None:
        """The answer is late: what stands before the first slot doesn't wait for it."""
        view, known = self._visit.view, self._known
        assert known is not None
        try:
            pieces = known.pieces
            first = next((i for i, piece in enumerate(pieces) if self._waits(piece)), len(pieces))
            before = self._filled(pieces[:first])
            self._begin_page()
            if before:
                self.content(*before, more=True)
            if first < len(pieces):
                await view.recommendations()
            after = self._filled(pieces[first:])
            self._count()
            if after and not view.settled and not self.disconnected:
                self.content(*after, more=True)
                after = []
            await view.settle()
            if not self.disconnected:
                self.content(*after, more=False)
        except InvalidResponse as error:
            self._give_up(error)

    def _waits(self, piece: bytes | Opening) -> bool:
        """Whether a piece is a slot that recommendations fill."""
        if isinstance(piece, bytes) or piece.slot is None:
            return False
        return piece.slot.pages is None or self._visit.page.kind in piece.slot.pages

    def _filled(self, pieces: Sequence[bytes | Opening]) -> list[bytes]:
        """Pieces of the page, slots filled as far as that can be done now."""
        view, known = self._visit.view, self._known
        assert known is not None
        out: list[bytes] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                out.append(piece)
            elif piece.slot is None:
                self._removed = True  # the vendor's own script would count this page view a second time
            elif not self._waits(piece):
                out.append(piece.unfilled)
            else:
                html = None
                try:
                    html = view.fill(piece.slot, utf8=known.utf8)
                except Exception as error:  # noqa: BLE001  a bug of ours: the shop's own content stays
                    self._complain("slot", error)
                out.append(piece.unfilled if html is None else html)
        return out

    def _begin_page(self) -> None:
        """The page's head, for this visitor."""
        visit, head, asked = self._visit, self._response_head, self._page_head
        assert asked is not None
        told = outcome("rewritten", visit.page.kind, visit.page) if visit.client.trusted else None
        # New, old, or no longer logged in.
        renew = visit.identity.renew or visit.view.visitor.user_id != visit.identity.visitor.user_id
        # All that the head depends on, but for its date; one with a visitor's cookie in it is nobody else's.
        alike = (
            None
            if head is None or head.shape is None or renew
            else ("page", head.shape, told, self.keep_alive)
        )
        templates = self._forwarding.templates
        if head is not None and alike is not None and (template := templates.get(alike)) is not None:
            self.start_as(template.dated(head.date))
            return
        fields = asked.fields
        if renew or told is not None:
            fields = [*fields]
        if renew:
            fields.append(
                visit.core.cookie.set_cookie(visit.view.visitor, secure=visit.client.scheme == "https")
            )
        if told is not None:
            fields.append((OUTCOME, told))
        self.start(OK, fields)
        if head is not None and alike is not None and (template := self.template(head.date)) is not None:
            templates.keep(alike, template)

    def _count(self) -> None:
        core, known = self._visit.core, self._known
        assert known is not None
        touched = self._removed or self._visit.view.filled
        core.metrics.pages.once((self._visit.page.kind, "rewritten" if touched else "untouched"))
        if known.bailed:
            core.metrics.bailed(known.bailed)

    def _complain(self, what: str, error: Exception) -> None:
        core = self._visit.core
        core.metrics.failures("proxy", what)
        core.log.warning("a bug in datacue-proxy; the page goes on without", what=what, exc_info=error)

    def _stop(self) -> None:
        """Nothing is awaited of the loop's next turns."""
        self._visit.pages.waiting -= self._waiting
        self._waiting = 0
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


def _apologizing(apology: Apology) -> ASGIApp:
    """Answers with an apology."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": apology.status, "headers": apology.headers})
        await send({"type": "http.response.body", "body": apology.page})

    return app
