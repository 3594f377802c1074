"""The cart that a visitor's forms make, where no page shows it, and how events write a cart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import structs

from proxy.capture.model import MAX_LINES, MAX_QUANTITY, NO_VARIANTS, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Lines = tuple[Line, ...]


def add(lines: Lines, line: Line) -> Lines:
    """More of a thing: of the line that holds it already, or as a new line at the end."""
    for place, known in enumerate(lines):
        if same(known, line):
            more = structs.replace(
                line,
                quantity=min(known.quantity + line.quantity, MAX_QUANTITY),
                price=line.price if line.price is not None else known.price,
                currency=line.currency or known.currency,
            )
            return (*lines[:place], more, *lines[place + 1 :])
    return (*lines, line)[:MAX_LINES]


def put(lines: Lines, line: Line) -> Lines:
    """So much of a thing; nothing of it takes its line away."""
    if line.quantity <= 0:
        return remove(lines, line)
    known = [other for other in lines if same(other, line)]
    if not known:
        return add(lines, line)
    return add(tuple(structs.replace(o, quantity=0) if same(o, line) else o for o in lines), line)


def remove(lines: Lines, line: Line) -> Lines:
    """Without a thing; a form that names no variant means every variant of its product."""
    return tuple(
        known
        for known in lines
        if known.product_id != line.product_id or (line.variant_id and known.variant_id != line.variant_id)
    )


def same(one: Line, other: Line) -> bool:
    """Whether two lines are about the same thing."""
    return (one.product_id, one.variant_id) == (other.product_id, other.variant_id)


def merged(lines: Iterable[Line]) -> Lines:
    """Lines as a page shows them, each thing once."""
    whole: Lines = ()
    for line in lines:
        whole = add(whole, line)
    return whole


def differs(one: Lines, other: Lines) -> bool:
    """Whether a cart changed in what it holds; what it costs doesn't count."""

    def held(lines: Lines) -> list[tuple[str, str, int]]:
        return sorted((line.product_id, line.variant_id or "", line.quantity) for line in lines)

    return held(one) != held(other)


def priced(lines: Lines, known: Lines) -> Lines:
    """The lines, with prices that an earlier page showed of the same things."""
    prices = {(line.product_id, line.variant_id): line for line in known if line.price is not None}
    return tuple(
        structs.replace(line, price=found.price, currency=line.currency or found.currency)
        if line.price is None and (found := prices.get((line.product_id, line.variant_id)))
        else line
        for line in lines
    )


def cart_event(lines: Lines) -> dict[str, Any]:
    """Guide, "Cart update"."""
    return {"type": "cart", "subtype": "update", "cart": [_named(line, "variant_id") for line in lines]}


def checkout_event(lines: Lines, currency: str) -> dict[str, Any]:
    """Guide, "Checkout started": its sample names the variant ``variant`` and the unit price ``price``."""
    return {
        "type": "checkout",
        "subtype": "started",
        "cart": [
            {**_named(line, "variant"), "quantity": line.quantity, **_price(line, "price", currency)}
            for line in lines
        ],
    }


def order_lines(lines: Sequence[Line], currency: str) -> list[dict[str, Any]]:
    """Guide, "Create Order": every line names a variant."""
    return [
        {
            "product_id": line.product_id,
            "variant_id": line.variant_id or NO_VARIANTS,
            "quantity": line.quantity,
            **_price(line, "unit_price", currency),
        }
        for line in lines
    ]


def _named(line: Line, variant: str) -> dict[str, Any]:
    named = {"product_id": line.product_id}
    return {**named, variant: line.variant_id} if line.variant_id else named


def _price(line: Line, name: str, currency: str) -> dict[str, Any]:
    if line.price is None:
        return {}
    price = round(line.price, 4)
    whole = int(price) if price == int(price) else price  # 24, as the guide's samples have it
    return {name: whole, "currency": line.currency or currency}
