"""What shoppers do in a shop without a line of JavaScript, and the exact JSON that DataCue gets of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import threading

import pytest
import uvicorn
from harness.peers import Vendor, product
from harness.process import Proxy
from harness.shopper import Shopper
from harness.wire import BROWSER

from proxy.demo.shop import create_shop

CONTEXT = {"ip": "127.0.0.1", "user_agent": BROWSER}
TOWEL = "/product/towel-1"
ADA = {"name": "Ada Lovelace", "email": "Ada@example.com", "password": "difference engine"}
HOME = {
    "name": "Ada Lovelace",
    "email": "Ada@example.com",
    "street": "12 St James Square",
    "postcode": "SW1Y4JH",
    "city": "London",
}


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
def demo_shop():
    """The demo shop, served; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_shop(), access_log=False, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield "http://{}:{}".format(*listener.getsockname())
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
async def vendor():
    """DataCue: its events endpoint and, under /v1, its REST API."""
    peer = await Vendor().start()
    peer.recommendations = {
        "main_banners": [{"banner_id": "b1", "link": "/cart", "photo_url": "/b.jpg", "name": ""}],
        "related_product_skus": [product(7)],
        "recent_product_skus": [product(9)],
    }
    yield peer
    await peer.stop()


@pytest.fixture(scope="module")
async def proxy(tmp_path_factory, vendor, demo_shop):
    toml = f'preset = "demo"\napi_key = "k"\napi_secret = "s3cret"\nevents_url = "{vendor.url}/"\napi_url = "{vendor.url}/v1"\n'
    proxy = await Proxy(tmp_path_factory.mktemp("demo-proxy"), toml, "--upstream", demo_shop).start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def shopper(proxy, vendor):
    vendor.seen.clear()
    async with Shopper(proxy.url, vendor) as shopper:
        yield shopper


def link(page, pattern):
    return re.search(f'href="({pattern}[^"]*)"', page.text)[1].replace("&amp;", "&")


async def buys(shopper):
    await shopper.open(TOWEL)
    await shopper.submit("/cart/add", quantity="2")


async def registers(shopper):
    await shopper.open("/register")
    await shopper.submit("/register", **ADA | {"email": f"{shopper.anonymous_id}@example.com"})


# The guide's eleven events: what somebody did before, what they do, and what DataCue gets.


async def views_home(shopper):
    await shopper.open("/")


async def views_a_product(shopper):
    await shopper.open(TOWEL)


async def views_a_category(shopper):
    await shopper.open("/category/bathroom/towels")


async def puts_it_into_the_cart(shopper):
    await shopper.open(TOWEL)
    shopper.heard()
    await shopper.submit("/cart/add")


async def searches(shopper):
    await shopper.open("/search?q=tables")


async def wishes(shopper):
    await shopper.open(TOWEL)
    shopper.heard()
    await shopper.submit("/wishlist/add")


async def wishes_no_more(shopper):
    await wishes(shopper)
    shopper.heard()
    await shopper.submit("/wishlist/remove")


async def clicks_a_banner(shopper):
    page = await shopper.open("/")
    shopper.heard()
    await shopper.get(link(page, "/_datacue/click/"), follow_redirects=False)


async def clicks_a_product(shopper):
    page = await shopper.open(TOWEL)
    shopper.heard()
    await shopper.get(link(page, "/_datacue/click/"), follow_redirects=False)


async def goes_to_the_till(shopper):
    await buys(shopper)
    shopper.heard()
    await shopper.open("/checkout")


async def logs_in(shopper):
    await registers(shopper)
    await shopper.open("/account")
    await shopper.submit("/logout")
    await shopper.open("/login")
    shopper.heard()
    await shopper.submit("/login", email=f"{shopper.anonymous_id}@example.com", password=ADA["password"])


ELEVEN = [
    (views_home, {"type": "pageview", "subtype": "home"}),
    (views_a_product, {"type": "pageview", "subtype": "product", "product_id": "1", "variant_id": "1-a"}),
    (views_a_category, {"type": "pageview", "subtype": "category", "category_name": "Towels"}),
    (
        puts_it_into_the_cart,
        {"type": "cart", "subtype": "update", "cart": [{"product_id": "1", "variant_id": "1-a"}]},
    ),
    (searches, {"type": "search", "term": "tables"}),
    (wishes, {"type": "wishlist", "subtype": "add", "product_id": "1"}),
    (wishes_no_more, {"type": "wishlist", "subtype": "remove", "product_id": "1"}),
    (clicks_a_banner, {"type": "click", "subtype": "banner", "banner_id": "b1"}),
    (clicks_a_product, {"type": "click", "subtype": "related", "product_id": "7"}),
    (
        goes_to_the_till,
        {
            "type": "checkout",
            "subtype": "started",
            "cart": [{"product_id": "1", "variant": "1-a", "quantity": 2, "price": 24, "currency": "USD"}],
        },
    ),
    (logs_in, {"type": "login"}),
]


@pytest.mark.parametrize(("does", "event"), ELEVEN, ids=[does.__name__ for does, _ in ELEVEN])
async def test_each_of_the_guides_eleven_events(shopper, does, event):
    await does(shopper)
    user = {"anonymous_id": shopper.anonymous_id}
    if event["type"] == "login":
        user = {"user_id": f"{shopper.anonymous_id}@example.com", **user}
    assert shopper.heard()[0] == ("POST /", {"user": user, "event": event, "context": CONTEXT})


async def test_whoever_logs_in_is_known_until_they_log_out(shopper):
    await logs_in(shopper)
    user = {"user_id": f"{shopper.anonymous_id}@example.com", "anonymous_id": shopper.anonymous_id}
    await shopper.open(TOWEL)
    await shopper.open("/account")
    await shopper.submit("/logout")
    heard = [(document["event"].get("subtype"), document["user"]) for where, document in shopper.heard()]
    assert heard[:2] == [(None, user), ("product", user)]
    assert heard[2] == ("home", {"anonymous_id": shopper.anonymous_id})


async def test_a_login_that_is_refused_is_none(shopper):
    await shopper.open("/login")
    shopper.heard()
    await shopper.submit("/login", email="nobody@example.com", password="wrong")
    assert shopper.page.status_code == 422
    assert shopper.heard() == []


async def test_whoever_returns_logged_in_does_not_log_in_again(shopper):
    await logs_in(shopper)
    shopper.heard()
    await shopper.open("/")
    assert shopper.told() == []


async def test_the_cart_event_carries_the_whole_cart(shopper):
    await buys(shopper)
    await shopper.open("/product/towel-2")
    await shopper.submit("/cart/add")
    towel, other = {"product_id": "1", "variant_id": "1-a"}, {"product_id": "2"}
    assert [event["cart"] for event in shopper.told()] == [[towel], [towel, other]]
    await shopper.submit("/cart/remove")
    assert [event["cart"] for event in shopper.told()] == [[other]]
    await shopper.submit("/cart/remove")
    assert [event["cart"] for event in shopper.told()] == [[]]


async def test_a_quantity_that_changes_is_a_changed_cart_and_a_page_that_shows_the_same_is_none(shopper):
    await buys(shopper)
    shopper.heard()
    await shopper.submit("/cart/update", quantity="3")
    assert [event["type"] for event in shopper.told()] == ["cart"]
    await shopper.open("/cart")
    await shopper.open("/cart")
    assert shopper.told() == []


async def test_the_checkout_starts_once_for_each_cart(shopper):
    await goes_to_the_till(shopper)
    await shopper.open("/checkout")
    assert [event["type"] for event in shopper.told()] == ["checkout"]
    await shopper.open("/cart")
    await shopper.submit("/cart/update", quantity="1")
    shopper.heard()
    await shopper.open("/checkout")
    assert [event["cart"][0]["quantity"] for event in shopper.told()] == [1]


def signed(call, secret=b"s3cret"):
    """Whether a call carries the guide's signature."""
    scheme, _, credentials = call.get("authorization").partition(" ")
    expected = hmac.new(secret, call.body, hashlib.sha256).hexdigest()
    return scheme == "Basic" and base64.b64decode(credentials).decode() == f"k:{expected}"


async def test_a_placed_order_goes_to_the_rest_api_once(shopper):
    await buys(shopper)
    await shopper.open("/checkout")
    thanks = await shopper.submit("/checkout", **HOME)
    [call] = await shopper.called("/v1/orders")
    assert call.method == "POST"
    assert signed(call)
    order = json.loads(call.body)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", order.pop("timestamp"))
    line = {"product_id": "1", "variant_id": "1-a", "quantity": 2, "unit_price": 24, "currency": "USD"}
    assert order == {"order_id": thanks.url.path.rpartition("/")[2], "user_id": "no-user", "cart": [line]}
    shopper.heard()
    await shopper.open(thanks.url.path)
    await buys(shopper)  # time for a second one to arrive, and a cart that begins anew
    heard = shopper.heard()
    assert all(where == "POST /" for where, _ in heard)
    assert [{"product_id": "1", "variant_id": "1-a"}] in [
        document["event"].get("cart") for _, document in heard
    ]


async def test_an_order_of_somebody_who_is_logged_in_is_theirs(shopper):
    await logs_in(shopper)
    await buys(shopper)
    await shopper.open("/checkout")
    await shopper.submit("/checkout", **HOME)
    [call] = await shopper.called("/v1/orders")
    assert json.loads(call.body)["user_id"] == f"{shopper.anonymous_id}@example.com"


async def test_a_sign_up_goes_to_the_rest_api(shopper):
    await registers(shopper)
    [call] = await shopper.called("/v1/users")
    assert call.method == "POST"
    assert signed(call)
    user = json.loads(call.body)
    assert user.pop("timestamp").endswith("Z")
    email = f"{shopper.anonymous_id}@example.com"
    assert user == {
        "user_id": email,
        "anonymous_id": shopper.anonymous_id,
        "email": email,
        "first_name": "Ada Lovelace",
    }
    await shopper.open("/")
    assert shopper.heard()[-1][1]["user"]["user_id"] == email


NOT_COUNTED = [
    {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
    {"sec-gpc": "1"},
    {"dnt": "1"},
    {"sec-purpose": "prefetch"},
]


@pytest.mark.parametrize("headers", NOT_COUNTED, ids=lambda headers: next(iter(headers)))
async def test_nothing_is_captured_of_who_is_not_counted(proxy, demo_shop, vendor, shopper, headers):
    await buys(shopper)
    shopper.heard()
    shopper.headers.update(headers)
    await shopper.open("/cart")
    await shopper.submit("/cart/update", quantity="1")
    await shopper.open("/checkout")
    await shopper.submit("/checkout", **HOME)
    await shopper.open("/register")
    await shopper.submit(
        "/register",
        **ADA | {"email": f"{headers}@example.com".translate({ord(c): None for c in "{}': ;,()/"})},
    )
    assert shopper.heard() == []


async def test_a_form_of_somebody_whom_no_page_has_met_is_not_counted(shopper):
    await buys(shopper)
    shopper.heard()
    del shopper.cookies["datacue"]
    await shopper.post("/cart/update", data={"product_id": "1"}, follow_redirects=False)
    assert shopper.heard() == []


async def test_orders_and_sign_ups_wait_for_nobody_and_survive_an_outage(shopper, vendor):
    vendor.status = 503
    try:
        await registers(shopper)
    finally:
        vendor.status = 200
    shopper.heard()
    assert await shopper.called("/v1/users")
