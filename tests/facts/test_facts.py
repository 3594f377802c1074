"""How the formats are laid over each other, and what the operator selects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy import facts as facts_package
from proxy.facts import FACT_NAMES, NOTHING, PageFacts, read_facts
from proxy.models import RawFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[..., PageFacts]

CONFIG = b"datacueConfig = {page_type: 'product', product_id: '42'}"
JSON_LD = b'{"@type": "Product", "sku": "C1", "name": "Chair", "offers": {"price": 5}}'
MICRODATA = [
    (b"open", b"https://schema.org/Product", b""),
    (b"prop", b"sku", b"M1"),
    (b"prop", b"brand", b"Oak"),
    (b"close",),
]
META = [
    (b"og:type", b"product"),
    (b"product:retailer_item_id", b"O1"),
    (b"og:image", b"/a.jpg"),
    (b"og:title", b"A chair"),
]


@pytest.mark.parametrize(
    ("raw", "why", "product_id"),
    [
        (RawFacts(scripts=[CONFIG], json_ld=[JSON_LD], microdata=[*MICRODATA], meta=META), "config", "42"),
        (RawFacts(json_ld=[JSON_LD], microdata=[*MICRODATA], meta=META), "json-ld", "C1"),
        (RawFacts(microdata=[*MICRODATA], meta=META), "microdata", "M1"),
        (RawFacts(meta=META), "opengraph", "O1"),
        (RawFacts(), "", None),
    ],
)
def test_the_first_that_names_the_kind_decides(raw: RawFacts, why: str, product_id: str | None) -> None:
    facts = read_facts(raw, charset="utf-8", page_url="https://shop.example/p")
    assert (facts.why, facts.product_id) == (why, product_id)


def test_weaker_formats_fill_what_is_missing(read: Read) -> None:
    (product,) = read(json_ld=[JSON_LD], microdata=MICRODATA, meta=META).products
    assert (product.product_id, product.name, product.price) == ("C1", "Chair", 5.0)
    assert (product.brand, product.photo_url) == ("Oak", "/a.jpg")


def test_a_config_without_products_takes_them_from_the_markup(read: Read) -> None:
    facts = read(scripts=[CONFIG], json_ld=[JSON_LD])
    assert (facts.product_id, facts.products[0].name) == ("42", "Chair")


def test_a_config_without_a_product_id_takes_it_from_the_markup(read: Read) -> None:
    facts = read(scripts=[b"datacueConfig = {page_type: 'product'}"], json_ld=[JSON_LD])
    assert (facts.why, facts.product_id) == ("config", "C1")


def test_facts_of_another_kind_of_page_dont_count(read: Read) -> None:
    facts = read(
        scripts=[b"datacueConfig = {page_type: 'category', category_name: 'Chairs'}"],
        json_ld=[JSON_LD],
        meta=META,
    )
    assert facts == PageFacts(kind="category", category_name="Chairs", why="config")


def test_a_page_that_the_shop_calls_other_is_left_alone(read: Read) -> None:
    assert read(scripts=[b"datacueConfig = {page_type: 'blog'}"], json_ld=[JSON_LD]).kind == "none"


def test_a_user_is_kept_whoever_names_the_kind(read: Read) -> None:
    facts = read(scripts=[b"datacueConfig = {user_id: 'u1'}"], json_ld=[JSON_LD])
    assert (facts.user_id, facts.why, facts.product_id) == ("u1", "json-ld", "C1")


def test_a_variants_own_price_is_not_filled_from_the_whole(read: Read) -> None:
    script = b"datacueConfig = {product_id: 1, product_update: [{variant_id: 1}, {variant_id: 2, price: 7}]}"
    facts = read(scripts=[script], json_ld=[JSON_LD])
    assert [(p.name, p.price) for p in facts.products] == [("Chair", None), ("Chair", 7.0)]


def test_ids_of_categories_stay_where_no_names_are_known(read: Read) -> None:
    script = b"datacueConfig = {product_id: 1, product_update: {category_ids: [7, 8]}}"
    assert read(scripts=[script], json_ld=[JSON_LD]).products[0].categories == ("7", "8")


# -- what the operator selects ---------------------------------------------------------------------


def test_selected_facts_make_a_product(read: Read) -> None:
    facts = read(
        selected={
            "product_id": [b" 209 "], "name": [b"Hacking\n Exposed &amp; co"], "price": [b"\xc2\xa31,029.99"], "stock": [b"16 left"],
            "photo_url": [b"/media/h.jpg"], "categories": [b"Books", b" ", b"Security"], "available": [b"In stock"],
            "rating": [b"4.5"], "full_price": [b"1.100,00"], "variant_id": [b"v1"], "link": [b"/catalogue/h_209/"],
            "brand": [b"Oak"], "description": [b"<p>Text"], "user_id": [b"u1"],
        }
    )  # fmt: skip
    (product,) = facts.products
    assert (facts.kind, facts.why, facts.product_id, facts.variant_id, facts.user_id) == (
        "product",
        "selectors",
        "209",
        "v1",
        "u1",
    )
    assert (product.product_id, product.variant_id, product.name) == ("209", "v1", "Hacking Exposed & co")
    assert (product.price, product.full_price, product.currency, product.stock) == (
        1029.99,
        1100.0,
        "GBP",
        16,
    )
    assert (product.categories, product.available, product.rating) == (("Books", "Security"), True, 90.0)
    assert (product.photo_url, product.link, product.description) == (
        "/media/h.jpg",
        "/catalogue/h_209/",
        "Text",
    )


def test_selected_facts_win(read: Read) -> None:
    facts = read(
        json_ld=[JSON_LD], selected={"product_id": [b"7"], "price": [b"9,00 EUR"], "currency": [b"USD"]}
    )
    (product,) = facts.products
    assert (facts.why, facts.product_id) == ("json-ld", "7")
    assert (product.product_id, product.name, product.price, product.currency) == ("7", "Chair", 9.0, "USD")


def test_what_a_selector_finds_but_nobody_can_read_changes_nothing(read: Read) -> None:
    assert read(json_ld=[JSON_LD], selected={"price": [b"ask us"], "stock": [b"many"]}) == read(
        json_ld=[JSON_LD]
    )


def test_a_selected_product_wins_over_another_kind(read: Read) -> None:
    facts = read(
        scripts=[b"datacueConfig = {page_type: 'category', user_id: 1}"], selected={"product_id": [b"7"]}
    )
    assert (facts.kind, facts.why, facts.category_name, facts.user_id) == ("product", "selectors", None, "1")


@pytest.mark.parametrize(
    ("name", "kind", "field"), [("category_name", "category", "category_name"), ("term", "search", "term")]
)
def test_a_selected_name_or_term_makes_the_page(read: Read, name: str, kind: str, field: str) -> None:
    facts = read(selected={name: [b"Sofas"]})
    assert (facts.kind, facts.why, getattr(facts, field)) == (kind, "selectors", "Sofas")


def test_a_selected_name_doesnt_change_a_known_kind(read: Read) -> None:
    facts = read(json_ld=[JSON_LD], selected={"category_name": [b"Sofas"], "term": [b"x"]})
    assert (facts.kind, facts.why) == ("product", "json-ld")


def test_selected_product_fields_without_an_id_wait_for_the_rule(read: Read) -> None:
    facts = read(selected={"name": [b"Chair"]})
    assert (facts.kind, facts.products[0].name, facts.products[0].product_id) == (None, "Chair", None)


def test_a_selected_variant_of_several_is_the_pages_alone(read: Read) -> None:
    script = b"datacueConfig = {product_id: 1, product_update: [{variant_id: 1}, {variant_id: 2}]}"
    facts = read(scripts=[script], selected={"variant_id": [b"2"], "name": [b"Chair"]})
    assert facts.variant_id == "2"
    assert [(p.variant_id, p.name) for p in facts.products] == [("1", "Chair"), ("2", "Chair")]


@pytest.mark.parametrize("selected", [{}, {"name": []}, {"name": [b" "]}])
def test_nothing_selected_is_nothing(read: Read, selected: dict[str, list[bytes]]) -> None:
    assert read(selected=selected) == NOTHING


@given(
    st.builds(
        RawFacts,
        scripts=st.lists(st.binary(max_size=30).map(lambda tail: b"datacueConfig=" + tail), max_size=2),
        json_ld=st.lists(st.binary(max_size=30), max_size=2),
        meta=st.lists(st.tuples(st.binary(max_size=10), st.binary(max_size=10)), max_size=3),
        microdata=st.lists(st.lists(st.binary(max_size=5), max_size=3).map(tuple), max_size=3),
        selected=st.dictionaries(st.sampled_from(FACT_NAMES), st.lists(st.binary(max_size=20), max_size=3)),
    ),
    st.text(max_size=10),
    st.text(max_size=30),
)
def test_no_page_makes_it_raise(raw: RawFacts, charset: str, url: str) -> None:
    read_facts(raw, charset=charset, page_url=url)


@pytest.mark.parametrize(
    ("charset", "url"), [("\ud800", "https://shop.example/"), ("utf-8", "https://shop.example/\ud800?\udfff")]
)
def test_half_a_character_in_what_the_door_hands_over_is_no_error(charset: str, url: str) -> None:
    repr(read_facts(RawFacts(json_ld=[JSON_LD]), charset=charset, page_url=url)).encode()


# -- what is remembered ----------------------------------------------------------------------------


def test_a_page_that_says_the_same_again_is_the_same_object(read: Read) -> None:
    assert read(json_ld=[JSON_LD]) is read(
        json_ld=[JSON_LD], url="https://shop.example/product/chair?utm_source=x"
    )


def test_another_page_is_another(read: Read) -> None:
    first = read(json_ld=[b'{"@type": "SearchResultsPage"}'], url="https://shop.example/find?q=a")
    other = read(json_ld=[b'{"@type": "SearchResultsPage"}'], url="https://shop.example/find?q=b")
    assert (first.term, other.term) == ("a", "b")


def test_what_is_remembered_is_bounded(read: Read) -> None:
    for number in range(facts_package.MAX_REMEMBERED + 10):
        read(meta=[(b"og:type", b"product"), (b"product:retailer_item_id", b"%d" % number)])
    assert len(facts_package._remembered) == facts_package.MAX_REMEMBERED


def test_a_product_of_very_many_variants_is_not_remembered(read: Read) -> None:
    updates = ",".join(
        f"{{variant_id: {number}}}" for number in range(facts_package.MAX_REMEMBERED_VARIANTS + 1)
    )
    script = f"datacueConfig = {{product_id: 1, product_update: [{updates}]}}".encode()
    assert read(scripts=[script]) is not read(scripts=[script])
