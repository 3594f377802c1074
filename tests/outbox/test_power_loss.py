"""Promise 2: a power cut at any write loses nothing that was acknowledged.

A SQLite VFS passes everything on to the real file system and remembers what was not synced yet. At a
chosen operation it notes what a disk might hold if the power went now: all that was synced, and any
subset of the later writes, torn at sector borders.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.outbox.records import Held, Priority, Record
from proxy.outbox.sqlite import SQLiteStore

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""


class Durable:
    """One file: what is surely on the disk, and the writes since, in order."""

    def __init__(self) -> None:
        self.synced = b""
        self.pending: list[tuple[int, bytes | None]] = []  # (offset, data), or (size, None): truncated

    def sync(self) -> None:
        self.synced = self._apply(self.pending)
        self.pending = []

    def after_cut(self, numbers: random.Random, survival: float) -> bytes:
        survived: list[tuple[int, bytes | None]] = []
        for offset, data in self.pending:
            if numbers.random() >= survival:
                continue
            torn = data is not None and numbers.random() < 0.3
            sectors = numbers.randrange(len(data or b"") // SECTOR + 1)
            survived.append((offset, data[: sectors * SECTOR] if torn and data is not None else data))
        return self._apply(survived)

    def _apply(self, writes: list[tuple[int, bytes | None]]) -> bytes:
        content = bytearray(self.synced)
        for offset, data in writes:
            if data is None:
                del content[offset:]
                continue
            content.extend(bytes(max(0, offset + len(data) - len(content))))
            content[offset : offset + len(data)] = data
        return bytes(content)


class PowerVFS(apsw.VFS):
    """Counts operations down to the moment of the cut."""

    def __init__(self, *, cut_at: int, survival: float, seed: int) -> None:
        self.name = f"power-{id(self)}"
        self.files: dict[str, Durable] = {}
        self.acknowledged: set[str] = set()
        self.found: dict[str, bytes] | None = None
        self.owed: set[str] = set()
        self._left = cut_at
        self._survival = survival
        self._numbers = random.Random(seed)
        super().__init__(self.name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> PowerFile:  # noqa: N802 -- SQLite's name
        return PowerFile(name, flags, self)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802 -- SQLite's name
        super().xDelete(name, sync)
        self.files.pop(name, None)

    def step(self) -> None:
        if self._left == 0:
            self.cut()
        self._left -= 1

    def cut(self) -> None:
        """Note what the disk holds if the power goes now, and what it owes."""
        if self.found is None:
            self.found = {
                path: file.after_cut(self._numbers, self._survival)
                for path, file in sorted(self.files.items())
            }
            self.owed = set(self.acknowledged)


class PowerFile(apsw.VFSFile):
    """Writes through, and takes notes before."""

    def __init__(self, name: Any, flags: list[int], vfs: PowerVFS) -> None:
        super().__init__("", name, flags)
        self._vfs = vfs
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._durable = vfs.files.setdefault(str(path), Durable()) if path else Durable()

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 -- SQLite's name
        self._vfs.step()
        super().xWrite(data, offset)
        self._durable.pending.append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802 -- SQLite's name
        self._vfs.step()
        super().xTruncate(size)
        self._durable.pending.append((size, None))

    def xSync(self, flags: int) -> None:  # noqa: N802 -- SQLite's name
        self._vfs.step()
        super().xSync(flags)
        self._durable.sync()


def without_shared_memory(database: apsw.Connection) -> None:
    """A VFS in Python has none; in exclusive mode WAL does without. What is synced is the same."""
    database.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()


def live(vfs: PowerVFS, path: Path, history: list[tuple[str, int]], *, synchronous: str = "FULL") -> None:
    """Commit and withdraw as the history says, noting each acknowledgement in ``vfs.acknowledged``."""
    apsw.connection_hooks.append(without_shared_memory)
    try:
        store = SQLiteStore(path, vfs=vfs.name)
    finally:
        apsw.connection_hooks.remove(without_shared_memory)
    assert store._rows("PRAGMA journal_mode") == [("wal",)]
    store._rows(f"PRAGMA synchronous = {synchronous}")
    store._rows("PRAGMA wal_autocheckpoint = 20")  # so that short histories have checkpoints too
    count = 0
    for action, size in history:
        if action == "commit":
            ids = [f"r{count + number}" for number in range(size % 7 + 1)]
            count += len(ids)
            records = [Record(id_, f"v{size % 3}", Priority.VIEW, 1.0, b"x" * (size * 10)) for id_ in ids]
            with store.transaction():
                store.add([Held(record) for record in records])
            vfs.acknowledged.update(ids)
        elif vfs.acknowledged:
            gone = sorted(vfs.acknowledged)[: size % 5 + 1]
            # What is being withdrawn is delivered: it is owed no more, whether or not it is still there.
            vfs.acknowledged.difference_update(gone)
            with store.transaction():
                store.remove(gone)
    vfs.cut()
    store.close()


def after(vfs: PowerVFS, folder: Path) -> set[str]:
    """Start up on what the cut left."""
    folder.mkdir()
    assert vfs.found is not None
    for path, content in vfs.found.items():
        (folder / Path(path).name).write_bytes(content)
    store = SQLiteStore(folder / "power.sqlite3")
    with store.transaction():
        assert store.check() == []
        ids = {held.record.id for held in store.read(None, 10**6)}
    store.close()
    return ids


@given(
    history=st.lists(
        st.tuples(st.sampled_from(["commit", "commit", "withdraw"]), st.integers(0, 300)), max_size=25
    ),
    cut_at=st.integers(0, 400),
    survival=st.sampled_from([0.0, 0.5, 0.9, 1.0]),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=100, deadline=None)
def test_a_power_cut_at_any_write_loses_nothing_acknowledged(
    history: list[tuple[str, int]], cut_at: int, survival: float, seed: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        vfs = PowerVFS(cut_at=cut_at, survival=survival, seed=seed)
        live(vfs, Path(folder) / "power.sqlite3", history)
        assert vfs.owed <= after(vfs, Path(folder) / "after")
        vfs.unregister()


def test_the_shim_has_teeth(tmp_path: Path) -> None:
    vfs = PowerVFS(cut_at=-1, survival=0.0, seed=0)
    live(vfs, tmp_path / "power.sqlite3", [("commit", 100)] * 3, synchronous="OFF")
    left: set[str] = set()
    try:
        left = after(vfs, tmp_path / "after")
    finally:
        vfs.unregister()
    assert vfs.owed - left, "nothing was lost without syncing: the shim proves nothing"


@pytest.mark.parametrize("cut_at", range(60))
def test_a_power_cut_at_each_of_the_first_writes_leaves_a_sound_file(tmp_path: Path, cut_at: int) -> None:
    vfs = PowerVFS(cut_at=cut_at, survival=0.5, seed=cut_at)
    live(vfs, tmp_path / "power.sqlite3", [("commit", 50), ("commit", 200), ("withdraw", 2), ("commit", 10)])
    assert vfs.owed <= after(vfs, tmp_path / "after")
    vfs.unregister()
