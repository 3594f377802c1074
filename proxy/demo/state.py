"""What the shop remembers: baskets, wishlists, accounts, orders. In memory, and bounded.

A demo forgets everything when it stops, and the oldest when it is full.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from proxy.demo.catalogue import PRODUCT_BY_ID, Product, Variant

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_SESSIONS = 10_000
"""Baskets in memory, some kilobytes each: a busy demo stays under 100 MB."""

MAX_ACCOUNTS = 10_000
"""Registered customers in memory."""

MAX_ORDERS = 10_000
"""Placed orders in memory."""

MAX_LINES = 50
"""Different things in one basket or wishlist: more than anyone carries."""

MAX_QUANTITY = 10
"""Pieces of one thing in a basket, as the quantity field offers them."""

SESSION_IDLE_SECONDS = 7 * 24 * 3600.0
"""A basket that nobody touched for a week is forgotten."""

FREE_DELIVERY_FROM = Decimal(200)
DELIVERY = Decimal(15)

FIRST_ORDER = 10_001
"""Order numbers start here, so that they have five digits."""

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(slots=True)
class Line:
    """A thing in the basket."""

    product: Product
    variant: Variant
    quantity: int

    @property
    def total(self) -> Decimal:
        """Price of the whole line."""
        return self.variant.price * self.quantity

    @property
    def most(self) -> int:
        """How many of it may be in the basket."""
        return min(MAX_QUANTITY, self.variant.stock)


@dataclass(slots=True)
class Cart:
    """A basket, in the order in which things were put into it."""

    lines: dict[tuple[str, str], Line] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Pieces in it."""
        return sum(line.quantity for line in self.lines.values())

    @property
    def subtotal(self) -> Decimal:
        """Price of all lines, without delivery."""
        return sum((line.total for line in self.lines.values()), Decimal(0))

    @property
    def delivery(self) -> Decimal:
        """Price of the delivery."""
        return Decimal(0) if self.subtotal >= FREE_DELIVERY_FROM else DELIVERY

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return self.subtotal + self.delivery

    def put(self, product: Product, variant: Variant, quantity: int) -> bool:
        """Set a line's quantity, kept within stock and limits; 0 removes it.

        Returns:
            False if there is no room for another line, or the variant is sold out.
        """
        key = (product.product_id, variant.variant_id)
        if quantity <= 0:
            self.lines.pop(key, None)
            return True
        if not variant.available or (key not in self.lines and len(self.lines) >= MAX_LINES):
            return False
        line = self.lines.setdefault(key, Line(product, variant, 0))
        line.quantity = min(quantity, line.most)
        return True

    def quantity(self, product: Product, variant: Variant) -> int:
        """How many of it are in the basket."""
        line = self.lines.get((product.product_id, variant.variant_id))
        return line.quantity if line else 0


@dataclass(slots=True)
class Wishlist:
    """Products to remember, newest last."""

    product_ids: dict[str, None] = field(default_factory=dict)

    def add(self, product: Product) -> bool:
        """Remember a product; False if the list is full."""
        if product.product_id not in self.product_ids and len(self.product_ids) >= MAX_LINES:
            return False
        self.product_ids[product.product_id] = None
        return True

    def remove(self, product: Product) -> None:
        """Forget a product."""
        self.product_ids.pop(product.product_id, None)

    def __contains__(self, product: Product) -> bool:
        return product.product_id in self.product_ids

    def __len__(self) -> int:
        return len(self.product_ids)

    @property
    def products(self) -> list[Product]:
        """The products, newest first."""
        return [PRODUCT_BY_ID[product_id] for product_id in reversed(self.product_ids)]


@dataclass(slots=True)
class Account:
    """A registered customer."""

    email: str
    name: str
    salt: bytes
    digest: bytes
    wishlist: Wishlist = field(default_factory=Wishlist)
    orders: list[Order] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """A placed order, with its lines as they were."""

    order_id: str
    placed: float
    """Seconds since the epoch."""
    address: dict[str, str]
    lines: list[Line]
    subtotal: Decimal
    delivery: Decimal

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return self.subtotal + self.delivery


@dataclass(slots=True)
class Session:
    """One visitor's basket, and who it is once they log in."""

    cart: Cart = field(default_factory=Cart)
    wishlist: Wishlist = field(default_factory=Wishlist)
    account: Account | None = None
    orders: list[Order] = field(default_factory=list)
    notice: str = ""
    """Said once, on the next page."""
    touched: float = 0.0


def _evict(kept: OrderedDict[Key, Value], limit: int) -> None:
    while len(kept) > limit:
        kept.popitem(last=False)


def _digest(password: str, salt: bytes) -> bytes:
    # scrypt with the interactive parameters of its RFC 7914: tens of milliseconds, 16 MB.
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


class Store:
    """Everything the shop remembers.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self._orders: OrderedDict[str, Order] = OrderedDict()
        self._next_order = FIRST_ORDER

    def session(self, session_id: str) -> Session | None:
        """The session of that id, if it is known and not forgotten."""
        session = self._sessions.get(session_id)
        if session is None:
            return None
        now = self._clock()
        if now - session.touched > SESSION_IDLE_SECONDS:
            del self._sessions[session_id]
            return None
        session.touched = now
        self._sessions.move_to_end(session_id)
        return session

    def keep(self, session_id: str, session: Session) -> None:
        """Remember a session."""
        session.touched = self._clock()
        self._sessions[session_id] = session
        _evict(self._sessions, MAX_SESSIONS)

    def forget(self, session_id: str) -> None:
        """Forget a session."""
        self._sessions.pop(session_id, None)

    def register(self, email: str, name: str, password: str) -> Account | None:
        """Open an account, slowly (scrypt): call it in a thread.

        Returns:
            None if the address has one already.
        """
        salt = secrets.token_bytes(16)
        account = Account(email, name, salt, _digest(password, salt))
        # setdefault: one step, so two threads can't both open the same account.
        if self._accounts.setdefault(email.casefold(), account) is not account:
            return None
        _evict(self._accounts, MAX_ACCOUNTS)
        return account

    def login(self, email: str, password: str) -> Account | None:
        """The account, if the password is right; slow (scrypt): call it in a thread."""
        account = self._accounts.get(email.casefold())
        # An unknown address costs as much time as a known one, and so isn't told apart.
        digest = _digest(password, account.salt if account else bytes(16))
        return account if account and hmac.compare_digest(digest, account.digest) else None

    def place(self, session: Session, address: dict[str, str]) -> Order:
        """Turn the session's basket into an order."""
        cart = session.cart
        order = Order(
            order_id=str(self._next_order),
            placed=self._clock(),
            address=address,
            lines=list(cart.lines.values()),
            subtotal=cart.subtotal,
            delivery=cart.delivery,
        )
        self._next_order += 1
        self._orders[order.order_id] = order
        _evict(self._orders, MAX_ORDERS)
        for owned in (session.orders, session.account.orders if session.account else []):
            owned.append(order)
            del owned[:-MAX_LINES]
        session.cart = Cart()
        return order

    def order(self, order_id: str, session: Session) -> Order | None:
        """An order, if the session or its account placed it."""
        order = self._orders.get(order_id)
        mine = session.orders + (session.account.orders if session.account else [])
        return order if order in mine else None
