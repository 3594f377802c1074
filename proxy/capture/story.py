"""Deeds and what was known before → the guide's events, and what is known now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import structs

from proxy.capture import cart
from proxy.capture.model import MAX_ORDERS, MAX_QUANTITY, NO_VARIANTS, Deed, Line, Memory, Told

if TYPE_CHECKING:
    from collections.abc import Iterable


def tell(memory: Memory, deeds: Iterable[Deed], *, currency: str, named: bool) -> Told:
    """Goes through what a visitor did in one request.

    Args:
        memory: what is known of the visitor.
        deeds: in order; the first of each kind counts.
        currency: of prices that name none.
        named: whether it is known who the visitor is.
    """
    told = Told(memory)
    for deed in deeds:
        match deed.event:
            case "cart" | "cart.add" | "cart.update" | "cart.remove" | "cart.clear":
                _cart(told, deed)
            case "wishlist.add" | "wishlist.remove":
                told.events.append(_wish(deed))
            case "login":
                _login(told, named=named)
            case "logout":
                # Who sits down next at this browser has a cart of their own.
                told.memory = Memory(orders=told.memory.orders)
            case "checkout":
                _checkout(told, deed, currency)
            case "order":
                _order(told, deed, currency)
            case "signup":
                pass  # says who the visitor is, and nothing of what they did: the caller's to tell
    if named and told.memory.login:
        _login(told, named=True)
    return told


def _cart(told: Told, deed: Deed) -> None:
    before = told.memory.lines
    lines = _changed(before, deed)
    if lines is None:
        return
    # Another cart has another checkout; prices alone are only remembered.
    changed = cart.differs(before, lines)
    told.memory = structs.replace(told.memory, lines=lines, checkout=told.memory.checkout and not changed)
    if changed:
        told.events.append(cart.cart_event(lines))


def _changed(before: cart.Lines, deed: Deed) -> cart.Lines | None:
    """The cart after a deed; None where the deed doesn't tell."""
    if deed.event == "cart.clear":
        return ()
    if deed.event == "cart":
        return None if deed.lines is None else cart.priced(cart.merged(deed.lines), before)
    line = line_of(deed.fields)
    if line is None:
        return None
    if deed.event == "cart.remove":
        return cart.remove(before, line)
    if deed.event == "cart.add":
        return cart.add(before, line) if line.quantity > 0 else None
    return cart.put(before, line)


def line_of(fields: dict[str, str]) -> Line | None:
    """What a form speaks of; None where it names no product, or a quantity that is none."""
    product_id = fields.get("product_id")
    quantity = whole(fields.get("quantity") or "1")
    if not product_id or quantity is None:
        return None
    return Line(product_id, variant(fields.get("variant_id")), quantity)


def whole(text: str) -> int | None:
    """A number of pieces: ``2``, ``2.0``; None if it is none, or more than anybody buys."""
    head, _, tail = text.strip().partition(".")
    if not (
        head.isascii() and head.isdigit() and not tail.strip("0") and len(head) <= len(str(MAX_QUANTITY))
    ):
        return None
    return min(int(head), MAX_QUANTITY)


def variant(text: str | None) -> str | None:
    """A variant's id; None for the ways to say that there is none."""
    return None if text in {None, "", "0", NO_VARIANTS} else text


def _wish(deed: Deed) -> dict[str, Any]:
    """Guide, "Add product to wishlist"."""
    event = {
        "type": "wishlist",
        "subtype": deed.event.partition(".")[2],
        "product_id": deed.fields["product_id"],
    }
    found = variant(deed.fields.get("variant_id"))
    return {**event, "variant_id": found} if found else event


def _login(told: Told, *, named: bool) -> None:
    """A login is told once it is known whose it is (guide, "User Login")."""
    told.memory = structs.replace(told.memory, login=not named)
    if named and {"type": "login"} not in told.events:
        told.events.append({"type": "login"})


def _checkout(told: Told, deed: Deed, currency: str) -> None:
    memory = told.memory
    if deed.lines is not None:
        lines = cart.priced(cart.merged(deed.lines), memory.lines)
        memory = structs.replace(
            memory, lines=lines, checkout=memory.checkout and not cart.differs(memory.lines, lines)
        )
    if memory.lines and not memory.checkout:
        told.events.append(cart.checkout_event(memory.lines, currency))
        memory = structs.replace(memory, checkout=True)
    told.memory = memory


def _order(told: Told, deed: Deed, currency: str) -> None:
    memory = told.memory
    order_id = deed.fields.get("order_id")
    if not order_id or order_id in memory.orders:
        return
    # What was ordered is gone from the cart; where the page doesn't say what it was, it was the cart.
    lines = cart.priced(deed.lines, memory.lines) if deed.lines else memory.lines
    document: dict[str, Any] = {"order_id": order_id}
    if lines:
        document["cart"] = cart.order_lines(lines, currency)
    told.orders.append({**document, **deed.details})
    told.memory = Memory(orders=(*memory.orders, order_id)[-MAX_ORDERS:], login=memory.login)
