from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.facts import PageFacts, microdata
from proxy.facts.address import page_address

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[..., PageFacts]

PRODUCT = b"https://schema.org/Product"


def test_items_are_nested_as_the_markup_is() -> None:
    steps = [
        (b"open", PRODUCT, b""),
        (b"prop", b"name", b"Tables &amp; Chairs"),
        (b"open", b"https://schema.org/Offer", b"offers"),
        (b"prop", b"price", b" 9.50 "),
        (b"close",),
        (b"prop", b"sku mpn", b"C1"),
        (b"close",),
    ]
    assert microdata.items(steps, charset="utf-8") == [
        {
            "@type": ["https://schema.org/Product"],
            "name": ["Tables & Chairs"],
            "offers": [{"@type": ["https://schema.org/Offer"], "price": ["9.50"]}],
            "sku": ["C1"],
            "mpn": ["C1"],
        }
    ]


def test_an_item_that_is_no_property_is_top_level() -> None:
    steps = [
        (b"open", PRODUCT, b""),
        (b"open", PRODUCT, b""),
        (b"prop", b"sku", b"R1"),
        (b"close",),
        (b"prop", b"sku", b"C1"),
    ]
    assert [item["sku"] for item in microdata.items(steps, charset="utf-8")] == [["C1"], ["R1"]]


def test_a_property_item_without_an_item_around_it_is_top_level() -> None:
    assert len(microdata.items([(b"open", PRODUCT, b"itemListElement")], charset="utf-8")) == 1


@pytest.mark.parametrize(
    "steps",
    [
        [(b"close",)],
        [(b"prop", b"sku", b"C1")],
        [(b"?",)],
        [()],
        [(b"open",)],
        [(b"close",), (b"prop", b"a", b"b")],
    ],
)
def test_steps_that_fit_nowhere_are_ignored(steps: list[Any]) -> None:
    assert microdata.items(steps, charset="utf-8") == []


def test_items_too_deep_are_left_out_with_all_they_hold() -> None:
    steps = (
        [(b"open", PRODUCT, b"isRelatedTo")] * 5_000 + [(b"prop", b"sku", b"deep")] + [(b"close",)] * 5_000
    )
    steps += [(b"open", PRODUCT, b""), (b"prop", b"sku", b"C1")]
    items = microdata.items(steps, charset="utf-8")
    assert [item.get("sku") for item in items] == [None, ["C1"]]


def test_a_trail_with_items_gives_the_categories(read: Read) -> None:
    steps: list[tuple[bytes, ...]] = [(b"open", b"http://schema.org/BreadcrumbList", b"")]
    for name, link in ((b"Home", b"/"), (b"Chairs", b"/c/chairs")):
        steps += [
            (b"open", b"http://schema.org/ListItem", b"itemListElement"),
            (b"prop", b"item", link),
            (b"prop", b"name", name),
            (b"close",),
        ]
    steps += [
        (b"close",),
        (b"open", PRODUCT, b""),
        (b"prop", b"sku", b"C1"),
        (b"prop", b"name", b"Chair"),
        (b"close",),
    ]
    facts = read(microdata=steps)
    assert (facts.why, facts.product_id, facts.products[0].categories) == ("microdata", "C1", ("Chairs",))


words = st.sampled_from(
    [
        b"",
        b"name",
        b"offers",
        b"price",
        b"itemListElement",
        b"https://schema.org/Product",
        b"/x",
        b"&#9;",
        b"\xff",
    ]
)
steps = st.one_of(
    st.tuples(st.just(b"open"), words, words),
    st.tuples(st.just(b"close")),
    st.tuples(st.just(b"prop"), words, words),
    st.lists(st.binary(max_size=5), max_size=4).map(tuple),
)


@given(st.lists(steps, max_size=40))
def test_no_steps_make_it_raise(found: list[Any]) -> None:
    microdata.read(found, charset="utf-8", page=page_address("https://shop.example/"))
