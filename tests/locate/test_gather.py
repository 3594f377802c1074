"""Facts: what a page says about itself, within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.locate import FactSelectors, Plan, SelectorError, gather
from proxy.models import RawFacts

if TYPE_CHECKING:
    from conftest import Send


def test_inline_scripts_with_the_vendors_config_are_cut_out(send_all_ways: Send) -> None:
    page = b"<script>var a</script><script>window.datacueConfig = {a: '<b>'}</script><script src=datacueConfig.js>datacueConfig</script>"
    assert send_all_ways(page).facts == RawFacts(scripts=[b"window.datacueConfig = {a: '<b>'}"])


def test_json_ld_is_cut_out(send_all_ways: Send) -> None:
    page = b"<p><script type=' Application/LD+JSON; charset=utf-8'>{'a':\n1}</script ><script type=text/json>{}</script>"
    assert send_all_ways(page).facts == RawFacts(json_ld=[b"{'a':\n1}"])


def test_scripts_in_templates_svg_and_comments_say_nothing(send_all_ways: Send) -> None:
    script = b"<script type=application/ld+json>{}</script>"
    page = b"<!--%s--><template>%s</template><svg>%s</svg><textarea>%s</textarea>" % (
        script,
        script,
        script,
        script,
    )
    assert send_all_ways(page).facts == RawFacts()


def test_meta_link_and_title_are_read(send_all_ways: Send) -> None:
    page = (
        b"<TITLE>Chair &amp; table</TITLE><title>second</title><svg><title>third</title></svg>"
        b"<meta property='OG:type ' content=product><meta name=description content='d'><meta name=viewport content=v>"
        b"<meta name=twitter:label1><meta property=x name=product:price content=9><link rel='x Canonical' href='/p'>"
        b"<link rel=stylesheet href=canonical.css>"
    )
    assert send_all_ways(page).facts.meta == [
        (b"title", b"Chair &amp; table"),
        (b"og:type", b"product"),
        (b"description", b"d"),
        (b"product:price", b"9"),
        (b"canonical", b"/p"),
    ]


def test_microdata_is_read_in_order(send_all_ways: Send) -> None:
    page = (
        b"<div itemscope itemtype=Product><h1 itemprop=name>A <b>red</b><!-- no --> chair</h1><img itemprop=image src=/i.jpg>"
        b"<p itemprop=offers itemscope><meta itemprop=price content=9><time itemprop=t datetime=d>x</time></p>"
        b"<br itemprop=empty><link itemprop=brand itemscope></div><i itemprop=out>o"
    )
    assert send_all_ways(page).facts.microdata == [
        (b"open", b"Product", b""),
        (b"prop", b"name", b"A red chair"),
        (b"prop", b"image", b"/i.jpg"),
        (b"open", b"", b"offers"),
        (b"prop", b"price", b"9"),
        (b"prop", b"t", b"d"),
        (b"close",),
        (b"prop", b"empty", b""),
        (b"open", b"", b"brand"),
        (b"close",),
        (b"close",),
        (b"prop", b"out", b"o"),
    ]


def test_the_operators_selectors_find_text_and_attributes(send_all_ways: Send) -> None:
    facts = FactSelectors({"name": "h1", "photo": [".gallery img@src", "img@DATA-src"], "none": "br"})
    page = b"<h1>A <i>chair</i></h1><div class=gallery><img src=1 data-src=2><img alt=x></div><img src=3><br>"
    assert send_all_ways(page, facts=facts).facts.selected == {"name": [b"A chair"], "photo": [b"1", b"2"]}


def test_an_at_sign_in_a_selectors_value_names_no_attribute(send: Send) -> None:
    facts = FactSelectors({"mail": "a[href='a@b']", "to": "a[href*='@'] @href "})
    assert send(b"<a href=a@b>x</a>", facts=facts).facts.selected == {"mail": [b"x"], "to": [b"a@b"]}


def test_a_plan_may_bring_selectors_for_every_page(send_all_ways: Send) -> None:
    plan = Plan(facts={"name": "h1"})
    assert send_all_ways(b"<h1>a</h1><h2>b</h2>", plan).facts.selected == {"name": [b"a"]}
    own = FactSelectors({"name": "h2"})
    assert send_all_ways(b"<h1>a</h1><h2>b</h2>", plan, facts=own).facts.selected == {"name": [b"b"]}


def test_a_bad_fact_selector_is_refused() -> None:
    with pytest.raises(SelectorError):
        FactSelectors({"name": "h1:first@x"})


def test_nothing_is_gathered_when_nobody_wants_it(send_all_ways: Send) -> None:
    page = b"<title>t</title><script>datacueConfig</script><p itemprop=x>y</p><h1>z</h1><div data-dc-products><!-- --></div>"
    passed = send_all_ways(page, Plan(collect_facts=False, facts={"name": "h1"}))
    assert passed.facts == RawFacts()
    assert len(passed.openings) == 1


def test_raw_text_beyond_its_bound_is_dropped(send_all_ways: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gather._CAPS, "json_ld", 5)
    page = (
        b"<script type=application/ld+json>12345</script><p><script type=application/ld+json>123456</script>"
    )
    assert send_all_ways(page).facts.json_ld == [b"12345"]


def test_text_and_attributes_beyond_their_bound_are_cut(
    send_all_ways: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "MAX_VALUE", 4)
    page = b"<i itemprop=a>12<b>345</b>6</i><i itemprop=b content=12345></i>"
    assert [value for *_, value in send_all_ways(page).facts.microdata] == [b"1234", b"1234"]


def test_all_facts_together_are_bounded(send_all_ways: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MAX_FACTS", 100)
    page = b"<meta name=description content=12345678901234567890>" * 5
    assert len(send_all_ways(page).facts.meta) == 2


def test_entries_of_a_kind_are_bounded(send_all_ways: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MAX_ENTRIES", 3)
    assert len(send_all_ways(b"<b itemprop=x>" * 5).facts.microdata) == 3


def test_an_unfinished_script_says_nothing(send_all_ways: Send) -> None:
    assert send_all_ways(b"<script>datacueConfig").facts == RawFacts()
