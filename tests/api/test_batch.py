"""``client.batch`` against the engine: every verb, any iterable, a result for each item."""

from __future__ import annotations

import pytest

from proxy.api import InvalidInput, ItemRefused, NotFound, Order, Product, Unauthorized


def product(number, **more):
    return {
        "product_id": f"p{number}",
        "variant_id": "v",
        "category_1": "men",
        "name": f"Product {number}",
        "price": "12.50",
        "stock": 3,
        "photo_url": f"/{number}.jpg",
        "link": f"/p/{number}",
        **more,
    }


async def test_more_than_a_batch_is_created_and_every_item_told_in_order(client, engine):
    results = [result async for result in client.batch.create("products", map(product, range(1201)))]
    assert [result.index for result in results] == list(range(1201))
    assert all(result.ok for result in results)
    assert results[700].ids == ("p700", "v")
    assert engine.ask("GET", "/overview")["products"] == {"products": 1201, "variants": 1201}


async def test_an_async_iterable_does_as_well(client, engine):
    async def rows():
        for number in range(3):
            yield product(number)

    assert (await client.batch.create("products", rows())).done == 3
    assert engine.ask("GET", "/overview/products")["ids"] == ["p0", "p1", "p2"]


async def test_bad_items_fail_alone_and_keep_their_place(client):
    items = [product(0), product(1, price="cheap"), None, product(3, name=["no", "text"]), product(4)]
    result = await client.batch.create("products", items)
    assert [failed.index for failed in result.failed] == [1, 2, 3]
    assert all(isinstance(failed.error, InvalidInput) for failed in result.failed)
    assert result.done == 2


async def test_what_the_engine_refuses_has_its_words(client):
    result = await client.batch.create("banners", [{"banner_id": "b1", "type": "main", "link": "/x"}])
    (failed,) = result.failed
    assert isinstance(failed.error, ItemRefused)
    assert "photo_url" in failed.error.message
    assert not failed.retryable


async def test_update_changes_what_is_given_and_nothing_else(client):
    await client.batch.create("products", [product(1)])
    changed = {"product_id": "p1", "variant_id": "v", "price": "9.00"}
    assert (await client.batch.update("products", [changed])).done == 1
    visitor = {"anonymous_id": "a1"}
    await client.events({"type": "pageview", "subtype": "product", "product_id": "p1"}, user=visitor)
    home = await client.events({"type": "pageview", "subtype": "home"}, user=visitor)
    [shown] = home["recent_product_skus"]
    assert (shown["price"], shown["name"]) == ("9.00", "Product 1")


async def test_delete_takes_ids_pairs_and_whole_items(client):
    await client.batch.create("products", [product(1), product(2), product(3), Product(product_id="p4")])
    result = await client.batch.delete("products", ["p1", ("p2", "v"), product(3), "p9"])
    assert [failed.ids for failed in result.failed] == [("p9",)]
    assert await client.products.ids() == ["p4"]


@pytest.mark.parametrize("verb", ["cancel", "delete"])
async def test_orders_are_cancelled_or_deleted(client, verb):
    await client.batch.create("orders", [Order(order_id="o1"), {"order_id": 2, "user_id": 0}])
    run = client.batch.cancel(["o1"]) if verb == "cancel" else client.batch.delete("orders", ["o1"])
    assert (await run).done == 1
    assert sorted(await client.orders.ids()) == (["2", "o1"] if verb == "cancel" else ["2"])


def test_the_plain_client_does_the_same(plain_client):
    results = list(plain_client.batch.create("users", ({"user_id": number} for number in range(600))))
    assert [result.ids for result in results] == [(str(number),) for number in range(600)]
    again = plain_client.batch.delete("users", ["1", "x"]).collect()
    assert (again.total, again.done) == (2, 1)


async def test_failed_ones_are_sent_again_in_one_call_and_keep_their_index(client):
    rows = [product(0), product(1, price="cheap"), product(2)]
    result = await client.batch.create("products", rows)
    rows[1]["price"] = "9"
    again = await client.batch.retry(result)
    assert (again.total, again.failed) == (1, [])
    mended = client.batch.retry(result)
    assert [each.index async for each in mended] == [1]


async def test_orders_cannot_be_updated(client):
    with pytest.raises(InvalidInput, match="orders can't be updated"):
        client.batch.update("orders", [])


@pytest.mark.parametrize("single", [{"product_id": "p1"}, "p1", b"p1", 5, None])
async def test_a_single_item_is_not_taken_for_many(client, single):
    with pytest.raises(InvalidInput, match="iterable"):
        client.batch.create("products", single)


async def test_a_kind_that_is_none_is_refused_with_those_there_are(client):
    with pytest.raises(InvalidInput, match="products, categories, users, orders, banners"):
        client.batch.create("product", [])


async def test_a_wrong_secret_ends_the_run(engine):
    from proxy.api import DataCueClient

    async with DataCueClient("test-key", "wrong", api_url=f"{engine.url}/v1") as stranger:
        with pytest.raises(Unauthorized, match="401"):
            await stranger.batch.create("products", [product(1)])
    async with DataCueClient("test-key", "wrong", api_url=f"{engine.url}/nowhere") as lost:
        with pytest.raises(NotFound):
            await lost.batch.create("products", [product(1)])


async def test_a_run_that_nobody_iterates_warns_that_nothing_was_sent(client):
    with pytest.warns(RuntimeWarning, match="never iterated"):
        client.batch.create("products", [])


async def test_a_run_is_iterated_once(client):
    run = client.batch.create("products", [])
    assert [result async for result in run] == []
    with pytest.raises(RuntimeError, match="once"):
        await run
