"""Slots and the lists that fill them, the vendor's boundary, and what templates are given.

Everything that comes out of `decode_product` and `decode_banner` can be shown as it is: texts hold no
control characters, links and photos are http(s) or relative URLs in plain ASCII. Nothing behind this
module checks again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import msgspec
from msgspec import Raw, Struct

from proxy.links import safe_url
from proxy.models import Banner, CategoryRow, ListName, PageKind, Product, Recommendations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.wording import Words

TEXT_LIMIT = 300
"""Characters of a name or brand that a card shows: more is a feed's accident, and would tear the layout."""

ID_LIMIT = 2**64
"""Numbers from here on are no ids (and Python refuses to write out very long ones)."""

PRICE_LIMIT = 1e12
"""A price above this is a feed's accident, in any currency."""

_LISTS: dict[PageKind, tuple[ListName, ...]] = {
    "home": ("related", "categories", "recent"),
    "product": ("related", "similar", "recent"),
    "category": ("top", "recent"),
    "search": ("recent",),
    "cart": ("related", "recent"),
    "404": ("related", "recent"),
}

ANSWER_FIELD: dict[ListName, str] = {
    "related": "related_product_skus",
    "similar": "similar_product_skus",
    "recent": "recent_product_skus",
    "top": "top_product_skus",
    "categories": "category_product_skus",
}
"""The field of `Recommendations` that holds each list."""


def shown_on(kind: PageKind) -> tuple[ListName, ...]:
    """The lists that a ``products`` slot shows on this page, in the vendor's order; none on checkout."""
    return _LISTS.get(kind, ())


# What templates are given -------------------------------------------------------------------------


class Rating(Struct, frozen=True):
    """A rating as stars."""

    halves: int
    """1 to 10 half stars, for drawing."""
    text: str
    """For those who can't see the drawing: ``4.7 out of 5 stars``."""


class Rendered(Struct, frozen=True):
    """HTML that was rendered before: a template can print it and nothing else."""

    html: str

    def __html__(self) -> str:
        return self.html

    def __str__(self) -> str:
        raise TypeError("rendered HTML can be printed, not changed: write {{ cards }}")


class Row(Struct, frozen=True):
    """One row of the ``categories`` list, its cards rendered."""

    title: str
    title_id: str
    link: str | None
    cards: Rendered
    count: int


Layout = Literal["grid", "slider"]
BannerLayout = Literal["low", "medium", "high", "narrow"]
"""1, 2 or 3 wide banners, or narrow ones alone."""
BannerShape = Literal["wide", "narrow"]


class ProductContext(TypedDict):
    """``widgets/product.html``: one card."""

    product: Product
    link: str
    list_name: ListName
    price: str | None
    full_price: str | None
    brand: str | None
    rating: Rating | None
    stock: str | None
    button: str | None
    words: Words


class ProductsContext(TypedDict):
    """``widgets/products.html``: one list."""

    list_name: ListName
    title: str
    title_id: str
    heading: str
    layout: Layout
    cards: Rendered
    count: int
    words: Words


class CategoriesContext(TypedDict):
    """``widgets/categories.html``: the category rows."""

    list_name: ListName
    rows: list[Row]
    heading: str
    layout: Layout
    words: Words


class BannerContext(TypedDict):
    """``widgets/banner.html``: one banner."""

    banner: Banner
    link: str
    shape: BannerShape
    static: bool
    label: str
    width: int
    height: int
    words: Words


class BannersContext(TypedDict):
    """``widgets/banners.html``: every banner of a page."""

    banners: Rendered
    layout: BannerLayout
    wide: int
    narrow: int
    words: Words


CONTEXTS: dict[str, frozenset[str]] = {
    "widgets/product.html": frozenset(ProductContext.__annotations__),
    "widgets/products.html": frozenset(ProductsContext.__annotations__),
    "widgets/categories.html": frozenset(CategoriesContext.__annotations__),
    "widgets/banner.html": frozenset(BannerContext.__annotations__),
    "widgets/banners.html": frozenset(BannersContext.__annotations__),
}
"""The names that each template may use. `Renderer` refuses a template that uses another one."""


def row_head(row: CategoryRow) -> tuple[str, str | None]:
    """A category row's title (empty where it has none) and its link, safe to show."""
    return _text(row.name), safe_url(row.link)


# The vendor's boundary ----------------------------------------------------------------------------


class _ProductFields(Struct, gc=False):
    """What a product may say of itself, of any type; whatever else it says is skipped."""

    product_id: Any = None
    name: Any = None
    title: Any = None
    link: Any = None
    photo_url: Any = None
    variant_id: Any = None
    price: Any = None
    full_price: Any = None
    brand: Any = None
    rating: Any = None
    stock: Any = None
    category: Any = None
    main_category: Any = None
    category_1: Any = None
    extra: Any = None


_answer = msgspec.json.Decoder(Recommendations)
_fields = msgspec.json.Decoder(dict[str, Raw])
_object = msgspec.json.Decoder(dict[str, Any])
_product = msgspec.json.Decoder(_ProductFields)
_raws = msgspec.json.Decoder(list[Raw] | None)


def decode_recommendations(body: bytes) -> Recommendations:
    """Reads an answer to an event. A list of a wrong type counts as absent; its items stay encoded.

    An empty body has no lists: the guide answers some events with 204.

    Raises:
        ValueError: the body isn't JSON, is no object, or is nested too deeply.
    """
    if not body.strip():
        return Recommendations()
    try:
        try:
            return _answer.decode(body)
        except msgspec.ValidationError:
            return _decode_each(_fields.decode(body))
    except RecursionError as error:
        raise ValueError("the answer is nested too deeply") from error


def _decode_each(fields: Mapping[str, Raw]) -> Recommendations:
    """Reads every list for itself, so that a bad one doesn't take the others with it."""
    lists: dict[str, Any] = {}
    for name in Recommendations.__struct_fields__:
        try:
            raws = _raws.decode(fields.get(name, b"null"))
        except msgspec.ValidationError:
            continue
        if name == "category_product_skus" and raws is not None:
            lists[name] = [row for raw in raws if (row := _decode_row(raw)) is not None]
        else:
            lists[name] = raws
    return Recommendations(**lists)


def _decode_row(raw: Raw) -> CategoryRow | None:
    try:
        return msgspec.json.decode(raw, type=CategoryRow)
    except msgspec.ValidationError:
        return None


def _decode_object(raw: Raw | bytes) -> dict[str, Any] | None:
    try:
        return _object.decode(raw)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None


def decode_product(raw: Raw | bytes) -> Product | None:
    """Reads one product of a list, in any of the vendor's dialects.

    Ids and prices may be numbers or strings; a value of a wrong type counts as absent.

    Returns:
        None when it can't be shown: without id, name, link or photo, or with a link or photo that
        `safe_url` refuses.
    """
    try:
        found = _product.decode(raw)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
    product_id = _id(found.product_id)
    name = _text(found.name) or _text(found.title)
    link = safe_url(found.link)
    photo_url = safe_url(found.photo_url)
    if product_id is None or not name or link is None or photo_url is None:
        return None
    extra = found.extra
    # Most products lack most of these: what isn't there isn't looked into.
    return Product(
        product_id=product_id,
        name=name,
        link=link,
        photo_url=photo_url,
        variant_id=None if found.variant_id is None else _id(found.variant_id),
        price=_number(found.price, PRICE_LIMIT),
        full_price=None if found.full_price is None else _number(found.full_price, PRICE_LIMIT),
        brand=None if found.brand is None else _text(found.brand) or None,
        rating=None if found.rating is None else _number(found.rating, 100),
        stock=None if found.stock is None else _count(found.stock),
        # By the vendor's newest name for it first.
        category=_text(found.category) or _text(found.main_category) or _text(found.category_1) or None,
        extra=extra if isinstance(extra, dict) else {},
    )


def decode_banner(raw: Raw | bytes) -> Banner | None:
    """Reads one banner; None when it has no id, link or photo, or `safe_url` refuses one of those."""
    found = _decode_object(raw)
    if found is None:
        return None
    banner_id = _id(found.get("banner_id"))
    link = safe_url(found.get("link"))
    photo_url = safe_url(found.get("photo_url"))
    if banner_id is None or link is None or photo_url is None:
        return None
    extra = found.get("extra")
    return Banner(
        banner_id=banner_id,
        link=link,
        photo_url=photo_url,
        name=_text(found.get("name")),
        extra=extra if isinstance(extra, dict) else {},
    )


# Controls (a reference to one of 0x80-0x9f means another character in HTML), line and paragraph
# separators, bidirectional overrides (they make a name read as something else), surrogates,
# noncharacters.
_UNSHOWABLE = re.compile(
    "[\x00-\x20\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]+"
)


def _text(value: object) -> str:
    """A string as one line of showable text; empty where it is none."""
    if isinstance(value, str):
        text = value if value.isprintable() else _UNSHOWABLE.sub(" ", value)
        text = text.strip()
        return text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 1]}…"
    return ""


def _id(value: object) -> str | None:
    """An id as it was written, number or string; None where there is none, or an endless one."""
    if isinstance(value, str):
        return (_text(value) or None) if len(value) <= TEXT_LIMIT else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < ID_LIMIT:
        return str(value)
    return None


_NUMBERS = frozenset({int, float})
_DECIMAL = re.compile(r"\s*[0-9]{1,12}(\.[0-9]*)?\s*", re.ASCII)


def _number(value: Any, limit: float) -> float | None:
    """A number from 0 to the limit, written as a number or a decimal string."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = float(value)
    # Neither true nor false is a number, and what isn't one (NaN) is not between any.
    return float(value) if type(value) in _NUMBERS and 0 <= value <= limit else None


def _count(value: object) -> int | None:
    number = _number(value, 1e9)
    return None if number is None else int(number)
