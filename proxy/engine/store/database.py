"""The SQLite file: opened by one writer, migrated, checkpointed off the answer's path, backed up.

Durability: every answer follows its commit. With a write-ahead log and ``synchronous=NORMAL`` a commit
is in the operating system's hands when it returns, so a killed process loses nothing; a power cut may
lose the last moments, but never corrupts (sqlite.org, "WAL mode").
"""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import apsw

from proxy.engine.store.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE_KIB: Final = 65_536
"""Page cache: holds the index pages that appends touch at millions of events."""
CHECKPOINT_PAGES: Final = 2_000
"""Pages that the write-ahead log grows by (4 KiB each) before the background thread moves them over."""
BUSY_MS: Final = 5_000
"""How long a writer waits for a backup or another reader's lock."""
BACKUP_PAGES: Final = 1_024
"""Pages copied at a time, so that a backup never holds the file for long."""


class StoreUnusable(Exception):
    """The file can't be the engine's store; the message says why and what to do."""


class Database:
    """One open file with one writing connection.

    Args:
        path: the file; its folder is made if missing. ``:memory:`` keeps everything in memory.

    Raises:
        StoreUnusable: another process holds it, it was written by a newer version, or it can't be opened.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._lock: int | None = None
        self._wake = threading.Event()
        self._closing = False
        self._asked_at = 0
        self._checkpointer: threading.Thread | None = None
        if self.path != ":memory:":
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            self._lock = _hold(self.path + ".lock")
        try:
            self.connection = apsw.Connection(self.path)
            self._prepare()
        except apsw.Error as failure:
            self._release()
            raise StoreUnusable(f"{self.path} can't be opened as a SQLite file: {failure}") from failure
        except StoreUnusable:
            self._release()
            raise
        if self.path != ":memory:":
            self.connection.set_wal_hook(self._on_commit)
            self._checkpointer = threading.Thread(
                target=self._checkpoint, name="engine-checkpoint", daemon=True
            )
            self._checkpointer.start()

    def rows(self, sql: str, bindings: tuple[Any, ...] = ()) -> apsw.Cursor:
        """Run a statement; iterate over the result for its rows."""
        return self.connection.execute(sql, bindings)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is stored when this returns, or nothing of it. Not to be nested."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def backup(self, target: str | Path) -> None:
        """Copy the live store into a new file, consistent as of the end of the copy."""
        backup(self.path, target)

    def close(self) -> None:
        """Write everything home and let go of the file. May be called twice."""
        self._closing = True
        self._wake.set()
        if self._checkpointer is not None:
            self._checkpointer.join()
            self._checkpointer = None
        self.connection.close()
        self._release()

    def _prepare(self) -> None:
        self.connection.set_busy_timeout(BUSY_MS)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=NORMAL")
        self.connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        self.connection.execute("PRAGMA temp_store=MEMORY")
        # A visitor who is erased leaves nothing behind in pages that are free.
        self.connection.execute("PRAGMA secure_delete=ON")
        version: int = self.connection.pragma("user_version")
        if version > len(MIGRATIONS):
            raise StoreUnusable(
                f"{self.path} was written by a newer version (schema {version}, this one knows "
                f"{len(MIGRATIONS)}): upgrade, or choose another file",
            )
        for number, step in enumerate(MIGRATIONS[version:], start=version + 1):
            with self.transaction():
                self.connection.execute(step)
                self.connection.pragma("user_version", number)

    def _on_commit(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        if pages < self._asked_at:
            self._asked_at = 0  # the log was moved over and begins anew
        if pages - self._asked_at >= CHECKPOINT_PAGES:
            self._asked_at = pages
            self._wake.set()
        return apsw.SQLITE_OK

    def _checkpoint(self) -> None:
        """Own connection, own thread: the fsyncs of a checkpoint never stop the event loop."""
        own = apsw.Connection(self.path)
        own.set_busy_timeout(BUSY_MS)
        while not self._closing:
            self._wake.wait()
            self._wake.clear()
            with suppress(
                apsw.Error
            ):  # a full disk: the log keeps everything, and the next commit calls again
                own.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        own.close()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def backup(source: str | Path, target: str | Path) -> None:
    """Copy a store, also while an engine uses it, into a new file.

    Raises:
        StoreUnusable: the target exists, or the source isn't a store.
    """
    if Path(target).exists():
        raise StoreUnusable(f"{target} exists already: name a new file for the backup")
    if not Path(source).exists():
        raise StoreUnusable(f"{source} doesn't exist: name the engine's data file")
    reader = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)
    copy = apsw.Connection(str(target))
    try:
        with copy.backup("main", reader, "main") as progress:
            while not progress.done:
                progress.step(BACKUP_PAGES)
    finally:
        copy.close()
        reader.close()


def _hold(path: str) -> int:
    """One engine a file: two would each keep their own picture of it in memory."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise StoreUnusable(f"{path} is held: another engine uses this file") from None
    return descriptor
