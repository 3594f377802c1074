"""``[[slots]]`` rules: where they open, once a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Rules, Send

PAGE = b"<body><main id=m><p class=hero>a</p><p class=hero>b</p></main></body>"


@pytest.mark.parametrize(
    ("position", "shown"),
    [
        ("before", b"<main id=m>{top|}<p class=hero>a</p>"),
        ("prepend", b"<main id=m><p class=hero>{top|}a</p>"),
        ("append", b"<main id=m><p class=hero>a{top|}</p>"),
        ("after", b"<main id=m><p class=hero>a</p>{top|}"),
        ("replace", b"<main id=m>{top|<p class=hero>a</p>}"),
    ],
)
@pytest.mark.parametrize("selector", [".hero", "main > .hero", "*.hero", "body .hero"])
def test_a_rule_opens_at_the_first_element_that_matches(
    send_all_ways: Send, rules: Rules, selector: str, position: str, shown: bytes
) -> None:
    assert (
        send_all_ways(PAGE, rules((selector, position))).shown
        == b"<body>%s<p class=hero>b</p></main></body>" % shown
    )


@pytest.mark.parametrize(
    ("page", "position", "shown"),
    [
        (b"<br id=x>a", "after", b"<br id=x>{top|}a"),
        (b"<br id=x>a", "before", b"{top|}<br id=x>a"),
        (b"<br id=x>a", "replace", b"{top|<br id=x>}a"),
        (b"<br id=x>a", "append", b"<br id=x>a"),
        (b"<br id=x>a", "prepend", b"<br id=x>a"),
        (b"<ul><li id=x>a<li>b</ul>", "after", b"<ul><li id=x>a{top|}<li>b</ul>"),
        (b"<ul><li id=x>a</ul>", "append", b"<ul><li id=x>a{top|}</ul>"),
        (b"<ul><li id=x>a</ul>", "replace", b"<ul><li id=x>a</ul>"),
        (b"<div id=x>a", "append", b"<div id=x>a{top|}"),
        (b"<div id=x>a<!-- b", "append", b"<div id=x>a<!-- b"),
        (b"<div id=x>a<i b", "append", b"<div id=x>a<i b"),
        (b"<div id=x>a", "replace", b"<div id=x>a"),
        (b"<svg id=x />a", "after", b"<svg id=x />{top|}a"),
        (b"<svg><g id=x /></svg>", "append", b"<svg><g id=x /></svg>"),
        (b"<script id=x><p></script>", "after", b"<script id=x><p></script>{top|}"),
        (b"<template id=x><p></p></template>", "after", b"<template id=x><p></p></template>{top|}"),
        (b"<template><p id=x></template>", "after", b"<template><p id=x></template>"),
    ],
)
def test_elements_end_where_html_says(
    send_all_ways: Send, rules: Rules, page: bytes, position: str, shown: bytes
) -> None:
    assert send_all_ways(page, rules(("#x", position))).shown == shown
    assert send_all_ways(page, rules(("#x", position), ("no > no", "after"))).shown == shown


def test_rules_at_one_element_open_in_order(send_all_ways: Send, rules: Rules) -> None:
    plan = rules(("p", "after"), ("p", "append"), ("p", "before"), ("p", "prepend"))
    assert send_all_ways(b"<p>a</p>", plan).shown == b"{similar|}<p>{related|}a{recent|}</p>{top|}"


def test_a_placeholder_keeps_its_content_from_rules(send_all_ways: Send, rules: Rules) -> None:
    plan = rules((".x", "after"))
    page = b"<div data-dc-products><p class=x>a</p></div><p class=x>b</p>"
    assert send_all_ways(page, plan).shown == (
        b"<div data-dc-products>{products|<p class=x>a</p>}</div><p class=x>b</p>{top|}"
    )


def test_a_rule_may_open_in_a_placeholder_that_never_ends(send_all_ways: Send, rules: Rules) -> None:
    plan = rules((".x", "after"), ("no > no", "after"))
    page = b"<main><div data-dc-products><p class=x>a</p></main><p class=x>b</p>"
    assert send_all_ways(page, plan).shown == (
        b"<main><div data-dc-products>{products|}<p class=x>a</p>{top|}</main><p class=x>b</p>"
    )


def test_rules_around_a_placeholders_element(send_all_ways: Send, rules: Rules) -> None:
    plan = rules(("#p", "before"), ("#p", "prepend"), ("#p", "append"), ("#p", "after"))
    assert send_all_ways(b"<div id=p data-dc-banners>x</div>", plan).shown == (
        b"{top|}<div id=p data-dc-banners>{recent|}{banners|x}{similar|}</div>{related|}"
    )


def test_a_replaced_element_goes_with_its_placeholders(send_all_ways: Send, rules: Rules) -> None:
    plan = rules(("#p", "replace"), (".q", "append"))
    page = b"<div id=p data-dc-banners><b class=q>x</b></div><b class=q></b>"
    assert send_all_ways(page, plan).shown == (
        b"{top|<div id=p data-dc-banners><b class=q>x</b></div>}<b class=q>{recent|}</b>"
    )


@pytest.mark.parametrize(
    ("page", "selector"),
    [
        (b"<p>a<p id=x>b", "p > #x"),
        (b"<p>a<div id=x>b", "p #x"),
        (b"<ul><li>a<li id=x>b", "li > #x"),
        (b"<dl><dt>a<dd id=x>b", "dt #x"),
        (b"<table><tr><td>a<td id=x>b", "td #x"),
        (b"<table><tr><td>a<tr id=x>", "td #x"),
        (b"<table><tbody><tr><td>a<tfoot id=x>", "tbody #x"),
        (b"<select><option>a<option id=x>", "option #x"),
        (b"<select><optgroup><option>a<optgroup id=x>", "optgroup #x"),
        (b"<h1>a<h2 id=x>", "h1 #x"),
        (b"<button>a<button id=x>", "button #x"),
        (b"<a>a<a id=x>", "a #x"),
        (b"<a><div>a<a id=x>", "a #x"),
        (b"<ruby>a<rt>b<rp id=x>", "rt #x"),
        (b"<head><title></title><p id=x>", "head #x"),
        (b"<br><p id=x>", "br #x"),
        (b"<svg><g/><desc></desc></svg><p id=x>", "svg #x"),
        (b"<svg><g><p id=x>", "svg #x"),
        (b"<svg><g></p><p id=x>", "svg #x"),
        (b"<svg><g><font color=a id=x>", "svg #x"),
        (b"<div></div id=y><p id=x>", "div #x"),
        (b"<b>a</b><p id=x>", "b #x"),
        (b"<b><div></b><p id=x>", "b #x"),
        (b"<b><div><span></b><p id=x>", "span #x"),
        (b"<b><span><div></b><p id=x>", "span #x"),
        (b"<b><div><svg></b><p id=x>", "svg #x"),
        (b"<head><svg></svg></head><p id=x>", "head #x"),
        (b"<section><b></section><p id=x>", "section #x"),
        (b"<body class=a><body class=b><p id=x>", "body.b #x"),
    ],
)
def test_an_ancestor_that_html_has_closed_is_none(
    send_all_ways: Send, rules: Rules, page: bytes, selector: str
) -> None:
    assert send_all_ways(page, rules((selector, "prepend"))).openings == []


@pytest.mark.parametrize(
    ("page", "selector"),
    [
        (b"<div><p>a</span></section><b id=x>", "div > p > #x"),
        (b"<b><td id=x>", "b > #x"),
        (b"<b><li id=x>", "b > #x"),
        (b"<b><a id=x>", "b > #x"),
        (b"<svg><desc><li id=x>", "desc > #x"),
        (b"<svg><desc><a id=x>", "desc > #x"),
        (b"<p><svg><desc><div id=x>", "p desc > #x"),
        (b"<ul><li><ul><li id=x>", "li > ul > #x"),
        (b"<li><address><p><div><li id=x>", "no, #x"),
        (b"<p><button><p id=x>", "p button > #x"),
        (b"<table><tr><td><table><tr id=x>", "td > table > #x"),
        (b"<table><td></table></td><b id=x>", "no, #x"),
        (b"<svg><foreignObject><p></svg><b id=x>", "svg foreignobject p #x"),
        (b"<svg><font id=x>", "svg > #x"),
        (b"<math><mi><b id=x>", "mi > #x"),
        (b"<math><annotation-xml encoding='text/HTML'><p id=x>", "annotation-xml > #x"),
        (b"<p><object></p><b id=x>", "p > object > #x"),
        (b"<template></template><b id=x>", "no, #x"),
        (b"<b><i></b><p id=x>", "no, #x"),
        (b"<b><i><div></b><p id=x>", "i > div > #x"),
        (b"<a><table><td><a id=x>", "a #x"),
        (b"<dl><dd><ol><dd id=x>", "dd #x"),
        (b"<div><svg><g></div><p id=x>", "no, #x"),
        (b"<svg><title>a</div><b id=x>", "svg > title > #x"),
    ],
)
def test_an_ancestor_that_is_open_counts(
    send_all_ways: Send, rules: Rules, page: bytes, selector: str
) -> None:
    assert len(send_all_ways(page, rules((selector, "before"))).openings) == 1


def test_a_rule_may_match_any_element(send_all_ways: Send, rules: Rules) -> None:
    assert send_all_ways(b"a<br><p>", rules(("*", "before"))).shown == b"a{top|}<br><p>"
    assert send_all_ways(b"<a><b>c</b></a>", rules(("* > *", "after"))).shown == b"<a><b>c</b>{top|}</a>"
