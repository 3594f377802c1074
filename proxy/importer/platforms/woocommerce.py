"""WooCommerce: Products > Export (CSV, English column names)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.api import NO_VARIANTS
from proxy.importer.platforms.platform import UNTRACKED, Fields, Index, Platform, Skipped, cell, deepest, row

if TYPE_CHECKING:
    from proxy.importer.columns import Row

PARENTS: Final = frozenset({"variable", "grouped"})
COMMA: Final = re.compile(r"(?<!\\),")  # WooCommerce writes a comma within a name as \,
BREAK: Final = re.compile(r"(?<!\\)\\n")
VALUES: Final = {"color": ("color", "colour", "farbe", "couleur"), "size": ("size", "größe", "taille")}
MAX_ATTRIBUTES: Final = 12
"""Attribute columns that are looked at."""


def _types(fields: Fields) -> set[str]:
    return {name.strip() for name in cell(fields, "Type").split(",")}


def _common(fields: Fields) -> Row:
    paths = COMMA.sub("\n", cell(fields, "Categories")).replace("\\,", ",")
    return row(
        category=deepest(paths, "\n", ">"),
        brand=cell(fields, "Brands").partition(",")[0],
        # WooCommerce writes a line break as \n, and a \n as \\n.
        description=BREAK.sub("\n", cell(fields, "Description") or cell(fields, "Short description")),
        photo_url=COMMA.split(cell(fields, "Images"))[0].strip(),
    )


def _remember(fields: Fields, index: Index) -> None:
    if "variable" in _types(fields):
        kept = {**_common(fields), "id": cell(fields, "ID"), "name": cell(fields, "Name")}
        kept.pop("description", None)  # the longest by far
        for key in (f"id:{cell(fields, 'ID')}", cell(fields, "SKU")):
            if key:
                index.put(key, kept)


def _turn(fields: Fields, index: Index) -> Row:
    types = _types(fields)
    if types & PARENTS:
        raise Skipped("products that are sold as their variations")
    if cell(fields, "Published") == "-1":
        raise Skipped("drafts")
    parent = index.get(cell(fields, "Parent")) if "variation" in types else {}
    own = cell(fields, "ID")
    product = parent.get("id", own)
    sale, regular = cell(fields, "Sale price"), cell(fields, "Regular price")
    return {
        **{name: value for name, value in parent.items() if name != "id"},
        **_common(fields),
        **row(
            product_id=product,
            variant_id=own if parent else NO_VARIANTS,
            name=cell(fields, "Name") or parent.get("name"),
            price=sale or regular,
            full_price=regular if sale else "",
            stock=cell(fields, "Stock") or _stock(fields),
            available=_flag(cell(fields, "Published") in {"1", ""} and cell(fields, "In stock?") != "0"),
            link=f"/?post_type=product&p={product}",
            **_attributes(fields),
        ),
    }


def _stock(fields: Fields) -> str:
    return "0" if cell(fields, "In stock?") == "0" else str(UNTRACKED)


def _flag(value: object) -> str:
    return "true" if value else "false"


def _attributes(fields: Fields) -> dict[str, str]:
    """Colour and size, where each is one value."""
    found = {}
    for number in range(1, MAX_ATTRIBUTES):
        name = cell(fields, f"Attribute {number} name").casefold().removeprefix("pa_")
        if not name:
            break
        value = cell(fields, f"Attribute {number} value(s)")
        for field, words in VALUES.items():
            if name in words and value and "," not in value:
                found[field] = value
    return found


EXPORTS: Final = (
    Platform(
        "woocommerce",
        "products",
        frozenset({"ID", "Type", "SKU", "Name", "Published", "Regular price"}),
        (
            ("ID", "product_id (a variation's: Parent)"),
            ("ID", "variant_id (of variations)"),
            ("Name", "name"),
            ("Categories", "category_1 to 4: the deepest path"),
            ("Sale price or Regular price", "price"),
            ("Regular price", "full_price (of what is on sale)"),
            ("Stock", "stock (999 where it isn't counted)"),
            ("Images", "photo_url: the first"),
            ("ID", "link: /?post_type=product&p=ID"),
            ("Published and In stock?", "available"),
        ),
        _turn,
        index=_remember,
    ),
)
