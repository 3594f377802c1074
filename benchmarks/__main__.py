"""``python -m benchmarks``: a few minutes, a table of ratios. ``--full``: everything, 15 minutes."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import contest, curve, durability, latency, load, memory, nginx
from benchmarks.contestants import WrongAnswer, started
from benchmarks.figures import COMPOSING, FORWARDING, PERSONAL
from benchmarks.process import StartFailed
from benchmarks.report import LOCAL, Contest, Report
from benchmarks.rivals import fields

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_MET, NOISY = 3, 4


def main() -> int:
    """Runs it.

    Returns:
        0; 1 for a contestant that fails, 2 for a missing program, 3 for a missed floor with --strict, 4
        where the machine was too noisy to report anything.
    """
    first = argparse.ArgumentParser(prog="python -m benchmarks", add_help=False)
    first.add_argument(
        "--python",
        type=interpreter,
        metavar="PATH",
        help="of an environment that has our packages: measure in it (default: this one)",
    )
    chosen, rest = first.parse_known_args()
    if chosen.python is not None:
        os.execv(chosen.python, [chosen.python, "-m", "benchmarks", *rest])  # noqa: S606  what the user names
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, parents=[first])
    parser.add_argument("--rounds", type=int, default=5, help="how often everybody runs (default 5)")
    parser.add_argument("--seconds", type=int, default=3, help="how long a round is (default 3)")
    parser.add_argument("--full", action="store_true", help="also the rivals, the curves, latency and memory")
    parser.add_argument(
        "--only",
        choices=[*PARTS],
        action="append",
        help="just this part; may be given several times",
    )
    parser.add_argument("--strict", action="store_true", help="exit with 3 where a floor is missed")
    parser.add_argument(
        "--noisy", action="store_true", help="report even where other work took much of the machine"
    )
    parser.add_argument("--out", type=Path, default=LOCAL, help="where to (default benchmarks/results/local)")
    given = parser.parse_args()
    for name, found in (("nginx", nginx.binary()), ("wrk", load.wrk())):
        if found is None:
            print(f"{name} is not installed: nothing can be compared without it", file=sys.stderr)
            return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that every server is ended
    parts = given.only or ([*PARTS] if given.full else SHORT)
    report = Report(given.seconds)
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            folder = Path(name)
            folder.chmod(0o755)  # nginx's workers may run as another user
            for part in parts:
                say(f"== {part}")
                PARTS[part](report, folder / part, given.rounds)
    except (StartFailed, WrongAnswer) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return _tell(report, given)


def interpreter(name: str) -> str:
    """An interpreter by its path, in whose environment all this can be imported.

    Raises:
        ArgumentTypeError: there is none, or it lacks what a contestant needs.
    """
    found = shutil.which(name)
    if found is None:
        raise argparse.ArgumentTypeError(f"there is no interpreter {name}")
    trial = [found, "-c", "import benchmarks.__main__, proxy.lifespan"]
    done = subprocess.run(trial, capture_output=True, text=True, check=False)
    if done.returncode:
        raise argparse.ArgumentTypeError(f"{name} can't run this: {done.stderr.splitlines()[-1]}")
    return found


def _tell(report: Report, given: argparse.Namespace) -> int:
    if report.noisy and not given.noisy:
        for why in report.noisy:
            print(f"not reported: {why}", file=sys.stderr)
        print("try again when the machine is quiet, or have it all the same with --noisy", file=sys.stderr)
        return NOISY
    print("\n" + report.markdown())
    for path in report.write(given.out):
        print(f"written: {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    return NOT_MET if given.strict and not report.met else 0


def say(line: str) -> None:
    """Progress, beside the report."""
    print(line, file=sys.stderr, flush=True)


def personal(report: Report, folder: Path, rounds: int) -> None:
    """A personalized page beside nginx's include and beside a plain proxy."""
    with started(folder) as held:
        for title, why in held.skipped.items():
            say(f"skipped: {title}: {why}")
        found = contest.hold(held, rounds=rounds, seconds=report.seconds, say=say)
        report.contests.append(Contest.of("A personalized page", PERSONAL, held, found))


def connections(report: Report, folder: Path, rounds: int) -> None:
    """Requests a second from 1 to 1,000 connections."""
    del rounds
    with started(folder) as held:
        report.curves.append(curve.over_connections(held, say=say))


def paced(report: Report, folder: Path, rounds: int) -> None:
    """What a page takes longer at half of the load."""
    del rounds
    if latency.h2load() is None:
        say("skipped: latency at a fixed pace: h2load is not installed")
        return
    with started(folder) as held:
        report.delay = latency.measure(held, "same", folder / "latency", say=say)


def forwarding(report: Report, folder: Path, rounds: int) -> None:
    """A page as it is, beside reverse proxies of Python."""
    with fields.forwarding(folder, say=say) as held:
        found = contest.hold(held, rounds=rounds, seconds=report.seconds, say=say)
        report.contests.append(Contest.of("A page as it is", FORWARDING, held, found))


def composing(report: Report, folder: Path, rounds: int) -> None:
    """The personalized page in one go, beside composers of our fragments."""
    with fields.composing(folder, say=say) as held:
        found = contest.hold(held, rounds=rounds, seconds=report.seconds, say=say)
        report.contests.append(Contest.of("A page composed of fragments", COMPOSING, held, found))


def outbox(report: Report, folder: Path, rounds: int) -> None:
    """Events made durable a second."""
    del rounds
    report.durable = durability.measure(folder, seconds=report.seconds)


def kept(report: Report, folder: Path, rounds: int) -> None:
    """What connections cost in memory."""
    del rounds
    report.memory = memory.measure(folder)


def bent(over: Callable[..., curve.Curve]) -> Callable[[Report, Path, int], None]:
    """A part that draws a curve."""

    def part(report: Report, folder: Path, rounds: int) -> None:
        del rounds
        report.curves.append(over(folder, say=say))

    return part


PARTS: dict[str, Callable[[Report, Path, int], None]] = {
    "personal": personal,
    "connections": connections,
    "latency": paced,
    "outbox": outbox,
    "forwarding": forwarding,
    "composing": composing,
    "sizes": bent(curve.over_sizes),
    "slots": bent(curve.over_slots),
    "delays": bent(curve.over_delays),
    "workers": bent(curve.over_workers),
    "memory": kept,
}
SHORT = ["personal", "outbox"]


if __name__ == "__main__":
    sys.exit(main())
