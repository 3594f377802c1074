"""Includes as ESI, Apache and nginx write them: which are ours, how far they go, what stands there instead."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.locate import LOOK_AHEAD, Plan
from proxy.locate import placeholders as placeholders_module
from proxy.locate.tokens import MAX_DIRECTIVE
from proxy.models import Include, Slot

TOP = b"/_datacue/fragments/top"
BLOCK = b'<!--# block name="x" -->'
END = b"<!--# endblock -->"
STUBBED = b'<!--# include virtual="/_datacue/fragments/top" stub="x" -->'


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (b"<esi:include src='%b'></esi:include>z" % TOP, b"{top|<esi:include src='%b'></esi:include>}z" % TOP),
        (b"<esi:include src='%b'> \n</ESI:include >z" % TOP, b"{top|<esi:include src='%b'> \n</ESI:include >}z" % TOP),
        (b"<esi:include src='%b'>x</esi:include>z" % TOP, b"{top|<esi:include src='%b'>}x</esi:include>z" % TOP),
        (b"<esi:include src='%b'> </esi:includes>" % TOP, b"{top|<esi:include src='%b'>} </esi:includes>" % TOP),
        (b"<esi:include src='%b'> </esi:include x" % TOP, b"{top|<esi:include src='%b'>} </esi:include x" % TOP),
        (b"<esi:include src='%b'> " % TOP, b"{top|<esi:include src='%b'>} " % TOP),
        (b"<esi:include src='%b'></esi" % TOP, b"{top|<esi:include src='%b'>}</esi" % TOP),
        (b"<esi:include src=/other></esi:include>z", b"<esi:include src=/other></esi:include>z"),
        (b"<div data-dc-products><esi:include src=/x></esi:include>own</div>z",
         b"<div data-dc-products>{products|<esi:include src=/x></esi:include>own}</div>z"),
        (b"<!--# include virtual='%b' wait='yes' fmt=\"%%s\"-->" % TOP, b"{top|<!--# include virtual='%b' wait='yes' fmt=\"%%s\"-->}" % TOP),
        (b"<!--#\tinclude virtual='%b' -->" % TOP, b"{top|<!--#\tinclude virtual='%b' -->}" % TOP),
        (BLOCK + b"own" + END + b"\n " + STUBBED + b"z", b"{top|" + BLOCK + b"own" + END + b"\n " + STUBBED + b"}z"),
        (BLOCK + b"<p>" + END + STUBBED.replace(b'"x"', b"'x'"), b"{top|" + BLOCK + b"<p>" + END + STUBBED.replace(b'"x"', b"'x'") + b"}"),
        (BLOCK + b"own" + END + STUBBED.replace(b'"x"', b'"y"'), BLOCK + b"own" + END + b"{top|" + STUBBED.replace(b'"x"', b'"y"') + b"}"),
        (BLOCK + b"own" + END + b"x" + STUBBED, BLOCK + b"own" + END + b"x{top|" + STUBBED + b"}"),
        (BLOCK + b"<p data-dc-products></p>" + END, BLOCK + b"<p data-dc-products>{products|}</p>" + END),
        (BLOCK + b"own", BLOCK + b"own"),
        (BLOCK + b"own" + END + b" <!", BLOCK + b"own" + END + b" <!"),
        (BLOCK + b"own" + END + b"<!--# include ", BLOCK + b"own" + END + b"<!--# include "),
        (b"<!--# block --><!--# blocks name='x' --><!--#if x --><!--#", b"<!--# block --><!--# blocks name='x' --><!--#if x --><!--#"),
        (b"<template>" + BLOCK + END + STUBBED + b"</template>", b"<template>" + BLOCK + END + STUBBED + b"</template>"),
    ],
)  # fmt: skip
def test_an_include_goes_with_all_that_belongs_to_it(send_all_ways, page, shown):
    assert send_all_ways(page).shown == shown


def test_what_stands_there_if_there_is_nothing_to_say(send_all_ways):
    page = (
        b"<esi:include src='%b'/>" % TOP
        + STUBBED
        + BLOCK
        + b"<b>own</b>"
        + END
        + STUBBED
        + b"[datacue-products top]"
    )
    assert [one.fallback for one in send_all_ways(page).openings] == [b"", b"", b"<b>own</b>", None]
    assert [one.unfilled for one in send_all_ways(page).openings][2:] == [
        b"<b>own</b>",
        b"[datacue-products top]",
    ]


@pytest.mark.parametrize(
    ("url", "query", "host"),
    [
        (TOP, b"", b""),
        (b" %b?page=home&amp;x=1#there " % TOP, b"page=home&x=1", b""),
        (b"HTTPS://Shop.Example:8443%b" % TOP, b"", b"shop.example:8443"),
        (b"//shop%b?a" % TOP, b"a", b"shop"),
    ],
)
def test_an_include_says_what_it_is_about_and_where(send_all_ways, url, query, host):
    (opening,) = send_all_ways(b'<esi:include src="%b"/>' % url).openings
    assert opening.slot == Slot("top", include=Include("esi", query, host))


@pytest.mark.parametrize(
    "url", [b"x" + TOP, b"ftp://shop" + TOP, b"http://a@shop" + TOP, TOP + b"/x", TOP + b"%20", b"/a b" + TOP, b"$(X)" + TOP, b""]
)  # fmt: skip
def test_other_addresses_are_not_ours(send_all_ways, url):
    assert send_all_ways(b'<esi:include src="%b"/>' % url).openings == []


def test_an_alternative_counts_if_it_is_ours(send_all_ways):
    page = (
        b"<esi:include src='%b' alt='/_datacue/fragments/recent?page=home'/><esi:include src='%b' alt='/x'/>"
        % (TOP, TOP)
    )
    ours, other = (one.slot.include for one in send_all_ways(page).openings)
    assert ours.alt == Slot("recent", include=Include("esi", b"page=home"))
    assert other.alt is None
    assert send_all_ways(b"<esi:include src='/x' alt='%b'/>" % TOP).openings == []


@pytest.mark.parametrize(
    "directive",
    [
        b"<!--#include virtual='%b' set='x' -->" % TOP,
        b"<!--#include virtual='%b' file='x' -->" % TOP,
        b"<!--#include virtual=%b -->" % TOP,
        b"<!--#include virtual='%b' junk -->" % TOP,
        b"<!--#include -->",
    ],
)
def test_directives_that_show_nothing_of_ours_pass(send_all_ways, directive):
    assert send_all_ways(directive).openings == []


@pytest.mark.parametrize("spare", [-1, 1])
def test_a_block_beyond_the_look_ahead_stands_for_itself(send, spare):
    page = BLOCK + b"x" * (LOOK_AHEAD - len(BLOCK) - len(END) + spare) + END + STUBBED
    for cuts in ([], [100], [LOOK_AHEAD - 5], range(0, len(page), 4096)):
        passed = send(page, cuts=cuts)
        assert passed.page == page
        assert [one.original for one in passed.openings] == [STUBBED if spare > 0 else page]


def test_an_include_after_a_block_may_be_as_long_as_any(send):
    long = STUBBED.replace(b"top", b"top?" + b"x" * MAX_DIRECTIVE)
    for cuts in ([], range(1, 4200, 700)):
        assert send(BLOCK + END + long, cuts=cuts).openings == []


@pytest.mark.parametrize("spare", [0, 1])
def test_a_block_belongs_to_what_follows_after_little_white_space(send, spare):
    page = BLOCK + END + b" " * (placeholders_module.MAX_GAP + spare) + STUBBED
    for cuts in ([], range(1, len(page))):
        assert [one.original for one in send(page, cuts=cuts).openings] == [STUBBED if spare else page]


def test_white_space_without_end_is_not_waited_for(send):
    tag = b"<esi:include src='%b'>" % TOP
    page = tag + b" " * (placeholders_module.MAX_GAP + 1) + b"</esi:include>"
    for cuts in ([], range(1, len(page))):
        assert [one.original for one in send(page, cuts=cuts).openings] == [tag]


PARTS = st.sampled_from([
    b"<esi:include src='/_datacue/fragments/top'/>", b"<esi:include src='/x'>", b"</esi:include>", b" ", b"text", BLOCK, END, STUBBED,
    b"<!--", b"-->", b"<div data-dc-products>", b"</div>", b"<script>", b"</script>", b"<!--#", b"<svg>", b"</svg>", b"<p>", b"&amp;",
])  # fmt: skip


@given(st.lists(PARTS, max_size=14).map(b"".join), st.lists(st.integers(0, 400), max_size=6))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_page_cut_anywhere_opens_the_same(send, page, cuts):
    whole = send(page, Plan(memory=0))
    assert whole.page == page
    assert send(page, Plan(memory=0), sorted(cut for cut in cuts if cut <= len(page))) == whole
    assert send(page, Plan(memory=0), range(1, len(page))) == whole
