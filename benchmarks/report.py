"""What is printed and kept: ratios first, then the figures they are made of."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import contest, durability, machine, plot
from benchmarks.figures import Spread, noise, verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.curve import Curve
    from benchmarks.durability import Durability
    from benchmarks.load import Round

RESULTS = Path(__file__).with_name("results")
"""What is kept in the repository, for the log in README.md."""

LOCAL = RESULTS / "local"
"""What anybody's run leaves behind: not kept."""


@dataclass(frozen=True)
class Report:
    """Everything that a run found.

    Attributes:
        titles: the contestants' names by key, in the order in which they ran.
    """

    titles: Mapping[str, str]
    skipped: Mapping[str, str]
    rounds: Mapping[str, Sequence[Round]]
    durable: Durability
    seconds: float
    curve: Curve | None = None

    @property
    def noisy(self) -> list[str]:
        """Why the figures can't be trusted; empty where they can."""
        return noise(self.rounds)

    @property
    def met(self) -> bool:
        """Whether every floor was reached."""
        return all(verdict.met for verdict in verdicts(self.rounds)) and self.durable.rate >= durability.FLOOR

    def markdown(self) -> str:
        """The report for people."""
        count = max(map(len, self.rounds.values()))
        lines = [
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC. {count} rounds of {self.seconds:g} s, in turn.",
            f"{contest.CONNECTIONS} connections, one worker each. Medians [quartiles].",
            "",
            *_ratios(self.rounds),
            "",
            *self._contestants(),
            "",
            _outbox(self.durable),
            "",
        ]
        if self.curve is not None:
            at = [f"{value}" for value in self.curve.at]
            rows = [[title, *(f"{rate:,.0f}" for rate in line)] for title, line in self.curve.rates.items()]
            lines += [*table([f"requests/s at {self.curve.what}", *at], rows), ""]
        lines += [f"Skipped: {title}: {why}." for title, why in self.skipped.items()]
        lines += [f"{name}: {value}  " for name, value in machine.description().items()]
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        lines += [f"load average at the end: {load}  ", ""]
        lines += [f"**Too noisy**: {why}." for why in self.noisy] or ["The machine was quiet."]
        return "\n".join(lines) + "\n"

    def _contestants(self) -> list[str]:
        rows = []
        for key, rounds in self.rounds.items():
            rate = Spread.of([one.rate for one in rounds])
            cpu = Spread.of([one.cpu for one in rounds])
            p50 = Spread.of([one.p50 for one in rounds])
            p99 = Spread.of([one.p99 for one in rounds])
            rows.append(
                [
                    self.titles[key],
                    f"{rate.median:,.0f} [{rate.low:,.0f}..{rate.high:,.0f}]",
                    f"{cpu.median:.3f}",
                    f"{p50.median:.1f}",
                    f"{p99.median:.1f}",
                ]
            )
        return table(["contestant", "requests/s", "CPU s per 1,000", "p50 ms", "p99 ms"], rows)

    def data(self) -> dict[str, Any]:
        """The report for programs: every round, unrounded."""
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine.description(),
            "load_average": os.getloadavg(),
            "noisy": self.noisy,
            "goals": [asdict(verdict) | {"met": verdict.met} for verdict in verdicts(self.rounds)],
            "rounds": {key: [asdict(one) for one in rounds] for key, rounds in self.rounds.items()},
            "curve": asdict(self.curve) if self.curve is not None else None,
            "durable": asdict(self.durable),
            "skipped": dict(self.skipped),
        }

    def write(self, folder: Path) -> list[Path]:
        """Writes it into a folder, as Markdown, JSON and SVG."""
        folder.mkdir(parents=True, exist_ok=True)
        text, data = folder / "bench.md", folder / "bench.json"
        text.write_text(self.markdown(), encoding="utf-8")
        data.write_text(json.dumps(self.data(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        written = [text, data]
        if self.curve is not None:
            drawing = folder / "connections.svg"
            drawing.write_text(plot.svg(self.curve), encoding="utf-8")
            written.append(drawing)
        return written


def _ratios(rounds: Mapping[str, Sequence[Round]]) -> list[str]:
    rows = []
    for verdict in verdicts(rounds):
        goal = verdict.goal
        floor = "none" if goal.floor is None else f"{goal.floor:g} {'met' if verdict.met else 'MISSED'}"
        rows.append(
            [
                goal.what,
                f"{verdict.rate.median:.2f} [{verdict.rate.low:.2f}..{verdict.rate.high:.2f}]",
                floor,
                f"{goal.aim:g} {'met' if verdict.aimed else 'not yet'}",
                f"{verdict.cpu.median:.2f}",
            ]
        )
    return table(["ratio", "requests/s", "floor", "aim", "CPU a request"], rows)


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
