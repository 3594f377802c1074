"""Events as clients send them (guide, "Browser Events"), read into one struct.

Accepted beyond the guide, because real clients send it: numeric ids, ``user_id`` 0 or null for
anonymous shoppers, ``viewcart`` for a cart update, the list's name as a product click's subtype,
``related`` as a product pageview's subtype, ``category_id`` for ``category_name``.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from msgspec import Struct

from proxy.engine.refusals import FieldRefused
from proxy.engine.wire import values

MAX_CART: Final = 500
"""Lines of a cart that are read; a longer one is cut, as nobody is helped by a refusal."""
_NOBODY: Final = frozenset({"0", "no-user", "null", "undefined"})
"""``user_id`` values by which clients say that nobody is logged in."""


class Kind(IntEnum):
    """What happened. The numbers are stored: append, never change."""

    HOME = 1
    PRODUCT = 2
    CATEGORY = 3
    SEARCH = 4
    CART_PAGE = 5
    NOT_FOUND = 6
    CART_UPDATE = 7
    WISHLIST_ADD = 8
    WISHLIST_REMOVE = 9
    BANNER_CLICK = 10
    PRODUCT_CLICK = 11
    CHECKOUT = 12
    LOGIN = 13


class CartLine(Struct, frozen=True):
    """One line of a cart or an order."""

    product_id: str
    variant_id: str | None = None
    quantity: float = 1.0
    unit_price: float | None = None


class Event(Struct, frozen=True):
    """One event of one visitor; only its kind's fields are set."""

    kind: Kind
    user_id: str | None = None
    anonymous_id: str | None = None
    time: float | None = None
    """Unix seconds where the sender gave a time; None: now."""
    product_id: str | None = None
    variant_id: str | None = None
    category: str | None = None
    term: str | None = None
    banner_id: str | None = None
    cart: tuple[CartLine, ...] = ()
    profile: dict[str, Any] | None = None


_NAMES: Final[dict[tuple[str, str], Kind]] = {
    ("pageview", "home"): Kind.HOME,
    ("pageview", "product"): Kind.PRODUCT,
    ("pageview", "related"): Kind.PRODUCT,  # the guide's table
    ("pageview", "category"): Kind.CATEGORY,
    ("pageview", "search"): Kind.SEARCH,
    ("pageview", "cart"): Kind.CART_PAGE,
    ("pageview", "404"): Kind.NOT_FOUND,
    ("cart", "update"): Kind.CART_UPDATE,
    ("cart", ""): Kind.CART_UPDATE,
    ("viewcart", ""): Kind.CART_UPDATE,  # the guide's table
    ("viewcart", "update"): Kind.CART_UPDATE,
    ("search", ""): Kind.SEARCH,
    ("wishlist", "add"): Kind.WISHLIST_ADD,
    ("wishlist", "remove"): Kind.WISHLIST_REMOVE,
    ("click", "banner"): Kind.BANNER_CLICK,
    ("click", "product"): Kind.PRODUCT_CLICK,
    ("click", "related"): Kind.PRODUCT_CLICK,
    ("click", "similar"): Kind.PRODUCT_CLICK,
    ("click", "recent"): Kind.PRODUCT_CLICK,
    ("click", "categories"): Kind.PRODUCT_CLICK,
    ("click", "top"): Kind.PRODUCT_CLICK,
    ("checkout", "started"): Kind.CHECKOUT,
    ("checkout", ""): Kind.CHECKOUT,
    ("login", ""): Kind.LOGIN,
}
_NEEDS_PRODUCT: Final = frozenset(
    {Kind.PRODUCT, Kind.WISHLIST_ADD, Kind.WISHLIST_REMOVE, Kind.PRODUCT_CLICK},
)
_NEEDS_CART: Final = frozenset({Kind.CART_UPDATE, Kind.CHECKOUT})
_TYPES: Final = sorted({name for name, _ in _NAMES})


def read_event(document: object) -> Event:
    """Read one decoded event.

    Raises:
        FieldRefused: a field is missing, or can't be what the guide asks for.
    """
    outer = values.fields(document, "body")
    user = values.fields(outer.get("user"), "user")
    event = values.fields(outer.get("event"), "event")
    user_id, anonymous_id = (
        values.ident(user, "user_id", "user."),
        values.ident(user, "anonymous_id", "user."),
    )
    if user_id in _NOBODY:
        user_id = None
    if user_id is None and anonymous_id is None:
        raise FieldRefused("user.anonymous_id", None, "a user_id or an anonymous_id")
    kind = _kind(event)
    return Event(
        kind=kind,
        user_id=user_id,
        anonymous_id=anonymous_id,
        time=values.moment(outer, "timestamp"),
        product_id=(values.required_ident(event, "product_id", "event.") if kind in _NEEDS_PRODUCT else None),
        variant_id=values.ident(event, "variant_id", "event.") if kind in _NEEDS_PRODUCT else None,
        category=_category(event) if kind is Kind.CATEGORY else None,
        term=_term(event) if kind is Kind.SEARCH else None,
        banner_id=values.required_ident(event, "banner_id", "event.") if kind is Kind.BANNER_CLICK else None,
        cart=read_cart(event, "event.", required=True) if kind in _NEEDS_CART else (),
        profile=values.mapping(user, "profile", "user."),
    )


def read_cart(source: values.Fields, path: str, *, required: bool) -> tuple[CartLine, ...]:
    """The lines of ``cart``; lines that are null are left out, as the clients' own queues leave them."""
    lines = values.rows(source, "cart", path)
    if lines is None:
        if required:
            raise FieldRefused(f"{path}cart", None, "an array of products")
        return ()
    return tuple(
        _line(line, f"{path}cart[{number}].")
        for number, line in enumerate(lines[:MAX_CART])
        if line is not None
    )


def _line(line: object, path: str) -> CartLine:
    if isinstance(line, str | int) and not isinstance(line, bool):
        line = {"product_id": line}
    found = values.fields(line, path[:-1])
    quantity = values.number(found, "quantity", path, least=0)
    unit_price = values.number(found, "unit_price", path)
    return CartLine(
        product_id=values.required_ident(found, "product_id", path),
        variant_id=values.ident(found, "variant_id", path) or values.ident(found, "variant", path),
        quantity=1.0 if quantity is None else quantity,
        unit_price=values.number(found, "price", path) if unit_price is None else unit_price,
    )


def _kind(event: values.Fields) -> Kind:
    name, subtype = event.get("type"), event.get("subtype")
    if not isinstance(name, str) or ((name, "") not in _NAMES and all(name != known for known, _ in _NAMES)):
        raise FieldRefused("event.type", name, "one of " + ", ".join(_TYPES))
    if subtype is None:
        subtype = ""
    kind = _NAMES.get((name, str(subtype)))
    if kind is None and name in {"search", "login"}:
        kind = _NAMES[name, ""]
    if kind is None:
        known = sorted(sub for known, sub in _NAMES if known == name and sub)
        raise FieldRefused("event.subtype", event.get("subtype"), "one of " + ", ".join(known))
    return kind


def _category(event: values.Fields) -> str:
    found = values.text(event, "category_name", "event.") or values.text(event, "category_id", "event.")
    if not found or not found.strip():
        raise FieldRefused("event.category_name", event.get("category_name"), "the category's name")
    return found.strip()


def _term(event: values.Fields) -> str:
    found = values.text(event, "term", "event.")
    if found is None:
        raise FieldRefused("event.term", None, "what was searched for, as text")
    return found
