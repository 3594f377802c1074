"""The vendor's placeholders, includes and shortcodes: what opens, and what stands in for it until then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.locate import Plan
from proxy.models import Slot

if TYPE_CHECKING:
    from conftest import Send


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (b"<div data-dc-banners>own</div>", b"<div data-dc-banners>{banners|own}</div>"),
        (b"<DIV DATA-DC-Products>own</DIV>", b"<DIV DATA-DC-Products>{products|own}</DIV>"),
        (b"<div data-dc-products=''></div>", b"<div data-dc-products=''>{products|}</div>"),
        (b"<p data-dc-products='Related '>x</p>", b"<p data-dc-products='Related '>{related|x}</p>"),
        (b"<p data-dc-products=similar>x</p>", b"<p data-dc-products=similar>{similar|x}</p>"),
        (b"<p data-dc-products=recent>x</p>", b"<p data-dc-products=recent>{recent|x}</p>"),
        (b"<p data-dc-products=categories>x</p>", b"<p data-dc-products=categories>{categories|x}</p>"),
        (b'<p data-dc-products="top">x</p>', b'<p data-dc-products="top">{top|x}</p>'),
        (
            b"<i data-dc-main-insert-banner='2'></i>",
            b"<i data-dc-main-insert-banner='2'>{main_banners2|}</i>",
        ),
        (b"<i data-dc-sub-insert-banner=1></i>", b"<i data-dc-sub-insert-banner=1>{sub_banners1|}</i>"),
        (b"<b data-dc-product-carousels></b>", b"<b data-dc-product-carousels>{products|}</b>"),
        (
            b"<div class='a datacue-recommendations-anchor'></div>",
            b"<div class='a datacue-recommendations-anchor'>{products|}</div>",
        ),
    ],
)
def test_a_placeholders_content_is_what_opens(send_all_ways: Send, page: bytes, shown: bytes) -> None:
    assert send_all_ways(page).shown == shown


@pytest.mark.parametrize(
    "page",
    [
        b"<div data-dc-products=unknown></div>",
        b"<div data-dc-main-insert-banner></div>",
        b"<div data-dc-main-insert-banner=0></div>",
        b"<div data-dc-main-insert-banner=one></div>",
        b"<div data-dc-main-insert-banner=999999999></div>",
        b"<div class=datacue-recommendations-anchors></div>",
        b"<div title=data-dc-products></div>",
        b"<div title='>' data='<p data-dc-products>'></div>",
        b"</div data-dc-products>",
        b"<!-- <div data-dc-products></div> -->",
        b"<!--><!-- > <div data-dc-products></div> --!>",
        b"<!doctype html <div data-dc-products>",
        b"<?php <div data-dc-products> ?>",
        b"</ <div data-dc-products>",
        b"<![CDATA[<div data-dc-products>",
        b"<script>'<div data-dc-products></div>'</script>",
        b"<script><!-- <script> </script> <div data-dc-products> --></script>",
        b"<script><!-- </scripty> <div data-dc-products> </script>",
        b"<style><div data-dc-products></div></style>",
        b"<textarea><div data-dc-products></div></textarea>",
        b"<title><div data-dc-products></div></title>",
        b"<xmp><div data-dc-products></div></xmp>",
        b"<iframe><div data-dc-products></div></iframe>",
        b"<noembed><div data-dc-products></div></noembed>",
        b"<noframes><div data-dc-products></div></noframes>",
        b"<plaintext><div data-dc-products></div></plaintext>",
        b"<svg><![CDATA[<div data-dc-products></div>]]></svg>",
        b"<svg><g data-dc-products></g></svg>",
        b"<math><mi><malignmark data-dc-products></math>",
        b"<template><div data-dc-products></div></template>",
        b"<template><template></template>[datacue-products]<!--#include virtual='/_datacue/fragments/top' --></template>",
        b"<div data-dc-products",
        b"<div data-dc-products='",
        b"<svg>[datacue-products]</svg>",
    ],
)
def test_nothing_opens_outside_of_a_real_start_tag(send_all_ways: Send, page: bytes) -> None:
    assert send_all_ways(page).openings == []


def test_noscript_is_ordinary_markup(send_all_ways: Send) -> None:
    passed = send_all_ways(b"<noscript><p data-dc-products>x</p></noscript>")
    assert passed.shown == b"<noscript><p data-dc-products>{products|x}</p></noscript>"


def test_after_raw_text_markup_goes_on(send_all_ways: Send) -> None:
    page = b"<script><!--<script></script>--></script ><style></styles></style\n><svg><style><desc><p data-dc-products></p>"
    assert send_all_ways(page).shown.endswith(b"<desc><p data-dc-products>{products|}</p>")


def test_static_banner_attributes_are_decoded(send_all_ways: Send) -> None:
    page = "<div data-dc-banners data-dc-static-img=' /a.jpg?x=1&amp;y=ü ' data-dc-static-link=''></div>"
    for charset in ("utf-8", "latin-1"):
        (opening,) = send_all_ways(page.encode(charset)).openings
        assert opening.slot == Slot("banners", static_img="/a.jpg?x=1&y=ü")


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (b"<div data-dc-products>a<p>b</div>c", b"<div data-dc-products>{products|a<p>b}</div>c"),
        (b"<img data-dc-products>a", b"<img data-dc-products>{products|}a"),
        (b"<div data-dc-products/>a</div>", b"<div data-dc-products/>{products|a}</div>"),
        (b"<div data-dc-products>a", b"<div data-dc-products>{products|}a"),
        (b"<ul><li data-dc-products>a<li>b</ul>", b"<ul><li data-dc-products>{products|}a<li>b</ul>"),
        (b"<p data-dc-products>a<div></div></p>", b"<p data-dc-products>{products|}a<div></div></p>"),
        (b"<main><div data-dc-products>a</main></div>", b"<main><div data-dc-products>{products|}a</main></div>"),
        (b"<b data-dc-products><div></b></div>", b"<b data-dc-products>{products|}<div></b></div>"),
        (b"<div data-dc-products></p>a</div>", b"<div data-dc-products>{products|</p>a}</div>"),
        (b"<div data-dc-products></span></br>a</div>", b"<div data-dc-products>{products|</span></br>a}</div>"),
        (b"<div data-dc-products><div>a</div></div>", b"<div data-dc-products>{products|<div>a</div>}</div>"),
        (b"<h2 data-dc-products>a</h3>", b"<h2 data-dc-products>{products|a}</h3>"),
        (b"<td data-dc-products>a<td>b", b"<td data-dc-products>{products|}a<td>b"),
        (b"<a data-dc-products>a<a>b</a>", b"<a data-dc-products>{products|}a<a>b</a>"),
        (b"<svg><desc data-x><i data-dc-products>a</i></desc></svg>",
         b"<svg><desc data-x><i data-dc-products>{products|a}</i></desc></svg>"),
    ],
)  # fmt: skip
def test_content_is_replaced_only_where_its_end_is_certain(
    send_all_ways: Send, page: bytes, shown: bytes
) -> None:
    assert send_all_ways(page).shown == shown


def test_a_placeholder_in_a_placeholder_goes_with_the_others_content(send_all_ways: Send) -> None:
    passed = send_all_ways(b"<div data-dc-products>[datacue-banners]<p data-dc-banners>x</p></div>")
    assert passed.shown == b"<div data-dc-products>{products|[datacue-banners]<p data-dc-banners>x</p>}</div>"


def test_placeholders_in_one_that_never_ends_stand_for_themselves(send_all_ways: Send) -> None:
    passed = send_all_ways(b"<main><div data-dc-products><p data-dc-banners>x</p></main>")
    assert passed.shown == b"<main><div data-dc-products>{products|}<p data-dc-banners>{banners|x}</p></main>"


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (b'a<esi:include src="/_datacue/fragments/top?page=home"/>b',
         b'a{top|<esi:include src="/_datacue/fragments/top?page=home"/>}b'),
        (b"<ESI:include alt='>' src=/_datacue/fragments/banners>", b"{banners|<ESI:include alt='>' src=/_datacue/fragments/banners>}"),
        (b'<!--#include virtual="/_datacue/fragments/recent?x" -->', b'{recent|<!--#include virtual="/_datacue/fragments/recent?x" -->}'),
        (b"<!--#INCLUDE VIRTUAL='/_datacue/fragments/products'-->", b"{products|<!--#INCLUDE VIRTUAL='/_datacue/fragments/products'-->}"),
        (b"a [datacue-banners] b", b"a {banners|[datacue-banners]} b"),
        (b"[[datacue-products ]]", b"[{products|[datacue-products ]}]"),
        (b"[DataCue-Products type='Similar']", b"{similar|[DataCue-Products type='Similar']}"),
        (b"[datacue-products top][datacue-products recent]", b"{top|[datacue-products top]}{recent|[datacue-products recent]}"),
    ],
)  # fmt: skip
def test_includes_and_shortcodes_open_as_a_whole(send_all_ways: Send, page: bytes, shown: bytes) -> None:
    assert send_all_ways(page).shown == shown


def test_a_banner_shortcode_may_name_the_static_banner(send_all_ways: Send) -> None:
    (opening,) = send_all_ways(b'[datacue-banners static_img="/a.jpg" static-link=/b]').openings
    assert opening.slot == Slot("banners", static_img="/a.jpg", static_link="/b")


@pytest.mark.parametrize(
    "page",
    [
        b'<esi:include src="/other/fragments/top"/>',
        b'<esi:include src="/_datacue/fragments/unknown"/>',
        b"<esi:include>",
        b'<esi:includes src="/_datacue/fragments/top"/>',
        b'<!--#include virtual="/footer.html" -->',
        b'<!--#include file="/_datacue/fragments/top" -->',
        b"<!--#includes-->",
        b"<!--#include ",
        b"[datacue-products unknown]",
        b"[datacue-product]",
        b"[datacue-productsx]",
        b"[datacue-products <b>]",
        b"[datacue-products",
        b"[datacue",
        b"<p title='[datacue-products]'>",
        b"<script>[datacue-products]</script>",
    ],
)
def test_other_includes_and_shortcodes_pass(send_all_ways: Send, page: bytes) -> None:
    assert send_all_ways(page).openings == []


def test_includes_follow_the_prefix(send: Send) -> None:
    passed = send(b"<esi:include src=/dc/fragments/top>", Plan(prefix="/dc"))
    assert passed.shown == b"{top|<esi:include src=/dc/fragments/top>}"


@pytest.mark.parametrize(
    "script",
    [
        b'<script src="https://cdn.datacue.co/js/datacue.js"></script>',
        b"<SCRIPT async src='//cdn.datacue.co/js/datacue-storefront.js?v=2' defer> </script\n>",
    ],
)
def test_the_vendors_scripts_may_be_left_out(send_all_ways: Send, script: bytes) -> None:
    page = b"<head><script>window.datacueConfig = {}</script>%s<p>" % script
    passed = send_all_ways(page)
    assert [(o.slot, o.original) for o in passed.openings] == [(None, script)]
    assert send_all_ways(page, Plan(remove_vendor_scripts=False)).openings == []


@pytest.mark.parametrize(
    "script",
    [
        b'<script src="https://cdn.datacue.co/js/other.js"></script>',
        b'<script src="https://cdn.example/?https://cdn.datacue.co/js/datacue.js"></script>',
        b'<link href="https://cdn.datacue.co/js/datacue.js">',
        b'<script src="https://cdn.datacue.co/js/datacue.js">',
        b'<!-- <script src="https://cdn.datacue.co/js/datacue.js"></script> -->',
    ],
)
def test_other_scripts_stay(send_all_ways: Send, script: bytes) -> None:
    assert send_all_ways(script).openings == []


@pytest.mark.parametrize(
    ("charset", "word"),
    [("latin-1", "Stühle"), ("windows-1251", "Стулья"), ("shift_jis", "椅子ソ表"), ("utf-8", "椅子")],
)
def test_every_ascii_compatible_charset_survives(send_all_ways: Send, charset: str, word: str) -> None:
    page = f"<title>{word}</title><p title='{word}'>{word}<div data-dc-products>{word}</div>".encode(charset)
    passed = send_all_ways(page)
    assert [o.original for o in passed.openings] == [word.encode(charset)]
    assert passed.facts.meta == [(b"title", word.encode(charset))]
