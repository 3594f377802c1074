from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.facts import PageFacts, opengraph
from proxy.facts.address import page_address

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[..., PageFacts]


def test_a_product_is_read(read_meta: Read) -> None:
    facts = read_meta(
        {
            "og:type": "product", "og:title": "Chair &amp; co", "og:url": "https://www.shop.example/product/chair",
            "og:image": "", "og:image:url": "http://cdn.example/a.jpg", "og:description": "A chair.",
            "product:retailer_item_id": "C1", "product:price:amount": "129,00", "product:price:currency": "EUR",
            "product:availability": "in stock", "product:brand": "Oak", "product:category": "Chairs",
        }
    )  # fmt: skip
    (product,) = facts.products
    assert (facts.kind, facts.why, facts.product_id, facts.variant_id) == ("product", "opengraph", "C1", None)
    assert (product.name, product.link, product.photo_url) == (
        "Chair & co",
        "/product/chair",
        "http://cdn.example/a.jpg",
    )
    assert (product.price, product.currency, product.available) == (129.0, "EUR", True)
    assert (product.brand, product.categories, product.description) == ("Oak", ("Chairs",), "A chair.")


def test_an_item_of_a_group_is_its_variant(read_meta: Read) -> None:
    facts = read_meta(
        {"og:type": "product.item", "product:item_group_id": "G", "product:retailer_item_id": "V"}
    )
    assert (facts.product_id, facts.variant_id) == ("G", "V")


def test_an_item_that_is_its_group_is_no_variant(read_meta: Read) -> None:
    facts = read_meta({"og:type": "product", "product:item_group_id": "G", "product:retailer_item_id": "G"})
    assert (facts.product_id, facts.variant_id) == ("G", None)


@pytest.mark.parametrize(
    ("meta", "price", "full_price"),
    [
        ({"product:price:amount": "20", "product:sale_price:amount": "15"}, 15.0, 20.0),
        ({"product:price:amount": "15", "product:original_price:amount": "20"}, 15.0, 20.0),
        ({"og:price:amount": "1,299.00"}, 1299.0, None),
    ],
)
def test_a_sale_shows_both_prices(
    read_meta: Read, meta: dict[str, str], price: float, full_price: float | None
) -> None:
    (product,) = read_meta({"og:type": "product", **meta}).products
    assert (product.price, product.full_price) == (price, full_price)


def test_an_id_with_a_price_makes_a_product_of_any_type(read_meta: Read) -> None:
    assert (
        read_meta({"og:type": "website", "product:retailer_item_id": "C1", "og:price:amount": "5"}).kind
        == "product"
    )


def test_a_group_is_a_category(read_meta: Read) -> None:
    facts = read_meta({"og:type": "product.group", "og:title": "Chairs"})
    assert facts == PageFacts(kind="category", category_name="Chairs", why="opengraph")


@pytest.mark.parametrize(
    "meta", [{}, {"og:type": "website"}, {"og:type": "article", "og:title": "x"}, {"description": "x"}]
)
def test_other_pages_say_nothing(read_meta: Read, meta: dict[str, str]) -> None:
    assert read_meta(meta) == PageFacts()


keys = st.sampled_from(
    [b"og:type", b"og:url", b"og:image", b"product:price:amount", b"product:retailer_item_id", b"\xff"]
)


@given(st.lists(st.tuples(keys, st.binary(max_size=20) | st.just(b"product")), max_size=10))
def test_no_meta_makes_it_raise(meta: list[tuple[bytes, bytes]]) -> None:
    opengraph.read(meta, charset="utf-8", page=page_address("https://shop.example/"))
