"""``python -m benchmarks``: a few minutes, a table of ratios."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks import contest, curve, durability, load, nginx
from benchmarks.contestants import WrongAnswer, started
from benchmarks.process import StartFailed
from benchmarks.report import LOCAL, Report


def main() -> int:
    """Runs everything; 0, 1 for a contestant that fails, 2 for a missing program, 3 with --strict."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often everybody runs (default 5)")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a round is (default 3)")
    parser.add_argument(
        "--strict", action="store_true", help="exit with 3 where a floor is missed or the machine was noisy"
    )
    parser.add_argument(
        "--curve", action="store_true", help="also over 1 to 256 connections, as a plot (3 minutes more)"
    )
    parser.add_argument("--out", type=Path, default=LOCAL, help="where to (default benchmarks/results/local)")
    given = parser.parse_args()
    for name, found in (("nginx", nginx.binary()), ("wrk", load.wrk())):
        if found is None:
            print(f"{name} is not installed: nothing can be compared without it", file=sys.stderr)
            return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that every server is ended
    try:
        report = run(given.rounds, given.seconds, curved=given.curve)
    except (StartFailed, WrongAnswer) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print("\n" + report.markdown())
    for path in report.write(given.out):
        print(f"written: {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    return 3 if given.strict and (report.noisy or not report.met) else 0


def run(rounds: int, seconds: float, *, curved: bool) -> Report:
    """Starts everybody in a temporary folder and lets them run.

    Raises:
        StartFailed, WrongAnswer: a contestant doesn't run as it should.
    """

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with started(folder) as field:
            for title, why in field.skipped.items():
                say(f"skipped: {title}: {why}")
            found = contest.hold(field, rounds=rounds, seconds=seconds, say=say)
            bend = curve.over_connections(field, say=say) if curved else None
        say("the outbox alone")
        durable = durability.measure(folder / "outbox", seconds=seconds)
    titles = {contestant.key: contestant.title for contestant in field.contestants}
    return Report(titles, field.skipped, found, durable, seconds, bend)


if __name__ == "__main__":
    sys.exit(main())
