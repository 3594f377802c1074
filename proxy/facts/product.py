"""A schema.org product with its offers and variants → `ProductFacts`."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import structs

from proxy.facts import values
from proxy.facts.graph import types
from proxy.facts.model import ProductFacts

if TYPE_CHECKING:
    from proxy.facts.graph import Graph, Node

MAX_VARIANTS: Final = 250
"""Variants and offers of a product that are read; Shopify's API gives 250 a page."""

MAX_LEVELS: Final = 12
"""Categories and price specifications of a product that are read."""

_STRUCK: Final = frozenset({"listprice", "strikethroughprice", "srp", "msrp", "regularprice"})
_LEVELS: Final = re.compile(r"\s*[>\u203a\u00bb]\s*")


def variants_of(graph: Graph, node: Node) -> list[ProductFacts]:
    """A product's variants: ``hasVariant``, offers with a SKU each, or the product alone."""
    group = graph.group(node)
    whole = _product(graph, node, _offer(graph, node))
    if group is not None:
        variant = graph.id(node)
        return [structs.replace(whole, product_id=group, variant_id=variant if variant != group else None)]
    variants = list(islice(graph.inner(node, "hasVariant"), MAX_VARIANTS))
    if variants:
        return [_within(whole, _product(graph, variant, _offer(graph, variant))) for variant in variants]
    offers = list(islice(graph.inner(node, "offers"), MAX_VARIANTS))
    skus = {sku for sku in map(graph.id, offers) if sku is not None}
    if len(offers) > 1 and len(skus) == len(offers):
        return [_within(whole, _product(graph, offer, offer)) for offer in offers]
    return [whole]


def _product(graph: Graph, node: Node, offer: Node) -> ProductFacts:
    price, full_price, currency = _price(graph, offer)
    levels = (
        graph.first(level, "value") if isinstance(level, dict) else level
        for source in (offer, node)
        for level in graph.each(source, "inventoryLevel")
    )
    return ProductFacts(
        product_id=graph.id(node),
        name=graph.text(node, "name"),
        price=price,
        full_price=full_price,
        currency=currency,
        photo_url=_photo(graph, node),
        link=graph.page.product_link(graph.url(node, "url") or graph.url(offer, "url")),
        brand=graph.name(node, "brand") or graph.name(node, "manufacturer"),
        description=graph.text(node, "description", values.MAX_DESCRIPTION),
        categories=_taxonomy(graph, node),
        available=values.first(map(values.availability, graph.each(offer, "availability"))),
        stock=values.first(map(values.stock, levels)),
        rating=_rating(graph, node),
    )


def _offer(graph: Graph, node: Node) -> Node:
    """The cheapest of a product's offers, as listings show it; empty where there is none."""
    offers = list(islice(graph.inner(node, "offers"), MAX_VARIANTS))
    offers += [
        inner
        for offer in offers
        if "AggregateOffer" in types(offer) and "lowPrice" not in offer
        for inner in islice(graph.inner(offer, "offers"), MAX_VARIANTS)
    ]
    priced = [(price, offer) for offer in offers if (price := _price(graph, offer)[0]) is not None]
    if priced:
        return min(priced, key=lambda pair: pair[0])[1]
    return offers[0] if offers else {}


def _price(graph: Graph, offer: Node) -> tuple[float | None, float | None, str | None]:
    """(price, full price, currency) of an offer, from itself or its ``priceSpecification``."""
    price = _amount(graph, offer, "price") if "price" in offer else _amount(graph, offer, "lowPrice")
    full_price = None
    currency = _currency(graph, offer)
    for specification in islice(graph.inner(offer, "priceSpecification"), MAX_LEVELS):
        amount = _amount(graph, specification, "price")
        kind = values.text(graph.first(specification, "priceType")) or ""
        currency = currency or _currency(graph, specification)
        if re.split(r"[/#]", kind)[-1].lower() in _STRUCK:
            full_price = amount
        elif price is None:
            price = amount
    return price, full_price, currency


def _amount(graph: Graph, node: Node, key: str) -> float | None:
    return values.first(map(values.price, graph.each(node, key)))


def _currency(graph: Graph, node: Node) -> str | None:
    return values.first(map(values.currency, graph.each(node, "priceCurrency")))


def _photo(graph: Graph, node: Node) -> str | None:
    return values.first(
        graph.url(image, "contentUrl", "url", "@id") if isinstance(image, dict) else graph.page.resolve(image)
        for image in graph.each(node, "image")
    )


def _rating(graph: Graph, node: Node) -> float | None:
    for rated in graph.inner(node, "aggregateRating"):
        counts = [values.number(v) for key in ("ratingCount", "reviewCount") for v in graph.each(rated, key)]
        if not counts or any(counts):  # plugins write zero stars where nobody has voted
            return values.rating(graph.first(rated, "ratingValue"), graph.first(rated, "bestRating"))
    return None


def _taxonomy(graph: Graph, node: Node) -> tuple[str, ...]:
    """``category``: a name, a list of names, or a path of them."""
    names = (
        graph.text(value, "name") if isinstance(value, dict) else values.text(value)
        for value in islice(graph.each(node, "category"), MAX_LEVELS)
    )
    return tuple(dict.fromkeys(level for name in names if name for level in _LEVELS.split(name) if level))


def _within(whole: ProductFacts, variant: ProductFacts) -> ProductFacts:
    """A variant of a product: what it doesn't say itself it has from the whole."""
    filled = {
        name: getattr(whole, name)
        for name in ProductFacts.__struct_fields__
        if getattr(variant, name) in (None, ())
    }
    variant_id = variant.product_id if variant.product_id != whole.product_id else None
    return structs.replace(variant, **{**filled, "product_id": whole.product_id, "variant_id": variant_id})
