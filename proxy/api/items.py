"""What a shop has: products, categories, users, orders, banners, as the guide names their fields.

Each class says its fields' types; plain dicts with the same names do as well, and may be sloppy
(``values.py``). A field that isn't given isn't sent; None is sent, and clears it in an update. What a
class has no field for goes into ``more`` (in a dict: stays where it is) and is sent beside the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_type_hints

from msgspec import UNSET, Struct, UnsetType

from proxy.api import values
from proxy.api.errors import InvalidInput
from proxy.api.values import NO_USER, Reader

KindName = Literal["products", "categories", "users", "orders", "banners"]
"""A kind of resource, by its path."""

NO_VARIANTS: Final = "no-variants"
"""The variant id of products that have none (guide, "Create Product")."""

MAX_LINES: Final = 10_000
"""Lines of a cart: an order with more is a mistake, and would fill a batch by itself."""

Fields = dict[str, Any]
"""A JSON object, ready to be encoded."""


class CartLine(Struct, kw_only=True):
    """A product in a cart or order (guide, "cart items"). A user's cart needs the ids only."""

    product_id: Annotated[str, values.ident]
    variant_id: Annotated[str | UnsetType, values.ident] = UNSET
    quantity: Annotated[int | UnsetType, values.count] = UNSET
    unit_price: Annotated[Decimal | int | UnsetType, values.number] = UNSET
    """Of one, discounts included."""
    currency: Annotated[str | UnsetType, values.text] = UNSET
    more: Mapping[str, Any] = {}


def lines(value: object, where: str) -> list[Fields] | None:
    """A cart: cart lines or dicts."""
    if value is None:
        return None
    if not isinstance(value, Sequence) or isinstance(value, str | bytes | bytearray):
        raise InvalidInput(where, f"expected a list of cart lines, got {type(value).__name__}")
    if len(value) > MAX_LINES:
        raise InvalidInput(where, f"has more than {MAX_LINES} lines")
    found = []
    for at, line in enumerate(value):
        fields = _read(CartLine, line, f"{where}[{at}]")
        if not fields.get("product_id"):
            raise InvalidInput(f"{where}[{at}].product_id", "expected an id, got nothing")
        found.append(fields)
    return found


Text = Annotated[str | UnsetType | None, values.text]
Money = Annotated[Decimal | int | UnsetType | None, values.number]
Whole = Annotated[int | UnsetType | None, values.count]
Flag = Annotated[bool | UnsetType | None, values.flag]
Free = Annotated[Mapping[str, Any] | UnsetType | None, values.mapping]
Moment = Annotated[datetime | str | UnsetType | None, values.moment]
Cart = Annotated[Sequence[CartLine | Mapping[str, Any]] | UnsetType | None, lines]


class Product(Struct, kw_only=True):
    """A variant of a product (guide, "Create Product"; the last six are later clients')."""

    product_id: Annotated[str, values.ident]
    variant_id: Annotated[str, values.ident] = NO_VARIANTS
    category_1: Text = UNSET
    category_2: Text = UNSET
    category_3: Text = UNSET
    category_4: Text = UNSET
    category_extra: Free = UNSET
    name: Text = UNSET
    brand: Text = UNSET
    description: Text = UNSET
    color: Text = UNSET
    size: Text = UNSET
    price: Money = UNSET
    available: Flag = UNSET
    stock: Whole = UNSET
    extra: Free = UNSET
    """What the shop wants back for its templates."""
    photo_url: Text = UNSET
    link: Text = UNSET
    owner_id: Annotated[str | UnsetType | None, values.ident] = UNSET
    full_price: Money = UNSET
    rating: Money = UNSET
    """0 to 100."""
    type: Text = UNSET
    main_category: Text = UNSET
    categories: Annotated[Sequence[str] | UnsetType | None, values.texts] = UNSET
    category_ids: Annotated[Sequence[str] | UnsetType | None, values.texts] = UNSET
    more: Mapping[str, Any] = {}


class Category(Struct, kw_only=True):
    """A category (later clients; not in the guide)."""

    category_id: Annotated[str, values.ident]
    name: Text = UNSET
    link: Text = UNSET
    more: Mapping[str, Any] = {}


class User(Struct, kw_only=True):
    """A user (guide, "Create User")."""

    user_id: Annotated[str, values.ident]
    anonymous_id: Annotated[str | UnsetType | None, values.ident] = UNSET
    email: Text = UNSET
    title: Text = UNSET
    first_name: Text = UNSET
    last_name: Text = UNSET
    profile: Free = UNSET
    email_subscriber: Flag = UNSET
    cart: Cart = UNSET
    timestamp: Moment = UNSET
    more: Mapping[str, Any] = {}


class Order(Struct, kw_only=True):
    """An order (guide, "Create Order"). A guest's ``user_id`` is an email address or ``NO_USER``."""

    order_id: Annotated[str, values.ident]
    user_id: Annotated[str | UnsetType, values.buyer] = UNSET
    order_status: Annotated[Literal["completed", "cancelled"] | UnsetType | None, values.text] = UNSET
    cart: Cart = UNSET
    timestamp: Moment = UNSET
    more: Mapping[str, Any] = {}


class Banner(Struct, kw_only=True):
    """A banner (guide, "Create Banner")."""

    banner_id: Annotated[str, values.ident]
    type: Annotated[Literal["main", "sub"] | UnsetType, values.text] = UNSET
    name: Text = UNSET
    category_1: Text = UNSET
    category_2: Text = UNSET
    category_3: Text = UNSET
    category_4: Text = UNSET
    photo_url: Text = UNSET
    other_photos: Free = UNSET
    link: Text = UNSET
    extra: Free = UNSET
    more: Mapping[str, Any] = {}


Item = Product | Category | User | Order | Banner


class Kind(NamedTuple):
    """A kind of resource; prints as its name.

    Attributes:
        name: its path.
        ids: the fields that name one, the first of which must always be there.
        item: its class.
        required: what the guide says a creation must have, besides the ids. It is the vendor's to
            insist: later clients leave some out.
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
    found = _read(kind.item, given, "")
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
        named = _read(kind.item, given, "")
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


def _readers(of: type[Struct]) -> dict[str, Reader]:
    hints = get_type_hints(of, include_extras=True)
    return {field: get_args(hint)[1] for field, hint in hints.items() if field != "more"}


_READERS: Final[dict[type[Struct], dict[str, Reader]]] = {
    of: _readers(of) for of in (CartLine, Product, Category, User, Order, Banner)
}


def _read(of: type[Struct], given: object, where: str) -> Fields:
    readers = _READERS[of]
    prefix = f"{where}." if where else ""
    if isinstance(given, of):
        told = {field: value for field in readers if (value := getattr(given, field)) is not UNSET}
        told.update(getattr(given, "more"))  # noqa: B009  every one of them has it, Struct has not
    elif isinstance(given, Mapping):
        told = dict(given)
    else:
        raise InvalidInput(where, f"expected a {of.__name__} or a dict, got {type(given).__name__}")
    found = {}
    for field, value in told.items():
        if not isinstance(field, str):
            raise InvalidInput(where, f"expected text as a field's name, got {field!r}")
        reader: Reader = readers.get(field) or values.free
        found[field] = reader(value, prefix + field)
    return found
