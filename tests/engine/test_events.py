"""All eleven events: the guide's answers, arrays, sloppy values, refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.engine.conftest import Ids, Restart, Shop

CART = [{"product_id": "p1", "variant_id": "v1"}, {"product_id": "p2", "variant_id": "v1"}]
ELEVEN = [
    ({"type": "pageview", "subtype": "home"}, 200),
    ({"type": "pageview", "subtype": "product", "product_id": "p1", "variant_id": "v1"}, 200),
    ({"type": "pageview", "subtype": "category", "category_name": "living-room"}, 204),
    ({"type": "cart", "subtype": "update", "cart": CART}, 204),
    ({"type": "search", "term": "tables"}, 200),
    ({"type": "wishlist", "subtype": "add", "product_id": "p1", "variant_id": "v2"}, 204),
    ({"type": "wishlist", "subtype": "remove", "product_id": "p1", "variant_id": "v2"}, 204),
    ({"type": "click", "subtype": "banner", "banner_id": "b1"}, 204),
    ({"type": "click", "subtype": "product", "product_id": "p1"}, 204),
    (
        {
            "type": "checkout",
            "subtype": "started",
            "cart": [{"product_id": "p1", "variant": "v1", "price": 24}],
        },
        204,
    ),
    ({"type": "login"}, 204),
]


@pytest.mark.parametrize(
    ("event", "status"), ELEVEN, ids=[str(event.get("subtype", event["type"])) for event, _ in ELEVEN]
)
async def test_each_event_has_the_guides_answer(shop: Shop, event: dict[str, Any], status: int) -> None:
    await shop.add("p1")
    answer = await shop.send(event)
    assert answer.status_code == status
    assert bool(answer.content) == (status == 200)


async def test_an_array_takes_all_events_and_answers_in_order(shop: Shop) -> None:
    await shop.add("p1")
    user = {"anonymous_id": "v1"}
    array = [{"user": user, "event": event} for event, _ in ELEVEN]
    answer = await shop.http.post("/", json=array, auth=("key-1", ""))
    assert answer.status_code == 200
    assert [each is not None for each in answer.json()] == [status == 200 for _, status in ELEVEN]


async def test_a_half_bad_array_keeps_its_good_half(shop: Shop, ids: Ids) -> None:
    await shop.add("p1")
    good = {
        "user": {"anonymous_id": "v1"},
        "event": {"type": "pageview", "subtype": "product", "product_id": "p1"},
    }
    bad = {"user": {"anonymous_id": "v1"}, "event": {"type": "click", "subtype": "product"}}
    answer = await shop.http.post("/", json=[bad, good, None], auth=("key-1", ""))
    assert answer.status_code == 207
    assert [state["status"] for state in answer.json()["status"]] == ["error", "OK", "error"]
    assert ids((await shop.home())["recent_product_skus"]) == ["p1"]


async def test_more_than_five_hundred_events_are_a_413(shop: Shop) -> None:
    array = [{"user": {"anonymous_id": "v1"}, "event": {"type": "login"}}] * 501
    assert (await shop.http.post("/", json=array, auth=("key-1", ""))).status_code == 413
    assert (await shop.http.post("/", json=array[:500], auth=("key-1", ""))).status_code == 204


@pytest.mark.parametrize("user_id", [0, "0", None, "", "no-user"])
async def test_clients_ways_of_saying_nobody_fall_back_to_the_anonymous_id(
    shop: Shop, ids: Ids, user_id: object
) -> None:
    await shop.add("p1")
    await shop.view("p1", user={"user_id": user_id, "anonymous_id": "v1"})
    assert ids((await shop.home("v1"))["recent_product_skus"]) == ["p1"]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "pageview", "subtype": "related", "product_id": 1},
        {"type": "viewcart", "cart": [{"product_id": 1}]},
        {
            "type": "cart",
            "subtype": "update",
            "cart": [{"product_id": 1, "quantity": "2", "unit_price": "9,50"}, None],
        },
        {"type": "cart", "subtype": "update", "cart": [], "cart_link": "/cart"},
        {"type": "cart", "subtype": "update", "cart": {"0": {"product_id": 1}, "2": {"product_id": 1}}},
        {"type": "click", "subtype": "related", "product_id": 1},
        {"type": "checkout", "subtype": "started", "cart": [{"product_id": 1, "variant_id": "no-variants"}]},
        {"type": "pageview", "subtype": "category", "category_id": 12},
        {"type": "pageview", "subtype": "cart"},
        {"type": "pageview", "subtype": "404"},
        {"type": "search", "subtype": "x", "term": ""},
    ],
)
async def test_what_real_clients_send_is_taken(shop: Shop, event: dict[str, Any]) -> None:
    await shop.add(1)
    assert (await shop.send(event)).status_code in {200, 204}


@pytest.mark.parametrize(
    "timestamp",
    [
        "2018-04-04 23:29:04Z",
        "2018-04-04 23:29:04-0300",
        "2018-04-04T23:29:04Z",
        "2018-04-04T23:29:04.276Z",
        "2018-04-04T23:29:04+00:00",
        "2018-04-04T23:29:04-03:00",
        "",
        None,
        1522884544,
    ],
)
async def test_every_spelling_of_a_time_is_taken(shop: Shop, timestamp: object) -> None:
    assert (await shop.send({"type": "login"}, timestamp=timestamp)).status_code == 204


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], None),
        ({}, "user"),
        ({"user": {}, "event": {"type": "login"}}, "user.anonymous_id"),
        ({"user": {"anonymous_id": "a"}}, "event"),
        ({"user": {"anonymous_id": "a"}, "event": {"type": "dance"}}, "event.type"),
        ({"user": {"anonymous_id": "a"}, "event": {"type": "pageview", "subtype": "moon"}}, "event.subtype"),
        ({"user": {"anonymous_id": "a"}, "event": {"type": "pageview", "subtype": "product"}}, "event.product_id"),
        ({"user": {"anonymous_id": "a"}, "event": {"type": "pageview", "subtype": "product", "product_id": "unknown"}}, "event.product_id"),
        ({"user": {"anonymous_id": "a"}, "event": {"type": "click", "subtype": "banner"}}, "event.banner_id"),
        ({"user": {"anonymous_id": "a"}, "event": {"type": "click", "subtype": "product"}}, "event.product_id"),
        ({"user": {"anonymous_id": "a"}, "event": {"type": "cart", "subtype": "update"}}, "event.cart"),
        ({"user": {"anonymous_id": "a"}, "event": {"type": "search"}}, "event.term"),
        ({"user": {"anonymous_id": "a"}, "event": {"type": "login"}, "timestamp": "soon"}, "timestamp"),
        ({"user": {"anonymous_id": "a" * 300}, "event": {"type": "login"}}, "user.anonymous_id"),
        ({"user": {"anonymous_id": True}, "event": {"type": "login"}}, "user.anonymous_id"),
    ],
)  # fmt: skip
async def test_a_refusal_names_the_field(shop: Shop, document: Any, field: str | None) -> None:
    answer = await shop.http.post("/", json=document, auth=("key-1", ""))
    if field is None:
        assert answer.status_code == 204  # no events, no trouble
    else:
        assert (answer.status_code, answer.json()["field"]) == (400, field)


async def test_an_event_with_a_time_counts_once_however_often_it_is_sent(
    shop: Shop, restarted: Restart
) -> None:
    for product_id in ("p1", "p2"):
        await shop.add(product_id)
    await shop.view("p2")
    await shop.view("p2", "v2")
    for _ in range(5):
        await shop.view("p1", timestamp="2023-11-14T22:00:00Z")
    event = {"user": {"anonymous_id": "x"}, "event": {"type": "pageview", "subtype": "home"}}
    top = (await shop.rest("POST", "/explain", event)).json()["related_product_skus"]
    assert [item["product_id"] for item in top] == ["p2", "p1"]
    await restarted(shop)
    assert (await shop.rest("POST", "/explain", event)).json()["related_product_skus"] == top


async def test_a_time_in_the_future_is_now(shop: Shop, ids: Ids) -> None:
    for product_id in ("p1", "p2"):
        await shop.add(product_id)
    await shop.view("p1", timestamp="2199-01-01T00:00:00Z")
    shop.clock.now += 1
    await shop.view("p2")
    assert ids((await shop.home())["recent_product_skus"]) == ["p2", "p1"]


async def test_a_cart_that_is_reported_late_changes_nothing(shop: Shop, ids: Ids, restarted: Restart) -> None:
    for product_id in ("p1", "p2"):
        await shop.add(product_id)
    await shop.send({"type": "cart", "subtype": "update", "cart": [{"product_id": "p1"}]})
    late = {"type": "cart", "subtype": "update", "cart": [{"product_id": "p2"}]}
    await shop.send(late, timestamp="2020-01-01T00:00:00Z")
    assert ids((await shop.home())["related_product_skus"]) == ["p2"]
    await restarted(shop)
    assert ids((await shop.home())["related_product_skus"]) == ["p2"]
