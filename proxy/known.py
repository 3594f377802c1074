"""Pages that came before, whole: where their slots are is looked up, not looked for.

A page is known by all of its bytes, by the charset that its head names and by what is looked for in it:
nothing that is remembered here can be taken for another page. It is found by a sample of its bytes, as
comparing two pages takes a fifth of what the hash of one does.
"""

from __future__ import annotations

from itertools import count
from sys import getsizeof
from typing import TYPE_CHECKING, NamedTuple

from proxy import charset
from proxy.finished import FinishedPages
from proxy.headers import SAID_BY_SHOP, from_shop, personal, value_of
from proxy.judge import judge
from proxy.locate import Splicer
from proxy.remember import CacheStats, Remembered, Sights
from proxy.surrogate import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.headers import Headers
    from proxy.locate import FactSelectors, Opening, Plan
    from proxy.models import RawFacts

KNOWN_BYTES = 16 * 2**20
"""Of pages, and of the same cut at their slots: some 300 of 25 KB, as many as the locator's memory holds."""

SAMPLE = 61
"""A page is found by each 61st of its bytes: 400 of 25 KB, among which a price or a name mostly is."""

LONG = 128 * 1024
"""Bytes of a page beyond which it is read whole only when it comes a second time. Until then it is read as it
passes, so that its first bytes don't wait for its last, nor others for a page that never comes again."""

MAX_PAGE = 1_000_000
"""Bytes of a page that is known whole: read once, in some 4 ms; with its pieces an eighth of the memory."""

MAX_WAITING = 32 * 2**20
"""Of pages that are still coming, all together: beyond, long ones go on as they come."""

MAX_LONG = 512
"""Long pages of which is known that they came once."""

OPENING_BYTES = 600
"""Of a slot and what stands in it, beside the page's own bytes."""

MAX_HEADS = 512
"""Response heads whose judgement is remembered. Most shops say the same with every page, but for the date."""

OK = 200
IDENTITY = b"identity"


Key = tuple["FactSelectors | None", bytes, int, bytes]
"""What is looked for, the media type, the length of a page, and a sample of it; or all of it where that is
another page's already."""


class PageHead(NamedTuple):
    """What becomes of a response's head.

    Attributes:
        fields: as they go on, for one visitor.
        content_type: to find the charset by.
    """

    fields: Headers
    content_type: bytes


class KnownPage(NamedTuple):
    """A page, whole.

    Attributes:
        pieces: its bytes, and what opens between them.
        utf8: whether it says that it is UTF-8.
        bailed: why the rest of it was not looked at, or None.
        facts: what it says of itself.
        number: no other page's; 0 where nothing is remembered of it.
    """

    pieces: tuple[bytes | Opening, ...]
    utf8: bool
    bailed: str | None
    facts: RawFacts
    number: int = 0


class KnownPages:
    """Reads whole pages.

    Args:
        plan: what is looked for.
        limit: bytes.

    Attributes:
        finished: the same pages, with their slots filled.
        waiting: bytes of pages that are still coming.
    """

    def __init__(self, plan: Plan, limit: int = KNOWN_BYTES) -> None:
        self._plan = plan
        self._pages: Remembered[Key, tuple[bytes, KnownPage | None]] = Remembered(limit)
        self._heads: dict[tuple[tuple[bytes, bytes], ...], PageHead | None] = {}
        self._long = Sights(MAX_LONG)
        self._numbers = count(1)
        self.finished = FinishedPages()
        self.waiting = 0

    @property
    def stats(self) -> CacheStats:
        """How the memory does."""
        return self._pages.stats

    def head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> PageHead | None:
        """Judges a response's head; None where it needs more than to be a page."""
        if status != OK:
            return None
        key = tuple(headers)
        try:
            return self._heads[key]
        except KeyError:
            pass
        if len(self._heads) >= MAX_HEADS:
            self._heads.clear()
        self._heads[key] = judged = _judge(headers)
        return judged

    def page(self, selectors: FactSelectors | None, content_type: bytes, body: bytes) -> KnownPage | None:
        """Reads a whole page.

        Args:
            selectors: of the ``[[pages]]`` rule that it fell under.
            content_type: of its head.
            body: all of it.

        Returns:
            None where it needs more than its slots to be filled: it says who is logged in, it holds
            includes, or its charset can't be written to; and where it is too long to be read at once.
        """
        if len(body) > MAX_PAGE:
            return None
        key: Key = (selectors, content_type, len(body), body[::SAMPLE])
        remembered = self._pages.get(key)
        if remembered is not None and remembered[0] != body:
            self._pages.mistaken()
            key = (selectors, content_type, len(body), body)
            remembered = self._pages.get(key)
        if remembered is not None:
            return remembered[1]
        if len(body) > LONG and not self._long.again(key):
            return None
        splicer = Splicer(self._plan, selectors)
        pieces = splicer.feed(body) + splicer.close()
        page = _cut(content_type, body, pieces, splicer)
        if not self._plan.memory.limit:
            return page
        if page is not None:
            page = page._replace(number=next(self._numbers))
        openings = sum(not isinstance(piece, bytes) for piece in pieces)
        self._pages.put(key, (body, page), 2 * len(body) + getsizeof(pieces) + OPENING_BYTES * openings)
        return page


def _judge(headers: Sequence[tuple[bytes, bytes]]) -> PageHead | None:
    if not SAID_BY_SHOP.isdisjoint([name for name, _ in headers]):
        return None
    verdict = judge(OK, headers)
    if verdict.bypass or verdict.coding != IDENTITY or value_of(headers, CONTROL) is not None:
        return None
    return PageHead(personal(from_shop(headers)), verdict.content_type)


def _cut(
    content_type: bytes, body: bytes, pieces: list[bytes | Opening], splicer: Splicer
) -> KnownPage | None:
    if splicer.facts.scripts or not charset.ascii_compatible(content_type, body):
        return None
    if any(not isinstance(p, bytes) and p.slot is not None and p.slot.include is not None for p in pieces):
        return None
    return KnownPage(tuple(pieces), charset.is_utf8(content_type, body), splicer.bailed, splicer.facts)
