"""Pages whose slots were filled before, from the same answer: whole, in one look-up.

A page is known by its number (``known.py``), which no other page ever gets; an answer by all of its bytes.
With the page's kind that is everything that the slots' HTML was made of: links are the same for every
visitor (``clicks.py``), and what is a visitor's own (the cookie, the event) isn't in the body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.remember import CacheStats, Remembered

if TYPE_CHECKING:
    from proxy.models import PageKind
    from proxy.render import Renderer

FINISHED_BYTES = 16 * 2**20
"""Of finished pages: some 500 of 25 KB."""

SIGHTS = 2048
"""Pages and answers of which is known that they met once."""

Key = tuple[int, "PageKind", bytes]
"""A page's number and kind, and an answer."""

REPEATABLE = frozenset({"hit", "empty"})
"""Outcomes of a slot that would be the same again; a template that failed is tried again."""


class Finished(NamedTuple):
    """A page's body.

    Attributes:
        body: its bytes, slots filled.
        outcomes: what became of each slot, in page order.
        removed: whether a script of the vendor's was left out.
    """

    body: bytes
    outcomes: tuple[tuple[str, str], ...]
    removed: bool


class FinishedPages:
    """Remembers finished pages.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int = FINISHED_BYTES) -> None:
        self._limit = limit
        self._pages: Remembered[Key, Finished] = Remembered(limit, sights=SIGHTS)
        self._renderer: Renderer | None = None
        self._failures = 0

    @property
    def stats(self) -> CacheStats:
        """How the memory does."""
        return self._pages.stats

    def get(self, renderer: Renderer, number: int, kind: PageKind, answer: bytes) -> Finished | None:
        """A page as it was finished before.

        Args:
            renderer: fills the slots. Other templates and settings are another renderer: what an earlier one
                made is forgotten.
            number: of the page.
            kind: of the page.
            answer: the vendor's.
        """
        if renderer is not self._renderer:
            self._renderer = renderer
            self._pages = Remembered(self._limit, sights=SIGHTS)
        self._failures = renderer.failures
        return self._pages.get((number, kind, answer))

    def keep(self, renderer: Renderer, number: int, kind: PageKind, answer: bytes, page: Finished) -> None:
        """Remembers a page that ``get`` has just been asked for in vain, where it comes a second time."""
        if (
            renderer is self._renderer
            and renderer.failures == self._failures
            and all(outcome in REPEATABLE for _, outcome in page.outcomes)
            and self._pages.wanted(key := (number, kind, answer))
        ):
            self._pages.put(key, page, len(page.body))
