"""One page's splicer: never worse than passing the page on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.locate.page import Page, Piece
from proxy.locate.walk import Bailed
from proxy.models import RawFacts

if TYPE_CHECKING:
    from proxy.locate.plan import FactSelectors, Plan


class Splicer:
    """Takes the bytes of one page as they come, and gives bytes and openings as they are known.

    Pieces come in page order. Joining the bytes and each opening's ``original`` gives the input so far, but
    for what is held.

    Args:
        plan: what to look for.
        fact_selectors: of the ``[[pages]]`` rule that this page fell under; None: the plan's own.

    Attributes:
        facts: grows while feeding; read it only.
        bailed: why the rest of the page passes untouched, or None: ``tag``, ``depth`` (beyond a limit), or
            ``internal`` (a bug of ours; the page is whole all the same).
    """

    def __init__(self, plan: Plan, fact_selectors: FactSelectors | None = None) -> None:
        self.facts = RawFacts()
        self.bailed: str | None = None
        self._page = Page(plan, fact_selectors or plan.facts, self.facts)

    @property
    def held(self) -> int:
        """Bytes held back now: LOOK_AHEAD at most."""
        return 0 if self.bailed else self._page.held

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes of the page.

        Returns:
            What may leave now.
        """
        if self.bailed:
            return [data]
        try:
            return self._page.feed(data)
        except Bailed as bailed:
            self.bailed = bailed.reason
        except Exception:  # noqa: BLE001  no I/O happens in there: it can only be a bug, and the page must go on
            self.bailed = "internal"
        return self._page.rest()

    def close(self) -> list[Piece]:
        """The page is over.

        Returns:
            The rest of it.
        """
        if self.bailed:
            return []
        try:
            return self._page.close()
        except Bailed as bailed:
            self.bailed = bailed.reason
        except Exception:  # noqa: BLE001  as in feed
            self.bailed = "internal"
        return self._page.rest()
