"""What an import has done: so that it goes on where Ctrl-C, a crash or ``kill -9`` ended it.

One SQLite file for one import: its name is a digest of the files' content, of how they are read, of what
is done with them and where they go, so that nothing else is ever gone on with. Items are known by their
place in the files. Before a batch is sent it is noted that it is; with its answer, in one transaction,
that it is done and what was refused of it. So a kill at any moment leaves each item done, not done, or
under way, of which nobody knows: these are sent once more.
"""

from __future__ import annotations

import fcntl
import os
from bisect import bisect_right
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

import apsw

from proxy.journal import JournalFile, JournalInUse, JournalUnusable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

VERSION: Final = 1
"""Of the tables, in SQLite's user_version."""

PAGE: Final = 1_000
"""Rows read from the file at a time."""

_TABLES: Final = """
    CREATE TABLE bad (item INTEGER PRIMARY KEY, reason TEXT NOT NULL);       -- never sent
    CREATE TABLE refused (item INTEGER PRIMARY KEY, reason TEXT NOT NULL);   -- by the API
    CREATE TABLE batches (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, done INTEGER NOT NULL);
"""


class Span(NamedTuple):
    """Items from ``first`` to ``last``, both among them."""

    first: int
    last: int


class Journal(JournalFile):
    """The journal of one import.

    Args:
        path: its file, made where there is none; None keeps it beside nothing, for a dry run.

    Raises:
        JournalUnusable: see there.
    """

    def __init__(self, path: Path | None) -> None:
        with ExitStack() as stack:
            if path is not None:
                stack.enter_context(_locked(path.with_name(f"{path.name}-lock")))
            # SQLite's "" is a temporary database, which goes to the disk only when it grows.
            connect = partial(apsw.Connection, "" if path is None else str(path))
            super().__init__(path, connect, tables=_TABLES, version=VERSION)
            stack.callback(self._database.close)
            self._done = Spans(self._spans(done=True))
            self._begun = Spans(self._spans(done=False))
            self._opened = stack.pop_all()

    def close(self) -> None:
        """Closes the file and lets its lock go; what was done is in it."""
        self._opened.close()

    def remove(self) -> None:
        """Throws it away: its import is at its end, or begins anew."""
        self._database.close()
        if self._path is not None:  # the lock file goes last, while it is held
            for suffix in ("", "-wal", "-shm", "-lock"):
                self._path.with_name(f"{self._path.name}{suffix}").unlink(missing_ok=True)
        self._opened.close()

    @property
    def items(self) -> int:
        """How many items there are, as ``note_items`` has it."""
        return int(self._get("items") or 0)

    @contextmanager
    def checking(self) -> Iterator[None]:
        """One transaction around all that is noted while the files are read: it is whole or not there."""
        with self._writing():
            self._database.execute("DELETE FROM bad")
            yield

    def note_bad(self, bad: Sequence[tuple[int, str]]) -> None:
        """Notes items that can't be sent; the first reason for each counts."""
        self._database.executemany("INSERT OR IGNORE INTO bad VALUES (?, ?)", bad)

    def note_items(self, count: int) -> None:
        """Notes how many items there are: the files were read to their end."""
        self._set("items", str(count))

    def bad(self) -> Iterator[tuple[int, str]]:
        """Items that can't be sent, in order."""
        return self._pages("SELECT item, reason FROM bad")

    def failed(self) -> Iterator[tuple[int, str]]:
        """Items that can't be sent, and those that the API refused; in order."""
        return self._pages("SELECT item, reason FROM (SELECT * FROM bad UNION ALL SELECT * FROM refused)")

    def counts(self) -> tuple[int, int]:
        """(items that can't be sent, items that the API refused)."""
        row: Any = self._database.execute(
            "SELECT (SELECT count(*) FROM bad), (SELECT count(*) FROM refused)"
        ).fetchone()
        return row[0], row[1]

    def begin(self, span: Span) -> None:
        """A batch is about to be sent."""
        with self._writing():
            self._database.execute(
                "INSERT INTO batches VALUES (?, ?, 0) ON CONFLICT (first)"
                " DO UPDATE SET last = max(last, excluded.last), done = 0",
                span,
            )

    def done(self, span: Span, refused: Sequence[tuple[int, str]]) -> None:
        """A batch was answered, and this was refused of it."""
        with self._writing():
            self._database.executemany("INSERT OR REPLACE INTO refused VALUES (?, ?)", refused)
            self._database.execute("INSERT OR REPLACE INTO batches VALUES (?, ?, 1)", span)

    def is_done(self, item: int) -> bool:
        """Whether it was dealt with in an earlier run."""
        return item in self._done

    def is_begun(self, item: int) -> bool:
        """Whether an earlier run was sending it when it ended."""
        return item in self._begun

    @property
    def reached(self) -> int:
        """How many items an earlier run has dealt with; bad ones between them count, too."""
        return len(self._done)

    @property
    def any_done(self) -> bool:
        """Whether an earlier run has sent anything."""
        return bool(self._done) or bool(self._begun)

    def _spans(self, *, done: bool) -> list[Span]:
        query = "SELECT first, last FROM batches WHERE done = ? ORDER BY first"
        return [Span(*row) for row in self._database.execute(query, (int(done),))]

    def _pages(self, select: str) -> Iterator[tuple[int, str]]:
        """Rows in the items' order, a page at a time: what is written meanwhile disturbs no reading."""
        last = -1
        while True:
            query = f"{select} WHERE item > ? ORDER BY item LIMIT {PAGE}"
            rows: Any = self._database.execute(query, (last,)).fetchall()
            if not rows:
                return
            yield from rows
            last = rows[-1][0]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds a lock file, which the kernel lets go however its process ends.

    Raises:
        JournalInUse: another one holds it.
        JournalUnusable: it can't be made.
    """
    while True:
        try:
            file = path.open("a")
        except OSError as error:
            raise JournalUnusable(f"{path} can't be made: {(error.strerror or '').lower()}") from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise JournalInUse("another import of these files is running") from None
            # Its holder may have removed it before it let it go: then the name means another file.
            if _is_there(path, file):
                yield
                return


def _is_there(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


class Spans:
    """A set of places, as spans that don't touch.

    Args:
        spans: in the order of their beginnings; they may overlap.
    """

    def __init__(self, spans: Iterable[Span]) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in spans:
            if self._lasts and first <= self._lasts[-1] + 1:
                self._lasts[-1] = max(self._lasts[-1], last)
            else:
                self._firsts.append(first)
                self._lasts.append(last)

    def __contains__(self, place: object) -> bool:
        assert isinstance(place, int)
        at = bisect_right(self._firsts, place) - 1
        return at >= 0 and place <= self._lasts[at]

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in zip(self._firsts, self._lasts, strict=True))
