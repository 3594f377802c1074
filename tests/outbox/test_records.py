"""Ids that grow with time."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from proxy.outbox import time_ordered_id

times = st.floats(0, 2.0**47 / 1000)
noise = st.binary(min_size=10, max_size=10)


@given(times, noise)
def test_an_id_is_a_uuid_of_version_7(now: float, random: bytes) -> None:
    id_ = UUID(time_ordered_id(now, random))
    assert (id_.version, id_.variant) == (7, "specified in RFC 4122")


@given(times, times, noise, noise)
def test_ids_sort_by_their_millisecond(one: float, two: float, first: bytes, second: bytes) -> None:
    if int(one * 1000) < int(two * 1000):
        assert time_ordered_id(one, first) < time_ordered_id(two, second)


@given(times, noise, noise)
def test_ids_of_one_moment_differ(now: float, one: bytes, two: bytes) -> None:
    # Six of the eighty random bits make room for version and variant.
    if one[0] & 0x0F != two[0] & 0x0F or one[3:] != two[3:]:
        assert time_ordered_id(now, one) != time_ordered_id(now, two)
