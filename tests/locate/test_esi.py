"""ESI beyond includes: what goes, what is set free, what stays byte for byte."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.locate import LOOK_AHEAD, EsiProcessor
from proxy.locate.esi import MAX_DEPTH
from proxy.locate.markup import MAX_TAG

OURS = b"<esi:include src='/_datacue/fragments/top'/>"
STUB = b'<!--#block name="except" -->%b<!--#endblock --><!--#include virtual="/_datacue/fragments/top" stub="except" -->'
TRY = b"<esi:try><esi:attempt>%b</esi:attempt> <esi:except>%b</esi:except></esi:try>"


def through(page, cuts=()):
    esi = EsiProcessor(b"/_datacue")
    out, start = b"", 0
    for cut in [*cuts, len(page)]:
        out += esi.feed(page[start:cut])
        start = cut
    return out + esi.close(), esi.foreign


def processed(page):
    """The page, however it was cut."""
    whole = through(page)
    for cut in range(len(page) + 1):
        assert through(page, [cut]) == whole, page[:cut]
    assert through(page, range(1, len(page))) == whole
    return whole[0]


@pytest.mark.parametrize(
    ("page", "done"),
    [
        (b"a<esi:remove><p>x</p></esi:remove>z", b"az"),
        (b"a<ESI:Remove class='>'>x</esi:remove\n>z", b"az"),
        (b"a<esi:remove/>b", b"ab"),
        (b"a<esi:comment text='<x>'/>b<esi:comment>c</esi:comment>", b"abc"),
        (b"a<!--esi <p>x</p>\n-->z", b"a <p>x</p>\nz"),
        (b"<!--esi a<!-- inner -->b --><!-- c -->", b" a<!-- inner -->b <!-- c -->"),
        (b"<!--esi <esi:remove>x</esi:remove><!--esi y --> -->z", b"  y  z"),
        (TRY % (b"<h2>x</h2>" + OURS, b"no") + b"z", b"<h2>x</h2>" + OURS + b"z"),
        (TRY % (b"plain", b"no"), b"plain"),
        (TRY % (b" " + OURS + b"\n", b"own<esi:remove>x</esi:remove>"), STUB % b"own"),
        (TRY % (b"<esi:include src='/_datacue/fragments/top'></esi:include>", b"own"), STUB % b"own"),
        (TRY % (OURS, b"<!--#echo -->"), OURS),
        (TRY % (b"<esi:include src='/_datacue/fragments/top?a--b'/>", b"x"), b"<esi:include src='/_datacue/fragments/top?a--b'/>"),
        (TRY % (b"<esi:include alt='/x' src='/_datacue/fragments/top'/>", b"x"), b"<esi:include alt='/x' src='/_datacue/fragments/top'/>"),
    ],
)  # fmt: skip
def test_what_processors_do_is_done(page, done):
    assert processed(page) == done


@pytest.mark.parametrize(
    "page",
    [
        OURS,
        b"<esi:include src='/footer'/>",
        TRY % (b"<esi:include src='/footer'/>", b"x"),
        TRY % (b"<esi:include src=/footer", b"x"),
        b"<esi:try>neither</esi:try></esi:try>",
        b"<esi:vars>$(HTTP_HOST)</esi:vars><esi:choose><esi:when test='x'>y</esi:when></esi:choose><esi:odd>",
        b"</esi:remove></esi:include><esi:removed>x</esi:removed>",
        b"<script>'<esi:remove>x</esi:remove><!--esi y -->'</script><textarea><esi:remove>x</esi:remove></textarea>",
        b"<p title='<esi:remove>x</esi:remove>'>y<!-- <esi:remove>z</esi:remove> --></p><plaintext><esi:remove/>",
        b"<!--esi--><!--esix --><!--es --><!--> <!---> < <",
        b"a<esi:remove>never",
        b"a<esi:try>never",
        b"a<!--esi never <!-- -->",
        b"a<!--esi",
        b"<esi:remove",
    ],
)
def test_all_else_passes_byte_for_byte(page):
    assert processed(page) == page


@pytest.mark.parametrize(
    ("page", "foreign"),
    [
        (OURS, False), (b"<esi:include src='/footer'/>", True), (b"<!--esi <esi:include src=/footer> -->", True),
        (TRY % (b"<esi:include src='/footer'/>", b"x"), True), (b"<!-- <esi:include src=/footer> -->", False),
    ],
)  # fmt: skip
def test_includes_that_nobody_will_resolve_are_noticed(page, foreign):
    assert through(page)[1] is foreign


@pytest.mark.parametrize(
    ("start", "end"),
    [(b"<esi:remove>", b"</esi:remove>"), (b"<!--esi ", b"-->"), (b"<!--esi <!-- -->", b"-->")],
)
def test_what_does_not_end_within_the_look_ahead_stays(start, end):
    page = b"a" + start + b"x" * LOOK_AHEAD + end + b"z"
    for cuts in ([], [10], [LOOK_AHEAD], range(0, len(page), 5000)):
        assert through(page, cuts)[0] == page


def test_a_tag_without_end_lets_the_page_go():
    esi = EsiProcessor(b"/_datacue")
    start = b"<p title='" + b"x" * max(MAX_TAG, LOOK_AHEAD)
    assert esi.feed(start) == start
    assert esi.feed(b"<esi:remove>") == b"<esi:remove>"
    assert esi.close() == b""


def test_comments_in_each_other_beyond_a_depth_stay():
    depth = MAX_DEPTH + 1
    assert processed(b"<!--esi " * depth + b"x" + b"-->" * depth) == b" " * MAX_DEPTH + b" x"
    assert processed(b"<!--esi " * (depth + 1) + b"x" + b"-->" * (depth + 1)).count(b"<!--esi") == 1


def test_what_is_held_can_be_had_as_it_came():
    esi = EsiProcessor(b"/_datacue")
    assert esi.feed(b"a<esi:remove>x") == b"a"
    assert esi.rest() == b"<esi:remove>x"
    assert esi.rest() == b""


PARTS = st.sampled_from([
    b"<esi:remove>", b"</esi:remove>", b"<!--esi ", b"-->", b"<!--", b"<esi:try>", b"<esi:attempt>", b"</esi:attempt>", b"<esi:except>",
    b"</esi:except>", b"</esi:try>", OURS, b"<esi:include src=/x>", b"<script>", b"</script>", b"text ", b"<p a='", b"'>", b"<!--#", b"<",
    b"\xe9\xff", b"<![CDATA[", b"]]>", b"<esi:comment/>",
])  # fmt: skip


@given(st.lists(PARTS, max_size=12).map(b"".join), st.lists(st.integers(0, 300), max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_page_cut_anywhere_gives_the_same(page, cuts):
    whole = through(page)
    assert through(page, sorted(cut for cut in cuts if cut <= len(page))) == whole
    assert through(page, range(1, len(page))) == whole


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_bytes_without_esi_pass(page):
    assert through(page)[0] == page


BOMBS = {
    "comments of which half end": b"<!--esi <!--esi -->",
    "removals without an end": b"<esi:remove>",
    "attempts without an end": b"<esi:try>",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_what_has_no_end_is_looked_for_a_few_times_only(bomb):
    page = bomb * 20_000
    started = time.process_time()
    esi = EsiProcessor(b"/_datacue")
    out = b"".join([*[esi.feed(page[i : i + 65536]) for i in range(0, len(page), 65536)], esi.close()])
    assert out == page
    assert time.process_time() - started < 5  # without a limit: minutes


@pytest.mark.parametrize(
    "inside",
    [
        b"<esi:attempt>" + b"</esi:attempt><esi:except>" * 2300,
        b"<esi:attempt>" + b"</esi:attempt><esi:except></esi:except>" * 1600 + b"x",
        b"<esi:attempt>" + b"<esi:include " * 4800 + b"></esi:attempt><esi:except></esi:except>",
    ],
)
def test_a_try_of_many_parts_is_read_once(inside):
    page = (b"<esi:try>" + inside + b"</esi:try>") * 16
    started = time.process_time()
    assert through(page)[0] == page
    assert time.process_time() - started < 4  # read part by part against each other: 10 s and more


def test_a_block_without_an_end_is_not_looked_for_up_to_the_next_ones_end(send):
    page = b'<!--# block name="a" -->' * 40_000
    started = time.process_time()
    assert send(page).page == page
    assert time.process_time() - started < 5
