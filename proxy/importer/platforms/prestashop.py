"""PrestaShop: the exports of the product list and of the customer list (CSV), and its import's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.api import NO_VARIANTS
from proxy.importer.platforms.platform import Fields, Index, Platform, cell, row

if TYPE_CHECKING:
    from proxy.importer.columns import Row

BEFORE_TAX: Final = ("Price (tax excl.)", "Price tax excluded", "Price (tax excluded)")
WITH_TAX: Final = ("Price (tax incl.)", "Price tax included", "Final price", "Price (tax included)")


def _first(fields: Fields, *names: str) -> str:
    return next((found for name in names if (found := cell(fields, name))), "")


def _product(fields: Fields, _index: Index) -> Row:
    product = _first(fields, "Product ID", "ID")
    category = _first(fields, "Category", "Categories (x,y,z...)", "Categories")
    return row(
        product_id=product,
        variant_id=NO_VARIANTS,
        category=category.partition(",")[0].replace("/", ">"),
        name=_first(fields, "Name", "Name *", "Product Name"),
        brand=_first(fields, "Manufacturer", "Brand"),
        description=_first(fields, "Description", "Short description", "Summary"),
        price=_first(fields, *WITH_TAX) or _first(fields, *BEFORE_TAX),
        stock=cell(fields, "Quantity"),
        available=_first(fields, "Status", "Active (0/1)", "Active", "Enabled"),
        photo_url=_first(fields, "Image", "Image URLs (x,y,z...)", "Image URL").partition(",")[0],
        link=f"/index.php?controller=product&id_product={product}" if product else "",
    )


def _customer(fields: Fields, _index: Index) -> Row:
    return row(
        user_id=cell(fields, "ID"),
        email=_first(fields, "Email address", "Email"),
        title=_first(fields, "Social title", "Title"),
        first_name=cell(fields, "First name"),
        last_name=cell(fields, "Last name"),
        email_subscriber=cell(fields, "Newsletter"),
        timestamp=_first(fields, "Registration", "Registration date"),
        **{"profile.segment": cell(fields, "Group")},
    )


_SAYS: Final = (
    ("Product ID", "product_id, and link: /index.php?controller=product&id_product=ID"),
    ("Name", "name"),
    ("Category", "category_1: the first"),
    ("Price with tax, or else without", "price"),
    ("Quantity", "stock"),
    ("Image", "photo_url"),
    ("Status or Active", "available"),
)

EXPORTS: Final = (
    Platform(
        "prestashop", "products", frozenset({"Product ID", "Name", "Reference", "Quantity"}), _SAYS, _product
    ),
    Platform(
        "prestashop",
        "products",
        frozenset({"Product ID", "Active (0/1)", "Name *", "Quantity"}),
        _SAYS,
        _product,
    ),
    Platform(
        "prestashop",
        "users",
        frozenset({"ID", "First name", "Last name", "Email address", "Newsletter"}),
        (
            ("ID", "user_id"),
            ("Email address", "email"),
            ("Social title", "title"),
            ("First name", "first_name"),
            ("Last name", "last_name"),
            ("Newsletter", "email_subscriber"),
            ("Registration", "timestamp"),
            ("Group", "profile.segment"),
        ),
        _customer,
    ),
)
