from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxy.demo.catalogue import CATEGORY_BY_PATH, NO_VARIANTS, PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx


async def test_products_say_what_the_catalogue_says(
    visitor: httpx.AsyncClient, read_page: Callable[[str], Any]
) -> None:
    for product in PRODUCTS:
        for variant in product.variants:
            page = read_page((await visitor.get(variant.link)).text)
            node, crumbs = page.node("Product"), page.node("BreadcrumbList")["itemListElement"]
            assert (node["productID"], node["sku"], node["name"]) == (
                product.product_id,
                product.product_id,
                product.name,
            )
            assert node["brand"]["name"] == product.brand
            assert node["image"] == variant.photo_url
            assert node["category"] == " > ".join(crumb["name"] for crumb in crumbs[1:-1])
            assert ("aggregateRating" in node) == (product.rating is not None)
            offers = node["offers"] if isinstance(node["offers"], list) else [node["offers"]]
            assert len(offers) == len(product.variants)
            assert {offer["sku"] for offer in offers} == {
                product.product_id if each.variant_id == NO_VARIANTS else each.variant_id
                for each in product.variants
            }
            assert offers[0]["price"] == f"{variant.price:.2f}"
            assert offers[0]["availability"].endswith("InStock" if variant.available else "OutOfStock")
            assert ("priceSpecification" in offers[0]) == (variant.full_price is not None)


async def test_breadcrumbs_lead_from_home_to_the_product(
    visitor: httpx.AsyncClient, read_page: Callable[[str], Any]
) -> None:
    node = read_page((await visitor.get("/product/double-bed-2")).text).node("BreadcrumbList")
    steps = [(step["position"], step["name"], step["item"]) for step in node["itemListElement"]]
    assert steps == [
        (1, "Home", "/"),
        (2, "Bedroom", "/category/bedroom"),
        (3, "Beds", "/category/bedroom/beds"),
        (4, "Luxury Double Bed", "/product/double-bed-2"),
    ]


async def test_categories_name_themselves_and_their_products(
    visitor: httpx.AsyncClient, read_page: Callable[[str], Any]
) -> None:
    for category in CATEGORY_BY_PATH.values():
        node = read_page((await visitor.get(category.link)).text).node("CollectionPage")
        assert (node["identifier"], node["name"]) == (category.slug, category.name)
        listed = {item["url"] for item in node["mainEntity"]["itemListElement"]}
        inside = {p.link for p in PRODUCTS if category.path in {p.category.path, p.category.parent}}
        assert listed == inside


async def test_search_and_home_say_what_they_are(
    visitor: httpx.AsyncClient, read_page: Callable[[str], Any]
) -> None:
    assert read_page((await visitor.get("/")).text).node("WebSite")["url"] == "/"
    node = read_page((await visitor.get("/search?q=</script>")).text).node("SearchResultsPage")
    assert node["name"] == "Search: </script>"
