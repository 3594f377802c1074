"""Promise 1: ``kill -9`` at any moment loses nothing that was acknowledged."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from proxy.outbox import Folder
from proxy.outbox.sqlite import SQLiteStore

COMMITTER = Path(__file__).with_name("committer.py")
SENDER_BATCH = 8
"""Records that the committer's relay has in flight at most."""


@pytest.fixture(scope="session")
def strace() -> str:
    """strace, where the kernel lets it trace."""
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed")
    probe = subprocess.run([program, "-o", "/dev/null", "true"], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip(f"ptrace is not permitted here: {probe.stderr.decode().strip()}")
    return program


class Life:
    """One run of the committer, and what it said until it was killed."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        self.said: list[list[str]] = []

    def listen(self, lines: int | None = None) -> None:
        """Read until so many lines came (None: until the end); a last line that is cut off counts not."""
        assert self._process.stdout is not None
        while lines is None or len(self.said) < lines:
            line = self._process.stdout.readline()
            if not line.endswith(b"\n"):
                return
            self.said.append(line.decode().split())

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # strace's child too

    def wait(self) -> str:
        """Let it end; what it wrote to stderr."""
        self.listen()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        trouble = self._process.stderr.read().decode()
        self._process.stdout.close()
        self._process.stderr.close()
        self._process.wait()
        return trouble

    def ids(self, word: str) -> set[str]:
        return {said[1] for said in self.said if said[0] == word}


def stored(folder: Path) -> set[str]:
    """Ids in every file of the folder, each of which must be sound."""
    found: set[str] = set()
    for store in Folder(folder).every():
        with store.transaction():
            assert store.check() == []
            found |= {held.record.id for held in store.read(None, 10**6)}
        store.close()
    return found


def table(title: str, rows: dict[str, int]) -> None:
    print(f"\n{title}")
    for name, number in rows.items():
        print(f"  {name:<32}{number:>8}")


@pytest.mark.parametrize(
    "cycles", [20, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_no_acknowledged_record_is_lost_when_killed_at_random(tmp_path: Path, cycles: int) -> None:
    numbers = random.Random(cycles)
    log = tmp_path / "vendor.log"
    log.touch()
    kept: set[str] = set()
    withdrawn: set[str] = set()
    for cycle in range(cycles):
        life = Life([sys.executable, str(COMMITTER), str(tmp_path / "outbox"), str(cycle), "relay", str(log)])
        killer = threading.Timer(numbers.uniform(0, 0.5), life.kill)
        life.listen(1)
        killer.start()
        trouble = life.wait()
        killer.join()
        assert not trouble
        kept |= life.ids("kept")
        withdrawn |= life.ids("took")
    receipts = Counter(log.read_text().split())
    left = stored(tmp_path / "outbox")
    lost = kept - withdrawn - receipts.keys() - left
    again = sum(count - 1 for count in receipts.values())
    table(
        f"kill -9 at random, {cycles} times",
        {
            "acknowledged": len(kept),
            "acknowledged and lost": len(lost),
            "sent": receipts.total(),
            "sent again after a kill": again,
            "allowed": cycles * SENDER_BATCH,
            "still in the outbox": len(left),
        },
    )
    assert len(kept) > cycles * 10
    assert not lost
    assert again <= cycles * SENDER_BATCH


@pytest.mark.parametrize(
    "syncs",
    [
        pytest.param(range(1, 40, 5), id="some"),
        pytest.param(range(1, 501), id="500", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)
def test_no_acknowledged_record_is_lost_when_killed_at_the_nth_sync(
    tmp_path: Path, strace: str, syncs: range
) -> None:
    acknowledged = killed = 0
    for nth in syncs:
        folder = tmp_path / str(nth)
        life = Life(
            [
                *(strace, "-f", "-o", "/dev/null", "-e", "trace=fdatasync"),
                *("-e", f"inject=fdatasync:signal=KILL:when={nth}"),
                *(sys.executable, str(COMMITTER), str(folder), "0"),
            ]
        )
        guard = threading.Timer(20, life.kill)
        guard.start()
        life.wait()
        guard.cancel()
        killed += 1
        missing = life.ids("kept") - life.ids("took") - stored(folder)
        assert not missing, f"lost at sync {nth}"
        acknowledged += len(life.ids("kept"))
        shutil.rmtree(folder)
    table(
        "killed at the n-th fdatasync",
        {"kills": killed, "acknowledged": acknowledged, "acknowledged and lost": 0},
    )
    assert acknowledged > 0


def test_a_kill_leaves_a_file_that_opens_and_checks(tmp_path: Path) -> None:
    life = Life([sys.executable, str(COMMITTER), str(tmp_path), "0"])
    life.listen(200)
    life.kill()
    life.wait()
    [path] = tmp_path.glob("*.sqlite3")
    store = SQLiteStore(path)
    with store.transaction():
        assert store.check() == []
    store.close()
