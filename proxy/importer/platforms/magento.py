"""Magento 2: System > Export of products and of customers (CSV)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.api import NO_VARIANTS
from proxy.importer.platforms.platform import Fields, Index, Platform, Skipped, cell, deepest, row

if TYPE_CHECKING:
    from proxy.importer.columns import Row

COMPOSED: Final = frozenset({"configurable", "grouped", "bundle"})
"""Products that have no stock of their own."""

DEFAULT_ROOT: Final = "Default Category"


def _children(fields: Fields) -> list[str]:
    """``sku=A-S,size=S|sku=A-M,size=M`` as the children's numbers."""
    found = []
    for variation in cell(fields, "configurable_variations").split("|"):
        name, _, value = variation.partition(",")[0].partition("=")
        if name.strip() == "sku" and value.strip():
            found.append(value.strip())
    return found


def _common(fields: Fields) -> Row:
    path = deepest(cell(fields, "categories"), ",", "/")
    image = cell(fields, "base_image")
    key = cell(fields, "url_key")
    return row(
        category=path.removeprefix(f"{DEFAULT_ROOT} > "),
        photo_url=image if "//" in image or not image else f"/media/catalog/product/{image.lstrip('/')}",
        link=f"/{key}.html" if key else "",
    )


def _remember(fields: Fields, index: Index) -> None:
    if cell(fields, "store_view_code") or cell(fields, "product_type") != "configurable":
        return
    kept = {**_common(fields), "product_id": cell(fields, "sku"), "name": cell(fields, "name")}
    for child in _children(fields):
        index.put(child, kept)


def _turn(fields: Fields, index: Index) -> Row:
    if cell(fields, "store_view_code"):
        raise Skipped("translations")
    if cell(fields, "product_type") in COMPOSED:
        raise Skipped("products that are sold as their parts")
    sku = cell(fields, "sku")
    parent = index.get(sku)
    if not parent and cell(fields, "visibility") == "Not Visible Individually":
        raise Skipped("parts that are not sold alone")
    own = _common(fields)
    if parent:
        own.pop("link", None)  # a child has no page of its own
    attributes = dict(
        part.partition("=")[::2] for part in cell(fields, "additional_attributes").split(",") if "=" in part
    )
    special, price = cell(fields, "special_price"), cell(fields, "price")
    return {
        **parent,
        **own,
        **row(
            product_id=parent.get("product_id", sku),
            variant_id=sku if parent else NO_VARIANTS,
            name=parent.get("name") or cell(fields, "name"),
            brand=attributes.get("manufacturer") or attributes.get("brand"),
            color=attributes.get("color"),
            size=attributes.get("size"),
            description=cell(fields, "description") or cell(fields, "short_description"),
            price=special or price,
            full_price=price if special else "",
            stock=cell(fields, "qty").partition(".")[0],
            available="true" if _is_sold(fields) else "false",
        ),
    }


def _is_sold(fields: Fields) -> bool:
    return cell(fields, "product_online") != "2" and cell(fields, "is_in_stock") != "0"  # 1 is on, 2 is off


def _customer(fields: Fields, _index: Index) -> Row:
    email = cell(fields, "email")
    return row(
        user_id=cell(fields, "entity_id") or email,
        email=email,
        title=cell(fields, "prefix"),
        first_name=cell(fields, "firstname"),
        last_name=cell(fields, "lastname"),
        timestamp=cell(fields, "created_at"),
        **{"profile.sex": cell(fields, "gender")},
    )


EXPORTS: Final = (
    Platform(
        "magento",
        "products",
        frozenset({"sku", "product_type", "store_view_code", "name", "price", "url_key"}),
        (
            ("sku", "product_id (a child's: its configurable parent's)"),
            ("sku", "variant_id (of children)"),
            ("name", "name (the parent's)"),
            ("categories", "category_1 to 4: the deepest path"),
            ("special_price or price", "price"),
            ("price", "full_price (of what is on sale)"),
            ("qty", "stock"),
            ("base_image", "photo_url: /media/catalog/product/…"),
            ("url_key", "link: /KEY.html (the parent's)"),
            ("product_online and is_in_stock", "available"),
            ("additional_attributes", "color, size, brand"),
        ),
        _turn,
        index=_remember,
    ),
    Platform(
        "magento",
        "users",
        frozenset({"email", "firstname", "lastname", "_website"}),
        (
            ("entity_id or email", "user_id"),
            ("email", "email"),
            ("firstname", "first_name"),
            ("lastname", "last_name"),
            ("created_at", "timestamp"),
            ("gender", "profile.sex"),
        ),
        _customer,
    ),
)
