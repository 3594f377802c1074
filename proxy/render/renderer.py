"""Widgets → HTML, and what came before isn't rendered again.

Visitors' lists differ, the products in them repeat: what a template made of an item is remembered
under the item's own bytes, and what the cards made of a list under the bytes of all its items. So a
list that was shown before is one dictionary lookup, and a list never seen is a join.

A `Renderer` never changes: to take up new templates or settings, make another one.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast

from markupsafe import escape
from msgspec import Raw, json

from proxy.errors import SettingsError
from proxy.links import safe_url
from proxy.models import Banner, CategoryRow, ListName, Page, Product, Recommendations, Slot
from proxy.remember import CacheStats, Entry, Memory, Remembered
from proxy.render import files
from proxy.render.cards import Cards, Field, LinkFor, plain_link
from proxy.render.joins import joined
from proxy.widgets import (
    ANSWER_FIELD,
    BannerLayout,
    BannersContext,
    BannerShape,
    CategoriesContext,
    Layout,
    ProductsContext,
    Rendered,
    Row,
    decode_banner,
    decode_product,
    row_head,
    shown_on,
)
from proxy.wording import number_formatter, parse_locale, price_formatter, words_for

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

Charset = Literal["utf-8", "ascii"]

Key = tuple[object, ...]
"""What a list was rendered from; strings, bytes and plain values."""

Heading = Literal["h1", "h2", "h3", "h4", "h5", "h6"]

CACHE_BYTES = 32 * 2**20
"""Rendered HTML kept: some 17,000 cards in three quarters of it, a thousand lists in the rest.

Cards get the most because they repeat: a catalogue has thousands of products and millions of lists.
"""

SIGHTS = 32_768
"""Items, and lists, of which is known that they came once: of a catalogue's products nearly all."""

LOOKAHEAD = 64
"""Items of a list that are looked at to find the ones to show: four times the longest section."""

SECTION_SIZES = range(1, 17)
"""Products in a list: the vendor's own setting goes up to 16."""

CATEGORY_ROWS = 4
"""Category rows shown: more would push the shop's own content off the page."""

WIDE_BANNERS, NARROW_BANNERS, NARROW_ALONE = 3, 2, 4
"""Banners shown: the vendor's "high" layout; and narrow ones where there is no wide one beside them."""


MARKS = 256
"""Marks of cards: so many small numbers are made when Python starts."""


class _Card(Entry):
    """A product's card, and whose it is; no HTML where the product can't be shown.

    Attributes:
        mark: a small number made of the id, of which Python has one object each: cards with different marks
            are of different products, and nothing of them had to come from memory to know it.
    """

    __slots__ = ("html", "mark", "product_id")

    def __init__(self, product_id: str, html: bytes) -> None:
        self.product_id = product_id
        self.mark = hash(product_id) % MARKS
        self.html = html


class Renderer:
    """Renders slots with the shop's templates, language and choices.

    Args:
        templates: the operator's folder; a file in it replaces the shipped one of the same name.
        locale: of words and prices: ``en_US``.
        currency: ISO 4217 code of prices; an item's own ``extra.currency`` wins.
        layout: products in a ``grid``, or in a ``slider`` that scrolls sideways.
        section_size: products in a list at most.
        fields: what cards show beside photo and name.
        button: text of a call to action on each card; None shows none.
        heading: tag of the lists' titles, to fit the shop's own outline.
        words: the shop's own words in place of the shipped ones, by their names in `Words`.
        hide_out_of_stock: leave out products whose stock is known to be 0.
        link_for: makes the link of an item from (``product`` or ``banner``, its list, its id, where
            it leads); None links directly. Called once per item, so its answer must fit every visitor.
        stylesheet_href: URL of the stylesheet that the first slot of a page links to; None: the shop
            has its own.
        cache_bytes: rendered HTML kept.
        failed: told the template's name and the error when a template fails on an item.

    Raises:
        SettingsError: a template can't be used, or a value above isn't one.
    """

    def __init__(  # noqa: PLR0913 - keyword-only: the operator's choices, one each
        self,
        *,
        templates: Path | None = None,
        locale: str = "en_US",
        currency: str = "USD",
        layout: Layout = "grid",
        section_size: int = 8,
        fields: Collection[Field] = ("price", "full_price", "brand", "rating"),
        button: str | None = None,
        heading: Heading = "h2",
        words: Mapping[str, str] | None = None,
        hide_out_of_stock: bool = True,
        link_for: LinkFor | None = None,
        stylesheet_href: str | None = None,
        cache_bytes: int = CACHE_BYTES,
        failed: Callable[[str, Exception], None] | None = None,
    ) -> None:
        if section_size not in SECTION_SIZES:
            size = f"{SECTION_SIZES.start} to {SECTION_SIZES.stop - 1}"
            raise SettingsError("section_size", f"{section_size} is out of range", f"Write {size}")
        parsed = parse_locale(locale)
        self._words = words_for(parsed, words)
        price, number = price_formatter(parsed, currency), number_formatter(parsed)
        self._layout: Layout = layout
        self._size = section_size
        self._heading = heading
        self._hide_out_of_stock = hide_out_of_stock
        self._stylesheet = b"" if stylesheet_href is None else _stylesheet_link(stylesheet_href)
        self._failed = failed or (lambda _name, _error: None)
        self.failures = 0
        """Times that a template failed on an item."""
        self._lists: Remembered[Key, bytes] = Remembered(cache_bytes // 4, sights=SIGHTS)
        self._cards: Memory[bytes, _Card] = Memory(cache_bytes // 4 * 3, sights=SIGHTS)
        self._frames: dict[tuple[ListName, int, Charset], list[bytes]] = {}
        self._contexts = Cards(
            words=self._words,
            price=price,
            number=number,
            fields=fields,
            button=button,
            link_for=link_for or plain_link,
        )
        loaded = files.load(templates, {"price": price, "number": number})
        for name, sample in self._samples():
            files.rehearse(loaded[name], sample)
        self._templates = {name: joined(each) or each.render for name, each in loaded.items()}

    @property
    def stats(self) -> dict[str, CacheStats]:
        """How the caches of lists and of single cards do."""
        return {"lists": self._lists.stats, "cards": self._cards.stats}

    def slot(
        self, slot: Slot, page: Page, answer: Recommendations, *, utf8: bool, first: bool
    ) -> bytes | None:
        """The HTML that fills a slot, or None when there is nothing to say: then its fallback stays.

        Args:
            slot: what to show.
            page: where; its kind decides which lists ``products`` shows.
            answer: what the vendor recommends. An empty one still shows the shop's static banner.
            utf8: the page is UTF-8; otherwise the HTML is ASCII, with character references.
            first: no slot of this page was filled before: the stylesheet comes along.
        """
        if slot.pages is not None and page.kind not in slot.pages:
            return None
        charset: Charset = "utf-8" if utf8 else "ascii"
        if slot.widget == "products":
            html = b"".join([self._list(name, answer, charset) for name in shown_on(page.kind)])
        elif slot.widget in {"banners", "main_banners", "sub_banners"}:
            html = self._banner_slot(slot, answer, charset)
        else:
            html = self._list(cast("ListName", slot.widget), answer, charset)
        if not html:
            return None
        return self._stylesheet + html if first else html

    # Product lists

    def _list(self, name: ListName, answer: Recommendations, charset: Charset) -> bytes:
        if name == "categories":
            return self._categories(answer.category_product_skus, charset)
        raws: list[Raw] | None = getattr(answer, ANSWER_FIELD[name])
        if not raws:
            return b""
        raws = raws[:LOOKAHEAD]
        # No JSON value holds a NUL byte, so the joined bytes say unambiguously which items these are.
        key = (name, charset, b"\0".join(raws))
        html = self._lists.get(key)
        if html is None:
            html = self._remember(key, self._products(name, raws, charset))
        return html

    def _remember(self, key: Key, html: bytes | None) -> bytes:
        """Remembers a list; one that failed is tried again next time."""
        if html is None:
            return b""
        if self._lists.wanted(key):
            self._lists.put(key, html, len(html))
        return html

    def _products(self, name: ListName, raws: Sequence[Raw], charset: Charset) -> bytes | None:
        cards = self._cards_of(name, raws, None, charset)
        if not cards:
            return b""
        frame = self._frames.get((name, len(cards), charset))
        if frame is None:
            frame = self._frame(name, len(cards), charset)
        if frame is None:
            return None
        html = [frame[0]]
        for piece in frame[1:]:
            html += cards
            html.append(piece)
        return b"".join(html)

    def _frame(self, name: ListName, count: int, charset: Charset) -> list[bytes] | None:
        """What the template writes around (and between, if it likes) its cards.

        It can't look into them, so equal counts make equal frames: a few dozen are kept at most.
        """
        context = ProductsContext(
            list_name=name,
            title=getattr(self._words, name),
            title_id=f"datacue-{name}-title",
            heading=self._heading,
            layout=self._layout,
            cards=Rendered(_CARDS),
            count=count,
            words=self._words,
        )
        html = self._guarded("widgets/products.html", context)
        if html is None:
            return None
        frame = [_encoded(piece, charset) for piece in html.split(_CARDS)]
        self._frames[name, count, charset] = frame
        return frame

    def _categories(self, rows: list[CategoryRow] | None, charset: Charset) -> bytes:
        if not rows:
            return b""
        rows = rows[:CATEGORY_ROWS]
        key = ("categories", charset, json.encode(rows))
        html = self._lists.get(key)
        if html is None:
            html = self._remember(key, self._rows(rows, charset))
        return html

    def _rows(self, rows: Iterable[CategoryRow], charset: Charset) -> bytes | None:
        shown: list[Row] = []
        seen: set[str] = set()
        for row in rows:
            cards = self._cards_of("categories", row.products[:LOOKAHEAD], seen, charset)
            if cards:
                title, link = row_head(row)
                shown.append(
                    Row(
                        title=title or self._words.categories,
                        title_id=f"datacue-categories-title-{len(shown) + 1}",
                        link=link,
                        cards=Rendered(b"".join(cards).decode()),
                        count=len(cards),
                    )
                )
        if not shown:
            return b""
        context = CategoriesContext(
            list_name="categories", rows=shown, heading=self._heading, layout=self._layout, words=self._words
        )
        html = self._guarded("widgets/categories.html", context)
        return None if html is None else _encoded(html, charset)

    def _cards_of(
        self, name: ListName, raws: Sequence[Raw], seen: set[str] | None, charset: Charset
    ) -> list[bytes]:
        """The cards to show: whose item can be shown, each product once, as many as a section holds.

        Args:
            name: of the list.
            raws: its items.
            seen: products that stand elsewhere; those shown are added. None where nobody wants to know.
            charset: of the page.
        """
        tag, size = _tag(name, charset), self._size
        cards: list[bytes] = []
        shown: set[str] = set() if seen is None else seen
        for start in range(0, len(raws), size):
            some = raws[start : start + size]
            keys = [tag + raw for raw in some]
            found = self._cards.several(keys)
            if seen is None and not start and all(found) and (whole := _each_shown(found)):
                return whole  # so it mostly is: there is nothing to decide about each
            for key, raw, known in zip(keys, some, found, strict=True):
                product_id, html = (
                    (known.product_id, known.html) if known else self._fresh_card(key, name, charset, raw)
                )
                if html and product_id not in shown:
                    shown.add(product_id)
                    cards.append(html)
                    if len(cards) == size:
                        return cards
        return cards

    def _fresh_card(self, key: bytes, name: ListName, charset: Charset, raw: Raw) -> tuple[str, bytes]:
        """A product's id and card; empty where it can't be shown."""
        product = decode_product(raw)
        card = "", b""
        if product is not None and not (self._hide_out_of_stock and product.stock == 0):
            html = self._guarded("widgets/product.html", self._contexts.product(name, product))
            card = product.product_id, _encoded(html or "", charset)
        if self._cards.wanted(key):
            self._cards.keep(key, _Card(*card), sum(map(len, card)))
        return card

    # Banners

    def _banner_slot(self, slot: Slot, answer: Recommendations, charset: Charset) -> bytes:
        wide = answer.main_banners or [] if slot.widget != "sub_banners" else []
        narrow = answer.sub_banners or [] if slot.widget != "main_banners" else []
        if slot.index is not None and slot.widget != "banners":
            place = slice(slot.index - 1, slot.index) if slot.index > 0 else slice(0)
            wide, narrow = wide[place], narrow[place]
        key = (
            *(slot.widget, slot.index is None, charset, slot.static_img, slot.static_link),
            *(b"\0".join(wide[:LOOKAHEAD]), b"\0".join(narrow[:LOOKAHEAD])),
        )
        html = self._lists.get(key)
        if html is None:
            banners = self._banners(slot, wide[:LOOKAHEAD], narrow[:LOOKAHEAD])
            html = self._remember(key, None if banners is None else _encoded(banners, charset))
        return html

    def _banners(self, slot: Slot, wide: Sequence[Raw], narrow: Sequence[Raw]) -> str | None:
        seen: set[str] = set()
        static = self._static_banner(slot)
        wides = static + self._banner_cards("wide", wide, seen, WIDE_BANNERS - len(static))
        narrows = self._banner_cards("narrow", narrow, seen, NARROW_BANNERS if wides else NARROW_ALONE)
        if slot.index is not None and slot.widget != "banners":
            return "".join(wides + narrows)
        if not wides and not narrows:
            return ""
        layouts: tuple[BannerLayout, ...] = ("narrow", "low", "medium", "high")
        context = BannersContext(
            # The first wide one, then the narrow ones: so they make full rows in every layout.
            banners=Rendered("".join(wides[:1] + narrows + wides[1:])),
            layout=layouts[len(wides)],
            wide=len(wides),
            narrow=len(narrows),
            words=self._words,
        )
        return self._guarded("widgets/banners.html", context)

    def _static_banner(self, slot: Slot) -> list[str]:
        """The shop's own banner, which is the same for everyone: its clicks don't count."""
        photo = safe_url(slot.static_img)
        if photo is None or slot.widget != "banners":
            return []
        banner = Banner(banner_id="static", link=safe_url(slot.static_link) or "", photo_url=photo)
        html = self._guarded("widgets/banner.html", self._contexts.banner("wide", banner, static=True))
        return [html] if html else []

    def _banner_cards(self, shape: BannerShape, raws: Iterable[Raw], seen: set[str], limit: int) -> list[str]:
        cards: list[str] = []
        for raw in raws:
            if len(cards) == limit:
                break
            banner = decode_banner(raw)
            if banner is None or banner.banner_id in seen:
                continue
            seen.add(banner.banner_id)
            html = self._guarded("widgets/banner.html", self._contexts.banner(shape, banner))
            if html:
                cards.append(html)
        return cards

    # Templates

    def _guarded(self, name: str, context: Mapping[str, Any]) -> str | None:
        """Renders; None when the template fails, for a page is never broken by a widget."""
        try:
            return self._templates[name](context)
        except Exception as error:  # noqa: BLE001 - the operator's template is code: it may raise anything
            self.failures += 1
            self._failed(name, error)
            return None

    def _samples(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Rich and poor input for every template, so that a typo shows at start, not to a visitor."""
        for product in (_RICH_PRODUCT, _POOR_PRODUCT):
            yield "widgets/product.html", self._contexts.product("related", product)
        for banner in (_RICH_BANNER, _POOR_BANNER):
            yield "widgets/banner.html", self._contexts.banner("wide", banner, static=True)
        cards, words = Rendered("x"), self._words
        head = {"list_name": "top", "heading": self._heading, "layout": self._layout, "words": words}
        yield "widgets/products.html", {**head, "title": "", "title_id": "", "cards": cards, "count": 0}
        rows = [Row("", "", "/", cards, 0), Row("", "", None, cards, 0)]
        yield "widgets/categories.html", {**head, "rows": rows}
        banners = {"banners": cards, "layout": "low", "wide": 1, "narrow": 2, "words": words}
        yield "widgets/banners.html", banners


_CARDS = "\ue000cards\ue000"  # where cards go in a frame; private-use characters, in no template

_RICH_PRODUCT = Product(
    product_id="18",
    name="Luxury Double Bed",
    link="/product/double-bed-2",
    photo_url="/products/18.jpg",
    variant_id="a",
    price=1299.0,
    full_price=1499.0,
    brand="Alba",
    rating=92.0,
    stock=3,
    category="bedroom",
    extra={"discount": "20%"},
)
_POOR_PRODUCT = Product(product_id="p", name="p", link="/", photo_url="/p.jpg")
_RICH_BANNER = Banner(banner_id="B1", link="/category/bathroom", photo_url="/b.jpg", name="Bathroom")
_POOR_BANNER = Banner(banner_id="b", link="", photo_url="/b.jpg")


def _each_shown(cards: Sequence[Any]) -> list[bytes]:
    """The HTML of remembered cards; nothing where not all can be shown, or two are of one product."""
    html = [card.html for card in cards]
    if not all(html):
        return []
    if len({card.mark for card in cards}) < len(html) and len({card.product_id for card in cards}) < len(
        html
    ):
        return []
    return html


@cache
def _tag(name: ListName, charset: Charset) -> bytes:
    """What an item's bytes follow in the name of its card; no JSON value holds a NUL byte."""
    return f"{name}\0{charset}\0".encode()


def _encoded(html: str, charset: Charset) -> bytes:
    # Every charset that a page can be rewritten in has ASCII; what that lacks becomes a reference.
    return html.encode(charset, "xmlcharrefreplace")


def _stylesheet_link(href: str) -> bytes:
    # Allowed in the body: HTML Standard, 4.2.4, "body-ok".
    return _encoded(f'<link rel="stylesheet" href="{escape(href)}">', "ascii")
