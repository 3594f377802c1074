"""What is printed and kept: ratios first, then the figures they are made of."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import contest, durability, latency, machine, memory, plot
from benchmarks.figures import Spread, noise, verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.contestants import Field
    from benchmarks.curve import Curve
    from benchmarks.durability import Durability
    from benchmarks.figures import Goal
    from benchmarks.latency import Latency
    from benchmarks.load import Round
    from benchmarks.memory import Memory

RESULTS = Path(__file__).with_name("results")
"""What is kept in the repository, for the log in README.md."""

LOCAL = RESULTS / "local"
"""What anybody's run leaves behind: not kept."""


@dataclass(frozen=True)
class Contest:
    """What one contest showed.

    Attributes:
        titles: the contestants' names by key, in the order in which they ran.
        skipped: who is missing, and why.
    """

    name: str
    goals: Sequence[Goal]
    titles: Mapping[str, str]
    skipped: Mapping[str, str]
    rounds: Mapping[str, Sequence[Round]]

    @classmethod
    def of(
        cls, name: str, goals: Sequence[Goal], held: Field, rounds: Mapping[str, Sequence[Round]]
    ) -> Contest:
        """With the field that it was held with."""
        titles = {contestant.key: contestant.title for contestant in held.contestants}
        return cls(name, goals, titles, held.skipped, rounds)


@dataclass
class Report:
    """Everything that a run found; what wasn't measured is empty."""

    seconds: float
    contests: list[Contest] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    durable: Durability | None = None
    delay: Latency | None = None
    memory: Memory | None = None

    @property
    def noisy(self) -> list[str]:
        """Why the figures can't be trusted; empty where they can."""
        parts = {
            held.name: [one for rounds in held.rounds.values() for one in rounds] for held in self.contests
        }
        curves = {f"{curve.what} over {curve.over}": curve.others for curve in self.curves}
        return [f"{part}: {why}" for part, seen in (parts | curves).items() for why in noise(seen)]

    @property
    def met(self) -> bool:
        """Whether every floor was reached."""
        return all(
            verdict.met for held in self.contests for verdict in verdicts(held.goals, held.rounds)
        ) and (self.durable is None or self.durable.rate >= durability.FLOOR)

    def markdown(self) -> str:
        """The report for people."""
        lines = [f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC.", ""]
        if self.contests:
            lines += [
                f"Contests: {contest.CONNECTIONS} connections, one worker each.",
                f"Rounds of {self.seconds:g} s in turn. Medians [quartiles].",
                "",
            ]
        for held in self.contests:
            count = max(map(len, held.rounds.values()))
            lines += [f"## {held.name} ({count} rounds)", "", *_ratios(held), ""]
            lines += [*_contestants(held), ""]
            lines += [f"Skipped: {title}: {why}.  " for title, why in held.skipped.items()]
        lines += _singles(self)
        for curve in self.curves:
            at = [f"{value:,}" for value in curve.at]
            rows = [[title, *(_brief(value) for value in line)] for title, line in curve.lines.items()]
            lines += [f"## {curve.what} over {curve.over}", "", *table([curve.over, *at], rows), ""]
            lines += [f"{curve.says}.", ""] if curve.says else []
        lines += ["## Where", ""]
        lines += [f"{name}: {value}  " for name, value in machine.description().items()]
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        lines += [f"load average at the end: {load}  ", ""]
        lines += [f"**Too noisy**: {why}." for why in self.noisy] or ["The machine was quiet."]
        return "\n".join(lines) + "\n"

    def data(self) -> dict[str, Any]:
        """The report for programs: every round, unrounded."""
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine.description(),
            "load_average": os.getloadavg(),
            "noisy": self.noisy,
            "contests": {
                held.name: {
                    "goals": [
                        asdict(verdict) | {"met": verdict.met, "aimed": verdict.aimed}
                        for verdict in verdicts(held.goals, held.rounds)
                    ],
                    "rounds": {key: [asdict(one) for one in rounds] for key, rounds in held.rounds.items()},
                    "skipped": dict(held.skipped),
                }
                for held in self.contests
            },
            "curves": [asdict(curve) for curve in self.curves],
            "durable": asdict(self.durable) if self.durable else None,
            "latency": asdict(self.delay) if self.delay else None,
            "memory": asdict(self.memory) if self.memory else None,
        }

    def write(self, folder: Path) -> list[Path]:
        """Writes it into a folder, as Markdown, JSON and an SVG a curve."""
        folder.mkdir(parents=True, exist_ok=True)
        text, data = folder / "bench.md", folder / "bench.json"
        text.write_text(self.markdown(), encoding="utf-8")
        data.write_text(json.dumps(self.data(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        written = [text, data]
        for curve in self.curves:
            drawing = folder / f"{curve.key}.svg"
            drawing.write_text(plot.svg(curve), encoding="utf-8")
            written.append(drawing)
        return written


def _ratios(held: Contest) -> list[str]:
    rows = []
    for verdict in verdicts(held.goals, held.rounds):
        goal, ratio = verdict.goal, verdict.ratio
        aim = f"{'≤' if goal.costs else '≥'} {goal.aim:g}"
        rows.append(
            [
                goal.what if len(goal.theirs) == 1 else f"{goal.what} ({held.titles[verdict.theirs]})",
                f"{ratio.median:.2f} [{ratio.low:.2f}..{ratio.high:.2f}]"
                + ("" if verdict.steady else " unsteady"),
                f"{aim} {'met' if verdict.aimed else 'not met'}",
                f"{verdict.cpu.median:.2f}",
            ]
        )
    return table(["ratio", "found", "goal", "CPU a request"], rows)


def _contestants(held: Contest) -> list[str]:
    rows = []
    for key, rounds in held.rounds.items():
        rate = Spread.of([one.rate for one in rounds])
        cpu = Spread.of([one.cpu for one in rounds])
        p50 = Spread.of([one.p50 for one in rounds])
        p99 = Spread.of([one.p99 for one in rounds])
        rows.append(
            [
                held.titles[key],
                f"{rate.median:,.0f} [{rate.low:,.0f}..{rate.high:,.0f}]",
                f"{cpu.median:.3f}",
                f"{p50.median:.1f}",
                f"{p99.median:.1f}",
            ]
        )
    return table(["contestant", "requests/s", "CPU s per 1,000", "p50 ms", "p99 ms"], rows)


def _singles(report: Report) -> list[str]:
    lines = []
    if report.durable is not None:
        lines.append(_outbox(report.durable))
    if report.delay is not None:
        found = report.delay
        p50, p99 = found.added
        met = "met" if p50 <= latency.ADDED[0] and p99 <= latency.ADDED[1] else "not met"
        lines.append(
            f"At {found.pace:,.0f} pages/s, half of the load: the shop alone p50 {found.shop[0]:.2f} / "
            f"p99 {found.shop[1]:.2f} ms, personalized {found.ours[0]:.2f} / {found.ours[1]:.2f} ms: "
            f"{p50:.2f} / {p99:.2f} ms added (at most {latency.ADDED[0]:g} / {latency.ADDED[1]:g}: {met})."
        )
    if report.memory is not None:
        idle, streaming = report.memory.idle, report.memory.streaming
        met = "met" if idle <= memory.GOALS[0] and streaming <= memory.GOALS[1] else "not met"
        lines.append(
            f"{memory.COUNT:,} connections: {idle:.1f} MB idle, {streaming:.1f} MB with a page on its way "
            f"(at most {memory.GOALS[0]:g} and {memory.GOALS[1]:g}: {met})."
        )
    return [f"{line}\n" for line in lines]


def _outbox(found: Durability) -> str:
    met = "met" if found.rate >= durability.FLOOR else "MISSED"
    rate = f"Outbox: {found.rate:,.0f} durable events/s (floor {durability.FLOOR:,.0f} {met})"
    paced = "met" if found.paced_p50 <= durability.ADDED else "MISSED"
    added = (
        f"p50 {found.paced_p50:.2f} ms (at most {durability.ADDED:g}: {paced}), p99 {found.paced_p99:.2f} ms"
    )
    return (
        f"{rate}, p50 {found.p50:.2f} ms, p99 {found.p99:.2f} ms. At {durability.PACE:,} a second: {added}."
    )


def _brief(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, aligned so that it reads well in a terminal too."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return (
            " | ".join([f"| {first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in others)]) + " |"
        )

    rule = "|".join(["|" + "-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]) + "|"
    return [line(head), rule, *map(line, rows)]
