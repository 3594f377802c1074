"""The nouns of capture: a cart's line, what somebody did, and what is remembered of a visitor."""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

from msgspec import Struct

EventName = Literal[
    "cart",  # the whole cart, as a page shows it
    "cart.add",
    "cart.update",
    "cart.remove",
    "cart.clear",
    "wishlist.add",
    "wishlist.remove",
    "login",
    "logout",
    "signup",
    "checkout",  # begun
    "order",  # placed, as its confirmation shows it
]
"""What a ``[[capture]]`` rule may see."""

EVENT_NAMES: Final[tuple[EventName, ...]] = get_args(EventName)

MAX_LINES: Final = 250
"""Lines of a cart that are kept: a hundred times the usual, and what a wholesaler's order holds."""

MAX_ORDERS: Final = 16
"""Ids of orders that are remembered of a visitor, so that a confirmation that is reloaded counts once."""

MAX_QUANTITY: Final = 1_000_000
"""Pieces of a line that are believed."""

NO_VARIANTS: Final = "no-variants"
"""The variant id of a product that has none, at the REST API (guide, "Create Product")."""


class Line(Struct, frozen=True, omit_defaults=True, array_like=True):
    """One line of a cart or an order."""

    product_id: str
    variant_id: str | None = None
    quantity: int = 1
    price: float | None = None
    """Of one piece."""
    currency: str | None = None


class Memory(Struct, frozen=True, omit_defaults=True, array_like=True):
    """What is known of a visitor's cart and way to the till. Fields are only ever added at the end."""

    lines: tuple[Line, ...] = ()
    checkout: bool = False
    """The checkout of this very cart has begun, and was told."""
    orders: tuple[str, ...] = ()
    """Ids of orders that were told, the newest last."""
    login: bool = False
    """Somebody logged in, and no response has said yet who."""


class Deed(Struct, frozen=True):
    """Something that the visitor did, as a rule saw it."""

    event: EventName
    fields: dict[str, str] = {}
    lines: tuple[Line, ...] | None = None
    """What a page showed of the cart or order; None where it showed nothing readable."""
    details: dict[str, Any] = {}
    """Of an order: status and timestamp, where the shop says them."""


class Told(Struct):
    """What deeds amount to.

    Attributes:
        memory: as it is afterwards.
        events: of the guide, in order.
        orders: documents for ``POST /orders``, without what only the caller knows (whose, when).
    """

    memory: Memory
    events: list[dict[str, Any]] = []
    orders: list[dict[str, Any]] = []
