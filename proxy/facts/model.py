"""What a page says about itself, once it has been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from proxy.models import PageKind

FactsSource = Literal["config", "json-ld", "microdata", "opengraph", "selectors", ""]
"""Who told the page's kind; empty where nobody did."""


class ProductFacts(Struct, frozen=True):
    """One variant of the page's product, as the shop shows it."""

    product_id: str | None = None
    """None where the page names none: `[[pages]]` may know it (see `classify.products_of`)."""
    variant_id: str | None = None
    name: str | None = None
    price: float | None = None
    full_price: float | None = None
    """The price before a discount."""
    currency: str | None = None
    """ISO 4217, three capital letters."""
    photo_url: str | None = None
    """Path-absolute on the shop's own host, else http(s)."""
    link: str | None = None
    """Path-absolute on the shop's own host, so that it works on any host that the proxy serves."""
    brand: str | None = None
    description: str | None = None
    """Plain text, without tags."""
    categories: tuple[str, ...] = ()
    """From the widest to the narrowest."""
    available: bool | None = None
    stock: int | None = None
    rating: float | None = None
    """0 to 100."""


class PageFacts(Struct, frozen=True):
    """What a page says about itself. A field is None where nothing readable was found."""

    kind: PageKind | None = None
    product_id: str | None = None
    variant_id: str | None = None
    category_name: str | None = None
    term: str | None = None
    user_id: str | None = None
    """``datacueConfig.user_id``; None for anonymous shoppers in every spelling that plugins use."""
    nobody: bool = False
    """``datacueConfig.user_id`` is there and names nobody: who looks at the page is logged out."""
    products: tuple[ProductFacts, ...] = ()
    """The variants of the page's own product, for the catalogue; empty on other pages."""
    order: dict[str, Any] | None = None
    """``datacueConfig.order_details`` as read, with ``order_id``."""
    why: FactsSource = ""


NOTHING = PageFacts()
