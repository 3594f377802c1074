"""The pages of well-known shops, as their default themes and plugins write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.facts import PageFacts, ProductFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    ReadPage = Callable[..., PageFacts]


def test_woocommerce_with_the_plugin_is_read_from_its_config(read_page: ReadPage) -> None:
    facts = read_page(
        "woocommerce_product.html", "https://shop.example/product/walnut-chair/?attribute_finish=raw"
    )
    assert (facts.kind, facts.why, facts.product_id, facts.user_id) == ("product", "config", "318", None)
    assert facts.products == (
        ProductFacts(
            product_id="318", variant_id="320", name="Walnut Chair - Oiled", price=149.0, full_price=189.0, currency="GBP",
            photo_url="/wp-content/uploads/oiled.jpg", link="/product/walnut-chair/?attribute_finish=oiled",
            description="Solid walnut.", categories=("Dining & Kitchen",), available=True, stock=4, rating=90.0,
        ),
        ProductFacts(
            product_id="318", variant_id="321", name="Walnut Chair - Raw", price=139.0, currency="GBP",
            photo_url="/wp-content/uploads/chair.jpg", link="/product/walnut-chair/?attribute_finish=raw",
            description="Solid walnut.", categories=("Dining & Kitchen",), available=False, stock=0, rating=90.0,
        ),
    )  # fmt: skip


def test_shopify_variants_are_one_product_and_the_address_says_which(read_page: ReadPage) -> None:
    facts = read_page(
        "shopify_product.html", "https://www.linen.example/products/linen-sofa?variant=102&utm_medium=mail"
    )
    assert (facts.kind, facts.why, facts.product_id, facts.variant_id) == (
        "product",
        "json-ld",
        "700123",
        "LS-BLUE",
    )
    assert facts.products == (
        ProductFacts(
            product_id="700123", variant_id="LS-GREY", name="Linen Sofa - Grey", price=1299.0, currency="EUR",
            photo_url="https://cdn.shopify.example/grey.jpg", link="/products/linen-sofa?variant=101", brand="Linen & Co",
            description="A sofa. Made of linen.", categories=("Sofas",), available=True,
        ),
        ProductFacts(
            product_id="700123", variant_id="LS-BLUE", name="Linen Sofa - Blue", price=1399.0, currency="EUR",
            photo_url="/cdn/shop/sofa.jpg?v=1", link="/products/linen-sofa?variant=102", brand="Linen & Co",
            description="A sofa. Made of linen.", categories=("Sofas",), available=False,
        ),
    )  # fmt: skip


def test_a_shopify_template_name_with_suffix_is_a_category(read_page: ReadPage) -> None:
    facts = read_page("shopify_collection.html", "https://www.linen.example/collections/sofas")
    assert facts == PageFacts(kind="category", category_name="Sofas & Beds", why="config", nobody=True)


def test_prestashop_is_read_from_its_json_ld(read_page: ReadPage) -> None:
    facts = read_page(
        "prestashop_product.html", "https://shop.example/lampes/12-lampe-de-bureau.html#/1-taille-s"
    )
    assert (facts.kind, facts.why, facts.product_id) == ("product", "json-ld", "12")
    assert facts.products == (
        ProductFacts(
            product_id="12", name="Lampe de bureau", price=42.9, currency="EUR", brand="Luminaires d'Or",
            photo_url="/30-home_default/lampe-de-bureau.jpg", link="/lampes/12-lampe-de-bureau.html",
            categories=("Lampes",), available=True,
        ),
    )  # fmt: skip


def test_magento_is_read_from_its_microdata_and_not_from_related_products(read_page: ReadPage) -> None:
    facts = read_page("magento_product.html", "https://shop.example/fusion-backpack.html")
    assert (facts.kind, facts.why, facts.product_id) == ("product", "microdata", "24-MB02")
    assert facts.products == (
        ProductFacts(
            product_id="24-MB02", name="Fusion Backpack", price=59.0, currency="USD", photo_url="/media/catalog/mb02.jpg",
            link="/fusion-backpack.html", description="Room for everything.", available=True, rating=67.0,
        ),
    )  # fmt: skip


def test_a_magento_category_is_named_by_its_trail(read_page: ReadPage) -> None:
    facts = read_page("magento_category.html", "https://shop.example/en/gear/bags.html")
    assert facts == PageFacts(kind="category", category_name="Bags", why="json-ld")


def test_opencart_is_read_from_its_meta_elements(read_page: ReadPage) -> None:
    facts = read_page(
        "opencart_product.html", "https://shop.example/index.php?route=product/product&product_id=30"
    )
    assert (facts.kind, facts.why, facts.product_id) == ("product", "opengraph", "30")
    assert facts.products == (
        ProductFacts(
            product_id="30", name="Canon EOS 5D", price=98.0, full_price=122.0, currency="USD", brand="Canon",
            photo_url="/image/cache/canon_eos_5d_1-228x228.jpg", description="A camera.", available=False,
            link="/index.php?route=product/product&product_id=30",
        ),
    )  # fmt: skip


def test_oscar_says_nothing_for_machines(read_page: ReadPage) -> None:
    assert (
        read_page("oscar_product.html", "https://shop.example/catalogue/hacking-exposed_209/") == PageFacts()
    )


def test_oscar_is_read_through_selectors(read_page: ReadPage) -> None:
    facts = read_page(
        "oscar_product.html", "https://shop.example/catalogue/hacking-exposed_209/",
        name="h1", price=".price_color", photo_url="article img@src", categories=".breadcrumb a",
        available=".availability", stock=".availability",
    )  # fmt: skip
    assert facts.products == (
        ProductFacts(
            name="Hacking Exposed", price=29.99, currency="GBP", photo_url="/media/cache/hacking.jpg", stock=16,
            categories=("Books",), available=True, link="/catalogue/hacking-exposed_209/",
        ),
    )  # fmt: skip
