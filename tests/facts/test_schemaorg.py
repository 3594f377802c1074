"""JSON-LD and the vocabulary behind it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.facts import PageFacts, jsonld
from proxy.facts.address import page_address

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[..., PageFacts]


def product(**fields: Any) -> dict[str, Any]:
    return {"@type": "Product", "name": "Chair", "sku": "C1", **fields}


def crumb(name: str, link: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"@type": "ListItem", "name": name, **({"item": link} if link else {}), **fields}


def trail(*crumbs: dict[str, Any]) -> dict[str, Any]:
    return {"@type": "BreadcrumbList", "itemListElement": list(crumbs)}


# -- finding the document --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        '{"@type": "Product", "sku": "C1"}',
        '[{"@type": "Product", "sku": "C1"}]',
        '[[{"@graph": [{"@type": "Product", "sku": "C1"}]}]]',
        '{"@type": "WebPage", "@graph": {"@type": "Product", "sku": "C1"}}',
        '<!-- {"@type": "Product", "sku": "C1"} -->',
        '//<![CDATA[\n{"@type": "Product", "sku": "C1"}\n//]]>',
        '/*<![CDATA[*/{"@type": "Product", "sku": "C1"};/*]]>*/',
        '\ufeff{"@type": "Product", "sku": "C1",}',
        '{"@type": "Product", "sku": "C1", "description": "a\nb\tc"}',
        '{"@type": "Product", "sku": "C1", "description": "a\nb",}',
        '{"@type": "Product", "sku": "C1", "description": "\\ud83d"}',
        '{"@type": ["Thing", "https://schema.org/Product"], "sku": "C1"}',
        '{"@type": "schema:Product", "sku": "C1"}',
        '{"@type": "IndividualProduct", "sku": "C1"}',
        '{"@type": "ItemPage", "mainEntity": {"@type": "Product", "sku": "C1"}}',
        '{"@graph": [{"@type": "WebPage", "mainEntity": {"@id": "#p"}}, {"@id": "#p", "@type": "Product", "sku": "C1"}]}',
    ],
)
def test_a_product_is_found_however_it_is_wrapped(read_jsonld: Read, written: str) -> None:
    facts = read_jsonld(written)
    assert (facts.kind, facts.product_id, facts.why) == ("product", "C1", "json-ld")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "null",
        "5",
        '"Product"',
        "nonsense",
        "[" * 100_000,
        '{"@graph": ' * 5_000,
        '{"@type": 5}',
        '{"@type": [null, {}]}',
    ],
)
def test_what_says_nothing_is_nothing(read_jsonld: Read, written: str) -> None:
    assert read_jsonld(written) == PageFacts()


def test_a_script_beyond_the_limit_is_left_out(read_jsonld: Read) -> None:
    assert read_jsonld(product(description="x" * jsonld.MAX_DOCUMENT)) == PageFacts()


# -- which product ---------------------------------------------------------------------------------


def test_several_unrelated_products_are_no_product_page(read_jsonld: Read) -> None:
    assert read_jsonld([product(), product(sku="T1", name="Table")]).kind is None


def test_the_product_at_this_address_is_the_pages_own(read_jsonld: Read) -> None:
    facts = read_jsonld(
        [product(sku="T1", name="Table", url="/product/table"), product(url="/product/chair/")]
    )
    assert facts.product_id == "C1"


def test_the_only_product_without_another_address_is_the_pages_own(read_jsonld: Read) -> None:
    facts = read_jsonld(
        [product(), product(sku="T1", name="Table", mainEntityOfPage={"@id": "/product/table"})]
    )
    assert facts.product_id == "C1"


def test_a_single_product_counts_under_its_canonical_address(read_jsonld: Read) -> None:
    facts = read_jsonld(
        product(url="/product/chair"), url="https://shop.example/collections/all/products/chair"
    )
    assert (facts.product_id, facts.products[0].link) == ("C1", "/product/chair")


def test_a_listing_of_one_product_is_still_a_listing(read_jsonld: Read) -> None:
    facts = read_jsonld(
        [product(url="/product/chair"), {"@type": "CollectionPage", "name": "Chairs"}],
        url="https://shop.example/chairs",
    )
    assert facts == PageFacts(kind="category", category_name="Chairs", why="json-ld")


def test_a_product_said_twice_is_one(read_jsonld: Read) -> None:
    facts = read_jsonld(product(), product(brand="Oak"))
    assert [p.product_id for p in facts.products] == ["C1"]


def test_a_page_with_several_main_entities_falls_back_to_its_products(read_jsonld: Read) -> None:
    page = {"@type": "WebPage", "mainEntity": [product(), product(sku="T1")]}
    assert read_jsonld([page, product(sku="S1")]).product_id == "S1"


# -- ids -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({"sku": "S", "productID": "P", "mpn": "M"}, "S"),
        ({"productID": "sku:P", "mpn": "M"}, "P"),
        ({"productID": 7}, "7"),
        ({"mpn": "M", "gtin13": "4000"}, "M"),
        ({"gtin13": "4000"}, "4000"),
        ({"sku": ["", "S2"]}, "S2"),
        ({"sku": {"@value": "S3"}}, "S3"),
        ({"@id": "https://shop.example/product/chair#product"}, "/product/chair"),
        ({"@id": "https://other.example/chair"}, "/chair"),
        ({"@id": "urn:chair"}, "urn:chair"),
        ({"@id": "#product"}, None),
        ({"@id": "_:b0"}, None),
        ({"@id": 5}, None),
        ({}, None),
    ],
)
def test_an_id_is_the_shops_own_number_first(
    read_jsonld: Read, fields: dict[str, Any], known: str | None
) -> None:
    facts = read_jsonld({"@type": "Product", "name": "Chair", **fields})
    assert (facts.kind, facts.product_id) == ("product", known)


# -- variants --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "group",
    [
        {"isVariantOf": {"@type": "ProductGroup", "productGroupID": "G"}},
        {"isVariantOf": "G"},
        {"inProductGroupWithID": "G"},
    ],
)
def test_a_variant_belongs_to_its_group(read_jsonld: Read, group: dict[str, Any]) -> None:
    facts = read_jsonld([product(**group), product(sku="C2", name="Chair, blue", **group)])
    assert [(p.product_id, p.variant_id) for p in facts.products] == [("G", "C1"), ("G", "C2")]
    assert (facts.product_id, facts.variant_id) == ("G", None)


def test_a_group_without_an_id_is_named_by_its_variant(read_jsonld: Read) -> None:
    facts = read_jsonld(product(isVariantOf={"@type": "ProductGroup", "name": "Chairs"}))
    assert (facts.products[0].product_id, facts.products[0].variant_id) == ("C1", None)


def test_a_variant_that_is_its_group_is_none(read_jsonld: Read) -> None:
    assert read_jsonld(product(inProductGroupWithID="C1")).products[0].variant_id is None


def test_offers_with_a_number_each_are_variants(read_jsonld: Read) -> None:
    offers = [{"sku": "V1", "price": 10, "url": "?v=1"}, {"sku": "V2", "price": "12", "name": "Chair, blue"}]
    facts = read_jsonld(product(offers=offers, brand="Oak"), url="https://shop.example/product/chair?v=1")
    first, second = facts.products
    assert (first.variant_id, first.name, first.price, first.brand) == ("V1", "Chair", 10.0, "Oak")
    assert (second.variant_id, second.name, second.price) == ("V2", "Chair, blue", 12.0)


def test_the_address_says_which_variant_is_shown(read_jsonld: Read) -> None:
    variants = [product(sku=f"V{n}", url=f"/product/chair?v={n}") for n in (1, 2)]
    group = {"@type": "ProductGroup", "productGroupID": "G", "hasVariant": variants}
    facts = read_jsonld(group, url="https://shop.example/product/chair?v=2&utm_source=x")
    assert (facts.product_id, facts.variant_id) == ("G", "V2")


# -- offers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offers", "price", "full_price"),
    [
        ({"price": "12.50"}, 12.5, None),
        ({"price": "$1,299.00"}, 1299.0, None),
        ([{"price": 15}, {"price": 12}], 12.0, None),
        ({"@type": "AggregateOffer", "lowPrice": 9, "highPrice": 19}, 9.0, None),
        ({"@type": "AggregateOffer", "offers": [{"price": 8}, {"price": 7}]}, 7.0, None),
        ({"priceSpecification": {"price": 11}}, 11.0, None),
        ({"priceSpecification": [{"price": 11}, {"price": 13}]}, 11.0, None),
        (
            {
                "price": 9,
                "priceSpecification": {"price": 12, "priceType": "https://schema.org/StrikethroughPrice"},
            },
            9.0,
            12.0,
        ),
        ({"priceSpecification": [{"price": 15, "priceType": "ListPrice"}, {"price": 10}]}, 10.0, 15.0),
        ({"price": "ask us"}, None, None),
        ([], None, None),
        ("cheap", None, None),
        (None, None, None),
    ],
)
def test_a_price_is_the_lowest_that_is_asked(
    read_jsonld: Read, offers: Any, price: float | None, full_price: float | None
) -> None:
    (read,) = read_jsonld(product(offers=offers)).products
    assert (read.price, read.full_price) == (price, full_price)


@pytest.mark.parametrize(
    "offer", [{"priceCurrency": "EUR"}, {"priceSpecification": {"price": 1, "priceCurrency": "EUR"}}]
)
def test_a_currency_stands_at_the_offer_or_its_price(read_jsonld: Read, offer: dict[str, Any]) -> None:
    assert read_jsonld(product(offers=offer)).products[0].currency == "EUR"


@pytest.mark.parametrize(
    ("fields", "stock"),
    [
        ({"offers": {"inventoryLevel": {"value": "4"}}}, 4),
        ({"offers": {"inventoryLevel": 0}}, 0),
        ({"inventoryLevel": {"@type": "QuantitativeValue", "value": 3}}, 3),
        ({"inventoryLevel": {}}, None),
    ],
)
def test_stock_is_the_inventory_level(read_jsonld: Read, fields: dict[str, Any], stock: int | None) -> None:
    assert read_jsonld(product(**fields)).products[0].stock == stock


# -- the rest of a product -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "photo"),
    [
        ("/a.jpg", "/a.jpg"),
        (["data:x", "/b.jpg", "/c.jpg"], "/b.jpg"),
        ({"@type": "ImageObject", "url": "/d.jpg", "contentUrl": "/e.jpg"}, "/e.jpg"),
        ([{"@type": "ImageObject", "url": "https://shop.example/f.jpg"}], "/f.jpg"),
        ({"@id": "https://cdn.example/g.jpg"}, "https://cdn.example/g.jpg"),
        (5, None),
        (None, None),
    ],
)
def test_a_photo_is_read_in_every_form(read_jsonld: Read, image: Any, photo: str | None) -> None:
    assert read_jsonld(product(image=image)).products[0].photo_url == photo


@pytest.mark.parametrize(
    ("fields", "brand"),
    [
        ({"brand": "Oak"}, "Oak"),
        ({"brand": {"@type": "Brand", "name": "Oak &amp; Co"}}, "Oak & Co"),
        ({"brand": [{"name": ""}, {"name": "Oak"}]}, "Oak"),
        ({"brand": {}, "manufacturer": {"name": "Elm"}}, "Elm"),
    ],
)
def test_a_brand_is_read_in_every_form(read_jsonld: Read, fields: dict[str, Any], brand: str) -> None:
    assert read_jsonld(product(**fields)).products[0].brand == brand


@pytest.mark.parametrize(
    ("rating", "scaled"),
    [
        ({"ratingValue": "4.5", "bestRating": "5", "reviewCount": 2}, 90.0),
        ({"ratingValue": 8, "bestRating": 10}, 80.0),
        ({"ratingValue": 0, "reviewCount": 0}, None),
        ({"ratingValue": 4, "ratingCount": 0, "reviewCount": 3}, 80.0),
        ({}, None),
        ("good", None),
    ],
)
def test_a_rating_counts_where_somebody_voted(read_jsonld: Read, rating: Any, scaled: float | None) -> None:
    assert read_jsonld(product(aggregateRating=rating)).products[0].rating == scaled


@pytest.mark.parametrize(
    ("category", "categories"),
    [
        ("Living > Chairs", ("Living", "Chairs")),
        (["Living", {"@type": "Thing", "name": "Chairs"}, "Living"], ("Living", "Chairs")),
        ([5, {}, ""], ("5",)),
    ],
)
def test_categories_are_a_path_or_a_list(
    read_jsonld: Read, category: Any, categories: tuple[str, ...]
) -> None:
    assert read_jsonld(product(category=category)).products[0].categories == categories


# -- breadcrumbs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "crumbs",
    [
        [
            crumb("Home", "/"),
            crumb("Living", "/c/living"),
            crumb("Chairs", "/c/chairs"),
            crumb("Chair", "/product/chair"),
        ],
        [
            crumb("Chairs", "/c/chairs", position="3"),
            crumb("Living", "/c/living", position=2),
            crumb("Start", position=1),
        ],
        [crumb("Shop"), crumb("Living"), crumb("Chairs"), crumb("Chair")],
        [
            crumb("Willkommen", "https://www.shop.example/de-de/"),
            crumb("Living"),
            crumb("Chairs"),
            crumb("This one", "/product/chair"),
        ],
        [
            {"item": {"@id": "/", "name": "Us"}},
            {"item": {"url": "/l", "name": "Living"}},
            {"item": {"name": "Chairs"}},
            {"item": 5},
        ],
    ],
)
def test_a_trail_gives_the_categories_without_home_and_the_product(
    read_jsonld: Read, crumbs: list[dict[str, Any]]
) -> None:
    facts = read_jsonld(product(category="Furniture"), trail(*crumbs))
    assert facts.products[0].categories == ("Living", "Chairs")


@pytest.mark.parametrize("crumbs", [[], [crumb("Home", "/")], [crumb("Chair")], [5], [crumb("")]])
def test_an_empty_trail_leaves_the_products_own_category(read_jsonld: Read, crumbs: list[Any]) -> None:
    facts = read_jsonld(product(category="Furniture"), trail(*crumbs))
    assert facts.products[0].categories == ("Furniture",)


# -- other pages -----------------------------------------------------------------------------------


def test_a_collection_is_named_by_its_trail(read_jsonld: Read) -> None:
    facts = read_jsonld(
        {"@type": "CollectionPage", "name": "Chairs - Shop"}, trail(crumb("Living"), crumb("Chairs"))
    )
    assert facts == PageFacts(kind="category", category_name="Chairs", why="json-ld")


def test_a_named_list_of_products_is_a_category(read_jsonld: Read) -> None:
    items = [
        {"@type": "ListItem", "item": {"@type": "Product", "name": "x"}},
        {"@type": "ListItem", "url": "/y"},
    ]
    facts = read_jsonld({"@type": "ItemList", "name": "Chairs", "itemListElement": items})
    assert (facts.kind, facts.category_name) == ("category", "Chairs")


def test_products_below_a_trail_are_a_category(read_jsonld: Read) -> None:
    facts = read_jsonld([product(), product(sku="T1", name="Table"), trail(crumb("Living"))])
    assert (facts.kind, facts.category_name) == ("category", "Living")


@pytest.mark.parametrize(
    ("document", "url"),
    [
        (
            {"@type": "ItemList", "name": "Posts", "itemListElement": [{"@type": "BlogPosting"}]},
            "https://shop.example/blog",
        ),
        ({"@type": "ItemList", "name": "Featured"}, "https://shop.example/"),
        ({"@type": "ItemList", "name": "Featured"}, "https://shop.example/en-gb/"),
        ({"@type": "ItemList"}, "https://shop.example/x"),
        (trail(crumb("About us")), "https://shop.example/about"),
        ({"@type": "WebSite", "name": "Shop"}, "https://shop.example/"),
    ],
)
def test_other_lists_are_no_category(read_jsonld: Read, document: dict[str, Any], url: str) -> None:
    assert read_jsonld(document, url=url) == PageFacts()


def test_a_search_page_takes_its_term_from_the_address(read_jsonld: Read) -> None:
    facts = read_jsonld(
        {"@type": "SearchResultsPage"},
        product(url="/product/chair"),
        url="https://shop.example/find?search_query=red+chair",
    )
    assert facts == PageFacts(kind="search", term="red chair", why="json-ld")


def test_a_checkout_page_says_so(read_jsonld: Read) -> None:
    assert read_jsonld({"@type": "CheckoutPage"}).kind == "checkout"


# -- hostile input ---------------------------------------------------------------------------------


names = st.sampled_from(
    ["@type", "@id", "@graph", "@value", "name", "sku", "offers", "price", "image", "url", "brand", "category", "hasVariant",
     "isVariantOf", "itemListElement", "item", "position", "mainEntity", "breadcrumb", "aggregateRating", "ratingValue",
     "priceSpecification", "priceType", "inventoryLevel", "availability", "priceCurrency", "description"]
)  # fmt: skip
words = st.sampled_from(
    ["Product", "ProductGroup", "WebPage", "CollectionPage", "ItemList", "BreadcrumbList", "SearchResultsPage", "Offer",
     "AggregateOffer", "/x", "http://[", "#a", "", "5", "\ud800"]
)  # fmt: skip
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=25,
)


@given(documents)
def test_no_document_makes_it_raise(document: Any) -> None:
    page = page_address("https://shop.example/product/chair")
    written = json.dumps(
        [document, {"@type": "Product", "offers": document, "image": document, "brand": document}]
    )
    facts = jsonld.read([written.encode()], charset="utf-8", page=page)
    repr(facts).encode()


@pytest.mark.parametrize(
    "document",
    [
        [product(sku=f"C{n}") for n in range(2_000)],
        {
            "@type": "ProductGroup",
            "hasVariant": [product(sku=f"C{n}", offers=[{"price": 1}] * 10) for n in range(900)],
        },
        product(offers=[{"@type": "AggregateOffer", "offers": [{"price": 1}] * 70} for _ in range(200)]),
        [{"@type": "BreadcrumbList", "itemListElement": [crumb("x")] * 10} for _ in range(900)],
        [{"@type": "WebPage", "@id": f"#{n}", "mainEntity": {"@id": f"#{n + 1}"}} for n in range(2_000)],
    ],
)
def test_a_huge_document_is_read_in_bounded_time(read_jsonld: Read, document: Any) -> None:
    started = time.process_time()
    read_jsonld(document)
    assert time.process_time() - started < 1.5  # measured: below 0.2
