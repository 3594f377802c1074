"""Widgets asked for one by one: what an including side gets, whatever happens, and what DataCue hears of it."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import os
import signal
import time
from pathlib import Path

import pytest
from harness.peers import Peer, Vendor, page, product, reply
from harness.process import Proxy
from harness.wire import Wire, ask, request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.identity import VisitorCookie

BELOW = "/_datacue/fragments/"
WIDGETS = (
    "related",
    "similar",
    "recent",
    "top",
    "products",
    "categories",
    "banners",
    "main_banners",
    "sub_banners",
)
RULE = '[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n'
KEY = "the key of these tests"
STALE = "datacue=11111111-1111-4111-8111-111111111111.aaaaaa.bbbbbb"


def banner(number):
    return {
        "banner_id": f"B{number}",
        "link": f"/b/{number}",
        "photo_url": f"/b/{number}.jpg",
        "name": f"Banner {number}",
    }


EVERYTHING = {
    "main_banners": [banner(1)],
    "sub_banners": [banner(2)],
    "related_product_skus": [product(1)],
    "similar_product_skus": [product(2)],
    "recent_product_skus": [product(3)],
    "top_product_skus": [product(4)],
    "category_product_skus": [{"name": "Sofas", "link": "/sofas", "products": [product(5)]}],
}
SHOWN = dict(
    zip(
        WIDGETS,
        [
            "Product 1",
            "Product 2",
            "Product 3",
            "Product 4",
            "Product 1",
            "Product 5",
            "/b/1.jpg",
            "/b/1.jpg",
            "/b/2.jpg",
        ],
        strict=True,
    )
)


def somebody():
    """A visitor's cookie as the browser sends it, and the id in it."""
    jar = VisitorCookie([KEY], clock=time.time)
    visitor = jar.mint()
    return jar.set_cookie(visitor, secure=False)[1].decode().partition(";")[0], visitor.anonymous_id


SETTINGS = f'secret_keys = ["{KEY}"]\n' + RULE


@pytest.fixture(scope="module")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="module")
async def shop():
    peer = await Peer().start()
    yield peer
    await peer.stop()


@pytest.fixture(scope="module")
async def shared_vendor():
    peer = await Vendor().start()
    yield peer
    await peer.stop()


@pytest.fixture(scope="module")
async def proxy(tmp_path_factory, shop, shared_vendor):
    """One for all tests that leave nothing behind: a start costs more than they do."""
    toml = f'upstream = "{shop.url}"\napi_key = "k"\nevents_url = "{shared_vendor.url}/"\n{SETTINGS}'
    proxy = await Proxy(tmp_path_factory.mktemp("proxy"), toml).start()
    yield proxy
    await proxy.stop()


@pytest.fixture(autouse=True)
def vendor(shop, shared_vendor):
    """As new, for each test."""
    shop.answers = {"*": reply(page('<div data-dc-products="related"></div>'))}
    shared_vendor.seen.clear()
    shared_vendor.answers = {"*": shared_vendor._event}
    shared_vendor.delay, shared_vendor.recommendations = 0.0, EVERYTHING
    return shared_vendor


@pytest.fixture
async def fresh(run_proxy):
    """For tests in which DataCue fails, or that look at figures."""
    return await run_proxy(SETTINGS)


@pytest.fixture
def fragment(request):
    """Asks for a fragment: of the fresh proxy, in a test that has one."""
    proxy = request.getfixturevalue("fresh" if "fresh" in request.fixturenames else "proxy")

    async def fragment(target, **more):
        return await ask(proxy.address, BELOW + target, **more)

    return fragment


def empty(got):
    """Whether an answer is what an including side can always take."""
    return (got.status, got.body) == (200, b"") and safe(got)


def safe(got):
    return (
        got.all("cache-control") == ["private, no-store"]
        and got.get("etag")
        is got.get("set-cookie")
        is got.get("last-modified")
        is got.get("location")
        is None
        and (got.status == 405 or got.get("x-robots-tag") == "noindex")
    )


# What is shown ---------------------------------------------------------------------------------


async def test_every_widget_is_a_fragment_and_all_of_them_are_one_event(fragment, vendor):
    cookie, visitor = somebody()
    for widget in WIDGETS:
        got = await fragment(f"{widget}?page=product&product_id=p1&variant_id=v1", cookie=cookie)
        assert got.status == 200
        assert SHOWN[widget].encode() in got.body
        assert got.get("content-type") == "text/html; charset=utf-8"
        assert got.get("x-content-type-options") == "nosniff"
        assert got.get("x-datacue") == "hit; page=product; why=parameters"
        assert safe(got)
        assert b"<script" not in got.body
        assert b" style=" not in got.body
    [event] = vendor.events
    assert event["event"] == {
        "type": "pageview",
        "subtype": "product",
        "product_id": "p1",
        "variant_id": "v1",
    }
    assert event["user"] == {"anonymous_id": visitor}
    assert event["context"]["ip"] == "127.0.0.1"


async def test_the_page_is_known_from_where_the_fragment_stands(fragment, vendor):
    cookie, _ = somebody()
    await fragment("related", cookie=cookie, x_original_uri="/product/p1?utm_source=x")
    await fragment("related", cookie=cookie, referer="http://shop.example/product/p2")
    await fragment(
        "related", cookie=cookie, referer="http://shop.example/search?q=tee", hx_request="true", hx_target="x"
    )
    assert empty(await fragment("related", cookie=cookie, referer="http://other.example/product/p3"))
    facts = [list(event["event"].values())[1:] for event in vendor.events]
    assert facts == [["product", "p1"], ["product", "p2"], ["tee"]]


async def test_a_page_that_came_through_us_lends_its_view_to_its_fragments(proxy, fragment, shop, vendor):
    shop.answers["/thing"] = reply(
        page(
            '<script type="application/ld+json">{"@type": "Product", "sku": "p7", "name": "x", "image": "/i.jpg", "offers": {"price": "1"}}</script>'
        )
    )
    cookie = (await ask(proxy.address, "/thing")).cookie()
    for widget in ("related", "recent"):
        got = await fragment(widget, cookie=cookie, referer="http://shop.example/thing")
        assert got.get("x-datacue") == "hit; page=product; why=json-ld"
    assert len(vendor.events) == 1


async def test_it_is_compressed_for_who_asks_but_not_for_an_edge_that_pastes(fragment):
    cookie, _ = somebody()
    got = await fragment("related?page=home", cookie=cookie, accept_encoding="gzip")
    assert got.get("content-encoding") == "gzip"
    assert b"Product 1" in gzip.decompress(got.body)
    for headers in (
        {"accept_encoding": "gzip", "sec_fetch_dest": "document"},
        {"accept_encoding": "identity;q=0"},
        {},
    ):
        assert b"Product 1" in (await fragment("related?page=home", cookie=cookie, **headers)).body


async def test_head_shows_no_body_and_counts_nothing(fragment, vendor):
    got = await fragment("related?page=home&fallback=error", method="HEAD", cookie=somebody()[0])
    assert (got.status, got.body, got.get("content-length")) == (200, b"", None)
    assert safe(got)
    assert vendor.events == []


async def test_other_methods_are_none(proxy, fragment):
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        for got in (
            await fragment("related", method=method),
            await ask(proxy.address, "/_datacue/visitor", method=method),
        ):
            assert (got.status, got.get("allow")) == (405, "GET, HEAD")


# Where there is nothing to say -------------------------------------------------------------------


NOBODY = [
    {"sec_gpc": "1"},
    {"dnt": "1"},
    {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
    {"sec_purpose": "prefetch"},
    {"cookie": None},
    {"cookie": STALE},
    {"cookie": None, "x_datacue_visitor": "11111111-1111-4111-8111-111111111111.aaaaaa.bbbbbb"},
]


async def test_who_is_not_counted_or_not_known_gets_nothing_and_sends_nothing(fragment, vendor):
    cookie, _ = somebody()
    for headers in NOBODY:
        assert empty(await fragment("related?page=home", **{"cookie": cookie, **headers})), headers
    assert vendor.events == []


async def test_without_consent_there_is_nothing(run_proxy, vendor):
    vendor.recommendations = EVERYTHING
    proxy = await run_proxy(f'secret_keys = ["{KEY}"]\nconsent = "c=yes"\n')
    cookie, _ = somebody()
    assert empty(await ask(proxy.address, f"{BELOW}related?page=home", cookie=cookie))
    assert (await ask(proxy.address, "/_datacue/visitor")).get("set-cookie") is None
    gone = (await ask(proxy.address, "/_datacue/visitor", cookie=cookie)).get("set-cookie")
    assert gone.startswith("datacue=; Path=/; Max-Age=0")
    assert (await ask(proxy.address, f"{BELOW}related?page=home", cookie=f"{cookie}; c=yes")).body


WRONG = [
    ("nope?page=home", "bypass:widget"),
    ("Related?page=home", "bypass:widget"),
    ("rel%61ted?page=home", "bypass:widget"),
    ("related.css?page=home", "bypass:widget"),
    ("related;x.css?page=home", "bypass:widget"),
    ("related%00.css?page=home", "bypass:widget"),
    ("related%3fx.css?page=home", "bypass:widget"),
    ("", "bypass:widget"),
    ("related?page=nope", "bypass:page"),
    ("related?page=product", "bypass:product_id"),
    ("related?page=checkout", "unknown"),
    ("related", "unknown"),
]


async def test_a_mistake_is_no_error_page_and_a_trusted_caller_learns_of_it(fresh, fragment, vendor):
    cookie, _ = somebody()
    for target, why in WRONG:
        got = await fragment(target, cookie=cookie)
        assert empty(got), target
        assert got.get("x-datacue").partition(";")[0] == why
        got = await fragment(target, cookie=cookie, x_forwarded_for="198.51.100.1")
        assert got.get("x-datacue") is None
    assert vendor.events == []
    figures = (await ask(fresh.admin, "/metrics")).body.decode()
    assert 'datacue_fragments_total{outcome="bypass:widget",widget=""} 16.0' in figures


async def test_what_looks_like_a_file_to_a_cache_holds_nothing_of_anybody(fragment, vendor):
    cookie, _ = somebody()
    for path in ("related/x.css", "related%2fx.css", "related/", "related/..%2fx.css", "top/%2e%2e/related"):
        got = await fragment(f"{path}?page=home", cookie=cookie)
        assert (got.status, got.get("cache-control")) == (404, "no-store"), path
    assert vendor.events == []


BAD_ANSWERS = [
    reply(b"no json{{", content_type="application/json"),
    reply(b"[1]", content_type="application/json"),
    reply(b"oh", 500),
    reply(b"oh", 400),
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"garbage\r\n\r\n",
]


async def test_a_mad_or_failing_vendor_leaves_it_empty(fresh, fragment, vendor):
    for answer in BAD_ANSWERS:
        vendor.answers["*"] = answer
        cookie, _ = somebody()
        assert empty(await fragment("related?page=home", cookie=cookie)), answer
        assert (await fragment("related?page=home&fallback=keep", cookie=cookie)).status == 204
        assert (await fragment("related?page=home&fallback=error", cookie=cookie)).status == 503
    # Those that may be told later are, by the outbox; none was told by a second fragment.
    assert len({event["user"]["anonymous_id"] for event in vendor.events}) == len(BAD_ANSWERS)


async def test_a_dead_vendor_leaves_it_empty(fresh, fragment, vendor):
    async def dead(seen, writer):
        writer.transport.abort()

    vendor.answers["*"] = dead
    assert empty(await fragment("related?page=home", cookie=somebody()[0]))


async def test_a_stalled_vendor_costs_the_deadline_once_and_no_event(fresh, fragment, vendor):
    vendor.delay = 2.0
    cookie, _ = somebody()
    began = time.perf_counter()
    seen = [await fragment(f"{widget}?page=home", cookie=cookie) for widget in WIDGETS]
    assert time.perf_counter() - began < 1.5
    assert all(map(empty, seen))
    figures = (await ask(fresh.admin, "/metrics")).body.decode()
    assert 'datacue_outbox_total{event="committed",priority="view"} 1.0' in figures


async def test_the_including_side_can_be_told_that_there_is_nothing(fragment):
    cookie, _ = somebody()
    for fallback, status in (("empty", 200), ("keep", 204), ("error", 503), ("<b>x</b>", 200)):
        got = await fragment(f"nope?fallback={fallback}", cookie=cookie)
        assert (got.status, got.body) == (status, b"")
        assert safe(got)
        assert (await fragment(f"related?page=home&fallback={fallback}", cookie=cookie)).status == 200


async def test_a_visitor_who_hangs_up_harms_nothing(proxy, fragment, vendor):
    cookie, _ = somebody()
    vendor.delay = 0.1
    wire = await Wire.open(proxy.address)
    await wire.send(request(f"{BELOW}related?page=home", cookie=cookie))
    await wire.close()
    assert (await fragment("recent?page=home", cookie=cookie)).body
    assert len(vendor.events) == 1


ODD = st.text(
    st.characters(codec="latin-1", exclude_categories=["Cc"], exclude_characters=" #\xa0\xad"), max_size=40
)


async def test_no_parameter_is_ever_repeated_or_fatal(proxy):
    cookie, _ = somebody()
    loop = asyncio.get_running_loop()
    asked = []

    @given(ODD, ODD, ODD, st.sampled_from([*WIDGETS, "nope"]))
    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def collect(one, two, three, widget):
        asked.append(
            f"{widget}?page={one}&term={two}<svg/onload=1>&fallback=<b>{three}&view={three}&product_id={one}"
        )

    await loop.run_in_executor(None, collect)
    for target in asked:
        got = await ask(proxy.address, BELOW + target.encode().decode("latin-1"), cookie=cookie)
        assert got.status == 200, target
        assert b"<svg" not in got.body
        assert b"<b>" not in got.body


# Who -----------------------------------------------------------------------------------------------


async def test_two_visitors_never_see_each_other_not_even_under_one_view_id(fragment, vendor):
    async def personal(seen, writer):
        import json

        user = json.loads(seen.body)["user"]["anonymous_id"]
        await asyncio.sleep(0.02)
        body = json.dumps({"related_product_skus": [product(1, name=f"canary {user}")]}).encode()
        writer.write(reply(body, content_type="application/json"))

    vendor.answers["*"] = personal
    people = [somebody() for _ in range(6)]
    requests = [
        (visitor, fragment(f"{widget}?page=home{view}", cookie=cookie, x_datacue_view="same"))
        for widget, view in itertools.product(("related", "products", "recent"), ("", "&view=same"))
        for cookie, visitor in people
    ]
    for (visitor, _), got in zip(requests, await asyncio.gather(*[one for _, one in requests]), strict=True):
        canaries = {other for _, other in people if other.encode() in got.body}
        assert canaries <= {visitor}
    assert len(vendor.events) == len(people)


async def test_an_edge_gives_a_newcomer_one_identity_from_the_first_page_view_on(proxy, fragment, vendor):
    edge = {"x_datacue_view": "5b1e", "x_forwarded_for": "198.51.100.1"}
    told = await ask(proxy.address, "/_datacue/visitor", **edge)
    assert (told.status, told.body, told.all("cache-control")) == (204, b"", ["private, no-store"])
    for headers in (edge, {"x_datacue_visitor": told.get("x-datacue-visitor")}, {"cookie": told.cookie()}):
        assert (await fragment("related?page=home", **headers)).body
    visitors = {event["user"]["anonymous_id"] for event in vendor.events}
    assert visitors == {told.cookie().removeprefix("datacue=").partition(".")[0]}


async def test_an_edges_view_belongs_to_one_address_and_browser(fragment, vendor):
    edge = {"x_datacue_view": "6c2f", "x_forwarded_for": "198.51.100.1"}
    for other in (
        {},
        {"x_forwarded_for": "198.51.100.2"},
        {"user_agent": "Mozilla/5.0 other"},
        {"x_datacue_view": "6c30"},
    ):
        assert (await fragment("related?page=home", **{**edge, **other})).body
    assert len({event["user"]["anonymous_id"] for event in vendor.events}) == 4


async def test_a_view_id_in_a_url_is_never_anybodys_cookie(proxy, fragment, vendor):
    assert (await fragment("related?page=home&view=chosen")).body
    assert (await fragment("recent?page=home&view=chosen")).body
    told = await ask(proxy.address, "/_datacue/visitor?view=chosen")
    [event] = vendor.events
    assert event["user"]["anonymous_id"] not in told.cookie()


async def test_whom_nobody_trusts_says_neither_view_nor_visitor_nor_page(run_proxy, vendor):
    vendor.recommendations = EVERYTHING
    proxy = await run_proxy(f'secret_keys = ["{KEY}"]\ntrusted_proxies = ["192.0.2.1"]\n' + RULE)
    told = await ask(proxy.address, "/_datacue/visitor", x_datacue_view="v")
    assert told.get("set-cookie")
    assert told.get("x-datacue-visitor") is told.get("x-datacue") is None
    cookie, visitor = somebody()
    introduction = (
        VisitorCookie([KEY], clock=time.time)
        .introduction(VisitorCookie([KEY], clock=time.time).mint())
        .decode()
    )
    for headers in (
        {"x_datacue_view": "v"},
        {"x_datacue_visitor": introduction},
        {"cookie": cookie, "x_original_uri": "/product/1"},
    ):
        target = "related" if "x_original_uri" in headers else "related?page=home"
        assert empty(await ask(proxy.address, BELOW + target, **headers))
    assert (
        await ask(proxy.address, f"{BELOW}related?page=home", cookie=cookie, x_datacue_visitor=introduction)
    ).body
    assert [event["user"]["anonymous_id"] for event in vendor.events] == [visitor]


async def test_who_comes_back_is_known_and_who_is_not_counted_stays_unknown(proxy):
    async def visitor(**headers):
        return await ask(proxy.address, "/_datacue/visitor", **headers)

    cookie, _ = somebody()
    assert (await visitor(cookie=cookie)).get("set-cookie") is None
    assert (await visitor(cookie=cookie)).get("x-datacue-visitor")
    assert (await visitor(cookie=f"__Host-{cookie}")).get("set-cookie") is None
    for headers in NOBODY[:4]:
        assert (await visitor(**headers)).get("set-cookie") is None
    assert (await visitor(method="HEAD")).get("set-cookie") is None
    assert (await visitor(cookie=STALE)).get("set-cookie")
    assert (await visitor(x_forwarded_proto="https")).get("set-cookie").startswith("__Host-datacue=")
    gone = await visitor(cookie=cookie, sec_gpc="1")
    assert gone.get("set-cookie").startswith("datacue=; Path=/; Max-Age=0")


async def test_another_sites_page_makes_no_visitor_but_its_link_does(proxy):
    async def visitor(**headers):
        return (await ask(proxy.address, "/_datacue/visitor", **headers)).get("set-cookie")

    assert await visitor(sec_fetch_site="cross-site", sec_fetch_dest="image") is None
    assert await visitor(sec_fetch_site="cross-site", sec_fetch_dest="document")
    assert await visitor(sec_fetch_site="same-origin", sec_fetch_dest="style")


async def test_what_edges_say_to_us_the_shop_never_hears(proxy, shop):
    await ask(proxy.address, "/cart", x_datacue_view="v", x_datacue_visitor="x")
    assert not [name for name, _ in shop.seen[-1].headers if name.startswith("x-datacue")]


# Several workers -------------------------------------------------------------------------------------


@pytest.fixture
async def several(run_proxy, vendor):
    vendor.delay = 0.01

    async def several(count):
        # The machine of a test is crowded; what is asked here is how often DataCue is told.
        proxy = await run_proxy(f"workers = {count}\ndeadline = 20.0\n{SETTINGS}")
        async with asyncio.timeout(100):
            while (await ask(proxy.admin, "/readyz")).status != 200 or len(
                list(live(proxy).iterdir())
            ) < count:
                await asyncio.sleep(0.05)
        return proxy

    return several


def live(proxy):
    """Where the workers listen for each other."""
    return proxy.folder / "state" / "live"


async def views(proxy, count, at_once=6):
    """Page views of as many visitors, five fragments each; half of them name the view. Returns what failed."""
    free, failed = asyncio.Semaphore(at_once), []

    async def view(number):
        cookie, _ = somebody()
        named = {"x_datacue_view": f"view-{number}"} if number % 2 else {}
        async with free:
            seen = await asyncio.gather(
                *[
                    ask(
                        proxy.address,
                        f"{BELOW}{widget}?page=product&product_id={number}",
                        cookie=cookie,
                        **named,
                    )
                    for widget in WIDGETS[:5]
                ]
            )
        failed.extend(got for got in seen if got.status != 200 or not got.body)

    await asyncio.gather(*[view(number) for number in range(count)])
    return failed


async def test_one_page_view_is_one_event_across_workers(several, vendor):
    workers = await several(4)
    assert await views(workers, 60) == []
    assert len(vendor.events) == 60
    assert sorted(event["event"]["product_id"] for event in vendor.events) == sorted(map(str, range(60)))


@pytest.mark.slow
async def test_a_thousand_page_views_are_a_thousand_events(several, vendor):
    workers = await several(4)
    assert await views(workers, 1000) == []
    assert len(vendor.events) == 1000


async def test_a_page_and_its_fragments_are_one_event_across_workers(several, vendor):
    workers = await several(2)
    for number in range(12):
        cookie, _ = somebody()
        await ask(workers.address, f"/product/{number}", cookie=cookie)
        seen = [
            await ask(
                workers.address,
                BELOW + widget,
                cookie=cookie,
                referer=f"http://shop.example/product/{number}",
            )
            for widget in WIDGETS[:5]
        ]
        assert all(got.body for got in seen)
    assert len(vendor.events) == 12


def children(proxy):
    pids = Path(f"/proc/{proxy.process.pid}/task/{proxy.process.pid}/children").read_text().split()
    return {int(pid) for pid in pids if b"run" in Path(f"/proc/{pid}/cmdline").read_bytes()}


async def test_a_worker_that_is_killed_fails_no_fragment_but_those_it_held(several, vendor):
    workers = await several(2)
    killed = min(children(workers))
    asking = asyncio.ensure_future(views(workers, 60))
    while len(vendor.events) < 10:
        await asyncio.sleep(0.01)
    os.kill(killed, signal.SIGKILL)
    failed = await asking
    # Connections that the killed worker had taken broke with it; everybody else's were answered.
    assert all(got.status == 0 for got in failed)
    assert len(failed) <= 30
    seen = {event["event"]["product_id"] for event in vendor.events}
    assert len(seen) >= 60 - len(failed)
    assert len(vendor.events) <= 60 + 30
    assert await views(workers, 5) == []


async def test_a_reload_fails_no_fragment(several):
    workers = await several(2)
    before, failed = children(workers), []
    workers.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(100):
        while children(workers) & before:
            failed += await views(workers, 4)
    assert failed == []
    assert {int(path.name) for path in live(workers).iterdir()} == children(workers)
