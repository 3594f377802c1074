"""Bounds: what is held, what is remembered, and how a page is let go that exceeds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.locate import LOOK_AHEAD, Opening, Plan, Splicer, placeholders, tokens, walk
from proxy.locate import page as page_module
from proxy.locate.elements import MAX_DEPTH
from proxy.locate.markup import MAX_TAG
from proxy.locate.page import MAX_UNREAD
from proxy.locate.placeholders import MAX_SHORTCODE
from proxy.locate.tokens import MAX_DIRECTIVE

if TYPE_CHECKING:
    from conftest import Rules, Send

START = b"<div data-dc-products>"


def test_content_up_to_the_look_ahead_is_replaced(send: Send) -> None:
    content = b"a" * (LOOK_AHEAD - len(b"</div>"))
    for cuts in ([], [50], [LOOK_AHEAD], [len(START) + LOOK_AHEAD - 1]):
        (opening,) = send(START + content + b"</div>", cuts=cuts).openings
        assert opening.original == content


def test_content_beyond_the_look_ahead_stays(send: Send) -> None:
    content = b"a" * (LOOK_AHEAD - len(b"</div>") + 1)
    for cuts in ([], [50], [LOOK_AHEAD], [len(START) + LOOK_AHEAD]):
        for end in (b"</div>", b"a</main>", b"a" * 20):
            (opening,) = send(START + content + end, cuts=cuts).openings
            assert opening.original == b""


def test_no_more_than_the_look_ahead_is_held() -> None:
    splicer = Splicer(Plan())
    splicer.feed(START)
    most = 0
    for _ in range(100):
        splicer.feed(b"some text <b>and markup</b>" * 40)
        most = max(most, splicer.held)
    assert LOOK_AHEAD - 2000 < most <= LOOK_AHEAD


def test_what_stands_before_a_slot_leaves_at_once() -> None:
    splicer = Splicer(Plan())
    assert b"".join(splicer.feed(b"<p>text</p><p")) == b"<p>text</p><p"  # type: ignore[arg-type]  # no opening in it
    assert splicer.feed(b"><div data-dc-products>x") == [b"><div data-dc-products>"]
    assert splicer.held == 1


@pytest.mark.parametrize("beginning", [b"<esi:inc", b"<!-", b"[datac", b"<script src=x", b"<scr", b"<"])
def test_the_beginning_of_what_may_be_replaced_is_held(beginning: bytes) -> None:
    splicer = Splicer(Plan())
    assert splicer.feed(b"<p>text" + beginning) == [b"<p>text"]
    assert splicer.held == len(beginning)
    assert splicer.feed(b" zzz>") == [beginning + b" zzz>"]
    assert splicer.close() == []


@pytest.mark.parametrize(
    "tag", [b"<div data-dc-products title='%s'>", b"<div data-dc-products %s>", b"<title>x</title %s>"]
)
@pytest.mark.parametrize("spare", [0, 1])
def test_a_tag_beyond_its_bound_lets_the_page_go(send: Send, tag: bytes, spare: int) -> None:
    size = MAX_TAG + len(b"<title>x") * (b"title>" in tag)
    page = START + b"</div>" + tag % (b"a" * (size + spare - len(tag) + 2)) + START
    for cuts in ([], [40], [MAX_TAG], [len(page) - len(START)]):
        passed = send(page, cuts=cuts)
        assert passed.page == page
        assert passed.bailed == ("tag" if spare else None)
        assert passed.openings[0] == Opening(passed.openings[0].slot, b"")
        assert len(passed.openings) == 1 if spare else 2


def test_bailing_out_inside_a_placeholder_opens_nothing(send: Send) -> None:
    page = START + b"<b title='" + b"a" * MAX_TAG + b"'></div>"
    for cuts in ([], [60], [MAX_TAG]):
        passed = send(page, cuts=cuts)
        assert (passed.page, passed.bailed, passed.openings) == (page, "tag", [])


def test_elements_beyond_the_depth_let_the_page_go(send: Send, rules: Rules) -> None:
    plan = rules(("no > no", "after"))
    assert send(b"<i>" * MAX_DEPTH, plan).bailed is None
    passed = send(b"<p data-dc-banners></p>" + b"<i>" * (MAX_DEPTH + 1) + START + b"</div>", plan)
    assert passed.bailed == "depth"
    assert len(passed.openings) == 1


def test_what_comes_after_bailing_out_passes_as_it_is() -> None:
    splicer = Splicer(Plan())
    splicer.feed(b"<div data-dc-products title='" + b"a" * MAX_TAG)
    assert splicer.bailed == "tag"
    assert splicer.held == 0
    assert splicer.feed(b"'>" + START) == [b"'>" + START]
    assert splicer.close() == []


def test_a_bug_of_ours_lets_the_page_go(monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(*_: object, **__: object) -> None:
        raise LookupError

    splicer = Splicer(Plan())
    assert splicer.feed(b"<p>a</p>" + START + b"held") == [b"<p>a</p>" + START]
    monkeypatch.setattr(walk.Walk, "go", surprise)
    assert splicer.feed(b"</div>") == [b"held</div>"]
    assert splicer.bailed == "internal"
    assert splicer.held == 0


def test_a_bug_where_a_page_leaves_memory_lets_it_go(monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(*_: object, **__: object) -> None:
        raise LookupError

    plan = Plan()
    Splicer(plan).feed(START + b"held")
    splicer = Splicer(plan)
    assert splicer.feed(START + b"held") == [START]
    monkeypatch.setattr(walk.Walk, "go", surprise)
    assert splicer.feed(b"</div>") == [b"held</div>"]
    assert splicer.bailed == "internal"


def test_long_pages_are_read_as_they_pass(send: Send) -> None:
    filler = b"<p class=a>text</p><!-- x --><script>a<b</script>" * 1000
    rounds = MAX_UNREAD // len(filler) * 3
    splicer = Splicer(Plan(memory=0))
    for _ in range(rounds):
        assert splicer.feed(filler) == [filler]
        assert sum(map(len, splicer._page._pieces)) <= MAX_UNREAD  # type: ignore[union-attr]  # fed
    splicer.feed(b"<!--")
    assert splicer.feed(filler[:-12] + START) != []
    page = filler * rounds + b"<!--" + START + b"-->" + START + b"</div>"
    assert [o.original for o in send(page, cuts=range(0, len(page), 60_000)).openings] == [b""]


def test_includes_and_shortcodes_are_bounded(send: Send) -> None:
    fits = b"[datacue-products " + b" " * (MAX_SHORTCODE - 19) + b"]"
    long = b"[datacue-products " + b" " * (MAX_SHORTCODE - 18) + b"]"
    for cuts in ([], [20], [MAX_SHORTCODE - 1], [MAX_SHORTCODE]):
        assert len(send(fits, cuts=cuts).openings) == 1
        assert send(long, cuts=cuts).openings == []
    include = b"<!--#include virtual='/_datacue/fragments/top?%s' -->"
    fits = include % (b"a" * (MAX_DIRECTIVE - len(include) + 2))
    long = include % (b"a" * (MAX_DIRECTIVE - len(include) + 3))
    for cuts in ([], [20], [MAX_DIRECTIVE - 1], [MAX_DIRECTIVE]):
        assert len(send(fits, cuts=cuts).openings) == 1
        assert send(long, cuts=cuts).openings == []


def test_small_limits_make_no_difference_to_cuts(
    send_all_ways: Send, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every bound is met within one short page, so that each cut falls before, on and after it."""
    monkeypatch.setattr("proxy.locate.marks.LOOK_AHEAD", 40)
    monkeypatch.setattr(page_module, "MAX_UNREAD", 30)
    monkeypatch.setattr(walk, "SKIP_WINDOW", 25)
    monkeypatch.setattr(placeholders, "MAX_SHORTCODE", 20)
    monkeypatch.setattr(tokens, "MAX_DIRECTIVE", 35)
    monkeypatch.setattr("proxy.locate.memory.MAX_PATH", 50)
    page = (
        b"<p>text<b>more</b><p data-dc-products>"
        + b"x" * 30
        + b"<i class=a>y</i></p><!--#include virtual='/a'-->"
        b"[datacue-products][datacue-products  top ]<div data-dc-banners>x</div><p class=a>"
        + b"z"
        * 50
        + b"</p>"
        b"<!--#include virtual='/_datacue/fragments/top'--><script>datacueConfig</script>"
    )
    for plan in (rules(), rules((".a", "replace")), rules(("p .a", "after")), rules((".a", "append"))):
        assert send_all_ways(page, plan).bailed is None
