"""Every resource and verb against the embedded engine, over HTTP, in both faces."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from proxy.api import (
    NO_VARIANTS,
    Banner,
    CartLine,
    Category,
    InvalidInput,
    Order,
    Overview,
    Product,
    ProductCounts,
    Rejected,
    Unauthorized,
    User,
)

ITEMS = {
    "products": Product(
        product_id="p1",
        variant_id="v1",
        category_1="men",
        name="Jeans",
        price=Decimal("1299.90"),
        stock=5,
        photo_url="/p1.jpg",
        link="/p/p1",
        extra={"badge": Decimal("0.10")},
    ),
    "categories": Category(category_id="c1", name="Men", link="/men"),
    "users": User(user_id="u1", first_name="Ann", timestamp=datetime(2018, 4, 4, tzinfo=UTC)),
    "orders": Order(
        order_id="o1", user_id="u1", cart=[CartLine(product_id="p1", quantity=1, unit_price=Decimal(24))]
    ),
    "banners": Banner(banner_id="b1", type="main", category_1="men", photo_url="/b.jpg", link="/men"),
}
IDS = {
    "products": ("p1", "v1"),
    "categories": ("c1",),
    "users": ("u1",),
    "orders": ("o1",),
    "banners": ("b1",),
}
CHANGES = {
    "products": {"product_id": "p1", "variant_id": "v1", "stock": 0},
    "categories": {"category_id": "c1", "name": "Women"},
    "users": {"user_id": "u1", "profile": {"location": "singapore"}},
    "orders": {"order_id": "o1", "order_status": "cancelled"},
    "banners": {"banner_id": "b1", "link": "/new"},
}


@pytest.fixture(params=["awaited", "plain"])
def face(request):
    """Calls a method of either face, the same way."""
    if request.param == "awaited":
        client = request.getfixturevalue("client")

        async def call(method, *args, **more):
            return await method(*args, **more)
    else:
        client = request.getfixturevalue("plain_client")

        async def call(method, *args, **more):
            found = method(*args, **more)
            assert not inspect.isawaitable(found)
            return found

    return client, call


@pytest.mark.parametrize("kind", ITEMS)
async def test_a_resource_is_created_updated_listed_and_deleted(face, kind):
    client, call = face
    resource = getattr(client, kind)
    assert await call(resource.create, ITEMS[kind]) is None
    assert await call(resource.update, CHANGES[kind]) is None
    assert await call(resource.ids) == [IDS[kind][0]]
    assert await call(resource.delete, *IDS[kind]) is None
    assert await call(resource.ids) == []


@pytest.mark.parametrize("kind", ITEMS)
async def test_all_of_a_kind_are_deleted(client, kind):
    await client.batch.create(kind, [ITEMS[kind]])
    await getattr(client, kind).delete_all()
    assert await getattr(client, kind).ids() == []


async def test_a_product_is_deleted_with_all_its_variants(client):
    await client.batch.create("products", [{"product_id": 1, "variant_id": v} for v in "abc"])
    await client.products.delete("1", "a")
    assert (await client.overview()).products == ProductCounts(1, 2)
    await client.products.delete("1")
    assert (await client.overview()).products == ProductCounts(0, 0)


async def test_an_order_that_is_cancelled_is_kept(face):
    client, call = face
    await call(client.orders.create, ITEMS["orders"])
    await call(client.orders.cancel, "o1")
    assert await call(client.orders.ids) == ["o1"]


async def test_the_overview_counts(face):
    client, call = face
    await call(client.products.create, ITEMS["products"])
    assert await call(client.overview) == Overview(ProductCounts(1, 1))


async def test_a_page_view_is_answered_with_recommendations_and_a_login_with_nothing(face):
    client, call = face
    user = {"anonymous_id": "a1"}
    home = await call(
        client.events,
        {"type": "pageview", "subtype": "home"},
        user=user,
        timestamp=datetime(2024, 1, 1, tzinfo=UTC),
        context={"ip": "12.34.56.78"},
    )
    assert "recent_product_skus" in home
    assert await call(client.events, {"type": "login"}, user={"user_id": "u1"}) is None


async def test_prices_arrive_with_their_own_digits(client, engine):
    await client.products.create(ITEMS["products"])
    view = {"type": "pageview", "subtype": "product", "product_id": "p1", "variant_id": "v1"}
    await client.events(view, user={"anonymous_id": "a1"})
    home = await client.events({"type": "pageview", "subtype": "home"}, user={"anonymous_id": "a1"})
    (recent,) = home["recent_product_skus"]
    assert recent["price"] == "1299.90"
    assert recent["extra"] == {"badge": 0.10}


@pytest.mark.parametrize(
    "name", ["a/b", "a?b", "a#b", "100%", "%2F", ".", "..", "a b", "ü-ö/ß", "日本", "a+b", "a&b=c", ";", ":@"]
)
async def test_whatever_an_id_holds_it_is_the_id_that_is_meant(client, name):
    for product_id in (name, "other"):
        await client.products.create({"product_id": product_id, "variant_id": name})
    await client.products.update({"product_id": name, "variant_id": name, "stock": 2})
    assert sorted(await client.products.ids()) == sorted([name, "other"])
    await client.products.delete(name, name)
    assert await client.products.ids() == ["other"]
    await client.users.create({"user_id": name})
    await client.users.update({"user_id": name, "title": "Dr"})
    assert await client.users.ids() == [name]
    await client.users.delete(name)
    assert await client.users.ids() == []


@pytest.mark.parametrize("nothing", ["", None])
async def test_an_empty_id_never_becomes_a_path_that_means_all(client, nothing):
    for delete in (client.products.delete, client.users.delete, client.orders.delete, client.orders.cancel):
        with pytest.raises(InvalidInput):
            await delete(nothing)
    with pytest.raises(InvalidInput):
        await client.products.delete("p1", "")
    with pytest.raises(InvalidInput):
        await client.users.update({"title": "Dr"})


async def test_an_update_of_nothing_is_refused(client):
    with pytest.raises(InvalidInput, match="no field to change"):
        await client.users.update({"user_id": "u1"})


async def test_a_product_without_variant_has_the_guides_constant(client, engine):
    await client.products.create({"product_id": "p1", "name": "Sofa"})
    await client.products.delete("p1", NO_VARIANTS)
    assert await client.products.ids() == []


async def test_what_the_engine_refuses_is_said_with_the_call_and_its_words(face):
    client, call = face
    with pytest.raises(Rejected) as caught:
        await call(client.banners.create, {"banner_id": "b1", "type": "main", "link": "/x"})
    error = caught.value
    assert (error.request, error.answered, error.source, error.retryable) == (
        "POST /banners",
        400,
        "client",
        False,
    )
    assert str(error).startswith("POST /banners: 400: Please specify a valid photo_url")


async def test_wrong_credentials_are_the_callers(engine):
    from proxy.api import DataCueClient

    async with DataCueClient("test-key", "wrong", api_url=f"{engine.url}/v1") as stranger:
        with pytest.raises(Unauthorized, match="GET /overview: 401") as caught:
            await stranger.overview()
    assert caught.value.source == "client"
