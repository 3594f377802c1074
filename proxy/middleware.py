"""The wrapper around a shop: who has to do with us, and who passes by.

Pure ASGI. What isn't a page view passes through untouched, as a stream; a page view becomes an
``Exchange``. Any failure of ours flushes what is held and goes on raw (design, decision 3).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from proxy.classify import not_counted
from proxy.events import has_event
from proxy.exchange import Asker, Exchange, Shy, outcome, view_of
from proxy.handle import Handle
from proxy.headers import OUTCOME, SAID_BY_SHOP, loops
from proxy.judge import asking
from proxy.known import KnownPages
from proxy.remember import Recent
from proxy.shelling import Shelling
from proxy.swift import Swift, Visit, asks_simply, for_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from proxy.core import Core
    from proxy.edge import Connection, Head, Reply
    from proxy.finished import FinishedPages
    from proxy.headers import Client, Headers
    from proxy.identity import Identity
    from proxy.judge import Asking
    from proxy.models import Page
    from proxy.personalize import PageView
    from proxy.relay import Relay
    from proxy.swift import KeptPage

UNSEEN = frozenset({"bot", "prefetch", "health"})
"""Who isn't a visitor at all: nothing is read from them, and nothing is taken back."""

MAX_SHY = 4096
"""Request targets remembered because their last answer was no page view after all."""


MAX_KNOWN = 512
"""Requests' heads remembered with what their fields say: a browser asks for all pictures of a page alike."""


class Fields(NamedTuple):
    """What a request's fields say, whatever it asks for.

    Attributes:
        asked, ignored: see ``PageMiddleware.judge``.
        client: who asks.
        asker: the same for a page view; None where the fields alone say that it needs more than its address,
            or is none.
        looping: whether the shop's address leads back to us.
    """

    asked: Asking
    ignored: str | None
    client: Client
    asker: Asker | None
    looping: bool


class Relaying(Protocol):
    """Forwards a request without a task; None where that needs one."""

    def __call__(
        self,
        head: Head,
        connection: Connection,
        client: Client,
        passing: Passing,
        listening: Callable[[ASGIApp], ASGIApp],
        make: Callable[..., Relay] = ...,
    ) -> Reply | None:
        """See ``Upstream.relay``."""


class Keeping(Protocol):
    """The pages that are kept, as far as they need no task: see ``PageCache``."""

    def at_hand(self, head: Head, client: Client, asked: Headers) -> KeptPage | None:
        """The page that may be used at once; None: the app has to answer."""

    def keeps_nothing_of(self, head: Head, client: Client) -> bool:
        """Whether the shop may be asked past it."""


class PageMiddleware:
    """Personalizes the pages of the app inside.

    Args:
        app: the shop, or what forwards to it.
        core: see ``Core``.
        embedded: whether the app is a shop that looks for ``request.state.datacue``.
        relay: forwards what passes by in the app's place, where the app forwards.
        keeping: the pages that are kept in front of the shop; None where none are.
    """

    def __init__(
        self,
        app: ASGIApp,
        core: Core,
        *,
        embedded: bool = True,
        relay: Relaying | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        self.app = app
        self.core = core
        self.embedded = embedded
        self.relay = relay
        self.keeping = keeping
        self.shy = Shy(MAX_SHY)
        self._fields: Recent[tuple[bytes | None, str, str, str], Fields] = Recent(MAX_KNOWN)
        self.known = known = KnownPages(core.plan)
        for figure in ("bytes", "hits", "misses"):
            text = f"Pages remembered whole, cut at their slots: {figure}."
            core.metrics.gauge(f"known_pages_{figure}", text, partial(_figure, known, figure))
            text = f"Pages remembered with their slots filled: {figure}."
            core.metrics.gauge(f"finished_pages_{figure}", text, partial(_figure, known.finished, figure))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        await self._serve(self.app, scope, receive, send)

    def direct(self, head: Head, connection: Connection) -> Reply | None:
        """Answers a bare request that passes by, without a task.

        Returns:
            what answers; None where the app has to.
        """
        if self.relay is None or self.core.shells.mode != "none":
            return None
        # The same lines from the same address over the same scheme: asked in the same way by the same client.
        key = head.lines, head.method, connection.peer, connection.scheme
        fields = self._fields.get(key) if head.lines is not None else None
        if fields is None:
            fields = self._read(head, connection)
            if head.lines is not None:
                self._fields.keep(key, fields)
        if fields.looping:
            return None
        core, asked, client = self.core, fields.asked, fields.client
        raw_path, _, query = head.target.partition(b"?")
        page, ignored = self._page(head.method, asked, fields.ignored, raw_path, query)
        passing = Passing(core, client, page, ignored if asked.page else None)
        if self._passes(head.method, asked, ignored):
            return self.relay(head, connection, client, passing, self._listening)
        if page is None or ignored is not None or fields.asker is None:
            return None
        try:
            return self._swiftly(head, connection, client, fields.asker, page, passing)
        except Exception as error:
            # A bug of ours must not cost the page: the long way is left.
            core.metrics.failures("proxy", "swift")
            core.log.warning("a bug in datacue-proxy; the page goes the long way", exc_info=error)
            return None

    def _read(self, head: Head, connection: Connection) -> Fields:
        """What the fields of a request say."""
        core, headers = self.core, head.headers
        asked, ignored = self._asked(head.method, headers)
        client = core.trusted.client(connection.peer, connection.scheme, headers)
        asker = Asker.of(core, client, headers) if asks_simply(asked, ignored, headers) else None
        return Fields(asked, ignored, client, asker, loops(headers))

    def _swiftly(
        self, head: Head, connection: Connection, client: Client, asker: Asker, page: Page, passing: Passing
    ) -> Reply | None:
        """Answers a page view whose page its address tells; None where it needs more than that."""
        core = self.core
        raw_path, _, query = head.target.partition(b"?")
        target = b"%b?%b" % (raw_path, query)
        if target in self.shy or not has_event(page) or core.capture.watches(raw_path, query, page):
            return None
        kept = None
        if self.keeping is not None:
            kept = self.keeping.at_hand(head, client, for_pages(core, head.headers))
            if kept is None and not self.keeping.keeps_nothing_of(head, client):
                return None  # what the shop answers may have to be kept
        identity = core.cookie.of(asker.cookies)
        view = view_of(core, asker, target, identity.visitor, core.clock())
        listening = partial(self._going_on, identity, view)
        visit = Visit(core, self.known, client, identity, view, page, kept, self.app, listening)
        assert self.relay is not None
        return self.relay(head, connection, client, passing, listening, partial(Swift, visit))

    def _going_on(self, identity: Identity, view: PageView, app: ASGIApp) -> ASGIApp:
        """The same, for a page that has begun."""
        return partial(self._serve, app, begun=(identity, view))

    def _listening(self, app: ASGIApp) -> ASGIApp:
        """Another app in the place of ours."""
        return partial(self._serve, app)

    async def _serve(
        self,
        app: ASGIApp,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        begun: tuple[Identity, PageView] | None = None,
    ) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        core = self.core
        headers: Headers = scope["headers"]
        peer = scope["client"][0] if scope.get("client") else ""
        client = scope["datacue.client"] = core.trusted.client(peer, scope["scheme"], headers)
        asked, page, ignored = self.judge(scope, headers)
        if core.shells.mode != "none" and (
            language := core.shells.language(scope["method"], headers, trusted=peer in core.trusted)
        ):
            exchange = Exchange(core, self.shy, scope, client, send, asked, page, ignored, late=True)
            await self._shell(app, Shelling(exchange, language), receive)
            return
        if not self.embedded and self._passes(scope["method"], asked, ignored):
            listen = partial(Exchange, core, self.shy, scope, client, send, asked, page, ignored)
            passing = Passing(core, client, page, ignored if asked.page else None)
            passage = Passage(passing, send, listen)
            await app(scope, receive, passage.on_message)
            return
        state = scope.setdefault("state", {})  # there before the exchange copies the scope
        exchange = Exchange(core, self.shy, scope, client, send, asked, page, ignored, begun=begun)
        if self.embedded:
            state["datacue"] = Handle(exchange)
        try:
            await app(exchange.scope, exchange.watched(receive), exchange.on_message)
        finally:
            # What holds each other is let go by hand: a collector run costs every visitor.
            exchange.body = exchange.witness = None
            state.pop("datacue", None)

    def judge(self, scope: Scope, headers: Headers) -> tuple[Asking, Page | None, str | None]:
        """Whether a page is asked for, which, and why it would be left alone."""
        method = scope["method"]
        asked, ignored = self._asked(method, headers)
        page, ignored = self._page(method, asked, ignored, scope["raw_path"], scope["query_string"])
        return asked, page, ignored

    def _asked(self, method: str, headers: Headers) -> tuple[Asking, str | None]:
        """Whether a page is asked for, and why whoever asks isn't counted: by method and fields alone."""
        # HEAD is judged as the GET that it stands for; it only makes no event.
        core = self.core
        return asking(method, headers), not_counted("GET", headers, core.consent, core.privacy_signals)

    def _page(
        self, method: str, asked: Asking, ignored: str | None, raw_path: bytes, query: bytes
    ) -> tuple[Page | None, str | None]:
        """Which page, and why it would be left alone."""
        page = None
        if asked.page and ignored is None:
            page = self.core.classifier.from_request(raw_path, query)
            if page is not None and page.kind == "none":
                ignored = "rule"
            elif method == "HEAD":
                ignored = "head"
        return page, ignored

    async def _shell(self, app: ASGIApp, shelling: Shelling, receive: Receive) -> None:
        """A page that may be made for everybody."""
        exchange = shelling.exchange
        state = shelling.scope.setdefault("state", {})
        if self.embedded:
            state["datacue"] = Handle(exchange)
        try:
            await app(shelling.scope, exchange.watched(receive), shelling.on_message)
        finally:
            exchange.body = exchange.witness = shelling.body = None
            state.pop("datacue", None)

    def _passes(self, method: str, asked: Asking, ignored: str | None) -> bool:
        """Whether a request has nothing to do with us: most of a shop's requests, and all of its bots'."""
        if ignored in UNSEEN:
            return True
        if asked.page and ignored != "rule":
            return False
        capture = self.core.capture
        return not (capture.cares(method, page=False) or (asked.page and capture.rules.links))


class Passing:
    """What is said about an answer that goes on as it is.

    Args:
        core: see ``Core``.
        client: who asks.
        page: what is asked for, where that is known.
        ignored: why nobody looks at it; None where it simply is no page, and isn't counted.
    """

    __slots__ = ("_client", "_core", "_ignored", "_page")

    def __init__(self, core: Core, client: Client, page: Page | None, ignored: str | None) -> None:
        self._core = core
        self._client = client
        self._page = page
        self._ignored = ignored

    def silent(self, headers: Headers) -> bool:
        """Whether the shop says nothing to us alone."""
        return SAID_BY_SHOP.isdisjoint([name for name, _ in headers])

    @property
    def outcome(self) -> bytes | None:
        """The value of ``X-DataCue``: what became of the page, for trusted callers."""
        if not self._client.trusted:
            return None
        return outcome(f"bypass:{self._ignored or 'request'}", self._kind, self._page)

    @property
    def _kind(self) -> str:
        return self._page.kind if self._page is not None else "unknown"

    def count(self) -> None:
        """Counts the page, where it is one."""
        if self._ignored is not None:
            self._core.metrics.pages.once((self._kind, f"bypass:{self._ignored}"))

    def told(self, headers: Headers) -> Headers:
        """Counts the page, and gives the fields with the outcome."""
        self.count()
        told = self.outcome
        return headers if told is None else [*headers, (OUTCOME, told)]


class Passage:
    """The way of such an answer through an app, up to where the shop does say something.

    Args:
        passing: see there.
        send: towards the browser.
        exchange: makes what takes over then, and knows how to listen.
    """

    __slots__ = ("_exchange", "_make", "_passing", "_send")

    def __init__(self, passing: Passing, send: Send, exchange: Callable[[], Exchange]) -> None:
        self._passing = passing
        self._send = send
        self._make = exchange
        self._exchange: Exchange | None = None

    async def on_message(self, message: Message) -> None:
        """Takes what the shop sends."""
        if self._exchange is not None:
            await self._exchange.on_message(message)
        elif message["type"] != "http.response.start":
            await self._send(message)
        elif self._passing.silent(message["headers"]):
            await self._send({**message, "headers": self._passing.told(message["headers"])})
        else:
            self._exchange = self._make()
            await self._exchange.on_message(message)


def _figure(known: KnownPages | FinishedPages, figure: str) -> float:
    return float(getattr(known.stats, figure))
