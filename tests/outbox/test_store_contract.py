"""What every store must do, whatever it is made of."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from proxy.errors import OutboxUnavailable
from proxy.outbox.records import MAX_AGES, MAX_BODY, Again, Dead, Held, Priority, Record, Sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    NewRecord: TypeAlias = Callable[..., Record]
    OpenStore: TypeAlias = Callable[..., Any]

NOW = 1_800_000_000.0
LATER = NOW + 1000.0


def keep(store: Any, *records: Record, due: float = NOW) -> None:
    with store.transaction():
        store.add([Held(record, due) for record in records])


def claim(store: Any, now: float = NOW, limit: int = 100) -> list[str]:
    with store.transaction():
        return [held.record.id for held in store.claim(now, limit, now + 60).held]


def settle(store: Any, *outcomes: Any, now: float = NOW) -> Counter[Priority]:
    with store.transaction():
        dropped: Counter[Priority] = store.settle(outcomes, now)
    return dropped


def ids(store: Any, state: Any = None) -> list[str]:
    with store.transaction():
        return [held.record.id for held in store.read(state, 1000)]


def test_a_record_comes_back_as_it_went_in(open_store: OpenStore) -> None:
    record = Record("id", "visitor", Priority.CART, 12.5, '{"é":1}'.encode(), "POST /orders")
    keep(open_store(), record)
    store = open_store()
    with store.transaction():
        [held] = store.claim(NOW, 10, LATER).held
    assert held == Held(record, NOW)


def test_what_was_committed_is_there_after_reopening(open_store: OpenStore, new_record: NewRecord) -> None:
    store = open_store()
    keep(store, new_record(), new_record("w"))
    store.close()
    assert ids(open_store()) == ["r0", "r1"]


def test_an_exception_takes_the_whole_transaction_back(open_store: OpenStore, new_record: NewRecord) -> None:
    store = open_store()

    def fail_after_adding() -> None:
        with store.transaction():
            store.add([Held(new_record())])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_adding()
    assert ids(store) == []


def test_a_closed_store_is_unavailable(open_store: OpenStore) -> None:
    store = open_store()
    store.close()
    with pytest.raises(OutboxUnavailable), store.transaction():
        pass


def test_an_id_that_is_there_already_stays_as_it_is(open_store: OpenStore, new_record: NewRecord) -> None:
    store, record = open_store(), new_record()
    keep(store, record)
    keep(store, record, due=LATER)
    assert ids(store) == ["r0"]
    assert claim(store) == ["r0"]


def test_only_the_oldest_of_a_visitor_is_claimed(open_store: OpenStore, new_record: NewRecord) -> None:
    store = open_store()
    keep(store, new_record("a"), new_record("b"), new_record("a"))
    assert claim(store) == ["r0", "r1"]


def test_order_is_by_creation_even_if_the_older_came_later(
    open_store: OpenStore, new_record: NewRecord
) -> None:
    store = open_store()
    keep(store, new_record("a", created=NOW - 1))
    keep(store, new_record("a", created=NOW - 2))
    assert claim(store) == ["r1"]


def test_a_claimed_visitor_yields_nothing_more(open_store: OpenStore, new_record: NewRecord) -> None:
    store = open_store()
    keep(store, new_record("a"), new_record("a"))
    claim(store)
    assert claim(store) == []


def test_a_claim_that_ran_out_can_be_claimed_again(open_store: OpenStore, new_record: NewRecord) -> None:
    store = open_store()
    keep(store, new_record())
    claim(store)
    assert claim(store, NOW + 61) == ["r0"]


def test_the_next_follows_when_the_head_is_sent(open_store: OpenStore, new_record: NewRecord) -> None:
    store, first = open_store(), new_record()
    keep(store, first, new_record())
    claim(store)
    settle(store, Sent(first))
    assert claim(store) == ["r1"]


def test_a_failed_head_holds_back_its_visitor_and_no_other(
    open_store: OpenStore, new_record: NewRecord
) -> None:
    store, first = open_store(), new_record("bad")
    keep(store, first, new_record("bad"), new_record("good"))
    assert claim(store, limit=1) == ["r0"]
    settle(store, Again(first, LATER, "503"))
    with store.transaction():
        [good] = store.claim(NOW, 10, LATER).held
    settle(store, Sent(good.record))
    assert claim(store, LATER) == ["r0"]


def test_attempts_are_counted_only_where_one_was_made(open_store: OpenStore, new_record: NewRecord) -> None:
    store, record = open_store(), new_record()
    keep(store, record)
    claim(store)
    settle(store, Again(record, NOW, "401", attempted=False))
    claim(store)
    settle(store, Again(record, NOW, "503"))
    with store.transaction():
        [held] = store.claim(NOW, 1, LATER).held
    assert (held.attempts, held.reason) == (1, "503")


def test_a_dead_letter_lets_its_visitor_go_on(open_store: OpenStore, new_record: NewRecord) -> None:
    store, first = open_store(), new_record()
    keep(store, first, new_record())
    claim(store)
    settle(store, Dead(first, "400: no such event"))
    assert claim(store) == ["r1"]
    assert ids(store, "dead") == ["r0"]
    assert ids(store, "waiting") == ["r1"]


def test_a_leased_record_is_left_alone_until_its_lease_ends(
    open_store: OpenStore, new_record: NewRecord
) -> None:
    store = open_store()
    keep(store, new_record(), due=NOW + 5)
    keep(store, new_record())  # the same visitor's: it must not overtake
    with store.transaction():
        claims = store.claim(NOW, 10, LATER)
    assert (claims.held, claims.next_due) == ([], NOW + 5)
    assert claim(store, NOW + 5) == ["r0"]


def test_withdrawing_the_leased_head_frees_what_is_behind_it(
    open_store: OpenStore, new_record: NewRecord
) -> None:
    store = open_store()
    keep(store, new_record(), due=NOW + 5)
    keep(store, new_record())
    with store.transaction():
        store.remove(["r0", "unknown"])
    assert claim(store) == ["r1"]


def test_a_released_lease_is_due_at_once(open_store: OpenStore, new_record: NewRecord) -> None:
    store = open_store()
    keep(store, new_record(), due=NOW + 5)
    with store.transaction():
        store.reschedule(["r0"], NOW)
    assert claim(store) == ["r0"]


def test_settling_what_is_gone_is_no_error(open_store: OpenStore, new_record: NewRecord) -> None:
    store, record = open_store(), new_record()
    keep(store, record)
    claim(store)
    with store.transaction():
        store.remove([record.id])
    for outcome in (Sent(record), Again(record, LATER, ""), Dead(record, "")):
        settle(store, outcome)
    assert ids(store) == []


def test_the_oldest_due_goes_first(open_store: OpenStore, new_record: NewRecord) -> None:
    store = open_store()
    for visitor, due in (("a", NOW - 1), ("b", NOW - 3), ("c", NOW - 2)):
        keep(store, new_record(visitor), due=due)
    assert claim(store, limit=2) == ["r1", "r2"]


def test_a_clock_that_jumped_back_delays_nothing_for_long(
    open_store: OpenStore, new_record: NewRecord
) -> None:
    store = open_store()
    keep(store, new_record(), due=NOW + 365 * 86400)
    with store.transaction():
        store.expire(NOW, {})
    assert claim(store) == ["r0"]


def test_replayed_dead_letters_are_due_with_attempts_forgotten(
    open_store: OpenStore, new_record: NewRecord
) -> None:
    store, one, two = open_store(), new_record("a"), new_record("b")
    keep(store, one, two)
    claim(store)
    settle(store, Dead(one, "400"), Dead(two, "400"))
    with store.transaction():
        assert store.replay(["r1", "unknown"], NOW) == 1
        [held] = store.claim(NOW, 10, LATER).held
    assert (held.record.id, held.attempts, held.dead) == ("r1", 0, False)
    with store.transaction():
        assert store.replay(None, NOW) == 1


@pytest.mark.parametrize(
    ("which", "state", "left"),
    [
        (None, None, []),
        (None, "dead", ["r1"]),
        (None, "waiting", ["r0"]),
        (["r0"], None, ["r1"]),
        (["r0"], "waiting", ["r0", "r1"]),
    ],
)
def test_drop_takes_what_was_named(
    open_store: OpenStore, new_record: NewRecord, which: list[str] | None, state: Any, left: list[str]
) -> None:
    store, one, two = open_store(), new_record("a"), new_record("b")
    keep(store, one, two)
    claim(store)
    settle(store, Dead(one, "400"), Again(two, NOW, ""))
    with store.transaction():
        assert store.drop(which, state) == 2 - len(left)
    assert ids(store) == left


def test_a_forgotten_visitor_is_gone_in_every_state(open_store: OpenStore, new_record: NewRecord) -> None:
    store, dead = open_store(), new_record("secret")
    keep(store, dead, new_record("secret"), new_record("other"))
    claim(store)
    settle(store, Dead(dead, "400"))
    with store.transaction():
        assert store.forget("secret") == 2
    assert ids(store) == ["r2"]


def test_each_priority_expires_at_its_own_age(open_store: OpenStore, new_record: NewRecord) -> None:
    store = open_store()
    for priority in Priority:
        keep(store, new_record(priority.name, priority=priority, created=NOW))
    with store.transaction():
        dropped = store.expire(NOW + MAX_AGES[Priority.VIEW] + 1, MAX_AGES)
    assert dropped == {Priority.VIEW: 1, Priority.CLICK: 1}
    assert ids(store) == ["r0", "r1", "r2"]


def test_dead_letters_are_bounded_and_the_least_worth_goes_first(
    open_store: OpenStore, new_record: NewRecord
) -> None:
    store = open_store(max_dead=2)
    priorities = (Priority.CART, Priority.VIEW, Priority.PURCHASE, Priority.CLICK)
    records = [new_record(priority.name, priority=priority) for priority in priorities]
    keep(store, *records)
    claim(store)
    assert settle(store, *(Dead(record, "400") for record in records)) == {
        Priority.VIEW: 1,
        Priority.CLICK: 1,
    }
    assert ids(store, "dead") == ["r0", "r2"]


def test_status_counts_by_priority_and_state(open_store: OpenStore, new_record: NewRecord) -> None:
    store, dead = open_store(), new_record("a")
    keep(store, dead, new_record("b", priority=Priority.CART), new_record("c"))
    keep(store, new_record("d"), due=LATER)
    assert claim(store, limit=1) == ["r0"]
    settle(store, Dead(dead, "400"))
    with store.transaction():
        status = store.status(NOW)
    assert status.waiting == {"purchase": 0, "cart": 1, "identity": 0, "click": 0, "view": 2}
    assert (status.leased, status.dead, status.oldest) == (1, 1, NOW + 1)
    assert 0 < status.used_bytes <= status.max_bytes


def test_a_body_beyond_the_limit_is_refused_alone(open_store: OpenStore, new_record: NewRecord) -> None:
    store = open_store()
    with store.transaction():
        added = store.add([Held(new_record(size=MAX_BODY + 1)), Held(new_record(size=MAX_BODY))])
    assert added.refused == {"r0"}
    assert ids(store) == ["r1"]


def fill(store: Any, new_record: Any, priority: Priority, count: int) -> tuple[int, Counter[Priority]]:
    """Add records until ``count`` were tried; how many were refused, and what was dropped for them."""
    refused, dropped = 0, Counter[Priority]()
    for _ in range(count // 20):
        with store.transaction():
            added = store.add([Held(new_record(f"v{n}", priority=priority, size=1000)) for n in range(20)])
        refused += len(added.refused)
        dropped += added.dropped
    return refused, dropped


def test_under_the_cap_views_go_first_and_purchases_last(
    open_store: OpenStore, new_record: NewRecord
) -> None:
    store = open_store(max_bytes=1024**2)
    assert fill(store, new_record, Priority.CART, 100) == (0, Counter())
    assert fill(store, new_record, Priority.VIEW, 200) == (0, Counter())
    refused, dropped = fill(store, new_record, Priority.PURCHASE, 1000)
    assert refused == 0
    assert dropped[Priority.VIEW] == 200
    assert dropped[Priority.CART] == 100
    assert dropped[Priority.PURCHASE] > 0  # the oldest of its own kind: news is worth more
    with store.transaction():
        status = store.status(NOW)
    assert status.used_bytes <= 1024**2
    assert status.waiting["purchase"] + dropped[Priority.PURCHASE] == 1000


def test_a_view_finds_no_room_among_purchases(open_store: OpenStore, new_record: NewRecord) -> None:
    store = open_store(max_bytes=512 * 1024)
    fill(store, new_record, Priority.PURCHASE, 1000)
    with store.transaction():
        before = store.status(NOW).waiting["purchase"]
    refused, dropped = fill(store, new_record, Priority.VIEW, 500)
    with store.transaction():
        waiting = store.status(NOW).waiting
    assert waiting["purchase"] == before
    assert waiting["view"] == 500 - refused - dropped[Priority.VIEW] < 500


def test_a_record_that_is_being_sent_is_not_dropped_for_room(
    open_store: OpenStore, new_record: NewRecord
) -> None:
    store = open_store(max_bytes=512 * 1024)
    keep(store, new_record("sending"))
    claim(store)
    fill(store, new_record, Priority.VIEW, 1000)
    assert "r0" in ids(store)
