"""The outbox in one SQLite file, which belongs to one worker."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from proxy.outbox.file import SQLiteFile
from proxy.outbox.records import (
    MAX_BODY,
    Added,
    Again,
    Claims,
    Dead,
    Held,
    Losses,
    Outcome,
    Priority,
    Record,
    Sent,
    State,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MAX_BYTES: Final = 1024**3
"""Disk cap of one worker's file: about a million views. Four workers hold an hour of 1,000
events a second."""

MAX_DEAD: Final = 10_000
"""Dead letters kept: more than anyone will read; the least worth go first."""

ROW_OVERHEAD: Final = 512
"""Bytes of the file that a record takes beside its body: id and visitor in the row and three indexes."""

EVICTION: Final = 256
"""Records dropped at a time when the cap is reached, so that space is measured once for many."""

EXPIRY: Final = 2_000
"""Records of one kind dropped by age in one transaction: commits behind it wait milliseconds."""

HORIZON: Final = 86400.0
"""Seconds ahead of which nothing can be due unless the clock jumped: such lanes are due at once."""

INSERTS: Final = (64, 16, 4, 1)
"""Rows of one INSERT. Few sizes, so that the statement cache knows them; many rows, because every
statement takes the interpreter's lock from the event loop and gives it back."""

_COLUMNS: Final = "id, visitor, priority, created, target, body, due, attempts, dead, reason"
_INSERT: Final = {
    rows: f"INSERT INTO records ({_COLUMNS}) VALUES {', '.join(['(?,?,?,?,?,?,?,?,?,?)'] * rows)}"  # noqa: S608 -- constants
    " ON CONFLICT (id) DO NOTHING"
    for rows in INSERTS
}
_IDS: Final = "id IN (SELECT value FROM json_each(?))"
_UNCLAIMED: Final = "visitor NOT IN (SELECT value FROM json_each(?))"

_HEADS: Final = f"""
    SELECT {_COLUMNS} FROM (SELECT key AS place, value AS wanted FROM json_each(?))
    JOIN records ON seq = (
        SELECT seq FROM records WHERE visitor = wanted AND dead = 0 ORDER BY created, seq LIMIT 1
    ) ORDER BY place
"""  # noqa: S608 -- constants


class SQLiteStore(SQLiteFile):
    """A ``Store`` in one file; see ``store.py`` for what its methods promise.

    Args:
        path: the file; its folder exists.
        owner: whether this is the file's worker, which may create and migrate it, and alone claims from
            it. Others (the command line) only look, replay and take things out.
        max_bytes: disk cap, as SQLite counts its pages in use.
        max_dead: dead letters kept.
        vfs: the name of a registered SQLite VFS, for tests that cut the power.

    Raises:
        OutboxUnavailable: the file can't be opened.
    """

    def __init__(
        self,
        path: Path,
        *,
        owner: bool = True,
        max_bytes: int = MAX_BYTES,
        max_dead: int = MAX_DEAD,
        vfs: str | None = None,
    ) -> None:
        super().__init__(path, owner=owner, max_bytes=max_bytes, vfs=vfs)
        self._max_dead = max_dead
        self._claims: dict[str, float] = {}
        """Until when whose lane is claimed. In memory only: the file has one owner, whose claims die
        with it, and a claim that is not written costs no fsync."""

    def add(self, held: Sequence[Held]) -> Added:
        """Insert, worthiest first where the cap is reached."""
        added = Added()
        fitting = []
        for one in held:
            if len(one.record.body) > MAX_BODY:
                added.refused.add(one.record.id)
            else:
                fitting.append(one)
        if self._room(fitting):
            self._insert(fitting)
            return added
        for priority in Priority:
            group = [one for one in fitting if one.record.priority == priority]
            if not group:
                continue
            if self._make_room(group, priority, added.dropped):
                self._insert(group)
            else:
                added.refused.update(one.record.id for one in group)
        return added

    def _insert(self, held: Sequence[Held]) -> None:
        database = self._open_database()
        done = 0
        for rows in INSERTS:
            while len(held) - done >= rows:
                values: list[Any] = []
                for one in held[done : done + rows]:
                    values += _row(one)
                database.execute(_INSERT[rows], values)
                done += rows

    def _room(self, held: Sequence[Held]) -> bool:
        need = sum(len(one.record.body) + ROW_OVERHEAD for one in held)
        return self._used_pages() + -(-need // self._page_size) <= self._max_pages

    def _make_room(self, held: Sequence[Held], priority: Priority, dropped: Losses) -> bool:
        for victim in sorted(Priority, reverse=True):
            if victim < priority:
                break
            for dead in (1, 0):
                while not self._room(held):
                    gone = self._change(
                        "DELETE FROM records WHERE seq IN (SELECT seq FROM records"  # noqa: S608 -- constants
                        f" WHERE priority = ? AND dead = ? AND {_UNCLAIMED} ORDER BY created LIMIT ?)",
                        (victim, dead, self._claimed(), EVICTION),
                    )
                    if gone == 0:
                        break
                    dropped[victim] += gone
        return self._room(held)

    def remove(self, ids: Iterable[str]) -> None:
        """Delete by id."""
        self._change(f"DELETE FROM records WHERE {_IDS}", (_json(ids),))  # noqa: S608 -- constants

    def reschedule(self, ids: Iterable[str], due: float) -> None:
        """Set ``due``; the lanes follow by trigger."""
        self._change(f"UPDATE records SET due = ? WHERE dead = 0 AND {_IDS}", (due, _json(ids)))  # noqa: S608 -- constants

    def claim(self, now: float, limit: int, until: float) -> Claims:
        """Choose the lanes that are due, then read their heads in one statement; nothing is written."""
        self._claims = {visitor: end for visitor, end in self._claims.items() if end > now}
        lanes = self._rows(
            f"SELECT visitor FROM lanes WHERE due <= ? AND {_UNCLAIMED} ORDER BY due, visitor LIMIT ?",  # noqa: S608 -- constants
            (now, self._claimed(), limit),
        )
        visitors = [visitor for (visitor,) in lanes]
        self._claims.update(dict.fromkeys(visitors, until))
        next_due = self._next_due() if len(visitors) < limit else None
        if not visitors:
            return Claims([], next_due)
        heads = self._rows(_HEADS, (_json(visitors),))
        return Claims([_held(row) for row in heads], next_due)

    def _claimed(self) -> str:
        return _json(self._claims)

    def _next_due(self) -> float | None:
        rows = self._rows(
            f"SELECT due FROM lanes WHERE {_UNCLAIMED} ORDER BY due LIMIT 1",  # noqa: S608 -- constants
            (self._claimed(),),
        )
        return float(rows[0][0]) if rows else None

    def settle(self, outcomes: Sequence[Outcome], now: float) -> Losses:
        """Delete, reschedule or bury; the lanes are free again."""
        sent = [outcome.record.id for outcome in outcomes if isinstance(outcome, Sent)]
        if sent:
            self.remove(sent)
        dropped: Losses = Counter()
        for outcome in outcomes:
            match outcome:
                case Again(record, due, reason, attempted):
                    self._change(
                        "UPDATE records SET due = ?, attempts = attempts + ?, reason = ?"
                        " WHERE id = ? AND dead = 0",
                        (due, int(attempted), reason, record.id),
                    )
                case Dead(record, reason):
                    self._change(
                        "UPDATE records SET dead = 1, due = ?, attempts = attempts + 1, reason = ?"
                        " WHERE id = ? AND dead = 0",
                        (now, reason, record.id),
                    )
                    dropped += self._trim_dead()
        for outcome in outcomes:
            self._claims.pop(outcome.record.visitor, None)
        return dropped

    def _trim_dead(self) -> Losses:
        dropped: Losses = Counter()
        counts = dict(self._rows("SELECT priority, count(*) FROM records WHERE dead = 1 GROUP BY priority"))
        excess = sum(counts.values()) - self._max_dead
        for priority in sorted(Priority, reverse=True):
            if excess <= 0:
                break
            gone = self._change(
                "DELETE FROM records WHERE seq IN (SELECT seq FROM records"
                " WHERE priority = ? AND dead = 1 ORDER BY created LIMIT ?)",
                (priority, excess),
            )
            dropped[priority] += gone
            excess -= gone
        return +dropped

    def expire(self, now: float, ages: Mapping[Priority, float]) -> Losses:
        """Delete by age, mend what a jumping clock left, vacuum a little."""
        dropped: Losses = Counter()
        for priority, age in ages.items():
            for dead in (1, 0):
                dropped[priority] += self._change(
                    "DELETE FROM records WHERE seq IN (SELECT seq FROM records"  # noqa: S608 -- constants
                    f" WHERE priority = ? AND dead = ? AND created < ? AND {_UNCLAIMED}"
                    " ORDER BY created LIMIT ?)",
                    (priority, dead, now - age, self._claimed(), EXPIRY),
                )
        self._change(
            "UPDATE records SET due = ? WHERE dead = 0 AND visitor IN"
            " (SELECT visitor FROM lanes WHERE due > ?)",
            (now, now + HORIZON),
        )
        self._shrink()
        return +dropped

    def status(self, now: float) -> Status:
        """Count; a scan of one index."""
        counts = dict(self._rows("SELECT priority, count(*) FROM records WHERE dead = 0 GROUP BY priority"))
        dead, oldest = self._rows(
            "SELECT coalesce(sum(dead), 0), min(CASE WHEN dead = 0 THEN created END) FROM records"
        )[0]
        leased = self._rows("SELECT count(*) FROM lanes WHERE due > ?", (now,))[0][0]
        return Status(
            waiting={priority.name.lower(): counts.get(priority, 0) for priority in Priority},
            leased=leased,
            dead=dead,
            oldest=oldest,
            used_bytes=self._used_pages() * self._page_size,
            max_bytes=self._max_bytes,
        )

    def read(self, state: State | None, limit: int) -> list[Held]:
        """The oldest records; sorts, so not for the hot path."""
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM records WHERE dead IN (?, ?) ORDER BY created, seq LIMIT ?",  # noqa: S608 -- constants
            (*_dead(state), limit),
        )
        return [_held(row) for row in rows]

    def replay(self, ids: Sequence[str] | None, now: float) -> int:
        """Bring dead letters back into their lanes, at their old place."""
        which, bindings = _which(ids)
        return self._change(
            f"UPDATE records SET dead = 0, due = ?, attempts = 0 WHERE dead = 1{which}",  # noqa: S608 -- constants
            (now, *bindings),
        )

    def drop(self, ids: Sequence[str] | None, state: State | None) -> int:
        """Delete by id and state."""
        which, bindings = _which(ids)
        return self._change(f"DELETE FROM records WHERE dead IN (?, ?){which}", (*_dead(state), *bindings))  # noqa: S608 -- constants

    def forget(self, visitor: str) -> int:
        """Delete a visitor's rows and zero the bytes that they took, in the file and in the WAL."""
        with self._erasing():
            return self._change("DELETE FROM records WHERE visitor = ?", (visitor,))

    def is_empty(self) -> bool:
        """Whether nothing is left in the file, dead letters included."""
        return not self._rows("SELECT 1 FROM records LIMIT 1")

    def check(self) -> list[str]:
        """What SQLite's integrity check and the lanes' own rule complain of; empty when all is well."""
        wrong = self._rows(
            "SELECT visitor FROM records WHERE dead = 0 GROUP BY visitor HAVING visitor NOT IN"
            " (SELECT visitor FROM lanes) UNION ALL SELECT visitor FROM lanes WHERE due IS NOT (SELECT due"
            " FROM records WHERE visitor = lanes.visitor AND dead = 0 ORDER BY created, seq LIMIT 1)"
        )
        return self._damages() + [f"lane of {visitor} does not follow its head" for (visitor,) in wrong]


def _json(values: Iterable[str]) -> str:
    return msgspec.json.encode(list(values)).decode()


def _dead(state: State | None) -> tuple[int, int]:
    return {"waiting": (0, 0), "dead": (1, 1), None: (0, 1)}[state]


def _which(ids: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if ids is None else (f" AND {_IDS}", (_json(ids),))


def _row(held: Held) -> tuple[Any, ...]:
    record = held.record
    return (
        record.id,
        record.visitor,
        int(record.priority),
        record.created,
        record.target,
        record.body,
        held.due,
        held.attempts,
        int(held.dead),
        held.reason,
    )


def _held(row: tuple[Any, ...]) -> Held:
    id_, visitor, priority, created, target, body, due, attempts, dead, reason = row
    record = Record(id_, visitor, Priority(priority), created, body, target)
    return Held(record, due, attempts, bool(dead), reason)
