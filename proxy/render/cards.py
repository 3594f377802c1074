"""What a card says about its item: the shop's language, its choice of fields, its links."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import unquote

from proxy.widgets import BannerContext, BannerShape, ProductContext, Rating

if TYPE_CHECKING:
    from collections.abc import Collection

    from proxy.models import Banner, ListName, Product
    from proxy.wording import Words

Field = Literal["price", "full_price", "brand", "rating", "stock"]
"""What a card may show beside photo and name."""

FIELDS: tuple[Field, ...] = get_args(Field)

BANNER_SIZES: dict[BannerShape, tuple[int, int]] = {"wide": (1200, 720), "narrow": (480, 720)}
"""Pixels, the vendor's 5:3 and 2:3: they reserve the place before the photo arrives."""

LABEL_LIMIT = 60
"""Characters of a label read out of a link: what a screen reader's user hears without skipping."""

LinkFor = Callable[[str, str, str, str], str]
"""From (``product`` or ``banner``, the item's list, its id, where it leads) to what is linked."""


def plain_link(_kind: str, _list_name: str, _id: str, href: str) -> str:
    """Links straight to the item: clicks aren't counted."""
    return href


class Cards:
    """Makes the contexts of ``widgets/product.html`` and ``widgets/banner.html``.

    Args:
        words: of the shop's language.
        price: from (amount, currency code or "" for the shop's own) to text.
        number: from a number to text.
        fields: what product cards show beside photo and name.
        button: text of a call to action; None shows none.
        link_for: makes the items' links.
    """

    def __init__(
        self,
        *,
        words: Words,
        price: Callable[[float, str], str],
        number: Callable[[float], str],
        fields: Collection[Field],
        button: str | None,
        link_for: LinkFor,
    ) -> None:
        self._words = words
        self._price = price
        self._number = number
        self._fields = frozenset(fields)
        self._button = button
        self._link_for = link_for

    def product(self, name: ListName, product: Product) -> ProductContext:
        """A product in a list."""
        shows = self._fields
        stock = None
        if product.stock and "stock" in shows:
            stock = self._words.stock.replace("{count}", self._number(product.stock))
        price, full_price = self._prices(product)
        return {
            "product": product,
            "link": self._link_for("product", name, product.product_id, product.link),
            "list_name": name,
            "price": price,
            "full_price": full_price,
            "brand": product.brand if "brand" in shows else None,
            "rating": self._rating(product.rating) if product.rating and "rating" in shows else None,
            "stock": stock,
            "button": self._button,
            "words": self._words,
        }

    def _prices(self, product: Product) -> tuple[str | None, str | None]:
        """The price, and the one to strike through where that is higher."""
        amount, full = product.price, product.full_price
        if amount is None or "price" not in self._fields:
            return None, None
        own = product.extra.get("currency")
        currency = own if isinstance(own, str) and _CURRENCY.fullmatch(own) else ""
        reduced = full is not None and full > amount and "full_price" in self._fields
        return self._price(amount, currency), self._price(full, currency) if full and reduced else None

    def _rating(self, rating: float) -> Rating:
        """Above 0, which is a shop's way to say that nobody has rated it yet."""
        stars = self._number(round(rating / 20, 1))
        return Rating(halves=max(1, round(rating / 10)), text=self._words.stars.replace("{stars}", stars))

    def banner(self, shape: BannerShape, banner: Banner, *, static: bool = False) -> BannerContext:
        """A banner; the clicks of the shop's static one don't count."""
        link = banner.link
        if not static:
            list_name = "main_banners" if shape == "wide" else "sub_banners"
            link = self._link_for("banner", list_name, banner.banner_id, link)
        width, height = BANNER_SIZES[shape]
        return BannerContext(
            banner=banner,
            link=link,
            shape=shape,
            static=static,
            label=banner.name or label_of(banner.link) or self._words.banner,
            width=width,
            height=height,
            words=self._words,
        )


_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_BEFORE_PATH = re.compile(r"^(https?:)?//[^/?#]*", re.ASCII | re.IGNORECASE)


def label_of(link: str) -> str:
    """What a banner without a name leads to: ``/category/living-room`` → ``Living room``; "" if unclear."""
    path = _BEFORE_PATH.sub("", link).partition("?")[0].partition("#")[0]
    last = unquote(path.rstrip("/").rpartition("/")[2])
    label = " ".join(re.split(r"[-_+\s]+", last.partition(".")[0])).strip()
    if len(label) > LABEL_LIMIT or label.isdigit() or not label.isprintable():
        return ""
    return label[:1].upper() + label[1:]
