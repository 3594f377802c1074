"""One page on its way through: bytes in; bytes and openings out.

Most of a page is never looked at closely. A single search tells whether any needle is in a chunk. If not,
the chunk leaves as it came, and is only remembered in case that a later one has a needle: then the
tokens from the last known place to that needle are read, plain markup at the speed of one regular
expression, and tag by tag only where an element's end is awaited.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from proxy.locate import placeholders
from proxy.locate.elements import MAX_DEPTH, Element, OpenElements, Watcher
from proxy.locate.gather import Gatherer
from proxy.locate.marks import OPEN, Mark, Marks, Opening
from proxy.locate.markup import MAX_TAG, RAW_TEXT, SKIP, SKIP_WINDOW, TAG, VOID, attributes
from proxy.locate.tokens import Tokens

if TYPE_CHECKING:
    import re

    from proxy.locate.plan import FactSelectors, Plan, Position
    from proxy.models import RawFacts, Slot

MAX_UNREAD = 256 * 1024
"""Bytes that have left and are remembered unread. Whole pages of most shops fit; longer ones are read as
they pass."""

Piece = bytes | Opening

_RAW = RAW_TEXT | {b"plaintext"}
_NEEDS_STACK = frozenset((b"svg", b"math", b"template"))
_SHORTCODE = placeholders.OPENINGS[0]
_HOLLOW = VOID | {b"esi:include"}
_HELD = (*placeholders.OPENINGS, b"<script")
_LONGEST_OPENING = max(map(len, placeholders.OPENINGS))


class Bailed(Exception):
    """This page is not for us: the rest of it passes as it comes.

    Args:
        reason: a word of a bounded vocabulary.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Page:
    """Reads one page; see the module's docstring.

    Args:
        plan: what to look for.
        facts: the fact selectors of this page.
        found: takes the facts.

    Attributes:
        held: bytes that have come and not left.
    """

    def __init__(self, plan: Plan, facts: FactSelectors | None, found: RawFacts) -> None:
        self._plan = plan
        self._search = plan.search(facts)
        self._tokens = Tokens()
        self._open = OpenElements(whole=self._search.ancestors)
        self._marks = Marks()
        self._gather = Gatherer(found, facts) if plan.collect_facts else None
        self._tail = b""  # what the search looks at again, lower-cased
        self._hits: list[int] = []  # where needles were found, ascending, not read yet
        # All offsets count from the page's start. What lies before _base is forgotten.
        self._base = 0
        self._pieces: list[bytes] = []
        self._read_to = 0
        self._sent = 0
        self._arrived = 0
        self._unsent = b""
        self._torn = False

    @property
    def held(self) -> int:
        return self._arrived - self._sent

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes; give what may leave.

        Raises:
            Bailed: the page can't be read on. Nothing of this call has left then.
        """
        if not data:
            return []
        self._look(data)
        self._pieces.append(data)
        self._arrived += len(data)
        if self._idle and not self._search.eager and self._arrived - self._read_to <= MAX_UNREAD:
            return self._pass_on(data)
        raw = self._read(final=False)
        return self._leave(raw, self._may_leave(raw))

    def close(self) -> list[Piece]:
        """The page is over; give the rest.

        Raises:
            Bailed: as for ``feed``.
        """
        if self._idle and not self._search.eager:
            self._sent = self._arrived
            return [self._unsent] if self._unsent else []
        raw = self._read(final=True)
        return self._leave(raw, self._arrived)

    def rest(self) -> list[Piece]:
        """All that has come and not left, as it came: after a failure."""
        start, self._sent = self._sent, self._arrived
        rest = b"".join(self._pieces)[start - self._base :]
        return [rest] if rest else []

    def _look(self, data: bytes) -> None:
        window = self._tail + data.lower()
        known = len(self._tail)
        start = self._arrived - known
        self._hits += [
            start + at
            for _, at, end in self._search.automaton.find_matches_as_indexes(window, overlapping=True)
            if end > known
        ]
        self._tail = window[-self._search.overlap :]

    @property
    def _idle(self) -> bool:
        """Whether nothing is awaited: no needle, no element's end, nothing that has begun."""
        return not self._hits and not self._open.stack and self._tokens.state == b"data"

    # Leaving

    def _pass_on(self, data: bytes) -> list[Piece]:
        """Nothing in sight: let everything go but what may be the beginning of something."""
        if self._unsent:
            data = self._unsent + data
        keep = self._beginning(data)
        self._unsent = data[len(data) - keep :] if keep else b""
        self._sent = self._arrived - keep
        return [data[: len(data) - keep]] if keep < len(data) else []

    def _beginning(self, data: bytes) -> int:
        """How many of the last bytes may belong to something that is replaced from its very first byte."""
        if self._plan.remove_vendor_scripts:
            low = data[-MAX_TAG:].lower()
            at = low.find(b"<script")
            while at >= 0:
                if TAG.match(low, at) is None:
                    return len(low) - at
                at = low.find(b"<script", at + 1)
        else:
            low = data[-_LONGEST_OPENING:].lower()
        at = max(low.rfind(b"<", -_LONGEST_OPENING), low.rfind(b"[", -_LONGEST_OPENING))
        return len(low) - at if at >= 0 and any(opening.startswith(low[at:]) for opening in _HELD) else 0

    def _may_leave(self, raw: bytes) -> int:
        """Up to where bytes may leave after reading, marks aside."""
        if self._search.eager or not self._idle:
            return self._read_to
        unread = raw[self._read_to - self._base :]
        return self._arrived - self._beginning(unread)

    def _leave(self, raw: bytes, limit: int) -> list[Piece]:
        out: list[Piece] = []
        base, sent = self._base, self._sent
        marks = self._marks.all
        done = 0
        for mark in marks:
            if mark.end == OPEN:
                limit = min(limit, mark.start)
                break
            if mark.start > limit:
                break
            if mark.start > sent:
                out.append(raw[sent - base : mark.start - base])
            out.append(Opening(mark.slot, raw[mark.start - base : mark.end - base]))
            sent = mark.end
            done += 1
        del marks[:done]
        if limit > sent:
            out.append(raw[sent - base : limit - base])
            sent = limit
        self._sent = sent
        keep = min(self._read_to, sent)
        if self._gather is not None and self._gather.since is not None:
            keep = min(keep, self._gather.since)
        self._pieces = [raw[keep - base :]]
        self._unsent = raw[sent - base :]
        self._base = keep
        return out

    # Reading

    def _read(self, *, final: bool) -> bytes:
        """Read on, as far as it is needed.

        Returns:
            All bytes from ``_base`` on.
        """
        raw = b"".join(self._pieces) if len(self._pieces) != 1 else self._pieces[0]
        tokens, opened = self._tokens, self._open
        tokens.raw, tokens.low, tokens.final = raw, raw.lower(), final
        base, size = self._base, len(raw)
        search = self._search
        to_end = search.eager or self._arrived - self._read_to > MAX_UNREAD
        singly = search.ancestors or search.every_tag
        i = self._read_to - base
        while i < size:
            if tokens.state == b"data" and not opened.stack and not singly:
                self._forget_hits(base + i)
                if self._hits:
                    stop = self._hits[0] - base
                elif to_end:
                    stop = size if final else size - self._shortcode_begun(i, size)
                else:
                    break
                i = self._skip(i, stop)
                if i == size:
                    break
            token = tokens.next(i, foreign=opened.foreign)
            if token is None:
                self._marks.expire(self._arrived)
                if size - i > MAX_TAG:
                    raise Bailed("tag")
                break
            end = token.end
            if self._marks.held:
                self._marks.expire(base + end)
            if token.kind == "start":
                assert token.tag is not None
                self._start(token.tag, i)
            elif token.kind == "end":
                assert token.tag is not None
                self._end(token.tag, i)
            elif token.kind == "text":
                if end == size and not final:
                    end -= self._shortcode_begun(i, size)
                    if end == i:
                        break
                self._text(i, end)
            elif token.kind == "include":
                self._include(i, end)
            i = end
            if self._gather is not None:
                self._gather.passed(base + i)
        self._read_to = base + i
        self._forget_hits(self._read_to)
        if self._marks.held:
            self._marks.expire(self._arrived)
        if final:
            self._finish(clean=i == size and tokens.state == b"data")
        return raw

    def _forget_hits(self, before: int) -> None:
        hits = self._hits
        done = 0
        while done < len(hits) and hits[done] < before:
            done += 1
        del hits[:done]

    def _hit(self, i: int, end: int) -> bool:
        """Whether a needle lies in there."""
        self._forget_hits(self._base + i)
        return bool(self._hits) and self._hits[0] < self._base + end

    def _skip(self, i: int, stop: int) -> int:
        low = self._tokens.low
        while i < stop:
            passed = SKIP.match(low, i, min(stop, i + SKIP_WINDOW))
            assert passed is not None
            if passed.end() == i:
                break
            i = passed.end()
        return i

    def _shortcode_begun(self, i: int, size: int) -> int:
        """How many of the last bytes may be the beginning of a shortcode."""
        low = self._tokens.low
        at = low.rfind(b"[", max(i, size - placeholders.MAX_SHORTCODE + 1), size)
        if at < 0:
            return 0
        begun = placeholders.SHORTCODE_BEGUN.match(low, at) or _SHORTCODE.startswith(low[at:size])
        return size - at if begun else 0

    # Tokens

    def _start(self, tag: re.Match[bytes], i: int) -> None:
        end = tag.end()
        if end - i > MAX_TAG:
            raise Bailed("tag")
        opened, tokens = self._open, self._tokens
        name = tag[2]
        raw = tokens.raw[tag.start(3) : tag.end(3)]
        html = opened.is_html(name, raw)
        if opened.stack:
            at = self._base + i
            for element in opened.before(name, raw):
                self._closed(element, at, at, ended=False)
        watchers: list[Watcher] = []
        hollow = (html and name in _HOLLOW) or (not html and bool(tag[4]))
        if (self._search.every_tag or self._hit(i, end)) and not opened.in_template:
            watchers = self._judge(name, attributes(raw), i, end, html=html, hollow=hollow)
        if opened.stack or watchers or name in _NEEDS_STACK or self._search.ancestors:
            element = opened.push(name, raw, self_closing=bool(tag[4]))
            if element is not None:
                element.watchers += watchers
                if len(opened.stack) > MAX_DEPTH:
                    raise Bailed("depth")
        if html and name in _RAW:
            tokens.enter(name)
            if self._gather is not None and not opened.in_template:
                self._gather.raw_text(name, raw, self._base + end)

    def _end(self, tag: re.Match[bytes], i: int) -> None:
        if tag.end() - i > MAX_TAG:
            raise Bailed("tag")
        if self._gather is not None and self._gather.since is not None:
            self._gather.raw_text_end(self._tokens.raw[self._gather.since - self._base : i])
        if not self._open.stack:
            return
        at = self._base + i
        closed, own = self._open.end(tag[2])
        for element in closed:
            self._closed(element, at, at, ended=False)
        if own is not None:
            self._closed(own, at, self._base + tag.end(), ended=True)

    def _text(self, i: int, end: int) -> None:
        tokens = self._tokens
        if self._gather is not None and self._gather.listening and not self._open.foreign:
            self._gather.text(tokens.raw[i:end])
        if self._open.in_template or self._open.foreign or not self._hit(i, end):
            return
        for match in placeholders.SHORTCODE.finditer(tokens.low, i, end):
            start, stop = match.span()
            if stop - start <= placeholders.MAX_SHORTCODE:
                slot = placeholders.shortcode(tokens.raw[start:stop])
                if slot is not None:
                    self._marks.add(slot, self._base + start, self._base + stop)

    def _include(self, i: int, end: int) -> None:
        if self._open.in_template:
            return
        slot = placeholders.ssi(self._tokens.raw[i:end], self._plan.prefix)
        if slot is not None:
            self._marks.add(slot, self._base + i, self._base + end)

    def _closed(self, element: Element, inner: int, outer: int, *, ended: bool) -> None:
        for watcher in element.watchers:
            watcher(inner, outer, ended=ended)

    def _finish(self, *, clean: bool) -> None:
        """The page is over. Only where text could stand may anything be added."""
        self._torn = not clean
        for element in self._open.close_all():
            self._closed(element, self._arrived, self._arrived, ended=False)

    # Slots

    def _judge(
        self, name: bytes, found: dict[bytes, bytes], i: int, end: int, *, html: bool, hollow: bool
    ) -> list[Watcher]:
        """What this tag asks for: marks that are certain now, and who must know where its element ends."""
        start, inside = self._base + i, self._base + end
        marks = self._marks
        around = self._open.stack
        rules = [
            rule
            for number, rule in enumerate(self._plan.slots)
            if not (hollow and rule.position in {"prepend", "append"})
            and rule.selector.matches(name, found, around)
            and marks.claim(number)
        ]
        by_position: dict[Position, list[Slot]] = {}
        for rule in rules:
            by_position.setdefault(rule.position, []).append(rule.slot)
        for slot in by_position.get("before", ()):
            marks.add(slot, start, start)
        whole = by_position.get("replace", [])[:1]
        within: list[Watcher] = []
        if (
            self._plan.remove_vendor_scripts
            and html
            and name == b"script"
            and placeholders.is_vendor_script(found)
        ):
            whole_slots: list[Slot | None] = [None]
        else:
            whole_slots = [*whole]
        watch_whole: list[Watcher] = []
        if hollow:
            for slot in whole_slots:
                marks.add(slot, start, inside)
        else:
            watch_whole = [
                partial(self._fill, marks.hold(slot, start, insert=False), whole=True) for slot in whole_slots
            ]
        for slot in by_position.get("prepend", ()):
            marks.add(slot, inside, inside)
        if html and name == b"esi:include":
            slot = placeholders.include(found.get(b"src", b""), self._plan.prefix)
            if slot is not None:
                marks.add(slot, start, inside)
        elif html and not hollow:
            slot = placeholders.placeholder(found)
            if slot is not None:
                within.append(partial(self._fill, marks.hold(slot, inside, insert=True), whole=False))
        if self._gather is not None:
            within += self._gather.tag(name, found, around, hollow=hollow)
        within += [partial(self._add, slot, whole=False) for slot in by_position.get("append", ())]
        return [
            *within,
            *watch_whole,
            *(partial(self._add, slot, whole=True) for slot in by_position.get("after", ())),
        ]

    def _fill(self, mark: Mark, inner: int, outer: int, *, whole: bool, ended: bool) -> None:
        """The element that a mark replaces, or whose content, ends."""
        if ended:
            self._marks.settle(mark, outer if whole else inner)
        else:
            self._marks.give_up(mark)

    def _add(self, slot: Slot, inner: int, outer: int, *, whole: bool, ended: bool) -> None:
        """The element ends at the end of which, or after which, something is added."""
        del ended  # where its parent ends, it ends, too
        if not self._torn:
            at = outer if whole else inner
            self._marks.add(slot, at, at)
