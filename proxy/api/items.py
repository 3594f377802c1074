"""What a shop has: products, categories, users, orders, banners, as the guide names their fields.

Each class says its fields' types; plain dicts with the same names do as well, and may be sloppy
(``values.py``). A field that isn't given isn't sent; None is sent, and clears it in an update. What a
class has no field for goes into ``more`` (in a dict: stays where it is) and is sent beside the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args, get_type_hints

from msgspec import UNSET, Struct, UnsetType

from proxy.api import values
from proxy.api.errors import InvalidInput

if TYPE_CHECKING:
    from proxy.api.values import Reader

NO_VARIANTS: Final = "no-variants"
"""The variant id of products that have none (guide, "Create Product")."""

MAX_LINES: Final = 10_000
"""Lines of a cart: an order with more is a mistake, and would fill a batch by itself."""

Fields = dict[str, Any]
"""A JSON object, ready to be encoded."""


class Document(Struct, kw_only=True):
    """A JSON object of the API; what its class has no field for is in ``more``."""

    more: Mapping[str, Any] = {}


class CartLine(Document, kw_only=True):
    """A product in a cart or order (guide, "cart items"). A user's cart needs the ids only."""

    product_id: Annotated[str, values.ident]
    variant_id: Annotated[str | UnsetType, values.ident] = UNSET
    quantity: Annotated[int | UnsetType, values.count] = UNSET
    unit_price: Annotated[Decimal | int | UnsetType, values.number] = UNSET
    """Of one, discounts included."""
    currency: Annotated[str | UnsetType, values.text] = UNSET


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
        fields = read_fields(CartLine, line, f"{where}[{at}]")
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


class Product(Document, kw_only=True):
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


class Category(Document, kw_only=True):
    """A category (later clients; not in the guide)."""

    category_id: Annotated[str, values.ident]
    name: Text = UNSET
    link: Text = UNSET


class User(Document, kw_only=True):
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


class Order(Document, kw_only=True):
    """An order (guide, "Create Order"). A guest's ``user_id`` is an email address or ``NO_USER``."""

    order_id: Annotated[str, values.ident]
    user_id: Annotated[str | UnsetType, values.buyer] = UNSET
    order_status: Annotated[Literal["completed", "cancelled"] | UnsetType | None, values.text] = UNSET
    cart: Cart = UNSET
    timestamp: Moment = UNSET


class Banner(Document, kw_only=True):
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


Item = Product | Category | User | Order | Banner


def _readers(of: type[Document]) -> dict[str, Reader]:
    hints = get_type_hints(of, include_extras=True)
    return {field: get_args(hint)[1] for field, hint in hints.items() if field != "more"}


_READERS: Final[dict[type[Document], dict[str, Reader]]] = {
    of: _readers(of) for of in (CartLine, Product, Category, User, Order, Banner)
}


def read_fields(of: type[Document], given: object, where: str) -> Fields:
    """The fields of an instance or a dict, each by its own reader; those we don't know as they are.

    Args:
        of: the class.
        given: an instance of it, or a mapping.
        where: it stands, before the fields' names in errors.

    Raises:
        InvalidInput: it is neither, or a value can't be sent.
    """
    readers = _READERS[of]
    prefix = f"{where}." if where else ""
    if isinstance(given, of):
        told = {field: value for field in readers if (value := getattr(given, field)) is not UNSET}
        told.update(given.more)
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
