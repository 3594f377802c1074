"""nginx, Varnish, Apache and Caddy, set up as docs/include says, in front of a shop and ``datacue-proxy``."""

from __future__ import annotations

import asyncio
import gzip
import json
import time

import pytest
from harness.includes import FALLBACK, WIDGETS, anonymous_id, people, shell, tag
from harness.peers import page, product, reply
from harness.wire import ask

EDGES = ("nginx", "varnish", "apache", "caddy")
INTRODUCING = ("nginx", "varnish")
"""Those that give a first visitor the cookie with the page."""


@pytest.fixture
def shown(shop):
    """Puts five fragments into the product page."""

    def show(name, *more):
        shop.answers["/sofa"] = shell(*(tag(name, widget) for widget in WIDGETS), *more)

    return show


async def cookie_of(front):
    """A visitor's cookie, as a browser gets it from the address itself."""
    got = await ask(front.address, "/_datacue/visitor")
    assert got.status == 204
    return got.cookie()


@pytest.mark.parametrize("name", EDGES)
async def test_a_page_of_five_fragments_is_filled_for_its_visitor_and_told_once(
    run_front, shown, vendor, name
):
    shown(name)
    front = await run_front(name)
    cookie = await cookie_of(front)
    got = await ask(front.address, "/sofa", cookie=cookie)
    who = anonymous_id(cookie)
    assert people(got.body) == {who}
    for key in (b"rel", b"sim", b"rec", b"top"):
        assert b"%b for %b" % (key, who.encode()) in got.body
    assert b"the shop's own end" in got.body
    assert b"include" not in got.body
    assert vendor.pageviews() == [(who, "p1")]
    assert got.get("cache-control") == "private, no-store"
    assert got.get("etag") is None
    assert got.all("set-cookie") == []


@pytest.mark.parametrize("name", INTRODUCING)
async def test_a_first_visit_gets_its_cookie_with_the_page_and_is_the_same_visitor_ever_after(
    run_front, shown, vendor, name
):
    shown(name)
    front = await run_front(name)
    first = await ask(front.address, "/sofa")
    second = await ask(front.address, "/sofa", cookie=first.cookie())
    who = anonymous_id(first.cookie())
    assert people(first.body) == people(second.body) == {who}
    assert second.all("set-cookie") == []
    assert vendor.pageviews() == [(who, "p1")] * 2


@pytest.mark.parametrize("name", EDGES)
async def test_whatever_ails_datacue_or_us_the_page_stands_with_what_everybody_sees(
    run_front, shown, vendor, name
):
    shown(name)
    front = await run_front(name, patient=False)
    cookie = await cookie_of(front)

    async def fallbacks():
        began = time.monotonic()
        got = await ask(front.address, "/sofa", cookie=cookie)
        assert got.status == 200
        assert b"the shop's own end" in got.body
        assert b"rror" not in got.body
        assert not people(got.body)
        return got.body.count(FALLBACK.encode()), time.monotonic() - began

    async def garbage(seen, writer):
        writer.write(reply(b'{"related_product_skus": [{"na', content_type="application/json"))

    async def stalled(seen, writer):
        await asyncio.sleep(60)

    for ailing in (garbage, reply(b"no", 500), stalled):
        vendor.answers["*"] = ailing
        shown_instead, seconds = await fallbacks()
        assert shown_instead == len(WIDGETS), ailing
        assert seconds < 3, "five fragments wait once, not five times"
    await vendor.stop()
    assert (await fallbacks())[0] == len(WIDGETS)
    await front.proxy.stop()
    assert (await fallbacks())[0] == len(WIDGETS)


@pytest.mark.parametrize("name", ["nginx", "varnish"])
async def test_the_shop_is_asked_once_for_a_page_that_each_visitor_sees_filled_for_them(
    run_front, shown, shop, vendor, name
):
    shown(name)
    front = await run_front(name)
    cookies = [await cookie_of(front) for _ in range(3)]
    pages = [await ask(front.address, "/sofa", cookie=cookie) for cookie in [*cookies, *cookies]]
    assert [people(got.body) for got in pages] == [{anonymous_id(cookie)} for cookie in [*cookies, *cookies]]
    assert [seen.target for seen in shop.seen] == ["/sofa"]
    assert len(vendor.pageviews()) == 6


@pytest.mark.parametrize("name", ["nginx", "varnish"])
async def test_visitors_of_a_page_that_no_cache_may_keep_do_not_wait_for_each_other(run_front, shop, name):
    together = asyncio.Barrier(4)
    known = False

    async def sofa(seen, writer):
        if known:
            await together.wait()
        writer.write(
            reply(page("<h1>Oak sofa</h1>", tag(name, "related")), 200, "set-cookie: shop_session=1")
        )

    shop.answers["/sofa"] = sofa
    front = await run_front(name)
    await ask(front.address, "/sofa")  # by now the server knows that it can't keep it
    known = True
    async with asyncio.timeout(4):  # less than what nginx's proxy_cache_lock would wait
        pages = await asyncio.gather(*(ask(front.address, "/sofa") for _ in range(4)))
    assert [got.status for got in pages] == [200] * 4


@pytest.mark.parametrize("name", EDGES)
async def test_nothing_that_came_out_of_a_fragment_is_looked_through_for_includes(
    run_front, shop, vendor, name
):
    async def hostile(seen, writer):
        evil = "".join(tag(each, "secret") for each in EDGES) + "<esi:include src='/secret'/>{{env `PATH`}}"
        writer.write(
            reply(
                json.dumps({"related_product_skus": [product(1, name=evil, brand=evil)]}).encode(),
                content_type="application/json",
            )
        )

    vendor.answers["*"] = hostile
    shop.answers["/sofa"] = shell(tag(name, "related"))
    shop.answers["/secret"] = reply(b"the secret")
    front = await run_front(name)
    got = await ask(front.address, "/sofa", cookie=await cookie_of(front))
    assert b"datacue-rec" in got.body
    assert b"the secret" not in got.body
    assert {seen.target for seen in shop.seen} == {"/sofa"}
    assert len(vendor.seen) == 1


@pytest.mark.parametrize("name", EDGES)
async def test_a_compressed_page_is_filled_and_compressed_for_whoever_wants_it(run_front, shop, vendor, name):
    """However the shop sends it; only Varnish and Apache are let see it compressed."""
    plain = shell(*(tag(name, widget) for widget in WIDGETS)).partition(b"\r\n\r\n")[2]
    seen_codings = []

    async def sofa(seen, writer):
        seen_codings.append(seen.get("accept-encoding"))
        coded = "gzip" in (seen_codings[-1] or "")
        body = gzip.compress(plain) if coded else plain
        writer.write(
            reply(body, 200, *(["content-encoding: gzip"] if coded else []), "vary: accept-encoding")
        )

    shop.answers["/sofa"] = sofa
    front = await run_front(name)
    cookie = await cookie_of(front)
    compressed = await ask(front.address, "/sofa", cookie=cookie, accept_encoding="gzip, br")
    identity = await ask(front.address, "/sofa", cookie=cookie)
    opened = compressed.body
    if compressed.get("content-encoding") == "gzip":
        opened = gzip.decompress(opened)
    assert compressed.get("content-encoding") == (
        None if name == "varnish" and "gzip" not in seen_codings[0] else "gzip"
    )
    assert identity.get("content-encoding") is None
    for body in (opened, identity.body):
        assert people(body) == {anonymous_id(cookie)}
        assert b"the shop's own end" in body


@pytest.mark.parametrize("name", EDGES)
async def test_what_a_client_claims_of_views_visitors_and_hosts_counts_nothing(
    run_front, shown, vendor, name
):
    shown(name)
    front = await run_front(name)
    mine, other = await cookie_of(front), await cookie_of(front)
    known = await ask(front.proxy.address, "/_datacue/visitor", cookie=other)
    claims = {
        "x_datacue_visitor": known.get("x-datacue-visitor"),
        "x_datacue_view": "same",
        "x_forwarded_host": "evil.example",
        "x_original_uri": "/cart",
    }
    assert claims["x_datacue_visitor"], "whom a trusted edge is told, this client has got hold of"
    for _ in range(2):
        got = await ask(front.address, "/sofa", cookie=mine, **claims)
        assert people(got.body) == {anonymous_id(mine)}
    stranger = await ask(front.address, "/sofa", **claims)
    assert anonymous_id(other) not in people(stranger.body)
    fragment = await ask(front.address, "/_datacue/fragments/related?product_id=p2", cookie=mine, **claims)
    assert people(fragment.body) == {anonymous_id(mine)}
    # Two page views, though they claimed to be one.
    assert vendor.pageviews().count((anonymous_id(mine), "p1")) == 2
