"""One round: wrk against one contestant, and what that cost."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import machine
from benchmarks.contestants import BROWSER, WrongAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contestants import Contestant, Field

SCRIPT = Path(__file__).with_name("wrk.lua")

COMPLETE = 0.98
"""Share of the checked answer's bytes that a round's answers must have on the average: widgets are a
quarter of a page, so pages that kept the shop's own content are noticed from one in twelve on."""


class Others(NamedTuple):
    """What else ran meanwhile.

    Attributes:
        foreign: share of the machine that neither we nor a contestant used: other people's work.
        steal: share of the machine that the hypervisor gave to others.
    """

    foreign: float
    steal: float


@contextmanager
def watching(field: Field) -> Iterator[list[Others]]:
    """Looks at what else runs in the block; what was seen is in the list after it."""
    seen: list[Others] = []
    ours, before, began = _ours(field), machine.times(), time.monotonic()
    yield seen
    whole = machine.cores() * (time.monotonic() - began)
    after = machine.times()
    mine = _ours(field) - ours
    seen.append(
        Others(max(0.0, after.busy - before.busy - mine) / whole, (after.steal - before.steal) / whole)
    )


@dataclass(frozen=True)
class Round:
    """What one round showed.

    Attributes:
        rate: requests a second.
        cpu: seconds of CPU time for 1,000 requests, all processes of the contestant.
        p50, p99: milliseconds.
        foreign, steal: see ``Others``.
    """

    rate: float
    cpu: float
    p50: float
    p99: float
    foreign: float
    steal: float


def wrk() -> str | None:
    """The load generator, where there is one."""
    return shutil.which("wrk")


def run(contestant: Contestant, field: Field, *, connections: int, seconds: float) -> Round:
    """Loads one contestant while all others are idle.

    Raises:
        WrongAnswer: an answer wasn't 2xx, or answers were shorter than they should be.
    """
    command = [wrk() or "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s"]
    for name, value in BROWSER.items():
        command += ["-H", f"{name}: {value}"]
    cookies = contestant.server.folder / "cookies"
    cookies.write_text("".join(f"{cookie}\n" for cookie in contestant.cookies))
    command += ["-s", str(SCRIPT), contestant.url, "--", str(cookies)]
    cpu = contestant.cpu_seconds()
    with watching(field) as others:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    used = contestant.cpu_seconds() - cpu
    if done.returncode:
        raise WrongAnswer(f"{contestant.title}: {done.stderr or done.stdout}")
    summary = json.loads(done.stdout.splitlines()[-1])
    _check(contestant, summary)
    return Round(
        rate=summary["requests"] / summary["seconds"],
        cpu=used / summary["requests"] * 1000,
        p50=summary["p50"],
        p99=summary["p99"],
        **others[0]._asdict(),
    )


def _check(contestant: Contestant, summary: dict[str, float]) -> None:
    requests, errors = summary["requests"], summary["errors"]
    if not requests or errors:
        raise WrongAnswer(f"{contestant.title}: {errors:.0f} of {requests:.0f} requests failed under load")
    mean = summary["bytes"] / requests
    if mean < contestant.body_bytes * COMPLETE:
        raise WrongAnswer(
            f"{contestant.title}: answers of {mean:,.0f} bytes under load, {contestant.body_bytes:,} before"
        )


def _ours(field: Field) -> float:
    """CPU seconds so far of everything that belongs to this program."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return own + sum(server.cpu_seconds() for server in field.servers)
