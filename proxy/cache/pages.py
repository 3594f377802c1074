"""The app in front of the shop that answers with what is kept, and keeps what may be kept.

Pages that are asked for at the same time are asked for once: whoever comes second waits for the first one's
answer, as long as nothing says that it can't be kept. A page that is stale, but may be used while it is asked
for anew, is used; the shop is asked meanwhile.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from proxy import coding
from proxy.cache.directives import Unreadable, directives
from proxy.cache.entry import Entry, chosen_by, vary_of
from proxy.cache.purges import PurgeError
from proxy.cache.storable import LONGEST_SECRET, Lifetime, holds_secret, lifetime
from proxy.headers import end_to_end, value_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from proxy.cache.purges import Purges
    from proxy.cache.store import Key, Store
    from proxy.edge import Head
    from proxy.headers import Client, Headers, TrustedProxies
    from proxy.metrics import Metrics

MAX_PAGE = 1024 * 1024
"""Bytes of a page that is kept: ten times what a large page has."""

MAX_DECODED = 8 * MAX_PAGE
"""Bytes of a compressed page that are looked through: HTML shrinks to a fifth, and a bomb to a thousandth."""

COLLAPSE_SECONDS = 5.0
"""Who comes second waits for the first one's answer; after that it asks itself. Slow clients can hold up an
answer, and so can slow shops."""

PASS_SECONDS = 60.0
"""For which nobody waits for the answer of an address whose last answer could not be kept."""

MAX_PASSING = 4096
"""Addresses remembered because their last answer could not be kept."""

MAX_REFRESHING = 32
"""Pages asked for anew at the same time, while their old ones are used."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FAILED = 500
NOT_MODIFIED, GATEWAY_TIMEOUT = 304, 504
CONDITIONS = frozenset({b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since"})
PURGE = "PURGE"


class PageCache:
    """Answers with public pages that it keeps; all else is the app's.

    Args:
        app: the shop.
        store: keeps them.
        purges: says what is to be forgotten.
        trusted: who may ask with ``PURGE``.
        clock: seconds, monotonic. now: seconds since the epoch.
    """

    def __init__(
        self,
        app: ASGIApp,
        store: Store,
        purges: Purges,
        *,
        trusted: TrustedProxies,
        metrics: Metrics,
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self.app = app
        self.store = store
        self._purges = purges
        self._trusted = trusted
        self._count = metrics.page_cache
        self._clock = clock
        self._now = now
        self._flights: dict[tuple[Key, tuple[bytes, ...]], asyncio.Future[None]] = {}
        self._passing: dict[Key, float] = {}
        self._refreshing: dict[Key, asyncio.Task[None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self._purges.carry_out(self.store)
        method, asked = scope["method"], scope["headers"]
        if method == PURGE:
            await self._purge(scope, receive, send)
        elif method not in SAFE:
            await self.app(scope, receive, self._invalidating(scope, send))
        elif method not in {"GET", "HEAD"} or not _simple(asked):
            await self.app(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    def at_hand(self, head: Head, client: Client, asked: Headers) -> Entry | None:
        """The page that may be used at once for a GET, as it is; None: the app has to answer.

        Args:
            head: of the request.
            client: who asks.
            asked: its fields, as they would go to the shop.
        """
        self._purges.carry_out(self.store)
        if not _simple(asked):
            return None
        entry = self.store.find((client.scheme, client.host.lower(), head.target), asked)
        if entry is None or entry.use(asked, self._clock()) != "fresh":
            return None
        self._count("hit")
        return entry

    def keeps_nothing_of(self, head: Head, client: Client) -> bool:
        """Whether an address's last answer could not be kept: then the cache needn't be asked."""
        until = self._passing.get((client.scheme, client.host.lower(), head.target))
        return until is not None and until >= self._clock()

    # -- from what is kept ------------------------------------------------------------------------

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        key, asked = _key(scope), scope["headers"]
        entry = self.store.find(key, asked)
        if scope["method"] == "GET" and (entry is None or entry.is_stale(self._clock())):
            await self._not_at_the_same_time(key, asked)
            entry = self.store.find(key, asked)
        if entry is None:
            await self._miss(key, scope, receive, send)
            return
        use = entry.use(asked, self._clock())
        if use == "stale":
            self._refresh(key, entry, scope)
        if use != "validate":
            self._count("hit" if use == "fresh" else "stale")
            await self._answer(entry, scope, send)
        elif scope["method"] == "HEAD" or _only_if_cached(asked):
            await self._miss(key, scope, receive, send)
        else:
            await self._fetch(key, entry, scope, receive, send)

    async def _not_at_the_same_time(self, key: Key, asked: Headers) -> None:
        """Waits while somebody else asks for the same."""
        flight = self._flights.get(self._flight_of(key, asked))
        if flight is not None:
            await asyncio.wait([flight], timeout=COLLAPSE_SECONDS)

    def _flight_of(self, key: Key, asked: Headers) -> tuple[Key, tuple[bytes, ...]]:
        return key, tuple(chosen_by(asked, name) for name in self.store.varies(key))

    async def _answer(self, entry: Entry, scope: Scope, send: Send) -> None:
        """An entry as the answer; 304 where the client has it already."""
        age = (b"age", b"%d" % entry.age(self._clock()))
        headers = [*(field for field in entry.headers if field[0] != b"age"), age]
        body, status = entry.body, 200
        if entry.known_to(scope["headers"]):
            status, body = NOT_MODIFIED, b""
            headers = [field for field in headers if field[0] not in {b"content-length", b"content-type"}]
        elif scope["method"] == "HEAD":
            body = b""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    # -- from the shop ----------------------------------------------------------------------------

    async def _miss(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["headers"]
        if _only_if_cached(asked):
            await _say(send, GATEWAY_TIMEOUT, b"Nothing is kept that could answer this.\n")
            return
        self._count("miss")
        if scope["method"] == "HEAD" or any(name in CONDITIONS for name, _ in asked):
            await self.app(scope, receive, send)
            return
        await self._fetch(key, None, scope, receive, send)

    async def _fetch(self, key: Key, entry: Entry | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Asks the shop; others who want the same wait for it, unless its last answer could not be kept."""
        place = self._flight_of(key, scope["headers"])
        until = self._passing.get(key)
        flight = None
        if place not in self._flights and (until is None or until < self._clock()):
            flight = self._flights[place] = asyncio.get_running_loop().create_future()
        landing = _Landing(self, key, entry, scope, send, flight)
        try:
            await self.app(_asking(scope, entry), receive, landing.on_message)
        finally:
            landing.over()
            if flight is not None:
                del self._flights[place]

    def _refresh(self, key: Key, entry: Entry, scope: Scope) -> None:
        """Asks the shop for a page anew, while its old one is used."""
        if key in self._refreshing or len(self._refreshing) >= MAX_REFRESHING:
            return
        alone = {name: value for name, value in scope.items() if name != "datacue.on_disconnect"}
        alone["extensions"] = {}
        if not any(name == b"cookie" for name, _ in entry.vary):
            # It is for everybody; and a session that the shop renews for it would be lost with its answer.
            alone["headers"] = [field for field in scope["headers"] if field[0] != b"cookie"]
        task = asyncio.get_running_loop().create_task(
            self._fetch(key, entry, alone, _nothing_more, _nowhere), name="page cache: refresh"
        )
        self._refreshing[key] = task
        task.add_done_callback(lambda done: self._refreshed(key, done))

    def _refreshed(self, key: Key, task: asyncio.Task[None]) -> None:
        del self._refreshing[key]
        if not task.cancelled() and task.exception() is not None:
            self._count("failed")

    # -- what is forgotten ------------------------------------------------------------------------

    def _invalidating(self, scope: Scope, send: Send) -> Send:
        """What changed something changed its page, too (RFC 9111, 4.4)."""

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < HTTPStatus.BAD_REQUEST:
                key = _key(scope)
                self.store.forget(key)
                for name in (b"location", b"content-location"):
                    target = value_of(message["headers"], name)
                    if target is not None and (path := _own_path(target, key)) is not None:
                        self.store.forget((key[0], key[1], path))
            await send(message)

        return watched

    async def _purge(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``PURGE``, as shops' plugins send it: from trusted addresses only, told to every worker.

        What a trusted proxy passes on comes from where it says, as everything does: most pass on any method.
        """
        client: Client | None = scope.get("datacue.client")
        peer = scope["client"][0] if scope.get("client") else ""
        if not (peer in self._trusted if client is None else client.trusted):
            await self.app(scope, receive, send)
            return
        key = _key(scope)
        try:
            self._purges.tell(key[1].decode("latin-1"), key[2].decode("latin-1"))
        except PurgeError:
            self.store.forget(key)
            await _say(send, 500, b"Forgotten by one worker only: state_dir can't be written.\n")
            return
        self._purges.carry_out(self.store, at_once=True)
        await _say(send, 200, b"Purged.\n")

    # -- upkeep -----------------------------------------------------------------------------------

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                for task in list(self._refreshing.values()):
                    task.cancel()
                await asyncio.gather(*self._refreshing.values(), return_exceptions=True)
            await send(message)

        await self.app(scope, receive, closing)

    def kept(self, key: Key, entry: Entry) -> None:
        """A page can be kept."""
        self._passing.pop(key, None)
        self.store.keep(key, entry)

    def not_kept(self, key: Key, why: str) -> None:
        """A page can't be kept: for a while nobody waits for it."""
        self._count(f"not kept: {why}")
        self._passing.pop(key, None)
        if len(self._passing) >= MAX_PASSING:
            del self._passing[next(iter(self._passing))]
        self._passing[key] = self._clock() + PASS_SECONDS

    def clock(self) -> float:
        """Seconds, monotonic."""
        return self._clock()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now()

    async def answer(self, entry: Entry, scope: Scope, send: Send, outcome: str) -> None:
        """Answers with an entry after the shop was asked."""
        self._count(outcome)
        await self._answer(entry, scope, send)


class _Landing:
    """The shop's answer on its way to the client, and into the store where that may be."""

    def __init__(
        self,
        cache: PageCache,
        key: Key,
        entry: Entry | None,
        scope: Scope,
        send: Send,
        flight: asyncio.Future[None] | None,
    ) -> None:
        self._cache = cache
        self._key = key
        self._entry = entry
        self._scope = scope
        self._send = send
        self._flight = flight
        self._left = cache.clock()
        self._headers: Headers = []
        self._lifetime: Lifetime | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._replaced = False

    async def on_message(self, message: Message) -> None:
        if self._replaced:
            return  # the body of a 304 or of an error: the client got what is kept
        if message["type"] == "http.response.start":
            await self._on_start(message)
            return
        body = message.get("body", b"")
        if self._lifetime is not None and message["type"] == "http.response.body":
            self._collect(bytes(body), end=not message.get("more_body", False))
        await self._send(message)

    async def _on_start(self, message: Message) -> None:
        cache, entry, status = self._cache, self._entry, message["status"]
        headers = end_to_end(message["headers"])
        asked = self._scope["headers"]
        if entry is not None and status == NOT_MODIFIED:
            self._replaced = True
            await cache.answer(self._freshened(entry, headers), self._scope, self._send, "revalidated")
            return
        if entry is not None and status >= FAILED and entry.may_replace_an_error(cache.clock()):
            self._replaced = True
            await cache.answer(entry, self._scope, self._send, "instead of an error")
            return
        found = lifetime(asked, status, headers, now=cache.now(), delay=cache.clock() - self._left)
        if isinstance(found, Lifetime):
            self._lifetime, self._headers = found, headers
            length = value_of(headers, b"content-length")
            if length is not None and length.isdigit() and int(length) > MAX_PAGE:
                self._give_up("large")
        else:
            self._give_up(found)
        await self._send(message)

    def _freshened(self, entry: Entry, headers: Headers) -> Entry:
        """The entry with what the shop says of it now; no longer kept if it may not be."""
        cache = self._cache
        merged = entry.freshened(headers, entry.lifetime, cache.clock())
        delay = cache.clock() - self._left
        found = lifetime(self._scope["headers"], 200, merged.headers, now=cache.now(), delay=delay)
        if not isinstance(found, Lifetime):
            self._give_up(found)
            return merged
        if vary_of(merged.headers, self._scope["headers"]) != entry.vary:
            self._give_up("vary")
            return merged
        fresh = entry.freshened(headers, found, cache.clock())
        cache.kept(self._key, fresh)
        return fresh

    def _collect(self, body: bytes, *, end: bool) -> None:
        self._parts.append(body)
        self._size += len(body)
        if self._size > MAX_PAGE:
            self._give_up("large")
        elif end:
            page = b"".join(self._parts)
            if self._secret(page):
                self._give_up("token")
                return
            assert self._lifetime is not None, "only what may be kept is collected"
            vary = vary_of(self._headers, self._scope["headers"])
            cache = self._cache
            cache.kept(self._key, Entry(self._headers, page, vary, self._lifetime, cache.clock()))
            self.over()

    def _secret(self, page: bytes) -> bool:
        """Whether a page holds what was made for one visit; one that can't be read may."""
        applied = coding.coding_of(value_of(self._headers, b"content-encoding"))
        if applied is None:
            return True
        tail, size = b"", 0  # a word may stand across two pieces
        try:
            for piece in coding.decoder(applied).decode(page):
                size += len(piece)
                if size > MAX_DECODED or holds_secret(tail + piece):
                    return True
                tail = piece[-LONGEST_SECRET:]
        except coding.CodingError:
            return True
        return False

    def _give_up(self, why: str) -> None:
        self._lifetime = None
        self._parts.clear()
        if self._entry is not None:
            self._cache.store.drop(self._key, self._entry)
        self._cache.not_kept(self._key, why)
        self.over()

    def over(self) -> None:
        """Nobody needs to wait any more."""
        if self._flight is not None and not self._flight.done():
            self._flight.set_result(None)


def _key(scope: Scope) -> Key:
    client = scope.get("datacue.client")
    host = value_of(scope["headers"], b"host") or b""
    scheme = scope["scheme"]
    if client is not None:
        scheme, host = client.scheme, client.host
    query = scope["query_string"]
    return scheme, host.lower(), scope["raw_path"] + (b"?" + query if query else b"")


def _simple(asked: Headers) -> bool:
    """Whether a request may be answered from what is kept at all."""
    return not any(
        name in {b"authorization", b"range", b"upgrade", b"transfer-encoding"}
        or (name == b"content-length" and value != b"0")
        for name, value in asked
    )


def _asking(scope: Scope, entry: Entry | None) -> Scope:
    """The request that goes to the shop: with our conditions where something is kept."""
    if entry is None:
        return scope
    asked = [field for field in scope["headers"] if field[0] not in CONDITIONS]
    return {**scope, "headers": [*asked, *entry.conditions()]}


def _only_if_cached(asked: Headers) -> bool:
    try:
        return b"only-if-cached" in directives(asked)
    except Unreadable:
        return False


def _own_path(target: bytes, key: Key) -> bytes | None:
    """The target of an address of this very origin."""
    if target.startswith(b"/") and not target.startswith(b"//"):
        return target.partition(b"#")[0]
    origin = f"{key[0]}://".encode() + key[1]
    if target.lower().startswith(origin + b"/"):
        return target[len(origin) :].partition(b"#")[0]
    return None


async def _say(send: Send, status: int, text: bytes) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(text)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _nowhere(message: Message) -> None:
    """Takes an answer that nobody waits for."""
