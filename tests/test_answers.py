"""Answers that came before mean what they meant; others are read."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.answers import Answers
from proxy.widgets import decode_recommendations

ANSWERS = st.lists(
    st.builds(
        lambda names, field: json.dumps({field: [{"name": name} for name in names]}).encode(),
        st.lists(st.sampled_from(["a", "b", "c"]), max_size=3),
        st.sampled_from(["related_product_skus", "top_product_skus", "unknown"]),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(answers=ANSWERS, limit=st.sampled_from([0, 8_000, 1 << 20]))
def test_whatever_was_read_before_an_answer_reads_as_if_it_were_the_first(answers, limit):
    known = Answers(limit)
    for answer in answers * 3:
        assert known.read(bytes(bytearray(answer))) == (answer, decode_recommendations(answer))
    assert known.stats.bytes <= limit


def test_what_comes_once_is_not_kept_and_what_comes_again_is_looked_up():
    known = Answers()
    answer = b'{"related_product_skus": [{"product_id": "1"}]}'
    read = [known.read(bytes(bytearray(answer))) for _ in range(4)]
    assert read[1] is read[2] is read[3]
    assert (known.stats.hits, known.stats.misses, known.stats.entries) == (2, 2, 1)
    for number in range(100):
        known.read(b'{"related_product_skus": [%d]}' % number)
    assert known.stats.entries == 1


@pytest.mark.parametrize("answer", [b"{", b"[]", b"nonsense"])
def test_what_is_no_answer_is_none_every_time(answer):
    known = Answers()
    for _ in range(3):
        with pytest.raises((ValueError, msgspec.DecodeError)):
            known.read(answer)
    assert known.stats.entries == 0
