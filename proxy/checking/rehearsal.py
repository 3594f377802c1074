"""A page through the whole journey, as ``run`` would take it, but without consequences.

The request goes to the shop over the proxy's own connections, the answer through its own exchange,
classifier, locator and renderer. Only the far end is another: what would go to DataCue, or to the outbox,
is written down here.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote, urljoin, urlsplit

import msgspec

from proxy.exchange import Exchange, Shy
from proxy.forwarding import Forwarding
from proxy.headers import value_of
from proxy.lifespan import open_rehearsal, upstream_pool
from proxy.locate import Opening, Splicer
from proxy.metrics import Metrics
from proxy.middleware import PageMiddleware
from proxy.models import Visitor
from proxy.prepared import static_files
from proxy.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from starlette.types import ASGIApp, Message, Scope

    from proxy.core import Core
    from proxy.headers import Headers
    from proxy.http1 import Origin
    from proxy.locate.page import Piece
    from proxy.models import RawFacts
    from proxy.personalize import Pending
    from proxy.rewriting import Rewriting
    from proxy.settings import Settings

BROWSER: Final = b"Mozilla/5.0 (compatible; datacue-proxy check)"
"""Who asks: a bot would get the shop's own page."""

LOOPBACK: Final = "127.0.0.1"
"""Where the visitor of a rehearsal sits."""

MAX_REDIRECTS: Final = 5
"""Redirects that are followed to reach a page."""

PAGE_SECONDS: Final = 20.0
"""For one page with its redirects, from the first byte asked to the last one read: whoever sits before
a terminal waits for it, and a shop that drips bytes passes every limit between two of them."""

MAX_LATE: Final = 2
"""Pages that may take longer before no more are asked for: the next ones would, too."""

MAX_PAGE: Final = 8 * 1024 * 1024
"""Bytes of a page that are kept for a closer look; more pass unseen."""

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

ASKED_FOR: Final = frozenset({"pageview", "search"})
"""Types of the events whose answer is recommendations: no other is ever sent from a rehearsal."""


class Recorder:
    """The far end: takes events, as DataCue would, and what would have gone to the outbox.

    Args:
        ask: answers page views in earnest; None answers nothing.
    """

    def __init__(self, ask: Callable[[bytes], Awaitable[bytes | None]] | None) -> None:
        self._ask = ask
        self.sent: list[dict[str, Any]] = []
        self.answers: list[bytes] = []
        self.kept: list[Pending] = []

    def begin(self) -> None:
        """Another page comes."""
        self.sent, self.answers, self.kept = [], [], []

    async def send(self, body: bytes) -> bytes | None:
        """Takes an event."""
        document = msgspec.json.decode(body)
        self.sent.append(document)
        if self._ask is None or document["event"]["type"] not in ASKED_FOR:
            return None
        answer = await self._ask(body)
        if answer is not None:
            self.answers.append(answer)
        return answer

    async def keep(self, event_id: str, event: Pending, *, lease: float | None) -> bool:
        """Takes what would have been committed to the outbox."""
        del event_id, lease
        self.kept.append(event)
        return True

    async def withdraw(self, event_id: str) -> None:
        """Its answer came after all."""

    async def release(self, event_id: str) -> None:
        """Its call failed: it would be sent again."""


class Notes:
    """A log that is read afterwards."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        """Nothing that a check has to tell."""

    def warning(self, event: str, **fields: Any) -> None:
        """Something that someone should look at."""
        self.lines.append((event, fields))


class Overheard:
    """A page's splicer, with an ear at it.

    Args:
        inner: does the work.
    """

    def __init__(self, inner: Splicer) -> None:
        self._inner = inner
        self.openings: list[Opening] = []
        self.page = bytearray()

    @property
    def facts(self) -> RawFacts:
        """As the splicer has it; so are the others."""
        return self._inner.facts

    @property
    def bailed(self) -> str | None:
        """Why the rest of the page passes untouched."""
        return self._inner.bailed

    @property
    def held(self) -> int:
        """Bytes held back now."""
        return self._inner.held

    def feed(self, data: bytes) -> list[Piece]:
        """Hands bytes on."""
        if len(self.page) < MAX_PAGE:
            self.page += data
        return self._heard(self._inner.feed(data))

    def close(self) -> list[Piece]:
        """The page is over."""
        return self._heard(self._inner.close())

    def _heard(self, pieces: list[Piece]) -> list[Piece]:
        self.openings += [piece for piece in pieces if isinstance(piece, Opening)]
        return pieces


@dataclass
class Visit:
    """What came of asking for a page.

    Attributes:
        url: its address, absolute, as the visitor would see it.
        status: of the shop's answer; 0 where none came, and then ``failure`` says why.
        headers: of the shop's answer, names in lower case.
        exchange: the page's journey; its end state.
        sent: the bodies of the events that were sent.
        kept: what would have gone to the outbox.
        warnings: what the log would have said.
        late: whether it was given up after ``PAGE_SECONDS``.
    """

    url: str
    exchange: Exchange
    status: int = 0
    headers: Headers = field(default_factory=list)
    body: Rewriting | None = None
    overheard: Overheard | None = None
    sent: list[dict[str, Any]] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    kept: list[Pending] = field(default_factory=list)
    warnings: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failure: str = ""
    trail: list[str] = field(default_factory=list)
    late: bool = False

    @property
    def page(self) -> bytes:
        """The page's bytes, decoded; empty where it wasn't rewritten."""
        return bytes(self.overheard.page) if self.overheard is not None else b""

    @property
    def charset(self) -> str:
        """Of the page."""
        return self.body.charset if self.body is not None else "utf-8"

    @property
    def location(self) -> str | None:
        """Where the answer leads, absolute."""
        found = value_of(self.headers, b"location")
        if self.status not in REDIRECTS or not found:
            return None
        return urljoin(self.url, found.decode("latin-1"))


class Rehearsal:
    """Asks the shop for pages, as a visitor of the proxy would.

    Args:
        settings: all of them; ``upstream`` is set.
        core: from ``open_rehearsal``.
        shop: forwards to the shop.
        origin: of the shop.
        recorder: the core's far end.
        notes: the core's log.
    """

    def __init__(
        self, settings: Settings, core: Core, shop: ASGIApp, origin: Origin, recorder: Recorder, notes: Notes
    ) -> None:
        self.settings = settings
        self.core = core
        self.visitors: list[str] = []
        """The anonymous ids that were made: who asked in earnest can be forgotten afterwards."""
        self._recorder = recorder
        self._notes = notes
        self._shop = shop
        self._pages = PageMiddleware(shop, core, embedded=False)
        self.home = f"{origin.scheme}://{origin.authority.decode()}/"

    def address(self, target: str) -> str:
        """An absolute address, from one or from a path."""
        return urljoin(self.home, target)

    def is_home(self, url: str) -> bool:
        """Whether an address is of the shop's own host; http and https count as the same."""
        return urlsplit(url).netloc == urlsplit(self.home).netloc

    async def open(self, target: str) -> Visit:
        """Asks for a page and follows the redirects that stay at its host."""
        deadline = asyncio.get_running_loop().time() + PAGE_SECONDS
        visit = await self._visit(target, deadline)
        trail: list[str] = []
        while len(trail) < MAX_REDIRECTS and (location := visit.location) is not None:
            if urlsplit(location)[:2] != urlsplit(visit.url)[:2]:
                break
            trail.append(visit.url)
            visit = await self._visit(location, deadline)
        visit.trail = trail
        return visit

    async def _visit(self, target: str, deadline: float) -> Visit:
        """Asks for a page, once; by the loop's clock it is there until then, or given up."""
        url = self.address(target)
        scope = self._scope(url)
        core, headers = self.core, scope["headers"]
        client = scope["datacue.client"] = core.trusted.client(LOOPBACK, scope["scheme"], headers)
        asked, page, ignored = self._pages.judge(scope, headers)
        exchange = Exchange(core, Shy(1), scope, client, _nobody, asked, page, ignored)
        visit = Visit(url, exchange)
        self._recorder.begin()
        self._notes.lines = []

        async def hear(message: Message) -> None:
            if message["type"] == "http.response.start":
                visit.status = message["status"]
                visit.headers = [(bytes(name).lower(), bytes(value)) for name, value in message["headers"]]
            await exchange.on_message(message)
            if exchange.body is not None and visit.overheard is None:
                visit.body = exchange.body
                visit.overheard = Overheard(exchange.body.splicer)
                # It does all that a splicer does: it is only listened to.
                exchange.body.splicer = cast("Splicer", visit.overheard)

        try:
            async with asyncio.timeout_at(deadline) as limit:
                await self._shop(exchange.scope, exchange.watched(_no_body), hear)
        except Exception as error:  # noqa: BLE001  whatever ends a page ends this page's check alone
            visit.late = limit.expired()
            visit.failure = _late(visit) if visit.late else str(error) or type(error).__name__
        visit.sent, visit.answers, visit.kept = (
            self._recorder.sent,
            self._recorder.answers,
            self._recorder.kept,
        )
        visit.warnings = self._notes.lines
        for event, fields in visit.warnings:
            if event == "no answer from the shop":
                visit.status, visit.failure = 0, f"{fields['error']} ({fields['hint']})"
        return visit

    def _scope(self, url: str) -> Scope:
        parts = urlsplit(url)
        path = parts.path or "/"
        visitor = Visitor(self.core.cookie.recognize((), secure=False).visitor.anonymous_id)
        self.visitors.append(visitor.anonymous_id)
        set_cookie = self.core.cookie.set_cookie(visitor, secure=parts.scheme == "https")[1]
        cookies = [set_cookie.partition(b";")[0]]
        if self.core.consent is not None:
            cookies.append("=".join(self.core.consent).encode())
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": parts.scheme,
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "client": (LOOPBACK, 0),
            "server": None,
            "headers": [
                (b"host", parts.netloc.encode()),
                (b"user-agent", BROWSER),
                (b"accept", b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
                (b"accept-encoding", b"gzip, deflate, br"),
                (b"cookie", b"; ".join(cookies)),
            ],
        }


def _late(visit: Visit) -> str:
    what = "isn't whole" if visit.status else "isn't there"
    return f"the page {what} after {PAGE_SECONDS:g} s, when it is given up"


def gave_up(visits: Sequence[Visit]) -> bool:
    """Whether so many pages were late that asking for more makes no sense."""
    return sum(visit.late for visit in visits) >= MAX_LATE


async def _nobody(_message: Message) -> None:
    """The visitor's browser: nobody looks at the page."""


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


@asynccontextmanager
async def open_rehearsed_shop(
    settings: Settings, *, ask: Callable[[bytes], Awaitable[bytes | None]] | None = None
) -> AsyncIterator[Rehearsal]:
    """A shop that can be visited.

    Args:
        settings: all of them; ``upstream`` is set.
        ask: answers page views in earnest; None answers nothing.

    Raises:
        SettingsError: something in the settings can't be used.
    """
    recorder, notes, metrics = Recorder(ask), Notes(), Metrics()
    pool = upstream_pool(settings)
    try:
        with tempfile.TemporaryDirectory(prefix="datacue-check-") as folder:
            static = static_files(settings.static)
            opened = open_rehearsal(
                settings, metrics, notes, static, folder=Path(folder), send=recorder.send, keeper=recorder
            )
            async with opened as core:
                shop = Upstream(
                    Forwarding(
                        pool,
                        preserve_host=settings.preserve_host,
                        trusted=core.trusted,
                        metrics=metrics,
                        log=notes,
                        clock=core.clock,
                    )
                )
                yield Rehearsal(settings, core, shop, pool.origin, recorder, notes)
    finally:
        await pool.aclose()
