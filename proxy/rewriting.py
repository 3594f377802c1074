"""The body of a page that is rewritten: decode, splice, fill, encode, one ``send`` a chunk.

Bytes flow on until a slot opens. What stands before a slot never waits for it, and what the shop put
inside it stays whenever there is nothing better.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from proxy import charset, coding
from proxy.classify import products_of
from proxy.errors import MalformedResponse
from proxy.facts import read_facts
from proxy.headers import OUTCOME, shared, uncached, unsaid, value_of
from proxy.includes import complete, concerns
from proxy.locate import EsiProcessor, Opening, Splicer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Message, Scope, Send

    from proxy.core import Core
    from proxy.headers import Client, Headers
    from proxy.models import Include, Page, Slot, Visitor
    from proxy.witness import Witness

HOLD_LIMIT = 512 * 1024
"""Bytes of a page that are held back from its first slot on, while its kind is still unknown. Pages
are a tenth of it; beyond, what is known by then decides."""

AT_ONCE = 64 * 1024
"""Bytes of a page that are looked at before they leave: a quarter of a millisecond. The shop's connection may
bring four times as many, and the first of them shall not wait for the last."""

IDENTITY = b"identity"

ASK_OUTCOMES = b"outcomes"
"""``X-DataCue: outcomes`` in a trusted caller's request: the answer's ``X-DataCue`` then lists every
slot's outcome. The page is collected first, since a response's head can't wait for its slots."""


class View(Protocol):
    """What a page's body needs of the page view that it shows."""

    page: Page | None
    visitor: Visitor
    outcomes: list[tuple[str, str]]
    filled: bool

    @property
    def begun(self) -> bool:
        """Whether the page view's event is on its way."""

    @property
    def answered(self) -> bool:
        """Whether asking for a slot would not wait."""

    @property
    def settled(self) -> bool:
        """Whether every event of this view is acknowledged (or refused) already."""

    @property
    def remaining(self) -> float:
        """Seconds until the page's deadline; not below 0."""

    def begin(self, page: Page) -> None:
        """The page is known."""

    async def slot(self, slot: Slot, *, utf8: bool) -> bytes | None:
        """A slot's HTML, or None: then the shop's own content stays."""

    async def settle(self) -> None:
        """Called before the page's last byte leaves."""


class Visit(Protocol):
    """What a page's body needs of the exchange that it belongs to."""

    core: Core
    scope: Scope
    client: Client
    accept_encoding: bytes | None
    page: Page | None
    body: Rewriting | None
    send: Send
    witness: Witness | None
    named: bool

    def known(self) -> bool:
        """Whether the visitor came with our cookie."""

    async def on_message(self, message: Message) -> None:
        """Takes what the shop sends."""

    def identify(self, user_id: str | None, profile: dict[str, Any] | None) -> None:
        """The page says who the visitor is."""

    def remember(self, fields: Headers) -> None:
        """Adds the visitor's cookie where the browser needs one."""

    def tell(self, fields: Headers, became: str, kind: str) -> None:
        """What became of the page, for trusted callers."""

    @property
    def esi_in_front(self) -> bool:
        """Whether a proxy in front of us, which we trust, processes ESI."""

    def processes_esi(self, headers: Headers) -> bool:
        """Whether the page's ESI is for us to process."""


class Rewriting:
    """The body of a page that is rewritten: decode, splice, fill, encode, one ``send`` a chunk."""

    def __init__(
        self,
        exchange: Visit,
        view: View,
        start: Message,
        original: Headers,
        fields: Headers,
        applied: bytes,
        content_type: bytes,
    ) -> None:
        core = exchange.core
        self.exchange = exchange
        self.core = core
        self.view = view
        self.start: Message | None = start
        self.original = original
        self.fields = fields
        self.content_type = content_type
        self.decoder = coding.decoder(applied) if applied != IDENTITY else None
        given = coding.negotiate(exchange.accept_encoding, applied) if self.decoder else IDENTITY
        self.encoder = coding.encoder(given) if given and given != IDENTITY else None
        if self.decoder is not None and given != applied:
            # The shop compressed for a client that didn't ask for it.
            fields[:] = [field for field in fields if field[0] != b"content-encoding"]
            if self.encoder is not None:
                fields.append((b"content-encoding", given or IDENTITY))
        why = exchange.page.why if exchange.page is not None else ""
        selectors = core.fact_selectors.get(why) or core.plan.facts
        if exchange.witness is not None:
            selectors = exchange.witness.selectors(exchange.page, selectors)
        self.splicer = Splicer(core.plan, selectors)
        self.esi = EsiProcessor(core.plan.prefix) if exchange.processes_esi(original) else None
        self.utf8 = False
        self.charset = "utf-8"
        self.raw = False
        self.sniffed = False
        self.held: list[bytes | Opening] = []
        self.unread: list[bytes] = []  # compressed bytes, until the first of them proved readable
        self.removed = False
        self.recognized = False
        self.login = False
        self.collect = exchange.client.trusted and (
            value_of(exchange.scope["headers"], OUTCOME) == ASK_OUTCOMES
        )
        self.collected: list[bytes] = []

    async def on_message(self, message: Message) -> None:
        """Takes one piece of the shop's body."""
        if message["type"] != "http.response.body":
            await self.exchange.send(message)
            return
        data = bytes(message.get("body", b""))
        more = message.get("more_body", False)
        if self.decoder is None:
            begin, last = 0, len(data) - AT_ONCE
            while begin < last:
                await self._take(data[begin : begin + AT_ONCE], end=False)
                begin += AT_ONCE
                await asyncio.sleep(0)  # the loop writes between its turns
            await self._take(data[begin:], end=not more)
            return
        if self.start is not None:
            self.unread.append(data)
        try:
            # Decoded in pieces of bounded size: what a few bytes stand for may be a lot.
            for piece in self.decoder.decode(data):
                await self._take(piece, end=False)
            if not more:
                self.decoder.close()
        except coding.CodingError:
            await self._give_up(more=more)
        else:
            if not more:
                await self._take(b"", end=True)

    async def _take(self, data: bytes, *, end: bool) -> None:
        """One piece of the page, decoded: what is ready goes out in one ``send``."""
        if not self.sniffed and (data or end):
            self.sniffed = True
            try:
                self._sniff(data)
            except Exception as error:  # noqa: BLE001  a bug of ours must not cost the page
                self.raw = True
                self._complain("charset", error)
        out: list[bytes] = []
        if self.raw:
            out.append(data)
        else:
            if self.esi is not None:
                data = self._process(self.esi, data, end=end)
            pieces = self.splicer.feed(data) if data else []
            if end:
                pieces += self.splicer.close()
            await self._place(pieces, out, end=end)
        if end:
            await self._finish(b"".join(out))
        elif out:
            await self._send(b"".join(out), more=True)

    def _process(self, esi: EsiProcessor, data: bytes, *, end: bool) -> bytes:
        """Carries out the page's ESI markup, where that is asked of us."""
        done = b""
        try:
            done = esi.feed(data)
            if end:
                done += esi.close()
        except Exception as error:  # noqa: BLE001  as above: the rest of the page keeps its ESI
            self.esi = None
            self._complain("esi", error)
            return done + esi.rest()
        if esi.foreign:
            self.core.announcing.unresolved()
        return done

    def _sniff(self, first: bytes) -> None:
        """The page's charset, from its head, its byte order mark or its first bytes."""
        self.raw = not charset.ascii_compatible(self.content_type, first)
        self.utf8 = not self.raw and charset.is_utf8(self.content_type, first)
        self.charset = charset.sniff(self.content_type, first) or "windows-1252"  # as browsers assume
        if self.raw:
            self.core.metrics.bailed("charset")

    async def _place(self, pieces: list[bytes | Opening], out: list[bytes], *, end: bool) -> None:
        """Puts pieces in order into ``out``, slots filled; holds on while the page's kind is unknown."""
        try:
            self._recognize()
            if self.view.page is None:
                self._classify(end=end)
        except Exception as error:  # noqa: BLE001  as above: the page stays of unknown kind
            self._complain("facts", error)
        if self.held:
            pieces = self.held + pieces
            self.held = []
        for position, piece in enumerate(pieces):
            if isinstance(piece, bytes):
                out.append(piece)
            elif piece.slot is None:
                # The vendor's own script would count this page view a second time.
                if self.view.begun:
                    self.removed = True
                else:
                    out.append(piece.original)
            elif piece.slot.include is not None and not self._ours(piece.slot.include):
                out.append(piece.original)
            elif self.view.page is None and not end and self._hold(pieces[position:]):
                return
            else:
                await self._fill(piece.slot, piece, out)

    def _hold(self, pieces: Sequence[bytes | Opening]) -> bool:
        """Keeps what follows a slot of a page of unknown kind, within the limit and the deadline."""
        size = sum(len(p) if isinstance(p, bytes) else len(p.original) for p in pieces)
        if size > HOLD_LIMIT or not self.view.remaining:
            self._classify(end=True)
            return False
        self.held = list(pieces)
        return True

    def _ours(self, include: Include) -> bool:
        """Whether an include is for us to resolve; one that says which page it stands in is believed."""
        if not self._here(include):
            return False
        if include.language == "esi" and self.exchange.esi_in_front:
            return False
        if self.view.page is None and (page := complete(include.query)) is not None:
            self._begin(page)
        return True

    def _here(self, include: Include) -> bool:
        return not include.host or include.host == self.exchange.client.host.lower()

    def _begin(self, page: Page) -> None:
        self.view.begin(page)
        self.exchange.page = page

    async def _fill(self, slot: Slot, opening: Opening, out: list[bytes]) -> None:
        page = self.view.page
        if slot.pages is not None and (page is None or page.kind not in slot.pages):
            out.append(opening.unfilled)
            return
        if out and not self.view.answered:
            # What stands before the slot must not wait for it.
            await self._send(b"".join(out), more=True)
            out.clear()
        html = None
        try:
            html = await self._html(slot)
        except Exception as error:  # noqa: BLE001  as above: the shop's own content stays
            self._complain("slot", error)
        out.append(opening.unfilled if html is None else html)

    async def _html(self, slot: Slot) -> bytes | None:
        """What fills a slot.

        An include may be about another page than the one that it stands in. Recommendations are the answer to
        a page view, and nobody has viewed that page: there is nothing to say about it.
        """
        page, include = self.view.page, slot.include
        if include is None:
            return await self.view.slot(slot, utf8=self.utf8)
        html = None
        if page is None or concerns(include.query, page):
            html = await self.view.slot(slot, utf8=self.utf8)
        alt = include.alt
        if html is None and alt is not None and alt.include is not None and self._here(alt.include):
            html = await self._html(alt)
        return html

    def _complain(self, what: str, error: Exception) -> None:
        """A bug of ours, in work that the page can do without: it is counted and told."""
        self.core.metrics.failures("proxy", what)
        self.core.log.warning("a bug in datacue-proxy; the page goes on without", what=what, exc_info=error)

    def _classify(self, *, end: bool) -> None:
        """Finds the page's kind in what the page says about itself.

        ``window.datacueConfig`` decides as soon as it was read; everything else at the page's end,
        so that the outcome never depends on how the page was cut into chunks.
        """
        facts = self.splicer.facts
        if not (end or facts.scripts):
            return
        known = read_facts(facts, charset=self.charset, page_url=self._url())
        if not end and known.why != "config":
            return
        exchange = self.exchange
        page = exchange.core.classifier.from_facts(exchange.page, known)
        if page is not None and page.kind != "none":
            self._begin(page)

    def _recognize(self) -> None:
        """``datacueConfig`` says who is logged in; mostly the head hasn't left, and its cookie says it, too.

        A page out of a cache may speak of somebody else.
        """
        facts, exchange = self.splicer.facts, self.exchange
        if self.recognized or not facts.scripts:
            return
        self.recognized = True
        if exchange.named or shared(self.original):
            return
        known = read_facts(facts, charset=self.charset, page_url=self._url())
        visitor = self.view.visitor
        if known.user_id is not None and known.user_id != visitor.user_id:
            exchange.identify(known.user_id, visitor.profile)
            # Who was here before and was nobody has logged in since.
            self.login = visitor.user_id is None and exchange.known()
        elif known.nobody and visitor.user_id is not None:
            exchange.identify(None, None)

    def _url(self) -> str:
        client, scope = self.exchange.client, self.exchange.scope
        target = b"%b?%b" % (scope["raw_path"], scope["query_string"])
        return f"{client.scheme}://{client.host.decode('latin-1')}{target.decode('latin-1')}"

    # -- out --------------------------------------------------------------------------------------

    async def _finish(self, rest: bytes) -> None:
        """Before the last byte leaves, the page view's events are acknowledged or on the disk."""
        try:
            self._learn()
        except Exception as error:  # noqa: BLE001  as above: the page has all its bytes
            self._complain("learning", error)
        self._count()
        page, witness = self.view.page or self.exchange.page, self.exchange.witness
        telling = witness is not None and (self.login or witness.looks(page))
        if rest and (telling or not self.view.settled):
            await self._send(rest, more=True)
            rest = b""
        if witness is not None and telling:
            try:
                await self._tell(witness, page)
            except Exception as error:  # noqa: BLE001  as above
                self._complain("capture", error)
        await self.view.settle()
        await self._send(rest, more=False)

    async def _tell(self, witness: Witness, page: Page | None) -> None:
        """The whole page is known: what did it show of a cart, a checkout, an order?"""
        if self.login:
            await witness.named()
        await witness.seen(page, self.splicer.facts, charset=self.charset, url=self._url())

    def _learn(self) -> None:
        learner, facts = self.core.learner, self.splicer.facts
        page = self.view.page
        if learner is None or page is None or page.kind != "product" or learner.knows(facts):
            return
        known = read_facts(facts, charset=self.charset, page_url=self._url())
        learner.learn(facts, products_of(page, known))

    def _count(self) -> None:
        page = self.view.page
        kind = page.kind if page is not None else "unknown"
        touched = self.removed or self.view.filled
        self.core.metrics.pages(kind, "rewritten" if touched else "untouched")
        if self.splicer.bailed:
            self.core.metrics.bailed(self.splicer.bailed)

    async def _send(self, data: bytes, *, more: bool) -> None:
        if self.collect:
            self.collected.append(data)
            if more:
                return
            data = b"".join(self.collected)
        if self.encoder is not None:
            data = self.encoder.encode(data)
            if not more:
                data += self.encoder.finish()
        if self.start is not None:
            await self._send_start()
        await self.exchange.send({"type": "http.response.body", "body": data, "more_body": more})

    async def _send_start(self) -> None:
        assert self.start is not None
        start, self.start = self.start, None
        self.unread.clear()
        page = self.view.page or self.exchange.page
        self.exchange.remember(self.fields)
        self.exchange.tell(self.fields, "rewritten", page.kind if page is not None else "unknown")
        if self.collect:
            slots = ",".join(f"{widget}:{outcome}" for widget, outcome in self.view.outcomes)
            self.fields.append((OUTCOME, f"slots={slots}".encode()))
        await self.exchange.send({**start, "headers": self.fields})

    async def _give_up(self, *, more: bool) -> None:
        """The shop's compressed bytes can't be read: on its first bytes the page goes on raw."""
        self.core.metrics.bailed("coding")
        if self.start is None:
            # Some of it is out already, decoded: only a broken end is honest.
            raise MalformedResponse("the shop's compressed page can't be read to its end", "shop")
        exchange = self.exchange
        exchange.body = None
        await exchange.send({**self.start, "headers": uncached(unsaid(self.original))})
        await exchange.on_message(
            {"type": "http.response.body", "body": b"".join(self.unread), "more_body": more}
        )
