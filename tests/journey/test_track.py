"""Events from the shop's own scripts, over its own origin: what is taken, from whom, and what is answered."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from harness.peers import page, product, reply
from harness.wire import Wire, ask, request

CART = [{"product_id": "p1", "variant_id": "v1"}, {"product_id": "p2", "variant_id": "v1"}]
GUIDE = [
    {"type": "pageview", "subtype": "home"},
    {"type": "pageview", "subtype": "product", "product_id": "p1", "variant_id": "v1"},
    {"type": "pageview", "subtype": "category", "category_name": "living-room"},
    {"type": "cart", "subtype": "update", "cart": CART},
    {"type": "search", "term": "tables"},
    {"type": "wishlist", "subtype": "add", "product_id": "p1", "variant_id": "v2"},
    {"type": "wishlist", "subtype": "remove", "product_id": "p1", "variant_id": "v2"},
    {"type": "click", "subtype": "banner", "banner_id": "b1"},
    {"type": "click", "subtype": "product", "product_id": "p2"},
    {"type": "checkout", "subtype": "started", "cart": CART},
    {"type": "login"},
]
USER = {"user_id": "019mr8mf4r", "profile": {"sex": "female", "segment": "platinum"}}
HOME = {"event": GUIDE[0]}
AGENT = "Mozilla/5.0 test"
ORIGIN = "http://shop.example"


def tracking(message, **more):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    headers = {"origin": ORIGIN, "content_type": "application/json", "accept": "*/*", "user_agent": AGENT}
    return {"target": "/_datacue/track", "method": "POST", "body": body, **headers, **more}


@pytest.fixture
async def visit(run_proxy, shop, vendor):
    """A proxy, a visitor's cookie and anonymous id."""
    shop.answers["*"] = reply(page())
    proxy = await run_proxy()
    got = await ask(proxy.address, "/")
    [viewed] = vendor.events
    vendor.seen.clear()
    vendor.recommendations = {"related_product_skus": [product(1)], "whatever": [1.50]}
    return proxy, got.cookie(), viewed["user"]["anonymous_id"]


async def test_every_event_of_the_guide_arrives_as_it_was_said(visit, vendor):
    proxy, cookie, visitor = visit
    for event in GUIDE:
        got = await ask(proxy.address, **tracking({"user": USER, "event": event}, cookie=cookie))
        assert got.status == 200
        assert json.loads(got.body) == vendor.recommendations
        assert got.get("content-type") == "application/json"
        assert got.all("cache-control") == ["private, no-store"]
        assert got.get("set-cookie") is None
        assert got.get("x-datacue-visitor") == visitor
    context = {"ip": "127.0.0.1", "user_agent": AGENT}
    user = {**USER, "anonymous_id": visitor}
    assert vendor.events == [{"user": user, "event": event, "context": context} for event in GUIDE]


async def test_who_the_visitor_is_the_cookie_says(visit, vendor):
    proxy, cookie, visitor = visit
    forged = {"anonymous_id": "somebody else"}
    context = {"ip": "192.0.2.1"}
    message = {"user": forged, **HOME, "context": context, "timestamp": "2018-01-23T00:30:08.276Z"}
    await ask(proxy.address, **tracking(message, cookie=cookie))
    assert vendor.events == [
        {
            "user": {"anonymous_id": visitor},
            "event": HOME["event"],
            "context": {"ip": "127.0.0.1", "user_agent": AGENT},
        }
    ]


async def test_where_the_vendor_has_nothing_to_say_neither_have_we(visit, vendor):
    async def nothing(seen, writer):
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    proxy, cookie, visitor = visit
    vendor.answers["*"] = nothing
    got = await ask(proxy.address, **tracking({"event": {"type": "login"}}, cookie=cookie))
    assert (got.status, got.body, got.get("x-datacue-visitor")) == (204, b"", visitor)
    assert len(vendor.events) == 1


@pytest.mark.parametrize("answer", [b"no json{{", b"[1"])
async def test_a_mad_vendor_is_no_answer(visit, vendor, answer):
    proxy, cookie, _ = visit
    vendor.answers["*"] = reply(answer, 200, content_type="application/json")
    assert (await ask(proxy.address, **tracking(HOME, cookie=cookie))).status == 204


NOT_COUNTED = [
    {"sec_purpose": "prefetch;prerender"},
    {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
    {"sec_gpc": "1"},
    {"dnt": "1"},
    {"cookie": None},
    {"cookie": "datacue=11111111-1111-4111-8111-111111111111.aaaaaa.bbbbbb"},
]


async def test_who_is_not_counted_gets_nothing_and_sends_nothing(visit, vendor):
    proxy, cookie, _ = visit
    for asked in NOT_COUNTED:
        got = await ask(proxy.address, **tracking(HOME, **{"cookie": cookie, **asked}))
        assert (got.status, got.get("set-cookie"), got.get("x-datacue-visitor")) == (204, None, None), asked
    await ask(proxy.address, **tracking({"event": {"type": "login"}}, cookie=cookie))
    assert [event["event"]["type"] for event in vendor.events] == ["login"]


REFUSED = [
    (403, {"origin": "https://evil.example"}),
    (403, {"origin": "null"}),
    (403, {"origin": "https://shop.example"}),
    (403, {"origin": "http://shop.example.evil.example"}),
    (403, {"origin": "http://shop.example:8080"}),
    (403, {"origin": None}),
    (403, {"sec_fetch_site": "cross-site"}),
    (403, {"sec_fetch_site": "same-site"}),
    (403, {"sec_fetch_site": "none"}),
    (415, {"content_type": "text/plain"}),
    (415, {"content_type": "application/x-www-form-urlencoded"}),
    (415, {"content_type": None}),
]


async def test_what_comes_from_elsewhere_is_refused(visit, vendor):
    proxy, cookie, _ = visit
    for status, asked in REFUSED:
        got = await ask(proxy.address, **tracking(HOME, **{"cookie": cookie, **asked}))
        assert got.status == status, asked
        assert json.loads(got.body)["error"]
        assert got.get("access-control-allow-origin") is None
    for method in ("GET", "PUT", "OPTIONS"):
        got = await ask(proxy.address, **tracking(b"", cookie=cookie, method=method))
        assert (got.status, got.get("allow")) == (405, "POST")
    assert vendor.events == []


ACCEPTED = [
    {},
    {"origin": "HTTP://Shop.Example"},
    {"sec_fetch_site": "same-origin", "origin": None},
    {"sec_fetch_site": "same-origin", "origin": "https://shop.example", "host": "backend.internal"},
    {"origin": "https://shop.example", "x_forwarded_proto": "https"},
    {"content_type": "application/json; charset=utf-8"},
]


async def test_what_comes_from_the_shops_own_pages_is_taken(visit, vendor):
    proxy, cookie, _ = visit
    for asked in ACCEPTED:
        got = await ask(proxy.address, **tracking(HOME, **{"cookie": f"{cookie}; __Host-{cookie}", **asked}))
        assert got.status == 200, asked


WRONG = [
    (b"", "JSON"),
    (b"{", "JSON"),
    (b"[" * 60_000, ""),
    (b"[]", "JSON object"),
    ({}, "event"),
    ({"event": "login"}, "event"),
    ({"event": {}}, "type"),
    ({"event": {"type": ["login"]}}, "type"),
    ({"event": {"type": "search"}}, "term"),
    ({"event": {"type": "pageview", "subtype": "product"}}, "product_id"),
    ({"event": {"type": "cart", "subtype": "update", "cart": [{}]}}, "product_id"),
    ({"event": GUIDE[0], "user": "u1"}, "user"),
    ({"event": GUIDE[0], "user": {"profile": "gold"}}, "user.profile"),
]


async def test_a_wrong_event_is_refused_with_the_fields_name(visit, vendor):
    proxy, cookie, _ = visit
    for message, field in WRONG:
        got = await ask(proxy.address, **tracking(message, cookie=cookie))
        assert got.status == 400, message
        assert field.lower() in json.loads(got.body)["error"].lower()
    assert vendor.events == []


async def test_a_message_has_64_kib_at_most(visit, vendor):
    proxy, cookie, _ = visit
    fits = json.dumps({"event": {"type": "search", "term": ""}}).encode()
    fits = fits.replace(b'""', b'"' + b"x" * (64 * 1024 - len(fits)) + b'"')
    assert (await ask(proxy.address, **tracking(fits, cookie=cookie))).status == 200
    assert (await ask(proxy.address, **tracking(fits + b" ", cookie=cookie))).status == 413
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    endless = tracking(chunk * 2 + b"0\r\n\r\n", cookie=cookie, transfer_encoding="chunked")
    assert (await ask(proxy.address, **endless)).status == 413
    assert len(vendor.events) == 1


async def test_a_stalled_vendor_costs_a_script_the_deadline_and_no_event(visit, vendor):
    proxy, cookie, _ = visit
    vendor.delay = 1.5
    wire = await Wire.open(proxy.address)
    await wire.send(request(**tracking(HOME, cookie=cookie)))
    began = time.perf_counter()
    got = await wire.reply()
    assert got.status == 204
    assert time.perf_counter() - began < 0.3 + 0.25
    await wire.close()
    figures = (await ask(proxy.admin, "/metrics")).body.decode()
    assert 'datacue_outbox_total{event="committed",priority="view"} 1.0' in figures


async def test_a_script_that_hangs_up_harms_nothing(visit, vendor):
    proxy, cookie, _ = visit
    whole = request(**tracking(HOME, cookie=cookie))
    for end in (len(whole) - 5, len(whole)):
        wire = await Wire.open(proxy.address)
        await wire.send(whole[:end])
        await wire.close()
    async with asyncio.timeout(10):
        while not vendor.events:
            await asyncio.sleep(0.02)
    assert (await ask(proxy.address, **tracking(HOME, cookie=cookie))).status == 200
    assert len(vendor.events) == 2
