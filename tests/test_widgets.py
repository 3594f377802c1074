"""The vendor's boundary: what is taken, mended or refused, and which lists a page shows."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from proxy import links
from proxy.links import URL_LIMIT, safe_url
from proxy.models import LIST_NAMES, PAGE_KINDS, Banner, CategoryRow, Product, Recommendations
from proxy.widgets import (
    ANSWER_FIELD,
    TEXT_LIMIT,
    Rendered,
    decode_banner,
    decode_product,
    decode_recommendations,
    row_head,
    shown_on,
)

# As the guide has it: a price that is a number here and a string there, an answer without a list.
HOME = b"""{
  "main_banners": [
    {"link": "/category/bathroom", "name": "", "banner_id": "B1", "photo_url": "/banners/bathroom-min.jpeg"}],
  "related_product_skus": [
    {"link": "/product/double-bed-2", "name": "Luxury Double Bed", "price": 1299,
     "photo_url": "/products/18.jpg", "category_1": "bedroom", "product_id": "18"}],
  "recent_product_skus": [
    {"product_id": "18", "variant_id": "a", "name": "Luxury Double Bed", "price": "1299.00",
     "photo_url": "/products/18.jpg", "link": "/product/double-bed-2", "extra": {"discount": "20%"}}],
  "similar_product_skus": null,
  "something_new": {"of": ["the", "vendor"]}
}"""

SOFA = {"product_id": "59", "name": "Sofa", "link": "/product/sofa", "photo_url": "/59.jpg"}
BANNER = {"banner_id": "B1", "link": "/category/bathroom", "photo_url": "/b.jpg"}


def product(**changed: Any) -> Product | None:
    return decode_product(json.dumps({**SOFA, **changed}).encode())


def banner(**changed: Any) -> Banner | None:
    return decode_banner(json.dumps({**BANNER, **changed}).encode())


# Lists and pages


@pytest.mark.parametrize(
    ("kind", "lists"),
    [
        ("home", ("related", "categories", "recent")),
        ("product", ("related", "similar", "recent")),
        ("category", ("top", "recent")),
        ("search", ("recent",)),
        ("cart", ("related", "recent")),
        ("404", ("related", "recent")),
        ("checkout", ()),
        ("order", ()),
        ("none", ()),
    ],
)
def test_a_page_kind_shows_the_vendors_lists_in_the_vendors_order(kind: Any, lists: tuple[str, ...]) -> None:
    assert shown_on(kind) == lists


def test_every_page_kind_and_list_has_its_place() -> None:
    assert {name for kind in PAGE_KINDS for name in shown_on(kind)} == set(LIST_NAMES)
    assert set(ANSWER_FIELD) == set(LIST_NAMES)
    assert set(ANSWER_FIELD.values()) <= set(Recommendations.__struct_fields__)


# Answers


def test_an_answers_items_stay_encoded() -> None:
    answer = decode_recommendations(HOME)
    assert answer.related_product_skus
    assert isinstance(answer.related_product_skus[0], Raw)


def test_a_null_or_missing_list_is_none() -> None:
    answer = decode_recommendations(HOME)
    assert answer.similar_product_skus is None
    assert answer.top_product_skus is None


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_body_recommends_nothing(body: bytes) -> None:
    assert decode_recommendations(body) == Recommendations()


@pytest.mark.parametrize(
    "body", [b"<html>", b"{", b"[]", b"null", b'"x"', b"{} {}", b"\xff", b'{"a":' * 9999]
)
def test_a_body_that_is_no_json_object_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each kind of garbage has words of its own
        decode_recommendations(body)


def test_an_answer_nested_too_deeply_is_a_value_error() -> None:
    deep = b'{"x":' + b"[" * 99_999 + b"]" * 99_999 + b"}"
    with pytest.raises(ValueError, match="nested"):
        decode_recommendations(deep)


def test_a_list_of_a_wrong_type_does_not_take_the_others_with_it() -> None:
    answer = decode_recommendations(
        b'{"main_banners":{"no":"list"},"recent_product_skus":[{"product_id":1}]}'
    )
    assert answer.main_banners is None
    assert answer.recent_product_skus
    assert bytes(answer.recent_product_skus[0]) == b'{"product_id":1}'


def test_category_rows_of_a_wrong_shape_are_left_out() -> None:
    rows = b'[{"name":"Beds","products":[{}]},{"products":[]},7,null]'
    answer = decode_recommendations(b'{"category_product_skus":' + rows + b"}")
    assert answer.category_product_skus
    assert [row.name for row in answer.category_product_skus] == ["Beds"]


def test_an_answer_with_one_bad_list_may_lack_the_category_rows() -> None:
    assert decode_recommendations(b'{"main_banners":1}') == Recommendations()


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_a_value_error(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(decode_recommendations(body), Recommendations)


def test_a_category_rows_head_is_safe_to_show() -> None:
    assert row_head(CategoryRow(name="Beds\x00 &\u202e sofas", link="javascript:alert(1)")) == (
        "Beds & sofas",
        None,
    )
    assert row_head(CategoryRow(name="Beds", link="/beds")) == ("Beds", "/beds")


# Products


def test_the_guides_products_are_read() -> None:
    answer = decode_recommendations(HOME)
    assert answer.related_product_skus
    assert answer.recent_product_skus
    first, again = answer.related_product_skus[0], answer.recent_product_skus[0]
    bed = decode_product(first)
    assert bed == Product(
        product_id="18",
        name="Luxury Double Bed",
        link="/product/double-bed-2",
        photo_url="/products/18.jpg",
        price=1299.0,
        category="bedroom",
    )
    recent = decode_product(again)
    assert recent
    assert (recent.price, recent.variant_id, recent.extra) == (1299.0, "a", {"discount": "20%"})


@pytest.mark.parametrize("field", ["product_id", "name", "link", "photo_url"])
@pytest.mark.parametrize("value", [None, "", "  ", [], {}, True, "\x00", "\ud800"])
def test_a_product_that_lacks_what_a_card_needs_is_none(field: str, value: object) -> None:
    assert product(**{field: value}) is None


@pytest.mark.parametrize("raw", [b"null", b"7", b"[]", b"{", b"", b'{"a":' * 9999, b"[" * 9999, b'"\xff"'])
def test_what_is_no_object_is_no_product_and_no_banner(raw: bytes) -> None:
    assert decode_product(raw) is None
    assert decode_banner(raw) is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (18, "18"),
        (18.0, "18"),
        (0, "0"),
        ("18", "18"),
        (" 18\n", "18"),
        ("no-variants", "no-variants"),
        (1.5, None),
        (False, None),
        (10**30, None),
        ("x" * (TEXT_LIMIT + 1), None),
        ([], None),
    ],
)
def test_ids_are_numbers_or_strings(value: object, read: str | None) -> None:
    found = product(variant_id=value)
    assert found
    assert found.variant_id == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (79, 79.0),
        (79.5, 79.5),
        ("1299.00", 1299.0),
        (" 12. ", 12.0),
        (0, 0.0),
        (-1, None),
        ("", None),
        ("free", None),
        ("1,299", None),  # nobody knows whether that is a thousand
        ("1_299", None),
        ("nan", None),
        ("١٢", None),
        (10**400, None),
        (1e13, None),
        (True, None),
        ([12], None),
        (None, None),
    ],
)
def test_prices_are_numbers_or_decimal_strings(value: object, read: float | None) -> None:
    found = product(price=value)
    assert found
    assert found.price == read


@pytest.mark.parametrize(
    ("value", "read"), [(94, 94.0), ("100", 100.0), (101, None), (-1, None), ("A", None)]
)
def test_ratings_go_from_0_to_100(value: object, read: float | None) -> None:
    found = product(rating=value)
    assert found
    assert found.rating == read


@pytest.mark.parametrize(
    ("value", "read"), [(3, 3), ("3", 3), (2.0, 2), (0, 0), (None, None), ("some", None)]
)
def test_stock_is_a_whole_number(value: object, read: int | None) -> None:
    found = product(stock=value)
    assert found
    assert found.stock == read


@pytest.mark.parametrize("field", ["category", "main_category", "category_1"])
def test_a_category_is_found_under_each_of_its_names(field: str) -> None:
    found = product(**{field: "bedroom"})
    assert found
    assert found.category == "bedroom"


def test_a_products_title_serves_as_its_name() -> None:
    found = product(name=None, title="Sofa")
    assert found
    assert found.name == "Sofa"


def test_extra_that_is_no_object_counts_as_absent() -> None:
    one, other = product(extra="x"), banner(extra=[1])
    assert one
    assert other
    assert one.extra == other.extra == {}


def test_long_names_are_cut() -> None:
    found = product(name="x" * 100_000)
    assert found
    assert len(found.name) == TEXT_LIMIT
    assert found.name.endswith("…")


@given(st.text(max_size=40))
@example("a\x00b")
@example("a\u202eb")
@example("a\x85b")
@example("👩\u200d🔧")
def test_names_hold_no_character_that_changes_how_the_rest_reads(name: str) -> None:
    raw = json.dumps({**SOFA, "name": name}).encode("utf-8", "surrogatepass")
    found = decode_product(raw)
    shown = found.name if found else ""
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)


def test_an_emoji_stays_whole() -> None:
    found = product(name="👩\u200d🔧 Tools")
    assert found
    assert found.name == "👩\u200d🔧 Tools"


# Banners


def test_the_guides_banner_is_read() -> None:
    answer = decode_recommendations(HOME)
    assert answer.main_banners
    assert decode_banner(answer.main_banners[0]) == Banner(
        banner_id="B1", link="/category/bathroom", photo_url="/banners/bathroom-min.jpeg"
    )


def test_a_banners_own_link_may_be_relative_to_the_page() -> None:
    found = banner(link="path/to/anything", extra={"meta": 1}, name="B")
    assert found
    assert (found.link, found.extra, found.name) == ("path/to/anything", {"meta": 1}, "B")


@pytest.mark.parametrize("field", ["banner_id", "link", "photo_url"])
def test_a_banner_that_lacks_something_is_none(field: str) -> None:
    assert banner(**{field: None}) is None


# Links


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("/product/sofa", "/product/sofa"),
        ("path/to/anything", "path/to/anything"),
        ("?page=2#top", "?page=2#top"),
        ("https://shop.example/a?b=c&d=%2F", "https://shop.example/a?b=c&d=%2F"),
        ("HTTP://shop.example:8080/", "HTTP://shop.example:8080/"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("//cdn.example/p.jpg", "//cdn.example/p.jpg"),
        ("  /x\n", "/x"),
        ("/my photo.jpg", "/my%20photo.jpg"),
        ('/a"b<c>', "/a%22b%3Cc%3E"),
        ("/größe?q=ß", "/gr%C3%B6%C3%9Fe?q=%C3%9F"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("/a:b", "/a:b"),
        ("&#106;avascript:alert(1)", "&#106;avascript:alert(1)"),  # no scheme: escaping keeps it a path
    ],
)
def test_links_to_the_web_are_kept(url: str, safe: str) -> None:
    assert safe_url(url) == safe


HOSTILE_URLS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "\tjavascript:alert(1)",
    "\x01javascript:alert(1)",
    "\x00javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "java\rscript:alert(1)",
    "javascript\t:alert(1)",
    "javascript:\x00alert(1)",
    "javascript://shop.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://shop.example/1",
    "view-source:https://shop.example",
    "mailto:a@b.example",
    "http:evil.example",
    "http:/evil.example",
    "http:///evil.example",
    "https://",
    "//",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:\\\\evil.example",
    "https://shop.example\\@evil.example",
    "https://shop.example@evil.example/",
    "//user:password@evil.example/",
    "https://evil.example%00.shop.example/",
    "https://evil example/",
    "https://evil<script>/",
    "https://shop.example:x/",
    "https://[evil/",
    "https://x\u202e.example/",
    "/x\r\nSet-Cookie: a=b",
    "/\ud800",
    "/" + "x" * URL_LIMIT,
]


@pytest.mark.parametrize("url", [*HOSTILE_URLS, "", " ", None, 7, ["/x"], {"href": "/x"}])
def test_what_browsers_would_run_or_mend_is_no_link(url: object) -> None:
    assert safe_url(url) is None


@settings(max_examples=300)
@given(
    st.one_of(
        st.text(max_size=60),
        st.builds(
            "".join,
            st.lists(
                st.sampled_from(
                    [*"javscriptdt:/\\?#@ \t\n\x00\x01\x7f", "http", "//", "data:", "é", "\u202e", "&colon;"]
                ),
                max_size=20,
            ),
        ),
    )
)
def test_a_safe_link_is_printable_ascii_and_of_the_web(text: str) -> None:
    url = safe_url(text)
    if url is None:
        return
    assert re.fullmatch(r"[!-~]+", url)
    assert not set(url) & set('"<>\\`')
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url)
    assert scheme is None or re.match(r"https?://[^/?#@]+", url, re.IGNORECASE)
    assert safe_url(url) == url


def test_rendered_html_can_be_printed_and_nothing_else() -> None:
    assert Rendered("<b>").__html__() == "<b>"
    with pytest.raises(TypeError, match="printed"):
        str(Rendered("<b>"))


PARTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["/", "//", "http:", "HTTPS:", "https://", "shop.example", ":80", ":", "?", "#", "@", "%"]
        ),
        st.sampled_from([" ", "\n", "\t", "\\", "é", "[::1]", "<", '"', "'", "\x00", "ß", "a", "b.c", "-"]),
        st.text(max_size=3),
    ),
    max_size=8,
)


@settings(max_examples=500)
@given(PARTS.map("".join))
def test_a_clean_url_passes_as_the_long_way_would_have_let_it(url):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links, "_CLEAN", re.compile("(?!)"))
        long_way = safe_url(url)
    assert safe_url(url) == long_way


def test_the_longest_url_is_as_long_on_either_way():
    assert safe_url("/" * 1 + "a" * (URL_LIMIT - 1)) is not None
    assert safe_url("/" + "a" * URL_LIMIT) is None
