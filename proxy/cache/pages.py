"""The app in front of the shop that answers with what is kept, and keeps what may be kept.

Pages that are asked for at the same time are asked for once: whoever comes second waits for the first one's
answer, as long as nothing says that it can't be kept. A page that is stale, but may be used while it is asked
for anew, is used; the shop is asked meanwhile.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from proxy.cache.asked import (
    conditional,
    is_conditional,
    is_simple,
    key_for,
    key_of,
    only_if_cached,
    own_path,
)
from proxy.cache.entry import chosen_by
from proxy.cache.keeper import Keeper
from proxy.cache.landing import Landing, answer
from proxy.cache.purges import PurgeError
from proxy.headers import value_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from proxy.cache.entry import Entry
    from proxy.cache.purges import Purges
    from proxy.cache.store import Key, Store
    from proxy.edge import Head
    from proxy.headers import Client, Headers, TrustedProxies
    from proxy.metrics import Metrics

    Place = tuple[Key, tuple[bytes, ...]]
    """An address, and what a request says in the fields that its pages were chosen by so far."""

COLLAPSE_SECONDS = 5.0
"""Who comes second waits for the first one's answer; after that it asks itself. Shops can be slow."""

MAX_REFRESHING = 32
"""Pages asked for anew at the same time, while their old ones are used."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
ERROR, GATEWAY_TIMEOUT = 400, 504
PURGE = "PURGE"


class PageCache:
    """Answers with public pages that it keeps; all else is the app's.

    Args:
        app: the shop.
        store: keeps them.
        purges: says what is to be forgotten.
        shared: whether other workers must hear what was changed.
        trusted: who may ask with ``PURGE``.
        clock: seconds, monotonic. now: seconds since the epoch.
    """

    def __init__(
        self,
        app: ASGIApp,
        store: Store,
        purges: Purges,
        *,
        shared: bool,
        trusted: TrustedProxies,
        metrics: Metrics,
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self.app = app
        self._store = store
        self._purges = purges
        self._shared = shared
        self._trusted = trusted
        self._count = metrics.page_cache
        self._clock = clock
        self._keeper = Keeper(store, metrics.page_cache, clock, now)
        self._flights: dict[Place, asyncio.Future[None]] = {}
        self._refreshing: dict[Key, asyncio.Task[None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self._purges.carry_out(self._store)
        method, asked = scope["method"], scope["headers"]
        if method == PURGE:
            await self._purge(scope, receive, send)
        elif method not in SAFE:
            await self.app(scope, receive, self._invalidating(scope, send))
        elif method not in {"GET", "HEAD"} or not is_simple(asked):
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
        self._purges.carry_out(self._store)
        if not is_simple(asked):
            return None
        entry = self._store.find(key_for(client, head.target), asked)
        if entry is None or entry.use(asked, self._clock()) != "fresh":
            return None
        self._count("hit")
        return entry

    def keeps_nothing_of(self, head: Head, client: Client) -> bool:
        """Whether an address's last answer could not be kept: then the cache needn't be asked."""
        return self._keeper.in_vain(key_for(client, head.target))

    # -- from what is kept ------------------------------------------------------------------------

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        key, asked = key_of(scope), scope["headers"]
        entry = self._store.find(key, asked)
        if scope["method"] == "GET" and (entry is None or entry.is_stale(self._clock())):
            entry = await self._not_at_the_same_time(key, asked, entry)
        if entry is None:
            await self._miss(key, scope, receive, send)
            return
        use = entry.use(asked, self._clock())
        if use == "stale":
            self._refresh(key, entry, scope)
        if use != "validate":
            self._count("hit" if use == "fresh" else "stale")
            await answer(entry, scope, send, self._clock())
        elif scope["method"] == "HEAD" or only_if_cached(asked):
            await self._miss(key, scope, receive, send)
        else:
            await self._fetch(key, entry, scope, receive, send)

    async def _not_at_the_same_time(self, key: Key, asked: Headers, entry: Entry | None) -> Entry | None:
        """Waits while somebody else asks for the same; gives what is kept then.

        Where that was in vain, one of those who waited asks next, and the others wait for it.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(COLLAPSE_SECONDS):
                while entry is None or entry.is_stale(self._clock()):
                    flight = self._flights.get(self._place(key, asked))
                    if flight is None or flight.done():
                        break
                    await asyncio.wait([flight])
                    entry = self._store.find(key, asked)
        return entry

    def _place(self, key: Key, asked: Headers) -> Place:
        return key, tuple(chosen_by(asked, name) for name in self._store.varies(key))

    # -- from the shop ----------------------------------------------------------------------------

    async def _miss(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["headers"]
        if only_if_cached(asked):
            await _say(send, GATEWAY_TIMEOUT, b"Nothing is kept that could answer this.\n")
            return
        self._count("miss")
        if scope["method"] == "HEAD" or is_conditional(asked):
            await self.app(scope, receive, send)
            return
        await self._fetch(key, None, scope, receive, send)

    async def _fetch(self, key: Key, entry: Entry | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Asks the shop; others who want the same wait for it, unless its last answer could not be kept."""
        place = self._place(key, scope["headers"])
        other, flight = self._flights.get(place), None
        if (other is None or other.done()) and not self._keeper.in_vain(key):
            flight = self._flights[place] = asyncio.get_running_loop().create_future()
        landing = Landing(self._keeper, key, entry, scope, send, flight)
        try:
            await self.app(conditional(scope, entry), receive, landing.on_message)
        finally:
            landing.close()
            if flight is not None and self._flights.get(place) is flight:
                del self._flights[place]

    def _refresh(self, key: Key, entry: Entry, scope: Scope) -> None:
        """Asks the shop for a page anew, while its old one is used."""
        if key in self._refreshing or len(self._refreshing) >= MAX_REFRESHING:
            return
        alone = {name: value for name, value in scope.items() if name != "datacue.on_disconnect"}
        alone["extensions"] = {}
        alone["method"] = "GET"  # whoever only asks for its head
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
            if message["type"] == "http.response.start" and message["status"] < ERROR:
                key = key_of(scope)
                self._forget(key)
                for name in (b"location", b"content-location"):
                    target = value_of(message["headers"], name)
                    path = None if target is None else own_path(target, key)
                    if path is not None and path != key[2]:
                        self._forget((key[0], key[1], path))
            await send(message)

        return watched

    def _forget(self, key: Key) -> None:
        """Forgets an address at once, and has the other workers forget it."""
        self._store.forget(key)
        if self._shared:
            try:
                self._purges.tell(key[1].decode("latin-1"), key[2].decode("latin-1"), exact=True)
            except PurgeError:
                self._count("failed")
            else:  # read now, so that it isn't forgotten once more
                self._purges.carry_out(self._store, at_once=True)

    async def _purge(self, scope: Scope, receive: Receive, send: Send) -> None:
        """``PURGE``, as shops' plugins send it: from trusted addresses only, told to every worker.

        What a trusted proxy passes on comes from where it says, as everything does: most pass on any method.
        """
        client: Client | None = scope.get("datacue.client")
        peer = scope["client"][0] if scope.get("client") else ""
        if not (peer in self._trusted if client is None else client.trusted):
            await self.app(scope, receive, send)
            return
        key = key_of(scope)
        try:
            self._purges.tell(key[1].decode("latin-1"), key[2].decode("latin-1"))
        except PurgeError:
            self._store.forget(key)
            await _say(send, 500, b"Forgotten by one worker only: state_dir can't be written.\n")
            return
        self._purges.carry_out(self._store, at_once=True)
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
