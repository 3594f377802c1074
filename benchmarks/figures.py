"""Medians, spreads, ratios and goals: arithmetic over rounds, nothing measured here."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.load import Round

MAX_FOREIGN = 0.05
"""Share of the machine that other work may take; on two cores half of that already moves p99."""

MAX_STEAL = 0.02

MAX_SPREAD = 0.15
"""Between the quartiles of a ratio, relative to its median: above it the median is luck."""


@dataclass(frozen=True)
class Spread:
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of one value or more."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)

    @property
    def relative(self) -> float:
        """Distance of the quartiles, relative to the median."""
        return (self.high - self.low) / self.median if self.median else 0.0


@dataclass(frozen=True)
class Goal:
    """Requests a second of ours over theirs.

    Attributes:
        floor: what must be reached; None where the ratio is only watched.
        aim: what the speed work is after.
    """

    what: str
    ours: str
    theirs: str
    floor: float | None
    aim: float


GOALS = (
    Goal("pass-through / nginx proxy_pass", "through", "forwarding", 0.35, 0.50),
    Goal("lists seen before / Starlette + httpx + lxml", "same", "plain", 10, 40),
    Goal("lists seen before / nginx SSI, one static include", "same", "including", None, 0.80),
    Goal("every list another / nginx SSI, one static include", "lists", "including", None, 0.60),
    Goal("products never seen / nginx SSI, one static include", "unseen", "including", None, 0.30),
)


@dataclass(frozen=True)
class Verdict:
    """What became of a goal.

    Attributes:
        rate: ratio of requests a second, round against the same round.
        cpu: ratio of CPU time a request; below 1 ours costs less.
    """

    goal: Goal
    rate: Spread
    cpu: Spread

    @property
    def met(self) -> bool:
        """Whether the floor was reached."""
        return self.goal.floor is None or self.rate.median >= self.goal.floor

    @property
    def aimed(self) -> bool:
        """Whether the aim was reached."""
        return self.rate.median >= self.goal.aim


def verdicts(rounds: Mapping[str, Sequence[Round]]) -> list[Verdict]:
    """Every goal both of whose sides ran.

    Each round is compared with the other side's round beside it: what the machine does to both of them
    cancels out.
    """
    found = []
    for goal in GOALS:
        if goal.ours in rounds and goal.theirs in rounds:
            pairs = list(zip(rounds[goal.ours], rounds[goal.theirs], strict=True))
            rate = Spread.of([ours.rate / theirs.rate for ours, theirs in pairs])
            cpu = Spread.of([ours.cpu / theirs.cpu for ours, theirs in pairs])
            found.append(Verdict(goal, rate, cpu))
    return found


def noise(rounds: Mapping[str, Sequence[Round]]) -> list[str]:
    """Why the figures can't be trusted; empty where they can."""
    every = [one for some in rounds.values() for one in some]
    foreign = statistics.median(one.foreign for one in every)
    steal = statistics.median(one.steal for one in every)
    why = []
    if foreign > MAX_FOREIGN:
        why.append(f"other work took {foreign:.0%} of the machine (at most {MAX_FOREIGN:.0%})")
    if steal > MAX_STEAL:
        why.append(f"the hypervisor took {steal:.0%} of the machine (at most {MAX_STEAL:.0%})")
    why += [
        f"{one.goal.what}: quartiles {one.rate.relative:.0%} apart (at most {MAX_SPREAD:.0%})"
        for one in verdicts(rounds)
        if one.rate.relative > MAX_SPREAD
    ]
    return why
