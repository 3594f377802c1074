"""The page cache in front of a shop: asked once, used as long as the shop allows."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from proxy.cache.keeper import MAX_VAIN, VAIN_SECONDS
from proxy.cache.landing import MAX_PAGE
from proxy.cache.pages import COLLAPSE_SECONDS
from proxy.cache.store import MAX_VARIANTS
from proxy.edge import EdgeLimits
from proxy.edge.head import parse_head
from proxy.headers import Client


async def test_a_public_page_is_asked_for_once_and_says_its_age(world):
    world.shop.says("/")
    first = await world.ask()
    world.clock.at += 20
    second = await world.ask()
    assert (first.body, second.body) == (b"<p>page</p>", b"<p>page</p>")
    assert b"age" not in first.headers
    assert second.headers[b"age"] == b"20"
    assert len(world.shop.asked) == 1
    assert world.counted("hit") == 1


async def test_it_is_asked_for_again_when_it_is_stale(world):
    world.shop.says("/")
    await world.ask()
    world.clock.at += 60
    world.shop.says("/", b"<p>new</p>")
    assert (await world.ask()).body == b"<p>new</p>"


@pytest.mark.parametrize(
    "more",
    [
        {"host": b"other.example"},
        {"query": b"q=1"},
        {"path": "/other"},
        {"scheme": "https"},
    ],
)
async def test_another_address_is_another_page(world, more):
    world.shop.says("/")
    world.shop.says("/other")
    await world.ask()
    await world.ask(**more)
    assert len(world.shop.asked) == 2


@pytest.mark.parametrize(
    "fields",
    [
        [(b"authorization", b"Basic eA==")],
        [(b"range", b"bytes=0-1")],
        [(b"transfer-encoding", b"chunked")],
        [(b"content-length", b"3")],
    ],
)
async def test_who_asks_for_something_special_is_never_answered_from_what_is_kept(world, fields):
    world.shop.says("/")
    await world.ask()
    await world.ask("/", *fields)
    await world.ask()
    assert len(world.shop.asked) == 2


@pytest.mark.parametrize(
    "body",
    [
        b'<script nonce="r4nd0m">',
        b'<input type="hidden" name="csrfmiddlewaretoken" value="x">',
        b'<meta name="CSRF-Token" content="x">',
        b'<input name="form_key" value="x">',
        b'<input type="hidden" name="_token" value="x">',
        b"<input type='hidden' name='review[_token]' value='x'>",
        b'<input name="__RequestVerificationToken" value="x">',
    ],
)
async def test_a_page_made_for_one_visit_is_not_kept_though_the_shop_calls_it_public(world, body):
    world.shop.says("/", body)
    await world.ask()
    await world.ask()
    assert len(world.shop.asked) == 2
    assert world.counted("not kept: token") == 2


async def test_a_compressed_page_is_looked_into(world):
    fields = (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")
    world.shop.says("/", gzip.compress(b"<p>" * 40_000 + b'<i nonce="x">'), b"max-age=60", *fields)
    world.shop.says("/plain", gzip.compress(b"<p>plain"), b"max-age=60", *fields)
    world.shop.says("/broken", b"not gzip", b"max-age=60", *fields)
    world.shop.says("/odd", b"odd", b"max-age=60", (b"content-encoding", b"snappy"))
    for path in ("/", "/plain", "/broken", "/odd"):
        await world.ask(path, (b"accept-encoding", b"gzip"))
        await world.ask(path, (b"accept-encoding", b"gzip"))
    assert [path for _, path, _ in world.shop.asked].count("/plain") == 1
    assert len(world.shop.asked) == 7


async def test_two_visitors_whose_cookies_matter_have_two_pages(world):
    def page(scope):
        cookie = dict(scope["headers"]).get(b"cookie", b"")
        return (
            200,
            [(b"content-type", b"text/html"), (b"cache-control", b"max-age=60"), (b"vary", b"cookie")],
            cookie,
        )

    world.shop.answers["/"] = page
    for _ in range(2):
        assert (await world.ask("/", (b"cookie", b"s=anna; datacue=1"))).body == b"s=anna; datacue=1"
        assert (await world.ask("/", (b"cookie", b"s=bert"))).body == b"s=bert"
    assert len(world.shop.asked) == 2
    # Our own cookie makes no other page of it: the shop doesn't know it.
    assert (await world.ask("/", (b"cookie", b"s=anna; datacue=2"))).body == b"s=anna; datacue=1"


async def test_an_address_has_a_bounded_number_of_variants(world):
    world.shop.says("/", b"x", b"max-age=60", (b"vary", b"cookie"))
    for number in range(MAX_VARIANTS + 5):
        await world.ask("/", (b"cookie", b"s=%d" % number))
    await world.ask("/", (b"cookie", b"s=0"))
    assert len(world.shop.asked) == MAX_VARIANTS + 6


async def test_a_page_that_is_too_long_passes_whole_and_is_not_kept(world):
    long = b"x" * (MAX_PAGE + 1)
    world.shop.says("/", long)
    world.shop.says("/said", long, b"max-age=60", (b"content-length", b"%d" % len(long)))
    for path in ("/", "/said"):
        assert (await world.ask(path)).body == long
        assert (await world.ask(path)).body == long
    assert len(world.shop.asked) == 4
    assert world.store.size == 0


async def test_what_is_kept_stays_within_its_limit(world):
    for number in range(10):
        world.shop.says(f"/{number}", bytes(MAX_PAGE - 2000))
        await world.ask(f"/{number}")
        assert world.store.size <= world.store.limit
    await world.ask("/9")
    assert len(world.shop.asked) == 10
    await world.ask("/0")
    assert len(world.shop.asked) == 11


# -- validation --------------------------------------------------------------------------------------


async def test_a_stale_page_that_still_holds_is_used_again(world):
    world.shop.validates("/", b"<p>page</p>", b'"1"')
    await world.ask()
    world.clock.at += 90
    again = await world.ask()
    assert (again.status, again.body) == (200, b"<p>page</p>")
    assert world.shop.asked[1][2][b"if-none-match"] == b'"1"'
    assert world.counted("revalidated") == 1
    world.clock.at += 30
    assert (await world.ask()).body == b"<p>page</p>"
    assert len(world.shop.asked) == 2


async def test_a_304_that_takes_its_leave_back_is_the_pages_last_use(world):
    world.shop.validates("/", b"<p>page</p>", b'"1"')
    await world.ask()
    world.shop.validates("/", b"<p>page</p>", b'"1"', control=b"private")
    world.clock.at += 90
    assert (await world.ask()).body == b"<p>page</p>"
    await world.ask()
    assert b"if-none-match" not in world.shop.asked[2][2]


async def test_a_304_that_sets_a_cookie_is_the_pages_last_use(world):
    world.shop.validates("/", b"<p>page</p>", b'"1"')
    await world.ask()
    world.shop.validates("/", b"<p>page</p>", b'"1"', b"max-age=60", (b"set-cookie", b"s=anna"))
    world.clock.at += 90
    assert (await world.ask()).headers[b"set-cookie"] == b"s=anna"
    again = await world.ask()
    assert b"if-none-match" not in world.shop.asked[2][2]
    assert again.body == b"<p>page</p>"


async def test_a_304_of_another_version_freshens_nothing(world):
    world.shop.validates("/", b"<p>one</p>", b'"1"')
    await world.ask()
    world.shop.answers["/"] = 304, [(b"etag", b'"2"'), (b"cache-control", b"max-age=60")], b""
    world.clock.at += 90
    answer = await world.ask()
    assert (answer.body, answer.headers[b"etag"]) == (b"<p>one</p>", b'"1"')
    world.shop.validates("/", b"<p>two</p>", b'"2"')
    assert (await world.ask()).body == b"<p>two</p>"


async def test_a_304_that_nobody_asked_for_is_passed_on_and_not_kept(world):
    world.shop.answers["/"] = 304, [(b"cache-control", b"max-age=60")], b""
    assert (await world.ask()).status == 304
    world.shop.says("/")
    assert (await world.ask()).body == b"<p>page</p>"


async def test_a_part_that_nobody_asked_for_is_passed_on_and_not_kept(world):
    world.shop.says("/", b"<p>pa", b"max-age=60", (b"content-range", b"bytes 0-4/11"), status=206)
    assert (await world.ask()).status == 206
    world.shop.says("/")
    assert (await world.ask()).body == b"<p>page</p>"


async def test_a_page_whose_vary_changes_is_used_as_it_says_now(world):
    world.shop.says("/", b"<p>all</p>", b"max-age=60")
    await world.ask("/", (b"accept-language", b"de"))
    world.shop.says("/", b"<p>deutsch</p>", b"max-age=60", (b"vary", b"accept-language"))
    world.clock.at += 90
    for _ in range(2):
        assert (await world.ask("/", (b"accept-language", b"de"))).body == b"<p>deutsch</p>"
    assert len(world.shop.asked) == 2


async def test_a_reload_asks_the_shop(world):
    world.shop.validates("/", b"<p>old</p>", b'"1"')
    await world.ask()
    world.shop.validates("/", b"<p>new</p>", b'"2"')
    assert (await world.ask("/", (b"cache-control", b"no-cache"))).body == b"<p>new</p>"
    assert (await world.ask()).body == b"<p>new</p>"


async def test_a_client_that_has_the_page_gets_304(world):
    world.shop.validates("/", b"<p>page</p>", b'"1"')
    await world.ask()
    again = await world.ask("/", (b"if-none-match", b'"1"'))
    assert (again.status, again.body) == (304, b"")
    assert len(world.shop.asked) == 1


async def test_a_clients_own_condition_never_makes_a_304_of_what_is_kept(world):
    """The shop's 304 to somebody else's condition must not answer ours, nor be kept."""
    world.shop.validates("/", b"<p>page</p>", b'"1"')
    assert (await world.ask("/", (b"if-none-match", b'"1"'))).status == 304
    assert (await world.ask()).body == b"<p>page</p>"
    world.clock.at += 90
    assert (await world.ask("/", (b"if-none-match", b'"other"'))).body == b"<p>page</p>"


async def test_only_if_cached(world):
    world.shop.says("/")
    only = (b"cache-control", b"only-if-cached")
    assert (await world.ask("/", only)).status == 504
    await world.ask()
    assert (await world.ask("/", only)).body == b"<p>page</p>"
    world.clock.at += 90
    assert (await world.ask("/", only)).status == 504
    assert (await world.ask("/", (b"cache-control", b'"'))).status == 200


async def test_head_is_answered_from_a_get_and_keeps_nothing(world):
    world.shop.says("/", b"<p>page</p>", b"max-age=60", (b"content-length", b"11"))
    await world.ask(method="HEAD")
    await world.ask()
    assert len(world.shop.asked) == 2
    head = await world.ask(method="HEAD")
    assert (head.body, head.headers[b"content-length"]) == (b"", b"11")
    assert len(world.shop.asked) == 2
    world.clock.at += 90
    await world.ask(method="HEAD")
    assert world.shop.asked[-1][0] == "HEAD"


# -- while it is asked for anew, and instead of errors ------------------------------------------------


async def test_a_stale_page_is_used_while_it_is_asked_for_anew_once(world):
    world.shop.says("/", b"<p>old</p>", b"max-age=60, stale-while-revalidate=60")
    await world.ask()
    world.shop.says("/", b"<p>new</p>", b"max-age=60, stale-while-revalidate=60")
    world.clock.at += 70
    world.shop.gate = asyncio.Event()
    first, second = await asyncio.gather(world.ask(), world.ask())
    assert (first.body, second.body) == (b"<p>old</p>", b"<p>old</p>")
    world.shop.gate.set()
    await world.refreshed()
    assert len(world.shop.asked) == 2
    assert (await world.ask()).body == b"<p>new</p>"
    assert len(world.shop.asked) == 2


async def test_a_refresh_that_fails_is_counted_and_harms_nobody(world):
    world.shop.says("/", b"<p>old</p>", b"max-age=60, stale-while-revalidate=60")
    await world.ask()

    def broken(_scope):
        raise OSError("the shop is gone")

    world.shop.answers["/"] = broken
    world.clock.at += 70
    assert (await world.ask()).body == b"<p>old</p>"
    await world.refreshed()
    assert world.counted("failed") == 1


async def test_nobody_waits_for_a_refresh(world):
    world.shop.says("/", b"<p>old</p>", b"max-age=60, stale-while-revalidate=60")
    await world.ask()
    world.clock.at += 70
    world.shop.gate = asyncio.Event()
    await world.ask()
    await world.until(lambda: len(world.shop.asked) == 2)
    async with asyncio.timeout(1):
        assert (await world.ask()).body == b"<p>old</p>"
    world.shop.gate.set()
    await world.refreshed()


async def test_a_refresh_for_a_head_brings_the_whole_page(world):
    world.shop.says("/", b"<p>old</p>", b"max-age=60, stale-while-revalidate=60")
    await world.ask()
    world.shop.says("/", b"<p>new</p>", b"max-age=60, stale-while-revalidate=60")
    world.clock.at += 70
    await world.ask(method="HEAD")
    await world.refreshed()
    assert (await world.ask()).body == b"<p>new</p>"


async def test_a_page_outlives_its_shops_errors_as_long_as_it_may_be_used_stale(world):
    world.shop.says("/", b"<p>old</p>", b"max-age=60, stale-while-revalidate=60")
    await world.ask()
    world.shop.says("/", b"broken", b"", status=502)
    world.clock.at += 50
    for _ in range(3):
        world.clock.at += 15
        assert (await world.ask()).body == b"<p>old</p>"
        await world.refreshed()
    world.clock.at += 90
    assert (await world.ask()).status == 502


async def test_an_old_page_replaces_an_error_where_the_shop_allows_it(world):
    world.shop.says("/", b"<p>old</p>", b"max-age=60, stale-if-error=600")
    world.shop.says("/strict", b"<p>old</p>", b"max-age=60")
    await world.ask()
    await world.ask("/strict")
    world.shop.says("/", b"broken", b"", status=502)
    world.shop.says("/strict", b"broken", b"", status=502)
    world.clock.at += 120
    assert (await world.ask()).body == b"<p>old</p>"
    assert (await world.ask("/strict")).status == 502


# -- together ----------------------------------------------------------------------------------------


async def test_who_come_at_the_same_time_ask_once(world):
    world.shop.says("/")
    world.shop.gate = asyncio.Event()
    crowd = [asyncio.ensure_future(world.ask()) for _ in range(20)]
    await world.until(lambda: world.shop.asked)
    world.shop.gate.set()
    assert {answer.body for answer in await asyncio.gather(*crowd)} == {b"<p>page</p>"}
    assert len(world.shop.asked) == 1


async def test_nobody_waits_for_anothers_reload(world):
    world.shop.validates("/", b"<p>page</p>", b'"1"')
    await world.ask()
    world.shop.gate = asyncio.Event()
    reload = asyncio.ensure_future(world.ask("/", (b"cache-control", b"no-cache")))
    await world.until(lambda: len(world.shop.asked) == 2)
    async with asyncio.timeout(1):
        assert (await world.ask()).body == b"<p>page</p>"
    world.shop.gate.set()
    await reload


async def test_nobody_waits_for_what_turns_out_not_to_be_kept(world):
    world.shop.says("/", b"<p>own</p>", b"private")
    world.shop.gate = asyncio.Event()
    crowd = [asyncio.ensure_future(world.ask()) for _ in range(5)]
    await world.until(lambda: world.shop.asked)
    world.shop.gate.set()
    await asyncio.gather(*crowd)
    assert len(world.shop.asked) == 5
    # ... and from now on nobody begins to wait, for a while.
    world.shop.gate = asyncio.Event()
    crowd = [asyncio.ensure_future(world.ask()) for _ in range(5)]
    await world.until(lambda: len(world.shop.asked) == 10)
    world.shop.gate.set()
    await asyncio.gather(*crowd)
    world.clock.at += VAIN_SECONDS + 1
    world.shop.says("/")
    await asyncio.gather(*[world.ask() for _ in range(5)])
    assert len(world.shop.asked) == 11


async def test_when_the_first_one_hangs_up_the_next_one_asks(world):
    world.shop.says("/")
    world.shop.gate = asyncio.Event()
    first = asyncio.ensure_future(world.ask())
    await world.until(lambda: world.shop.asked)
    second = asyncio.ensure_future(world.ask())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    world.shop.gate.set()
    assert (await second).body == b"<p>page</p>"
    assert len(world.shop.asked) == 2
    assert world.cache._flights == {}


async def test_nobody_waits_long_for_anothers_slow_reading(world):
    world.shop.says("/")
    stuck, reading = asyncio.Event(), asyncio.Event()

    async def slowly(message):
        if message["type"] == "http.response.body":
            stuck.set()
            await reading.wait()

    first = asyncio.ensure_future(world.ask(read=slowly))
    await stuck.wait()
    async with asyncio.timeout(COLLAPSE_SECONDS - 1):
        crowd = await asyncio.gather(*[world.ask() for _ in range(5)])
    assert {answer.body for answer in crowd} == {b"<p>page</p>"}
    assert len(world.shop.asked) == 2  # one of them for all
    reading.set()
    assert (await first).body == b"<p>page</p>"
    assert world.cache._flights == {}


async def test_half_a_page_is_never_kept(world):
    async def half(_scope, _receive, send):
        fields = [(b"content-type", b"text/html"), (b"cache-control", b"max-age=60")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": b"<p>ha", "more_body": True})
        raise OSError("the shop broke off")

    world.cache.app = half
    with pytest.raises(OSError, match="broke off"):
        await world.ask()
    assert len(world.store) == 0


async def test_what_is_remembered_of_pages_that_are_not_kept_is_bounded(world):
    keeper = world.cache._keeper
    for number in range(MAX_VAIN + 10):
        keeper.refuse(("http", b"h", b"/%d" % number), "status", None)
    assert not keeper.in_vain(("http", b"h", b"/9"))
    assert keeper.in_vain(("http", b"h", b"/10"))


# -- without a task ----------------------------------------------------------------------------------


def at_hand(world, *fields, target=b"/"):
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    head = parse_head(b"GET %b HTTP/1.1\r\nHost: Shop.example\r\n%b\r\n" % (target, lines), EdgeLimits())
    client = Client("203.0.113.9", "http", b"Shop.example", trusted=False)
    return world.cache.at_hand(head, client, head.headers), world.cache.keeps_nothing_of(head, client)


async def test_a_fresh_page_is_at_hand_and_no_other(world):
    world.shop.says("/")
    world.shop.says("/private", b"<p>own</p>", b"private")
    await world.ask()
    await world.ask("/private")
    entry, _ = at_hand(world)
    assert entry.body == b"<p>page</p>"
    assert world.counted("hit") == 1
    assert at_hand(world, (b"Authorization", b"Basic eA==")) == (None, False)
    assert at_hand(world, (b"Cache-Control", b"no-cache")) == (None, False)
    assert at_hand(world, target=b"/other") == (None, False)
    assert at_hand(world, target=b"/private") == (None, True)
    world.clock.at += VAIN_SECONDS + 1
    assert at_hand(world) == (None, False)
    assert at_hand(world, target=b"/private") == (None, False)


async def test_what_is_asked_for_anew_ends_with_the_server(world):
    world.shop.says("/", b"<p>old</p>", b"max-age=60, stale-while-revalidate=60")
    await world.ask()
    world.clock.at += 70
    world.shop.gate = asyncio.Event()
    await world.ask()
    (refresh,) = world.cache._refreshing.values()
    told = []

    async def server(scope, receive, send):
        await send({"type": "lifespan.shutdown.complete"})

    async def send(message):
        told.append((message["type"], refresh.cancelled()))

    world.cache.app = server
    await world.cache({"type": "lifespan"}, None, send)
    assert told == [("lifespan.shutdown.complete", True)]


async def test_what_is_no_http_passes(world):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    world.cache.app = app
    await world.cache({"type": "websocket"}, None, None)
    assert seen == ["websocket"]
