"""A real shop that no one here wrote, personalized by settings alone: the lines of docs/shops.md."""

from __future__ import annotations

import asyncio
import re

import httpx
import lxml.html
import pytest
from harness.docs import PATIENT, settings_for
from harness.process import Proxy
from harness.wire import BROWSER
from oscar_shop import goods

TOML = settings_for("django-oscar")

NAMES = [good.name for products in goods.GOODS.values() for good in products]
SOLD_OUT = {good.name for products in goods.GOODS.values() for good in products if not good.stock}
INDOOR = [good.name for good in goods.GOODS[goods.INDOOR]]
FIG = "Fiddle-leaf fig"
TITLES = ".//p[@class='datacue-rec-product-title']"
ATTEMPTS = 200
"""Page views, or looks at the figures, until something in the background must have happened."""

PER_VISIT = re.compile(rb'(?<=csrfmiddlewaretoken" value=")\w{64}|(?<=<meta name="created" content=")[^"]*')
"""What oscar writes anew into every page."""


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
async def proxy(oscar_shop, tmp_path_factory):
    """The product in front of oscar: no key, so the embedded engine answers, and knows nothing at first."""
    proxy = Proxy(
        tmp_path_factory.mktemp("oscar-proxy"), TOML, "--upstream", oscar_shop.url, environment=PATIENT
    )
    await proxy.start()
    yield proxy
    await proxy.stop()


def browser(url, cookies=None, **headers):
    """A visitor with a browser; whom python-httpx speaks for is no visitor."""
    headers = {"user-agent": BROWSER, "accept": "text/html,*/*;q=0.8", **headers}
    return httpx.AsyncClient(
        base_url=url, headers=headers, cookies=cookies, follow_redirects=True, trust_env=False, timeout=60
    )


@pytest.fixture
async def visitor(proxy):
    async with browser(proxy.url) as client:
        yield client


@pytest.fixture(scope="module")
async def looked_at(proxy):
    """Where each product is, by name, once somebody has looked at all of them and the engine knows them."""
    async with browser(proxy.url) as early:
        links = {}
        for page in ("/catalogue/", "/catalogue/?page=2"):
            tree = lxml.html.fromstring((await early.get(page)).text)
            links |= {a.get("title"): a.get("href") for a in tree.xpath("//h3/a[@title]")}
        assert sorted(links) == sorted(NAMES)
        for link in links.values():
            assert (await early.get(link)).status_code == 200
        await learned(proxy, len(NAMES))
    return links


async def learned(proxy, amount):
    """Waits until that many products went from pages to the engine."""
    host, port = proxy.admin
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(ATTEMPTS):
            figures = (await client.get(f"http://{host}:{port}/metrics")).text
            found = re.search(r'learned_products_total\{outcome="learned"\} (\d+)', figures)
            if found and int(found[1]) >= amount:
                return int(found[1])
            await asyncio.sleep(0.02)
    raise AssertionError(f"never learned:\n{figures}")


def lists(page):
    """The product lists that were put into a page: name to the names on its cards."""
    found = {}
    for section in lxml.html.fromstring(page.text).xpath("//section[contains(@class,'datacue-rec-section')]"):
        kind = section.get("class").split()[1].removeprefix("datacue-")
        cards = [title.text_content().strip() for title in section.xpath(TITLES)]
        found[kind] = found.get(kind, []) + cards
    return found


def cards(page, name):
    """The cards of a product in a page."""
    return lxml.html.fromstring(page.text).xpath("//li[@class='datacue-rec'][.//bdi=$name]", name=name)


async def submit(visitor, page, action, /, **typed):
    """Fills in a form of a page as a browser does and sends it; ``action`` None is the page's own."""
    form = next(
        form
        for form in lxml.html.fromstring(page.text).forms
        if form.action in {action, page.url.path} and form.method == "POST"
    )
    filled = {name: value for name, value in form.fields.items() if value is not None} | typed
    headers = {"origin": str(page.url.join("/")).rstrip("/"), "referer": str(page.url)}
    return await visitor.post(action or page.url, data=filled, headers=headers)


async def test_the_product_seen_before_is_shown_on_the_next_page(proxy, visitor, looked_at):
    await visitor.get(looked_at["Monstera"])
    seen = await visitor.get(looked_at["Rosemary"])
    assert lists(seen)["recent"] == ["Monstera"]
    seen = await visitor.get(looked_at["Zinc tub"])
    assert lists(seen)["recent"] == ["Rosemary", "Monstera"]
    for page in ("/catalogue/", "/catalogue/category/seeds_7/", "/search/?q=pot", "/basket/"):
        shown = lists(await visitor.get(page))
        assert shown["recent"][0] == "Zinc tub", page


async def test_a_catalogue_is_learned_from_the_pages_of_the_shop(visitor, looked_at):
    page = await visitor.get(looked_at["Monstera"])
    assert {"Rubber fig", "Snake plant"} <= set(lists(page)["similar"])
    [card] = cards(page, "Rubber fig")
    assert card.xpath("string(.//p[@class='datacue-rec-prices'])").strip() == "£29.50"
    photo = await visitor.get(card.xpath(".//img/@src")[0])
    assert photo.headers["content-type"] == "image/jpeg"


async def test_a_card_leads_to_its_product(visitor, looked_at):
    page = await visitor.get(looked_at["Monstera"])
    [card] = cards(page, "Rubber fig")
    followed = await visitor.get(card.xpath(f"{TITLES}/a/@href")[0])
    assert followed.status_code == 200
    assert followed.url.path == looked_at["Rubber fig"]
    assert lists(followed)["recent"] == ["Monstera"]


@pytest.mark.parametrize("name", [*INDOOR[:3], "Terracotta pot", 'Digging fork "Old & True"'])
async def test_lists_show_only_what_can_be_bought(visitor, looked_at, name):
    shown = lists(await visitor.get(looked_at[name]))
    assert {"related", "similar"} & shown.keys()
    names = [other for found in shown.values() for other in found]
    assert set(names) <= set(NAMES) - SOLD_OUT - {name}
    assert len(names) == len(set(names))


async def test_a_category_shows_its_own_top_products(visitor, looked_at):
    page = await visitor.get("/catalogue/category/plants/indoor-plants_2/")
    assert lists(page)["top"]
    assert set(lists(page)["top"]) <= set(INDOOR) - SOLD_OUT


@pytest.mark.parametrize(
    "target",
    [
        "/catalogue/",
        "/catalogue/category/plants_1/",
        "/catalogue/monstera_1/",
        "/search/?q=seeds",
        "/basket/",
        "/accounts/login/",
        "/nothing/",
    ],
)
async def test_outside_of_the_slot_the_shops_bytes_are_unchanged(oscar_shop, visitor, looked_at, target):
    await visitor.get(looked_at["Rosemary"])
    known = {name: value for name, value in visitor.cookies.items() if name != "datacue"}
    ours = await visitor.get(target)
    async with browser(oscar_shop.url, cookies=known) as neighbour:
        theirs = await neighbour.get(target)
    assert ours.status_code == theirs.status_code
    got, sent = PER_VISIT.sub(b"", ours.content), PER_VISIT.sub(b"", theirs.content)
    same = next((n for n, (a, b) in enumerate(zip(got, sent, strict=False)) if a != b), len(sent))
    added = got[same : len(got) - len(sent) + same]
    assert got[:same] + got[same + len(added) :] == sent
    if target == "/accounts/login/":
        assert added == b""
    else:
        assert added.count(b"<section") == added.count(b"</section>") > 0
        assert b"datacue-recent" in added


async def test_what_was_put_in_is_bought_by_a_guest(proxy, visitor, looked_at):
    page = await visitor.get(looked_at[FIG])
    again = await submit(visitor, page, "/basket/add/7/", quantity="2")
    assert [hop.status_code for hop in again.history] == [302]
    assert again.url == page.url
    assert "been added to your basket" in again.text
    basket = await visitor.get("/basket/")
    assert "£2,098.00" in basket.text
    assert FIG in lists(basket)["recent"]
    gate = await visitor.get("/checkout/")
    assert not lists(gate)
    address = await submit(visitor, gate, None, username="guest@example.com", options="anonymous")
    assert address.url.path == "/checkout/shipping-address/"
    home = {"line1": "12 St James's Square", "line4": "London", "postcode": "SW1Y 4JH"}
    payment = await submit(visitor, address, None, first_name="Ada", last_name="Lovelace", **home)
    assert payment.url.path == "/checkout/payment-details/"
    preview = await visitor.get("/checkout/preview/")
    assert "12 St James&#x27;s Square" in preview.text
    thanks = await submit(visitor, preview, "/checkout/preview/", action="place_order")
    assert thanks.url.path == "/checkout/thank-you/"
    assert FIG in thanks.text
    assert not lists(thanks)
    # Both figs are sold now: with the next visit to its page, the fig leaves every list.
    before = await learned(proxy, 0)
    assert "Unavailable" in (await visitor.get(looked_at[FIG])).text
    await learned(proxy, before + 1)
    async with browser(proxy.url) as other:
        shown = lists(await other.get(looked_at["Rubber fig"]))
    assert FIG not in [name for names in shown.values() for name in names]


async def test_an_account_is_opened_and_left_again(visitor):
    page = await visitor.get("/accounts/login/")
    typed = {
        "registration-email": "ada@example.com",
        "registration-password1": "difference engine",
        "registration-password2": "difference engine",
        "registration_submit": "Register",
    }
    account = await submit(visitor, page, "/accounts/login/", **typed)
    assert account.url.path == "/accounts/profile/"
    assert "ada@example.com" in account.text
    left = await visitor.get("/accounts/logout/")
    assert "ada@example.com" not in left.text


async def test_the_shop_sees_the_host_the_scheme_and_the_visitor(oscar_shop, proxy):
    asked = {"host": "shop.example", "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"}
    async with browser(proxy.url, **asked) as visitor:
        page = await visitor.get("/catalogue/monstera_1/")
        # __Host- and Secure cookies don't come back over plain http: say them by hand.
        cookie = "; ".join(line.partition(";")[0] for line in page.headers.get_list("set-cookie"))
        [form] = [f for f in lxml.html.fromstring(page.text).forms if f.action == "/basket/add/1/"]
        said = {"cookie": cookie, "referer": "https://shop.example/catalogue/monstera_1/"}

        async def add(origin):
            visitor.cookies.clear()
            return await visitor.post(
                form.action,
                data=dict(form.fields),
                headers={**said, "origin": origin},
                follow_redirects=False,
            )

        right, wrong = await add("https://shop.example"), await add("http://shop.example")
    assert right.status_code == 302
    assert wrong.status_code == 403
    seen = dict([one for one in oscar_shop.requests() if one["method"] == "POST"][-1]["headers"])
    assert seen["host"] == "shop.example"
    assert seen["x-forwarded-proto"] == "https"
    assert seen["x-forwarded-for"].startswith("203.0.113.9")
    assert "__Host-datacue=" in cookie


async def test_a_robot_gets_the_shops_own_page(visitor):
    page = await visitor.get("/catalogue/monstera_1/", headers={"user-agent": "Googlebot/2.1"})
    assert not lists(page)
    assert "datacue" not in page.cookies


EVENTS = [
    ("/", None),
    ("/catalogue/", {"type": "pageview", "subtype": "home"}),
    (
        "/catalogue/category/plants/indoor-plants_2/",
        {"type": "pageview", "subtype": "category", "category_name": "indoor-plants"},
    ),
    (
        "/catalogue/category/seeds_7/",
        {"type": "pageview", "subtype": "category", "category_name": "seeds"},
    ),
    ("/catalogue/sweet-basil_9/", {"type": "pageview", "subtype": "product", "product_id": "9"}),
    ("/search/?q=terracotta+pot", {"type": "search", "term": "terracotta pot"}),
    ("/basket/", {"type": "pageview", "subtype": "cart"}),
    ("/nothing/", {"type": "pageview", "subtype": "404"}),
    ("/checkout/", None),
    ("/accounts/login/", None),
    ("/catalogue/sweet-basil_9/reviews/add/", None),
]


async def test_datacue_gets_the_guides_event_of_each_page(run_proxy, vendor, oscar_shop):
    proxy = await run_proxy(TOML, "--upstream", oscar_shop.url)
    async with browser(proxy.url) as visitor:
        for target, event in EVENTS:
            vendor.seen.clear()
            await visitor.get(target, follow_redirects=False)
            [identity] = [value for name, value in visitor.cookies.items() if name == "datacue"] or [""]
            expected = {
                "user": {"anonymous_id": identity.partition(".")[0]},
                "event": event,
                "context": {"ip": "127.0.0.1", "user_agent": BROWSER},
            }
            assert vendor.events == ([expected] if event else []), target
