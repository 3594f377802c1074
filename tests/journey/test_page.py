"""A page's journey through the real process: what the visitor, the shop and the vendor see of it."""

from __future__ import annotations

import gzip
import random
import zlib

import brotli
import pytest
import zstandard
from harness.peers import page, product, reply
from harness.wire import ask

SLOT = '<div data-dc-products="related"><p>the shop\'s own</p></div>'
PRODUCT_RULE = '[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n'


@pytest.fixture
def shown(vendor):
    vendor.recommendations = {"related_product_skus": [product(1), product(2)]}


async def test_a_page_goes_out_with_live_recommendations(run_proxy, shop, vendor, shown):
    shop.answers["/product/p1"] = reply(page(SLOT), 200, 'etag: "1"', "cache-control: public, max-age=60")
    proxy = await run_proxy(PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1")
    assert got.status == 200
    assert b"Product 1" in got.body
    assert b"the shop's own" not in got.body
    assert got.body.startswith(b"<!doctype html><html><head>")
    assert got.body.endswith(b"</div></body></html>")
    assert got.get("content-length") is None
    assert got.get("etag") is None
    assert got.all("cache-control") == ["private, no-store"]
    assert got.get("set-cookie").startswith("datacue=")


async def test_the_vendor_gets_the_guides_event(run_proxy, shop, vendor, shown):
    shop.answers["/product/p1"] = reply(page(SLOT))
    proxy = await run_proxy(PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1", user_agent="Mozilla/5.0 test")
    [event] = vendor.events
    identity = event["user"].pop("anonymous_id")
    assert event == {
        "user": {},
        "event": {"type": "pageview", "subtype": "product", "product_id": "p1"},
        "context": {"ip": "127.0.0.1", "user_agent": "Mozilla/5.0 test"},
    }
    assert got.cookie().startswith(f"datacue={identity}.")
    seen = vendor.seen[0]
    assert seen.get("authorization") == "Basic dGVzdC1rZXk6"
    assert seen.get("content-type") == "application/json"


async def test_the_same_visitor_comes_back(run_proxy, shop, vendor, shown):
    shop.answers["*"] = reply(page(SLOT))
    proxy = await run_proxy(PRODUCT_RULE)
    first = await ask(proxy.address, "/product/p1")
    again = await ask(proxy.address, "/product/p2", cookie=first.cookie())
    other = await ask(proxy.address, "/product/p2")
    assert again.get("set-cookie") is None
    assert other.get("set-cookie") is not None
    ids = [event["user"]["anonymous_id"] for event in vendor.events]
    assert ids[0] == ids[1] != ids[2]


async def test_one_page_makes_one_call_however_many_slots(run_proxy, shop, vendor, shown):
    vendor.recommendations["similar_product_skus"] = [product(3)]
    shop.answers["/product/p1"] = reply(page(SLOT, SLOT.replace("related", "similar"), SLOT))
    proxy = await run_proxy(PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1")
    assert got.body.count(b"Product 1") >= 2
    assert b"Product 3" in got.body
    assert len(vendor.events) == 1


@pytest.mark.parametrize(
    ("markup", "event"),
    [
        (
            '<script>window.datacueConfig = {page_type: "home"};</script>',
            {"type": "pageview", "subtype": "home"},
        ),
        (
            '<script type="application/ld+json">{"@type":"Product","sku":"p7","name":"Sofa"}</script>',
            {"type": "pageview", "subtype": "product", "product_id": "p7"},
        ),
        (
            (
                '<meta property="og:type" content="product"><meta property="product:retailer_item_id" content="p8">'
                '<meta property="og:title" content="Sofa">'
            ),
            {"type": "pageview", "subtype": "product", "product_id": "p8"},
        ),
        (
            (
                '<div itemscope itemtype="https://schema.org/Product"><meta itemprop="sku" content="p9">'
                '<span itemprop="name">Sofa</span></div>'
            ),
            {"type": "pageview", "subtype": "product", "product_id": "p9"},
        ),
    ],
)
@pytest.mark.parametrize("before", [True, False])
async def test_the_page_says_itself_what_it_is(run_proxy, shop, vendor, shown, markup, event, before):
    shop.answers["/x"] = reply(page(*((markup, SLOT) if before else (SLOT, markup))))
    proxy = await run_proxy()
    got = await ask(proxy.address, "/x")
    assert [sent["event"] for sent in vendor.events] == [event]
    assert b"Product 1" in got.body


async def test_the_shops_header_wins(run_proxy, shop, vendor, shown):
    said = 'x-datacue-event: {"type":"pageview","subtype":"category","category_name":"beds"}'
    shop.answers["/x"] = reply(page('<script>datacueConfig = {page_type:"home"}</script>', SLOT), 200, said)
    proxy = await run_proxy()
    got = await ask(proxy.address, "/x")
    assert [sent["event"] for sent in vendor.events] == [
        {"type": "pageview", "subtype": "category", "category_name": "beds"}
    ]
    assert got.get("x-datacue-event") is None


async def test_a_page_of_unknown_kind_keeps_the_shops_content(run_proxy, shop, vendor, shown):
    original = page("<h1>Terms</h1>", SLOT)
    shop.answers["/terms"] = reply(original)
    proxy = await run_proxy()
    got = await ask(proxy.address, "/terms")
    assert got.body == original
    assert vendor.events == []


@pytest.mark.parametrize(
    ("coding", "pack", "unpack"),
    [
        ("gzip", gzip.compress, gzip.decompress),
        ("deflate", zlib.compress, zlib.decompress),
        ("br", brotli.compress, brotli.decompress),
        (
            "zstd",
            zstandard.ZstdCompressor().compress,
            lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
        ),
    ],
)
async def test_a_compressed_page_is_opened_and_closed_again(
    run_proxy, shop, vendor, shown, coding, pack, unpack
):
    shop.answers["/product/p1"] = reply(pack(page(SLOT)), 200, f"content-encoding: {coding}")
    proxy = await run_proxy(PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1", accept_encoding=f"{coding}, sdch")
    assert got.get("content-encoding") == coding
    assert b"Product 1" in unpack(got.body)
    assert shop.seen[0].get("accept-encoding") == coding


async def test_a_client_that_asked_for_no_compression_gets_none(run_proxy, shop, vendor, shown):
    shop.answers["/product/p1"] = reply(gzip.compress(page(SLOT)), 200, "content-encoding: gzip")
    proxy = await run_proxy(PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1", accept_encoding="identity")
    assert got.get("content-encoding") is None
    assert b"Product 1" in got.body


async def test_what_is_not_gzip_after_all_goes_on_raw(run_proxy, shop, vendor, shown):
    shop.answers["/product/p1"] = reply(b"<html>plain</html>", 200, "content-encoding: gzip")
    proxy = await run_proxy(PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1", accept_encoding="gzip")
    assert got.body == b"<html>plain</html>"
    assert got.complete


UNTOUCHED = page("<h1>exactly this</h1>", SLOT)


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        (reply(UNTOUCHED, 200, content_type="application/json"), {}),
        (reply(UNTOUCHED, 200, "cache-control: no-transform"), {}),
        (reply(UNTOUCHED, 200, "x-datacue-off: 1"), {}),
        (reply(UNTOUCHED, 500), {}),
        (reply(UNTOUCHED, 206, "content-range: bytes 0-1/2"), {"range": "bytes=0-1"}),
        (reply(UNTOUCHED, 200, content_type="text/html; charset=utf-16"), {}),
        (reply(UNTOUCHED, 200, "content-encoding: sdch"), {}),
        (reply(UNTOUCHED, 200), {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}),
        (reply(UNTOUCHED, 200), {"sec_purpose": "prefetch"}),
        (reply(UNTOUCHED, 200), {"sec_gpc": "1"}),
        (reply(UNTOUCHED, 200), {"dnt": "1"}),
        (reply(UNTOUCHED, 200), {"method": "POST", "body": b"a=1"}),
        (reply(UNTOUCHED, 200), {"sec_fetch_dest": "image"}),
        (reply(UNTOUCHED, 200), {"accept": "application/json"}),
    ],
)
async def test_what_is_no_page_view_passes_byte_for_byte(run_proxy, shop, vendor, shown, answer, asked):
    shop.answers["/product/p1"] = answer
    proxy = await run_proxy(PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1", **asked)
    assert got.body == UNTOUCHED
    assert got.get("set-cookie") is None
    assert not got.get("x-datacue-off")
    assert got.get("content-length") == str(len(UNTOUCHED))


async def test_consent_is_asked_for_and_its_withdrawal_removes_the_cookie(run_proxy, shop, vendor, shown):
    shop.answers["/product/p1"] = reply(UNTOUCHED)
    proxy = await run_proxy('consent = "cookie_consent=all"\n' + PRODUCT_RULE)
    refused = await ask(proxy.address, "/product/p1")
    assert refused.body == UNTOUCHED
    assert vendor.events == []
    granted = await ask(proxy.address, "/product/p1", cookie="cookie_consent=all")
    assert b"Product 1" in granted.body
    withdrawn = await ask(proxy.address, "/product/p1", cookie=granted.cookie())
    assert withdrawn.body == UNTOUCHED
    assert "Max-Age=0" in withdrawn.get("set-cookie")
    assert len(vendor.events) == 1


async def test_head_gets_the_fields_that_get_would_and_sends_no_event(run_proxy, shop, vendor, shown):
    shop.answers["/product/p1"] = reply(b"", 200, 'etag: "1"', "content-length: 1000", length=False)
    proxy = await run_proxy(PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1", method="HEAD")
    assert got.status == 200
    assert got.get("content-length") is None
    assert got.get("etag") is None
    assert got.get("cache-control") == "private, no-store"
    assert got.get("set-cookie") is None
    assert vendor.events == []


async def test_a_redirect_is_counted_once_from_its_second_time_on(run_proxy, shop, vendor, shown):
    shop.answers["/product/p1"] = reply(b"", 301, "location: /product/p1/")
    shop.answers["/product/p1/"] = reply(page(SLOT))
    proxy = await run_proxy(PRODUCT_RULE)
    await ask(proxy.address, "/product/p1")
    before = len(vendor.events)
    await ask(proxy.address, "/product/p1")
    await ask(proxy.address, "/product/p1/")
    assert len(vendor.events) == before + 1


async def test_a_conditional_request_waits_for_the_answer(run_proxy, shop, vendor, shown):
    async def fresh(seen, writer):
        writer.write(b"HTTP/1.1 304 Not Modified\r\n\r\n")

    shop.answers["/product/p1"] = fresh
    proxy = await run_proxy(PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1", if_none_match='"1"')
    assert got.status == 304
    assert vendor.events == []


async def test_the_404_page_is_personalized_too(run_proxy, shop, vendor, shown):
    shop.answers["/gone"] = reply(page(SLOT), 404)
    proxy = await run_proxy()
    got = await ask(proxy.address, "/gone")
    assert got.status == 404
    assert b"Product 1" in got.body
    assert vendor.events[0]["event"] == {"type": "pageview", "subtype": "404"}


async def test_a_product_that_is_gone_is_a_404_page_whatever_its_address(run_proxy, shop, vendor, shown):
    shop.answers["/product/gone"] = reply(page(SLOT), 404)
    proxy = await run_proxy(PRODUCT_RULE)
    await ask(proxy.address, "/product/gone")
    before = len(vendor.events)
    await ask(proxy.address, "/product/gone")
    assert [sent["event"]["subtype"] for sent in vendor.events[before:]] == ["404"]


async def test_head_of_a_page_that_get_would_not_touch_is_not_touched(run_proxy, shop, vendor, shown):
    shop.answers["/product/p1"] = reply(b"", 200, 'etag: "1"', "content-length: 1000", length=False)
    proxy = await run_proxy(PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1", method="HEAD", sec_gpc="1")
    assert got.get("content-length") == "1000"
    assert got.get("etag") == '"1"'


async def test_the_vendors_own_scripts_leave_a_personalized_page(run_proxy, shop, vendor, shown):
    script = '<script src="https://cdn.datacue.co/js/datacue.js"></script>'
    config = '<script>window.datacueConfig = {page_type: "home"};</script>'
    shop.answers["/x"] = reply(page(config, script, SLOT))
    proxy = await run_proxy()
    got = await ask(proxy.address, "/x")
    assert script.encode() not in got.body
    assert config.encode() in got.body
    kept = await run_proxy("remove_vendor_scripts = false\n")
    assert script.encode() in (await ask(kept.address, "/x")).body


async def test_trusted_callers_are_told_what_became_of_the_page(run_proxy, shop, vendor, shown):
    shop.answers["/product/p1"] = reply(page(SLOT))
    proxy = await run_proxy(PRODUCT_RULE)
    assert (await ask(proxy.address, "/product/p1")).get("x-datacue") == "rewritten; page=product; why=rule:0"
    full = await ask(proxy.address, "/product/p1", x_datacue="outcomes")
    assert "slots=related:hit" in full.all("x-datacue")
    stranger = await ask(proxy.address, "/product/p1", x_forwarded_for="203.0.113.9")
    assert stranger.get("x-datacue") is None
    assert vendor.events[-1]["context"]["ip"] == "203.0.113.9"


async def test_over_https_in_front_the_cookie_is_secure(run_proxy, shop, vendor, shown):
    shop.answers["/product/p1"] = reply(page(SLOT))
    proxy = await run_proxy(PRODUCT_RULE)
    got = await ask(proxy.address, "/product/p1", x_forwarded_proto="https")
    assert got.get("set-cookie").startswith("__Host-datacue=")
    assert "; Secure" in got.get("set-cookie")


async def test_slots_can_be_put_into_a_shop_that_has_none(run_proxy, shop, vendor, shown):
    shop.answers["/product/p1"] = reply(page('<main><p class="hero">x</p></main>'))
    proxy = await run_proxy(
        PRODUCT_RULE
        + '[[slots]]\npage = "product"\nselector = "main > .hero"\nposition = "after"\nwidget = "related"\n'
    )
    got = await ask(proxy.address, "/product/p1")
    before, _, after = got.body.partition(b'<p class="hero">x</p>')
    assert before.endswith(b"<main>")
    assert b"Product 1" in after
    assert after.endswith(b"</main></body></html>")


@pytest.mark.parametrize("seed", range(6))
async def test_a_page_without_slots_is_byte_identical_however_it_is_cut(run_proxy, shop, vendor, shown, seed):
    dice = random.Random(seed)
    original = page(
        "<p>Grüße & <b>all that</b>", "<!-- data-dc-products -->", "<script>'</body>'</script>" * 3
    )

    async def drip(seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n")
        at = 0
        while at < len(original):
            size = dice.choice((1, 2, 3, 7, 40))
            piece = original[at : at + size]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            at += size
        writer.write(b"0\r\n\r\n")

    shop.answers["*"] = drip
    proxy = await run_proxy(PRODUCT_RULE)
    for _ in range(10):
        got = await ask(proxy.address, "/product/p1")
        assert got.body == original
        assert got.complete
