"""Products learned from the pages that pass through the proxy, and how told values win."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.engine.conftest import Ids, Shop

PAGE = {"name": "Lamp", "price": 20, "photo_url": "/lamp.jpg", "link": "/lamp", "source": "page"}


async def test_a_product_of_a_page_is_recommended(shop: Shop, ids: Ids) -> None:
    answer = await shop.rest("POST", "/learn", {"products": [{"product_id": "1", **PAGE}]})
    assert (answer.status_code, answer.content) == (204, b"")
    assert ids((await shop.home())["related_product_skus"]) == ["1"]


async def test_a_bare_array_is_taken_too(shop: Shop, ids: Ids) -> None:
    await shop.rest("POST", "/learn", [{"product_id": "1", **PAGE}])
    assert ids((await shop.home())["related_product_skus"]) == ["1"]


async def test_told_values_win_over_learned_ones_in_any_order(shop: Shop) -> None:
    await shop.rest("POST", "/learn", [{"product_id": "1", "variant_id": "v", **PAGE}])
    await shop.add(1, name="Told")
    await shop.rest("POST", "/learn", [{"product_id": "1", "variant_id": "v", **PAGE, "brand": "Acme"}])
    card = (await shop.home(rich=True))["related_product_skus"][0]
    assert (card["name"], card["brand"]) == ("Told", "Acme")


async def test_a_page_that_says_sold_out_takes_the_product_out_at_once(shop: Shop) -> None:
    await shop.add(1)
    await shop.rest("POST", "/learn", [{"product_id": "1", "available": False}])
    assert (await shop.home())["related_product_skus"] == []


async def test_told_stock_brings_back_what_a_page_had_taken_out(shop: Shop, ids: Ids) -> None:
    await shop.add(1)
    await shop.rest("POST", "/learn", [{"product_id": "1", "available": False}])
    await shop.add(1)
    assert ids((await shop.home())["related_product_skus"]) == ["1"]


async def test_a_product_without_photo_is_never_served(shop: Shop) -> None:
    await shop.rest("POST", "/learn", [{"product_id": "1", "name": "Lamp", "link": "/lamp"}])
    assert (await shop.home())["related_product_skus"] == []


async def test_a_view_that_comes_before_its_page_is_learned_counts(shop: Shop, ids: Ids) -> None:
    answer = await shop.view("1", rich=True)
    assert answer.status_code == 200
    await shop.rest("POST", "/learn", [{"product_id": "1", **PAGE}])
    assert ids((await shop.home())["recent_product_skus"]) == ["1"]


async def test_an_empty_shop_has_something_true_in_every_list_after_thirty_views(
    shop: Shop, ids: Ids
) -> None:
    draw = random.Random(4)
    for number in range(30):
        product_id = str(draw.randrange(14))
        viewed = await shop.view(product_id, f"visitor {number % 3}", rich=True)
        assert viewed.status_code == 200
        page = {**PAGE, "product_id": product_id, "name": f"Lamp {product_id}", "link": f"/lamp/{product_id}"}
        page |= {"categories": ["Lamps" if int(product_id) % 2 else "Desks"], "available": product_id != "3"}
        await shop.rest("POST", "/learn", [page])
        shop.clock.now += 20
    product = (await shop.view("5", "visitor 0", rich=True)).json()
    home = await shop.home("visitor 0", rich=True)
    category = await shop.send(
        {"type": "pageview", "subtype": "category", "category_name": "lamps"}, rich=True
    )
    for listed in (
        product["similar_product_skus"],
        product["recent_product_skus"],
        home["related_product_skus"],
        home["recent_product_skus"],
        category.json()["top_product_skus"],
    ):
        assert listed
        assert "3" not in ids(listed)
    shown = [*ids(product["similar_product_skus"]), *ids(product["related_product_skus"])]
    shown += ids(product["recent_product_skus"])
    assert "5" not in shown
    assert len(shown) == len(set(shown))
