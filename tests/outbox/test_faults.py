"""Promise 3: a full or failing disk costs what it costs, is counted, and heals without a restart."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from proxy.errors import OutboxUnavailable
from proxy.outbox import Folder, Outbox, Priority, Record
from proxy.outbox.records import Held
from proxy.outbox.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    NewRecord: TypeAlias = Callable[..., Record]

COMMITTER = Path(__file__).with_name("committer.py")


@contextlib.contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """The kernel refuses to let any file of ours grow beyond this: writes fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_loses_what_it_must_and_heals(folder: Folder, new_record: NewRecord) -> None:
    kept, lost = [], 0
    async with Outbox(folder) as outbox:
        outbox._writer._reopen_pause = 0.0  # type: ignore[union-attr]  # a second is long for a test
        with files_no_larger_than(300_000):
            for _ in range(60):
                record = new_record(size=10_000)
                try:
                    await outbox.commit([record])
                    kept.append(record.id)
                except OutboxUnavailable:
                    lost += 1
        record = new_record()
        await outbox.commit([record])
        kept.append(record.id)
        assert 0 < lost < 60
        assert outbox.tally["unavailable", Priority.VIEW] == lost
    async with Outbox(folder) as outbox:
        assert set(kept) <= {held.record.id for held in await outbox.list(limit=1000)}
    for store in folder.every():
        with store.transaction():
            assert store.check() == []
        store.close()


def test_a_page_beyond_the_hard_stop_is_an_error_not_a_crash(tmp_path: Path, new_record: NewRecord) -> None:
    store = SQLiteStore(tmp_path / "x.sqlite3")
    store._rows("PRAGMA max_page_count = 30")

    def fill() -> None:
        for _ in range(1000):
            with store.transaction():
                store._insert([Held(new_record(size=5000))])

    with pytest.raises(OutboxUnavailable, match="FullError"):
        fill()
    with store.transaction():
        assert store.check() == []


@pytest.mark.parametrize(
    "fault",
    [
        "fdatasync:error=EIO:when=8..12",
        "pwrite64:error=ENOSPC:when=100..103",
        "pwrite64:error=EIO:when=100..103",
    ],
)
def test_a_failing_call_costs_only_what_was_not_acknowledged(tmp_path: Path, fault: str) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    folder = tmp_path / "outbox"
    process = subprocess.Popen(
        [
            strace,
            "-f",
            "-o",
            "/dev/null",
            "-e",
            f"inject={fault}",
            sys.executable,
            str(COMMITTER),
            str(folder),
            "0",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None
    said: list[list[str]] = []
    deadline = time.monotonic() + 30
    failed_at = 0
    for line in process.stdout:
        said.append(line.decode().split())
        if said[-1][0] == "lost" and not failed_at:
            failed_at = len(said)
        healed = failed_at and sum(words[0] == "kept" for words in said[failed_at:]) > 100
        if healed or time.monotonic() > deadline:
            break
    os.killpg(process.pid, signal.SIGKILL)
    said += [line.split() for line in process.stdout.read().decode().split("\n")[:-1]]
    process.stdout.close()
    process.wait()
    if len(said) < 2:
        pytest.skip("ptrace is not permitted here")
    words = [line[0] for line in said]
    assert "lost" in words, "the fault was not felt"
    assert words[failed_at:].count("kept") > 100, "it did not heal"
    kept = {line[1] for line in said if line[0] == "kept"} - {line[1] for line in said if line[0] == "took"}
    found: set[str] = set()
    for store in Folder(folder).every():
        with store.transaction():
            assert store.check() == []
            found |= {held.record.id for held in store.read(None, 10**6)}
        store.close()
    assert not kept - found


async def test_the_event_loop_never_waits_for_the_disk(folder: Folder, new_record: NewRecord) -> None:
    gaps: list[float] = []

    async def watch() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    async with Outbox(folder) as outbox:
        other = SQLiteStore(folder._own or Path(), owner=False)
        watcher = asyncio.ensure_future(watch())
        with other.transaction():  # the file is locked: the writer waits, as it would for a slow disk
            other.remove(["nothing"])
            commit = asyncio.ensure_future(outbox.commit([new_record()]))
            await asyncio.sleep(0.3)
            assert not commit.done()
        await commit
        watcher.cancel()
        other.close()
    assert len(gaps) > 100
    assert sorted(gaps)[len(gaps) // 2] < 0.01
