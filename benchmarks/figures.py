"""Medians, spreads, ratios and goals: arithmetic over rounds, nothing measured here."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.load import Others, Round

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
    """What of ours is held against what of theirs.

    Attributes:
        ours: and theirs: contestants' keys. theirs may be several: the best of them counts.
        aim: for the ratio of requests a second; with ``costs``, an upper bound for that of CPU time.
        floor: below it something broke; None where the ratio is only watched.
    """

    what: str
    ours: str
    theirs: tuple[str, ...]
    aim: float
    floor: float | None = None
    costs: bool = False


_SSI = ("including",)
PERSONAL = (
    Goal("pass-through / nginx proxy_pass", "through", ("forwarding",), 0.50, 0.30),
    Goal("lists seen before / Starlette + httpx + lxml", "same", ("plain",), 40, 20),
    Goal("lists seen before / nginx SSI, one static include", "same", _SSI, 0.80),
    Goal("lists and page seen before / nginx SSI, one static include", "kept", _SSI, 0.80),
    Goal("every list another / nginx SSI, one static include", "lists", _SSI, 0.60),
    Goal("products never seen / nginx SSI, one static include", "unseen", _SSI, 0.30),
)

RIVALS = (
    "asgiproxy",
    "fastapi_proxy_lib",
    "fastapi_reverse_proxy",
    "tuned_aiohttp",
    "proxy_py",
    "mitmproxy",
)
FORWARDING = (
    Goal("pass-through / the best of Python's reverse proxies", "through", RIVALS, 2.0),
    Goal("pass-through / nginx proxy_pass", "through", ("forwarding",), 0.50),
)

COMPOSING = (
    Goal("CPU: in one go / nginx SSI + our fragments", "alone", ("ssi",), 1.0, costs=True),
    Goal("CPU: in one go / Varnish ESI + our fragments", "alone", ("esi",), 1.0, costs=True),
    Goal("CPU: in one go / Tailor + our fragments", "alone", ("tailor",), 1.0, costs=True),
)


@dataclass(frozen=True)
class Verdict:
    """What became of a goal.

    Attributes:
        theirs: who was the best of them.
        rate: ratio of requests a second, round against the same round.
        cpu: ratio of CPU time a request; below 1 ours costs less.
    """

    goal: Goal
    theirs: str
    rate: Spread
    cpu: Spread

    @property
    def ratio(self) -> Spread:
        """The one that the goal speaks of."""
        return self.cpu if self.goal.costs else self.rate

    @property
    def met(self) -> bool:
        """Whether the floor was reached."""
        return self.goal.floor is None or self.rate.median >= self.goal.floor

    @property
    def aimed(self) -> bool:
        """Whether the aim was reached."""
        found, aim = self.ratio.median, self.goal.aim
        return found <= aim if self.goal.costs else found >= aim

    @property
    def steady(self) -> bool:
        """Whether the rounds agree well enough for the median to mean something."""
        return self.ratio.relative <= MAX_SPREAD


def verdicts(goals: Sequence[Goal], rounds: Mapping[str, Sequence[Round]]) -> list[Verdict]:
    """Every goal both of whose sides ran.

    Each round is compared with the other side's round beside it: what the machine does to both of them
    cancels out.
    """
    found = []
    for goal in goals:
        ran = [key for key in goal.theirs if key in rounds]
        if goal.ours not in rounds or not ran:
            continue
        best = max(ran, key=lambda key: statistics.median(one.rate for one in rounds[key]))
        pairs = list(zip(rounds[goal.ours], rounds[best], strict=True))
        rate = Spread.of([ours.rate / theirs.rate for ours, theirs in pairs])
        cpu = Spread.of([ours.cpu / theirs.cpu for ours, theirs in pairs])
        found.append(Verdict(goal, best, rate, cpu))
    return found


def noise(rounds: Iterable[Round | Others]) -> list[str]:
    """Why figures can't be trusted; empty where they can."""
    every = list(rounds)
    if not every:
        return []
    foreign = statistics.median(one.foreign for one in every)
    steal = statistics.median(one.steal for one in every)
    why = []
    if foreign > MAX_FOREIGN:
        why.append(f"other work took {foreign:.0%} of the machine (at most {MAX_FOREIGN:.0%})")
    if steal > MAX_STEAL:
        why.append(f"the hypervisor took {steal:.0%} of the machine (at most {MAX_STEAL:.0%})")
    return why
