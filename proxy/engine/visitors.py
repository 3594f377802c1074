"""Visitors in memory: what each looked at, has in the cart, and did lately.

A visitor is loaded from the store when first heard of, so that a start costs nothing per visitor and
memory follows the traffic, not the customer base.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final

import msgspec

from proxy.engine.wire.events import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.engine.store.records import Records

HISTORY: Final = 100
"""Events of a visitor that count: more would only slow the answer, older tastes have decayed."""
LOADED: Final = 50_000
"""Visitors kept in memory, the least recently heard of go first; about 5 KB each at most."""
ABOUT_ITEMS: Final = frozenset({Kind.PRODUCT, Kind.WISHLIST_ADD, Kind.PRODUCT_CLICK})


class Act(msgspec.Struct, frozen=True):
    """One thing a visitor did with one product."""

    time: float
    kind: int
    item: int
    variant_id: str | None = None


class Visitor:
    """One visitor: acts (oldest first) and the cart as it stands."""

    __slots__ = ("_cart_since", "acts", "cart", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.acts: deque[Act] = deque(maxlen=HISTORY)
        self.cart: tuple[int, ...] = ()
        self._cart_since = 0.0

    def recent(self) -> Iterable[tuple[int, str | None]]:
        """Items viewed, the last first, each once, with the variant viewed last."""
        seen: set[int] = set()
        for act in reversed(self.acts):
            if act.kind == Kind.PRODUCT and act.item not in seen:
                seen.add(act.item)
                yield act.item, act.variant_id

    def fill_cart(self, items: tuple[int, ...], time: float) -> bool:
        """The cart as it was at a time; False if that is old news, reported late."""
        if time < self._cart_since:
            return False
        self.cart, self._cart_since = items, time
        return True

    def act(self, act: Act) -> None:
        """Add an act; one that is reported late goes to its place in time."""
        if not self.acts or act.time >= self.acts[-1].time:
            self.acts.append(act)
            return
        ordered = sorted((*self.acts, act), key=lambda each: each.time)
        self.acts = deque(ordered, maxlen=HISTORY)


class Visitors:
    """The loaded visitors.

    Args:
        records: where the others are.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._loaded: OrderedDict[str, Visitor] = OrderedDict()

    def get(self, name: str) -> Visitor:
        """The visitor of a name, numbered now if new. To be called inside a transaction."""
        visitor = self._loaded.get(name)
        if visitor is not None:
            self._loaded.move_to_end(name)
            return visitor
        number = self._records.visitor(name)
        visitor = Visitor(self._records.add_visitor(name)) if number is None else self._load(number)
        self._loaded[name] = visitor
        if len(self._loaded) > LOADED:
            self._loaded.popitem(last=False)
        return visitor

    def peek(self, name: str) -> Visitor | None:
        """The visitor of a name, if there is one."""
        if name in self._loaded or self._records.visitor(name) is not None:
            return self.get(name)
        return None

    def forget(self, name: str) -> None:
        """Drop a visitor from memory, to be loaded anew when heard of again."""
        self._loaded.pop(name, None)

    def clear(self) -> None:
        """Drop all."""
        self._loaded.clear()

    def _load(self, number: int) -> Visitor:
        visitor = Visitor(number)
        for time, kind, item, detail in self._records.events_of(number, HISTORY):
            if item is not None and kind in ABOUT_ITEMS:
                visitor.acts.append(Act(time, kind, item, detail))
        cart = self._records.last_cart(number)
        if cart is not None:
            time, lines = cart
            visitor.fill_cart(tuple(line[0] for line in msgspec.json.decode(lines)), time)
        return visitor


def user_name(user_id: str) -> str:
    """How a logged-in visitor is stored."""
    return "u:" + user_id


def anonymous_name(anonymous_id: str) -> str:
    """How an anonymous visitor is stored: no user id can be mistaken for one."""
    return "a:" + anonymous_id
