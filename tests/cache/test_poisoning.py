"""Nobody gets a page that was made for another, or that somebody has slipped something into."""

from __future__ import annotations

import asyncio
import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.cache.landing import MAX_DECODED
from proxy.cache.store import MAX_VARIANTS

CONTROLS = [
    b"",
    b"max-age=60",
    b"private",
    b"no-store",
    b"public, max-age=5",
    b"no-cache",
    b"max-age=60, stale-while-revalidate=60",
]


async def test_what_an_authorized_visitor_got_is_nobody_elses(world):
    world.shop.says("/", b"<p>secret</p>")
    await world.ask("/", (b"authorization", b"Bearer x"))
    world.shop.says("/", b"<p>page</p>")
    assert (await world.ask()).body == b"<p>page</p>"


async def test_a_coding_that_was_not_asked_for_is_not_given(world):
    world.shop.says(
        "/", gzip.compress(b"x"), b"max-age=60", (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")
    )
    await world.ask("/", (b"accept-encoding", b"gzip"))
    await world.ask("/")
    assert len(world.shop.asked) == 2


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
def test_nobody_ever_gets_what_the_shop_made_for_another(tmp_path_factory, new_world, visits):
    """Whatever was public may be anybody's; what was private, set a cookie or varied by cookie is one's own."""

    async def play():
        world_ = new_world(tmp_path_factory.mktemp("purges"))
        for path, who, control, vary, sets, later in visits:
            world_.clock.at += later
            own = control in {b"private", b"no-store", b""} or vary == b"cookie" or sets
            body = b"for " + who if own else b"for all"
            fields = [(b"vary", vary)] if vary else []
            if sets:
                fields.append((b"set-cookie", b"s=1"))
            world_.shop.says(path, body, control, *fields)
            got = await world_.ask(path, (b"cookie", b"s=" + who))
            await world_.refreshed()
            assert got.body in {b"for all", b"for " + who}

    asyncio.run(play())


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
        b"x-proxy-host",
        b"x-envoy-original-path",
        b"x-base-url",
        b"x-request-uri",
        b"script-name",
        b"surrogate-capability",
    ],
)
async def test_what_overrides_a_requests_line_is_part_of_its_address(world, name):
    world.shop.echoes("/", name)
    evil = (name, b"evil.example")
    assert (await world.ask("/", evil)).body == b"<p>|evil.example"
    assert (await world.ask()).body == b"<p>"
    world.clock.at += 90
    await world.ask("/", evil)
    assert (await world.ask()).body == b"<p>"


async def test_what_an_edge_always_says_keeps_no_page_out(world):
    world.shop.echoes("/", b"x-forwarded-prefix")
    for _ in range(2):
        await world.ask("/", (b"x-forwarded-prefix", b"/shop"))
    assert len(world.shop.asked) == 1


async def test_max_age_alone_says_nothing_of_those_who_come_with_cookies(world):
    world.shop.echoes("/", b"cookie", control=b"max-age=60")
    anna = (b"cookie", b"session=anna; datacue=1")
    assert (await world.ask("/", anna)).body == b"<p>|session=anna; datacue=1"
    assert (await world.ask()).body == b"<p>"
    assert (await world.ask("/", (b"cookie", b"datacue=2"))).body == b"<p>"
    assert len(world.shop.asked) == 2
    # Nor do they get what was made for somebody without.
    assert (await world.ask("/", anna)).body == b"<p>|session=anna; datacue=1"
    assert world.counted("not kept: cookies") == 2


@pytest.mark.parametrize("control", [b"public, max-age=60", b"s-maxage=60"])
async def test_a_page_that_is_said_to_be_for_everybody_is_for_those_with_cookies(world, control):
    world.shop.echoes("/", control=control)
    await world.ask("/", (b"cookie", b"_ga=1"))
    await world.ask()
    assert len(world.shop.asked) == 1


@pytest.mark.parametrize("vary", [b"X-Forwarded-For", b"accept-encoding, Forwarded"])
async def test_pages_that_differ_by_address_are_not_kept(world, vary):
    world.shop.echoes("/", more=[(b"vary", vary)])
    await world.ask()
    await world.ask()
    assert len(world.shop.asked) == 2


@pytest.mark.parametrize("name", [b"surrogate-control", b"cdn-cache-control"])
@pytest.mark.parametrize("said", [b"no-store", b"max-age=9, private", b"No-Cache", b"max-age=0"])
async def test_what_is_forbidden_to_caches_in_front_is_forbidden_to_us(world, name, said):
    world.shop.echoes("/", more=[(name, said)])
    await world.ask()
    await world.ask()
    assert len(world.shop.asked) == 2


async def test_a_304_that_tells_visitors_apart_is_the_pages_last_use(world):
    world.shop.validates("/", b"<p>page</p>", b'"1"', control=b"public, max-age=60")
    await world.ask()
    answer = world.shop.answers["/"]

    def apart(scope):
        status, fields, body = answer(scope)
        return status, [*fields, (b"vary", b"cookie")], body

    world.shop.answers["/"] = apart
    world.clock.at += 90
    await world.ask("/", (b"cookie", b"session=anna"))
    await world.ask("/", (b"cookie", b"session=bert"))
    assert b"if-none-match" not in world.shop.asked[2][2]


async def test_a_refresh_spends_nobodys_session(world):
    world.shop.says("/", b"<p>old</p>", b"public, max-age=60, stale-while-revalidate=60")
    await world.ask()
    world.clock.at += 70
    await world.ask("/", (b"cookie", b"session=anna"))
    await world.refreshed()
    assert b"cookie" not in world.shop.asked[1][2]


async def test_a_bomb_is_not_looked_through_to_its_end(world):
    world.shop.says(
        "/", gzip.compress(bytes(MAX_DECODED + 1)), b"public, max-age=60", (b"content-encoding", b"gzip")
    )
    await world.ask()
    assert world.counted("not kept: token") == 1


@pytest.mark.parametrize("name", [b"x-forwarded-prefix", b"x-requested-with", b"hx-request", b"turbo-frame"])
async def test_who_asks_for_something_else_in_a_field_never_gets_the_plain_page(world, name):
    world.shop.echoes("/", name)
    assert (await world.ask()).body == b"<p>"
    assert (await world.ask("/", (name, b"part"))).body == b"<p>|part"
    assert (await world.ask("/", (name, b"part"))).body == b"<p>|part"
    assert (await world.ask()).body == b"<p>"
    assert len(world.shop.asked) == 2


async def test_nobody_can_crowd_out_what_all_others_ask_for(world):
    world.shop.says("/")
    await world.ask()
    for number in range(2 * MAX_VARIANTS):
        await world.ask("/", (b"x-forwarded-prefix", b"/%d" % number))
        await world.ask()
    assert [fields for _, _, fields in world.shop.asked if b"x-forwarded-prefix" not in fields] == [
        {b"host": b"shop.example"}
    ]


async def test_a_field_that_the_shop_never_hears_chooses_no_page(world):
    """``Connection`` takes it out on the way: what comes is another page than was asked for."""
    world.shop.says("/", b"<p>english</p>", b"public, max-age=60", (b"vary", b"accept-language"))
    await world.ask("/", (b"accept-language", b"de"), (b"connection", b"keep-alive, Accept-Language"))
    world.shop.says("/", b"<p>deutsch</p>", b"public, max-age=60", (b"vary", b"accept-language"))
    assert (await world.ask("/", (b"accept-language", b"de"))).body == b"<p>deutsch</p>"


async def test_a_field_under_a_name_that_only_the_shop_reads_chooses_no_page(world):
    """CGI and WSGI shops read an underscore as a dash."""
    world.shop.says("/", b"<p>deutsch</p>", b"public, max-age=60", (b"vary", b"accept-language"))
    await world.ask("/", (b"accept_language", b"de"))
    world.shop.says("/", b"<p>english</p>", b"public, max-age=60", (b"vary", b"accept-language"))
    assert (await world.ask()).body == b"<p>english</p>"


async def test_a_compressed_page_is_for_those_who_can_read_it_though_the_shop_forgets_to_say_so(world):
    packed = gzip.compress(b"<p>page</p>")
    world.shop.says("/", packed, b"public, max-age=60", (b"content-encoding", b"gzip"))
    await world.ask("/", (b"accept-encoding", b"gzip"))
    world.shop.says("/")
    assert (await world.ask()).body == b"<p>page</p>"
    assert (await world.ask("/", (b"accept-encoding", b"gzip"))).body == packed


async def test_a_compressed_page_that_is_cut_is_not_kept(world):
    world.shop.says(
        "/", gzip.compress(b"<p>page</p>")[:-9], b"public, max-age=60", (b"content-encoding", b"gzip")
    )
    await world.ask("/", (b"accept-encoding", b"gzip"))
    assert len(world.store) == 0


async def test_vary_is_read_in_any_case_and_with_any_space(world):
    vary = (b"vary", b" ACCEPT-Language ,accept-encoding"), (b"vary", b"X-Currency")
    world.shop.echoes("/", b"accept-language", b"x-currency", more=vary)
    for language, currency in ((b"de", b"EUR"), (b"en", b"EUR"), (b"de", b"CHF")):
        asked = (b"accept-language", language), (b"x-currency", currency)
        for _ in range(2):
            assert (await world.ask("/", *asked)).body == b"<p>|" + language + b"|" + currency
    assert len(world.shop.asked) == 3


async def test_who_wants_nothing_stored_takes_no_page_from_others(world):
    world.shop.says("/")
    await world.ask()
    await world.ask("/", (b"cache-control", b"no-cache, No-Store"))
    await world.ask()
    assert len(world.shop.asked) == 2


@pytest.mark.parametrize("query", [b"b=2&a=1", b"a=1&b=2&", b"a=1&b=%32", b"A=1&b=2"])
async def test_an_address_is_compared_byte_by_byte(world, query):
    world.shop.says("/")
    await world.ask(query=b"a=1&b=2")
    await world.ask(query=query)
    assert len(world.shop.asked) == 2


@pytest.mark.parametrize(
    ("accept", "kept"),
    [
        (b"text/html,application/xml;q=0.9,*/*;q=0.8", True),
        (b"*/*", True),
        (b"TEXT/*", True),
        (b"application/json", False),
        (b"text/x-component", False),
        (b"text/css,*/html", False),
    ],
)
async def test_who_wants_no_html_is_not_given_the_page_that_is_kept(world, accept, kept):
    """The same address may have JSON, too, at a shop that forgets to say so."""
    world.shop.says("/")
    await world.ask()
    await world.ask("/", (b"accept", accept))
    assert len(world.shop.asked) == (1 if kept else 2)


async def test_an_empty_query_is_a_query(world):
    world.shop.says("/")
    await world.ask(**{"datacue.target": b"/"})
    await world.ask(**{"datacue.target": b"/?"})
    assert len(world.shop.asked) == 2
