"""One page on its way through: bytes in; bytes and openings out.

Most of a page is never looked at closely. A single search tells whether any needle is in a chunk. If not,
the chunk leaves as it came, and is only remembered in case that a later one has a needle: then the
tokens from the last known place to that needle are read, plain markup at the speed of one regular
expression, and tag by tag only where an element's end is awaited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.locate import placeholders
from proxy.locate.marks import OPEN, Opening
from proxy.locate.markup import MAX_TAG, TAG
from proxy.locate.walk import Bailed, Walk

if TYPE_CHECKING:
    from proxy.locate.plan import FactSelectors, Plan
    from proxy.models import RawFacts

MAX_UNREAD = 256 * 1024
"""Bytes that have left and are remembered unread. Whole pages of most shops fit; longer ones are read as
they pass."""

Piece = bytes | Opening

_SCRIPT = b"<script"
_REPLACED = (*placeholders.OPENINGS, _SCRIPT)
_LONGEST = max(map(len, _REPLACED))


class Page:
    """Passes one page; see the module's docstring.

    Args:
        plan: what to look for.
        facts: the fact selectors of this page.
        found: takes the facts.

    Attributes:
        bailed: why everything has left and nothing more must be fed; else None.
    """

    def __init__(self, plan: Plan, facts: FactSelectors | None, found: RawFacts) -> None:
        self.bailed: str | None = None
        self._search = plan.search(facts)
        self._walk = Walk(plan, self._search, facts, found)
        self._whole_scripts = plan.remove_vendor_scripts
        self._tail = b""  # what the search looks at again, in lower case
        # Offsets count from the page's start. What lies before _base is forgotten.
        self._base = 0
        self._pieces: list[bytes] = []
        self._lows: list[bytes] = []  # the same in lower case
        self._unsent = b""
        self._read_to = 0
        self._sent = 0
        self._arrived = 0

    @property
    def held(self) -> int:
        """Bytes that have come and not left."""
        return self._arrived - self._sent

    @property
    def facts_size(self) -> int:
        """Bytes of the facts so far: changes whenever they do."""
        return 0 if self._walk.gather is None else self._walk.gather.size

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes, at least one; give what may leave."""
        self._pieces.append(data)
        self._arrived += len(data)
        self._look(data)
        to_end = self._search.eager or self._arrived - self._read_to > MAX_UNREAD
        if self._walk.idle and not to_end:
            return self._pass_on(data)
        return self._read(to_end=to_end, final=False)

    def close(self) -> list[Piece]:
        """The page is over; give the rest."""
        if self._walk.idle and not self._search.eager:
            return self.rest()
        return self._read(to_end=self._search.eager, final=True)

    def rest(self) -> list[Piece]:
        """All that has come and not left, as it came."""
        start, self._sent = self._sent, self._arrived
        rest = b"".join(self._pieces)[start - self._base :]
        return [rest] if rest else []

    def _look(self, data: bytes) -> None:
        known = len(self._tail)
        low = data.lower()
        self._lows.append(low)
        window = self._tail + low if known else low
        start = self._arrived - len(window)
        for _, at, end in self._search.automaton.find_matches_as_indexes(window):
            if end > known:
                self._walk.hits.append(start + at)
        self._walk.hits.sort()  # a needle that began before may come after one that was found in it
        self._tail = window[-self._search.overlap :]

    def _pass_on(self, data: bytes) -> list[Piece]:
        """Nothing in sight: let everything go but what may be the beginning of something."""
        if self._unsent:
            data = self._unsent + data
        leaving = len(data) - self._beginning(data)
        self._unsent = data[leaving:]
        self._sent = self._arrived - len(self._unsent)
        return [data[:leaving]] if leaving else []

    def _beginning(self, data: bytes) -> int:
        """How many of the last bytes may belong to something that is replaced from its very first byte on."""
        low = data[-MAX_TAG:].lower()
        at = low.find(_SCRIPT) if self._whole_scripts else -1
        while at >= 0:
            if TAG.match(low, at) is None:
                return len(low) - at
            at = low.find(_SCRIPT, at + 1)
        at = max(low.rfind(b"<", -_LONGEST), low.rfind(b"[", -_LONGEST))
        return len(low) - at if at >= 0 and any(opening.startswith(low[at:]) for opening in _REPLACED) else 0

    def _read(self, *, to_end: bool, final: bool) -> list[Piece]:
        raw, low = b"".join(self._pieces), b"".join(self._lows)
        base, walk = self._base, self._walk
        try:
            i = walk.go(raw, low, base, self._read_to - base, to_end=to_end, final=final)
        except Bailed as bailed:
            self.bailed = bailed.reason
            return self._leave(raw, low, self._sent) + self.rest()
        self._read_to = limit = base + i
        if final:
            # What was not read is plain: nothing is awaited in it.
            walk.finish(self._arrived)
            limit = self._arrived
        elif walk.idle and not self._search.eager:
            limit = self._arrived - self._beginning(raw[i:])
        return self._leave(raw, low, limit)

    def _leave(self, raw: bytes, low: bytes, limit: int) -> list[Piece]:
        """Give what is certain, up to the limit; forget what is not needed any more."""
        out: list[Piece] = []
        base, sent, marks = self._base, self._sent, self._walk.marks.all
        done = 0
        for mark in marks:
            if mark.end == OPEN:
                limit = min(limit, mark.start)
                break
            if mark.start > sent:
                out.append(raw[sent - base : mark.start - base])
            out.append(Opening(mark.slot, raw[mark.start - base : mark.end - base], mark.fallback))
            sent = mark.end
            done += 1
        del marks[:done]
        if limit > sent:
            out.append(raw[sent - base : limit - base])
            sent = limit
        keep = min(self._read_to, sent)
        gather = self._walk.gather
        if gather is not None and gather.since is not None:
            keep = min(keep, gather.since)
        self._base, self._sent = keep, sent
        self._pieces, self._lows = [raw[keep - base :]], [low[keep - base :]]
        self._unsent = raw[sent - base :]
        return out
