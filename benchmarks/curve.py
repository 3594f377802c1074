"""How throughput bends with the number of connections, for those whom the goals compare."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.contestants import Field

CONNECTIONS = (1, 4, 16, 64, 256)
WHO = ("forwarding", "through", "including", "same")
ROUNDS = 3
SECONDS = 2.0


@dataclass(frozen=True)
class Curve:
    """Medians of requests a second, by contestant, one at each of ``at``.

    Attributes:
        what: the horizontal axis.
    """

    what: str
    at: Sequence[int]
    rates: Mapping[str, Sequence[float]]


def over_connections(field: Field, *, say: Callable[[str], None]) -> Curve:
    """Every contestant at every number of connections, in turn, several times over.

    Raises:
        WrongAnswer: a contestant failed under load.
    """
    runners = [contestant for contestant in field.contestants if contestant.key in WHO]
    found: dict[tuple[str, int], list[float]] = {}
    for number in range(1, ROUNDS + 1):
        for count in CONNECTIONS:
            for contestant in runners:
                one = load.run(contestant, field, connections=count, seconds=SECONDS)
                found.setdefault((contestant.title, count), []).append(one.rate)
            say(f"round {number} of {ROUNDS}: {count} connections")
    rates = {
        contestant.title: [statistics.median(found[contestant.title, count]) for count in CONNECTIONS]
        for contestant in runners
    }
    return Curve("connections", CONNECTIONS, rates)
