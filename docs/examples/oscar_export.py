"""Writes django-oscar's products, users and orders down for ``datacue-proxy import``.

    DJANGO_SETTINGS_MODULE=shop.settings python oscar_export.py exported

makes exported/products.jsonl, users.jsonl and orders.jsonl; then

    datacue-proxy import products exported/products.jsonl
    datacue-proxy import users exported/users.jsonl
    datacue-proxy import orders exported/orders.jsonl

A product is known by its number, as in its address, and a customer by the email address that is typed in
to log in: so visits that the proxy sees belong to the same ones. Rows come from the database one chunk at
a time, however many there are.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django

CHUNK = 500
"""Rows that are asked for at a time."""

UNCOUNTED = 999
"""Stock that is told of products which the shop doesn't count."""


def products():
    """Each product that can be bought: with its parent's number and texts if it is a variant."""
    from oscar.apps.partner.strategy import Selector
    from oscar.core.loading import get_model

    strategy = Selector().strategy()
    Product = get_model("catalogue", "Product")
    rows = Product.objects.exclude(structure=Product.PARENT).select_related("parent", "product_class")
    rows = rows.prefetch_related(
        "categories", "images", "stockrecords", "parent__categories", "parent__images"
    )
    for row in rows.order_by("pk").iterator(CHUNK):
        whole = row.parent or row
        info = strategy.fetch_for_product(row)
        if not info.price.exists:
            continue
        price = info.price.incl_tax if info.price.is_tax_known else info.price.excl_tax
        yield {
            "product_id": str(whole.pk),
            "variant_id": str(row.pk) if row.parent else "no-variants",
            "category": path_of(whole),
            "name": row.get_title(),
            "description": row.description or whole.description,
            "price": str(price),
            "stock": in_stock(row, info),
            "available": row.is_public and whole.is_public and bool(info.availability.is_available_to_buy),
            "photo_url": photo_of(row) or photo_of(whole),
            "link": whole.get_absolute_url(),
        }


def path_of(product):
    """The names of its categories, from the top."""
    category = product.categories.first()
    if category is None:
        return ["Other"]
    return [*category.get_ancestors().values_list("name", flat=True), category.name]


def in_stock(product, info):
    """Pieces that can be bought."""
    if not product.get_product_class().track_stock:
        return UNCOUNTED
    return max(info.stockrecord.net_stock_level, 0)


def photo_of(product):
    """Where its first picture is."""
    image = min(product.images.all(), key=lambda one: one.display_order, default=None)
    return image.original.url if image else ""


def users():
    """Each customer."""
    from django.contrib.auth import get_user_model

    for user in get_user_model().objects.exclude(email="").order_by("pk").iterator(CHUNK):
        yield {
            "user_id": user.email,
            "email": user.email,
            "first_name": user.first_name or user.email.partition("@")[0],
            "last_name": user.last_name,
            "timestamp": user.date_joined.isoformat(),
        }


def orders():
    """Each order with its lines; what was deleted from the catalogue since is left out."""
    from oscar.core.loading import get_model

    rows = (
        get_model("order", "Order").objects.select_related("user").prefetch_related("lines__product__parent")
    )
    for order in rows.order_by("pk").iterator(CHUNK):
        yield {
            "order_id": order.number,
            "user_id": order.email or "no-user",
            "order_status": "cancelled" if (order.status or "").lower() == "cancelled" else "completed",
            "timestamp": order.date_placed.isoformat(),
            "cart": [line_of(line) for line in order.lines.all() if line.product],
        }


def line_of(line):
    """A line of an order."""
    parent = line.product.parent
    return {
        "product_id": str((parent or line.product).pk),
        "variant_id": str(line.product.pk) if parent else "no-variants",
        "quantity": line.quantity,
        "unit_price": str(line.unit_price_incl_tax or line.line_price_incl_tax / line.quantity),
    }


def main(folder):
    """Writes all files."""
    django.setup()
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, rows in (("products", products()), ("users", users()), ("orders", orders())):
        with Path(folder, f"{name}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


if __name__ == "__main__":
    main(sys.argv[1])
