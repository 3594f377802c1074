"""What a page says about itself to machines: JSON-LD after schema.org."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxy.demo.catalogue import CATEGORY_BY_PATH, CURRENCY, NO_VARIANTS, Category, Product, Variant

if TYPE_CHECKING:
    from proxy.demo.state import Order

Node = dict[str, Any]

_CONTEXT = "https://schema.org"


def website() -> Node:
    """The home page: the shop's name and how to search in it."""
    return {
        "@context": _CONTEXT,
        "@type": "WebSite",
        "name": "Oak & Linen",
        "url": "/",
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": "/search?q={search_term_string}"},
            "query-input": "required name=search_term_string",
        },
    }


def trail(category: Category, product: Product | None = None) -> list[tuple[str, str]]:
    """The way from the home page to here: names and links."""
    steps = [("Home", "/")]
    if category.parent:
        above = CATEGORY_BY_PATH[category.parent]
        steps.append((above.name, above.link))
    steps.append((category.name, category.link))
    if product:
        steps.append((product.name, product.link))
    return steps


def breadcrumbs(steps: list[tuple[str, str]]) -> Node:
    """A trail as BreadcrumbList."""
    return {
        "@context": _CONTEXT,
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": name, "item": link}
            for place, (name, link) in enumerate(steps, 1)
        ],
    }


def offer(product: Product, variant: Variant) -> Node:
    """One variant's price and whether it can be bought."""
    node: Node = {
        "@type": "Offer",
        "url": variant.link,
        "sku": product.product_id if variant.variant_id == NO_VARIANTS else variant.variant_id,
        "image": variant.photo_url,
        "price": f"{variant.price:.2f}",
        "priceCurrency": CURRENCY,
        "availability": f"{_CONTEXT}/{'InStock' if variant.available else 'OutOfStock'}",
        "itemCondition": f"{_CONTEXT}/NewCondition",
        "inventoryLevel": {"@type": "QuantitativeValue", "value": variant.stock},
    }
    if variant.full_price is not None:
        node["priceSpecification"] = {
            "@type": "UnitPriceSpecification",
            "priceType": f"{_CONTEXT}/StrikethroughPrice",
            "price": f"{variant.full_price:.2f}",
            "priceCurrency": CURRENCY,
        }
    return node


def product_node(product: Product, shown: Variant) -> Node:
    """A product; with variants, the offer of the one that is shown comes first."""
    others = [offer(product, each) for each in product.variants if each is not shown]
    node: Node = {
        "@context": _CONTEXT,
        "@type": "Product",
        "productID": product.product_id,
        "sku": product.product_id,
        "name": product.name,
        "description": product.text,
        "image": shown.photo_url,
        "url": product.link,
        "brand": {"@type": "Brand", "name": product.brand},
        "category": " > ".join(name for name, _ in trail(product.category)[1:]),
        "color": shown.color,
        "size": shown.size or product.dimensions,
        "material": product.material,
        "offers": [offer(product, shown), *others] if others else offer(product, shown),
    }
    if product.rating is not None:
        node["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": round(product.rating / 20, 2),
            "bestRating": 5,
            "reviewCount": product.reviews,
        }
    return node


def _item_list(products: list[Product]) -> Node:
    return {
        "@type": "ItemList",
        "numberOfItems": len(products),
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": each.name, "url": each.link}
            for place, each in enumerate(products, 1)
        ],
    }


def collection(category: Category, products: list[Product]) -> Node:
    """A category page."""
    return {
        "@context": _CONTEXT,
        "@type": "CollectionPage",
        "identifier": category.slug,
        "name": category.name,
        "description": category.text,
        "url": category.link,
        "mainEntity": _item_list(products),
    }


def search_results(term: str, products: list[Product]) -> Node:
    """A search page."""
    return {
        "@context": _CONTEXT,
        "@type": "SearchResultsPage",
        "name": f"Search: {term}",
        "mainEntity": _item_list(products),
    }


def checkout() -> Node:
    """The checkout."""
    return {"@context": _CONTEXT, "@type": "CheckoutPage", "name": "Checkout", "url": "/checkout"}


def order_node(order: Order) -> Node:
    """A placed order."""
    return {
        "@context": _CONTEXT,
        "@type": "Order",
        "orderNumber": order.order_id,
        "orderStatus": f"{_CONTEXT}/OrderProcessing",
        "acceptedOffer": [
            {
                **offer(line.product, line.variant),
                "itemOffered": {
                    "@type": "Product",
                    "productID": line.product.product_id,
                    "sku": line.variant.variant_id,
                    "name": line.product.name,
                },
                "eligibleQuantity": {"@type": "QuantitativeValue", "value": line.quantity},
            }
            for line in order.lines
        ],
    }
