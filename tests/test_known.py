"""What is known of whole pages and heads is never another page's, or another head's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.known import LONG, MAX_HEADS, MAX_PAGE, KnownPages
from proxy.locate import FactSelectors, Plan

HTML = b"text/html; charset=utf-8"
SLOT = b'<div data-dc-products="related">own</div>'


def written(page):
    """The page again, with a mark at each slot."""
    return b"".join(piece if isinstance(piece, bytes) else b"{%b}" % piece.original for piece in page.pieces)


def page(*parts):
    return b"<html><body>%b</body></html>" % b"".join(parts)


PAGES = st.lists(st.sampled_from([SLOT, b"<p>a</p>", b"<p>b</p>", b"", b"<!-- ", b" -->"]), max_size=5)


@settings(max_examples=60)
@given(pages=st.lists(PAGES, min_size=2, max_size=8), memory=st.sampled_from([0, 2000, 1 << 20]))
def test_whatever_was_read_before_a_page_reads_as_if_it_were_the_first(pages, memory):
    known = KnownPages(Plan(memory=memory), limit=20_000)
    for parts in [*pages, *pages]:
        body = page(*parts)
        first = KnownPages(Plan()).page(None, HTML, body)
        assert known.page(None, HTML, body)._replace(number=0) == first._replace(number=0)


def test_a_page_that_came_before_is_looked_up():
    known = KnownPages(Plan())
    body = page(b"<p>1</p>", SLOT)
    again = [known.page(None, HTML, bytes(bytearray(body))) for _ in range(3)]
    assert again[0] is again[1] is again[2]
    assert written(again[0]) == body.replace(b"own", b"{own}")
    assert (known.stats.hits, known.stats.misses, known.stats.entries) == (2, 1, 1)


@settings(max_examples=60)
@given(pages=st.lists(PAGES, min_size=2, max_size=8), memory=st.sampled_from([0, 2000, 1 << 20]))
def test_a_number_is_one_page_s_alone_and_a_forgotten_page_gets_another(pages, memory):
    known = KnownPages(Plan(memory=memory), limit=20_000)
    owners = {}
    for parts in [*pages, *pages]:
        for kind in (HTML, b"text/html"):
            body = page(*parts)
            number = known.page(None, kind, body).number
            assert number == 0 if not memory else owners.setdefault(number, (kind, body)) == (kind, body)


@given(place=st.integers(0, 999), order=st.lists(st.booleans(), min_size=2, max_size=6))
@settings(max_examples=60)
def test_pages_that_differ_in_one_byte_alone_are_told_apart(place, order):
    known = KnownPages(Plan())
    text = bytearray(b"a" * 1000)
    text[place] = ord("b")
    bodies = page(b"a" * 1000, SLOT), page(bytes(text), SLOT)
    for other in order:
        body = bodies[other]
        assert written(known.page(None, HTML, body)) == body.replace(b"own", b"{own}")
    assert known.stats.misses == len(set(order))


def test_the_same_bytes_under_another_rule_are_another_page_with_facts_of_its_own():
    known = KnownPages(Plan())
    body = page(b"<b class=a>1</b><i class=b>2</i>", SLOT)
    rules = [None, FactSelectors({"price": ".a"}), FactSelectors({"price": ".b"})]
    said = [known.page(rule, HTML, bytes(bytearray(body))).facts.selected for rule in rules * 3]
    assert said == [{}, {"price": [b"1"]}, {"price": [b"2"]}] * 3


def test_the_same_bytes_under_another_charset_are_another_page():
    known = KnownPages(Plan())
    body = page(SLOT)
    assert [known.page(None, kind, body).utf8 for kind in (HTML, b"text/html", HTML, b"text/html")] == [
        *(True, False, True, False)
    ]


@pytest.mark.parametrize(
    "body",
    [
        page(b"<script>window.datacueConfig = {user_id: 'u1'}</script>", SLOT),
        page(b'<!--#include virtual="/_datacue/fragments/related" -->'),
        page(b'<esi:include src="/_datacue/fragments/related"/>'),
        "<html>".encode("utf-16"),
    ],
)
def test_a_page_that_needs_more_than_its_slots_filled_is_nobodys_every_time(body):
    known = KnownPages(Plan())
    assert [known.page(None, HTML, body) for _ in range(3)] == [None] * 3


@pytest.mark.parametrize(
    ("status", "more"),
    [
        (404, []),
        (302, [(b"location", b"/")]),
        (200, [(b"x-datacue-event", b'{"type":"login"}')]),
        (200, [(b"x-datacue-user", b"{}")]),
        (200, [(b"x-datacue-off", b"1")]),
        (200, [(b"content-encoding", b"gzip")]),
        (200, [(b"cache-control", b"no-transform")]),
        (200, [(b"surrogate-control", b'content="ESI/1.0"')]),
    ],
)
def test_a_head_that_says_more_than_to_be_a_page_is_for_others_to_judge(status, more):
    known = KnownPages(Plan())
    plain = [(b"content-type", HTML)]
    for _ in range(2):
        assert known.head(status, [*plain, *more]) is None
        assert known.head(200, plain) is not None


def test_each_head_keeps_its_own_fields_and_loses_what_described_the_bytes():
    known = KnownPages(Plan())
    for number in [*range(MAX_HEADS + 5), 0]:
        cookie = (b"set-cookie", b"basket=%d" % number)
        head = known.head(
            200,
            [(b"content-type", HTML), (b"content-length", b"%d" % number), cookie, (b"connection", b"close")],
        )
        assert head.fields == [(b"content-type", HTML), cookie, (b"cache-control", b"private, no-store")]
        assert head.content_type == HTML


def test_a_long_page_is_read_whole_when_it_comes_again_and_looked_up_from_then_on():
    known = KnownPages(Plan())
    body = page(b"<p>1</p>" * (LONG // 8), SLOT)
    assert known.page(None, HTML, body) is None
    again = [known.page(None, HTML, bytes(bytearray(body))) for _ in range(3)]
    assert again[0] is again[1] is again[2]
    assert written(again[0]) == body.replace(b"own", b"{own}")
    assert known.page(None, HTML, body.replace(b"1", b"2")) is None


def test_a_page_that_is_too_long_is_never_read_whole_and_the_longest_is_remembered():
    known = KnownPages(Plan())
    longest = page(b"x" * (MAX_PAGE - len(page(SLOT))), SLOT)
    assert len(longest) == MAX_PAGE
    assert [known.page(None, HTML, longest + b"x") for _ in range(3)] == [None] * 3
    assert known.page(None, HTML, longest) is None
    assert known.page(None, HTML, longest) is known.page(None, HTML, longest) is not None
