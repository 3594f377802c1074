"""Batches: three dialects, a status per item, nothing good is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.engine.conftest import Shop

USERS = [{"user_id": "u1", "email": "u1@abc.com"}, {"user_id": 2}]
OK = [{"user_id": "u1", "status": "OK"}, {"user_id": 2, "status": "OK"}]


async def count(shop: Shop, kind: str) -> int:
    return (await shop.rest("GET", f"/overview/{kind}")).json()["count"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/batch", {"type": "users", "batch": USERS}),
        ("/batch/users", {"batch": USERS}),
        ("/batch/users", {"type": "users", "batch": USERS}),
        ("/batch/users", USERS),
    ],
)
async def test_every_dialect_writes(shop: Shop, method: str, path: str, document: Any) -> None:
    answer = await shop.rest(method, path, document)
    assert (answer.status_code, answer.json()) == (207, {"status": OK})
    assert await count(shop, "users") == 2


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/batch", {"type": "users", "batch": [{"user_id": "u1"}, {"user_id": 2}]}),
        ("/batch/users", {"batch": [{"user_id": "u1"}, {"user_id": 2}]}),
        ("/batch/users", ["u1", 2]),
    ],
)
async def test_every_dialect_deletes(shop: Shop, path: str, document: Any) -> None:
    await shop.rest("POST", "/batch/users", USERS)
    answer = await shop.rest("DELETE", path, document)
    assert (answer.status_code, answer.json()) == (207, {"status": OK})
    assert await count(shop, "users") == 0


async def test_deleting_what_is_not_there_says_so(shop: Shop) -> None:
    answer = await shop.rest("DELETE", "/batch", {"type": "products", "batch": [{"product_id": "p1"}]})
    assert answer.json() == {
        "status": [{"product_id": "p1", "status": "error", "error": "Product not found"}]
    }


async def test_deleting_orders_cancels_them_in_the_guides_dialect_and_deletes_bare_ids(shop: Shop) -> None:
    await shop.rest("POST", "/batch/orders", [{"order_id": "o1"}, {"order_id": "o2"}])
    await shop.rest("DELETE", "/batch", {"type": "orders", "batch": [{"order_id": "o1"}]})
    assert await count(shop, "orders") == 2
    await shop.rest("DELETE", "/batch/orders", ["o1", "o2"])
    assert await count(shop, "orders") == 0


async def test_a_half_bad_batch_keeps_its_good_half(shop: Shop) -> None:
    items = [{"product_id": "1"}, {"product_id": "2", "price": "?"}, {"price": 1}, 7, {"product_id": "3"}]
    answer = await shop.rest("POST", "/batch/products", items)
    states = answer.json()["status"]
    assert [state["status"] for state in states] == ["OK", "error", "error", "error", "OK"]
    assert states[1]["field"] == "price"
    assert await count(shop, "products") == 2


@pytest.mark.parametrize(("items", "states"), [([], []), ([None], [{"user_id": None, "status": "OK"}])])
async def test_empty_batches_and_gaps_are_taken(shop: Shop, items: Any, states: Any) -> None:
    answer = await shop.rest("POST", "/batch/users", items)
    assert (answer.status_code, answer.json()) == (207, {"status": states})


async def test_five_hundred_items_pass_and_one_more_is_a_413(shop: Shop) -> None:
    items = [{"user_id": number} for number in range(501)]
    assert (await shop.rest("POST", "/batch/users", items[:500])).status_code == 207
    assert (await shop.rest("POST", "/batch/users", items)).status_code == 413
    assert await count(shop, "users") == 500


async def test_users_without_an_id_are_known_by_their_email(shop: Shop) -> None:
    batch = [{"first_name": "Paulo", "email": "u1@abc.com"}]
    await shop.rest("PUT", "/batch", {"type": "users", "batch": batch})
    assert (await shop.rest("GET", "/overview/users")).json()["ids"] == ["u1@abc.com"]


@pytest.mark.parametrize("document", [{}, {"type": "users"}, {"type": "cats", "batch": []}, [], "x"])
async def test_a_batch_without_type_or_items_is_a_400(shop: Shop, document: Any) -> None:
    assert (await shop.rest("POST", "/batch", document)).status_code == 400
