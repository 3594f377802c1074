"""Amounts of money, as shops write them."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final, Literal

from proxy.importer.unusable import Unusable, shown

Point = Literal[".", ","]
"""What stands before the cents."""

MAX_MONEY: Final = Decimal(10**12)
CENT: Final = Decimal("0.01")

MAX_WRITTEN: Final = 100
"""Characters of an amount with its currency and the spaces around it."""

AMOUNT: Final = re.compile(r"[^\d]*?(-?)[^\d]*?((?:\d[\d.,'\u2019\s_]*\d|\d)|[.,]\d+)[^\d]*")
GROUPED: Final = {
    ".": re.compile(r"\d{1,3}(?:([,'\u2019_ ])\d{3}(?:\1\d{3})*)?(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"),
    ",": re.compile(r"\d{1,3}(?:([.'\u2019_ ])\d{3}(?:\1\d{3})*)?(?:,\d+)?|\d+(?:,\d+)?|,\d+"),
}
PLAIN: Final = re.compile(r"\d{1,11}(?:\.\d\d?)?")
AMBIGUOUS: Final = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")


def money(value: object, point: Point | None = None) -> Decimal:
    """An amount, in two decimals: ``1299``, ``1,299.00``, ``1.299,00 €``, ``$12.5``.

    Args:
        value: a number, or a text with or without its currency.
        point: what stands before the cents; None finds it out where that can be.
    """
    if isinstance(value, str) and PLAIN.fullmatch(value) and point != ",":
        return Decimal(value)  # nearly all
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise Unusable(f"{shown(value)} is no amount of money")
    try:
        amount = Decimal(_plain(value, point) if isinstance(value, str) else str(value))
    except InvalidOperation:
        raise Unusable(f"{shown(value)} is no amount of money") from None
    if not amount.is_finite() or abs(amount) >= MAX_MONEY:
        raise Unusable(f"{shown(value)} is no amount of money")
    if amount < 0:
        raise Unusable(f"{shown(value)} is below zero")
    return amount.quantize(CENT, ROUND_HALF_UP)


def _plain(value: str, point: Point | None) -> str:
    """The amount in digits and a dot."""
    match = AMOUNT.fullmatch(value.strip()) if len(value) <= MAX_WRITTEN else None
    if match is None:
        raise Unusable(f"{shown(value)} is no amount of money")
    digits = re.sub(r"[\s\u00a0\u202f]", " ", match[2])
    if point is None:
        if AMBIGUOUS.fullmatch(digits):
            raise Unusable(f"{shown(value)} can be read in two ways: say --decimal . or --decimal ,")
        point = "," if _comma_is_point(digits) else "."
    if not GROUPED[point].fullmatch(digits):
        raise Unusable(f"{shown(value)} is no amount of money")
    whole, _, part = digits.partition(point)
    return f"{match[1]}{re.sub(r'[^0-9]', '', whole)}.{part or 0}"


def _comma_is_point(digits: str) -> bool:
    comma, dot = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and dot >= 0:
        return comma > dot
    return (digits.count(",") == 1) if comma >= 0 else digits.count(".") > 1
