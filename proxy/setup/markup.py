"""Selectors that really are in the shop's pages: places for widgets, and where a product's facts stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from proxy.checking import look
from proxy.locate import Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxy.checking import Form, Visit
    from proxy.models import PageKind

Place = tuple[str, Position]

_CONTENT: Final[tuple[Place, ...]] = (
    ("#content-wrapper", "append"),
    ("#MainContent", "append"),
    ("#content_inner", "append"),
    ("main", "append"),
    ("[role=main]", "append"),
    ("#main", "append"),
    ("#content", "append"),
    (".main-content", "append"),
    (".page-content", "append"),
    (".content", "append"),
    ("footer", "before"),
    ("#footer", "before"),
    (".footer", "before"),
)
"""Places below what a page is about, the best first."""

_PRODUCT: Final[tuple[Place, ...]] = (
    (".product-tabs", "after"),
    ("#product-reviews", "before"),
    ("#reviews", "before"),
    ("article.product_page", "append"),
    (".product-detail", "after"),
    (".product-details", "after"),
    ("#product-details", "after"),
    (".product-page", "append"),
    ("article.product", "after"),
    (".product-main", "after"),
)
"""Places below the product itself, before whatever else its page shows."""

_FACTS: Final[dict[str, tuple[str, ...]]] = {
    "name": ("h1",),
    "price": (
        ".product_main .price_color", ".product-info .price", ".product-price", "#price", ".product .price",
        ".price_color", "[data-price]", ".price",
    ),
    "photo_url": (
        "#product_gallery img", ".product-gallery img", ".gallery img", ".product-image img",
        ".product-photo img", ".carousel img", ".product img", "main img", "article img",
    ),
    "categories": (".breadcrumb a", ".breadcrumbs a", "nav[aria-label=breadcrumb] a", ".breadcrumb-item a"),
}  # fmt: skip
"""Where shops show a product's facts, the surest first."""

_ID_FIELDS: Final = ("product_id", "productId", "id_product", "product", "product-id", "item_id", "sku", "id")
"""Names under which a form that puts something into the cart sends a product's id."""

_LINES: Final = "line_items"
"""In addresses of Solidus and Spree: what is added to a cart is a line of it."""

_CART: Final = ("cart", "basket", "bag", _LINES)
"""One of these is in the address of every form that changes the cart."""


class SlotPlace(Struct, frozen=True):
    """A ``[[slots]]`` entry that was found."""

    kinds: tuple[PageKind, ...]
    selector: str
    position: Position


def places(visits: Sequence[tuple[PageKind, Visit]]) -> list[SlotPlace]:
    """A place for a widget on each kind of page, that every page of it has.

    Args:
        visits: pages that have none yet, by kind.
    """
    chosen: dict[Place, list[PageKind]] = {}
    for kind in dict.fromkeys(kind for kind, _ in visits):
        pages = [visit for other, visit in visits if other == kind]
        place = _common(pages, (*_PRODUCT, *_CONTENT) if kind == "product" else _CONTENT)
        if place is not None:
            chosen.setdefault(place, []).append(kind)
    return [SlotPlace(tuple(kinds), *place) for place, kinds in chosen.items()]


def _common(pages: Iterable[Visit], candidates: Sequence[Place]) -> Place | None:
    selectors = [selector for selector, _ in candidates]
    counts = [look(page.page, charset=page.charset, url=page.url, places=selectors).places for page in pages]
    return next((place for place in candidates if all(count.get(place[0]) == 1 for count in counts)), None)


def fact_selectors(pages: Sequence[Visit], lacking: Iterable[str]) -> dict[str, str]:
    """Where products' pages show what they don't say for machines.

    Args:
        pages: of products.
        lacking: names of facts that are wanted.
    """
    found: dict[str, str] = {}
    for name in lacking:
        candidates = _FACTS.get(name, ())
        counts = [
            look(page.page, charset=page.charset, url=page.url, places=candidates).places for page in pages
        ]
        selector = next((one for one in candidates if all(count.get(one) for count in counts)), None)
        if selector is not None:
            found[name] = f"{selector}@src" if name == "photo_url" else selector
    return found


def bought_id(page: Visit) -> tuple[str, str] | None:
    """The product's id as the page's own form sends it: (the field's name, the id)."""
    for form in _cart_forms(page):
        for name in _ID_FIELDS:
            if form.fields.get(name):
                return name, form.fields[name]
    return None


def sells(page: Visit) -> bool:
    """Whether a page has one form, and not one a product, that puts something into the cart."""
    addresses = [form.action.lower() for form in _cart_forms(page)]
    return len([address for address in addresses if "add" in address or _LINES in address]) == 1


def _cart_forms(page: Visit) -> Iterator[Form]:
    """The forms of a page that change the cart, by their addresses."""
    for form in look(page.page, charset=page.charset, url=page.url).forms:
        address = form.action.lower()
        if form.method == "POST" and any(word in address for word in _CART):
            yield form
