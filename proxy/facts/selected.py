"""What the operator's selectors matched (``[[pages]] facts``): it wins over what the page says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from proxy.facts import config, values
from proxy.facts.address import PageAddress, clean
from proxy.facts.model import PageFacts, ProductFacts
from proxy.facts.schemaorg import is_home

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.models import PageKind

FACT_NAMES: Final = (
    "product_id", "variant_id", "name", "price", "full_price", "currency", "photo_url", "link", "brand",
    "description", "categories", "available", "stock", "rating", "category_name", "term", "user_id",
)  # fmt: skip
"""The facts that a selector may find."""

MAX_MATCHES: Final = 20
"""Matches of one selector that are read: the steps of a breadcrumb trail."""


def apply(facts: PageFacts, found: dict[str, list[bytes]], *, charset: str, page: PageAddress) -> PageFacts:
    """The facts with the selected ones put in.

    A selected product id makes the page a product's; where the page doesn't say what it is, a
    category's name or a search term does as much.
    """
    texts = {
        name: [text for raw in matches[:MAX_MATCHES] if (text := values.unescape(raw, charset).strip())]
        for name, matches in found.items()
    }
    first = {name: matches[0] for name, matches in texts.items() if matches}
    if not first:
        return facts
    page_fields: dict[str, Any] = {
        "product_id": values.identifier(first.get("product_id")),
        "variant_id": values.identifier(first.get("variant_id")),
        "category_name": values.text(first.get("category_name")),
        "term": clean(first.get("term", "")) or None,
        "user_id": config.user_id(first.get("user_id")),
    }
    page_fields = {name: value for name, value in page_fields.items() if value is not None}
    kind = _kind(facts.kind, page_fields)
    if kind != facts.kind:
        facts = PageFacts(kind=kind, user_id=facts.user_id, order=facts.order, why="selectors")
    product = _product_fields(first, texts, page)
    if product or "product_id" in page_fields:
        ids = {"product_id": page_fields["product_id"]} if "product_id" in page_fields else {}
        if len(facts.products) < 2 and "variant_id" in page_fields:  # noqa: PLR2004 - of several, whose it is isn't known
            ids["variant_id"] = page_fields["variant_id"]
        known = facts.products or (ProductFacts(link=page.link),)
        page_fields["products"] = tuple(structs.replace(p, **{**product, **ids}) for p in known)
    return structs.replace(facts, **page_fields)


def _kind(known: PageKind | None, found: dict[str, Any]) -> PageKind | None:
    if "product_id" in found:
        return "product"
    if known is None and "category_name" in found:
        return "category"
    if known is None and "term" in found:
        return "search"
    return known


def _product_fields(first: dict[str, str], texts: dict[str, list[str]], page: PageAddress) -> dict[str, Any]:
    """The product's readable fields."""
    readers: dict[str, Callable[[str], Any]] = {
        "name": values.text,
        "price": values.written_price,
        "full_price": values.written_price,
        "currency": values.currency,
        "photo_url": page.resolve,
        "link": page.product_link,
        "brand": values.text,
        "description": lambda text: values.text(text, values.MAX_DESCRIPTION),
        "available": values.availability,
        "stock": lambda text: None if (n := values.written_price(text)) is None else int(n),
        "rating": values.rating,
    }
    fields = {name: reader(first[name]) for name, reader in readers.items() if name in first}
    if "currency" not in fields and "price" in first:
        fields["currency"] = values.currency(first["price"])
    steps = [step for step in map(values.text, texts.get("categories", [])) if step is not None]
    if steps and is_home(steps[0]):
        del steps[0]
    fields["categories"] = tuple(step for step in steps if step != fields.get("name"))
    return {name: value for name, value in fields.items() if value not in (None, ())}
