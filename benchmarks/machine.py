"""Where it was measured: the machine, the versions, and what else ran there."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
import time
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from benchmarks import nginx

PACKAGES = ("uvicorn", "uvloop", "httptools", "starlette", "msgspec", "jinja2", "httpx", "lxml")

TICK = 1 / os.sysconf("SC_CLK_TCK")

TURNS = 300_000
"""Of a loop that tells how fast an interpreter is: some 20 ms."""

LOOPS = 7
"""The fastest counts."""


class Times(NamedTuple):
    """CPU seconds since the machine started, all cores together.

    Attributes:
        busy: spent in processes. Interrupts aren't: loopback traffic is handled there, and isn't charged
            to those who caused it.
        steal: given to other guests of the hypervisor.
    """

    busy: float
    steal: float


def times() -> Times:
    """The machine's CPU times so far (proc_stat(5))."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    user, nice, system, _idle, _iowait, _irq, _softirq, steal = (int(field) * TICK for field in fields[:8])
    return Times(user + nice + system, steal)


def cores() -> int:
    """Cores that we may use."""
    return len(os.sched_getaffinity(0))


def description() -> dict[str, str]:
    """The machine and the versions, for the report."""
    found = {
        "machine": f"{_cpu_model()}, {cores()} cores, {platform.system()} {platform.release()}",
        "Python": _python(),
        "nginx": _first_line([nginx.binary() or "nginx", "-v"]).rpartition("/")[2],
        "wrk": _first_line(["wrk", "--version"]).split("[")[0].removeprefix("wrk").strip(),
        "commit": _commit(),
    }
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _python() -> str:
    """The interpreter: its build counts as much as its version.

    What ``configure`` was told isn't the whole truth (Debian optimizes beside it), so a loop is timed, too.
    """
    told = f"{sysconfig.get_config_var('CONFIG_ARGS')} {sysconfig.get_config_var('PY_CORE_CFLAGS')}"
    signs = {"PGO": ("--enable-optimizations", "-fprofile-use"), "LTO": ("--with-lto", "-flto")}
    by = [name for name, marks in signs.items() if any(mark in told for mark in marks)]
    built = f"configured with {' and '.join(by)}" if by else "configured without PGO and LTO"
    compiler = platform.python_compiler()
    loop = min(_loop_seconds() for _ in range(LOOPS)) * 1000
    return f"{platform.python_version()}, {compiler}, {built}; {TURNS:,} turns of a loop in {loop:.1f} ms"


def _loop_seconds() -> float:
    """CPU time of a loop whose turns are calls, which is what Python code mostly does."""
    began = time.process_time()
    for number in range(TURNS):
        len(str(number))
    return time.process_time() - began


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return (done.stdout + done.stderr).partition("\n")[0].strip()


def _commit() -> str:
    """The tree's commit, and whether product files differ from it."""
    here = ["git", "-C", str(Path(__file__).parents[1])]
    commit = _first_line([*here, "rev-parse", "--short", "HEAD"])
    changed = _first_line([*here, "status", "--porcelain", "--", "proxy", "templates"])
    return f"{commit or 'unknown'}{', changed since' if changed else ''} ({sys.implementation.name})"
