"""How a figure bends: over connections, page sizes, slots, the vendor's delay and workers."""

from __future__ import annotations

import os
import signal
import statistics
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import fresh_shop, load, machine, sample, slow_events
from benchmarks.contestants import Contestant, Field, proxy, stage
from benchmarks.page import SIZES, SLOT_COUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

CONNECTIONS = (1, 4, 16, 64, 256, 1000)
WHO = ("forwarding", "through", "including", "same")
DELAYS = (0, 50, 100, 200, 500)
"""Milliseconds; the page's deadline is 300."""

DEADLINE = 0.3

LAST, FIRST = "to the last byte", "to the first byte"
LAST_NEW, FIRST_NEW, SHOP = "last, never seen", "first, never seen", "last, its shop alone"

ROUNDS = 3
SECONDS = 2.0
SAMPLES = 200
SLOW_SAMPLES = 20
FEW_SAMPLES = 5


@dataclass(frozen=True)
class Curve:
    """Medians by line, one at each of ``at``.

    Attributes:
        key: names its files.
        what: the vertical axis. over: the horizontal one.
        says: what it comes to, in a sentence.
        others: what else ran meanwhile.
    """

    key: str
    what: str
    over: str
    at: Sequence[int]
    lines: Mapping[str, Sequence[float]]
    says: str = ""
    others: Sequence[load.Others | load.Round] = ()


def over_connections(field: Field, *, say: Callable[[str], None]) -> Curve:
    """Requests a second of those whom the goals compare.

    Raises:
        WrongAnswer: a contestant failed under load.
    """
    runners = [contestant for contestant in field.contestants if contestant.key in WHO]
    found: dict[tuple[str, int], list[float]] = {}
    others: list[load.Round] = []
    for number in range(1, ROUNDS + 1):
        for count in CONNECTIONS:
            for contestant in runners:
                one = load.run(contestant, field, connections=count, seconds=SECONDS)
                found.setdefault((contestant.key, count), []).append(one.rate)
                others.append(one)
            say(f"round {number} of {ROUNDS}: {count} connections")
    lines = {
        contestant.title: [statistics.median(found[contestant.key, count]) for count in CONNECTIONS]
        for contestant in runners
    }
    titles = {contestant.key: contestant.title for contestant in runners}
    ours, theirs = lines[titles["same"]], lines[titles["including"]]
    busy = ours[CONNECTIONS.index(16) :]
    # With fewer, everybody waits for everybody: what can be said is how nginx fares with as many.
    beside = " and ".join(f"{ours[at] / theirs[at]:.2f}" for at in range(CONNECTIONS.index(16)))
    says = (
        f"personalized, 16 to {CONNECTIONS[-1]:,} connections: {min(busy) / max(busy):.0%} of the best "
        f"(goal: within 30 %); with 1 and 4, {beside} of nginx with its include"
    )
    return Curve("connections", "requests/s", "connections", CONNECTIONS, lines, says, others)


def over_slots(folder: Path, *, say: Callable[[str], None]) -> Curve:
    """Requests a second of one page with 1 to 20 slots of one banner each."""
    with _alone(folder) as (field, ours):
        found: dict[int, list[load.Round]] = {count: [] for count in SLOT_COUNTS}
        runners = {count: _at(ours, f"/product/{count}-slots") for count in SLOT_COUNTS}
        for number in range(1, ROUNDS + 1):
            for count, contestant in runners.items():
                found[count].append(load.run(contestant, field, connections=16, seconds=SECONDS))
            say(f"round {number} of {ROUNDS}: 1 to {SLOT_COUNTS[-1]} slots")
    line = [statistics.median(one.rate for one in found[count]) for count in SLOT_COUNTS]
    others = [one for rounds in found.values() for one in rounds]
    says = f"{SLOT_COUNTS[-1]} slots run at {line[-1] / line[0]:.0%} of one (goal: within 30 %)"
    return Curve("slots", "requests/s", "slots a page", SLOT_COUNTS, {"this proxy": line}, says, others)


def over_sizes(folder: Path, *, say: Callable[[str], None]) -> Curve:
    """Milliseconds to the first and to the last byte, one page after the other.

    Of pages that came before, and of pages that never came, with what their shop itself takes.
    """
    lines: dict[str, list[float]] = {name: [] for name in (LAST, FIRST, LAST_NEW, FIRST_NEW, SHOP)}
    with (
        _alone(folder) as (field, ours),
        fresh_shop.server(folder / "fresh") as shop,
        proxy(folder / "fresh-ours", shop, field.events) as server,
        load.watching(field) as others,
    ):
        fresh = Contestant("fresh", "this proxy", server, path=f"/product/{SIZES[0]}-fresh")
        fresh.invite()
        alone = Contestant("shop", "the shop", shop)
        field.contestants += [fresh, alone]
        for size in SIZES:
            before = sample.sequence(_at(ours, f"/product/{size}-bytes"), SAMPLES)
            new = sample.sequence(_at(fresh, f"/product/{size}-fresh"), SAMPLES)
            shops = sample.sequence(_at(alone, f"/product/{size}-fresh"), SAMPLES)
            lines[LAST].append(statistics.median(one.last for one in before))
            lines[FIRST].append(statistics.median(one.first for one in before))
            lines[LAST_NEW].append(statistics.median(one.last for one in new))
            lines[FIRST_NEW].append(statistics.median(one.first for one in new))
            lines[SHOP].append(statistics.median(one.last for one in shops))
            say(f"{size:,} bytes: " + ", ".join(f"{line[-1]:.2f} ms {name}" for name, line in lines.items()))
    added = [new - shop for new, shop in zip(lines[LAST_NEW], lines[SHOP], strict=True)]
    says = (
        f"from {SIZES[1]:,} bytes on {_rate(lines[LAST]):,.0f} MB/s where pages came before, "
        f"{_rate(added):,.0f} beside their shop where they never did (goal: 300); "
        f"first byte after {min(lines[FIRST]):.2f} to {max(lines[FIRST]):.2f} ms, "
        f"or {min(lines[FIRST_NEW]):.2f} to {max(lines[FIRST_NEW]):.2f}"
    )
    return Curve("sizes", "ms, median", "bytes of the page", SIZES, lines, says, others)


def _rate(line: Sequence[float]) -> float:
    """MB/s from the second size to the largest, out of milliseconds."""
    return (SIZES[-1] - SIZES[1]) / (line[-1] - line[1]) / 1000


def over_delays(folder: Path, *, say: Callable[[str], None]) -> Curve:
    """Milliseconds to the first and to the last byte while the vendor takes its time."""
    first: list[float] = []
    last: list[float] = []
    others: list[load.Others] = []
    for delay in DELAYS:
        slow = partial(slow_events.server, seconds=delay / 1000)
        with (
            stage(folder / f"delay-{delay}", events=slow) as field,
            proxy(folder / f"delay-{delay}" / "ours", field.shop, field.events, deadline=DEADLINE) as server,
        ):
            ours = Contestant("slow", "this proxy", server)
            ours.get()
            # Few, and one after the other: the breaker shall not open, it would end the wait.
            with load.watching(field) as seen:
                times = sample.sequence(ours, SLOW_SAMPLES if delay < DEADLINE * 1000 else FEW_SAMPLES)
        others += seen
        first.append(statistics.median(one.first for one in times))
        last.append(statistics.median(one.last for one in times))
        say(f"vendor after {delay} ms: first byte {first[-1]:.2f} ms, last {last[-1]:.2f} ms")
    says = f"first byte after {min(first):.2f} to {max(first):.2f} ms, whatever the vendor takes"
    lines = {"to the last byte": last, "to the first byte": first}
    return Curve("delays", "ms, median", "ms that the vendor takes", DELAYS, lines, says, others)


def over_workers(folder: Path, *, say: Callable[[str], None]) -> Curve:
    """Requests a second with one worker to as many as there are cores.

    More workers can't make as many times the pages on cores that load generator, shop and vendor need, too.
    So one of them also works while the others are held: what it costs to be one of several shows there.
    """
    counts = tuple(range(1, machine.cores() + 1))
    line, cost = [], []
    others: list[load.Round] = []
    for count in counts:
        with _alone(folder / f"{count}", workers=count) as (field, ours):
            runs = [load.run(ours, field, connections=64, seconds=SECONDS) for _ in range(ROUNDS)]
            with _held(ours.server.process.pid, count - 1):
                single = [load.run(ours, field, connections=64, seconds=SECONDS) for _ in range(ROUNDS)]
        line.append(statistics.median(one.rate for one in runs))
        cost.append(statistics.median(one.cpu for one in single))
        others += runs
        say(f"{count} workers: {line[-1]:,.0f}/s; one of them {cost[-1] * 1000:.1f} µs of CPU a page")
    says = (
        f"{counts[-1]} workers make {line[-1] / line[0]:.2f} times the pages of one, on cores that load "
        f"generator, shop and vendor need as well; a second of CPU in one of {counts[-1]}, the others held, "
        f"makes {cost[0] / cost[-1]:.2f} of what it makes in a single one (goal where cores are free: 0.9)"
    )
    return Curve("workers", "requests/s", "workers", counts, {"this proxy": line}, says, others)


@contextmanager
def _held(parent: int, count: int) -> Iterator[None]:
    """So many of a server's workers do nothing in the block."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split() if count else []
    those = [int(pid) for pid in children if b"run" in Path(f"/proc/{pid}/cmdline").read_bytes()][:count]
    for pid in those:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in those:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def _alone(folder: Path, *, workers: int = 1) -> Iterator[tuple[Field, Contestant]]:
    """Ours, alone on a stage."""
    with (
        stage(folder) as field,
        proxy(folder / "ours", field.shop, field.events, workers=workers) as server,
    ):
        ours = Contestant("ours", "this proxy", server)
        ours.invite()
        field.contestants.append(ours)
        yield field, ours


def _at(contestant: Contestant, path: str) -> Contestant:
    """The same server and visitors, another page."""
    other = Contestant(
        contestant.key, contestant.title, contestant.server, path=path, cookies=contestant.cookies
    )
    other.get()
    return other
