"""What is looked for in pages: prepared once, at start-up, and shared by all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ahocorasick_rs import MATCHKIND_LEFTMOST_FIRST, BytesAhoCorasick

from proxy.locate import placeholders
from proxy.locate.memory import MEMORY, Memory
from proxy.locate.selectors import Selector, parse_selector

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proxy.models import Slot

Position = Literal["before", "prepend", "append", "after", "replace"]

_VENDOR_NEEDLE = b"cdn.datacue.co/js/"
_FACT_NEEDLES = (b"<meta", b"<title", b"canonical", b"ld+json", b"datacueconfig", b"itemscope", b"itemprop")


_AT_ATTRIBUTE = re.compile(r"(.*)@([\w:.-]+)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SlotRule:
    """One ``[[slots]]`` entry: at the first element of a page that matches, a slot opens.

    ``before`` and ``after`` stand beside the element, ``prepend`` and ``append`` at the beginning and the end
    of its content (elements without content take neither), ``replace`` instead of it, tags included. The
    end of an element that is never closed is where its parent ends, or the page. An element that is
    replaced must end within LOOK_AHEAD; otherwise it stays, and nothing happens.

    An element inside of a placeholder's own content doesn't count: that content goes when the placeholder
    is filled. Whether the page also has a placeholder for the same widget isn't known in a stream: both open.
    """

    selector: Selector
    position: Position
    slot: Slot


@dataclass(frozen=True, slots=True)
class FactSelector:
    """Where a fact stands: the text of an element, or one of its attributes.

    Attributes:
        label: stands before each value, so that several selectors can share a name and be told apart.
        bare: whether the element's start is the fact: its label comes alone, once an element.
    """

    name: str
    selector: Selector
    attribute: bytes | None
    label: bytes = b""
    bare: bool = False


class FactSelectors:
    """An operator's ``facts``: by fact name, where its value stands in the page.

    Args:
        facts: fact name to ``"h1"`` (its text), ``".gallery img@src"`` (an attribute), or several of them.

    Raises:
        SelectorError: one of them can't be used.
    """

    __slots__ = ("all",)

    def __init__(self, facts: Mapping[str, str | Sequence[str]]) -> None:
        found: list[FactSelector] = []
        for name, written in facts.items():
            for one in [written] if isinstance(written, str) else written:
                selector, attribute = split_fact(one)
                found.append(FactSelector(name, parse_selector(selector), attribute))
        self.all = tuple(found)

    def joined(self, more: Sequence[FactSelector]) -> FactSelectors:
        """These, and others after them."""
        both = FactSelectors({})
        both.all = (*self.all, *more)
        return both


def split_fact(written: str) -> tuple[str, bytes | None]:
    """``"h1"`` as (selector, None), ``".gallery img@src"`` as (selector, attribute)."""
    match = _AT_ATTRIBUTE.fullmatch(written)
    return (match[1], match[2].lower().encode()) if match else (written, None)


class Search:
    """One pass over a page that says whether, and where, a closer look is due.

    Attributes:
        automaton: finds any needle; needles are hints, and never enough by themselves.
        overlap: bytes to look at again with the next chunk.
        eager: a slot may open before a tag that nothing foretells, so no unfinished tag may leave.
        ancestors: some selector asks for ancestors, so every tag must be seen.
        every_tag: some selector may match any tag.
        until_claimed: only rules ask for that, so that it ends when each has found its element.
        root: where pages that are searched like this begin in the plan's memory.
    """

    __slots__ = ("ancestors", "automaton", "eager", "every_tag", "overlap", "root", "until_claimed")

    def __init__(self, plan: Plan, facts: FactSelectors | None) -> None:
        needles = {*placeholders.NEEDLES, *placeholders.OPENINGS}
        if plan.remove_vendor_scripts:
            needles.add(_VENDOR_NEEDLE)
        if plan.collect_facts:
            needles.update(_FACT_NEEDLES)
        of_facts = [fact.selector for fact in facts.all] if facts is not None and plan.collect_facts else []
        selectors = [rule.selector for rule in plan.slots] + of_facts
        self.every_tag = False
        for selector in selectors:
            wanted = selector.needles()
            if wanted is None:
                self.every_tag = True
            else:
                needles |= wanted
        self.ancestors = any(selector.needs_ancestors for selector in selectors)
        self.until_claimed = not any(one.needs_ancestors or one.needles() is None for one in of_facts)
        self.eager = (
            self.ancestors or self.every_tag or any(r.position in {"before", "replace"} for r in plan.slots)
        )
        # Leftmost: of matches that overlap only the first is reported, and they lie in one tag.
        self.automaton = BytesAhoCorasick(sorted(needles), matchkind=MATCHKIND_LEFTMOST_FIRST)
        self.overlap = max(map(len, needles)) - 1
        self.root = plan.memory.place()


class Plan:
    """What to look for in every page.

    Args:
        prefix: of our URLs: includes of its fragments are slots.
        slots: the ``[[slots]]`` rules.
        facts: fact selectors for pages whose rule brings none of its own.
        remove_vendor_scripts: whether the vendor's two scripts become openings without a slot.
        collect_facts: whether pages are asked what they show.
        memory: bytes for remembering what came of chunks, since pages repeat; 0 for none.

    Raises:
        SelectorError: a fact selector can't be used.
    """

    def __init__(
        self,
        *,
        prefix: str = "/_datacue",
        slots: Sequence[SlotRule] = (),
        facts: Mapping[str, str | Sequence[str]] | None = None,
        remove_vendor_scripts: bool = True,
        collect_facts: bool = True,
        memory: int = MEMORY,
    ) -> None:
        self.prefix = prefix.encode()
        self.slots = tuple(slots)
        self.facts = FactSelectors(facts) if facts else None
        self.remove_vendor_scripts = remove_vendor_scripts
        self.collect_facts = collect_facts
        self.memory = Memory(memory)
        self._searches: dict[FactSelectors | None, Search] = {}

    def search(self, facts: FactSelectors | None) -> Search:
        """The search for pages with these fact selectors; there are as many as there are page rules."""
        found = self._searches.get(facts)
        if found is None:
            found = self._searches[facts] = Search(self, facts)
        return found
