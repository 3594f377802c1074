"""``window.datacueConfig``: what a shop with DataCue installed says about each page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from proxy.facts import javascript, values
from proxy.facts.address import PageAddress, clean
from proxy.facts.model import NOTHING, PageFacts, ProductFacts
from proxy.models import PAGE_KINDS, PageKind

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SCRIPTS: Final = 8
"""Scripts that are read; a page has one, two where a theme adds to the plugin's."""

MAX_VARIANTS: Final = 250
"""Variants of a product that are read; Shopify's limit was 100, then 250 a page of its API."""

MAX_ORDER_DEPTH: Final = 6
"""Nesting of `order_details` that is kept: an item's attributes are at depth 4."""

_ANONYMOUS: Final = frozenset({"0", "null", "undefined", "false", "none", "guest", "no-user"})

_NO_VARIANT: Final = "no-variants"

_KINDS: Final[dict[str, PageKind]] = {
    **{kind: kind for kind in PAGE_KINDS},
    "index": "home", "homepage": "home", "front page": "home", "frontpage": "home",
    "collection": "category", "product category": "category",
    "search results": "search", "searchresults": "search",
    "basket": "cart", "shopping cart": "cart",
    "order confirmation": "order", "orderconfirmation": "order", "order received": "order",
    "thank you": "order", "thankyou": "order", "checkout success": "order",
    "not found": "404", "notfound": "404", "error": "404",
    "page": "none", "blog": "none", "article": "none", "account": "none", "login": "none", "register": "none",
    "customers": "none", "password": "none", "gift card": "none", "list collections": "none",
    "policy": "none", "other": "none",
}  # fmt: skip
"""``page_type`` as plugins send it and Shopify's template names. Pages that DataCue has no event for
are left alone; an unknown word decides nothing."""

_BY_KEY: Final[tuple[tuple[str, PageKind], ...]] = (
    ("order_id", "order"), ("order_details", "order"),
    ("product_id", "product"), ("product_update", "product"),
    ("category_name", "category"), ("category_id", "category"), ("category_update", "category"),
    ("term", "search"),
)  # fmt: skip
"""The kind that a key implies where ``page_type`` is missing."""


def read(scripts: Iterable[bytes], *, charset: str, page: PageAddress) -> PageFacts:
    """The facts of the scripts that mention ``datacueConfig``, later ones winning key by key."""
    config: dict[str, Any] = {}
    for script in list(scripts)[:MAX_SCRIPTS]:
        config |= javascript.read_config(values.decode(script[: 4 * javascript.MAX_SCRIPT], charset))
    if not config:
        return NOTHING
    kind = page_kind(config.get("page_type"))
    if kind is None:
        kind = next((implied for key, implied in _BY_KEY if config.get(key)), None)
    product_id = values.identifier(config.get("product_id"))
    variant_id = _variant(config.get("variant_id"))
    products: tuple[ProductFacts, ...] = ()
    if kind == "product":
        updates = [update for update in values.each(config.get("product_update")) if isinstance(update, dict)]
        products = tuple(_product(update, product_id, page) for update in updates[:MAX_VARIANTS])
        product_id = product_id or next((p.product_id for p in products if p.product_id), None)
    user = user_id(config.get("user_id"))
    order = config.get("order_details")
    term = config.get("term")
    return PageFacts(
        kind=kind,
        product_id=product_id,
        variant_id=variant_id,
        category_name=_category(config),
        term=clean(term) or None if isinstance(term, str) else values.identifier(term),
        user_id=user,
        nobody="user_id" in config and user is None,
        products=products,
        order=_order(order, config.get("order_id")) if isinstance(order, dict) else None,
        why="config" if kind is not None else "",
    )


def page_kind(page_type: Any) -> PageKind | None:
    """The page kind that a ``page_type`` names: ``order confirmation``, ``collection.sale``, ``404``."""
    word = values.text(page_type)
    if word is None:
        return None
    word = word.lower().partition(".")[0].partition("/")[0]
    return _KINDS.get(re.sub(r"[\s_-]+", " ", word).strip())


def user_id(value: Any) -> str | None:
    """A shopper's id; None for the spellings of "nobody" that plugins use."""
    read = values.identifier(value)
    return None if read is None or read.lower() in _ANONYMOUS else read


def _variant(value: Any) -> str | None:
    read = values.identifier(value)
    return None if read == _NO_VARIANT else read


def _category(config: dict[str, Any]) -> str | None:
    """The category's name; its id where a later plugin gives nothing else."""
    update = config.get("category_update")
    named = values.text(config.get("category_name"))
    if named is None and isinstance(update, dict):
        named = values.text(update.get("name"))
    return named or values.text(config.get("category_id"))


def _product(update: dict[str, Any], product_id: str | None, page: PageAddress) -> ProductFacts:
    return ProductFacts(
        product_id=values.identifier(update.get("product_id")) or product_id,
        variant_id=_variant(update.get("variant_id")),
        name=values.text(update.get("name")) or values.text(update.get("title")),
        price=values.price(update.get("price")),
        full_price=values.price(update.get("full_price")),
        currency=values.currency(update.get("currency")),
        photo_url=page.resolve(update.get("photo_url")),
        link=page.product_link(update.get("link")),
        brand=values.text(update.get("brand")),
        description=values.text(update.get("description"), values.MAX_DESCRIPTION),
        categories=tuple(_categories(update)),
        available=values.availability(update.get("available")),
        stock=values.stock(update.get("stock")),
        rating=values.rating(update.get("rating"), 100),
    )


def _categories(update: dict[str, Any]) -> list[str]:
    """The categories of all three dialects, the guide's first."""
    named = [
        update.get(key) for key in ("category_1", "category_2", "category_3", "category_4", "main_category")
    ]
    for key in ("categories", "category_ids"):
        named += values.each(update.get(key))
    texts = (values.text(name) for name in named[:MAX_VARIANTS])
    return list(dict.fromkeys(text for text in texts if text is not None))


def _order(details: dict[str, Any], order_id: Any) -> dict[str, Any]:
    order: dict[str, Any] = _bounded(details, MAX_ORDER_DEPTH)
    read = values.identifier(order_id)
    if read is not None:
        order.setdefault("order_id", read)
    return order


def _bounded(value: Any, depth: int) -> Any:
    """A copy that any encoder takes: nesting, lengths and texts cut."""
    if isinstance(value, dict):
        items = list(value.items())[:MAX_VARIANTS] if depth else []
        return {key[: values.MAX_TEXT]: _bounded(inner, depth - 1) for key, inner in items}
    if isinstance(value, list):
        return [_bounded(inner, depth - 1) for inner in value[:MAX_VARIANTS]] if depth else []
    return value[: values.MAX_RAW] if isinstance(value, str) else value
