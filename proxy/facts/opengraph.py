"""OpenGraph's ``og:`` and ``product:`` properties."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from proxy.facts import values
from proxy.facts.model import NOTHING, PageFacts, ProductFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.facts.address import PageAddress
    from proxy.models import PageKind

MAX_META: Final = 300
"""Meta elements that are read; busy heads have some 60."""

_KINDS: Final[dict[str, PageKind]] = {
    "product": "product", "og:product": "product", "product.item": "product",
    "product.group": "category", "og:product.group": "category",
}  # fmt: skip


def read(meta: Iterable[tuple[bytes, bytes]], *, charset: str, page: PageAddress) -> PageFacts:
    """The facts of a page's ``<meta>`` elements; the first value of a property that isn't empty counts."""
    found: dict[str, str] = {}
    for key, content in islice(meta, MAX_META):
        name, value = values.decode(key, charset), values.unescape(content, charset).strip()
        if value:
            found.setdefault(name, value)

    def first(*names: str) -> str | None:
        return next((found[name] for name in names if name in found), None)

    product_id = values.identifier(first("product:retailer_item_id", "product:item_id", "product:sku"))
    group_id = values.identifier(first("product:item_group_id", "product:item_group"))
    price = values.price(first("product:price:amount", "og:price:amount"))
    kind = _KINDS.get((first("og:type") or "").lower())
    if kind is None and product_id is not None and price is not None:
        kind = "product"
    if kind is None:
        return NOTHING
    if kind == "category":
        return PageFacts(kind=kind, category_name=values.text(first("og:title")), why="opengraph")
    sale = values.price(first("product:sale_price:amount"))
    product = ProductFacts(
        product_id=group_id or product_id,
        variant_id=product_id if group_id not in {None, product_id} else None,
        name=values.text(first("og:title")),
        price=price if sale is None else sale,
        full_price=values.price(first("product:original_price:amount")) if sale is None else price,
        currency=values.currency(first("product:price:currency", "og:price:currency")),
        photo_url=page.resolve(first("og:image:secure_url", "og:image", "og:image:url")),
        link=page.product_link(first("og:url")),
        brand=values.text(first("product:brand", "og:brand")),
        description=values.text(first("og:description", "description"), values.MAX_DESCRIPTION),
        categories=tuple(filter(None, [values.text(first("product:category"))])),
        available=values.availability(first("product:availability", "og:availability")),
    )
    return PageFacts(
        kind=kind,
        product_id=product.product_id,
        variant_id=product.variant_id,
        products=(product,),
        why="opengraph",
    )
