"""What shoppers do in django-oscar as it comes, with `preset = "oscar"` alone: the JSON that DataCue gets."""

from __future__ import annotations

import json

import pytest
from harness.peers import Vendor
from harness.process import Proxy
from harness.shopper import Shopper
from harness.wire import BROWSER

CONTEXT = {"ip": "127.0.0.1", "user_agent": BROWSER}
BASIL, TROWEL = "/catalogue/sweet-basil_9/", "/catalogue/hand-trowel_18/"
PASSWORD = "difference engine"


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
async def vendor():
    peer = await Vendor().start()
    peer.recommendations = {"related_product_skus": []}
    yield peer
    await peer.stop()


@pytest.fixture(scope="module")
async def proxy(tmp_path_factory, vendor, oscar_shop):
    toml = (
        'preset = "oscar"\ncurrency = "GBP"\napi_key = "k"\napi_secret = "s3cret"\n'
        f'events_url = "{vendor.url}/"\napi_url = "{vendor.url}/v1"\n'
    )
    proxy = await Proxy(tmp_path_factory.mktemp("oscar-capture"), toml, "--upstream", oscar_shop.url).start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def shopper(proxy, vendor):
    vendor.seen.clear()
    async with Shopper(proxy.url, vendor) as shopper:
        yield shopper


async def registers(shopper):
    await shopper.open(BASIL)  # who hasn't looked at anything isn't known yet
    await shopper.open("/accounts/login/")
    email = f"{shopper.anonymous_id}@example.com"
    fields = {
        "registration-email": email,
        "registration-password1": PASSWORD,
        "registration-password2": PASSWORD,
    }
    await shopper.submit(
        "/accounts/login/", having="registration-email", registration_submit="Register", **fields
    )
    assert shopper.page.url.path == "/accounts/profile/"
    return email


async def puts_it_into_the_basket(shopper):
    await shopper.open(BASIL)
    shopper.heard()
    await shopper.submit("/basket/add/9/", quantity="2")


async def goes_to_the_till(shopper):
    await puts_it_into_the_basket(shopper)
    await shopper.open("/basket/")
    shopper.heard()
    await shopper.open("/checkout/")


async def wishes(shopper):
    await registers(shopper)
    await shopper.open(BASIL)
    shopper.heard()
    await shopper.submit("/accounts/wishlists/add/9/")


async def wishes_no_more(shopper):
    await wishes(shopper)
    shopper.heard()
    action = next(form.action for form in shopper.forms() if form.action.endswith("/products/9/delete/"))
    await shopper.submit(action)


async def logs_in(shopper):
    email = await registers(shopper)
    await shopper.open("/accounts/logout/")
    await shopper.open("/accounts/login/")
    shopper.heard()
    fields = {"login-username": email, "login-password": PASSWORD}
    await shopper.submit("/accounts/login/", having="login-username", login_submit="Log In", **fields)


BASKET = {"type": "cart", "subtype": "update", "cart": [{"product_id": "9"}]}
STARTED = {
    "type": "checkout",
    "subtype": "started",
    "cart": [{"product_id": "9", "quantity": 2, "price": 3.2, "currency": "GBP"}],
}
EVENTS = [
    (puts_it_into_the_basket, BASKET, False),
    (goes_to_the_till, STARTED, False),
    (wishes, {"type": "wishlist", "subtype": "add", "product_id": "9"}, True),
    (wishes_no_more, {"type": "wishlist", "subtype": "remove", "product_id": "9"}, True),
    (logs_in, {"type": "login"}, True),
]


@pytest.mark.parametrize(("does", "event", "known"), EVENTS, ids=[does.__name__ for does, *_ in EVENTS])
async def test_the_guides_event_of_each_form(shopper, does, event, known):
    await does(shopper)
    user = {"anonymous_id": shopper.anonymous_id}
    if known:
        user = {"user_id": f"{shopper.anonymous_id}@example.com", **user}
    assert shopper.heard()[0] == ("POST /", {"user": user, "event": event, "context": CONTEXT})


async def test_the_basket_page_says_what_its_own_form_left(shopper):
    await puts_it_into_the_basket(shopper)
    await shopper.open(TROWEL)
    await shopper.submit("/basket/add/18/", quantity="1")
    await shopper.open("/basket/")
    shopper.heard()
    changed = {"form-0-quantity": "0", "form-1-quantity": "3"}
    await shopper.submit(None, having="form-0-quantity", **changed)
    assert [event["cart"] for event in shopper.told()] == [[{"product_id": "18"}]]
    await shopper.submit(None, having="form-0-quantity", **{"form-0-quantity": "0"})
    assert "Your basket is empty" in shopper.page.text
    assert [event["cart"] for event in shopper.told()] == [[]]


async def test_a_guest_buys(shopper):
    await goes_to_the_till(shopper)
    await shopper.submit(None, having="options", username="guest@example.com", options="anonymous")
    home = {"first_name": "Ada", "last_name": "Lovelace", "line1": "12 St James's Square", "line4": "London"}
    await shopper.submit(None, having="line1", **home, postcode="SW1Y 4JH")
    await shopper.open("/checkout/preview/")
    await shopper.submit("/checkout/preview/", action="place_order")
    [call] = await shopper.called("/v1/orders")
    order = json.loads(call.body)
    assert order.pop("order_id") in shopper.page.text
    assert order.pop("timestamp")
    line = {
        "product_id": "9",
        "variant_id": "no-variants",
        "quantity": 2,
        "unit_price": 3.2,
        "currency": "GBP",
    }
    assert order == {"user_id": "no-user", "cart": [line]}
    assert [event["type"] for event in shopper.told()] == ["checkout"]


async def test_a_new_customer_is_told_and_logging_out_ends_it(shopper):
    email = await registers(shopper)
    [call] = await shopper.called("/v1/users")
    assert json.loads(call.body)["user_id"] == json.loads(call.body)["email"] == email
    shopper.heard()
    await shopper.open(BASIL)
    await shopper.open("/accounts/logout/")
    await shopper.open(BASIL)
    users = [document["user"].get("user_id") for where, document in shopper.heard() if where == "POST /"]
    assert users[0] == email
    assert users[-1] is None


async def test_a_login_that_is_refused_is_none(shopper):
    await shopper.open(BASIL)
    await shopper.open("/accounts/login/")
    shopper.heard()
    fields = {"login-username": "nobody@example.com", "login-password": "wrong"}
    await shopper.submit("/accounts/login/", having="login-username", login_submit="Log In", **fields)
    assert "login" not in [event["type"] for event in shopper.told()]
