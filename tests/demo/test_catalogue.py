from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree as ET

import pytest

from proxy.demo import illustrations
from proxy.demo.catalogue import (
    BANNERS,
    CAMPAIGN,
    CATEGORIES,
    CATEGORY_BY_PATH,
    NO_VARIANTS,
    PRODUCT_BY_ID,
    PRODUCT_BY_SLUG,
    PRODUCTS,
    as_banners,
    as_products,
)
from proxy.demo.illustrations.scenes import DRAWINGS
from proxy.demo.structured import trail


def test_six_rooms_hold_sixty_products_and_more() -> None:
    assert len(CATEGORIES) == 6
    assert all(category.children for category in CATEGORIES)
    assert len(PRODUCTS) >= 60
    assert len(PRODUCT_BY_ID) == len(PRODUCT_BY_SLUG) == len(PRODUCTS)
    assert len({product.brand for product in PRODUCTS}) >= 5


def test_every_category_has_products() -> None:
    filled = Counter(product.category.path for product in PRODUCTS)
    assert set(filled) == {child.path for top in CATEGORIES for child in top.children}


def test_stock_discount_and_rating_vary() -> None:
    assert 3 <= sum(not product.available for product in PRODUCTS) <= 10
    assert sum(product.discount is not None for product in PRODUCTS) >= 15
    assert sum(product.rating is None for product in PRODUCTS) >= 20 or any(
        p.rating is None for p in PRODUCTS
    )
    assert all(v.full_price is None or v.full_price > v.price for p in PRODUCTS for v in p.variants)


@pytest.mark.parametrize(
    ("product_id", "slug", "name", "price", "room"),
    [
        ("18", "double-bed-2", "Luxury Double Bed", 1299, "Bedroom"),
        ("59", "sofa-4", "Contemporary Sofa", 329, "Living room"),
        ("41", "cutleries-2", "Decorative Flatware", 79, "Kitchen"),
        ("12", "organizer-4", "Scandinavian Organizer", 69, "Bathroom"),
        ("56", "sofa-1", "Soft Sofa", 299, "Living room"),
        ("38", "outdoor-sofa-3", "Wicker Sofa", 299, "Outdoors"),
        ("16", "single-bed-1", "Basic Bed", 299, "Bedroom"),
        ("6", "rack-2", "Handicraft Rack", 49, "Bathroom"),
    ],
)
def test_the_guides_examples_are_kept(product_id: str, slug: str, name: str, price: int, room: str) -> None:
    row = next(row for row in as_products() if row["product_id"] == product_id)
    assert (row["link"], row["name"], row["price"], row["category_1"]) == (
        f"/product/{slug}",
        name,
        price,
        room,
    )


def test_product_rows_have_what_the_guide_requires() -> None:
    rows = as_products()
    keys = {(row["product_id"], row["variant_id"]) for row in rows}
    assert len(keys) == len(rows) == sum(len(product.variants) for product in PRODUCTS)
    for row in rows:
        assert {
            "product_id",
            "variant_id",
            "category_1",
            "name",
            "price",
            "stock",
            "photo_url",
            "link",
        } <= set(row)
        assert row["available"] is (row["stock"] > 0)
        assert isinstance(row["price"], int | float)
        product = PRODUCT_BY_ID[row["product_id"]]
        assert row["category_1"] == CATEGORY_BY_PATH[product.category.parent or ""].name
        assert row["category_2"] == product.category.name
        assert ("full_price" in row) == ("discount" in row["extra"])
        assert 0 <= row.get("rating", 0) <= 100


def test_a_product_without_variants_says_so_as_the_guide_does() -> None:
    assert {v.variant_id for p in PRODUCTS if len(p.variants) == 1 for v in p.variants} == {NO_VARIANTS}


def test_banner_rows_are_a_wide_one_a_room_and_a_narrow_one_a_category_in_it() -> None:
    rows = as_banners()
    assert Counter(row["type"] for row in rows) == {
        "main": 6,
        "sub": sum(len(top.children) for top in CATEGORIES),
    }
    assert len({row["banner_id"] for row in rows}) == len(rows)
    for row in rows:
        names = [name for name, _ in trail(CATEGORY_BY_PATH[row["link"].removeprefix("/category/")])[1:]]
        assert [row["category_1"], *filter(None, [row.get("category_2")])] == names
        assert ("category_2" in row) == (row["type"] == "sub")


def _size(svg: str) -> tuple[str | None, str | None]:
    root = ET.fromstring(svg)  # noqa: S314 -- drawn by our own code a moment ago
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {
        "svg", "title", "defs", "linearGradient", "radialGradient", "stop", "filter", "feGaussianBlur",
        "g", "rect", "ellipse", "circle", "path", "text",
    }  # fmt: skip
    return root.get("width"), root.get("height")


def test_every_variant_has_a_picture_of_its_own() -> None:
    pictures = {}
    for product in PRODUCTS:
        for variant in product.variants:
            svg = illustrations.product_photo(product, variant)
            assert _size(svg) == ("800", "800")
            pictures[variant.photo_url] = (svg, product, variant)
    assert len(pictures) == len(as_products())
    for svg, product, variant in pictures.values():
        for other in product.variants:
            assert (illustrations.product_photo(product, other) == svg) == (other.color == variant.color)


def test_no_two_products_look_the_same() -> None:
    bodies = Counter(illustrations.product_photo(p, p.first).partition("</title>")[2] for p in PRODUCTS)
    assert bodies.most_common(1)[0][1] == 1


def test_every_drawing_is_used_by_a_product_or_a_room() -> None:
    assert len(DRAWINGS) >= 25
    assert {product.drawing for product in PRODUCTS} | {"monstera"} == set(DRAWINGS)


def test_banners_have_the_vendors_sizes() -> None:
    for banner in BANNERS:
        expected = ("1200", "720") if banner.type == "main" else ("480", "720")
        assert _size(illustrations.banner_photo(banner)) == expected
    assert _size(illustrations.campaign_photo(CAMPAIGN)) == ("1200", "720")
    assert {_size(illustrations.room_photo(category)) for category in CATEGORIES} == {("1200", "720")}
