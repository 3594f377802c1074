"""Hit rate, mean reciprocal rank, and how many cases they stand on."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.eval.data import Order, Session

SEED = 7


class Next(Protocol):
    def next(self, items: list[int], times: list[float], size: int) -> list[int]: ...


class Partners(Protocol):
    def partners(self, items: list[int], size: int) -> list[int]: ...


class Measure(NamedTuple):
    hit_rate: float
    reciprocal_rank: float
    cases: int


def measure(ranks: Iterable[int | None]) -> Measure:
    found = [0.0 if rank is None else 1.0 / rank for rank in ranks]
    return Measure(
        sum(each > 0 for each in found) / len(found),
        sum(found) / len(found),
        len(found),
    )


def rank_of(item: int, listed: list[int]) -> int | None:
    return listed.index(item) + 1 if item in listed else None


def next_items(method: Next, sessions: Sequence[Session], size: int = 20) -> Measure:
    """The next click of each session, after each of its clicks but the last."""
    return measure(
        rank_of(
            session.items[at],
            method.next(session.items[:at], session.times[:at], size),
        )
        for session in sessions
        for at in range(1, len(session.items))
    )


def leave_one_out(method: Partners, orders: Sequence[Order], size: int = 20) -> Measure:
    """One product of each basket, drawn once for all methods, from the others."""
    draw = random.Random(SEED)
    ranks = []
    for order in orders:
        hidden = draw.choice(order.items)
        ranks.append(rank_of(hidden, method.partners([item for item in order.items if item != hidden], size)))
    return measure(ranks)


def rest_of_basket(method: Partners, orders: Sequence[Order], size: int = 10) -> Measure:
    """Any of the rest of each basket, from one product drawn once for all methods."""
    draw = random.Random(SEED)
    ranks = []
    for order in orders:
        known = draw.choice(order.items)
        rest = set(order.items) - {known}
        places = [place for place, item in enumerate(method.partners([known], size), start=1) if item in rest]
        ranks.append(places[0] if places else None)
    return measure(ranks)
