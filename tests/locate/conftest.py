"""Feeding pages to a splicer in every possible way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pytest

from proxy.locate import FactSelectors, Opening, Plan, SlotRule, Splicer, parse_selector
from proxy.models import RawFacts, Slot


@dataclass
class Passed:
    """A page that went through: its pieces, neighbouring bytes joined."""

    pieces: list[bytes | Opening]
    facts: RawFacts
    bailed: str | None

    @property
    def page(self) -> bytes:
        return b"".join(p if isinstance(p, bytes) else p.original for p in self.pieces)

    @property
    def openings(self) -> list[Opening]:
        return [p for p in self.pieces if isinstance(p, Opening)]

    @property
    def shown(self) -> bytes:
        """The page with every opening drawn: ``{widget|original}``, or ``{-|original}`` for what is removed."""
        drawn = []
        for piece in self.pieces:
            if isinstance(piece, bytes):
                drawn.append(piece)
            else:
                name = "-" if piece.slot is None else piece.slot.widget + str(piece.slot.index or "")
                drawn.append(b"{%s|%s}" % (name.encode(), piece.original))
        return b"".join(drawn)


def _joined(pieces: Iterable[bytes | Opening]) -> list[bytes | Opening]:
    out: list[bytes | Opening] = []
    for piece in pieces:
        if isinstance(piece, bytes) and out and isinstance(out[-1], bytes):
            out[-1] += piece
        else:
            out.append(piece)
    return out


def _send(page: bytes, plan: Plan, cuts: Sequence[int] = (), facts: FactSelectors | None = None) -> Passed:
    splicer = Splicer(plan, facts)
    pieces: list[bytes | Opening] = []
    start = 0
    for cut in [*cuts, len(page)]:
        pieces += splicer.feed(page[start:cut])
        start = cut
        got = sum(len(p if isinstance(p, bytes) else p.original) for p in pieces)
        assert got + splicer.held == start, "held is what came and hasn't left"
    pieces += splicer.close()
    return Passed(_joined(pieces), splicer.facts, splicer.bailed)


Send = Callable[..., Passed]


@pytest.fixture
def send() -> Send:
    """Send a page through, cut at the given places; nothing is remembered."""

    def through(
        page: bytes, plan: Plan | None = None, cuts: Sequence[int] = (), **more: FactSelectors
    ) -> Passed:
        return _send(page, plan or Plan(memory=0), cuts, **more)

    return through


@pytest.fixture
def send_all_ways(send: Send) -> Send:
    """Send a page through whole, at every cut in two, byte by byte, and from memory: it must make no difference."""

    def through(page: bytes, plan: Plan | None = None, **more: FactSelectors) -> Passed:
        plan = plan or Plan()
        whole = _send(page, plan, **more)
        assert whole.page == page
        assert whole.bailed != "internal"
        for cut in range(len(page) + 1):
            assert _send(page, plan, [cut], **more) == whole, f"cut at {cut}: {page[:cut]!r} {page[cut:]!r}"
        assert _send(page, plan, range(1, len(page)), **more) == whole, "byte by byte"
        assert _send(page, plan, **more) == whole, "from memory"
        return whole

    return through


Rules = Callable[..., Plan]


@pytest.fixture
def rules() -> Rules:
    """A plan of ``(selector, position)`` rules: the first one's widget is top, then recent, similar, related."""

    def plan(*written: tuple[str, str], **more: object) -> Plan:
        widgets = ("top", "recent", "similar", "related")
        slots = [
            SlotRule(parse_selector(selector), position, Slot(widget))  # type: ignore[arg-type]  # test data
            for (selector, position), widget in zip(written, widgets, strict=False)
        ]
        return Plan(slots=slots, **more)  # type: ignore[arg-type]  # passed on

    return plan
