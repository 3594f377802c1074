"""A finished page is served for its own page, kind, answer and renderer, and for nothing else."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.finished import Finished, FinishedPages


class Renderer:
    """What the memory asks of one."""

    def __init__(self):
        self.failures = 0


HIT = (("related", "hit"),)


def whole(body=b"x", outcomes=HIT):
    return Finished(body, outcomes, removed=False)


def serve(finished, renderer, number, kind, answer, body):
    """As a page is served: looked up, or made and kept."""
    found = finished.get(renderer, number, kind, answer)
    if found is None:
        found = whole(body)
        finished.keep(renderer, number, kind, answer, found)
    return found.body


VISITS = st.lists(
    st.tuples(
        st.sampled_from([0, 1]),
        st.sampled_from([1, 2, 3]),
        st.sampled_from(["home", "product"]),
        st.sampled_from([b"", b"{}", b'{"a":1}']),
    ),
    max_size=40,
)


@settings(max_examples=100)
@given(visits=VISITS, limit=st.sampled_from([0, 9_000, 1 << 20]))
def test_nothing_is_served_that_was_made_from_anything_else(visits, limit):
    finished, renderers = FinishedPages(limit), [Renderer(), Renderer()]
    for which, number, kind, answer in visits * 2:
        body = repr((which, number, kind, answer)).encode()
        assert serve(finished, renderers[which], number, kind, answer, body) == body
    assert finished.stats.bytes <= limit


def test_what_meets_a_second_time_is_kept_and_looked_up_from_then_on():
    finished, renderer = FinishedPages(), Renderer()
    made = itertools.count()
    bodies = [serve(finished, renderer, 1, "home", b"{}", b"%d" % next(made)) for _ in range(4)]
    assert bodies == [b"0", b"1", b"1", b"1"]
    assert (finished.stats.hits, finished.stats.misses) == (2, 2)


def test_another_renderer_finds_nothing_and_the_first_one_s_pages_are_forgotten():
    finished, old, new = FinishedPages(), Renderer(), Renderer()
    for _ in range(2):
        serve(finished, old, 1, "home", b"{}", b"old")
    assert finished.get(old, 1, "home", b"{}") == whole(b"old")
    assert finished.get(new, 1, "home", b"{}") is None
    finished.keep(old, 1, "home", b"{}", whole(b"old"))
    assert finished.get(new, 1, "home", b"{}") is None


@pytest.mark.parametrize("outcome", ["failed", "late", "down", "error", "unknown"])
def test_a_slot_that_may_be_filled_next_time_is_not_remembered_as_it_is(outcome):
    finished, renderer = FinishedPages(), Renderer()
    for _ in range(3):
        assert finished.get(renderer, 1, "home", b"{}") is None
        finished.keep(renderer, 1, "home", b"{}", whole(outcomes=(*HIT, ("top", outcome))))


def test_a_page_in_which_a_template_failed_is_not_remembered():
    finished, renderer = FinishedPages(), Renderer()
    for _ in range(3):
        assert finished.get(renderer, 1, "home", b"{}") is None
        renderer.failures += 1
        finished.keep(renderer, 1, "home", b"{}", whole())
