"""An SQLite file that keeps what it acknowledged: how it is opened, committed to and given up."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import apsw

from proxy.errors import OutboxUnavailable
from proxy.outbox import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# journal_mode=WAL        one fsync a commit, and readers (the command line) block no writer
# synchronous=FULL        that fsync happens before COMMIT returns: an acknowledged event survives power loss
# fullfsync               on macOS, where a plain fsync leaves the data in the drive's cache
# auto_vacuum=INCREMENTAL the file shrinks again after an outage; only possible before the first table
# secure_delete=FAST      deleted visitors' data is zeroed where the page is written anyway
# mmap_size=0             an I/O error is an error code; with a mapping it would be SIGBUS
# journal_size_limit      the WAL of a burst is cut back at the next checkpoint
# cache_size              8 MB a worker: a long backlog must not grow the process
# temp_store=MEMORY       the eviction's sort needs no second file on a disk that is full
PRAGMAS: Final = """
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA secure_delete = FAST;
    PRAGMA mmap_size = 0;
    PRAGMA wal_autocheckpoint = 1000;
    PRAGMA journal_size_limit = 16777216;
    PRAGMA cache_size = -8000;
    PRAGMA temp_store = MEMORY;
"""

BUSY_TIMEOUT: Final = 5_000
"""Milliseconds to wait for the command line's short transactions on the same file."""

SHRINK: Final = 1_024
"""Free pages given back to the file system at a time, and kept for the next burst."""


class SQLiteFile:
    """The file beneath ``SQLiteStore``; the arguments are the same.

    Raises:
        OutboxUnavailable: the file can't be opened.
    """

    def __init__(self, path: Path, *, owner: bool, max_bytes: int, vfs: str | None) -> None:
        self.path = path
        self.corrupt = False
        """The file is no SQLite database, or a damaged one: set it aside, it will not heal."""
        self._max_bytes = max_bytes
        self._erased = False
        self._database: apsw.Connection | None = None
        with self._failures("open"):
            flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if owner else 0)
            self._database = database = apsw.Connection(str(path), flags=flags, vfs=vfs)
            self._open(database, owner=owner)

    def _open(self, database: apsw.Connection, *, owner: bool) -> None:
        database.set_busy_timeout(BUSY_TIMEOUT)
        database.execute(PRAGMAS).fetchall()
        self._page_size: int = database.pragma("page_size")
        self._max_pages: int = max(self._max_bytes // self._page_size, 1)
        # The hard stop behind the store's own cap: the schema and a batch beyond the estimate must fit.
        database.pragma("max_page_count", self._max_pages + self._max_pages // 16 + 64)
        if not owner:
            if (version := database.pragma("user_version")) != schema.VERSION:
                raise schema.VersionMismatch(version)
            return
        schema.migrate(database)
        _sync_folder(self.path.parent)

    def close(self) -> None:
        """Close the file. What was committed is in it, or in the WAL beside it."""
        database, self._database = self._database, None
        if database is not None:
            # A failing disk makes the closing checkpoint fail; the WAL keeps what was committed.
            with suppress(apsw.Error):
                database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE … COMMIT: one fsync of the WAL, none if nothing was changed."""
        with self._failures("write"):
            database = self._open_database()
            database.execute("BEGIN IMMEDIATE")
            try:
                yield
                database.execute("COMMIT")
                if self._erased:
                    self._erased = False
                    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                if database.in_transaction:
                    with suppress(apsw.Error):
                        database.execute("ROLLBACK")

    @contextmanager
    def _erasing(self) -> Iterator[None]:
        """What is deleted inside leaves no byte: pages are zeroed whole, and the WAL ends with the commit."""
        database = self._open_database()
        self._erased = True
        database.pragma("secure_delete", "ON")
        try:
            yield
        finally:
            database.execute("PRAGMA secure_delete = FAST")

    @contextmanager
    def _failures(self, action: str) -> Iterator[None]:
        """What SQLite reports, as the one error that callers know."""
        try:
            yield
        except (apsw.Error, OSError, ValueError) as error:
            self.corrupt = self.corrupt or isinstance(error, (apsw.CorruptError, apsw.NotADBError))
            if action == "open":
                self.close()
            kind = type(error).__name__
            raise OutboxUnavailable(f"can't {action} {self.path.name}: {kind}: {error}") from error

    def _open_database(self) -> apsw.Connection:
        if self._database is None:
            raise OutboxUnavailable(f"{self.path.name} is closed")
        return self._database

    def _rows(self, sql: str, bindings: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._open_database().execute(sql, bindings).fetchall()

    def _change(self, sql: str, bindings: Sequence[Any] = ()) -> int:
        """Run a statement; how many rows it changed itself, triggers not counted."""
        database = self._open_database()
        database.execute(sql, bindings)
        return database.changes()

    def _used_pages(self) -> int:
        rows = self._rows("SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count")
        return int(rows[0][0])

    def _shrink(self) -> None:
        """Give some free pages back to the file system."""
        free = int(self._rows("SELECT freelist_count FROM pragma_freelist_count")[0][0])
        if free > SHRINK:
            self._rows(f"PRAGMA incremental_vacuum({min(SHRINK, free - SHRINK)})")

    def _damages(self) -> list[str]:
        """What SQLite's integrity check complains of."""
        return [row[0] for row in self._rows("PRAGMA integrity_check") if row[0] != "ok"]


def _sync_folder(folder: Path) -> None:
    """SQLite syncs the folder for a new WAL, not for a new database file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
