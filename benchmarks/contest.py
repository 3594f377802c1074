"""The contest: everybody warmed up, then everybody in turn, several times over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.contestants import Field
    from benchmarks.load import Round

CONNECTIONS = 16
WARM_UP_SECONDS = 3.0
"""Enough for the caches to hold every one of 10,000 products."""


def hold(field: Field, *, rounds: int, seconds: float, say: Callable[[str], None]) -> dict[str, list[Round]]:
    """A B C A B C …: what slows the machine down for a while slows everybody.

    Raises:
        WrongAnswer: a contestant failed under load.
    """
    for contestant in field.contestants:
        say(f"warming up: {contestant.title}")
        load.run(contestant, field, connections=CONNECTIONS, seconds=WARM_UP_SECONDS)
    found: dict[str, list[Round]] = {contestant.key: [] for contestant in field.contestants}
    for number in range(1, rounds + 1):
        for contestant in field.contestants:
            one = load.run(contestant, field, connections=CONNECTIONS, seconds=seconds)
            found[contestant.key].append(one)
            say(f"round {number} of {rounds}: {contestant.title:<32}{one.rate:>10,.0f}/s")
    return found
