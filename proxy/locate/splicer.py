"""One page's splicer: never worse than passing the page on, and nothing done twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.locate.memory import MAX_PATH, Step
from proxy.locate.page import Page, Piece
from proxy.models import RawFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.locate.plan import FactSelectors, Plan


class Splicer:
    """Takes the bytes of one page as they come, and gives bytes and openings as they are known.

    Pieces come in page order. Joining the bytes and each opening's ``original`` gives the input so far, but
    for what is held.

    Args:
        plan: what to look for.
        fact_selectors: of the ``[[pages]]`` rule that this page fell under; None: the plan's own.

    Attributes:
        facts: what the page has said so far. Read it only, and anew after each call: equal pages may
            share it.
        bailed: why the rest of the page passes untouched, or None: ``tag``, ``depth`` (beyond a limit), or
            ``internal`` (a bug of ours; the page is whole all the same).
        held: bytes held back now: LOOK_AHEAD at most.
    """

    def __init__(self, plan: Plan, fact_selectors: FactSelectors | None = None) -> None:
        self.facts = RawFacts()
        self.bailed: str | None = None
        self.held = 0
        self._plan = plan
        self._selectors = fact_selectors or plan.facts
        self._page: Page | None = None  # until then, all that came is known from memory
        self._path: list[bytes] = []
        self._length = 0
        # Where the bytes so far lead in the plan's memory, and no others do; None: nowhere.
        self._place: int | None = plan.search(self._selectors).root if plan.memory.limit else None
        self._snapshot = RawFacts()
        self._facts_size = 0

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes of the page.

        Returns:
            What may leave now.
        """
        if self.bailed:
            return [data]
        return self._next(data, lambda page: page.feed(data)) if data else []

    def close(self) -> list[Piece]:
        """The page is over.

        Returns:
            The rest of it.
        """
        return [] if self.bailed else self._next(b"", Page.close)

    def _next(self, chunk: bytes, go_on: Callable[[Page], list[Piece]]) -> list[Piece]:
        place = self._place
        if self._page is None:
            step = self._plan.memory.step(place, chunk) if place is not None else None
            if step is not None:
                self._path.append(chunk)
                self._length += len(chunk)
                self._place, self.facts, self.held, self.bailed = (
                    step.place,
                    step.facts,
                    step.held,
                    step.bailed,
                )
                return [*step.pieces]
        try:
            page = self._page = self._page or self._turn_off()
            pieces = go_on(page)
        except Exception:  # noqa: BLE001  no I/O happens in there: it can only be a bug, and the page must go on
            self.bailed = "internal"
            return self._rest(chunk)
        self.bailed = page.bailed
        self.held = page.held
        self._length += len(chunk)
        if place is not None:
            self._remember(place, chunk, pieces, page)
        return pieces

    def _rest(self, chunk: bytes) -> list[Piece]:
        """All that has come and not left, after a bug."""
        if self._page is not None:
            rest = self._page.rest()
        else:
            known = b"".join(self._path)
            rest = [known[len(known) - self.held :] + chunk]
        self.held = 0
        return rest

    def _turn_off(self) -> Page:
        """Read what was known from memory so far: from here on the page is not."""
        self.facts = RawFacts()
        page = Page(self._plan, self._selectors, self.facts)
        for chunk in self._path:
            page.feed(chunk)
        self._path.clear()
        if page.facts_size:
            self._snapshot, self._facts_size = _copy(self.facts), page.facts_size
        return page

    def _remember(self, place: int, chunk: bytes, pieces: list[Piece], page: Page) -> None:
        if self._length > MAX_PATH:
            self._place = None
            return
        size = page.facts_size
        if size != self._facts_size:
            self._snapshot = _copy(self.facts)
        memory = self._plan.memory
        self._place = memory.place()
        step = Step(self._place, tuple(pieces), self._snapshot, self.held, self.bailed)
        memory.keep(place, chunk, step, facts=size - self._facts_size)
        self._facts_size = size


def _copy(facts: RawFacts) -> RawFacts:
    return RawFacts(
        [*facts.scripts],
        [*facts.json_ld],
        [*facts.meta],
        [*facts.microdata],
        {name: [*values] for name, values in facts.selected.items()},
    )
