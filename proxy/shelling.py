"""One request whose page may leave as a shell: decided when its head comes, from that alone."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from proxy import coding, surrogate
from proxy.classify import is_complete
from proxy.events import has_event, page_of, said
from proxy.headers import value_of, values_of
from proxy.includes import concerns
from proxy.judge import judge
from proxy.models import Page, Visitor
from proxy.rewriting import Rewriting
from proxy.shell import shareable

if TYPE_CHECKING:
    from starlette.types import Message, Scope, Send

    from proxy.exchange import Exchange
    from proxy.headers import Client, Headers
    from proxy.locate import Opening
    from proxy.models import Include, Slot
    from proxy.shell import Language
    from proxy.witness import Witness

NOT_FOUND, NOT_MODIFIED = 404, 304


class Shelling:
    """A request and its answer: a shell, or else whatever becomes of it without.

    Args:
        exchange: takes over where the page is one visitor's; it has not begun anything.
        language: of the includes.
    """

    def __init__(self, exchange: Exchange, language: Language) -> None:
        core = self.core = exchange.core
        self.exchange = exchange
        self.language: Language = language
        self.client: Client = exchange.client
        self.send: Send = exchange.send
        self.accept_encoding = b",".join(values_of(exchange.received, b"accept-encoding")) or None
        self.witness: Witness | None = None
        self.named = True  # nobody is to be recognized
        self.body: Rewriting | None = None
        self.page: Page | None = core.classifier.from_request(
            exchange.scope["raw_path"], exchange.scope["query_string"]
        )
        headers, self._asked_for_shell = core.shells.request(
            coding.narrowed(exchange.scope["headers"]), language
        )
        self.scope: Scope = {**exchange.scope, "headers": headers}
        self._decided = False
        self._raw = False

    async def on_message(self, message: Message) -> None:
        """Takes what the shop sends."""
        if self.body is not None:
            await self.body.on_message(message)
        elif self._raw:
            await self.send(message)
        elif self._decided or message["type"] != "http.response.start":
            await self.exchange.on_message(message)
        else:
            self._decided = True
            await self._on_start(message)

    async def _on_start(self, message: Message) -> None:
        headers: Headers = [(bytes(name).lower(), bytes(value)) for name, value in message["headers"]]
        status = message["status"]
        shells = self.core.shells
        if status == NOT_MODIFIED and self._asked_for_shell:
            fields = shells.not_modified(headers, self.language)
            if not self._for_everybody(headers):
                await self.exchange.on_message({**message, "headers": fields})
                return
            # A cache freshens everybody's shell by it: nothing of who asks may be in its head.
            self._raw = True
            await self.send({**message, "headers": fields})
            return
        verdict = judge(status, headers)
        if verdict.bypass or not self._for_everybody(headers):
            await self.exchange.on_message(message)
            return
        if status == NOT_FOUND and self.page is None:
            self.page = Page("404", why="status")
        fields = shells.response(headers, self.language)
        if self.processes_esi(headers):
            fields = surrogate.processed(fields)
        if self.scope["method"] == "HEAD":
            self._raw = True
            await self.send({**message, "headers": fields})
            return
        self.body = ShellBody(self, message, headers, fields, verdict.coding, verdict.content_type)

    def _for_everybody(self, headers: Headers) -> bool:
        """Whether a page is no single visitor's: by its head, and by what the shop says to us of it."""
        if self.page is not None and self.page.kind == "none":
            return False
        if self.exchange.personal:
            return False
        if not shareable(self.exchange.received, headers) or value_of(headers, b"x-datacue-user") is not None:
            return False
        for value in values_of(headers, b"x-datacue-event"):
            events, complaints = said(value)
            pages = [page_of(event) for event in events]
            if complaints or None in pages:
                return False
            self.page = pages[0] if pages else self.page
        return True

    # -- what a body asks of an exchange ----------------------------------------------------------

    @property
    def esi_in_front(self) -> bool:
        """Whether the page's ESI is left to a proxy in front of us: whoever includes ours includes all."""
        return self.language == "esi" or self.exchange.esi_in_front

    def processes_esi(self, headers: Headers) -> bool:
        """Whether the page's ESI is for us to process."""
        return self.language != "esi" and self.exchange.processes_esi(headers)

    def known(self) -> bool:
        """A shell knows nobody."""
        return False

    def identify(self, user_id: str | None, profile: dict[str, Any] | None) -> None:
        """A shell knows nobody."""

    def remember(self, fields: Headers) -> None:
        """A shell brings no cookie."""

    def tell(self, fields: Headers, became: str, kind: str) -> None:
        """A cache would tell it to everybody."""


class ShellView:
    """Stands where a page view would: the page's fragments make that.

    Attributes:
        page: what the shell shows; None until it is known.
    """

    def __init__(self, page: Page | None) -> None:
        self.page = page
        self.outcomes: list[tuple[str, str]] = []
        self.filled = False
        self.visitor = Visitor("")
        self.answered = self.settled = True
        self.remaining = inf  # nobody waits for a shell: a cache does

    @property
    def begun(self) -> bool:
        """Whether the fragments make an event."""
        return self.page is not None and has_event(self.page)

    def begin(self, page: Page) -> None:
        """The page has said what it is."""
        self.page = self.page or page

    async def slot(self, slot: Slot, *, utf8: bool) -> bytes | None:
        """Nothing: what a shell has in its slots are includes."""
        del slot, utf8
        return None

    async def settle(self) -> None:
        """There is nothing to be settled."""


class ShellBody(Rewriting):
    """The body of a shell: includes in its slots."""

    def __init__(
        self,
        shelling: Shelling,
        message: Message,
        original: Headers,
        fields: Headers,
        applied: bytes,
        content_type: bytes,
    ) -> None:
        page = shelling.page
        view = ShellView(page if page is not None and is_complete(page) else None)
        super().__init__(shelling, view, message, original, fields, applied, content_type)
        self.collect = False
        self._language: Language = shelling.language

    def _ours(self, include: Include) -> bool:
        return include.language != self._language and super()._ours(include)

    async def _fill(self, slot: Slot, opening: Opening, out: list[bytes]) -> None:
        page, include = self.view.page, slot.include
        html = None
        if (
            page is not None
            and (slot.pages is None or page.kind in slot.pages)
            and (include is None or concerns(include.query, page))
        ):
            html = self.core.shells.include(slot, page, opening.unfilled, self._language)
        out.append(opening.original if html is None else html)

    def _count(self) -> None:
        page = self.view.page
        self.core.metrics.pages(page.kind if page is not None else "unknown", "shell")
        if self.splicer.bailed:
            self.core.metrics.bailed(self.splicer.bailed)
