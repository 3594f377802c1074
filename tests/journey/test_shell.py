"""Shells: what a shared cache may keep is the same for everybody, and only where the shop said so."""

from __future__ import annotations

import gzip
import re

import pytest
from harness.peers import page, product, reply
from harness.wire import ask

SLOT = '<div data-dc-products="related"><p>the shop\'s own</p></div>'
PAGES = [{"path": "/product/{product_id}", "kind": "product"}]
PUBLIC = "cache-control: public, max-age=60"
URL = "/_datacue/fragments/related?page=product&product_id=p1"
VARNISH = 'varnish="ESI/1.0"'
VISITORS = [
    {},
    {"user_agent": "Googlebot/2.1"},
    {"sec_gpc": "1"},
    {"sec_purpose": "prefetch"},
    {"accept": "*/*", "sec_fetch_dest": "image"},
    {"cookie": "datacue=x; session=1"},
    {"x_datacue": "outcomes"},
]


@pytest.fixture
def shown(vendor):
    vendor.recommendations = {"related_product_skus": [product(1)]}


def esi(url=URL):
    return f'<!--esi <esi:include src="{url.replace("&", "&amp;")}" onerror="continue"/>-->'


def kept(language, **more):
    return {"pages": PAGES, "shell": language, **more}


async def shell_of(wrap, body, target, language="esi"):
    shop = await wrap(**kept(language))
    shop.answers["*"] = reply(body, 200, PUBLIC)
    return (await ask(shop.address, target)).body


async def test_a_shell_is_the_same_for_everybody_and_tells_nobody_anything(wrap, vendor, shown):
    shop = await wrap(**kept("esi"))
    shop.answers["*"] = reply(
        page(SLOT),
        200,
        PUBLIC,
        'etag: "abc"',
        "last-modified: Mon, 23 Nov 2026 10:00:00 GMT",
        "vary: accept-language",
    )
    seen = [await ask(shop.address, "/product/p1", **visitor) for visitor in VISITORS]
    shell = page(
        '<div data-dc-products="related">', "<esi:remove><p>the shop's own</p></esi:remove>", esi(), "</div>"
    )
    assert {got.body for got in seen} == {shell}
    fields = [[field for field in got.headers if field[0] != "date"] for got in seen]
    assert all(each == fields[0] for each in fields)
    tag = seen[0].get("etag")
    assert re.fullmatch(r'W/"abc--dc\.[0-9a-f]{8}"', tag)
    assert dict(fields[0]) == {
        "content-type": "text/html; charset=utf-8", "cache-control": "public, max-age=60", "vary": "accept-language",
        "etag": tag, "surrogate-control": 'content="ESI/1.0"', "transfer-encoding": "chunked",
    }  # fmt: skip
    assert vendor.events == []


async def test_a_shells_head_is_there_for_head_and_its_tag_for_questions(wrap, vendor):
    shop = await wrap(**kept("esi"))

    def answer(seen):
        fits = seen.get("if-none-match") == 'W/"abc"'
        return reply(
            b"" if fits else page(SLOT), 304 if fits else 200, 'etag: W/"abc"', PUBLIC, length=not fits
        )

    shop.answers["*"] = answer
    head = await ask(shop.address, "/product/p1", method="HEAD")
    tag = head.get("etag")
    assert head.get("surrogate-control") == 'content="ESI/1.0"'
    again = await ask(shop.address, "/product/p1", if_none_match=f'"other", {tag}')
    assert shop.seen[-1].get("if-none-match") == '"other", W/"abc"'
    assert again.status == 200
    again = await ask(shop.address, "/product/p1", if_none_match=tag)
    assert (again.status, again.get("etag")) == (304, tag)
    stale = await ask(shop.address, "/product/p1", if_none_match='W/"abc--dcw.00000000"')
    assert stale.status == 200
    assert shop.seen[-1].get("if-none-match") is None
    assert vendor.events == []


async def test_a_304_for_a_shell_is_the_same_for_everybody(wrap, vendor):
    shop = await wrap(**kept("esi"))
    shop.answers["*"] = reply(page(SLOT), 200, PUBLIC, 'etag: "abc"')
    first = await ask(shop.address, "/product/p1")
    tag, cookie = first.get("etag"), "datacue=11111111-1111-4111-8111-111111111111.a.b"
    shop.answers["*"] = reply(
        b"", 304, 'etag: "abc"', PUBLIC, 'x-datacue-event: {"type":"pageview","subtype":"home"}', length=False
    )
    seen = [
        await ask(shop.address, "/product/p1", if_none_match=tag, **visitor)
        for visitor in [*VISITORS, {"sec_gpc": "1", "cookie": cookie}, {"dnt": "1", "cookie": cookie}]
    ]
    assert {(got.status, got.get("etag"), got.get("cache-control")) for got in seen} == {
        (304, tag, "public, max-age=60")
    }
    assert {name for got in seen for name, _ in got.headers} == {
        "date",
        "etag",
        "cache-control",
        "content-type",
    }


async def test_what_a_proxy_in_front_says_of_itself_chooses_the_page(wrap, vendor):
    """A cache that hands on what a browser says of ESI must not keep its shell for everybody."""
    shop = await wrap(**kept("auto"))
    shop.answers["*"] = reply(page(SLOT), 200, PUBLIC, "vary: accept-language")
    got = await ask(shop.address, "/product/p1", surrogate_capability=VARNISH)
    assert got.all("vary") == ["accept-language", "surrogate-capability"]
    got = await ask(shop.address, "/product/p1")
    assert got.all("cache-control") == ["private, no-store"]


async def test_what_the_shop_keeps_from_caches_is_personalized_at_once(wrap, vendor, shown):
    shop = await wrap(**kept("esi"))
    cases = [
        ["cache-control: private, max-age=60"], ["cache-control: no-store"], [PUBLIC, "set-cookie: a=b"],
        ["surrogate-control: no-store"], [PUBLIC, "vary: *"], [PUBLIC, 'x-datacue-user: {"user_id": "u1"}'],
        [PUBLIC, 'x-datacue-event: {"type": "login"}'], [PUBLIC, "x-datacue-event: {"],
    ]  # fmt: skip
    for number, fields in enumerate(cases):
        shop.answers["*"] = reply(page(SLOT), 200, *fields)
        got = await ask(shop.address, f"/product/p{number}")
        assert b"Product 1<" in got.body, fields
        assert got.all("cache-control") == ["private, no-store"]
        assert any(cookie.startswith("datacue=") for cookie in got.all("set-cookie"))
    shop.answers["*"] = reply(page(SLOT))
    got = await ask(shop.address, "/product/p1", authorization="Basic eA==")
    assert got.get("cache-control") == "private, no-store"
    views = [event for event in vendor.events if event["event"]["type"] == "pageview"]
    assert len(views) == len(cases) + 1


async def test_a_page_without_a_word_to_caches_gets_none_from_us(wrap, vendor):
    shop = await wrap(**kept("ssi"))
    shop.answers["*"] = reply(page(SLOT))
    got = await ask(shop.address, "/product/p1")
    assert {name for name, _ in got.headers} == {"content-type", "date", "transfer-encoding"}


async def test_bots_and_the_private_see_the_shops_own_page_where_it_is_no_shell(wrap, vendor, shown):
    shop = await wrap(**kept("esi"))
    shop.answers["*"] = reply(page(SLOT), 200, "cache-control: private")
    for visitor in ({"user_agent": "Googlebot/2.1"}, {"sec_gpc": "1"}):
        assert (await ask(shop.address, "/product/p1", **visitor)).body == page(SLOT)
    assert vendor.events == []


@pytest.mark.parametrize(
    ("slot", "shell"),
    [
        (SLOT, f'<div data-dc-products="related"><!--# block name="datacue-d6da1aed809a873b" --><p>the shop\'s own</p><!--# endblock --><!--# include virtual="{URL}&fallback=error" stub="datacue-d6da1aed809a873b" --></div>'),
        ("<p data-dc-main-insert-banner='2'></p>",
         "<p data-dc-main-insert-banner='2'><!--# include virtual=\"/_datacue/fragments/main_banners?page=product&product_id=p1&index=2\" --></p>"),
        ("<esi:include src='/_datacue/fragments/related'/>", f'<!--# include virtual="{URL}" -->'),
        ('<!--#include virtual="/_datacue/fragments/top" -->', '<!--#include virtual="/_datacue/fragments/top" -->'),
        ("<esi:include src='/_datacue/fragments/top?product_id=p9'/>", "<esi:include src='/_datacue/fragments/top?product_id=p9'/>"),
        ("<div data-dc-products><!--#echo var='x' --></div>", "<div data-dc-products><!--#echo var='x' --></div>"),
        ("<div data-dc-banners data-dc-static-img='/a.jpg'>x</div>", "<div data-dc-banners data-dc-static-img='/a.jpg'>x</div>"),
        ("<script src='https://cdn.datacue.co/js/datacue.js'></script>", ""),
    ],
)  # fmt: skip
async def test_slots_become_ssi_includes_around_the_shops_content(wrap, slot, shell):
    got = await shell_of(wrap, page(slot), "/product/p1", "ssi")
    assert got == page(shell)


async def test_facts_go_into_the_include_whatever_they_hold(wrap):
    got = await shell_of(
        wrap, page('<div data-dc-products="related"></div>'), "/product/a--b%22%24%3E'&%C3%A9"
    )
    assert b'?page=product&amp;product_id=a%2D%2Db%22%24%3E%27%26%C3%A9"' in got
    long = await shell_of(
        wrap, page('<div data-dc-products="related">own</div>'), "/product/" + "x" * 250, "ssi"
    )
    assert long == page('<div data-dc-products="related">own</div>')
    long = await shell_of(wrap, page('<div data-dc-products="related">own</div>'), "/product/" + "%3c" * 512)
    assert b"esi:include" in long


async def test_a_page_that_says_itself_what_it_is_does_so_in_its_shell(wrap):
    told = '<script type="application/ld+json">{"@type": "Product", "sku": "s1", "name": "n", "offers": {"price": 1}}</script>'
    late = await shell_of(wrap, page(SLOT, told), "/x")
    assert b"page=product&amp;product_id=s1" in late
    unknown = await shell_of(wrap, page(SLOT), "/x")
    assert unknown == page(SLOT)


async def test_a_404_page_is_a_shell_and_other_answers_are_none(wrap, vendor):
    shop = await wrap(**kept("esi", pages=[{"path": "/left/{rest*}", "kind": "none"}, *PAGES]))
    shop.answers["/gone"] = reply(page(SLOT), 404, PUBLIC)
    shop.answers["/away"] = reply(b"", 302, "location: /x", PUBLIC)
    shop.answers["/pic"] = reply(
        b"<div data-dc-products>", 200, 'etag: "p"', PUBLIC, content_type="image/png"
    )
    shop.answers["/off"] = reply(page(SLOT), 200, "x-datacue-off: 1", 'etag: "o"', PUBLIC)
    shop.answers["/said"] = reply(
        page(SLOT), 200, 'x-datacue-event: {"type":"pageview","subtype":"product","product_id":"p7"}', PUBLIC
    )
    shop.answers["/left/x"] = reply(page(SLOT), 200, PUBLIC)
    assert b"related?page=404" in (await ask(shop.address, "/gone")).body
    assert (await ask(shop.address, "/away")).get("surrogate-control") is None
    pic = await ask(shop.address, "/pic", if_none_match='"p"')
    assert (pic.body, pic.get("etag")) == (b"<div data-dc-products>", '"p"')
    off = await ask(shop.address, "/off")
    assert (off.body, off.get("etag"), off.get("x-datacue-off")) == (page(SLOT), '"o"', None)
    said = await ask(shop.address, "/said")
    assert b"product_id=p7" in said.body
    assert said.get("x-datacue-event") is None
    assert (await ask(shop.address, "/left/x")).body == page(SLOT)
    post = await ask(shop.address, "/product/p1", method="POST", body=b"x")
    assert post.status == 404
    assert vendor.events == []


async def test_auto_makes_shells_for_a_trusted_esi_processor_alone(wrap, vendor, shown):
    shop = await wrap(**kept("auto"))
    shop.answers["*"] = reply(page(SLOT), 200, PUBLIC)
    for_varnish = await ask(shop.address, "/product/p1", surrogate_capability=VARNISH)
    for_one = await ask(shop.address, "/product/p1")
    assert b"esi:include" in for_varnish.body
    assert for_varnish.get("cache-control") == "public, max-age=60"
    assert b"Product 1<" in for_one.body
    assert for_one.get("cache-control") == "private, no-store"
    wary = await wrap(**kept("auto", trusted_proxies=["192.0.2.1"]))
    wary.answers = shop.answers
    assert b"Product 1<" in (await ask(wary.address, "/product/p1", surrogate_capability=VARNISH)).body


async def test_a_compressed_page_is_a_compressed_shell(wrap, vendor):
    shop = await wrap(**kept("ssi"))
    body = gzip.compress(page(SLOT, "<esi:remove>x</esi:remove>"))
    shop.answers["*"] = reply(
        body, 200, PUBLIC, "content-encoding: gzip", 'surrogate-control: content="ESI/1.0", max-age=9'
    )
    got = await ask(shop.address, "/product/p1", accept_encoding="gzip")
    assert got.get("content-encoding") == "gzip"
    assert got.get("surrogate-control") == "max-age=9"
    assert b'stub="datacue-' in gzip.decompress(got.body)
    assert b"esi:" not in gzip.decompress(got.body)


async def test_a_shell_keeps_its_page_whole_where_it_cannot_be_read(wrap, vendor):
    shop = await wrap(**kept("esi"))
    shop.answers["*"] = reply(b"no gzip at all", 200, PUBLIC, "content-encoding: gzip")
    got = await ask(shop.address, "/product/p1", accept_encoding="gzip")
    assert got.body == b"no gzip at all"
    assert got.get("cache-control") == "private, no-store"


async def test_a_fragment_may_be_a_single_banner(wrap, vendor):
    banners = [{"banner_id": f"b{n}", "link": f"/{n}", "photo_url": f"/banner-{n}.jpg"} for n in (1, 2)]
    vendor.recommendations = {"main_banners": banners}
    shop = await wrap(**kept("esi"))
    shop.answers["*"] = reply(page("<div data-dc-main-insert-banner='2'></div>"), 200, PUBLIC)
    shell = (await ask(shop.address, "/product/p1")).body.decode()
    url = re.search(r'src="([^"]+)"', shell)[1].replace("&amp;", "&")
    shop.answers["*"] = reply(page(), 200, "cache-control: private")
    private = await ask(shop.address, "/product/p1")
    got = await ask(shop.address, url, cookie=private.cookie())
    odd = await ask(shop.address, url.replace("index=2", "index=999"), cookie=private.cookie())
    assert b"/banner-2.jpg" in got.body
    assert b"/banner-1.jpg" not in got.body
    assert b"/banner-1.jpg" in odd.body


async def test_what_an_app_says_or_shows_of_its_visitor_makes_the_page_personal(wrap, vendor, shown):
    shop = await wrap(**kept("esi"), embedded=True)
    shop.answers["*"] = reply(page(SLOT), 200, PUBLIC)
    for speak in (None, "widget", "identify", "track"):
        shop.speaks = speak
        got = await ask(shop.address, "/product/p1")
        assert (got.get("cache-control") == "private, no-store") == (speak is not None), speak
        assert (b"Product 1<" in got.body) == (speak is not None), speak
    assert b"Product 1<" in shop.shown.encode()
    assert [event["event"]["type"] for event in vendor.events].count("pageview") == 3


async def test_a_shell_that_is_cut_short_by_its_markup_keeps_the_rest_of_the_page(wrap, vendor):
    shop = await wrap(**kept("esi"))
    body = page("<div data-dc-products><b title='" + "x" * 20_000 + "'></b></div>", SLOT)
    shop.answers["*"] = reply(body, 200, PUBLIC, "etag: broken")
    got = await ask(shop.address, "/product/p1")
    assert got.body == body
    assert got.get("etag") == "broken"


async def test_a_304_without_a_tag_of_its_own_passes(wrap, vendor):
    shop = await wrap(**kept("esi"))
    shop.answers["*"] = reply(page(SLOT), 200, PUBLIC, 'etag: "a"')
    tag = (await ask(shop.address, "/product/p1")).get("etag")
    shop.answers["*"] = reply(b"", 304, PUBLIC, length=False)
    got = await ask(shop.address, "/product/p1", if_none_match=tag)
    assert (got.status, got.get("etag")) == (304, None)
