"""What the engine answers: the guide's JSON, byte by byte.

The guide's quirks are kept, as clients rely on them: ``price`` is a number in recommendation lists and
a text with two decimals in the list of recent products, which alone has ``variant_id`` and ``extra``.
A *rich* card, for clients that ask for a representation, also has the fields of later dialects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

EXACT: Final = 2**53
"""Below this every integer has a float of its own (IEEE 754), and so in every JSON reader."""
_RICH: Final = ("full_price", "brand", "rating", "stock")

encode: Final = msgspec.json.Encoder().encode


def card(product_id: str, fields: dict[str, Any], categories: Sequence[str], *, rich: bool) -> bytes:
    """One product of a recommendation list (guide, "Home pageview")."""
    shown: dict[str, Any] = {
        "link": fields.get("link"),
        "name": fields.get("name"),
        "price": _amount(fields.get("price")),
        "photo_url": fields.get("photo_url"),
        "category_1": categories[0] if categories else None,
        "product_id": product_id,
    }
    if rich:
        shown.update(_rich(fields))
    return encode(shown)


def recent_card(
    product_id: str,
    variant_id: str | None,
    fields: dict[str, Any],
    categories: Sequence[str],
    *,
    rich: bool,
) -> bytes:
    """One product of the list of recent ones."""
    price = fields.get("price")
    shown: dict[str, Any] = {
        "product_id": product_id,
        "variant_id": variant_id,
        "name": fields.get("name"),
        "price": None if price is None else f"{price:.2f}",
        "photo_url": fields.get("photo_url"),
        "link": fields.get("link"),
        "extra": fields.get("extra") or {},
    }
    if rich:
        shown["category_1"] = categories[0] if categories else None
        shown.update(_rich(fields))
    return encode(shown)


def banner_card(banner_id: str, fields: dict[str, Any]) -> bytes:
    """One banner (guide, "Home pageview")."""
    shown = {
        "link": fields.get("link"),
        "name": fields.get("name") or "",
        "banner_id": banner_id,
        "photo_url": fields.get("photo_url"),
    }
    if fields.get("extra"):
        shown["extra"] = fields["extra"]
    return encode(shown)


def array(items: Sequence[bytes]) -> bytes:
    """Encoded items as an encoded array."""
    return b"[" + b",".join(items) + b"]"


def document(parts: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Encoded values under plain names as an encoded object."""
    return b"{" + b",".join(b'"' + name + b'":' + value for name, value in parts) + b"}"


def category_row(name: str, link: str | None, products: bytes) -> bytes:
    """One row of ``category_product_skus``: a category that the visitor likes, and its encoded products."""
    return document(((b"name", encode(name)), (b"link", encode(link)), (b"products", products)))


def _rich(fields: dict[str, Any]) -> dict[str, Any]:
    found = {field: fields[field] for field in _RICH if fields.get(field) is not None}
    for field, value in found.items():
        if isinstance(value, float):
            found[field] = _amount(value)
    return found


def _amount(value: float | None) -> float | int | None:
    """A price of 1299 is written as ``1299``, as the guide shows it."""
    whole = value is not None and abs(value) < EXACT and float(value).is_integer()
    return int(value) if whole and value is not None else value
