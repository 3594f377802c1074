"""A whole crawl of a small shop, over real sockets."""

from __future__ import annotations

import pytest
from harness.peers import page, reply

from proxy.crawl import CrawlStopped
from proxy.crawl.crawl import MAX_FAILURES
from proxy.journal import JournalUnusable


async def test_the_products_of_the_sitemaps_pages_are_learned(crawl, lamps, kept):
    lamps.product(1)
    lamps.product(2)
    lamps.add("/about")
    lamps.peer.answers["/about"] = reply(page("about us"))
    tally = await crawl()
    assert kept.ids == ["1", "2"]
    assert {name: kept[0][name] for name in ("name", "price", "photo_url", "link", "available", "source")} == {
        "name": "Lamp 1", "price": 10, "photo_url": "/lamp.jpg", "link": "/product/1", "available": True, "source": "page",
    }  # fmt: skip
    assert (tally.found, tally.pages, tally.products, tally.errors, tally.finished) == (3, 3, 2, 0, True)


async def test_an_index_leads_to_its_sitemaps_even_in_a_circle(crawl, lamps, kept):
    lamps.product(1)
    lamps.peer.answers["/deep.xml"] = lamps.peer.answers["/sitemap.xml"]
    index = "".join(
        f"<sitemap><loc>{lamps.url(path)}</loc></sitemap>" for path in ("/sitemap.xml", "/deep.xml")
    )
    lamps.peer.answers["/sitemap.xml"] = reply(f"<sitemapindex>{index}</sitemapindex>".encode())
    assert (await crawl()).found == 1
    assert kept.ids == ["1"]


async def test_what_robots_forbids_is_not_asked_for(crawl, lamps, kept):
    lamps.product(1)
    lamps.product(2)
    lamps.robots("User-agent: *", "Disallow: /product/", "Allow: /product/2$")
    tally = await crawl()
    assert (lamps.asked, kept.ids, tally.denied) == (["/product/2"], ["2"], 1)


async def test_pages_of_other_origins_are_not_asked_for(crawl, lamps, vendor):
    lamps.product(1)
    lamps.add(f"{vendor.url}/product/2")
    lamps.add("mailto:shop@shop.example")
    tally = await crawl()
    assert (vendor.seen, tally.elsewhere, tally.errors, tally.found) == ([], 1, 1, 1)


async def test_the_next_crawl_asks_for_what_has_changed(crawl, lamps):
    lamps.product(1, lastmod="2026-11-01")
    lamps.product(2, lastmod="2026-11-01")
    await crawl()
    lamps.peer.seen.clear()
    lamps.product(2, lastmod="2026-11-02")
    lamps.product(3, lastmod="2026-11-02")
    tally = await crawl()
    assert lamps.asked == ["/product/2", "/product/3"]
    assert (tally.found, tally.known, tally.due) == (3, 1, 2)


async def test_a_page_without_lastmod_is_asked_whether_it_changed(crawl, lamps):
    path = lamps.product(1, 'etag: "1"')
    await crawl()
    lamps.peer.answers[path] = b'HTTP/1.1 304 X\r\netag: "1"\r\n\r\n'
    tally = await crawl()
    assert lamps.peer.seen[-1].get("if-none-match") == '"1"'
    assert (tally.unchanged, tally.errors) == (1, 0)


@pytest.mark.parametrize("more", [{"fresh": True}, {"rules": "others"}])
async def test_a_fresh_crawl_and_one_under_other_rules_read_all_again(crawl, lamps, more):
    lamps.product(1, 'etag: "1"', lastmod="2026-11-01")
    await crawl()
    lamps.peer.seen.clear()
    await crawl(**more)
    assert lamps.asked == ["/product/1"]
    assert lamps.peer.seen[-1].get("if-none-match") is None


async def test_a_limited_crawl_is_gone_on_with(crawl, lamps, kept):
    for number in range(5):
        lamps.product(number)
    tally = await crawl(limit=2)
    assert (kept.ids, tally.due, tally.finished) == (["0", "1"], 2, False)
    tally = await crawl()
    assert (kept.ids, tally.due, tally.finished) == (["0", "1", "2", "3", "4"], 3, True)


@pytest.mark.parametrize("error", [CrawlStopped("the engine is gone"), JournalUnusable("its disk is full")])
async def test_what_could_not_be_kept_ends_the_crawl_and_is_read_again(crawl, lamps, kept, error):
    class Broken:
        async def learn(self, products):
            raise error

    lamps.product(1)
    with pytest.raises(type(error), match=str(error)):
        await crawl(catalogue=Broken())
    await crawl()
    assert kept.ids == ["1"]


async def test_products_of_a_page_that_is_gone_leave_the_lists_unless_another_shows_them(crawl, lamps, kept):
    one, two = lamps.product(1), lamps.product(2)
    lamps.add("/again")
    lamps.peer.answers["/again"] = reply(b"", 301, f"location: {two}")
    await crawl()
    kept.clear()
    lamps.peer.answers |= {path: reply(b"", 410) for path in (one, two)}
    lamps.peer.answers["/again"] = b"HTTP/1.1 304 X\r\n\r\n"
    tally = await crawl()
    assert tally.gone == 2
    assert [(product["product_id"], product["available"]) for product in kept] == [("1", False)]


async def test_a_page_that_fails_costs_no_other_and_is_asked_for_by_the_next_crawl(crawl, lamps, kept):
    path, _ = lamps.product(1, lastmod="2026-11-01"), lamps.product(2, lastmod="2026-11-01")
    well = lamps.peer.answers[path]
    lamps.peer.answers[path] = reply(b"", 500)
    tally = await crawl()
    assert (kept.ids, tally.errors, tally.finished) == (["2"], 1, True)
    assert tally.complaints == [f"{lamps.url(path)}: answers 500"]
    lamps.peer.answers[path] = well
    await crawl()
    assert kept.ids == ["2", "1"]


async def test_a_shop_that_fails_at_every_page_is_left_alone(crawl, lamps, kept):
    for number in range(MAX_FAILURES + 5):
        lamps.product(number, lastmod="2026-11-01")
        lamps.peer.answers[f"/product/{number}"] = reply(b"", 500)
    with pytest.raises(CrawlStopped, match="one page after the other"):
        await crawl()
    assert len(set(lamps.asked)) == MAX_FAILURES
    for number in range(MAX_FAILURES + 5):
        lamps.product(number, lastmod="2026-11-01")
    assert (await crawl()).products == MAX_FAILURES + 5


async def test_the_shops_own_header_says_what_a_page_is(crawl, lamps, kept):
    event = '{"type":"pageview","subtype":"product","product_id":"other"}'
    lamps.product(1, f"x-datacue-event: {event}")
    lamps.product(2, "x-datacue-off: 1")
    await crawl()
    assert kept.ids == ["other"]


async def test_a_sitemap_that_is_none_ends_the_crawl(crawl, lamps):
    with pytest.raises(CrawlStopped, match=r"sitemap\.xml answers 404"):
        await crawl()


async def test_pages_are_read_side_by_side_once_each(crawl, lamps, kept):
    for number in range(20):
        lamps.product(number)
    await crawl(concurrency=4)
    assert sorted(kept.ids, key=int) == [str(number) for number in range(20)]
    assert len(lamps.asked) == 20


async def test_a_sitemap_of_an_index_that_fails_costs_no_other(crawl, lamps, kept):
    lamps.product(1)
    lamps.peer.answers["/good.xml"] = lamps.peer.answers["/sitemap.xml"]
    index = "".join(f"<sitemap><loc>{lamps.url(path)}</loc></sitemap>" for path in ("/bad.xml", "/good.xml"))
    lamps.peer.answers["/sitemap.xml"] = reply(f"<sitemapindex>{index}</sitemapindex>".encode())
    tally = await crawl()
    assert (kept.ids, tally.complaints) == (["1"], [f"{lamps.url('/bad.xml')}: answers 404"])


async def test_indexes_within_indexes_end_at_a_depth(crawl, lamps):
    for level in range(10):
        inside = f"<sitemap><loc>{lamps.url(f'/{level + 1}.xml')}</loc></sitemap>"
        path = f"/{level}.xml" if level else "/sitemap.xml"
        lamps.peer.answers[path] = reply(f"<sitemapindex>{inside}</sitemapindex>".encode())
    tally = await crawl()
    assert tally.errors == 1
    assert [seen.target for seen in lamps.peer.seen] == ["/robots.txt", "/sitemap.xml", "/1.xml", "/2.xml"]


async def test_a_page_that_moved_to_another_origin_is_left_alone(crawl, lamps, vendor):
    lamps.product(1)
    lamps.peer.answers["/product/1"] = reply(b"", 301, f"location: {vendor.url}/product/1")
    tally = await crawl()
    assert (vendor.seen, tally.elsewhere, tally.errors) == ([], 1, 0)


async def test_a_page_beyond_the_limit_is_an_error(crawl, lamps, kept):
    lamps.product(1)
    lamps.peer.answers["/product/1"] = reply(page("x" * 9_000_000))
    tally = await crawl()
    assert tally.complaints == [f"{lamps.url('/product/1')}: is larger than 8192 KiB"]


@pytest.mark.parametrize("content_type", ["application/pdf", "text/html; charset=utf-16"])
async def test_what_is_no_readable_page_shows_no_product(crawl, lamps, kept, content_type):
    path = lamps.product(1)
    body = lamps.peer.answers[path].partition(b"\r\n\r\n")[2]
    lamps.peer.answers[path] = reply(body, content_type=content_type)
    tally = await crawl()
    assert (list(kept), tally.pages, tally.errors) == ([], 1, 0)
