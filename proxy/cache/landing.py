"""The shop's answer on its way to the client, and into the store where that may be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proxy import coding
from proxy.cache.entry import NOT_MODIFIED, OK, Entry, vary_of
from proxy.cache.storable import LONGEST_SECRET, Lifetime, holds_secret, lifetime
from proxy.headers import end_to_end, value_of
from proxy.upstream import UNTIL_CLOSE

if TYPE_CHECKING:
    from starlette.types import Message, Scope, Send

    from proxy.cache.keeper import Keeper
    from proxy.cache.store import Key
    from proxy.headers import Headers

MAX_PAGE = 1024 * 1024
"""Bytes of a page that is kept: ten times what a large page has."""

MAX_DECODED = 8 * MAX_PAGE
"""Bytes of a compressed page that are looked through: HTML shrinks to a fifth, and a bomb to a thousandth."""

READER_SECONDS = 1.0
"""That a page may wait for its reader, all its pieces together, before nobody else waits for it: more than it
waits for recommendations, mostly."""

FAILED = 500


class Landing:
    """One answer.

    Args:
        keeper: keeps what may be kept.
        key: the page's address.
        entry: what is kept of it, if the shop was asked whether that still holds.
        scope: of the request.
        send: towards the client.
        flight: done when nobody needs to wait for the answer any more; None where nobody does.
    """

    def __init__(
        self,
        keeper: Keeper,
        key: Key,
        entry: Entry | None,
        scope: Scope,
        send: Send,
        flight: asyncio.Future[None] | None,
    ) -> None:
        self._keeper = keeper
        self._key = key
        self._entry = entry
        self._scope = scope
        self._send = send
        self._flight = flight
        self._patience = READER_SECONDS
        self._left = keeper.clock()
        self._expected = keeper.store.expect(key)
        self._headers: Headers = []
        self._lifetime: Lifetime | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._replaced = False

    async def on_message(self, message: Message) -> None:
        """Takes what the shop sends."""
        if self._replaced:
            return  # the body of a 304 or of an error: the client got what is kept
        if message["type"] == "http.response.start":
            await self._on_start(message)
            return
        body = message.get("body", b"")
        if self._lifetime is not None and message["type"] == "http.response.body":
            self._collect(bytes(body), end=not message.get("more_body", False))
        await self._pass_on(message)

    def over(self) -> None:
        """Nobody needs to wait any more."""
        if self._flight is not None and not self._flight.done():
            self._flight.set_result(None)

    def close(self) -> None:
        """There is no more to come."""
        self._keeper.store.unexpect(self._key, self._expected)
        self.over()

    async def _pass_on(self, message: Message) -> None:
        """Sends a message; the shop isn't read meanwhile, and who waits for it waits for its reader, too."""
        if self._flight is None or self._flight.done():
            await self._send(message)
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
        impatience = loop.call_later(self._patience, self.over)
        try:
            await self._send(message)
        finally:
            impatience.cancel()
            self._patience -= loop.time() - began

    async def _on_start(self, message: Message) -> None:
        keeper, entry, status = self._keeper, self._entry, message["status"]
        headers = end_to_end(message["headers"])
        if entry is not None and status == NOT_MODIFIED:
            await self._replace(self._freshened(entry, headers), "revalidated")
            return
        if entry is not None and status >= FAILED:
            # That says nothing of the page: what is kept stays (RFC 9111, 4.3.3).
            if entry.may_replace_an_error(keeper.clock()):
                await self._replace(entry, "instead of an error")
                return
            keeper.count("not kept: status")
            self.over()
            await self._send(message)
            return
        delay = keeper.clock() - self._left
        found = lifetime(self._scope["headers"], status, headers, now=keeper.now(), delay=delay)
        if isinstance(found, Lifetime) and message.get(UNTIL_CLOSE):
            self._give_up("unframed")
        elif isinstance(found, Lifetime):
            self._lifetime, self._headers = found, headers
            length = value_of(headers, b"content-length")
            if length is not None and length.isdigit() and int(length) > MAX_PAGE:
                self._give_up("large")
        else:
            self._give_up(found)
        await self._pass_on(message)

    async def _replace(self, entry: Entry, outcome: str) -> None:
        """Answers with a page that is kept, in the place of what the shop says."""
        self._replaced = True
        self._keeper.count(outcome)
        await answer(entry, self._scope, self._send, self._keeper.clock())

    def _freshened(self, entry: Entry, headers: Headers) -> Entry:
        """The entry with what the shop says of it now; no longer kept if it may not be."""
        clock, asked = self._keeper.clock(), self._scope["headers"]
        if entry.is_another(headers):
            self._give_up("validator")
            return entry
        merged = entry.freshened(headers, entry.lifetime, clock)
        found = lifetime(asked, OK, merged.headers, now=self._keeper.now(), delay=clock - self._left)
        if not isinstance(found, Lifetime):
            self._give_up(found)
        elif vary_of(merged.headers, asked) != entry.vary:
            self._give_up("vary")
        else:
            merged.lifetime = found
            self._keeper.keep(self._key, merged, entry, self._expected)
        return merged

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
            entry = Entry(self._headers, page, vary, self._lifetime, self._keeper.clock())
            self._keeper.keep(self._key, entry, self._entry, self._expected)
            self.over()

    def _secret(self, page: bytes) -> bool:
        """Whether a page holds what was made for one visit; one that can't be read to its end may."""
        applied = coding.coding_of(value_of(self._headers, b"content-encoding"))
        if applied is None:
            return True
        tail, size = b"", 0  # a word may stand across two pieces
        decoder = coding.decoder(applied)
        try:
            for piece in decoder.decode(page):
                size += len(piece)
                if size > MAX_DECODED or holds_secret(tail + piece):
                    return True
                tail = piece[-LONGEST_SECRET:]
            decoder.close()
        except coding.CodingError:
            return True
        return False

    def _give_up(self, why: str) -> None:
        self._lifetime = None
        self._parts.clear()
        self._keeper.refuse(self._key, why, self._entry)
        self.over()


async def answer(entry: Entry, scope: Scope, send: Send, clock: float) -> None:
    """Answers a request with a page that is kept."""
    status, headers, body = entry.response(scope["method"], scope["headers"], clock)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
