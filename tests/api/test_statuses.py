"""A 207's statuses, in every dialect: matched to their items, and never taken for more than they say."""

from __future__ import annotations

import json

import pytest
from harness.peers import reply
from hypothesis import given
from hypothesis import strategies as st

from proxy.api import ItemRefused, NoAnswer, NoStatus, TooLarge, VendorFailed
from proxy.api.statuses import in_order, judge, match

OK = {"status": "OK"}


def say(user_id, status="OK", **more):
    return {"user_id": user_id, "status": status, **more}


async def batch(fake, statuses, users=("u1", "u2", "u3"), status=207):
    fake.say_json(statuses, status)
    async with fake.client(retries=0) as client:
        return [
            result async for result in client.batch.create("users", [{"user_id": name} for name in users])
        ]


def states(results):
    return [None if result.ok else type(result.error) for result in results]


async def test_the_guides_answer_is_read_though_it_names_users_by_product_id(fake):
    answer = {
        "status": [
            {"user_id": "u1", "status": "error", "error": "u1 already exists"},
            {"product_id": "u2", "status": "OK"},
            {"product_id": "u3", "status": "OK"},
        ]
    }
    results = await batch(fake, answer)
    assert states(results) == [ItemRefused, None, None]
    error = results[0].error
    assert (error.message, error.source, error.retryable) == ("u1 already exists", "client", False)


@pytest.mark.parametrize("word", ["OK", "ok", " Ok ", 200, 201, 204])
def test_every_spelling_of_ok(word):
    assert judge({"status": word}, "") is None
    assert judge(word, "") is None


@pytest.mark.parametrize(
    "status", [{"status": "error"}, {"status": "ERROR", "error": None}, {"status": 400}, 422]
)
def test_every_spelling_of_error(status):
    assert isinstance(judge(status, ""), ItemRefused)


@pytest.mark.parametrize(
    "status", [None, {}, [], "", 0, 302, True, {"status": None}, {"status": "pending"}, {"status": []}, 1.5]
)
def test_what_cannot_be_read_is_nobodys_success(status):
    error = judge(status, "")
    assert isinstance(error, NoStatus)
    assert error.retryable


async def test_a_bare_array_does_as_well(fake):
    assert states(await batch(fake, [say("u1"), say("u2", "error"), say("u3")])) == [None, ItemRefused, None]


async def test_statuses_without_ids_count_by_their_order(fake):
    results = await batch(fake, {"status": [OK, {"status": "error", "error": "no"}, OK]})
    assert states(results) == [None, ItemRefused, None]


async def test_statuses_in_another_order_are_found_by_id(fake):
    results = await batch(fake, {"status": [say("u3"), say("u2", "error", error="no"), say("u1")]})
    assert states(results) == [None, ItemRefused, None]


async def test_a_missing_status_makes_its_item_unknown_and_no_other(fake):
    results = await batch(fake, {"status": [say("u3"), say("u1")]})
    assert states(results) == [None, NoStatus, None]
    assert results[1].retryable


async def test_too_many_statuses_are_no_harm(fake):
    results = await batch(fake, {"status": [say(name) for name in ("u0", "u1", "u2", "u3", "u4")]})
    assert states(results) == [None, None, None]


@pytest.mark.parametrize("document", [{}, {"status": "OK"}, None, 5, "OK", {"status": None}, {"error": "x"}])
@pytest.mark.parametrize("status", [207, 200])
async def test_success_without_statuses_is_success_of_none(fake, document, status):
    results = await batch(fake, document, status=status)
    assert states(results) == [NoStatus] * 3
    assert all(result.retryable for result in results)


@pytest.mark.parametrize("answer", [reply(b"", 204), reply(b"", 200), reply(b"{garbage", 207)])
async def test_nor_is_an_answer_that_cannot_be_read(fake, answer):
    fake.say(answer)
    async with fake.client(retries=0) as client:
        result = await client.batch.create("users", [{"user_id": "u1"}])
    assert states(result.failed) == [NoStatus]


def test_variants_are_told_apart_and_may_be_left_out():
    items = [("p1", "a"), ("p1", "b"), ("p2", "a")]
    shuffled = [
        {"product_id": "p2", "variant_id": "a", "status": "OK"},
        {"product_id": "p1", "variant_id": "b", "status": "error"},
        {"product_id": "p1", "variant_id": "a", "status": "OK"},
    ]
    assert [error is None for error in match(shuffled, items, "")] == [True, False, True]
    short = [{"product_id": "p2", "status": "OK"}, {"product_id": "p1", "status": "error"}]
    assert [type(error) for error in match(short, items, "")] == [ItemRefused, NoStatus, type(None)]


def test_an_id_that_the_vendor_tidied_is_still_its_items():
    assert match([{"user_id": "ann@x", "status": "OK"}], [(" Ann@X ",)], "") == [None]
    two = [{"user_id": "bob", "status": "OK"}, {"user_id": "ann", "status": "error"}]
    assert [error is None for error in match(two, [("ANN",), ("Bob",)], "")] == [False, True]


def test_a_status_of_somebody_else_says_nothing_of_an_item():
    assert isinstance(match([{"user_id": "u9", "status": "OK"}], [("u1",)], "")[0], NoStatus)


def test_integers_name_what_text_does():
    assert (
        match(
            [{"product_id": 2, "status": "OK"}, {"product_id": 1, "status": "error"}], [("1",), ("2",)], ""
        )[1]
        is None
    )


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=6), st.randoms())
def test_whatever_the_order_each_item_gets_a_status_of_its_own_id(names, random):
    statuses = [say(name, place=place) for place, name in enumerate(names)]
    random.shuffle(statuses)
    found = in_order(statuses, [(name,) for name in names])
    assert [status["user_id"] for status in found] == names
    assert sorted(status["place"] for status in found) == list(range(len(names)))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["status", "error", "user_id", "variant_id"]), inner)
        ),
        max_leaves=12,
    )
)
def test_whatever_comes_each_item_has_one_verdict(document):
    statuses = document if isinstance(document, list) else [document]
    assert len(match(statuses, [("u1",), ("u2",)], "")) == 2


async def test_a_batch_that_fails_fails_with_its_items_and_the_run_goes_on(fake):
    fake.say(reply(b'{"error":"down"}', 500), reply(b'{"status":[{"status":"OK"}]}', 207))
    async with fake.client(retries=0, concurrency=1) as client:
        users = [{"user_id": number} for number in range(501)]
        results = [result async for result in client.batch.create("users", users)]
    assert states(results) == [VendorFailed] * 500 + [None]
    assert all(result.retryable for result in results[:500])


async def test_a_connection_cut_in_the_middle_leaves_its_items_unknown(fake):
    async def cut(seen, writer):
        writer.write(reply(b'{"status":[]}', 207)[:-3])
        await writer.drain()
        writer.close()

    fake.say(cut)
    async with fake.client(retries=0) as client:
        result = await client.batch.create("users", [{"user_id": "u1"}])
    assert states(result.failed) == [NoAnswer]
    assert result.failed[0].retryable


async def test_a_vendor_that_takes_less_gets_halves(fake):
    taken = []

    async def picky(seen, writer):
        users = json.loads(seen.body)["batch"]
        if len(users) > 2:
            writer.write(reply(b'{"error":"too many"}', 413))
        else:
            taken.extend(user["user_id"] for user in users)
            writer.write(
                reply(json.dumps({"status": [say(user["user_id"]) for user in users]}).encode(), 207)
            )

    fake.say(picky)
    async with fake.client() as client:
        result = await client.batch.create("users", [{"user_id": number} for number in range(7)])
    assert (result.total, result.failed) == (7, [])
    assert taken == [str(number) for number in range(7)]


async def test_a_single_item_that_is_too_large_for_the_vendor_fails_alone(fake):
    fake.say(reply(b"", 413), reply(b"", 413), reply(b'{"status":["OK"]}', 207))
    async with fake.client() as client:
        result = await client.batch.create("users", [{"user_id": "u1"}, {"user_id": "u2"}])
    assert [(failed.index, type(failed.error)) for failed in result.failed] == [(0, TooLarge)]
