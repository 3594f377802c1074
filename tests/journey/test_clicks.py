"""A click's way through the real process: from the card to the vendor and to the product, and no further."""

from __future__ import annotations

import asyncio
import random
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from itertools import product as combinations

import pytest
from harness.peers import page, product, reply
from harness.wire import Wire, ask, request

from proxy.clicks import SIGNATURE_BYTES, Click, ClickLinks

PRODUCT_RULE = '[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n'
HOME_RULE = '[[pages]]\npath = "/"\nkind = "home"\n'
LISTS = "".join(f'<div data-dc-products="{name}"></div>' for name in ("related", "similar", "recent"))
BANNER = {"banner_id": "b1", "link": "/category/bath", "photo_url": "/b.jpg", "name": ""}
AGENT = "Mozilla/5.0 test"


@pytest.fixture
def shown(shop, vendor):
    vendor.recommendations = {
        "related_product_skus": [product(1)],
        "similar_product_skus": [product(2)],
        "recent_product_skus": [product(3)],
        "main_banners": [BANNER],
    }
    shop.answers["/product/p1"] = reply(page(LISTS))
    shop.answers["/"] = reply(
        page('<div data-dc-banners data-dc-static-img="/s.jpg" data-dc-static-link="/sale">')
    )


def links(reply):
    """The counted links of a page, by the section they stand in."""
    found = {}
    for section in reply.body.decode().split("<section")[1:]:
        name = re.search(r"datacue-(related|similar|recent)", section)
        found[name[1] if name else ""] = re.search(r'href="(/_datacue/click/[^"]+)"', section)[1]
    return found


def banner(reply):
    return re.search(r'href="(/_datacue/click/[^"]+)"', reply.body.decode())[1]


@pytest.fixture
async def visit(run_proxy, vendor, shown):
    """A proxy, a product page as a visitor got it, and the visitor's cookie."""
    proxy = await run_proxy(PRODUCT_RULE + HOME_RULE)
    got = await ask(proxy.address, "/product/p1", user_agent=AGENT)
    [viewed] = vendor.events
    vendor.seen.clear()
    return proxy, links(got), got.cookie(), viewed["user"]["anonymous_id"]


@pytest.mark.parametrize(("name", "number"), [("related", "1"), ("similar", "2"), ("recent", "3")])
async def test_a_product_click_is_counted_with_its_list_and_leads_to_the_product(visit, vendor, name, number):
    proxy, hrefs, cookie, visitor = visit
    got = await ask(proxy.address, hrefs[name], cookie=cookie, user_agent=AGENT)
    assert got.status == 302
    assert got.complete
    assert got.all("location") == [f"/product/{number}"]
    assert got.all("cache-control") == ["private, no-store"]
    assert got.get("x-robots-tag") == "noindex, nofollow"
    assert got.get("set-cookie") is None
    assert vendor.events == [
        {
            "user": {"anonymous_id": visitor},
            "event": {"type": "click", "subtype": name, "product_id": number},
            "context": {"ip": "127.0.0.1", "user_agent": AGENT},
        }
    ]


async def test_a_banner_click_is_counted(visit, vendor, shop):
    proxy, _, cookie, visitor = visit
    href = banner(await ask(proxy.address, "/", cookie=cookie))
    vendor.seen.clear()
    got = await ask(proxy.address, href, cookie=cookie, user_agent=AGENT)
    assert got.get("location") == "/category/bath"
    assert vendor.events == [
        {
            "user": {"anonymous_id": visitor},
            "event": {"type": "click", "subtype": "banner", "banner_id": "b1"},
            "context": {"ip": "127.0.0.1", "user_agent": AGENT},
        }
    ]


async def test_the_shops_own_banner_is_linked_directly(visit):
    proxy, *_ = visit
    assert b'href="/sale"' in (await ask(proxy.address, "/")).body


async def test_a_visitor_who_logged_in_clicks_as_the_user(visit, vendor, shop):
    proxy, hrefs, cookie, visitor = visit
    shop.answers["/product/p1"] = reply(page(LISTS), 200, 'x-datacue-user: {"user_id":"u1"}')
    known = await ask(proxy.address, "/product/p1", cookie=cookie)
    vendor.seen.clear()
    await ask(proxy.address, hrefs["related"], cookie=known.cookie())
    assert vendor.events[0]["user"] == {"user_id": "u1", "anonymous_id": visitor}


NOT_COUNTED = [
    {"method": "HEAD"},
    {"sec_purpose": "prefetch"},
    {"sec_purpose": "prefetch;prerender"},
    {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
    {"sec_gpc": "1"},
    {"dnt": "1"},
    {"cookie": None},
    {"cookie": "datacue=11111111-1111-4111-8111-111111111111.aaaaaa.bbbbbb"},
]


async def test_who_is_not_counted_is_redirected_all_the_same(visit, vendor):
    proxy, hrefs, cookie, _ = visit
    for asked in NOT_COUNTED:
        got = await ask(proxy.address, hrefs["related"], **{"cookie": cookie, **asked})
        assert (got.status, got.get("location"), got.get("set-cookie")) == (302, "/product/1", None), asked
    await ask(proxy.address, hrefs["similar"], cookie=cookie)
    assert [event["event"]["subtype"] for event in vendor.events] == ["similar"]


async def test_without_consent_a_click_is_not_counted(run_proxy, shop, vendor, shown):
    proxy = await run_proxy('consent = "ok=1"\n' + PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1", cookie="ok=1")
    vendor.seen.clear()
    href = links(got)["related"]
    assert (await ask(proxy.address, href, cookie=got.cookie())).status == 302
    assert vendor.events == []
    await ask(proxy.address, href, cookie=f"{got.cookie()}; ok=1")
    assert len(vendor.events) == 1


async def test_the_link_is_the_same_for_every_visitor(visit):
    proxy, hrefs, _, visitor = visit
    got = await ask(proxy.address, "/product/p1")
    assert got.cookie().partition(".")[0] != f"datacue={visitor}"
    assert links(got) == hrefs


async def test_a_click_is_asked_for_and_nothing_else(visit, vendor):
    proxy, hrefs, cookie, _ = visit
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        got = await ask(proxy.address, hrefs["related"], method=method, cookie=cookie)
        assert (got.status, got.get("allow"), got.get("location")) == (405, "GET, HEAD", None)
    assert vendor.events == []


async def test_a_stalled_vendor_delays_no_click_and_the_event_is_on_the_disk(visit, vendor):
    proxy, hrefs, cookie, _ = visit
    vendor.delay = 1.5
    wire = await Wire.open(proxy.address)
    began = time.perf_counter()
    await wire.send(request(hrefs["related"], cookie=cookie))
    got = await wire.reply()
    assert time.perf_counter() - began < 0.25
    assert got.complete
    assert got.get("location") == "/product/1"
    await wire.close()
    figures = (await ask(proxy.admin, "/metrics")).body.decode()
    assert 'datacue_outbox_total{event="committed",priority="click"} 1.0' in figures


async def test_the_redirects_head_does_not_wait_for_the_event(visit, vendor):
    proxy, hrefs, cookie, _ = visit
    vendor.delay = 1.5
    wire = await Wire.open(proxy.address)
    await wire.send(request(hrefs["related"], cookie=cookie))
    first = await wire.reader.read(1 << 16)
    assert first.endswith(b"\r\n\r\n")
    assert await asyncio.wait_for(wire.reader.readexactly(10), 5) == b"/product/1"
    await wire.close()


async def test_plain_links_where_clicks_are_not_wanted(run_proxy, shop, vendor, shown):
    proxy = await run_proxy("click_links = false\n" + PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1")
    assert b'href="/product/1"' in got.body
    assert b"/click/" not in got.body


KEY = "a key of the test"
SIGNED = "/product/1?size=2&colour=teal"
EVIL = [
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example", "/%2f%2fevil.example",
    "/%5cevil.example", "javascript:alert(1)", "java%0ascript:alert(1)", "data:text/html,x", "https://shop.example@evil.example",
    "%0d%0aLocation:%20https://evil.example", "%E5%98%8A%E5%98%8DLocation:https://evil.example", "%250d%250aLocation:x",
    "%00https://evil.example", "..%2f..%2f", "/..//evil.example", "ｅｖｉｌ。example", "//evil%E3%80%82example", "/.evil.example",
    "?url=https://evil.example", "?next=//evil.example", "&to=//evil.example", "#//evil.example", ";//evil.example", "%3f//evil.example",
]  # fmt: skip


def tricks(links):
    """Targets under the click endpoint that somebody who can't sign might try."""
    dice = random.Random(23)
    token = links.token(Click("related", "1", SIGNED))
    signature = urlsafe_b64decode(token + "=" * (-len(token) % 4))[-SIGNATURE_BYTES:]
    payload, tail = token[:-22], token[-22:]

    def resigned(text):
        """The text, with the signature of another one."""
        return urlsafe_b64encode(text.encode() + signature).decode().rstrip("=")

    encoders = [
        lambda text: text,
        lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
        lambda text: "".join(f"%25{byte:02X}" for byte in text.encode()),
        lambda text: urlsafe_b64encode(text.encode()).decode().rstrip("="),
        lambda text: urlsafe_b64encode(f"related\n1\n{text}".encode()).decode().rstrip("="),
        lambda text: urlsafe_b64encode(f"banner\n1\n{text}".encode()).decode(),
    ]
    foreign = ClickLinks(["another key"], "")
    for evil, encode in combinations(EVIL, encoders):
        what = encode(evil)
        yield from (what, f"{what}{tail}", f"{what}.{tail}", f"{what}.", f".{what}", f"{what}.{what}")
        yield from (
            resigned(evil),
            resigned(what),
            resigned(f"related\n1\n{evil}"),
            resigned(f"{SIGNED}{evil}"),
        )
        yield from (
            f"{token}{what}",
            f"{token}/{what}",
            f"{what}{token}",
            f"{payload}{what}",
            f"{payload}{what}{tail}",
        )
        yield from (
            f"{token}.{what}",
            f"{what}.{token}",
            f"%2e/{what}/{token}",
            f"../click/{what}",
        )
        yield foreign.token(Click("related", "1", evil))
    while True:
        changed = list(token)
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(len(changed))
            letter = dice.choice("abcXYZ019-_.%2F%0d/\\~é")
            changed[at : at + dice.randint(0, 2)] = dice.choice(([letter], [letter, changed[at]], []))
        yield "".join(changed)


async def test_five_thousand_tricks_lead_nowhere_but_where_was_signed(run_proxy, shop, vendor, shown):
    proxy = await run_proxy(DATACUE_SECRET_KEYS=KEY)
    links = ClickLinks([KEY], "/_datacue")
    tried = tricks(links)
    redirected = 0
    wire = await Wire.open(proxy.address)
    for _ in range(5000):
        target = links.link_for("product", "related", "1", "/").rpartition("/")[0] + "/" + next(tried)
        await wire.send(request(target.encode().decode("latin-1")))
        got = await wire.reply()
        if got.status == 302:
            assert got.all("location") == [SIGNED], target
            assert {name for name, _ in got.headers} == PLAIN, target
            redirected += 1
        else:
            assert got.status in {400, 404}, target
            assert got.get("location") is None, target
            assert b"evil" not in got.body
        if got.get("connection") == "close" or not got.complete:
            await wire.close()
            wire = await Wire.open(proxy.address)
    await wire.close()
    assert 0 < redirected < 500  # with a query, or wholly percent-encoded, a token is still that token
    assert shop.seen == []
    assert vendor.seen == []


PLAIN = {
    "location", "content-type", "content-length", "cache-control", "x-robots-tag", "x-content-type-options", "date",
}  # fmt: skip
