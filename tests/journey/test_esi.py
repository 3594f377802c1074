"""ESI and SSI in the shop's own pages: what points to our fragments is resolved in the stream, all else passes."""

from __future__ import annotations

import gzip
import json

import brotli
import pytest
from harness.peers import page, product, reply
from harness.wire import ask

PAGES = [{"path": "/product/{product_id}", "kind": "product"}]
ASKS = 'surrogate-control: max-age=60, content="ESI/1.0"'
VARNISH = 'varnish="ESI/1.0"'
RELATED = '<esi:include src="/_datacue/fragments/related?page=product&amp;product_id=p1" onerror="continue"/>'


@pytest.fixture
def shown(vendor):
    vendor.recommendations = {"related_product_skus": [product(1)], "top_product_skus": [product(7)]}


async def test_includes_of_one_page_share_one_call(wrap, vendor, shown):
    shop = await wrap(pages=PAGES)
    ssi = '<!--# include virtual="/_datacue/fragments/top" wait="yes" -->'
    shop.answers["*"] = reply(page(RELATED, "|", ssi, '|<div data-dc-products="related">own</div>'))
    got = await ask(shop.address, "/product/p1")
    assert got.body.count(b"Product 1<") == 2
    assert got.body.count(b"Product 7<") == 1
    assert b"esi:include" not in got.body
    assert b"<!--" not in got.body
    assert [event["event"]["product_id"] for event in vendor.events] == ["p1"]


async def test_an_include_tells_what_the_page_is(wrap, vendor, shown):
    shop = await wrap()
    shop.answers["*"] = reply(page(RELATED))
    got = await ask(shop.address, "/somewhere")
    assert b"Product 1<" in got.body
    assert vendor.events[0]["event"] == {"type": "pageview", "subtype": "product", "product_id": "p1"}


async def test_an_include_about_another_page_stays_empty_and_makes_no_event(wrap, vendor, shown):
    shop = await wrap(pages=PAGES)
    shop.answers["*"] = reply(page("a", RELATED, "z"))
    got = await ask(shop.address, "/product/p2")
    assert got.body == page("a", "z")
    assert [event["event"]["product_id"] for event in vendor.events] == ["p2"]


async def test_an_empty_include_becomes_its_alternative_or_its_stub_or_nothing(wrap, vendor, shown):
    shop = await wrap(pages=PAGES)
    alt = '<esi:include src="/_datacue/fragments/recent" alt="http://shop.example/_datacue/fragments/top"></esi:include>'
    stub = '<!--#block name="x" --><b>own</b><!--#endblock --> <!--#include virtual="/_datacue/fragments/recent" stub="x" -->'
    lost = '<esi:include src="/_datacue/fragments/recent" alt="http://evil.example/_datacue/fragments/top"/>'
    shop.answers["*"] = reply(page(alt, "|", stub, "|", lost, "|"))
    first, second, third = (await ask(shop.address, "/product/p1")).body.split(b"|")[:3]
    assert b"Product 7<" in first
    assert second == b"<b>own</b>"
    assert third == b""


async def test_a_dead_vendor_leaves_the_fallbacks(wrap, vendor):
    shop = await wrap(pages=PAGES)
    vendor.status = 500
    stub = '<!--#block name="x" -->own<!--#endblock --><!--#include virtual="/_datacue/fragments/top" stub="x" -->'
    shop.answers["*"] = reply(page(RELATED, stub))
    assert (await ask(shop.address, "/product/p1")).body == page("own")


ELSEWHERE = [
    '<esi:include src="/footer"/>',
    '<esi:include src="http://other.example/_datacue/fragments/top" onerror="continue"/>',
    '<!--#include virtual="/footer.html" stub="x" -->',
    '<!--# block name="x" -->a<!--# endblock --><!--# include file="/_datacue/fragments/top" -->',
    '<!--#include virtual="/_datacue/fragments/top" set="x" -->',
    '<esi:remove>a</esi:remove><!--esi <b>b</b> --><esi:comment text="c"/>',
    "<esi:try><esi:attempt>a</esi:attempt><esi:except>b</esi:except></esi:try>",
    "<script>\"<esi:include src='/_datacue/fragments/top'/>\"</script>",
    "<textarea><!--#include virtual='/_datacue/fragments/top' --></textarea>",
    "<i title='<esi:include src=/_datacue/fragments/top>'>x</i>",
    "<!-- <esi:include src='/_datacue/fragments/top'/> -->",
]


async def test_what_is_not_ours_passes_byte_for_byte(wrap, vendor, shown):
    shop = await wrap(pages=PAGES)
    for elsewhere in ELSEWHERE:
        shop.answers["*"] = reply(page(elsewhere))
        assert (await ask(shop.address, "/product/p1")).body == page(elsewhere)


async def test_a_page_that_asks_for_it_is_processed(wrap, vendor, shown):
    shop = await wrap(pages=PAGES)
    body = page(
        "<esi:remove><p>only without ESI</p></esi:remove>",
        f"<!--esi <h2>with</h2>{RELATED} -->",
        '<esi:comment text="note"/>',
        '<esi:try><esi:attempt><esi:include src="/_datacue/fragments/recent"/></esi:attempt>',
        "<esi:except>excepted</esi:except></esi:try>",
    )
    shop.answers["/product/p1"] = reply(body, 200, ASKS)
    shop.answers["/product/p2"] = reply(gzip.compress(body), 200, ASKS, "content-encoding: gzip")
    got = await ask(shop.address, "/product/p1")
    other = await ask(shop.address, "/product/p2", accept_encoding="br, gzip;q=0.5")
    assert got.get("surrogate-control") is None
    assert shop.seen[0].get("surrogate-capability") == 'datacue="ESI/1.0"'
    for sent in (
        got.body,
        brotli.decompress(other.body)
        if other.get("content-encoding") == "br"
        else gzip.decompress(other.body),
    ):
        assert b"only without" not in sent
        assert b"<h2>with</h2>" in sent
        assert b"excepted" in sent
        assert b"esi:" not in sent
        assert b"<!--" not in sent
    assert b"Product 1<" in got.body
    assert len(vendor.events) == 2


async def test_esi_is_left_to_a_proxy_in_front_that_processes_it(wrap, vendor, shown):
    shop = await wrap(pages=PAGES)
    body = page("<esi:remove>x</esi:remove>", RELATED, "<!--esi y -->")
    shop.answers["*"] = reply(body, 200, ASKS)
    got = await ask(shop.address, "/product/p1", surrogate_capability=VARNISH, x_datacue_view="v1")
    assert got.body == body
    assert got.get("surrogate-control") == 'no-store, content="ESI/1.0"'
    assert got.get("cache-control") == "private, no-store"
    assert shop.seen[0].get("surrogate-capability") == f'{VARNISH}, datacue="ESI/1.0"'
    fragment = await ask(
        shop.address, "/_datacue/fragments/related?page=product&product_id=p1",
        cookie=got.cookie(), x_datacue_view="v1",
    )  # fmt: skip
    assert b"Product 1<" in fragment.body
    assert len(vendor.events) == 1


async def test_a_stranger_cannot_speak_for_a_proxy_in_front(wrap, vendor, shown):
    shop = await wrap(pages=PAGES, trusted_proxies=["192.0.2.1"])
    shop.answers["*"] = reply(page("<esi:remove>x</esi:remove>"), 200, ASKS)
    got = await ask(shop.address, "/product/p1", surrogate_capability=VARNISH)
    assert got.body == page()


async def test_a_shop_whose_own_includes_stay_unresolved_is_not_told_again(wrap, vendor):
    shop = await wrap(pages=PAGES)
    shop.answers["*"] = reply(page('<esi:include src="/_fragment?x=1"/>'), 200, ASKS)
    got = await ask(shop.address, "/product/p1")
    await ask(shop.address, "/product/p1")
    assert got.body == page('<esi:include src="/_fragment?x=1"/>')
    assert [seen.get("surrogate-capability") for seen in shop.seen] == ['datacue="ESI/1.0"', None]
    assert sum("isn't told of ESI any more" in event for event in shop.log.events) == 1


async def test_esi_can_be_switched_off(wrap, vendor, shown):
    shop = await wrap(pages=PAGES, esi=False)
    shop.answers["*"] = reply(page("<esi:remove>x</esi:remove>", RELATED), 200, ASKS)
    got = await ask(shop.address, "/product/p1")
    assert b"<esi:remove>x</esi:remove>" in got.body
    assert b"Product 1<" in got.body
    assert shop.seen[0].get("surrogate-capability") is None


async def test_who_is_not_personalized_gets_the_page_as_it_is(wrap, vendor, shown):
    shop = await wrap(pages=PAGES)
    body = page(RELATED, "<esi:remove>x</esi:remove>")
    shop.answers["*"] = reply(body, 200, ASKS)
    got = await ask(shop.address, "/product/p1", sec_gpc="1")
    assert got.body == body
    assert shop.seen[0].get("surrogate-capability") is None
    assert vendor.events == []


async def test_what_we_render_is_markup_for_no_processor(wrap, vendor):
    shop = await wrap(pages=PAGES)
    hostile = "<esi:include src='/secret'/><!--#include virtual='/secret' --><!--esi x -->"
    vendor.recommendations = {
        "related_product_skus": [
            product(1, name=hostile, brand=hostile, link="/p?<esi:remove>", extra={"discount": hostile})
        ],
        "main_banners": [
            {"banner_id": hostile, "link": "/x", "photo_url": "/b.jpg?<!--esi", "name": hostile}
        ],
    }
    shop.answers["*"] = reply(page(RELATED, "<div data-dc-banners></div>"), 200, ASKS)
    got = await ask(shop.address, "/product/p1")
    fragment = await ask(
        shop.address, "/_datacue/fragments/related?page=product&product_id=p1", cookie=got.cookie()
    )
    assert b"&lt;esi:include" in got.body
    assert json.dumps(hostile).encode() not in got.body
    for sent in (got.body, fragment.body):
        assert b"<esi:" not in sent
        assert b"<!--" not in sent
