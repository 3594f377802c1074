"""Resources as clients send them over the REST API (guide, "Products" to "Orders").

A resource becomes a dict of the guide's field names with clean values: what is absent stays absent,
so that an update can be laid over what is stored. A field that was sent as null is None: an update
with it clears the field.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from proxy.engine.refusals import FieldRefused
from proxy.engine.wire import values
from proxy.engine.wire.events import CartLine, read_cart

NO_VARIANTS: Final = "no-variants"
"""The variant id of products that have none (guide, "Create Product")."""
BANNER_TYPES: Final = {"main": "main", "sub": "sub", "wide": "main", "narrow": "sub"}
ORDER_STATES: Final = {"completed": "completed", "cancelled": "cancelled", "canceled": "cancelled"}

_PRODUCT_TEXTS: Final = (
    "category_1", "category_2", "category_3", "category_4", "main_category",
    "name", "brand", "description", "color", "size", "type", "photo_url", "link", "owner_id",
)  # fmt: skip
_BANNER_TEXTS: Final = ("name", "category_1", "category_2", "category_3", "category_4", "photo_url", "link")
_USER_TEXTS: Final = ("email", "title", "first_name", "last_name")


class Order(Struct, frozen=True):
    """An order, or what an update says about one: ``cart`` None leaves the stored one."""

    order_id: str
    user_id: str | None = None
    status: str | None = None
    cart: tuple[CartLine, ...] | None = None
    time: float | None = None


def read_product(
    document: object, product_id: str | None = None, variant_id: str | None = None
) -> values.Fields:
    """A product variant; ids from the URL win over those in the body."""
    source = values.fields(document, "product")
    found: values.Fields = {
        "product_id": product_id or values.required_ident(source, "product_id"),
        "variant_id": variant_id or values.ident(source, "variant_id") or NO_VARIANTS,
    }
    for field in _PRODUCT_TEXTS:
        if field in source:
            found[field] = values.text(source, field)
    if "price" in source:
        found["price"] = values.number(source, "price", least=0)
    if "full_price" in source:
        found["full_price"] = values.number(source, "full_price", least=0)
    if "rating" in source:
        found["rating"] = values.number(source, "rating", least=0)
    if "stock" in source:
        found["stock"] = values.number(source, "stock")
    if "available" in source:
        found["available"] = values.flag(source, "available")
    for field in ("extra", "category_extra"):
        if field in source:
            found[field] = values.mapping(source, field)
    for field in ("categories", "category_ids", "tags"):
        if field in source:
            found[field] = list(values.texts(source, field)) or None
    return found


def read_banner(document: object, banner_id: str | None = None, *, update: bool = False) -> values.Fields:
    """A banner. On creation its type, photo and link must be there."""
    source = values.fields(document, "banner")
    found: values.Fields = {"banner_id": banner_id or values.required_ident(source, "banner_id")}
    for field in _BANNER_TEXTS:
        if field in source:
            found[field] = values.text(source, field)
    if not update or "type" in source:
        name = values.text(source, "type")
        if name not in BANNER_TYPES:
            raise FieldRefused("type", name, "main or sub")
        found["type"] = BANNER_TYPES[name]
    for field in ("photo_url", "link"):
        if (not update or field in source) and not found.get(field):
            raise FieldRefused(field, found.get(field), "a URL, relative or absolute")
    if "extra" in source:
        found["extra"] = values.mapping(source, "extra")
    photos = "other_photos" if "other_photos" in source else "photos"  # the guide has both names
    if photos in source:
        found["other_photos"] = values.mapping(source, photos)
    return found


def read_user(document: object, user_id: str | None = None) -> values.Fields:
    """A user. A guest without an id is known by the email, as the plugins do it."""
    source = values.fields(document, "user")
    found: values.Fields = {
        "user_id": user_id or values.ident(source, "user_id") or values.ident(source, "email"),
    }
    if found["user_id"] is None:
        raise FieldRefused("user_id", source.get("user_id"), "an id as text or integer")
    for field in _USER_TEXTS:
        if field in source:
            found[field] = values.text(source, field)
    for field in ("email_subscriber", "guest_account"):
        if field in source:
            found[field] = values.flag(source, field)
    if "profile" in source:
        found["profile"] = values.mapping(source, "profile")
    names = (*values.texts(source, "anonymous_ids"), *values.texts(source, "anonymous_id"))
    if names:
        found["anonymous_ids"] = list(dict.fromkeys(names))
    for field in ("cart", "wishlist"):
        if field in source:
            lines = read_cart({"cart": source[field]}, "", required=False)
            found[field] = [[line.product_id, line.variant_id] for line in lines]
    if "timestamp" in source:
        found["timestamp"] = values.moment(source, "timestamp")
    return found


def read_order(document: object, order_id: str | None = None, *, update: bool = False) -> Order:
    """An order, or an update of one."""
    source = values.fields(document, "order")
    word = values.text(source, "order_status") or values.text(source, "status")
    if word is not None and word.strip().lower() not in ORDER_STATES:
        raise FieldRefused("order_status", word, "completed or cancelled")
    if update and word is None and "cart" not in source:
        raise FieldRefused("order_status", None, "completed or cancelled")
    status = None if word is None else ORDER_STATES[word.strip().lower()]
    cart = read_cart(source, "", required=False) if "cart" in source or not update else None
    return Order(
        order_id=order_id or values.required_ident(source, "order_id"),
        user_id=values.ident(source, "user_id"),
        status=status if update else status or "completed",
        cart=cart,
        time=values.moment(source, "timestamp"),
    )


def read_category(document: object, category_id: str | None = None) -> values.Fields:
    """A category: id, name and link."""
    source = values.fields(document, "category")
    found: values.Fields = {"category_id": category_id or values.required_ident(source, "category_id")}
    for field in ("name", "link"):
        if field in source:
            found[field] = values.text(source, field)
    return found


def overlay(stored: values.Fields | None, update: values.Fields) -> dict[str, Any]:
    """What is stored after an update: its fields win, and those sent as null are gone."""
    merged = {**(stored or {}), **update}
    return {field: value for field, value in merged.items() if value is not None}
