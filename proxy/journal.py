"""What a long run has done, in one SQLite file: so that it goes on where Ctrl-C or ``kill -9`` ended it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

import apsw

from proxy.errors import ProxyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BUSY_MILLISECONDS: Final = 1_000
"""For a run that just ends to let the file go."""

# locking_mode=EXCLUSIVE  one run at a time: two would do everything twice
# synchronous=NORMAL      a kill loses nothing; a power cut the last moments, which are done once more
_PRAGMAS: Final = """
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
"""

_STATE: Final = "CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"


class JournalUnusable(ProxyError):
    """The file can't be opened or written, or belongs to another program."""


class JournalInUse(JournalUnusable):
    """Another run uses it: both would do everything."""


class JournalFile:
    """The file beneath the journal of an import or of a crawl.

    Args:
        path: its name in messages; None where nobody will ask for it.
        connect: opens it, or what stands for it in a dry run.
        tables: SQL that makes what it holds beside ``_get`` and ``_set``.
        version: of the tables, in SQLite's user_version.

    Raises:
        JournalUnusable: see there.
    """

    def __init__(
        self, path: Path | None, connect: Callable[[], apsw.Connection], *, tables: str, version: int
    ) -> None:
        self._path = path
        with ExitStack() as stack:
            with self._failures():
                self._database = connect()
                stack.callback(self._database.close)
                self._database.set_busy_timeout(BUSY_MILLISECONDS)
                self._database.execute(_PRAGMAS).fetchall()
            with self._writing():
                found = self._database.pragma("user_version")
                if found == 0 and self._database.pragma("schema_version") == 0:
                    self._database.execute(f"{_STATE} {tables} PRAGMA user_version = {version}").fetchall()
                elif found != version:
                    raise JournalUnusable(f"{path} is no journal of this version")
            stack.pop_all()

    def close(self) -> None:
        """Closes the file; what was done is in it."""
        self._database.close()

    def _get(self, key: str) -> str | None:
        """What was noted under a key."""
        row: Any = self._database.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _set(self, key: str, value: str | None) -> None:
        self._database.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, value))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction."""
        with self._failures():
            self._database.execute("BEGIN")
            try:
                yield
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:  # a disk that is full has ended it already
                    self._database.execute("ROLLBACK")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """What SQLite reports, as errors that callers know."""
        try:
            yield
        except apsw.BusyError:
            raise JournalInUse(f"{self._path} is in use by another run") from None
        except apsw.FullError:
            raise JournalUnusable(f"{self._path} can't be written: its disk is full") from None
        except apsw.Error as error:
            raise JournalUnusable(f"{self._path} can't be used: {error}") from None
