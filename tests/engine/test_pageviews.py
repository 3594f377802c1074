"""The four pageviews of the guide, and the lists for clients that prefer a representation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.engine.conftest import Ids, Restart, Shop

HOME_KEYS = {"main_banners", "sub_banners", "related_product_skus", "recent_product_skus"}


async def test_home_answers_the_guides_four_lists(shop: Shop) -> None:
    await shop.add(1)
    answer = await shop.home()
    assert set(answer) == HOME_KEYS
    assert answer["related_product_skus"] == [
        {
            "link": "/p/1",
            "name": "Product 1",
            "price": 10,
            "photo_url": "/1.jpg",
            "category_1": "men",
            "product_id": "1",
        },
    ]


async def test_recent_carries_the_viewed_variant_and_a_price_with_two_decimals(shop: Shop) -> None:
    await shop.add(1, price=1299, extra={"discount": "20%"})
    await shop.view(1)
    assert (await shop.home())["recent_product_skus"] == [
        {
            "product_id": "1",
            "variant_id": "v",
            "name": "Product 1",
            "price": "1299.00",
            "photo_url": "/1.jpg",
            "link": "/p/1",
            "extra": {"discount": "20%"},
        },
    ]


async def test_the_next_answer_knows_the_last_view_newest_first(shop: Shop, ids: Ids) -> None:
    for product_id in (1, 2, 3):
        await shop.add(product_id)
    await shop.view(1)
    await shop.view(2)
    answer = (await shop.view(3)).json()
    assert ids(answer["recent_product_skus"]) == ["2", "1"]
    assert ids((await shop.home())["recent_product_skus"]) == ["3", "2", "1"]


async def test_a_product_page_answers_similar_related_and_recent(shop: Shop, ids: Ids) -> None:
    for product_id in (1, 2, 3):
        await shop.add(product_id)
    await shop.add(4, "women")
    answer = (await shop.view(1)).json()
    assert set(answer) == {"similar_product_skus", "related_product_skus", "recent_product_skus"}
    assert set(ids(answer["similar_product_skus"])) >= {"2", "3"}
    assert "1" not in ids(answer["similar_product_skus"])


async def test_search_answers_recent_products_only(shop: Shop, ids: Ids) -> None:
    await shop.add(1)
    await shop.view(1)
    answer = (await shop.send({"type": "search", "term": "tables"})).json()
    assert list(answer) == ["recent_product_skus"]
    assert ids(answer["recent_product_skus"]) == ["1"]


async def test_a_category_page_is_answered_204_without_a_preference(shop: Shop) -> None:
    answer = await shop.send({"type": "pageview", "subtype": "category", "category_name": "men"})
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_preferred_representation_brings_the_categorys_top_products(shop: Shop, ids: Ids) -> None:
    await shop.add(1, "men")
    await shop.add(2, "women")
    answer = await shop.send({"type": "pageview", "subtype": "category", "category_name": "Men"}, rich=True)
    assert answer.headers["preference-applied"] == "return=representation"
    assert ids(answer.json()["top_product_skus"]) == ["1"]


async def test_a_preferred_representation_of_home_has_category_rows_and_top(shop: Shop, ids: Ids) -> None:
    for product_id in range(20):
        await shop.add(product_id, "chairs" if product_id % 2 else "tables")
    await shop.view(1)
    answer = await shop.home(rich=True)
    assert set(answer) == HOME_KEYS | {"category_product_skus", "top_product_skus"}
    assert answer["category_product_skus"][0]["name"] == "chairs"


async def test_no_product_is_on_a_page_twice(shop: Shop, ids: Ids) -> None:
    for product_id in range(30):
        await shop.add(product_id, "chairs" if product_id % 2 else "tables")
    for product_id in range(5):
        await shop.view(product_id)
    answer = await shop.home(rich=True)
    shown = [product for name, found in answer.items() if name.endswith("skus") for product in found]
    rows = [product for row in answer["category_product_skus"] for product in row["products"]]
    found = ids([each for each in shown if "products" not in each] + rows)
    assert len(found) == len(set(found))


async def test_limit_sets_the_length_of_lists(shop: Shop) -> None:
    for product_id in range(20):
        await shop.add(product_id)
    assert len((await shop.home())["related_product_skus"]) == 8
    assert len((await shop.home(limit=12))["related_product_skus"]) == 12
    refused = await shop.send({"type": "pageview", "subtype": "home"}, limit=0)
    assert (refused.status_code, refused.json()["field"]) == (400, "limit")


async def test_a_restart_remembers_everything(shop: Shop, restarted: Restart, ids: Ids) -> None:
    await shop.add(1)
    await shop.add(2)
    await shop.view(1)
    before = await shop.home()
    await restarted(shop)
    assert await shop.home() == before


async def test_views_before_a_login_are_the_users_afterwards_and_no_longer_the_anonymous_ones(
    shop: Shop, ids: Ids
) -> None:
    await shop.add(1)
    await shop.view(1, "cookie")
    both = {"user_id": "u1", "anonymous_id": "cookie"}
    await shop.send({"type": "login"}, user=both)
    assert ids((await shop.home(user={"user_id": "u1"}))["recent_product_skus"]) == ["1"]
    assert (await shop.home("cookie"))["recent_product_skus"] == []
