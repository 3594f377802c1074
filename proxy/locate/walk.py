"""What the tokens of a page mean: which of them are slots, facts, and the ends of what is awaited."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NoReturn

from proxy.locate import placeholders
from proxy.locate.elements import MAX_DEPTH, Element, OpenElements, Watcher
from proxy.locate.gather import Gatherer
from proxy.locate.marks import Mark, Marks
from proxy.locate.markup import MAX_TAG, RAW_TEXT, SKIP, SKIP_WINDOW, TAG, VOID, attributes, is_self_closing
from proxy.locate.tokens import Tokens

if TYPE_CHECKING:
    import re

    from proxy.locate.plan import FactSelectors, Plan, Position, Search, SlotRule
    from proxy.locate.tokens import Token
    from proxy.models import RawFacts, Slot

_RAW = RAW_TEXT | {b"plaintext"}
_ESI_INCLUDE = b"esi:include"
_HOLLOW = VOID | {_ESI_INCLUDE}
_NEEDS_STACK = frozenset((b"svg", b"math", b"template"))
_LESS_THAN = 0x3C
_SHORTCODE = placeholders.OPENINGS[0]


class Bailed(Exception):
    """This page is not for us: the rest of it passes as it comes.

    Args:
        reason: a word of a bounded vocabulary.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Walk:
    """Goes through one page, token by token where it matters, and marks what it finds.

    All offsets but local ones count from the page's start; ``base`` is where the bytes at hand start.

    Attributes:
        hits: where needles were found, ascending, and not read yet.
        marks: what was found.
        gather: takes the facts; None if nobody wants them.
    """

    def __init__(self, plan: Plan, search: Search, facts: FactSelectors | None, found: RawFacts) -> None:
        self.hits: list[int] = []
        self.marks = Marks()
        self.gather = Gatherer(found, facts) if plan.collect_facts else None
        self._plan = plan
        self._tokens = Tokens()
        self._open = OpenElements(whole=search.ancestors)
        self._singly = search.ancestors or search.every_tag
        self._every_tag = search.every_tag
        self._ancestors = search.ancestors
        self._until_claimed = search.until_claimed
        self._base = 0
        self._torn = False  # the page ends in the middle of something

    @property
    def idle(self) -> bool:
        """Whether nothing is awaited: no needle, no element's end, nothing that has begun."""
        return not self.hits and not self._open.stack and self._tokens.state == b"data"

    def go(self, raw: bytes, low: bytes, base: int, i: int, *, to_end: bool, final: bool) -> int:
        """Read on.

        Args:
            raw: bytes of the page.
            low: the same in lower case.
            base: where they start in the page.
            i: where to go on in them.
            to_end: whether to read all of them even if no needle is left.
            final: whether the page ends with them.

        Returns:
            Up to where they were read: to what is not whole yet, or to where nothing is left to look for.

        Raises:
            Bailed: beyond a limit.
        """
        tokens, stack = self._tokens, self._open.stack
        tokens.raw, tokens.low, tokens.final = raw, low, final
        self._base = base
        size, hits = len(raw), self.hits
        texts = () if self.gather is None else self.gather.texts
        while i < size:
            if tokens.state == b"data":
                if not stack and not self._singly:
                    self._forget_hits(base + i)
                    if not self.hits and not to_end:
                        break
                    i = self._skip(i)
                    if i == size:
                        break
                if low[i] == _LESS_THAN:
                    tag = TAG.match(low, i)
                    if tag is not None:
                        end = self._tag(tag, i)
                        if end < 0:
                            break  # an include whose end tag may come
                        i = end
                        continue
                else:
                    # Most text is nobody's business.
                    end = low.find(b"<", i)
                    if end > 0 and not texts and not (hits and hits[0] < base + end):
                        i = end
                        continue
            token = tokens.next(i, foreign=self._open.foreign)
            if token is None:
                if size - i > MAX_TAG:
                    self._too_long(i)
                break
            end = self._other(token, i)
            if end == i and token.end > i:
                break  # text that may turn out to be a shortcode, or a block that an include may follow
            i = end
        self._forget_hits(base + i)
        self.marks.expire(base + size)
        return i

    def finish(self, arrived: int) -> None:
        """The page is over. Only where text could stand may anything be added."""
        self._torn = self._tokens.state != b"data"
        for element in self._open.close_all():
            self._closed(element, arrived, arrived, ended=False)

    def _forget_hits(self, before: int) -> None:
        hits = self.hits
        done = 0
        while done < len(hits) and hits[done] < before:
            done += 1
        if done:
            del hits[:done]

    def _hit(self, i: int, end: int) -> bool:
        """Whether a needle lies in there."""
        hits = self.hits
        if hits and hits[0] < self._base + i:
            self._forget_hits(self._base + i)
        return bool(hits) and hits[0] < self._base + end

    def _skip(self, i: int) -> int:
        """Pass plain markup up to the next hit, or to what may be the beginning of a shortcode."""
        low = self._tokens.low
        stop = len(low) - self._shortcode_begun(i, len(low))
        if self.hits:
            stop = min(stop, self.hits[0] - self._base)
        while i < stop:
            passed = SKIP.match(low, i, min(stop, i + SKIP_WINDOW))
            if passed is None or passed.end() == i:
                break
            i = passed.end()
        return i

    def _shortcode_begun(self, i: int, size: int) -> int:
        """How many of the last bytes may be the beginning of a shortcode."""
        low = self._tokens.low
        at = low.rfind(b"[", max(i, size - placeholders.MAX_SHORTCODE + 1), size)
        if at < 0 or self._tokens.final:
            return 0
        begun = _SHORTCODE.startswith(low[at:size]) or placeholders.SHORTCODE_BEGUN.match(low, at) is not None
        return size - at if begun else 0

    def _too_long(self, i: int) -> NoReturn:
        self.marks.expire(self._base + i + MAX_TAG)
        raise Bailed("tag")

    # Tokens

    def _other(self, token: Token, i: int) -> int:
        """Take a token that is no tag, or what is certain of it.

        Returns:
            Its end.
        """
        end = token.end
        if token.kind == "text":
            if end == len(self._tokens.low):
                end -= self._shortcode_begun(i, end)
            self._text(i, end)
        elif token.kind == "directive":
            end = self._directive(i, end)
        elif self.gather is not None:
            self.gather.passed(self._base + end)
            if end == i and self.gather.since is not None:
                self.gather.raw_text_end(self._tokens.raw[self.gather.since - self._base : i])
        return end

    def _tag(self, tag: re.Match[bytes], i: int) -> int:
        """Take a tag.

        Returns:
            Its end; -1 if more must come before it can be taken.
        """
        end = tag.end()
        if end - i > MAX_TAG:
            self._too_long(i)
        if self.marks.held:
            self.marks.expire(self._base + end)
        if tag[1]:
            self._end(tag, i)
            return end
        return self._start(tag, i)

    def _start(self, tag: re.Match[bytes], i: int) -> int:
        opened = self._open
        end, name = tag.end(), tag[2]
        whole = end
        if name == _ESI_INCLUDE:
            whole = placeholders.include_end(self._tokens.low, end, final=self._tokens.final)
            if whole < 0:
                return whole
        raw = self._tokens.raw[tag.end(2) : end - 1]
        html = opened.is_html(name, raw)
        if opened.may_close(name):
            at = self._base + i
            for element in opened.before(name, html=html):
                self._closed(element, at, at, ended=False)
        self_closing = not html and is_self_closing(self._tokens.low, tag)
        watchers: list[Watcher] = []
        if (self._every_tag or self._hit(i, end)) and not opened.in_template:
            hollow = self_closing or (html and name in _HOLLOW)
            watchers = self._judge(name, attributes(raw), i, whole, html=html, hollow=hollow)
        if opened.stack or watchers or self._ancestors or name in _NEEDS_STACK:
            opening = opened.push(name, raw, html=html, self_closing=self_closing)
            if opening is None:
                for watcher in watchers:
                    watcher(self._base + end, self._base + end, ended=True)
            else:
                opening.watchers = watchers
                if len(opened.stack) > MAX_DEPTH:
                    raise Bailed("depth")
            if self._singly and self._until_claimed:
                self._relax()
        if html and name in _RAW:
            self._tokens.enter(name)
            if self.gather is not None and not opened.in_template:
                self.gather.raw_text(name, raw, self._base + end)
        return whole

    def _relax(self) -> None:
        """Once every rule has found its element, nobody asks for ancestors any more."""
        if self.marks.claimed == len(self._plan.slots) and not self.marks.held and self._open.forget():
            self._singly = self._every_tag = self._ancestors = False

    def _end(self, tag: re.Match[bytes], i: int) -> None:
        at = self._base + i
        if not self._open.stack:
            return
        closed, own = self._open.end(tag[2])
        for element in closed:
            self._closed(element, at, at, ended=False)
        if own is not None:
            self._closed(own, at, self._base + tag.end(), ended=True)

    def _text(self, i: int, end: int) -> None:
        tokens, opened = self._tokens, self._open
        if self.gather is not None and self.gather.texts:
            self.gather.text(tokens.raw[i:end])
        if not self._hit(i, end) or opened.in_template or opened.foreign:
            return
        for match in placeholders.SHORTCODE.finditer(tokens.raw, i, end):
            start, stop = match.span()
            slot = placeholders.shortcode(match)
            if slot is not None and stop - start <= placeholders.MAX_SHORTCODE:
                self.marks.expire(self._base + stop)
                self.marks.add(slot, self._base + start, self._base + stop)

    def _directive(self, i: int, end: int) -> int:
        found = placeholders.ssi(self._tokens.raw, i, end, self._plan.prefix, final=self._tokens.final)
        if found is None:
            return i  # a block: what follows it must come
        if found.slot is None or self._open.in_template:
            return end
        self.marks.expire(self._base + found.end)
        self.marks.add(found.slot, self._base + i, self._base + found.end, found.fallback)
        return found.end

    @staticmethod
    def _closed(element: Element, inner: int, outer: int, *, ended: bool) -> None:
        for watcher in element.watchers:
            watcher(inner, outer, ended=ended)

    # Slots

    def _judge(
        self, name: bytes, found: dict[bytes, bytes], i: int, end: int, *, html: bool, hollow: bool
    ) -> list[Watcher]:
        """Mark what this tag asks for.

        Returns:
            Who must know where its element ends, in the order in which they may be told: what is inside
            first, then what takes the whole, then what comes after.
        """
        marks, start, inside = self.marks, self._base + i, self._base + end
        rules = self._matching(name, found, hollow=hollow)
        wholes: list[Slot | None] = [*_at(rules, "replace")[:1]]
        if (
            self._plan.remove_vendor_scripts
            and html
            and name == b"script"
            and placeholders.is_vendor_script(found)
        ):
            wholes = [None]
        for slot in _at(rules, "before"):
            marks.add(slot, start, start)
        outer: list[Watcher] = []
        for whole in wholes:
            if hollow:
                marks.add(whole, start, inside)
            else:
                outer.append(partial(self._fill, marks.hold(whole, start, insert=False), whole=True))
        for slot in _at(rules, "prepend"):
            marks.add(slot, inside, inside)
        inner: list[Watcher] = []
        if html and name == _ESI_INCLUDE:
            included = placeholders.esi(found, self._plan.prefix)
            if included is not None:
                marks.add(included, start, inside, b"")
        elif html and (asked := placeholders.placeholder(found)) is not None:
            if hollow:
                marks.add(asked, inside, inside)
            else:
                inner.append(partial(self._fill, marks.hold(asked, inside, insert=True), whole=False))
        if self.gather is not None:
            inner += self.gather.tag(name, found, self._open.stack, hollow=hollow)
        inner += [partial(self._add, slot, whole=False) for slot in _at(rules, "append")]
        outer += [partial(self._add, slot, whole=True) for slot in _at(rules, "after")]
        return inner + outer

    def _matching(self, name: bytes, found: dict[bytes, bytes], *, hollow: bool) -> list[SlotRule]:
        found_rules = []
        for number, rule in enumerate(self._plan.slots):
            if (
                self.marks.is_free(number)
                and not (hollow and rule.position in {"prepend", "append"})
                and rule.selector.matches(name, found, self._open.stack)
            ):
                self.marks.claim(number)
                found_rules.append(rule)
        return found_rules

    def _fill(self, mark: Mark, inner: int, outer: int, *, whole: bool, ended: bool) -> None:
        """The element ends that a mark replaces, or the content of which."""
        if ended:
            self.marks.settle(mark, outer if whole else inner)
        else:
            self.marks.give_up(mark)

    def _add(self, slot: Slot, inner: int, outer: int, *, whole: bool, ended: bool) -> None:
        """The element ends at whose end, or after which, something is added."""
        del ended  # where its parent ends, it ends, too
        if not self._torn:
            at = outer if whole else inner
            self.marks.add(slot, at, at)


def _at(rules: list[SlotRule], position: Position) -> list[Slot]:
    return [rule.slot for rule in rules if rule.position == position]
