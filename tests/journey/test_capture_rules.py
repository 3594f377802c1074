"""Rules, identities and bodies through the real process, before a shop that answers what the test says."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from harness.peers import page, reply
from harness.wire import Wire, ask, request

FORM = "application/x-www-form-urlencoded"
RULES = """
[[pages]]
path = "/product/{product_id}"
kind = "product"

[[capture]]
event = "cart.add"
path = "/add"
form = { product_id = "id", variant_id = "variant?", quantity = "qty?" }

[[capture]]
event = "login"
path = "/login"
form = { user_id = "email" }

[[capture]]
event = "logout"
method = "GET"
path = "/logout"
"""
UUID = slice(8, 44)


@pytest.fixture
def forms(shop):
    shop.answers["/product/p1"] = reply(page("a chair"))
    for path, target in (("/add", "/cart"), ("/login", "/account"), ("/logout", "/")):
        shop.answers[path] = reply(b"", 303, f"location: {target}")
    return shop


async def met(proxy, vendor):
    """A visitor whom a page has met: their cookie."""
    got = await ask(proxy.address, "/product/p1")
    vendor.seen.clear()
    return got.cookie()


async def post(proxy, path, body, cookie, content_type=FORM, **more):
    return await ask(
        proxy.address, path, method="POST", body=body, cookie=cookie, content_type=content_type, **more
    )


def told(vendor):
    return [sent["event"] for sent in vendor.events]


def cart(*ids):
    return {"type": "cart", "subtype": "update", "cart": [{"product_id": one} for one in ids]}


MULTIPART = (
    b'--xx\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n\x89PNG\r\n'
    b'--xx\r\nContent-Disposition: form-data; name="id"\r\n\r\np5\r\n--xx--\r\n'
)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"token=x&id=p5"),
        ("multipart/form-data; boundary=xx", MULTIPART),
        ("application/json; charset=utf-8", b'{"id": "p5"}'),
    ],
)
async def test_a_form_of_any_kind_is_read_and_reaches_the_shop_as_it_came(
    run_proxy, forms, vendor, content_type, body
):
    proxy = await run_proxy(RULES)
    cookie = await met(proxy, vendor)
    got = await post(proxy, "/add", body, cookie, content_type)
    assert (got.status, got.get("location")) == (303, "/cart")
    assert told(vendor) == [cart("p5")]
    assert forms.seen[-1].body == body


async def test_when_the_last_byte_of_the_answer_is_there_the_event_is_acknowledged(run_proxy, forms, vendor):
    proxy = await run_proxy(RULES)
    cookie = await met(proxy, vendor)
    vendor.delay = 0.01
    for number in range(5):
        await post(proxy, "/add", b"id=p%d" % number, cookie)
        assert len(told(vendor)) == number + 1


async def test_a_body_streams_on_while_it_is_watched(run_proxy, forms, vendor):
    proxy = await run_proxy(RULES)
    cookie = await met(proxy, vendor)
    wire = await Wire.open(proxy.address)
    head = request("/add", "POST", cookie=cookie, content_type=FORM, content_length="10")
    await wire.send(head + b"id=")
    async with asyncio.timeout(10):
        while forms.connections < 2:
            await asyncio.sleep(0.01)
    await wire.send(b"p7&qty=2"[:7])
    assert (await wire.reply()).status == 303
    assert told(vendor) == [cart("p7")]
    await wire.close()


async def test_a_body_beyond_the_limit_passes_and_what_its_beginning_says_counts(run_proxy, forms, vendor):
    proxy = await run_proxy(RULES)
    cookie = await met(proxy, vendor)
    body = b"id=p8&note=" + b"x" * 300_000 + b"&id=p9"
    await post(proxy, "/add", body, cookie)
    assert forms.seen[-1].body == body
    assert told(vendor) == [cart("p8")]


async def test_what_the_shop_says_itself_is_not_told_twice(run_proxy, forms, vendor):
    said = 'x-datacue-event: {"type":"cart","subtype":"update","cart":[{"product_id":"its own"}]}'
    forms.answers["/add"] = reply(b"", 303, "location: /cart", said)
    proxy = await run_proxy(RULES)
    await post(proxy, "/add", b"id=p5", await met(proxy, vendor))
    assert told(vendor) == [cart("its own")]


@pytest.mark.parametrize(
    ("success", "answer", "counts"),
    [
        ("", reply(b"no", 200), False),
        ("", reply(b"", 500), False),
        ('status = "2xx"', reply(b"{}", 200), True),
        ("status = [201, 303]", reply(b"", 200), False),
        ('location = "/cart"', reply(b"", 302, "location: https://shop.example/cart/?x=1"), True),
        ('location = "/cart"', reply(b"", 302, "location: /login"), False),
        ('not_location = ["/login", "/error/{x*}"]', reply(b"", 302, "location: /error/1/2"), False),
        ('not_location = ["/login", "/error/{x*}"]', reply(b"", 302, "location: basket"), True),
        ('cookie = "cart"', reply(b"ok", 200, "set-cookie: a=1", "set-cookie: cart=7; Path=/"), True),
        ('cookie = "cart"', reply(b"ok", 200, "set-cookie: a=1"), False),
        ('cookie = "cart"', reply(b"", 404, "set-cookie: cart=7"), False),
    ],
)
async def test_what_the_answer_says_of_success(run_proxy, forms, vendor, success, answer, counts):
    forms.answers["/add"] = answer
    rules = RULES.replace('quantity = "qty?" }', f'quantity = "qty?" }}\nsuccess = {{ {success} }}')
    proxy = await run_proxy(rules)
    await post(proxy, "/add", b"id=p5", await met(proxy, vendor))
    assert told(vendor) == ([cart("p5")] if counts else [])


async def test_a_login_that_leads_back_to_its_form_is_none(run_proxy, forms, vendor):
    forms.answers["/login"] = reply(b"", 302, "location: /login?error=1")
    proxy = await run_proxy(RULES)
    got = await post(proxy, "/login", b"email=a%40b.example", await met(proxy, vendor))
    assert told(vendor) == []
    assert got.get("set-cookie") is None


async def test_a_login_by_form_is_kept_in_the_cookie_until_the_logout(run_proxy, forms, vendor):
    proxy = await run_proxy(RULES)
    cookie = await met(proxy, vendor)
    known = (await post(proxy, "/login", b"email=Ada%40Example.com", cookie)).cookie()
    await ask(proxy.address, "/product/p1", cookie=known)
    left = (await ask(proxy.address, "/logout", cookie=known)).cookie()
    await ask(proxy.address, "/product/p1", cookie=left)
    visitor = cookie[UUID]
    named = {"user_id": "ada@example.com", "anonymous_id": visitor}
    assert [(sent["event"]["type"], sent["user"]) for sent in vendor.events] == [
        ("login", named),
        ("pageview", named),
        ("pageview", {"anonymous_id": visitor}),
    ]


async def test_the_shops_header_names_the_user_of_a_login(run_proxy, forms, vendor):
    forms.answers["/login"] = reply(b"", 303, "location: /", 'x-datacue-user: {"user_id":"u7"}')
    proxy = await run_proxy(RULES)
    await post(proxy, "/login", b"email=a%40b.example", await met(proxy, vendor))
    assert [(sent["event"], sent["user"]["user_id"]) for sent in vendor.events] == [({"type": "login"}, "u7")]


def token(**claims):
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims, {})
    )


SESSION = {
    "user_cookie": ('user_cookie = "uid"\n', "u7"),
    "user_jwt": ('user_jwt = "uid:user.id"\n', token(user={"id": 7})),
}


@pytest.mark.parametrize("setting", SESSION)
async def test_the_shops_own_cookie_says_who_is_logged_in(run_proxy, forms, vendor, setting):
    toml, value = SESSION[setting]
    user = {"user_cookie": "u7", "user_jwt": "7"}[setting]
    forms.answers["/session"] = reply(b"", 303, "location: /", f"set-cookie: uid={value}; HttpOnly")
    proxy = await run_proxy(toml + RULES)
    cookie = await met(proxy, vendor)
    known = (await post(proxy, "/session", b"x=1", cookie)).cookie()
    await ask(proxy.address, "/product/p1", cookie=known)
    assert [(sent["event"]["type"], sent["user"]["user_id"]) for sent in vendor.events] == [
        ("login", user),
        ("pageview", user),
    ]
    vendor.seen.clear()
    # The same again is no second login; without the shop's cookie nobody is logged in.
    await post(proxy, "/session", b"x=1", known)
    gone = known.partition("datacue=")[2].partition(";")[0]
    await ask(proxy.address, "/product/p1", cookie=f"datacue={gone}")
    assert [sent["user"] for sent in vendor.events] == [{"anonymous_id": cookie[UUID]}]


@pytest.mark.parametrize("setting", SESSION)
async def test_a_cookie_that_a_client_made_up_names_nobody(run_proxy, forms, vendor, setting):
    toml, value = SESSION[setting]
    proxy = await run_proxy(toml + RULES)
    cookie = await met(proxy, vendor)
    await ask(proxy.address, "/product/p1", cookie=f"{cookie}; uid={value}")
    assert [sent["user"] for sent in vendor.events] == [{"anonymous_id": cookie[UUID]}]


async def test_a_shop_that_takes_its_cookie_back_logs_out(run_proxy, forms, vendor):
    forms.answers["/in"] = reply(b"", 303, "location: /", "set-cookie: uid=u7")
    forms.answers["/out"] = reply(b"", 303, "location: /", "set-cookie: uid=; Max-Age=0")
    proxy = await run_proxy(SESSION["user_cookie"][0] + RULES)
    known = (await post(proxy, "/in", b"x=1", await met(proxy, vendor))).cookie()
    left = (await ask(proxy.address, "/out", cookie=known)).cookie()
    vendor.seen.clear()
    await ask(proxy.address, "/product/p1", cookie=left)
    assert "user_id" not in vendor.events[0]["user"]


def config(user_id):
    return reply(
        page(f'<script>window.datacueConfig = {{page_type: "product", user_id: {user_id}}}</script>')
    )


async def test_datacue_config_names_the_user_of_the_next_pages_too(run_proxy, forms, vendor):
    proxy = await run_proxy(RULES)
    cookie = await met(proxy, vendor)
    forms.answers["/product/p1"] = config("'u7'")
    known = (await ask(proxy.address, "/product/p1", cookie=cookie)).cookie()
    await ask(proxy.address, "/product/p1", cookie=known)
    heard = [(sent["event"]["type"], sent["user"].get("user_id")) for sent in vendor.events]
    assert heard == [("pageview", None), ("login", "u7"), ("pageview", "u7")]
    forms.answers["/product/p1"] = config("null")
    left = (await ask(proxy.address, "/product/p1", cookie=known)).cookie()
    vendor.seen.clear()
    await ask(proxy.address, "/product/p1", cookie=left)
    assert "user_id" not in vendor.events[0]["user"]


async def test_a_cached_page_names_nobody(run_proxy, forms, vendor):
    proxy = await run_proxy(RULES)
    cookie = await met(proxy, vendor)
    body = config("'somebody else'").partition(b"\r\n\r\n")[2]
    forms.answers["/product/p1"] = reply(body, 200, "age: 30")
    got = await ask(proxy.address, "/product/p1", cookie=cookie)
    assert got.get("set-cookie") is None
    assert all("user_id" not in sent["user"] for sent in vendor.events)


async def test_a_login_whose_form_names_nobody_waits_for_the_page_that_does(run_proxy, forms, vendor):
    rules = RULES.replace('form = { user_id = "email" }', "")
    proxy = await run_proxy(rules)
    cookie = await met(proxy, vendor)
    await post(proxy, "/login", b"email=a%40b.example", cookie)
    assert told(vendor) == []
    forms.answers["/product/p1"] = config("'u7'")
    await ask(proxy.address, "/product/p1", cookie=cookie)
    assert [(sent["event"], sent["user"].get("user_id")) for sent in vendor.events][1:] == [
        ({"type": "login"}, "u7")
    ]


async def test_order_details_of_an_installed_plugin_go_to_the_rest_api_without_any_rule(
    run_proxy, shop, vendor
):
    details = '{order_status: "completed", timestamp: "2018-04-04 23:29:04Z", cart: [{product_id: "p1", variant_id: "v1", quantity: 2, unit_price: 24, currency: "EUR"}]}'
    script = f'<script>window.datacueConfig = {{page_type: "order confirmation", order_id: 81, user_id: "u7", order_details: {details}}}</script>'
    shop.answers["/thanks"] = reply(page(script))
    proxy = await run_proxy(f'api_secret = "s"\napi_url = "{vendor.url}/v1"\n')
    cookie = (await ask(proxy.address, "/thanks")).cookie()
    await ask(proxy.address, "/thanks", cookie=cookie)
    async with asyncio.timeout(10):
        while not vendor.seen:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    [call] = vendor.seen
    assert call.target == "/v1/orders"
    line = {"product_id": "p1", "variant_id": "v1", "quantity": 2, "unit_price": 24, "currency": "EUR"}
    assert json.loads(call.body) == {
        "order_id": "81",
        "user_id": "u7",
        "order_status": "completed",
        "timestamp": "2018-04-04T23:29:04.000Z",
        "cart": [line],
    }


async def test_without_a_secret_nothing_is_sent_to_the_rest_api(run_proxy, shop, vendor):
    shop.answers["/thanks"] = reply(
        page("<script>datacueConfig = {order_id: 81, order_details: {cart: []}}</script>")
    )
    proxy = await run_proxy()
    await ask(proxy.address, "/thanks")
    figures = (await ask(proxy.admin, "/metrics")).body.decode()
    assert "orders" not in figures
    assert vendor.seen == []


async def test_a_cart_survives_its_worker(run_proxy, forms, vendor):
    first = await run_proxy(RULES)
    cookie = await met(first, vendor)
    await post(first, "/add", b"id=p1", cookie)
    await first.stop()
    key = (first.folder / "state" / "secret.key").read_text()
    second = await run_proxy(RULES, DATACUE_STATE_DIR=str(first.folder / "state"), DATACUE_SECRET_KEYS=key)
    vendor.seen.clear()
    await post(second, "/add", b"id=p2", cookie)
    assert told(vendor) == [cart("p1", "p2")]


async def test_workers_agree_on_a_cart(run_proxy, forms, vendor):
    proxy = await run_proxy("workers = 2\n" + RULES)
    cookie = await met(proxy, vendor)
    await asyncio.gather(*(post(proxy, "/add", b"id=p%d" % number, cookie) for number in range(12)))
    async with asyncio.timeout(10):
        while len(told(vendor)) < 12:
            await asyncio.sleep(0.01)
    largest = max(told(vendor), key=lambda event: len(event["cart"]))
    assert sorted(line["product_id"] for line in largest["cart"]) == sorted(f"p{n}" for n in range(12))


async def test_a_file_of_carts_that_cannot_be_used_costs_cart_events_and_no_answer(
    run_proxy, forms, vendor, tmp_path
):
    proxy = await run_proxy(RULES)
    cookie = await met(proxy, vendor)
    (proxy.folder / "state" / "carts.sqlite3").mkdir()
    assert (await post(proxy, "/add", b"id=p1", cookie)).status == 303
    await post(proxy, "/login", b"email=a%40b.example", cookie)
    assert told(vendor) == [{"type": "login"}]
    figures = (await ask(proxy.admin, "/metrics")).body.decode()
    assert 'datacue_failures_total{error="carts",source="proxy"} 2.0' in figures


async def test_a_logout_by_a_link_counts_also_where_pages_are_left_alone(run_proxy, forms, vendor):
    proxy = await run_proxy('[[pages]]\npath = "/logout"\nkind = "none"\n' + RULES)
    known = (await post(proxy, "/login", b"email=a%40b.example", await met(proxy, vendor))).cookie()
    left = (await ask(proxy.address, "/logout", cookie=known)).cookie()
    vendor.seen.clear()
    await ask(proxy.address, "/product/p1", cookie=left)
    assert "user_id" not in vendor.events[0]["user"]


async def test_with_the_consent_goes_what_was_remembered_of_the_cart(run_proxy, forms, vendor):
    proxy = await run_proxy('consent = "ok=1"\n' + RULES)
    cookie = (await ask(proxy.address, "/product/p1", cookie="ok=1")).cookie() + "; ok=1"
    await post(proxy, "/add", b"id=p1", cookie)
    assert "Max-Age=0" in (
        await ask(proxy.address, "/product/p1", cookie=cookie.replace("ok=1", "ok=0"))
    ).get("set-cookie")
    vendor.seen.clear()
    await post(proxy, "/add", b"id=p2", cookie)
    assert told(vendor) == [cart("p2")]


async def test_a_form_of_which_the_shop_says_off_is_left_alone(run_proxy, forms, vendor):
    forms.answers["/add"] = reply(b"", 303, "location: /cart", "x-datacue-off: 1")
    proxy = await run_proxy(RULES)
    got = await post(proxy, "/add", b"id=p5", await met(proxy, vendor))
    assert (got.status, told(vendor)) == (303, [])
