"""The wrapper around a shop: who has to do with us, and who passes by.

Pure ASGI. What isn't a page view passes through untouched, as a stream; a page view becomes an
``Exchange``. Any failure of ours flushes what is held and goes on raw (design, decision 3).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from proxy.classify import not_counted
from proxy.exchange import Exchange, Shy, outcome
from proxy.handle import Handle
from proxy.headers import OUTCOME, SAID_BY_SHOP
from proxy.judge import asking
from proxy.shelling import Shelling

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from proxy.core import Core
    from proxy.headers import Client, Headers
    from proxy.judge import Asking
    from proxy.models import Page

UNSEEN = frozenset({"bot", "prefetch", "health"})
"""Who isn't a visitor at all: nothing is read from them, and nothing is taken back."""

MAX_SHY = 4096
"""Request targets remembered because their last answer was no page view after all."""


class PageMiddleware:
    """Personalizes the pages of the app inside.

    Args:
        app: the shop, or what forwards to it.
        core: see ``Core``.
        embedded: whether the app is a shop that looks for ``request.state.datacue``.
    """

    def __init__(self, app: ASGIApp, core: Core, *, embedded: bool = True) -> None:
        self.app = app
        self.core = core
        self.embedded = embedded
        self.shy = Shy(MAX_SHY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
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
            await self._shell(self.app, Shelling(exchange, language), receive)
            return
        if not self.embedded and self._passes(scope["method"], asked, ignored):
            take_over = partial(Exchange, core, self.shy, scope, client, send, asked, page, ignored)
            passing = Passing(core, send, client, page, ignored, take_over)
            await self.app(scope, receive, passing.on_message)
            return
        state = scope.setdefault("state", {})  # there before the exchange copies the scope
        exchange = Exchange(core, self.shy, scope, client, send, asked, page, ignored)
        if self.embedded:
            state["datacue"] = Handle(exchange)
        try:
            await self.app(exchange.scope, exchange.watched(receive), exchange.on_message)
        finally:
            # What holds each other is let go by hand: a collector run costs every visitor.
            exchange.body = exchange.witness = None
            state.pop("datacue", None)

    def judge(self, scope: Scope, headers: Headers) -> tuple[Asking, Page | None, str | None]:
        """Whether a page is asked for, which, and why it would be left alone."""
        core, method = self.core, scope["method"]
        asked = asking(method, headers)
        # HEAD is judged as the GET that it stands for; it only makes no event.
        ignored: str | None = not_counted("GET", headers, core.consent, core.privacy_signals)
        page = None
        if asked.page and ignored is None:
            page = core.classifier.from_request(scope["raw_path"], scope["query_string"])
            if page is not None and page.kind == "none":
                ignored = "rule"
            elif method == "HEAD":
                ignored = "head"
        return asked, page, ignored

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
    """An answer that goes on as it is, but for what the shop says to us alone.

    Args:
        core: see ``Core``.
        send: towards the browser.
        client: who asks.
        page: what is asked for, where that is known.
        ignored: why nobody looks at it; None where it simply is no page.
        exchange: makes what takes over when the shop does say something, and knows how to listen.
    """

    __slots__ = ("_client", "_core", "_exchange", "_ignored", "_make", "_page", "_send")

    def __init__(
        self,
        core: Core,
        send: Send,
        client: Client,
        page: Page | None,
        ignored: str | None,
        exchange: Callable[[], Exchange],
    ) -> None:
        self._core = core
        self._send = send
        self._client = client
        self._page = page
        self._ignored = ignored
        self._make = exchange
        self._exchange: Exchange | None = None

    async def on_message(self, message: Message) -> None:
        """Takes what the shop sends."""
        if self._exchange is not None:
            await self._exchange.on_message(message)
        elif message["type"] != "http.response.start":
            await self._send(message)
        elif not SAID_BY_SHOP.isdisjoint([name for name, _ in message["headers"]]):
            self._exchange = self._make()
            await self._exchange.on_message(message)
        else:
            await self._send(self._told(message))

    def _told(self, message: Message) -> Message:
        kind = self._page.kind if self._page is not None else "unknown"
        if self._ignored is not None:
            self._core.metrics.pages(kind, f"bypass:{self._ignored}")
        if not self._client.trusted:
            return message
        told = (OUTCOME, outcome(f"bypass:{self._ignored or 'request'}", kind, self._page))
        return {**message, "headers": [*message["headers"], told]}
