"""The nouns that travel between modules: frozen, typed, without behaviour.

A visitor asks for a page; the page makes an event; the event's answer is the recommendations; they
hold products and banners, which widgets show.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from msgspec import Raw, Struct

PageKind = Literal["home", "product", "category", "search", "cart", "checkout", "order", "404", "none"]
"""What a page shows. ``none`` is the operator's word for "leave this page alone"."""

PAGE_KINDS: tuple[PageKind, ...] = get_args(PageKind)

ListName = Literal["related", "similar", "recent", "categories", "top"]
"""A product list, by the name that placeholders and click events use."""

LIST_NAMES: tuple[ListName, ...] = get_args(ListName)

Widget = Literal[
    "banners",  # every banner of the page: wide and narrow ones, and the shop's static one
    "main_banners",
    "sub_banners",
    "products",  # every list that the page's kind shows, in order
    "related",
    "similar",
    "recent",
    "categories",
    "top",
]
"""What a slot can show, and the last path segment of an include URL."""

WIDGETS: tuple[Widget, ...] = get_args(Widget)


class Visitor(Struct, frozen=True):
    """Who asks. ``user_id`` wins over ``anonymous_id`` at the vendor (guide, "User").

    ``profile`` is the shop's word on segments, sent as it is; it is not kept in the cookie.
    """

    anonymous_id: str
    user_id: str | None = None
    profile: dict[str, Any] | None = None


class Page(Struct, frozen=True):
    """What is asked for, and how we know."""

    kind: PageKind
    product_id: str | None = None
    variant_id: str | None = None
    category_name: str | None = None
    term: str | None = None
    why: str = ""
    """``header``, ``rule:<n>``, ``path``, ``config``, ``json-ld``, ``microdata``, ``opengraph``."""


class Slot(Struct, frozen=True):
    """A place in a page that a widget may fill; what it holds now is its fallback."""

    widget: Widget
    index: int | None = None
    """1-based place of a single banner (``data-dc-main-insert-banner="1"``); None shows all."""
    static_img: str | None = None
    """The shop's own banner image (``data-dc-static-img``), the same for every visitor."""
    static_link: str | None = None
    pages: frozenset[PageKind] | None = None
    """The page kinds on which it counts (``[[slots]] page``); None: on all."""
    include: Include | None = None
    """Where an include asks for it: what that says beside the widget."""


class Include(Struct, frozen=True):
    """What an include of one of our fragments says."""

    language: Literal["esi", "ssi"]
    query: bytes = b""
    """Of its URL: which page it is about, as far as it says so."""
    host: bytes = b""
    """Of its URL, in lower case; empty where that is a path."""
    alt: Slot | None = None
    """Another fragment of ours, for when this one has nothing to say (``<esi:include alt>``)."""


class RawFacts(Struct):
    """What a page says about itself, as the locator cut it out: bytes of the page, nothing decoded.

    Character references and charset are the reader's work (``facts.py``). Each list keeps document
    order and is bounded by the locator.
    """

    scripts: list[bytes] = []
    """Text of inline scripts that mention ``datacueConfig``."""
    json_ld: list[bytes] = []
    """Text of ``<script type="application/ld+json">``."""
    meta: list[tuple[bytes, bytes]] = []
    """(lower-case ``property`` or ``name``, ``content``) of ``<meta>``: og:*, product:*, description."""
    microdata: list[tuple[bytes, ...]] = []
    """``(b"open", itemtype, itemprop)`` at an itemscope element (b"" where absent), ``(b"close",)``
    at its end, ``(b"prop", itemprop, value)`` elsewhere: value from content, href, src, datetime,
    value or else the element's text."""
    selected: dict[str, list[bytes]] = {}
    """What the operator's ``[[pages]] facts`` selectors matched, by fact name."""


class Product(Struct, frozen=True):
    """A product as a card shows it. Links are http(s) or relative, checked when it was decoded."""

    product_id: str
    name: str
    link: str
    photo_url: str
    variant_id: str | None = None
    price: float | None = None
    full_price: float | None = None
    """The price before a discount; shown struck through only where it is above ``price``."""
    brand: str | None = None
    rating: float | None = None
    """0 to 100, shown as five stars; None shows none."""
    stock: int | None = None
    category: str | None = None
    extra: dict[str, Any] = {}


class Banner(Struct, frozen=True):
    """A banner. Links are http(s) or relative, checked when it was decoded."""

    banner_id: str
    link: str
    photo_url: str
    name: str = ""
    extra: dict[str, Any] = {}


class CategoryRow(Struct, frozen=True):
    """One row of the ``categories`` list: a category that the visitor likes, and its products."""

    name: str
    link: str | None = None
    products: list[Raw] = []


class Recommendations(Struct, frozen=True, omit_defaults=True):
    """The answer to an event (guide, "Response JSON"), with its items still encoded.

    Items stay ``Raw``: their bytes are the key under which their rendered HTML is remembered, so an
    item that was shown before is never decoded again. A list is None where the answer had none.
    """

    main_banners: list[Raw] | None = None
    sub_banners: list[Raw] | None = None
    related_product_skus: list[Raw] | None = None
    similar_product_skus: list[Raw] | None = None
    recent_product_skus: list[Raw] | None = None
    top_product_skus: list[Raw] | None = None
    category_product_skus: list[CategoryRow] | None = None
