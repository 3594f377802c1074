"""What a page takes longer than from the shop alone, at half of the load that we can carry.

An open load: h2load sends at a fixed pace, whether answers come or not, and logs every answer's time. Its
connections begin a millisecond apart, as visitors don't come all at the same moment.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import load
from benchmarks.contestants import BROWSER, Contestant, WrongAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.contestants import Field

CONNECTIONS = 16
SECONDS = 5
ROUNDS = 5
ADDED = (1.0, 3.0)
"""Milliseconds at the median and at p99: the goals."""

OK = "200"


@dataclass(frozen=True)
class Latency:
    """Milliseconds, medians over the rounds.

    Attributes:
        pace: pages a second, all connections together.
        shop: and ours: (p50, p99).
    """

    pace: float
    shop: tuple[float, float]
    ours: tuple[float, float]

    @property
    def added(self) -> tuple[float, float]:
        """What we add at p50 and at p99."""
        return self.ours[0] - self.shop[0], self.ours[1] - self.shop[1]


def h2load() -> str | None:
    """The load generator with a fixed pace, where there is one."""
    return shutil.which("h2load")


def measure(field: Field, key: str, folder: Path, *, say: Callable[[str], None]) -> Latency:
    """The contestant ``key`` beside the shop that it forwards to, in turn.

    Raises:
        WrongAnswer: answers failed.
    """
    folder.mkdir()
    ours = next(one for one in field.contestants if one.key == key)
    shop = Contestant("shop", "the shop alone", field.shop)
    shop.get()
    full = load.run(ours, field, connections=CONNECTIONS, seconds=SECONDS).rate
    each = max(1, int(full / 2 / CONNECTIONS))
    found: dict[str, list[tuple[float, float]]] = {"shop": [], key: []}
    for number in range(1, ROUNDS + 1):
        for contestant in (shop, ours):
            times = _paced(contestant, each, folder / f"{contestant.key}-{number}.log")
            at = _percentiles(times)
            found[contestant.key].append(at)
            say(
                f"round {number} of {ROUNDS}: {contestant.title} at {each * CONNECTIONS:,}/s: "
                f"p50 {at[0]:.2f} ms, p99 {at[1]:.2f} ms"
            )
    shops, mine = (_medians(found[name]) for name in ("shop", key))
    return Latency(each * CONNECTIONS, shops, mine)


def _paced(contestant: Contestant, each: int, log: Path) -> list[float]:
    """Milliseconds of every answer."""
    command = [h2load() or "h2load", "--h1", "-t1", f"-c{CONNECTIONS}", "-m1", f"--rps={each}"]
    command += ["--rate=1", "--rate-period=1ms", f"-n{each * CONNECTIONS * SECONDS}", f"--log-file={log}"]
    fields = dict(BROWSER)
    if contestant.cookies:
        fields["Cookie"] = contestant.cookies[0]
    for name, value in fields.items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run([*command, contestant.url], capture_output=True, text=True, check=False)
    if done.returncode:
        raise WrongAnswer(f"{contestant.title}: h2load: {done.stderr or done.stdout}")
    rows = [row.split("\t") for row in log.read_text(encoding="ascii").splitlines()]
    failed = sum(1 for row in rows if row[1] != OK)
    if failed or not rows:
        raise WrongAnswer(f"{contestant.title}: {failed} of {len(rows)} answers failed at a fixed pace")
    return [int(row[2]) / 1000 for row in rows]


def _percentiles(times: Sequence[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def _medians(rounds: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(one[0] for one in rounds), statistics.median(one[1] for one in rounds)
