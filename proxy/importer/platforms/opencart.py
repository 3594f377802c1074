"""OpenCart: the Products sheet of its Export/Import tool, saved as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.api import NO_VARIANTS
from proxy.importer.platforms.platform import Fields, Index, Platform, cell, row

if TYPE_CHECKING:
    from proxy.importer.columns import Row


def _spoken(fields: Fields, name: str) -> str:
    """A text of the shop's first language, whose column is ``name(en-gb)``."""
    own = next((column for column in fields if column == name or column.startswith(f"{name}(")), "")
    return cell(fields, own)


def _product(fields: Fields, _index: Index) -> Row:
    product = cell(fields, "product_id")
    image = cell(fields, "image_name")
    return row(
        product_id=product,
        variant_id=NO_VARIANTS,
        # The sheet has the categories' numbers alone.
        category_1=cell(fields, "categories").partition(",")[0],
        name=_spoken(fields, "name"),
        brand=cell(fields, "manufacturer"),
        description=_spoken(fields, "description"),
        price=cell(fields, "price"),
        stock=cell(fields, "quantity"),
        available=cell(fields, "status"),
        photo_url=image if "//" in image or not image else f"/image/{image}",
        link=f"/index.php?route=product/product&product_id={product}" if product else "",
    )


EXPORTS: Final = (
    Platform(
        "opencart",
        "products",
        frozenset({"product_id", "model", "image_name", "quantity", "categories"}),
        (
            ("product_id", "product_id, and link: /index.php?route=product/product&product_id=ID"),
            ("name(…)", "name"),
            ("categories", "category_1: the first number"),
            ("manufacturer", "brand"),
            ("description(…)", "description"),
            ("price", "price"),
            ("quantity", "stock"),
            ("status", "available"),
            ("image_name", "photo_url: /image/NAME"),
        ),
        _product,
    ),
)
