"""Any history of commits, leases, claims, outcomes and restarts, against a model in plain Python."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from proxy.outbox.records import Again, Dead, Held, Priority, Record, Sent
from proxy.outbox.sqlite import SQLiteStore

VISITORS = ("a", "b", "c")
NOW = 1_800_000_000.0
CLAIM = 60.0


class Kept:
    """The model's record."""

    def __init__(self, record: Record, due: float, arrived: int) -> None:
        self.record = record
        self.due = due
        self.place = (record.created, arrived)
        self.dead = False


class OutboxHistory(RuleBasedStateMachine):
    """Subclasses say which store; the rules know only the contract."""

    def open_store(self) -> Any:
        raise NotImplementedError

    @initialize()
    def start(self) -> None:
        self.now = NOW
        self.store = self.open_store()
        self.model: dict[str, Kept] = {}
        self.claimed: dict[str, Record] = {}  # by visitor
        self.claim_ends: dict[str, float] = {}
        self.count = 0
        self.finished: dict[str, list[tuple[float, int]]] = {visitor: [] for visitor in VISITORS}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    def lane(self, visitor: str) -> list[Kept]:
        kept = (one for one in self.model.values() if one.record.visitor == visitor and not one.dead)
        return sorted(kept, key=lambda one: one.place)

    @rule(
        visitors=st.lists(st.sampled_from(VISITORS), min_size=1, max_size=20),
        lease=st.sampled_from([0, 0, 5]),
    )
    def commit(self, visitors: list[str], lease: float) -> None:
        records = []
        for visitor in visitors:
            self.count += 1
            record = Record(f"r{self.count}", visitor, Priority.VIEW, self.now, b"{}")
            self.model[record.id] = Kept(record, self.now + lease, self.count)
            records.append(record)
        with self.store.transaction():
            added = self.store.add([Held(record, self.now + lease) for record in records])
        assert not added.refused
        assert not added.dropped

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def withdraw(self, data: Any) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.model)))
        with self.store.transaction():
            self.store.remove([id_])
        del self.model[id_]

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        with self.store.transaction():
            claims = self.store.claim(self.now, limit, self.now + CLAIM)
        ready = [
            lane[0].record.id
            for visitor in VISITORS
            if (lane := self.lane(visitor))
            and lane[0].due <= self.now
            and self.claim_ends.get(visitor, 0) <= self.now
        ]
        got = [held.record.id for held in claims.held]
        assert set(got) <= set(ready), "not the head of a free lane, or not due"
        assert len(got) == min(limit, len(ready)), "something that was due was left"
        for held in claims.held:
            self.claimed[held.record.visitor] = held.record
            self.claim_ends[held.record.visitor] = self.now + CLAIM
        if len(got) < limit:
            waiting = [
                lane[0].due
                for visitor in VISITORS
                if (lane := self.lane(visitor)) and self.claim_ends.get(visitor, 0) <= self.now
            ]
            assert claims.next_due == (min(waiting) if waiting else None)

    @precondition(lambda self: self.claimed)
    @rule(
        data=st.data(), how=st.sampled_from(["sent", "again", "dead"]), wait=st.sampled_from([0.0, 3.0, 90.0])
    )
    def settle(self, data: Any, how: str, wait: float) -> None:
        visitor = data.draw(st.sampled_from(sorted(self.claimed)))
        record = self.claimed.pop(visitor)
        self.claim_ends.pop(visitor, None)
        outcome: Any = Sent(record)
        if how == "again":
            outcome = Again(record, self.now + wait, "503")
        elif how == "dead":
            outcome = Dead(record, "400")
        with self.store.transaction():
            self.store.settle([outcome], self.now)
        kept = self.model.get(record.id)
        if kept is None or kept.dead:  # withdrawn meanwhile
            return
        if how == "sent":
            del self.model[record.id]
        elif how == "again":
            kept.due = self.now + wait
        else:
            kept.dead = True
            kept.due = self.now

    @rule(data=st.data())
    def replay(self, data: Any) -> None:
        dead = [id_ for id_, kept in self.model.items() if kept.dead]
        chosen = data.draw(st.lists(st.sampled_from(sorted(dead)), unique=True)) if dead else []
        with self.store.transaction():
            assert self.store.replay(chosen, self.now) == len(chosen)
        for id_ in chosen:
            self.model[id_].dead = False
            self.model[id_].due = self.now

    @rule(visitor=st.sampled_from(VISITORS))
    def forget(self, visitor: str) -> None:
        gone = [id_ for id_, kept in self.model.items() if kept.record.visitor == visitor]
        with self.store.transaction():
            assert self.store.forget(visitor) == len(gone)
        for id_ in gone:
            del self.model[id_]

    @rule(seconds=st.sampled_from([0.5, 5.0, 100.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = self.open_store()
        self.claimed.clear()
        self.claim_ends.clear()

    @invariant()
    def the_store_holds_what_the_model_holds(self) -> None:
        if not hasattr(self, "store"):
            return
        for state, dead in (("waiting", False), ("dead", True)):
            with self.store.transaction():
                held = self.store.read(state, 1000)
            wanted = sorted(
                (kept for kept in self.model.values() if kept.dead == dead), key=lambda one: one.place
            )
            assert [(one.record, one.due) for one in held] == [(one.record, one.due) for one in wanted]


class SQLiteHistory(OutboxHistory):
    def open_store(self) -> SQLiteStore:
        if not hasattr(self, "folder"):
            self.folder = tempfile.TemporaryDirectory()
        return SQLiteStore(Path(self.folder.name) / "model.sqlite3")

    def teardown(self) -> None:
        if hasattr(self, "store"):
            with self.store.transaction():
                assert self.store.check() == []
        super().teardown()
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestSQLiteHistory = SQLiteHistory.TestCase
TestSQLiteHistory.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
