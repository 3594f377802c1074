"""What is remembered stays within its limits, and is what was put there."""

from __future__ import annotations

from sys import getsizeof

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.remember import ENTRY_OVERHEAD, SECOND_CHANCES, Recent, Remembered, Sights


def test_a_recent_memory_stays_small() -> None:
    recent: Recent[int, int] = Recent(4)
    for key in range(100):
        recent.keep(key, key)
    assert dict(recent) == {96: 96, 97: 97, 98: 98, 99: 99}


def test_what_comes_once_is_not_remembered() -> None:
    recent: Recent[bytes, int] = Recent(64)
    assert [recent.again(b"a"), recent.again(b"a"), recent.again(b"b")] == [False, True, False]


def test_the_last_half_of_the_keys_is_always_known_and_no_more_than_all() -> None:
    sights = Sights(100)
    for key in range(1000):
        assert not sights.again(key)
        if key >= 50:
            assert sights.again(key - 50)
    assert sum(map(sights.again, range(850))) == 0


def test_a_key_is_never_known_before_it_came() -> None:
    sights = Sights(16)
    assert not any(sights.again(key) for key in range(1, 1000))


def test_100_000_entries_stay_within_the_limit() -> None:
    kept: Remembered[tuple[int, bytes], bytes] = Remembered(1_000_000)
    for number in range(100_000):
        kept.put((number, b"key"), b"", number % 1000)
        assert kept.stats.bytes <= 1_000_000
    assert kept.stats.entries > 500


def test_what_was_not_asked_for_goes_first() -> None:
    entry = ENTRY_OVERHEAD + getsizeof("a") + 40
    kept: Remembered[tuple[str], str] = Remembered(10 * entry)
    for key in "abcdefghij":
        kept.put((key,), key, 40)
    assert kept.get(("a",)) == "a"
    kept.put(("k",), "k", 40)
    assert kept.get(("a",)) == "a"
    assert kept.get(("b",)) is None
    assert kept.stats.entries == 10
    assert kept.stats.bytes == 10 * entry


def test_several_are_looked_up_like_each() -> None:
    kept: Remembered[str, int] = Remembered(100_000)
    for number, key in enumerate("abc"):
        kept.put(key, number, 1)
    assert [entry and entry.value for entry in kept.several("acxa")] == [0, 2, None, 0]
    assert (kept.stats.hits, kept.stats.misses) == (3, 1)


def test_being_among_several_gives_a_second_chance() -> None:
    entry = ENTRY_OVERHEAD + getsizeof("a") + 40
    kept: Remembered[str, str] = Remembered(10 * entry)
    for key in "abcdefghij":
        kept.put(key, key, 40)
    kept.several("ac")
    kept.put("k", "k", 40)
    assert [entry and entry.value for entry in kept.several("abc")] == ["a", None, "c"]


def test_what_would_fill_the_memory_is_not_remembered() -> None:
    kept: Remembered[tuple[str], str] = Remembered(8000)
    kept.put(("big",), "html", 1000)
    assert kept.get(("big",)) is None
    assert kept.stats.entries == 0


def test_forgetting_passes_over_only_so_many() -> None:
    entry = ENTRY_OVERHEAD + getsizeof(0) + 40
    count = 2 * SECOND_CHANCES
    kept: Remembered[int, str] = Remembered(count * entry)
    for key in range(1, count + 1):
        kept.put(key, "", 40)
        kept.get(key)
    kept.put(count + 1, "", 40)
    assert kept.get(SECOND_CHANCES) == ""
    assert kept.get(SECOND_CHANCES + 1) is None
    assert kept.stats.entries == count


def test_only_what_comes_again_is_worth_remembering_where_that_is_asked_for() -> None:
    kept: Remembered[str, int] = Remembered(100_000, sights=16)
    assert [kept.wanted(key) for key in "aba"] == [False, False, True]
    every: Remembered[str, int] = Remembered(100_000)
    assert every.wanted("a")


def test_what_is_put_again_takes_the_place_of_what_was_there() -> None:
    kept: Remembered[str, int] = Remembered(100_000)
    kept.put("a", 1, 5000)
    kept.put("a", 2, 10)
    assert kept.get("a") == 2
    assert kept.stats.bytes == 10 + ENTRY_OVERHEAD + getsizeof("a")


def test_what_was_not_meant_does_not_count() -> None:
    kept: Remembered[str, int] = Remembered(100_000)
    kept.put("a", 1, 1)
    kept.get("a")
    kept.mistaken()
    assert (kept.stats.hits, kept.stats.misses) == (0, 0)


@settings(max_examples=60)
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 60)), max_size=60))
def test_whatever_happened_what_is_found_is_what_was_put_last(steps) -> None:
    kept: Remembered[int, int] = Remembered(8 * (ENTRY_OVERHEAD + 60))
    last = {}
    for put, key, size in steps:
        if put:
            kept.put(key, size, size)
            last.setdefault(key, set()).add(size)
        elif (found := kept.get(key)) is not None:
            assert found in last[key]
        assert kept.stats.bytes <= kept.stats.limit
