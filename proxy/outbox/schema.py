"""The SQLite schema of the outbox, and how an older file becomes a current one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import apsw

_HEAD: Final = """
    SELECT due FROM records WHERE visitor = {row}.visitor AND dead = 0 ORDER BY created, seq LIMIT 1
"""

# A lane is due when its head is. Triggers keep that true whoever writes: the relay, a withdrawal, an
# eviction or the command line. They also save the writer thread from taking the interpreter's lock
# once per statement.
_LANE_FOLLOWS: Final = """
    DELETE FROM lanes WHERE visitor = {row}.visitor
        AND NOT EXISTS (SELECT 1 FROM records WHERE visitor = {row}.visitor AND dead = 0);
    INSERT INTO lanes (visitor, due)
        SELECT {row}.visitor, 0
        WHERE EXISTS (SELECT 1 FROM records WHERE visitor = {row}.visitor AND dead = 0)
        AND NOT EXISTS (SELECT 1 FROM lanes WHERE visitor = {row}.visitor);
    UPDATE lanes SET due = ({head}) WHERE visitor = {row}.visitor;
"""


def _trigger(name: str, event: str, row: str, when: str) -> str:
    body = _LANE_FOLLOWS.format(row=row, head=_HEAD.format(row=row).strip())
    return f"CREATE TRIGGER {name} AFTER {event} ON records WHEN {when} BEGIN {body} END;"


_FIRST: Final = f"""
    CREATE TABLE records (
        seq      INTEGER PRIMARY KEY,   -- order of arrival, where ``created`` is equal
        id       TEXT NOT NULL UNIQUE,
        visitor  TEXT NOT NULL,
        priority INTEGER NOT NULL,
        created  REAL NOT NULL,
        target   TEXT NOT NULL,
        body     BLOB NOT NULL,
        due      REAL NOT NULL,         -- end of the lease or back-off, Unix seconds
        attempts INTEGER NOT NULL,
        dead     INTEGER NOT NULL,
        reason   TEXT NOT NULL
    ) STRICT;
    CREATE INDEX records_in_lane ON records (visitor, dead, created, seq);
    CREATE INDEX records_by_worth ON records (priority, dead, created);
    CREATE TABLE lanes (
        visitor TEXT PRIMARY KEY,
        due     REAL NOT NULL   -- of its head
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX lanes_by_due ON lanes (due);
    {_trigger("record_came", "INSERT", "new", "new.dead = 0")}
    {_trigger("record_went", "DELETE", "old", "old.dead = 0")}
    {_trigger("record_changed", "UPDATE OF due, dead", "new", "TRUE")}
"""

MIGRATIONS: Final = (_FIRST,)
"""Step n brings a file from version n to n + 1. Steps are added, never changed: files live on."""

VERSION: Final = len(MIGRATIONS)


class VersionMismatch(ValueError):
    """The file's schema is not this program's; version 0 has none yet, and so no records."""

    def __init__(self, version: int) -> None:
        super().__init__(f"its schema is version {version}, this program knows {VERSION}")
        self.version = version


def migrate(database: apsw.Connection) -> None:
    """Bring the file to this version, in one transaction.

    Raises:
        VersionMismatch: a later version of the program wrote it.
    """
    database.execute("BEGIN IMMEDIATE")
    version = database.pragma("user_version")
    if version > VERSION:
        raise VersionMismatch(version)
    for step in MIGRATIONS[version:]:
        database.execute(step)
    if version < VERSION:
        database.pragma("user_version", VERSION)
    database.execute("COMMIT")
