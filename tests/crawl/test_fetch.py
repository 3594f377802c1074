"""One page of the shop, over a real socket; waits are on a clock that only waiting moves."""

from __future__ import annotations

import gzip
from email.utils import formatdate

import pytest
from harness.peers import reply

from proxy.crawl import AGENT, CrawlStopped, NotFetched, crawl_client
from proxy.crawl.fetch import FIRST_REST, MAX_ATTEMPTS, MAX_REDIRECTS
from proxy.errors import ConnectFailed, UnexpectedAnswer

LIMIT = 10_000


@pytest.fixture
async def client():
    async with crawl_client(2) as client:
        yield client


@pytest.fixture
def fetcher(client, shop, fetching):
    return fetching(client, shop.url, rate=100)


def answers(*each):
    """One answer after the other, the last one for ever."""
    left = list(each)

    async def answer(_seen, writer):
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return answer


async def get(fetcher, shop, path="/a", **more):
    return await fetcher.get(f"{shop.url}{path}", limit=LIMIT, **more)


async def test_the_shop_learns_who_asks_and_gets_no_cookie_back(fetcher, shop):
    shop.answers["*"] = reply(b"", 200, "set-cookie: session=1")
    await get(fetcher, shop)
    await get(fetcher, shop)
    assert shop.seen[1].get("cookie") is None
    assert shop.seen[1].get("user-agent").startswith(AGENT)
    assert shop.seen[1].get("sec-gpc") == "1"


async def test_a_redirect_is_followed_within_the_shop(fetcher, shop):
    shop.answers["/a"] = reply(b"", 301, "location: b?x=1#here")
    shop.answers["/b"] = reply(b"there")
    fetched = await get(fetcher, shop)
    assert (fetched.body, str(fetched.url)) == (b"there", f"{shop.url}/b?x=1")


@pytest.mark.parametrize("location", ["http://127.0.0.1:9/x", "https://127.0.0.1/x", "//other.invalid/x"])
async def test_a_redirect_that_leaves_the_shop_is_not_followed(fetcher, shop, location):
    shop.answers["/a"] = reply(b"", 302, f"location: {location}")
    with pytest.raises(NotFetched) as refused:
        await get(fetcher, shop)
    assert refused.value.reason == "elsewhere"


async def test_a_redirect_to_what_is_disallowed_is_not_followed(fetcher, shop):
    shop.answers["/robots.txt"] = reply(b"User-agent: *\nDisallow: /b")
    shop.answers["/a"] = reply(b"", 302, "location: /b")
    await fetcher.read_robots()
    with pytest.raises(NotFetched) as refused:
        await get(fetcher, shop)
    assert refused.value.reason == "robots"
    assert [seen.target for seen in shop.seen] == ["/robots.txt", "/a"]


async def test_redirects_in_a_circle_end(fetcher, shop):
    shop.answers["/a"] = reply(b"", 302, "location: /a")
    with pytest.raises(NotFetched):
        await get(fetcher, shop)
    assert len(shop.seen) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("url", ["", "/a", "ftp://shop/a", "http://", "http://u:p@shop/", "http://[/"])
async def test_what_is_no_address_is_not_asked_for(fetcher, url):
    with pytest.raises(NotFetched):
        await fetcher.get(url, limit=LIMIT)


async def test_a_busy_shop_is_left_alone_for_as_long_as_it_asks(fetcher, shop, clock):
    shop.answers["/a"] = answers(reply(b"", 429, "retry-after: 120"), reply(b"well"))
    assert (await get(fetcher, shop)).body == b"well"
    assert clock.waits == [120]


async def test_the_date_that_a_busy_shop_names_is_kept(fetcher, shop, clock):
    date = formatdate(clock.now + 90, usegmt=True)
    shop.answers["/a"] = answers(reply(b"", 503, f"retry-after: {date}"), reply(b"well"))
    await get(fetcher, shop)
    assert clock.waits == [90]


async def test_a_shop_that_asks_for_hours_ends_the_crawl(fetcher, shop, clock):
    shop.answers["/a"] = reply(b"", 503, "retry-after: 3600")
    with pytest.raises(CrawlStopped, match="60 minutes"):
        await get(fetcher, shop)
    assert (len(shop.seen), clock.waits) == (1, [])


async def test_a_failing_page_is_asked_for_ever_more_rarely_and_then_given_up(fetcher, shop, clock):
    shop.answers["/a"] = reply(b"", 500)
    with pytest.raises(UnexpectedAnswer) as failed:
        await get(fetcher, shop)
    assert failed.value.answered == 500
    assert len(shop.seen) == MAX_ATTEMPTS
    for attempt, wait in enumerate(clock.waits):
        assert FIRST_REST * 2**attempt / 2 <= wait <= FIRST_REST * 2**attempt
    assert len(clock.waits) == MAX_ATTEMPTS - 1


async def test_a_shop_that_is_not_there_is_a_failure_of_the_shop(client, fetching):
    with pytest.raises(ConnectFailed):
        await fetching(client, "http://127.0.0.1:1").get("http://127.0.0.1:1/", limit=LIMIT)


async def test_few_bytes_that_stand_for_too_many_are_refused(fetcher, shop):
    shop.answers["/a"] = reply(gzip.compress(b"x" * 5_000_000), 200, "content-encoding: gzip")
    with pytest.raises(NotFetched) as refused:
        await get(fetcher, shop)
    assert refused.value.reason == "size"


async def test_a_compressed_page_is_unpacked(fetcher, shop):
    shop.answers["/a"] = reply(gzip.compress(b"well"), 200, "content-encoding: gzip")
    assert (await get(fetcher, shop)).body == b"well"


@pytest.mark.parametrize("status", [404, 403, 410])
async def test_a_shop_without_robots_forbids_nothing(fetcher, shop, status):
    shop.answers["/robots.txt"] = reply(b"User-agent: *\nDisallow: /", status)
    shop.answers["/a"] = reply(b"well")
    await fetcher.read_robots()
    assert (await get(fetcher, shop)).body == b"well"


async def test_a_shop_whose_robots_fails_is_not_crawled(fetcher, shop):
    """RFC 9309, 2.3.1.4."""
    shop.answers["*"] = reply(b"", 500)
    with pytest.raises(CrawlStopped, match=r"robots\.txt"):
        await fetcher.read_robots()


async def test_a_robots_that_moved_elsewhere_ends_the_crawl(fetcher, shop):
    shop.answers["/robots.txt"] = reply(b"", 301, "location: https://www.shop.example/robots.txt")
    with pytest.raises(CrawlStopped, match=r"https://www\.shop\.example"):
        await fetcher.read_robots()


async def test_a_crawl_delay_is_kept(fetcher, shop, clock):
    shop.answers["*"] = reply(b"")
    shop.answers["/robots.txt"] = reply(b"User-agent: *\nCrawl-delay: 7")
    await fetcher.read_robots()
    await get(fetcher, shop)
    await get(fetcher, shop)
    assert clock.waits[-1] == pytest.approx(7)


async def test_a_robots_is_read_anew_after_a_day(fetcher, shop, clock):
    """RFC 9309, 2.4."""
    shop.answers["/robots.txt"] = reply(b"")
    await fetcher.read_robots()
    await fetcher.refresh_robots()
    assert len(shop.seen) == 1
    clock.now += 86_400
    shop.answers["/robots.txt"] = reply(b"User-agent: *\nDisallow: /a")
    await fetcher.refresh_robots()
    with pytest.raises(NotFetched):
        await get(fetcher, shop)
