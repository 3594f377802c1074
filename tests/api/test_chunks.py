"""Items into batches: 500 and 5 MiB at most, whichever comes first, and nothing lost or sent twice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.api import KINDS, MAX_BODY, MAX_ITEMS, InvalidInput
from proxy.api.chunks import Chunker, Job

USERS = KINDS["users"]


def chunked(items, job=None):
    chunker = Chunker(job or Job.of("create", USERS))
    for index, item in enumerate(items):
        if (full := chunker.add(index, item)) is not None:
            yield full
    if (last := chunker.flush()) is not None:
        yield last


def user(number, size=0):
    return {"user_id": str(number), "title": "x" * size}


@pytest.mark.parametrize(
    ("items", "sizes"), [(0, []), (1, [1]), (500, [500]), (501, [500, 1]), (1200, [500, 500, 200])]
)
def test_a_batch_has_500_items_at_most(items, sizes):
    assert [len(chunk.items) for chunk in chunked(map(user, range(items)))] == sizes


def test_a_batch_has_5_mib_at_most_to_the_byte():
    overhead = len(b'{"type":"users","batch":[]}') + 2 * len(b'{"user_id":"1","title":""}') + len(b",")
    half, rest = divmod(MAX_BODY - overhead, 2)
    (whole,) = chunked([user(1, half), user(2, half + rest)])
    assert len(whole.call().body) == MAX_BODY
    assert [len(chunk.items) for chunk in chunked([user(1, half), user(2, half + rest + 1)])] == [1, 1]


def test_an_item_of_more_than_5_mib_fails_by_itself():
    (chunk,) = chunked([user(1), user(2, MAX_BODY), user(3)])
    assert [given.index for given in chunk.items] == [0, 2]
    (failed,) = chunk.failed
    assert failed.index == 1
    assert isinstance(failed.error, InvalidInput)
    assert "5 MiB" in str(failed.error)


def test_bad_items_alone_are_told_a_batch_at_a_time():
    chunks = list(chunked(None for _ in range(1_200)))
    assert [len(chunk.failed) for chunk in chunks] == [MAX_ITEMS, MAX_ITEMS, 200]
    assert not any(chunk.items for chunk in chunks)


@pytest.mark.parametrize(
    ("verb", "kind", "method", "path", "body"),
    [
        ("create", "users", "POST", "/batch", b'{"type":"users","batch":[{"user_id":"1"}]}'),
        ("update", "users", "PUT", "/batch", b'{"type":"users","batch":[{"user_id":"1"}]}'),
        ("delete", "users", "DELETE", "/batch", b'{"type":"users","batch":[{"user_id":"1"}]}'),
        ("create", "orders", "POST", "/batch/orders", b'{"batch":[{"order_id":"1","user_id":"u"}]}'),
        ("cancel", "orders", "DELETE", "/batch", b'{"type":"orders","batch":[{"order_id":"1"}]}'),
        ("delete", "orders", "DELETE", "/batch/orders", b'["1"]'),
        ("create", "categories", "POST", "/batch", b'{"type":"categories","batch":[{"category_id":"1"}]}'),
    ],
)
def test_each_verb_has_its_place_and_form(verb, kind, method, path, body):
    item = {KINDS[kind].ids[0]: 1, **({"user_id": "u"} if kind == "orders" else {})}
    (chunk,) = chunked([item], Job.of(verb, KINDS[kind]))
    call = chunk.call()
    assert (call.method, call.path, call.body) == (method, path, body)


@given(st.lists(st.sampled_from([0, 10, 400, 2_000]) | st.none(), max_size=60), st.integers(1, 7))
@settings(max_examples=150)
def test_every_item_is_in_one_batch_or_fails_and_order_is_kept(sizes, most):
    import proxy.api.chunks as module

    before = module.MAX_ITEMS, module.MAX_BODY
    module.MAX_ITEMS, module.MAX_BODY = most, 1_000
    try:
        items = [None if size is None else user(number, size) for number, size in enumerate(sizes)]
        chunks = list(chunked(items))
        seen = []
        for chunk in chunks:
            assert len(chunk.items) <= most
            if chunk.items:
                body = chunk.call().body
                assert len(body) <= 1_000
                assert [each["user_id"] for each in json.loads(body)["batch"]] == [
                    str(given.index) for given in chunk.items
                ]
            seen += [result.index for result in chunk.whole([given.result(None) for given in chunk.items])]
        assert seen == list(range(len(items)))
    finally:
        module.MAX_ITEMS, module.MAX_BODY = before
