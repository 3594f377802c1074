"""The REST API: upserts, deletions, what later clients call, and refusals that can be acted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.engine.conftest import Ids, Restart, Shop

ORDER = {
    "order_id": "o1",
    "user_id": "u1",
    "cart": [{"product_id": "1", "quantity": "2", "unit_price": "9.50"}],
}


async def overview(shop: Shop) -> dict[str, Any]:
    return (await shop.rest("GET", "/overview")).json()


async def test_creation_is_an_upsert(shop: Shop) -> None:
    await shop.add(1, name="First")
    await shop.add(1, name="Second")
    assert (await shop.home())["related_product_skus"][0]["name"] == "Second"
    assert (await overview(shop))["products"] == {"products": 1, "variants": 1}


async def test_an_update_changes_only_what_it_names(shop: Shop) -> None:
    await shop.add(1, brand="Acme")
    answer = await shop.rest("PUT", "/products/1/v", {"price": "12.50"})
    assert (answer.status_code, answer.content) == (204, b"")
    card = (await shop.home(rich=True))["related_product_skus"][0]
    assert (card["price"], card["brand"]) == (12.5, "Acme")


async def test_an_update_with_null_clears_the_field(shop: Shop) -> None:
    await shop.add(1, full_price=20)
    await shop.rest("PUT", "/products/1/v", {"full_price": None})
    assert "full_price" not in (await shop.home(rich=True))["related_product_skus"][0]


async def test_an_update_creates_what_is_missing(shop: Shop, ids: Ids) -> None:
    fields = {"name": "Lamp", "photo_url": "/l.jpg", "link": "/l", "price": 3, "stock": 1}
    assert (await shop.rest("PUT", "/products/7/v", fields)).status_code == 204
    assert ids((await shop.home())["related_product_skus"]) == ["7"]


@pytest.mark.parametrize(
    "sold_out", [{"stock": 0}, {"stock": "-2"}, {"available": False}, {"available": "0"}]
)
async def test_what_cannot_be_bought_is_never_shown(shop: Shop, sold_out: dict[str, Any]) -> None:
    await shop.add(1)
    await shop.rest("PUT", "/products/1/v", sold_out)
    assert (await shop.home())["related_product_skus"] == []


async def test_another_variant_stands_in_for_one_that_is_sold_out(shop: Shop) -> None:
    await shop.add(1, variant_id="red", price=10, stock=0)
    await shop.add(1, variant_id="blue", price=11)
    await shop.view(1, variant_id="red")
    answer = await shop.home("other")
    assert [card["price"] for card in answer["related_product_skus"]] == [11]


async def test_a_deleted_variant_leaves_the_others_and_a_deleted_product_none(shop: Shop) -> None:
    await shop.add(1, variant_id="a")
    await shop.add(1, variant_id="b")
    assert (await shop.rest("DELETE", "/products/1/a")).status_code == 204
    assert (await overview(shop))["products"] == {"products": 1, "variants": 1}
    assert (await shop.rest("DELETE", "/products/1")).status_code == 204
    assert (await overview(shop))["products"] == {"products": 0, "variants": 0}


async def test_a_deletion_may_be_repeated(shop: Shop) -> None:
    for path in ("/products/1", "/banners/b", "/users/u", "/orders/o", "/categories/c"):
        assert (await shop.rest("DELETE", path)).status_code == 204


async def test_an_order_empties_its_buyers_cart_also_after_a_restart(
    shop: Shop, restarted: Restart, ids: Ids
) -> None:
    for product_id in (1, 2):
        await shop.add(product_id)
    user = {"user_id": "u1"}
    await shop.send({"type": "cart", "subtype": "update", "cart": [{"product_id": "1"}]}, user=user)
    assert "1" not in ids((await shop.home(user=user))["related_product_skus"])
    assert (await shop.rest("POST", "/orders", ORDER)).status_code == 201
    assert "1" in ids((await shop.home(user=user))["related_product_skus"])
    await restarted(shop)
    assert "1" in ids((await shop.home(user=user))["related_product_skus"])


async def test_a_late_creation_does_not_undo_a_cancellation(shop: Shop) -> None:
    assert (await shop.rest("PUT", "/orders/o1", {"order_status": "cancelled"})).status_code == 204
    await shop.rest("POST", "/orders", ORDER)
    why = await bought_with(shop, "1")
    assert why == []


async def bought_with(shop: Shop, product_id: str) -> list[str]:
    event = {"type": "pageview", "subtype": "product", "product_id": product_id}
    answer = await shop.rest("POST", "/explain", {"user": {"anonymous_id": "x"}, "event": event})
    return [
        item["product_id"] for item in answer.json()["related_product_skus"] if item["method"] == "orders"
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/orders/o1"), ("PATCH", "/orders/o1"), ("PATCH", "/orders/o1/status")],
)
async def test_a_cancelled_order_no_longer_counts(shop: Shop, method: str, path: str) -> None:
    for product_id in (1, 2):
        await shop.add(product_id)
    order = {"order_id": "o1", "user_id": "u", "cart": [{"product_id": "1"}, {"product_id": "2"}]}
    await shop.rest("POST", "/orders", order)
    assert await bought_with(shop, "1") == ["2"]
    assert (await shop.rest(method, path, {"order_status": "cancelled"})).status_code == 204
    assert await bought_with(shop, "1") == []


async def test_a_category_gives_its_name_to_products_that_came_before_it(shop: Shop) -> None:
    await shop.add(1, None, category_ids=[12])
    await shop.rest("POST", "/categories", {"category_id": 12, "name": "Chairs", "link": "/chairs"})
    assert (await shop.home())["related_product_skus"][0]["category_1"] == "Chairs"
    assert (await shop.rest("PUT", "/categories/12", {"name": "Seats"})).status_code == 204
    assert (await shop.home())["related_product_skus"][0]["category_1"] == "Seats"
    assert (await shop.rest("DELETE", "/categories/12")).status_code == 204


async def test_an_erased_user_leaves_no_trace_in_the_file(shop: Shop, restarted: Restart) -> None:
    await shop.add(1)
    await shop.rest(
        "POST", "/users", {"user_id": "secret-u", "email": "secret@example.com", "anonymous_id": "secret-a"}
    )
    await shop.view(1, user={"user_id": "secret-u", "anonymous_id": "secret-a"})
    await shop.rest("POST", "/orders", {**ORDER, "user_id": "secret-u"})
    assert (await shop.rest("DELETE", "/users/secret-u")).status_code == 204
    assert (await shop.rest("DELETE", "/users/secret-a")).status_code == 204
    assert (await shop.home(user={"user_id": "secret-u"}))["recent_product_skus"] == []
    await shop.rest("DELETE", "/users/secret-u")
    await restarted(shop)
    assert (await shop.rest("GET", "/overview/users")).json() == {"ids": None, "count": 0}


async def test_the_overview_counts_every_kind(shop: Shop) -> None:
    await shop.add(1)
    await shop.rest("POST", "/users", {"user_id": 5})
    await shop.rest("POST", "/orders", ORDER)
    assert await overview(shop) == {
        "categories": 0,
        "products": {"products": 1, "variants": 1},
        "orders": 1,
        "users": 1,
    }
    assert (await shop.rest("GET", "/overview/users")).json() == {"ids": ["5"], "count": 1}
    assert (await shop.rest("GET", "/overview/categories")).json() == {"ids": None, "count": 0}


async def test_a_plugin_is_asked_in_full_for_what_is_missing(shop: Shop) -> None:
    await shop.add(1)
    found = (await shop.rest("GET", "/clients/sync")).json()
    assert found == {"categories": "full", "products": None, "orders": "full", "users": "full"}


async def test_a_wipe_forgets_everything(shop: Shop) -> None:
    await shop.add(1)
    await shop.view(1)
    assert (await shop.rest("DELETE", "/clients")).status_code == 204
    assert (await shop.home())["recent_product_skus"] == []
    await shop.add(1)
    assert (await shop.home())["recent_product_skus"] == []


async def test_all_of_a_kind_can_be_deleted(shop: Shop) -> None:
    for product_id in range(3):
        await shop.add(product_id)
    assert (await shop.rest("DELETE", "/batch/products/all")).status_code == 204
    assert (await overview(shop))["products"]["products"] == 0


@pytest.mark.parametrize("encoded", ["a/b", "a%2Fb", "a b", "a%20b", "ü", "50%25"])
async def test_ids_in_paths_are_taken_encoded_or_not(shop: Shop, encoded: str) -> None:
    await shop.rest(
        "POST", "/users", {"user_id": {"a%2Fb": "a/b", "a%20b": "a b", "50%25": "50%"}.get(encoded, encoded)}
    )
    await shop.rest("DELETE", f"/users/{encoded}")
    assert (await overview(shop))["users"] == 0


@pytest.mark.parametrize(
    ("path", "document", "field"),
    [
        ("/products", {"variant_id": "v"}, "product_id"),
        ("/products", {"product_id": "1", "price": "cheap"}, "price"),
        ("/products", {"product_id": "1", "price": -1}, "price"),
        ("/products", {"product_id": "1", "stock": "many"}, "stock"),
        ("/products", {"product_id": "1", "available": "maybe"}, "available"),
        ("/products", {"product_id": "1", "extra": "x"}, "extra"),
        ("/products", {"product_id": "1", "categories": [{}]}, "categories[0]"),
        ("/products", {"product_id": {"a": 1}}, "product_id"),
        ("/products", [], "product"),
        ("/banners", {"banner_id": "b", "type": "huge", "photo_url": "/p", "link": "/l"}, "type"),
        ("/banners", {"banner_id": "b", "type": "main", "link": "/l"}, "photo_url"),
        ("/users", {"first_name": "Paulo"}, "user_id"),
        ("/orders", {"user_id": "u"}, "order_id"),
        ("/orders", {"order_id": "o", "cart": "x"}, "cart"),
        ("/orders", {"order_id": "o", "cart": [{"quantity": 1}]}, "cart[0].product_id"),
        ("/orders", {"order_id": "o", "timestamp": "yesterday"}, "timestamp"),
        ("/orders", {"order_id": "o", "order_status": "lost"}, "order_status"),
        ("/learn", {}, "products"),
    ],
)
async def test_a_refusal_names_field_value_and_expectation(
    shop: Shop, path: str, document: Any, field: str
) -> None:
    answer = await shop.rest("POST", path, document)
    assert answer.status_code == 400
    found = answer.json()
    assert (found["field"], set(found)) == (field, {"error", "field", "value", "expected"})
    assert field in found["error"]


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"nonsense", b"[" * 100_000, b'{"product_id": 1e999}'])
async def test_what_is_not_json_is_a_400(shop: Shop, raw: bytes) -> None:
    assert (await shop.rest("POST", "/products", raw=raw)).status_code == 400


async def test_unknown_paths_and_methods_are_told_apart(shop: Shop) -> None:
    assert (await shop.rest("GET", "/nothing")).status_code == 404
    refused = await shop.rest("GET", "/products")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert (await shop.http.get("/nothing")).status_code == 404
    assert (await shop.http.get("/")).status_code == 405


async def test_a_body_over_five_mebibytes_is_a_413(shop: Shop) -> None:
    raw = b'{"product_id":"1","description":"' + b"x" * (5 * 1024 * 1024) + b'"}'
    assert (await shop.rest("POST", "/products", raw=raw)).status_code == 413
