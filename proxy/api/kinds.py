"""The kinds of resource, and how an item of each is read: one table for single calls and for batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from proxy.api import values
from proxy.api.errors import InvalidInput
from proxy.api.items import NO_VARIANTS, Banner, Category, Fields, Item, Order, Product, User, read_fields
from proxy.api.values import NO_USER

KindName = Literal["products", "categories", "users", "orders", "banners"]
"""A kind of resource, by its path."""


class Kind(NamedTuple):
    """A kind of resource; prints as its name.

    Attributes:
        name: its path.
        ids: the fields that name one, the first of which must always be there.
        item: its class.
        required: what the guide says a creation must have, besides the ids. An import asks for it;
            here it is the vendor's to insist, as later clients leave some out.
    """

    name: KindName
    ids: tuple[str, ...]
    item: type[Item]
    required: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Kind({self.name})"


KINDS: Final[Mapping[KindName, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            "products",
            ("product_id", "variant_id"),
            Product,
            ("category_1", "name", "price", "stock", "photo_url", "link"),
        ),
        Kind("categories", ("category_id",), Category, ("name",)),
        Kind("users", ("user_id",), User, ("first_name",)),
        Kind("orders", ("order_id",), Order, ("user_id",)),
        Kind("banners", ("banner_id",), Banner, ("type", "category_1", "photo_url", "link")),
    )
}


def kind_of(name: str) -> Kind:
    """A kind by its name.

    Raises:
        InvalidInput: there is none of that name.
    """
    for known, kind in KINDS.items():
        if known == name:
            return kind
    raise InvalidInput("type", f"expected one of {', '.join(KINDS)}, got {name!r}")


def read_item(kind: Kind, given: object, *, creating: bool) -> Fields:
    """What is sent for an item.

    Args:
        kind: what it is.
        given: an instance of the kind's class, or a mapping.
        creating: an order then needs its user, and is a guest's if nobody is named.

    Raises:
        InvalidInput: a value can't be sent, or an id is missing.
    """
    found = read_fields(kind.item, given, "")
    if kind.name == "products" and not found.get("variant_id"):
        found["variant_id"] = NO_VARIANTS
    if kind.name == "orders" and creating and "user_id" not in found:
        found["user_id"] = NO_USER
    require_ids(kind, found)
    return found


def read_ids(kind: Kind, given: object) -> Fields:
    """The id fields of an item that is to be deleted: of a bare id, ids in a tuple, or an item.

    A product without a variant means all of its variants.

    Raises:
        InvalidInput: an id is missing, or there are too many.
    """
    if isinstance(given, Mapping | Struct):
        named = read_fields(kind.item, given, "")
        found = {field: named[field] for field in kind.ids if named.get(field)}
    else:
        ids = given if isinstance(given, tuple) else (given,)
        if len(ids) > len(kind.ids):
            raise InvalidInput("", f"expected {' and '.join(kind.ids)}, got {len(ids)} ids")
        read = zip(kind.ids, ids, strict=False)
        found = {field: values.ident(value, field) for field, value in read if value is not None}
    require_ids(kind, found)
    return found


def require_ids(kind: Kind, fields: Fields) -> None:
    """Refuses a nameless item: an empty id would make a path that means all of its kind."""
    if not fields.get(kind.ids[0]):
        raise InvalidInput(kind.ids[0], "expected an id, got nothing")
    for field in kind.ids[1:]:
        if field in fields and not fields[field]:
            raise InvalidInput(field, "expected an id, got nothing")
