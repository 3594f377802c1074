"""What the guide asks of each resource: its fields, which of them must be there, which of them are ids.

Beside the guide's own fields stand those that later clients send (``full_price``, ``rating``, …).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, get_args

from proxy.api import KINDS, Kind, KindName
from proxy.importer import values
from proxy.importer.amounts import money
from proxy.importer.moments import moment

Resource = KindName
RESOURCES: Final[tuple[Resource, ...]] = get_args(Resource)

Verb = Literal["create", "update", "delete"]

Reader = Callable[[Any], Any]

TABLES: Final = frozenset({"extra", "category_extra", "profile"})
"""Fields that are objects; a column may hold one key of theirs, as ``extra.discount``."""

LEVELS: Final = 4
"""Categories that have a field of their own; deeper ones are in ``category_extra``."""

CATEGORY: Final = "category"
"""Not a field, but a column: the path of categories, as ``Men > Jeans > Skinny``."""


class Spec(NamedTuple):
    """A resource.

    Attributes:
        kind: as the REST client knows it.
        fields: all of its fields, and how their values are read.
        pseudo: columns that stand for several fields.
    """

    kind: Kind
    fields: dict[str, Reader]
    pseudo: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """What it is known by."""
        return self.kind.ids

    @property
    def required(self) -> tuple[str, ...]:
        """What a new one must have, in the guide's order."""
        return (*self.kind.ids, *self.kind.required)

    def knows(self, name: str) -> bool:
        """Whether a column can be meant for this field, or for a key in it."""
        table, dot, key = name.partition(".")
        held = bool(dot and key) and table in TABLES and table in self.fields
        return held or name in self.fields or name in self.pseudo


_LEVELS: Final[dict[str, Reader]] = {f"category_{level}": values.prose for level in range(1, LEVELS + 1)}

LINE: Final[dict[str, Reader]] = {
    "product_id": values.ident,
    "variant_id": values.ident,
    "quantity": values.pieces,
    "unit_price": money,
    "currency": values.text,
}
"""A line of an order (guide, "cart items")."""

LINE_REQUIRED: Final = ("product_id", "variant_id", "quantity", "unit_price")

GUIDE: Final[dict[Resource, Spec]] = {
    "products": Spec(
        KINDS["products"],
        {
            "product_id": values.ident,
            "variant_id": values.ident,
            **_LEVELS,
            "category_extra": values.table,
            "main_category": values.prose,
            "categories": values.texts,
            "category_ids": values.texts,
            "name": values.prose,
            "brand": values.prose,
            "description": values.prose,
            "color": values.text,
            "size": values.text,
            "type": values.text,
            "tags": values.texts,
            "price": money,
            "full_price": money,
            "rating": values.number,
            "available": values.flag,
            "stock": values.stock,
            "extra": values.table,
            "photo_url": values.url,
            "link": values.url,
            "owner_id": values.ident,
        },
        (CATEGORY,),
    ),
    "categories": Spec(
        KINDS["categories"],
        {"category_id": values.ident, "name": values.prose, "link": values.url},
    ),
    "users": Spec(
        KINDS["users"],
        {
            "user_id": values.ident,
            "anonymous_id": values.ident,
            "anonymous_ids": values.texts,
            "email": values.email,
            "title": values.text,
            "first_name": values.text,
            "last_name": values.text,
            "profile": values.table,
            "email_subscriber": values.flag,
            "guest_account": values.flag,
            "cart": values.rows,
            "wishlist": values.rows,
            "timestamp": moment,
        },
    ),
    "orders": Spec(
        KINDS["orders"],
        {
            "order_id": values.ident,
            "user_id": values.ident,
            "order_status": values.one_of(
                completed="completed", complete="completed", cancelled="cancelled", canceled="cancelled"
            ),
            "cart": values.rows,
            "timestamp": moment,
        },
        tuple(LINE),
    ),
    "banners": Spec(
        KINDS["banners"],
        {
            "banner_id": values.ident,
            "type": values.one_of(main="main", sub="sub", wide="main", narrow="sub"),
            "name": values.prose,
            **_LEVELS,
            "photo_url": values.url,
            "link": values.url,
            "extra": values.table,
        },
        (CATEGORY,),
    ),
}
