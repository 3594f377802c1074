"""One SQLite file per worker in one folder, each owned by whoever holds the lock beside it."""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import apsw

from proxy.errors import OutboxUnavailable
from proxy.outbox.schema import VersionMismatch
from proxy.outbox.sqlite import MAX_BYTES, SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SUFFIX: Final = ".sqlite3"


class FileLock:
    """An exclusive ``flock``, which the kernel releases when its process dies, however it dies.

    It is on a file of its own: closing any descriptor of a database file would drop SQLite's own
    (POSIX) locks on it.

    Raises:
        OSError: the lock file can't be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.held = False
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last owner may have deleted the file between our open and our lock.
            self.held = os.fstat(self._descriptor).st_ino == path.stat().st_ino
        except (BlockingIOError, FileNotFoundError):
            pass
        if not self.held:
            os.close(self._descriptor)

    def release(self) -> None:
        """Let others have it."""
        if self.held:
            self.held = False
            os.close(self._descriptor)

    def delete(self) -> None:
        """Remove the lock file, then let go: whoever waits finds another inode, or none."""
        with suppress(OSError):
            self._path.unlink()
        self.release()


class Folder:
    """The ``Stores`` of the workers on one machine.

    A worker takes the first file without an owner, or makes one. Files that are left without an owner
    afterwards (fewer workers, or one that died) are adopted: see ``Outbox.adopt``.

    Args:
        path: the folder, made if it is missing, readable by its owner only.
        max_bytes: disk cap of each file.
        new_name: the name of a new file, without suffix; unique on this machine.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int = MAX_BYTES,
        new_name: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._new_name = new_name
        self._mine: SQLiteStore | None = None
        self._locks: dict[Path, FileLock] = {}
        self._own: Path | None = None

    def mine(self) -> SQLiteStore:
        """Open this worker's file, the same one at every call; a damaged one is set aside first."""
        try:
            if self._mine is not None and self._mine.corrupt:
                self._set_aside(self._mine.path)
            self._mine = None
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._own = self._own or self._take()
            try:
                self._mine = self._store(path)
            except OutboxUnavailable as error:
                if not _is_damage(error):
                    raise
                self._set_aside(path)
                self._mine = self._store(path)
        except OSError as error:
            raise OutboxUnavailable(f"can't use the outbox folder {self.path}: {error}") from error
        return self._mine

    def orphaned(self) -> list[SQLiteStore]:
        """Open the files without an owner; each is ours until it is retired."""
        adopted = []
        for path in self._files():
            if path in self._locks:
                continue
            with suppress(OSError, OutboxUnavailable):
                if self._lock(path):
                    try:
                        adopted.append(self._store(path))
                    except OutboxUnavailable as error:
                        if _is_damage(error):
                            self._set_aside(path)
                            self._locks.pop(path).delete()
                        else:
                            self._locks.pop(path).release()
        return adopted

    def retire(self, store: SQLiteStore) -> None:
        """Close an orphan; delete its files if nothing is left in it, else leave it to the next."""
        lock = self._locks.pop(store.path)
        empty = False
        with suppress(OutboxUnavailable), store.transaction():
            empty = store.is_empty()
        store.close()
        if not empty:
            lock.release()
            return
        for name in _parts(store.path):
            with suppress(OSError):  # an empty file that can't be deleted harms nobody
                name.unlink()
        lock.delete()

    def every(self) -> list[SQLiteStore]:
        """Open every file beside its owner."""
        stores: list[SQLiteStore] = []
        for path in self._files():
            try:
                stores.append(SQLiteStore(path, owner=False, max_bytes=self._max_bytes))
            except OutboxUnavailable as error:
                if _is_unused(path, error):
                    continue
                for store in stores:
                    store.close()
                raise
        return stores

    def release(self) -> None:
        """Give up every lock. The files stay for the next worker."""
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()
        self._own = self._mine = None

    def _store(self, path: Path) -> SQLiteStore:
        return SQLiteStore(path, max_bytes=self._max_bytes)

    def _files(self) -> list[Path]:
        return sorted(self.path.glob(f"*{SUFFIX}"))

    def _take(self) -> Path:
        for path in self._files():
            if self._lock(path):
                return path
        path = self.path / f"{self._new_name()}{SUFFIX}"
        if not self._lock(path):
            raise OutboxUnavailable(f"{path.name} has an owner already")
        return path

    def _lock(self, path: Path) -> bool:
        lock = FileLock(path.with_suffix(".lock"))
        if lock.held and path not in self._locks:
            self._locks[path] = lock
            return True
        lock.release()
        return False

    def _set_aside(self, path: Path) -> None:
        """Keep a damaged file for whoever wants to rescue something from it."""
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        for name in _parts(path):
            with suppress(FileNotFoundError):
                name.rename(name.with_name(f"{name.name}.damaged-{stamp}"))


def _parts(path: Path) -> tuple[Path, Path, Path]:
    # The database goes last: without it, the others are not seen as an outbox any more.
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm"), path


def _is_unused(path: Path, error: OutboxUnavailable) -> bool:
    """Whether its worker died before the first record, or its heir deleted it after the last."""
    unbegun = isinstance(error.__cause__, VersionMismatch) and error.__cause__.version == 0
    return unbegun or not path.exists()


def _is_damage(error: OutboxUnavailable) -> bool:
    return isinstance(error.__cause__, (apsw.CorruptError, apsw.NotADBError))
