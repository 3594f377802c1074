"""Pages that came before: personalized without a task, and never with what is somebody else's or was before."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
from harness.peers import page, product, reply
from harness.wire import Wire, ask, request

from proxy.known import LONG

SLOT = '<div data-dc-products="related"><p>the shop\'s own</p></div>'
RULE = '[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n'
PATIENT = "deadline = 5.0\n"


async def figures(proxy):
    got = await ask(proxy.admin, "/metrics")
    lines = (line.rpartition(" ") for line in got.body.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


async def hits(proxy):
    return (await figures(proxy))["datacue_known_pages_hits"]


def of_whom(seen):
    return json.loads(seen.body)["user"]["anonymous_id"]


@pytest.fixture
def answers_say_whom(vendor):
    """Each visitor's recommendation bears the visitor's id."""

    async def answer(seen, writer):
        vendor.taken.append(json.loads(seen.body))
        who = of_whom(seen)
        body = json.dumps({"related_product_skus": [product(1, name=f"For {who}.")]}).encode()
        await asyncio.sleep(random.random() / 200)
        writer.write(reply(body, content_type="application/json"))

    vendor.answers["*"] = answer


class Visitor:
    """A browser with a cookie and one connection."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.cookie = None
        self.wire = None

    async def look(self, target="/product/p1", **fields):
        if self.wire is None:
            self.wire = await Wire.open(self.proxy.address)
        await self.wire.send(request(target, cookie=self.cookie, **fields))
        got = await self.wire.reply()
        self.cookie = self.cookie or got.cookie()
        return got

    @property
    def name(self):
        return self.cookie.partition("=")[2].partition(".")[0]

    async def leave(self):
        if self.wire is not None:
            await self.wire.close()


@pytest.fixture
async def visitors(run_proxy):
    proxy = await run_proxy(PATIENT + RULE)
    visitors = [Visitor(proxy) for _ in range(8)]
    yield visitors
    for visitor in visitors:
        await visitor.leave()


async def test_visitors_of_the_same_page_at_the_same_time_get_their_own(visitors, shop, answers_say_whom):
    shop.answers["*"] = reply(page(SLOT))
    for visitor in visitors:
        await visitor.look()

    async def stroll(visitor):
        for number in range(12):
            got = await visitor.look(f"/product/p{number % 3}")
            assert got.body.count(b"For ") == 1
            assert f"For {visitor.name}.".encode() in got.body
            assert got.get("set-cookie") is None

    await asyncio.gather(*map(stroll, visitors))
    assert await hits(visitors[0].proxy) > 0


async def test_what_the_shop_changes_is_seen_at_once_in_body_and_head(visitors, shop, vendor):
    vendor.recommendations = {"related_product_skus": [product(1)]}
    me = visitors[0]
    for number in [1, 1, 2, 2, 1, 3, 1]:
        price = f"<b>{number} EUR</b>"
        shop.answers["*"] = reply(page(price, SLOT), 200, f"set-cookie: basket={number}")
        got = await me.look()
        assert price.encode() in got.body
        assert b"Product 1" in got.body
        assert [value for value in got.all("set-cookie") if value.startswith("basket")] == [
            f"basket={number}"
        ]
    assert await hits(me.proxy) > 0


async def test_the_same_bytes_in_another_charset_get_other_bytes(visitors, shop, vendor):
    vendor.recommendations = {"related_product_skus": [product(1, name="Sofa für zwei")]}
    me = visitors[0]
    for charset in ["utf-8", "iso-8859-1", "utf-8", "iso-8859-1"]:
        shop.answers["*"] = reply(page(SLOT), content_type=f"text/html; charset={charset}")
        got = await me.look()
        assert ("Sofa für zwei".encode() in got.body) == (charset == "utf-8")
        assert (b"Sofa f&#252;r zwei" in got.body) == (charset != "utf-8")


async def test_a_slot_is_filled_anew_with_every_answer(visitors, shop, vendor):
    shop.answers["*"] = reply(page(SLOT))
    for number in [1, 2, 2, 1]:
        vendor.recommendations = {"related_product_skus": [product(number)]}
        got = await visitors[0].look()
        assert f"Product {number}".encode() in got.body
    vendor.recommendations = {}
    assert b"the shop's own" in (await visitors[0].look()).body


async def test_every_page_with_every_answer_is_itself_however_often_they_met(visitors, shop, vendor):
    me, other = visitors[:2]
    met = [(text, number, who) for text in "ab" for number in (1, 2, None) for who in (me, other)] * 4
    random.Random(1).shuffle(met)
    for text, number, who in met:
        shop.answers["*"] = reply(page(f"<p>{text}</p>", SLOT, "<hr>"))
        vendor.recommendations = {} if number is None else {"related_product_skus": [product(number)]}
        got = await who.look()
        assert f"<p>{text}</p>".encode() in got.body
        assert (b"the shop's own" in got.body) == (number is None)
        assert [n for n in (1, 2) if f"Product {n}".encode() in got.body] == [number] * (number is not None)
    said = await figures(me.proxy)
    assert said["datacue_finished_pages_hits"] > 0
    assert said["datacue_answers_hits"] > 0
    told = {
        outcome: said[f'datacue_slots_total{{outcome="{outcome}",widget="related"}}']
        for outcome in ("hit", "empty")
    }
    assert told == {"hit": len(met) * 2 // 3, "empty": len(met) // 3}


async def test_heads_that_differ_in_their_date_alone_keep_their_date_and_a_new_cookie_is_nobody_else_s(
    visitors, shop, vendor
):
    for number in [1, 1, 1, 2, 1, 2, 3]:
        date = f"Mon, 23 Nov 2026 19:00:0{number} GMT"
        shop.answers["*"] = reply(page(SLOT), 200, f"date: {date}", "x-shop: one")
        for me in [visitors[0], visitors[1], Visitor(visitors[0].proxy)]:
            came_with = me.cookie
            got = await me.look()
            assert got.all("date") == [date]
            assert got.all("x-shop") == ["one"]
            assert [got.complete, got.get("cache-control")] == [True, "private, no-store"]
            assert (got.get("set-cookie") is None) == (came_with is not None)
            if me not in visitors:
                await me.leave()


async def test_who_wants_the_connection_closed_and_who_is_told_the_outcome_get_heads_of_their_own(
    run_proxy, shop
):
    proxy = await run_proxy('trusted_proxies = ["127.0.0.1"]\n' + RULE)
    shop.answers["*"] = reply(page(SLOT), 200, "date: Mon, 23 Nov 2026 19:00:00 GMT")
    cookie = (await ask(proxy.address, "/product/p1")).cookie()
    for target in ["/product/p1", "/product/p2"] * 3:
        for connection in ["close", "keep-alive", "close"]:
            got = await ask(proxy.address, target, cookie=cookie, connection=connection)
            assert (got.get("connection") == "close") == (connection == "close")
            assert got.get("x-datacue") == "rewritten; page=product; why=rule:0"
            assert got.complete


CAPTURE = """
[[capture]]
event = "cart.add"
path = "/add"
form = { product_id = "id" }

[[capture]]
event = "wishlist.add"
method = "GET"
path = "/product/{product_id}"
query = { product_id = "wish" }
success = { status = 200 }

[[capture]]
event = "cart"
path = "/cart"
lines = ".line"
line = { product_id = "b" }
"""


async def test_a_shop_with_rules_and_a_login_cookie_goes_the_short_way_where_they_have_nothing_to_say(
    run_proxy, shop, vendor
):
    proxy = await run_proxy(PATIENT + 'user_cookie = "uid"\n' + RULE + CAPTURE)
    shop.answers["*"] = reply(page(SLOT))
    me = Visitor(proxy)
    for _ in range(4):
        await me.look()
    assert (found := await hits(proxy)) > 0
    vendor.seen.clear()
    # A link that does something is seen, on a page as well known as this one.
    await me.look("/product/p1?wish=p1")
    assert await hits(proxy) == found
    assert [event["event"]["type"] for event in vendor.events] == ["pageview", "wishlist"]
    await me.look()
    assert await hits(proxy) > found
    await me.leave()


async def test_a_page_that_sets_the_login_cookie_names_the_visitor_and_one_without_it_nobody(
    run_proxy, shop, vendor
):
    proxy = await run_proxy(PATIENT + 'user_cookie = "uid"\n' + RULE)
    shop.answers["*"] = reply(page(SLOT))
    me = Visitor(proxy)
    for _ in range(3):
        await me.look()
    vendor.seen.clear()
    shop.answers["*"] = reply(page(SLOT), 200, "set-cookie: uid=u7")
    ours = next(v for v in (await me.look()).all("set-cookie") if v.startswith("datacue")).partition(";")[0]
    shop.answers["*"] = reply(page(SLOT))
    me.cookie = f"{ours}; uid=u7"
    for _ in range(2):
        assert (await me.look()).get("set-cookie") is None
    me.cookie = ours  # the shop's cookie is gone: nobody is logged in, and ours is to forget it, too
    ours = (await me.look()).cookie()
    assert ours is not None
    me.cookie = f"{ours}; uid=u7"
    await me.look()
    said = [(event["event"]["type"], event["user"].get("user_id")) for event in vendor.events]
    views = [
        ("pageview", None),
        ("login", "u7"),
        ("pageview", "u7"),
        ("pageview", "u7"),
        ("pageview", None),
        ("pageview", None),
    ]
    assert said == views
    await me.leave()


async def test_the_first_bytes_do_not_wait_for_a_late_answer(visitors, shop, vendor):
    vendor.recommendations = {"related_product_skus": [product(1)]}
    shop.answers["*"] = reply(page("<h1>Sofa</h1>", SLOT))
    await visitors[0].look()
    vendor.delay = 0.3
    got = await visitors[0].look()
    assert b"Product 1" in got.body
    assert b"<h1>Sofa</h1>" in got.arrivals[0][1]
    assert b"Product 1" not in got.arrivals[0][1]
    assert got.complete


@pytest.mark.parametrize("slot", [SLOT, ""])
async def test_an_event_that_is_not_acknowledged_in_time_is_kept(run_proxy, shop, vendor, slot):
    proxy = await run_proxy("deadline = 0.15\n" + RULE)
    shop.answers["*"] = reply(page(slot))
    me = Visitor(proxy)
    await me.look()
    vendor.delay = 1.0
    got = await me.look()
    assert got.complete
    assert (b"the shop's own" in got.body) == bool(slot)
    assert (await figures(proxy))['datacue_events_total{outcome="stored",type="pageview"}'] == 1
    await me.leave()


@pytest.mark.parametrize(
    ("answer", "status", "events"),
    [
        (reply(b"", 302, "location: /login"), 302, []),
        (reply(page(SLOT), 404), 404, ["404"]),
        (reply(page(SLOT), 500), 500, []),
        (reply(page(SLOT), 200, "x-datacue-off: 1"), 200, []),
        (reply(page(SLOT), 200, 'x-datacue-event: {"type":"login"}'), 200, ["login"]),
        (reply(page('<script>datacueConfig={"user_id":"u1"}</script>', SLOT)), 200, ["login"]),
    ],
)
async def test_what_needs_more_goes_the_long_way_with_the_same_page_view(
    visitors, shop, vendor, answer, status, events
):
    vendor.recommendations = {"related_product_skus": [product(1)]}
    shop.answers["*"] = reply(page(SLOT))
    me = visitors[0]
    await me.look()
    vendor.seen.clear()
    shop.answers["*"] = answer
    got = await me.look()
    assert (got.status, got.complete) == (status, True)
    said = [event["event"].get("subtype") or event["event"]["type"] for event in vendor.events]
    assert said == ["product", *events]


async def test_a_page_that_comes_slowly_flows(visitors, shop, vendor):
    vendor.recommendations = {"related_product_skus": [product(1)]}
    shop.answers["*"] = reply(page(SLOT))
    me = visitors[0]
    await me.look()
    vendor.seen.clear()

    async def slowly(_seen, writer):
        body = page("<h1>Sofa</h1>", SLOT)
        writer.write(reply(body)[: -len(body)] + body[:60])
        await writer.drain()
        await asyncio.sleep(0.3)
        writer.write(body[60:])

    shop.answers["*"] = slowly
    got = await me.look()
    assert got.complete
    assert b"Product 1" in got.body
    assert got.first < got.last - 0.1
    assert len(vendor.events) == 1


async def test_a_long_page_that_came_before_is_looked_up_and_what_changed_in_it_is_seen_at_once(
    visitors, shop, vendor
):
    vendor.recommendations = {"related_product_skus": [product(1)]}
    bodies = [page("<p>x</p>" * (LONG // 8), f"<b>{number} EUR</b>", SLOT) for number in range(2)]
    before = SLOT.partition(">")[0].encode() + b">"
    for _ in range(8):
        for number, body in enumerate(bodies):
            shop.answers["*"] = reply(body)
            got = await visitors[number].look()
            start, _, end = body.partition(before)
            assert got.complete
            assert got.body.startswith(start + before)
            assert b"Product 1" in got.body
            assert got.body.endswith(end.partition(b"</p>")[2])
    assert await hits(visitors[0].proxy) > 0


async def test_a_page_that_trickles_without_a_pause_flows(visitors, shop):
    arrived, ended = asyncio.Event(), False

    async def trickling(_seen, writer):
        nonlocal ended
        writer.write(reply(b"", length=False, content_type="text/html") + b"<p>")
        async with asyncio.timeout(10):
            while not arrived.is_set():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0)
        ended = True
        writer.close()

    shop.answers["*"] = trickling
    wire = await Wire.open(visitors[0].proxy.address)
    await wire.send(request("/product/p1", connection="close"))
    await wire.reader.readuntil(b"<p>")
    assert not ended
    arrived.set()
    assert await wire.reader.read()
    await wire.close()


async def test_a_shop_that_hung_up_while_idle_is_asked_again_and_the_event_sent_once(visitors, shop, vendor):
    shop.answers["*"] = reply(page(SLOT))
    me = visitors[0]
    await me.look()
    vendor.seen.clear()
    seen = len(shop.seen)

    async def hang_up_once(_seen, writer):
        if len(shop.seen) == seen + 1:
            writer.close()
            raise ConnectionError
        writer.write(reply(page(SLOT)))

    shop.answers["*"] = hang_up_once
    got = await me.look()
    assert got.complete
    assert got.status == 200
    assert len(shop.seen) == seen + 2
    assert len(vendor.events) == 1


async def test_a_shop_that_answers_nonsense_is_apologized_for(visitors, shop, vendor):
    shop.answers["*"] = reply(page(SLOT))
    me = visitors[0]
    await me.look()
    vendor.seen.clear()
    shop.answers["*"] = b"nonsense\r\n\r\n"
    got = await me.look()
    assert (got.status, got.complete) == (502, True)
    assert len(vendor.events) == 1


async def test_who_leaves_while_the_page_waits_costs_nobody_else(visitors, shop, vendor):
    vendor.recommendations = {"related_product_skus": [product(1)]}
    shop.answers["*"] = reply(page(SLOT))
    me, other = visitors[:2]
    await me.look()
    vendor.delay = 0.3
    await me.wire.send(request("/product/p1", cookie=me.cookie))
    while len(vendor.seen) < 2:
        await asyncio.sleep(0.01)
    await me.leave()
    assert b"Product 1" in (await other.look()).body
    assert await ask(other.proxy.admin, "/healthz")
