"""What is remembered of each visitor's cart, in one SQLite file for all workers of a state folder.

A visitor's requests may be served by any worker, and what a cart page shows is known only when the
response's head, and so any cookie, has long left: so it is a file. It may be lost without harm, since the
cart page tells it again; so nothing waits for the disk to be sure.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import apsw
import msgspec

from proxy.capture.model import Memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from proxy.capture.model import Told

MAX_VISITORS: Final = 200_000
"""Visitors that are remembered, the one seen longest ago forgotten first: some 200 bytes each."""

MAX_AGE: Final = 30 * 86400
"""Seconds after which an untouched cart is forgotten: few shops keep theirs longer."""

SWEEP: Final = 1_000
"""Updates between two looks at what is too old or too much."""

BUSY_MS: Final = 500
"""Milliseconds to wait for another worker's update: each takes well under one, but for an fsync now and
then. A visitor waits for them, so after that the event is given up."""

OPENINGS: Final = 10
"""Times that a file is tried within BUSY_MS while another worker makes it."""

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS visitors (
        visitor TEXT PRIMARY KEY,
        seen    INTEGER NOT NULL,   -- Unix seconds
        memory  BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS visitors_by_age ON visitors (seen);
"""

_READ: Final = "SELECT memory FROM visitors WHERE visitor = ?"


class Carts:
    """The file. It is opened at the first need, and again after it failed.

    Args:
        path: of the file.
        clock: Unix seconds.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._connection: apsw.Connection | None = None
        self._updates = 0
        # SQLite's calls block, and one connection is one thread's.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="carts")

    async def update(self, visitor: str, tell: Callable[[Memory], Told]) -> Told:
        """Tells what a visitor did from what is known, and keeps what is known afterwards.

        Nobody else updates the same visitor meanwhile, in whichever worker.

        Raises:
            OSError: the file can't be used.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._update, visitor, tell)

    async def forget(self, visitor: str) -> bool:
        """Erases a visitor; whether there was anything.

        Raises:
            OSError: the file can't be used.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._forget, visitor)

    async def aclose(self) -> None:
        """Lets go of the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _update(self, visitor: str, tell: Callable[[Memory], Told]) -> Told:
        try:
            connection = self._open()
            # At once, for a transaction that reads before it writes would find that another worker wrote.
            connection.execute("BEGIN IMMEDIATE")
            try:
                known = connection.execute(_READ, (visitor,)).fetchone()
                before = _decode(known[0]) if known else Memory()
                told = tell(before)
                if told.memory != before:
                    self._keep(connection, visitor, told.memory)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except apsw.Error as error:
            self._close()
            raise OSError(f"{self._path.name} can't be used: {error}") from error
        return told

    def _keep(self, connection: apsw.Connection, visitor: str, memory: Memory) -> None:
        now = int(self._clock())
        connection.execute(
            "INSERT OR REPLACE INTO visitors VALUES (?, ?, ?)", (visitor, now, msgspec.msgpack.encode(memory))
        )
        self._updates += 1
        if self._updates % SWEEP == 1:
            connection.execute("DELETE FROM visitors WHERE seen < ?", (now - MAX_AGE,))
            connection.execute(
                "DELETE FROM visitors WHERE visitor IN"
                " (SELECT visitor FROM visitors ORDER BY seen DESC LIMIT -1 OFFSET ?)",
                (MAX_VISITORS,),
            )

    def _forget(self, visitor: str) -> bool:
        if not self._path.exists():
            return False
        try:
            connection = self._open()
            connection.execute("DELETE FROM visitors WHERE visitor = ?", (visitor,))
            gone = bool(connection.changes())
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except apsw.Error as error:
            self._close()
            raise OSError(f"{self._path.name} can't be used: {error}") from error
        return gone

    def _open(self) -> apsw.Connection:
        if self._connection is None:
            connection = apsw.Connection(str(self._path))
            connection.set_busy_timeout(BUSY_MS)
            _begin_log(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(_SCHEMA)
            self._connection = connection
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _begin_log(connection: apsw.Connection) -> None:
    """Has a new file keep a write-ahead log; of two who come first, SQLite lets neither wait."""
    for _ in range(OPENINGS):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except apsw.BusyError:
            time.sleep(BUSY_MS / 1000 / OPENINGS)
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")


def _decode(raw: bytes) -> Memory:
    """What was kept; nothing, where an older or newer version of us wrote it in another way."""
    try:
        return msgspec.msgpack.decode(raw, type=Memory)
    except msgspec.DecodeError:
        return Memory()
