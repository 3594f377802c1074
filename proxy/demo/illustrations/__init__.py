"""What the goods look like: drawn here, in SVG, so that the shop needs no photographs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.demo.catalogue import Banner, Campaign, Category, Product, Variant


def _frame(width: int, height: int) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"/>'


def product_photo(_product: Product, _variant: Variant) -> str:
    """A product's picture."""
    return _frame(800, 800)


def banner_photo(banner: Banner) -> str:
    """A banner: 5:3 or 2:3."""
    return _frame(1200, 720) if banner.type == "main" else _frame(480, 720)


def room_photo(_category: Category) -> str:
    """A room without words, 5:3."""
    return _frame(1200, 720)


def campaign_photo(_campaign: Campaign) -> str:
    """The shop's own banner, 5:3."""
    return _frame(1200, 720)
