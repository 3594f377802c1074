"""Which product an order's line means, where it says the stock-keeping unit alone: by a file of products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.api import NO_VARIANTS
from proxy.importer.columns import normalized
from proxy.importer.platforms import Index

if TYPE_CHECKING:
    from proxy.importer.files import File

UNITS: Final = frozenset({"sku", "variant_sku", "reference", "model"})
"""Columns that hold it, normalized."""


def read_catalogue(file: File) -> Index:
    """A product's ids by its unit, and by the name under which lines without one have it.

    Args:
        file: an export of products.

    Raises:
        SettingsError: it can't be read, or holds too many.
    """
    index = Index()
    for bundle in file.bundles():
        [record], [row] = bundle.records, bundle.rows
        product = row.get("product_id")
        if record.broken or not product:
            continue
        ids = {"product_id": product, "variant_id": row.get("variant_id") or NO_VARIANTS}
        units = [str(value) for name, value in record.fields.items() if normalized(name) in UNITS and value]
        for key in (*units, str(row.get("name") or "")):
            if key and not index.get(key):
                index.put(key, ids)
    return index
