"""The page cache in front of a shop: asked once, never for the wrong visitor, page or moment."""

from __future__ import annotations

import asyncio
import gzip
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.cache import PageCache, Purges, Store
from proxy.cache.pages import MAX_DECODED, MAX_PAGE, MAX_PASSING, PASS_SECONDS
from proxy.cache.purges import MAX_FILE
from proxy.cache.store import MAX_VARIANTS
from proxy.headers import TrustedProxies
from proxy.metrics import Metrics

NOW = 1_800_000_000.0


class Shop:
    """An ASGI shop that answers as it is told, and writes down what it was asked."""

    def __init__(self):
        self.asked = []
        self.answers = {}
        self.gate = None

    def says(self, path, body=b"<p>page</p>", control=b"public, max-age=60", *more, status=200):
        fields = [(b"content-type", b"text/html"), *more]
        if control:
            fields.append((b"cache-control", control))
        self.answers[path] = status, fields, body

    async def __call__(self, scope, receive, send):
        self.asked.append((scope["method"], scope["path"], dict(scope["headers"])))
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.get(scope["path"], (404, [(b"content-type", b"text/html")], b"no"))
        status, fields, body = answer(scope) if callable(answer) else answer
        await send({"type": "http.response.start", "status": status, "headers": [*fields]})
        half = len(body) // 2
        await send({"type": "http.response.body", "body": body[:half], "more_body": True})
        await send({"type": "http.response.body", "body": body[half:], "more_body": False})


@pytest.fixture
def world(tmp_path):
    clock = SimpleNamespace(at=1000.0)
    shop = Shop()
    metrics = Metrics()
    cache = PageCache(
        shop,
        Store(4 * MAX_PAGE),
        Purges(tmp_path / "purges", lambda: clock.at),
        trusted=TrustedProxies(["127.0.0.1"]),
        metrics=metrics,
        clock=lambda: clock.at,
        now=lambda: NOW + clock.at - 1000.0,
    )
    return SimpleNamespace(clock=clock, shop=shop, cache=cache, metrics=metrics, folder=tmp_path)


async def ask(world, path="/", *fields, method="GET", host=b"shop.example", peer="203.0.113.9", query=b""):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query,
        "scheme": "http", "headers": [(b"host", host), *fields], "client": (peer, 1), "extensions": {},
    }  # fmt: skip
    await world.cache(scope, receive, send)
    start, *bodies = sent
    body = b"".join(message.get("body", b"") for message in bodies)
    assert not bodies[-1].get("more_body", False)
    return SimpleNamespace(status=start["status"], headers=dict(start["headers"]), body=body)


def counted(world, outcome):
    world.metrics.refresh()
    return world.metrics.registry.get_sample_value("datacue_page_cache_total", {"outcome": outcome}) or 0


async def test_a_public_page_is_asked_for_once_and_says_its_age(world):
    world.shop.says("/")
    first = await ask(world)
    world.clock.at += 20
    second = await ask(world)
    assert (first.body, second.body) == (b"<p>page</p>", b"<p>page</p>")
    assert b"age" not in first.headers
    assert second.headers[b"age"] == b"20"
    assert len(world.shop.asked) == 1
    assert counted(world, "hit") == 1


async def test_it_is_asked_for_again_when_it_is_stale(world):
    world.shop.says("/")
    await ask(world)
    world.clock.at += 60
    world.shop.says("/", b"<p>new</p>")
    assert (await ask(world)).body == b"<p>new</p>"


@pytest.mark.parametrize(
    "more",
    [
        {"host": b"other.example"},
        {"query": b"q=1"},
        {"path": "/other"},
    ],
)
async def test_another_address_is_another_page(world, more):
    world.shop.says("/")
    world.shop.says("/other")
    await ask(world)
    await ask(world, **more)
    assert len(world.shop.asked) == 2


async def test_another_scheme_is_another_page(world):
    world.shop.says("/")
    await ask(world)
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "scheme": "https",
        "headers": [(b"host", b"shop.example")], "client": ("203.0.113.9", 1), "extensions": {},
    }  # fmt: skip
    await world.cache(scope, None, send)
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
    await ask(world)
    await ask(world, "/", *fields)
    await ask(world)
    assert len(world.shop.asked) == 2


async def test_what_an_authorized_visitor_got_is_nobody_elses(world):
    world.shop.says("/", b"<p>secret</p>")
    await ask(world, "/", (b"authorization", b"Bearer x"))
    world.shop.says("/", b"<p>page</p>")
    assert (await ask(world)).body == b"<p>page</p>"


@pytest.mark.parametrize(
    "body",
    [
        b'<script nonce="r4nd0m">',
        b'<input type="hidden" name="csrfmiddlewaretoken" value="x">',
        b'<meta name="CSRF-Token" content="x">',
        b'<input name="form_key" value="x">',
        b'<input name="__RequestVerificationToken" value="x">',
    ],
)
async def test_a_page_made_for_one_visit_is_not_kept_though_the_shop_calls_it_public(world, body):
    world.shop.says("/", body)
    await ask(world)
    await ask(world)
    assert len(world.shop.asked) == 2
    assert counted(world, "not kept: token") == 2


async def test_a_compressed_page_is_looked_into(world):
    fields = (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")
    world.shop.says("/", gzip.compress(b"<p>" * 40_000 + b'<i nonce="x">'), b"max-age=60", *fields)
    world.shop.says("/plain", gzip.compress(b"<p>plain"), b"max-age=60", *fields)
    world.shop.says("/broken", b"not gzip", b"max-age=60", *fields)
    world.shop.says("/odd", b"odd", b"max-age=60", (b"content-encoding", b"snappy"))
    for path in ("/", "/plain", "/broken", "/odd"):
        await ask(world, path, (b"accept-encoding", b"gzip"))
        await ask(world, path, (b"accept-encoding", b"gzip"))
    assert [path for _, path, _ in world.shop.asked].count("/plain") == 1
    assert len(world.shop.asked) == 7


async def test_a_coding_that_was_not_asked_for_is_not_given(world):
    world.shop.says(
        "/", gzip.compress(b"x"), b"max-age=60", (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")
    )
    await ask(world, "/", (b"accept-encoding", b"gzip"))
    await ask(world, "/")
    assert len(world.shop.asked) == 2


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
        assert (await ask(world, "/", (b"cookie", b"s=anna; datacue=1"))).body == b"s=anna; datacue=1"
        assert (await ask(world, "/", (b"cookie", b"s=bert"))).body == b"s=bert"
    assert len(world.shop.asked) == 2
    # Our own cookie makes no other page of it: the shop doesn't know it.
    assert (await ask(world, "/", (b"cookie", b"s=anna; datacue=2"))).body == b"s=anna; datacue=1"


async def test_an_address_has_a_bounded_number_of_variants(world):
    world.shop.says("/", b"x", b"max-age=60", (b"vary", b"cookie"))
    for number in range(MAX_VARIANTS + 5):
        await ask(world, "/", (b"cookie", b"s=%d" % number))
    await ask(world, "/", (b"cookie", b"s=0"))
    assert len(world.shop.asked) == MAX_VARIANTS + 6


async def test_a_page_that_is_too_long_passes_whole_and_is_not_kept(world):
    long = b"x" * (MAX_PAGE + 1)
    world.shop.says("/", long)
    world.shop.says("/said", long, b"max-age=60", (b"content-length", b"%d" % len(long)))
    for path in ("/", "/said"):
        assert (await ask(world, path)).body == long
        assert (await ask(world, path)).body == long
    assert len(world.shop.asked) == 4
    assert world.cache.store.size == 0


async def test_what_is_kept_stays_within_its_limit(world):
    for number in range(10):
        world.shop.says(f"/{number}", bytes(MAX_PAGE - 2000))
        await ask(world, f"/{number}")
        assert world.cache.store.size <= world.cache.store.limit
    await ask(world, "/9")
    assert len(world.shop.asked) == 10
    await ask(world, "/0")
    assert len(world.shop.asked) == 11


# -- validation --------------------------------------------------------------------------------------


def validating(body, etag, **more):
    def page(scope):
        fields = [
            (b"content-type", b"text/html"),
            (b"etag", etag),
            (b"cache-control", more.get("control", b"max-age=60")),
        ]
        if dict(scope["headers"]).get(b"if-none-match") == etag:
            return 304, fields[1:], b""
        return 200, fields, body

    return page


async def test_a_stale_page_that_still_holds_is_used_again(world):
    world.shop.answers["/"] = validating(b"<p>page</p>", b'"1"')
    await ask(world)
    world.clock.at += 90
    again = await ask(world)
    assert (again.status, again.body) == (200, b"<p>page</p>")
    assert world.shop.asked[1][2][b"if-none-match"] == b'"1"'
    assert counted(world, "revalidated") == 1
    world.clock.at += 30
    assert (await ask(world)).body == b"<p>page</p>"
    assert len(world.shop.asked) == 2


async def test_a_304_that_takes_its_leave_back_is_the_pages_last_use(world):
    world.shop.answers["/"] = validating(b"<p>page</p>", b'"1"')
    await ask(world)
    world.shop.answers["/"] = validating(b"<p>page</p>", b'"1"', control=b"private")
    world.clock.at += 90
    assert (await ask(world)).body == b"<p>page</p>"
    await ask(world)
    assert b"if-none-match" not in world.shop.asked[2][2]


async def test_a_reload_asks_the_shop(world):
    world.shop.answers["/"] = validating(b"<p>old</p>", b'"1"')
    await ask(world)
    world.shop.answers["/"] = validating(b"<p>new</p>", b'"2"')
    assert (await ask(world, "/", (b"cache-control", b"no-cache"))).body == b"<p>new</p>"
    assert (await ask(world)).body == b"<p>new</p>"


async def test_a_client_that_has_the_page_gets_304(world):
    world.shop.answers["/"] = validating(b"<p>page</p>", b'"1"')
    await ask(world)
    again = await ask(world, "/", (b"if-none-match", b'"1"'))
    assert (again.status, again.body) == (304, b"")
    assert len(world.shop.asked) == 1


async def test_a_clients_own_condition_never_makes_a_304_of_what_is_kept(world):
    """The shop's 304 to somebody else's condition must not answer ours, nor be kept."""
    world.shop.answers["/"] = validating(b"<p>page</p>", b'"1"')
    assert (await ask(world, "/", (b"if-none-match", b'"1"'))).status == 304
    assert (await ask(world)).body == b"<p>page</p>"
    world.clock.at += 90
    assert (await ask(world, "/", (b"if-none-match", b'"other"'))).body == b"<p>page</p>"


async def test_only_if_cached(world):
    world.shop.says("/")
    only = (b"cache-control", b"only-if-cached")
    assert (await ask(world, "/", only)).status == 504
    await ask(world)
    assert (await ask(world, "/", only)).body == b"<p>page</p>"
    world.clock.at += 90
    assert (await ask(world, "/", only)).status == 504
    assert (await ask(world, "/", (b"cache-control", b'"'))).status == 200


async def test_head_is_answered_from_a_get_and_keeps_nothing(world):
    world.shop.says("/", b"<p>page</p>", b"max-age=60", (b"content-length", b"11"))
    await ask(world, method="HEAD")
    await ask(world)
    assert len(world.shop.asked) == 2
    head = await ask(world, method="HEAD")
    assert (head.body, head.headers[b"content-length"]) == (b"", b"11")
    assert len(world.shop.asked) == 2
    world.clock.at += 90
    await ask(world, method="HEAD")
    assert world.shop.asked[-1][0] == "HEAD"


# -- while it is asked for anew, and instead of errors ------------------------------------------------


async def until(holds):
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


async def test_a_stale_page_is_used_while_it_is_asked_for_anew_once(world):
    world.shop.says("/", b"<p>old</p>", b"max-age=60, stale-while-revalidate=60")
    await ask(world)
    world.shop.says("/", b"<p>new</p>", b"max-age=60, stale-while-revalidate=60")
    world.clock.at += 70
    world.shop.gate = asyncio.Event()
    first, second = await asyncio.gather(ask(world), ask(world))
    assert (first.body, second.body) == (b"<p>old</p>", b"<p>old</p>")
    world.shop.gate.set()
    await until(lambda: not world.cache._refreshing)
    assert len(world.shop.asked) == 2
    assert (await ask(world)).body == b"<p>new</p>"
    assert len(world.shop.asked) == 2


async def test_a_refresh_that_fails_is_counted_and_harms_nobody(world):
    world.shop.says("/", b"<p>old</p>", b"max-age=60, stale-while-revalidate=60")
    await ask(world)

    def broken(_scope):
        raise OSError("the shop is gone")

    world.shop.answers["/"] = broken
    world.clock.at += 70
    assert (await ask(world)).body == b"<p>old</p>"
    await until(lambda: not world.cache._refreshing)
    assert counted(world, "failed") == 1


async def test_an_old_page_replaces_an_error_where_the_shop_allows_it(world):
    world.shop.says("/", b"<p>old</p>", b"max-age=60, stale-if-error=600")
    world.shop.says("/strict", b"<p>old</p>", b"max-age=60")
    await ask(world)
    await ask(world, "/strict")
    world.shop.says("/", b"broken", b"", status=502)
    world.shop.says("/strict", b"broken", b"", status=502)
    world.clock.at += 120
    assert (await ask(world)).body == b"<p>old</p>"
    assert (await ask(world, "/strict")).status == 502


# -- together ----------------------------------------------------------------------------------------


async def test_who_come_at_the_same_time_ask_once(world):
    world.shop.says("/")
    world.shop.gate = asyncio.Event()
    crowd = [asyncio.ensure_future(ask(world)) for _ in range(20)]
    await until(lambda: world.shop.asked)
    world.shop.gate.set()
    assert {answer.body for answer in await asyncio.gather(*crowd)} == {b"<p>page</p>"}
    assert len(world.shop.asked) == 1


async def test_nobody_waits_for_what_turns_out_not_to_be_kept(world):
    world.shop.says("/", b"<p>own</p>", b"private")
    world.shop.gate = asyncio.Event()
    crowd = [asyncio.ensure_future(ask(world)) for _ in range(5)]
    await until(lambda: world.shop.asked)
    world.shop.gate.set()
    await asyncio.gather(*crowd)
    assert len(world.shop.asked) == 5
    # ... and from now on nobody begins to wait, for a while.
    world.shop.gate = asyncio.Event()
    crowd = [asyncio.ensure_future(ask(world)) for _ in range(5)]
    await until(lambda: len(world.shop.asked) == 10)
    world.shop.gate.set()
    await asyncio.gather(*crowd)
    world.clock.at += PASS_SECONDS + 1
    world.shop.says("/")
    await asyncio.gather(*[ask(world) for _ in range(5)])
    assert len(world.shop.asked) == 11


async def test_when_the_first_one_hangs_up_the_next_one_asks(world):
    world.shop.says("/")
    world.shop.gate = asyncio.Event()
    first = asyncio.ensure_future(ask(world))
    await until(lambda: world.shop.asked)
    second = asyncio.ensure_future(ask(world))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    world.shop.gate.set()
    assert (await second).body == b"<p>page</p>"
    assert len(world.shop.asked) == 2
    assert world.cache._flights == {}


async def test_half_a_page_is_never_kept(world):
    async def half(_scope, _receive, send):
        fields = [(b"content-type", b"text/html"), (b"cache-control", b"max-age=60")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": b"<p>ha", "more_body": True})
        raise OSError("the shop broke off")

    world.cache.app = half
    with pytest.raises(OSError, match="broke off"):
        await ask(world)
    assert len(world.cache.store) == 0


async def test_what_is_remembered_of_pages_that_are_not_kept_is_bounded(world):
    for number in range(MAX_PASSING + 10):
        world.cache.not_kept(("http", b"h", b"/%d" % number), "status")
    assert len(world.cache._passing) == MAX_PASSING


# -- what is forgotten -------------------------------------------------------------------------------


async def test_what_changes_something_changes_its_page(world):
    world.shop.says("/")
    world.shop.says("/other")
    world.shop.says("/kept")
    for path in ("/", "/other", "/kept"):
        await ask(world, path)
    world.shop.answers["/"] = (
        303,
        [(b"location", b"http://shop.example/other#x"), (b"content-location", b"//evil.example/")],
        b"",
    )
    await ask(world, method="POST")
    world.shop.says("/")
    del world.shop.asked[:]
    for path in ("/", "/other", "/kept"):
        await ask(world, path)
    assert [path for _, path, _ in world.shop.asked] == ["/", "/other"]


async def test_what_fails_to_change_something_changes_nothing(world):
    world.shop.says("/")
    await ask(world)
    kept = world.shop.answers["/"]
    world.shop.says("/", b"no", b"", status=403)
    await ask(world, method="POST")
    world.shop.answers["/"] = kept
    await ask(world)
    assert [method for method, _, _ in world.shop.asked] == ["GET", "POST"]


async def test_purge_comes_from_trusted_addresses_alone(world):
    world.shop.says("/")
    await ask(world)
    stranger = await ask(world, method="PURGE")
    assert world.shop.asked[-1][0] == "PURGE"
    assert stranger.status == 200  # the shop's own answer
    del world.shop.asked[:]
    assert (await ask(world, method="PURGE", peer="127.0.0.1")).body == b"Purged.\n"
    await ask(world)
    assert [method for method, _, _ in world.shop.asked] == ["GET"]


@pytest.mark.parametrize(
    ("host", "path", "left"),
    [
        ("*", "/a/1", {"/a/2", "/b"}),
        ("*", "/a/*", {"/b"}),
        ("*", "*", set()),
        ("shop.example", "/b", {"/a/1", "/a/2"}),
        ("other.example", "*", {"/a/1", "/a/2", "/b"}),
    ],
)
async def test_another_workers_purge_is_heard_within_a_second(world, host, path, left):
    for kept in ("/a/1", "/a/2", "/b"):
        world.shop.says(kept)
        await ask(world, kept)
    Purges(world.folder / "purges", lambda: 0.0).tell(host, path)
    world.clock.at += 1
    del world.shop.asked[:]
    for kept in ("/a/1", "/a/2", "/b"):
        await ask(world, kept)
    assert {path for _, path, _ in world.shop.asked} == {"/a/1", "/a/2", "/b"} - left


async def test_a_line_that_nobody_can_read_forgets_everything(world):
    world.shop.says("/")
    await ask(world)
    (world.folder / "purges").write_bytes(b"rubbish\n")
    world.clock.at += 1
    await ask(world)
    assert len(world.shop.asked) == 2


async def test_a_purge_file_that_began_anew_forgets_everything_once(world):
    world.shop.says("/")
    file = world.folder / "purges"
    file.write_bytes(b'["*","/x"]\n' * (MAX_FILE // 10))
    world.clock.at += 1
    await ask(world)
    Purges(file, lambda: 0.0).tell("*", "/other")
    assert file.stat().st_size < 100
    world.clock.at += 1
    await ask(world)
    await ask(world)
    assert len(world.shop.asked) == 2


async def test_half_a_line_waits_for_its_other_half(world):
    world.shop.says("/")
    await ask(world)
    with (world.folder / "purges").open("ab") as file:
        file.write(b'["*",')
        file.flush()
        world.clock.at += 1
        await ask(world)
        file.write(b'"/"]\n')
    world.clock.at += 1
    await ask(world)
    assert len(world.shop.asked) == 2


# -- whatever the shop says --------------------------------------------------------------------------

CONTROLS = [
    b"",
    b"max-age=60",
    b"private",
    b"no-store",
    b"public, max-age=5",
    b"no-cache",
    b"max-age=60, stale-while-revalidate=60",
]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["/a", "/b"]),
            st.sampled_from([b"anna", b"bert"]),
            st.sampled_from(CONTROLS),
            st.sampled_from([b"", b"cookie"]),
            st.booleans(),
            st.integers(0, 40),
        ),
        max_size=12,
    )
)
def test_nobody_ever_gets_what_the_shop_made_for_another(tmp_path_factory, visits):
    """Whatever was public may be anybody's; what was private, set a cookie or varied by cookie is one's own."""

    async def play():
        world_ = world.__wrapped__(tmp_path_factory.mktemp("purges"))
        for path, who, control, vary, sets, later in visits:
            world_.clock.at += later
            own = control in {b"private", b"no-store", b""} or vary == b"cookie" or sets
            body = b"for " + who if own else b"for all"
            fields = [(b"vary", vary)] if vary else []
            if sets:
                fields.append((b"set-cookie", b"s=1"))
            world_.shop.says(path, body, control, *fields)
            got = await ask(world_, path, (b"cookie", b"s=" + who))
            await until(lambda: not world_.cache._refreshing)
            assert got.body in {b"for all", b"for " + who}

    asyncio.run(play())


# -- what somebody could slip into a page that all others get --------------------------------------------


def echoing(*names, control=b"public, max-age=60", more=()):
    """A shop that shows what a request said in these fields."""

    def page(scope):
        said = [value for name, value in scope["headers"] if name in names]
        fields = [(b"content-type", b"text/html"), (b"cache-control", control), *more]
        return 200, fields, b"|".join([b"<p>", *said])

    return page


@pytest.mark.parametrize(
    "name",
    [
        b"x-forwarded-prefix",
        b"x-forwarded-server",
        b"x_forwarded_prefix",
        b"x-original-url",
        b"x-rewrite-url",
        b"x-http-method-override",
        b"x-host",
        b"surrogate-capability",
    ],
)
async def test_what_overrides_a_requests_line_is_part_of_its_address(world, name):
    world.shop.answers["/"] = echoing(name)
    evil = (name, b"evil.example")
    assert (await ask(world, "/", evil)).body == b"<p>|evil.example"
    assert (await ask(world)).body == b"<p>"
    world.clock.at += 90
    await ask(world, "/", evil)
    assert (await ask(world)).body == b"<p>"


async def test_what_an_edge_always_says_keeps_no_page_out(world):
    world.shop.answers["/"] = echoing(b"x-forwarded-prefix")
    for _ in range(2):
        await ask(world, "/", (b"x-forwarded-prefix", b"/shop"))
    assert len(world.shop.asked) == 1


async def test_max_age_alone_says_nothing_of_those_who_come_with_cookies(world):
    world.shop.answers["/"] = echoing(b"cookie", control=b"max-age=60")
    anna = (b"cookie", b"session=anna; datacue=1")
    assert (await ask(world, "/", anna)).body == b"<p>|session=anna; datacue=1"
    assert (await ask(world)).body == b"<p>"
    assert (await ask(world, "/", (b"cookie", b"datacue=2"))).body == b"<p>"
    assert len(world.shop.asked) == 2
    # Nor do they get what was made for somebody without.
    assert (await ask(world, "/", anna)).body == b"<p>|session=anna; datacue=1"
    assert counted(world, "not kept: cookies") == 2


@pytest.mark.parametrize("control", [b"public, max-age=60", b"s-maxage=60"])
async def test_a_page_that_is_said_to_be_for_everybody_is_for_those_with_cookies(world, control):
    world.shop.answers["/"] = echoing(control=control)
    await ask(world, "/", (b"cookie", b"_ga=1"))
    await ask(world)
    assert len(world.shop.asked) == 1


@pytest.mark.parametrize("vary", [b"X-Forwarded-For", b"accept-encoding, Forwarded"])
async def test_pages_that_differ_by_address_are_not_kept(world, vary):
    world.shop.answers["/"] = echoing(more=[(b"vary", vary)])
    await ask(world)
    await ask(world)
    assert len(world.shop.asked) == 2


@pytest.mark.parametrize("name", [b"surrogate-control", b"cdn-cache-control"])
async def test_what_is_forbidden_to_caches_in_front_is_forbidden_to_us(world, name):
    world.shop.answers["/"] = echoing(more=[(name, b"no-store")])
    await ask(world)
    await ask(world)
    assert len(world.shop.asked) == 2


async def test_a_304_that_tells_visitors_apart_is_the_pages_last_use(world):
    world.shop.answers["/"] = validating(b"<p>page</p>", b'"1"', control=b"public, max-age=60")
    await ask(world)
    answer = world.shop.answers["/"]

    def apart(scope):
        status, fields, body = answer(scope)
        return status, [*fields, (b"vary", b"cookie")], body

    world.shop.answers["/"] = apart
    world.clock.at += 90
    await ask(world, "/", (b"cookie", b"session=anna"))
    await ask(world, "/", (b"cookie", b"session=bert"))
    assert b"if-none-match" not in world.shop.asked[2][2]


async def test_a_refresh_spends_nobodys_session(world):
    world.shop.says("/", b"<p>old</p>", b"public, max-age=60, stale-while-revalidate=60")
    await ask(world)
    world.clock.at += 70
    await ask(world, "/", (b"cookie", b"session=anna"))
    await until(lambda: not world.cache._refreshing)
    assert b"cookie" not in world.shop.asked[1][2]


async def test_nobody_waits_for_a_refresh(world):
    world.shop.says("/", b"<p>old</p>", b"max-age=60, stale-while-revalidate=60")
    await ask(world)
    world.clock.at += 70
    world.shop.gate = asyncio.Event()
    await ask(world)
    await until(lambda: len(world.shop.asked) == 2)
    async with asyncio.timeout(1):
        assert (await ask(world)).body == b"<p>old</p>"
    world.shop.gate.set()
    await until(lambda: not world.cache._refreshing)


async def test_nobody_waits_for_anothers_reload(world):
    world.shop.answers["/"] = validating(b"<p>page</p>", b'"1"')
    await ask(world)
    world.shop.gate = asyncio.Event()
    reload = asyncio.ensure_future(ask(world, "/", (b"cache-control", b"no-cache")))
    await until(lambda: len(world.shop.asked) == 2)
    async with asyncio.timeout(1):
        assert (await ask(world)).body == b"<p>page</p>"
    world.shop.gate.set()
    await reload


async def test_a_bomb_is_not_looked_through_to_its_end(world):
    world.shop.says(
        "/", gzip.compress(bytes(MAX_DECODED + 1)), b"public, max-age=60", (b"content-encoding", b"gzip")
    )
    await ask(world)
    assert counted(world, "not kept: token") == 1


async def test_purges_that_cannot_be_read_have_all_forgotten_and_stop_no_page(world):
    world.shop.says("/")
    await ask(world)
    (world.folder / "purges").mkdir()
    (world.folder / "purges" / "something").touch()
    world.clock.at += 2
    assert (await ask(world)).body == b"<p>page</p>"
    assert len(world.shop.asked) == 2
    purge = await ask(world, method="PURGE", peer="127.0.0.1")
    assert purge.status == 500
    await ask(world)
    assert len(world.shop.asked) == 3
