"""Shopify: the admin's exports of products, customers and orders (CSV)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.api import NO_VARIANTS
from proxy.importer.platforms.platform import UNTRACKED, Fields, Index, Platform, Skipped, cell, row

if TYPE_CHECKING:
    from proxy.importer.columns import Row

DEFAULT: Final = "Default Title"
"""Shopify's only variant of a product that has none."""

GONE: Final = frozenset({"refunded", "voided"})
"""Payments of orders that came to nothing."""


def _product(fields: Fields, _index: Index) -> Row:
    price = cell(fields, "Variant Price")
    if not price:
        raise Skipped("further pictures")
    if cell(fields, "Status").casefold() == "draft":
        raise Skipped("drafts")
    handle = cell(fields, "Handle")
    options = [cell(fields, f"Option{number} Value") for number in (1, 2, 3)]
    title = " / ".join(option for option in options if option)
    was = cell(fields, "Variant Compare At Price")
    # Shops with several locations have their stock in a file of its own, and no such column here.
    counted = cell(fields, "Variant Inventory Tracker") and "Variant Inventory Qty" in fields
    named = {cell(fields, f"Option{number} Name").casefold(): options[number - 1] for number in (1, 2, 3)}
    return row(
        product_id=handle,
        variant_id=cell(fields, "Variant SKU") or (NO_VARIANTS if title in {"", DEFAULT} else title),
        category=cell(fields, "Product Category") or cell(fields, "Type"),
        name=cell(fields, "Title"),
        brand=cell(fields, "Vendor"),
        description=cell(fields, "Body (HTML)"),
        color=named.get("color") or named.get("colour"),
        size=named.get("size"),
        price=price,
        full_price=was,
        stock=cell(fields, "Variant Inventory Qty") or ("0" if counted else str(UNTRACKED)),
        available="true" if _is_shown(fields) else "false",
        photo_url=cell(fields, "Variant Image") or cell(fields, "Image Src"),
        link=f"/products/{handle}" if handle else "",
    )


def _is_shown(fields: Fields) -> bool:
    status = cell(fields, "Status").casefold() in {"", "active"}
    return status and cell(fields, "Published").casefold() in {"", "true"}


def _customer(fields: Fields, _index: Index) -> Row:
    first, last = cell(fields, "First Name"), cell(fields, "Last Name")
    email = cell(fields, "Email")
    return row(
        # Orders know their customer by the address alone.
        user_id=email or cell(fields, "Customer ID").lstrip("'"),
        email=email,
        first_name=first or last or email.partition("@")[0],
        last_name=last if first else "",
        email_subscriber=cell(fields, "Accepts Email Marketing") or cell(fields, "Accepts Marketing"),
        **{"profile.location": cell(fields, "Default Address City") or cell(fields, "City")},
    )


def _order(fields: Fields, _index: Index) -> Row:
    cancelled = cell(fields, "Cancelled at") or cell(fields, "Financial Status").casefold() in GONE
    return row(
        order_id=cell(fields, "Name"),
        user_id=cell(fields, "Email"),
        timestamp=cell(fields, "Created at"),
        order_status="cancelled" if cancelled else "",
        product_id=cell(fields, "Lineitem sku") or cell(fields, "Lineitem name"),
        variant_id=cell(fields, "Lineitem sku"),
        quantity=cell(fields, "Lineitem quantity"),
        unit_price=cell(fields, "Lineitem price"),
    )


EXPORTS: Final = (
    Platform(
        "shopify",
        "products",
        frozenset({"Handle", "Title", "Body (HTML)", "Variant Price"}),
        (
            ("Handle", "product_id, and link: /products/HANDLE"),
            ("Variant SKU", "variant_id (or its options)"),
            ("Title", "name"),
            ("Product Category or Type", "category_1 to 4"),
            ("Vendor", "brand"),
            ("Body (HTML)", "description"),
            ("Variant Price", "price"),
            ("Variant Compare At Price", "full_price"),
            ("Variant Inventory Qty", "stock (999 where it isn't counted)"),
            ("Variant Image or Image Src", "photo_url"),
            ("Status and Published", "available"),
        ),
        _product,
        carried=(
            "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Published", "Status", "Image Src",
            "Option1 Name", "Option2 Name", "Option3 Name",
        ),
        group="Handle",
    ),
    Platform(
        "shopify",
        "users",
        frozenset({"First Name", "Last Name", "Email", "Tax Exempt", "Total Spent"}),
        (
            ("Email", "user_id (as in orders), and email"),
            ("First Name", "first_name"),
            ("Last Name", "last_name"),
            ("Accepts Email Marketing", "email_subscriber"),
            ("Default Address City", "profile.location"),
        ),
        _customer,
    ),
    Platform(
        "shopify",
        "orders",
        frozenset({"Name", "Email", "Financial Status", "Lineitem quantity", "Lineitem price"}),
        (
            ("Name", "order_id; rows of one order follow one another"),
            ("Email", "user_id"),
            ("Created at", "timestamp"),
            ("Lineitem sku", "the line's product_id (by --products: its Handle) and variant_id"),
            ("Lineitem quantity", "quantity"),
            ("Lineitem price", "unit_price"),
            ("Cancelled at, Financial Status", "order_status"),
        ),
        _order,
        grouped=True,
    ),
)  # fmt: skip
