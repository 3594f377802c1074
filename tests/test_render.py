"""Widgets as HTML: what they say, what they never let through, and what is remembered."""

from __future__ import annotations

import json
import random
import re
import shutil
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, get_args

import pytest
import turbohtml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.errors import SettingsError
from proxy.models import LIST_NAMES, ListName, Page, PageKind, Recommendations, Slot, Widget
from proxy.render import Renderer
from proxy.render.cards import FIELDS, label_of
from proxy.render.lint import lint_templates
from proxy.render.renderer import CATEGORY_ROWS, LOOKAHEAD
from proxy.shipped import shipped
from proxy.widgets import ANSWER_FIELD, decode_recommendations
from proxy.wording import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOME = Page("home")
BED = {
    "product_id": "18",
    "name": "Luxury Double Bed",
    "link": "/product/double-bed-2",
    "photo_url": "/products/18.jpg",
    "price": 1299,
}


def item(number: int, **changed: Any) -> dict[str, Any]:
    return {**BED, "product_id": str(number), "name": f"Bed {number}", "link": f"/bed/{number}", **changed}


def banner(number: int, **changed: Any) -> dict[str, Any]:
    return {"banner_id": f"B{number}", "link": f"/category/beds-{number}", "photo_url": "/b.jpg", **changed}


def answer(**lists: Any) -> Recommendations:
    named = {ANSWER_FIELD.get(name, name): items for name, items in lists.items()}  # type: ignore[call-overload]  # any name
    return decode_recommendations(json.dumps(named).encode())


def shown(
    renderer: Renderer,
    widget: Widget,
    recommended: Recommendations,
    *,
    kind: PageKind = "home",
    index: int | None = None,
    utf8: bool = True,
    first: bool = False,
    static_img: str | None = None,
    static_link: str | None = None,
) -> str:
    """The slot's HTML as text; empty where its fallback stays."""
    slot = Slot(widget, index=index, static_img=static_img, static_link=static_link)
    html = renderer.slot(slot, Page(kind), recommended, utf8=utf8, first=first)
    assert html is None or html
    return (html or b"").decode("utf-8" if utf8 else "ascii")


def tree(html: str) -> turbohtml.Document:
    return turbohtml.parse(f"<!doctype html><body>{html}")


def texts(html: str, selector: str) -> list[str]:
    return [" ".join(element.text.split()) for element in tree(html).select(selector)]


def attribute(html: str, selector: str, name: str) -> list[Any]:
    return [element.attrs.get(name) for element in tree(html).select(selector)]


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


# Product lists


def test_a_list_has_the_vendors_structure(renderer: Renderer) -> None:
    html = shown(renderer, "similar", answer(similar=[BED]))
    card = "section.datacue-rec-section.datacue-similar > ul.datacue-rec-grid > li.datacue-rec"
    assert texts(html, ".datacue-rec-section > h2.datacue-rec-title") == ["Similar products"]
    assert texts(html, f"{card} > p.datacue-rec-product-title > a") == ["Luxury Double Bed"]
    assert texts(html, f"{card} > p.datacue-rec-prices > span.datacue-rec-current-price") == ["$1,299.00"]
    assert attribute(html, f"{card} p.datacue-rec-product-title > a", "href") == ["/product/double-bed-2"]


def test_a_section_is_named_by_its_title(renderer: Renderer) -> None:
    html = shown(renderer, "products", answer(related=[BED], recent=[BED]))
    ids = attribute(html, ".datacue-rec-title", "id")
    assert attribute(html, "section", "aria-labelledby") == ids
    assert len(set(ids)) == 2


def test_a_photo_leaves_its_words_to_the_name_beside_it(renderer: Renderer) -> None:
    html = shown(renderer, "related", answer(related=[BED]))
    assert attribute(html, "a.datacue-rec-photo > img", "alt") == [""]
    assert attribute(html, "a.datacue-rec-photo", "aria-hidden") == ["true"]
    assert attribute(html, "a.datacue-rec-photo", "tabindex") == ["-1"]


def test_photos_load_late_and_have_their_place_reserved(renderer: Renderer) -> None:
    (photo,) = tree(shown(renderer, "related", answer(related=[BED]))).select("img")
    assert photo.attrs["loading"] == "lazy"
    assert photo.attrs["decoding"] == "async"
    assert photo.attrs["width"]
    assert photo.attrs["height"]


def test_products_shows_the_page_kinds_lists_in_order(renderer: Renderer) -> None:
    lists = {name: [BED] for name in LIST_NAMES if name != "categories"}
    html = shown(renderer, "products", answer(**lists), kind="product")
    assert texts(html, ".datacue-rec-title") == ["Recommended for you", "Similar products", "Recently viewed"]


@pytest.mark.parametrize("name", [name for name in LIST_NAMES if name != "categories"])
def test_a_list_is_shown_on_any_page_that_asks_for_it(renderer: Renderer, name: ListName) -> None:
    assert texts(shown(renderer, name, answer(**{name: [BED]}), kind="checkout"), "li.datacue-rec")


@pytest.mark.parametrize("items", [None, [], [None], [{}], [{**BED, "link": "javascript:alert(1)"}]])
@pytest.mark.parametrize("widget", ["related", "products", "main_banners", "sub_banners", "banners"])
def test_nothing_to_show_leaves_the_fallback(renderer: Renderer, widget: Widget, items: Any) -> None:
    empty = answer(related=items, main_banners=items, sub_banners=items)
    assert shown(renderer, widget, empty) == ""


def test_checkout_shows_no_products(renderer: Renderer) -> None:
    assert shown(renderer, "products", answer(related=[BED], recent=[BED]), kind="checkout") == ""


def test_a_slot_for_other_pages_stays_as_it_is(renderer: Renderer) -> None:
    slot = Slot("related", pages=frozenset({"cart"}))
    recommended = answer(related=[BED])
    assert renderer.slot(slot, HOME, recommended, utf8=True, first=False) is None
    assert renderer.slot(slot, Page("cart"), recommended, utf8=True, first=False)


def test_a_product_is_shown_once_a_list(renderer: Renderer) -> None:
    items = [item(1), item(2), item(1), item(1, variant_id="b", price="9")]
    assert len(texts(shown(renderer, "recent", answer(recent=items)), "li")) == 2


def test_a_section_holds_eight_products(renderer: Renderer) -> None:
    html = shown(renderer, "recent", answer(recent=[item(number) for number in range(20)]))
    assert texts(html, "li a.datacue-rec-photo + p") == [f"Bed {number}" for number in range(8)]


def test_what_cannot_be_shown_makes_room_for_the_next() -> None:
    items = [item(1), None, item(2, photo_url=None), item(3, stock=0), item(4)]
    html = shown(Renderer(section_size=2), "recent", answer(recent=items))
    assert texts(html, ".datacue-rec-product-title") == ["Bed 1", "Bed 4"]


def test_an_endless_list_is_looked_at_only_so_far(renderer: Renderer) -> None:
    items = [*([None] * LOOKAHEAD), BED]
    assert shown(renderer, "recent", answer(recent=items)) == ""


def test_sold_out_products_can_be_shown() -> None:
    html = shown(Renderer(hide_out_of_stock=False), "top", answer(top=[item(1, stock=0)]))
    assert texts(html, "li")


def test_the_layout_is_a_class_of_the_section() -> None:
    html = shown(Renderer(layout="slider"), "top", answer(top=[BED]))
    assert texts(html, "section.datacue-slider")


def test_titles_can_have_another_rank() -> None:
    html = shown(Renderer(heading="h3"), "top", answer(top=[BED]))
    assert texts(html, "h3.datacue-rec-title") == ["Top products"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((), []),
        (("price",), ["$1,299.00"]),
        (("full_price",), []),
        (("price", "full_price"), ["Now $1,299.00 Was $1,499.00"]),
    ],
)
def test_prices_are_shown_as_chosen(fields: Any, expected: list[str]) -> None:
    html = shown(Renderer(fields=fields), "top", answer(top=[{**BED, "full_price": 1499}]))
    assert texts(html, ".datacue-rec-prices") == expected


@pytest.mark.parametrize("full_price", [None, 0, 1000, 1299, "nonsense"])
def test_no_price_is_struck_through_unless_it_was_higher(renderer: Renderer, full_price: Any) -> None:
    html = shown(renderer, "top", answer(top=[{**BED, "full_price": full_price}]))
    assert texts(html, ".datacue-rec-prices") == ["$1,299.00"]
    assert not texts(html, "s")


def test_a_full_price_alone_is_no_price(renderer: Renderer) -> None:
    html = shown(renderer, "top", answer(top=[{**BED, "price": None, "full_price": 5}]))
    assert not texts(html, ".datacue-rec-prices")


@pytest.mark.parametrize(
    ("rating", "halves", "text"),
    [
        (94, 9, "4.7 out of 5 stars"),
        (100, 10, "5 out of 5 stars"),
        ("61", 6, "3 out of 5 stars"),
        (2, 1, "0.1 out of 5 stars"),
    ],
)
def test_a_rating_is_drawn_and_said(renderer: Renderer, rating: Any, halves: int, text: str) -> None:
    html = shown(renderer, "top", answer(top=[{**BED, "rating": rating}]))
    stars = f".datacue-rec-product-rating-placeholder > .datacue-stars-{halves}[role=img]"
    assert attribute(html, stars, "aria-label") == [text]


@pytest.mark.parametrize("rating", [None, 0, 101, "many"])
def test_unrated_products_have_no_stars(renderer: Renderer, rating: Any) -> None:
    assert not texts(shown(renderer, "top", answer(top=[{**BED, "rating": rating}])), ".datacue-stars")


def test_every_field_can_be_chosen_and_left_out() -> None:
    rich = answer(top=[{**BED, "full_price": 1499, "brand": "Alba", "rating": 90, "stock": 3}])
    all_of_them = shown(Renderer(fields=FIELDS, button="View"), "top", rich)
    assert texts(all_of_them, ".datacue-rec-brand") == ["Alba"]
    assert texts(all_of_them, ".datacue-rec-stock") == ["3 in stock"]
    assert texts(all_of_them, ".datacue-rec-button") == ["View: Luxury Double Bed"]
    none_of_them = tree(shown(Renderer(fields=()), "top", rich)).select("li > *")
    assert [element.tag for element in none_of_them] == ["a", "p"]


# Categories


def test_category_rows_are_lists_of_their_own(renderer: Renderer) -> None:
    rows = [
        {"name": "Beds", "link": "/beds", "products": [item(1), item(2)]},
        {"name": "", "link": "javascript:alert(1)", "products": [item(2), item(3)]},
        {"name": "Empty", "products": [item(1)]},
    ]
    html = shown(renderer, "categories", answer(categories=rows))
    assert texts(html, ".datacue-categories > .datacue-rec-title") == ["Beds", "Picked for you"]
    assert attribute(html, ".datacue-rec-title > a", "href") == ["/beds"]
    assert texts(html, ".datacue-rec-product-title") == ["Bed 1", "Bed 2", "Bed 3"]
    assert attribute(html, "section", "aria-labelledby") == attribute(html, "h2", "id")


def test_category_rows_are_few(renderer: Renderer) -> None:
    rows = [{"name": f"C{number}", "products": [item(number)]} for number in range(20)]
    html = shown(renderer, "categories", answer(categories=rows))
    assert len(texts(html, "section")) == CATEGORY_ROWS


def test_category_rows_without_products_leave_the_fallback(renderer: Renderer) -> None:
    assert shown(renderer, "categories", answer(categories=[{"name": "Beds", "products": []}])) == ""
    assert shown(renderer, "categories", Recommendations()) == ""


def test_category_rows_that_come_again_are_remembered() -> None:
    renderer = Renderer()
    rows = answer(categories=[{"name": "Beds", "products": [item(1)]}])
    assert len({shown(renderer, "categories", rows) for _ in range(4)}) == 1
    assert renderer.stats["lists"].hits == 2


# Banners


@pytest.mark.parametrize(
    ("wide", "narrow", "layout"),
    [(1, 2, "low"), (2, 2, "medium"), (3, 2, "high"), (9, 9, "high"), (0, 2, "narrow"), (2, 0, "medium")],
)
def test_the_layout_follows_the_number_of_banners(
    renderer: Renderer, wide: int, narrow: int, layout: str
) -> None:
    html = shown(
        renderer,
        "banners",
        answer(
            main_banners=[banner(number) for number in range(wide)],
            sub_banners=[banner(number) for number in range(100, 100 + narrow)],
        ),
    )
    assert len(texts(html, f".datacue-banners-{layout} > a.datacue-banner-wide")) == min(wide, 3)
    assert len(texts(html, f".datacue-banners-{layout} > a.datacue-banner-narrow")) == min(narrow, 2)


def test_the_static_banner_takes_the_first_wide_place(renderer: Renderer) -> None:
    html = shown(
        renderer,
        "banners",
        answer(main_banners=[banner(number) for number in range(5)]),
        static_img="/own.jpg",
        static_link="/sale",
    )
    first, *others = tree(html).select(".datacue-banner-wide")
    assert first.attrs["href"] == "/sale"
    assert "datacue-banner-static" in str(first.attrs["class"])
    assert len(others) == 2


def test_the_static_banner_is_shown_without_recommendations(renderer: Renderer) -> None:
    html = shown(renderer, "banners", Recommendations(), static_img="/own.jpg")
    assert attribute(html, "span.datacue-banner-static > img", "src") == ["/own.jpg"]


def test_an_unsafe_static_image_is_no_banner(renderer: Renderer) -> None:
    assert shown(renderer, "banners", Recommendations(), static_img="javascript:alert(1)") == ""


def test_the_static_banners_clicks_are_not_counted() -> None:
    renderer = Renderer(link_for=lambda kind, name, id_, href: f"/click/{kind}/{name}/{id_}")
    recommended = answer(main_banners=[banner(1)], sub_banners=[banner(2)], related=[BED])
    html = shown(renderer, "banners", recommended, static_img="/own.jpg", static_link="/sale")
    assert attribute(html, "a.datacue-banner", "href") == [
        "/sale",
        "/click/banner/sub_banners/B2",
        "/click/banner/main_banners/B1",
    ]


def test_a_product_is_linked_as_its_list_counts_it() -> None:
    renderer = Renderer(link_for=lambda kind, name, id_, href: f"/click/{kind}/{name}/{id_}?to={href}")
    html = shown(renderer, "related", answer(related=[BED]))
    assert set(attribute(html, "li a", "href")) == {"/click/product/related/18?to=/product/double-bed-2"}


@pytest.mark.parametrize(("widget", "shape"), [("main_banners", "wide"), ("sub_banners", "narrow")])
def test_a_custom_layout_takes_a_single_banner_by_its_place(
    renderer: Renderer, widget: Widget, shape: str
) -> None:
    recommended = answer(**{widget: [banner(1), banner(2), None]})
    html = shown(renderer, widget, recommended, index=2)
    assert attribute(html, f"body > a.datacue-banner-{shape}", "href") == ["/category/beds-2"]
    for index in (0, -1, 3, 4):
        assert shown(renderer, widget, recommended, index=index) == ""


@pytest.mark.parametrize(("widget", "count"), [("main_banners", 3), ("sub_banners", 4)])
def test_one_kind_of_banners_can_stand_alone(renderer: Renderer, widget: Widget, count: int) -> None:
    recommended = answer(**{name: [banner(n) for n in range(9)] for name in ("main_banners", "sub_banners")})
    html = shown(renderer, widget, recommended, static_img="/own.jpg")
    assert len(texts(html, ".datacue-banner")) == count


def test_a_banner_is_shown_once(renderer: Renderer) -> None:
    html = shown(renderer, "banners", answer(main_banners=[banner(1), banner(1)], sub_banners=[banner(1)]))
    assert len(texts(html, ".datacue-banner")) == 1


@pytest.mark.parametrize(
    ("name", "link", "label"),
    [
        ("Bathroom week", "/category/bathroom", "Bathroom week"),
        ("", "/category/living-room/", "Living room"),
        ("", "https://shop.example/c/g%C3%A4rten.html?a=/b#c", "Gärten"),
        ("", "https://shop.example", "See the offer"),
        ("", "/", "See the offer"),
        ("", "/category/17", "See the offer"),
        ("", "/%00%01", "See the offer"),
        ("", "/" + "x" * 99, "See the offer"),
    ],
)
def test_a_banner_says_what_it_is(renderer: Renderer, name: str, link: str, label: str) -> None:
    html = shown(renderer, "main_banners", answer(main_banners=[banner(1, name=name, link=link)]))
    assert attribute(html, "img", "alt") == [label]


@given(st.text(max_size=30))
def test_any_link_has_a_short_label_or_none(link: str) -> None:
    label = label_of(link)
    assert label.isprintable()
    assert len(label) <= 60


# Language and money


@pytest.mark.parametrize(
    ("locale", "currency", "price", "title"),
    [
        ("en_US", "USD", "$1,299.00", "Top products"),
        ("en-GB", "GBP", "£1,299.00", "Top products"),
        ("de_DE", "EUR", "1.299,00 €", "Beliebte Produkte"),
        ("ja_JP", "JPY", "￥1,299", "Top products"),
        ("es_CL", "CLP", "$1.299", "Más populares"),
    ],
)
def test_prices_and_titles_follow_the_locale(locale: str, currency: str, price: str, title: str) -> None:
    html = shown(Renderer(locale=locale, currency=currency), "top", answer(top=[BED]))
    assert texts(html, ".datacue-rec-current-price") == [price]
    assert texts(html, ".datacue-rec-title") == [title]


@pytest.mark.parametrize(
    ("extra", "price"),
    [({"currency": "EUR"}, "€1,299.00"), ({"currency": "<b>"}, "$1,299.00"), ({"currency": 7}, "$1,299.00")],
)
def test_a_product_may_be_priced_in_its_own_currency(renderer: Renderer, extra: Any, price: str) -> None:
    html = shown(renderer, "top", answer(top=[{**BED, "extra": extra}]))
    assert texts(html, ".datacue-rec-current-price") == [price]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_fills_in_its_numbers(language: str) -> None:
    rich = answer(top=[{**BED, "rating": 90, "stock": 3}])
    html = shown(Renderer(locale=language, fields=FIELDS), "top", rich)
    assert "{" not in html
    assert re.search("4[.,]5", str(attribute(html, ".datacue-stars", "aria-label")))
    assert "3" in texts(html, ".datacue-rec-stock")[0]


def test_a_shop_can_use_words_of_its_own() -> None:
    html = shown(Renderer(words={"top": "Hits <3"}), "top", answer(top=[BED]))
    assert texts(html, ".datacue-rec-title") == ["Hits <3"]


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("locale", {"locale": "xx_YY"}),
        ("locale", {"locale": ""}),
        ("currency", {"currency": "DOUBLOONS"}),
        ("words.titel", {"words": {"titel": "x"}}),
        ("section_size", {"section_size": 0}),
        ("section_size", {"section_size": 17}),
    ],
)
def test_a_wrong_choice_names_its_setting(key: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        Renderer(**wrong)
    assert caught.value.key == key


# Bytes


def test_a_page_that_is_not_utf8_gets_ascii(renderer: Renderer) -> None:
    recommended = answer(top=[{**BED, "name": "Größe € 👩\u200d🔧", "brand": "Ä"}])
    html = shown(renderer, "top", recommended, utf8=False)
    assert html.isascii()
    assert texts(html, ".datacue-rec-product-title") == ["Größe € 👩\u200d🔧"]


def test_both_encodings_say_the_same(renderer: Renderer) -> None:
    recommended = answer(top=[{**BED, "name": "Größe"}], categories=[{"name": "Ä", "products": [BED]}])
    for widget in ("top", "categories"):
        utf8, ascii_ = (shown(renderer, widget, recommended, utf8=utf8) for utf8 in (True, False))
        assert tree(utf8).html == tree(ascii_).html
        assert utf8 != ascii_


def test_the_first_slot_brings_the_stylesheet() -> None:
    renderer = Renderer(stylesheet_href="/_datacue/static/datacue.css?a&b")
    recommended = answer(top=[BED])
    first, second = (shown(renderer, "top", recommended, first=first) for first in (True, False))
    assert first.endswith(second)
    assert attribute(first, "link[rel=stylesheet]", "href") == ["/_datacue/static/datacue.css?a&b"]
    assert not texts(second, "link")


def test_an_empty_slot_brings_no_stylesheet() -> None:
    assert shown(Renderer(stylesheet_href="/x.css"), "top", Recommendations(), first=True) == ""


# Hostile catalogue data


class Judge(HTMLParser):
    """A second parser's view of what could run; it knows nothing of our templates."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"section", "h2", "ul", "li", "a", "img", "p", "div", "span", "s", "bdi", "link"}:
            self.problems.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name in {"style", "srcdoc", "srcset", "formaction"}:
                self.problems.append(name)
            # Browsers drop tabs, line ends and leading controls before they look for a scheme.
            bare = re.sub(r"[\t\n\r]", "", value or "").lstrip("".join(map(chr, range(33))))
            scheme = re.match(r"([a-z][a-z0-9+.-]*):", bare, re.IGNORECASE)
            if name in {"href", "src"} and scheme and scheme[1].lower() not in {"http", "https"}:
                self.problems.append(str(value))

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        self.problems.append(f"<!{decl}")

    def handle_pi(self, data: str) -> None:
        self.problems.append(f"<?{data}")


def harmless(html: str) -> None:
    judge = Judge()
    judge.feed(html)
    judge.close()
    assert judge.problems == []
    allowed = {"section", "h2", "ul", "li", "a", "img", "p", "div", "span", "s", "bdi", "link"}
    inside = tree(html).select("body *")
    assert {element.tag for element in inside} <= allowed
    assert not [name for element in inside for name in element.attrs if name.startswith("on")]
    # What stands before a page may scan its bytes for includes.
    assert not re.search(r"<esi:|<!--|<!\[|<\?", html)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", html)


HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</li></ul></section><script>alert(1)//",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '" onfocus=alert(1) autofocus="',
    "`onload=alert(1)`",
    '<esi:include src="http://evil.example/"/>',
    "<esi:vars>$(HTTP_COOKIE)</esi:vars>",
    '<!--esi <esi:include src="/"/>-->',
    '<!--#include virtual="/etc/passwd" -->',
    '<!--#exec cmd="id" -->',
    "-->",
    "]]>",
    "<![CDATA[x",
    "<?php echo 1 ?>",
    "<%= 7*7 %>",
    "{{ 7*7 }}",
    "{% raw %}",
    "${7*7}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;",
    "\\u003cscript\\u003e",
    "<svg/onload=alert(1)>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<textarea></textarea><script>alert(1)</script>",
    "<a href=javascript:alert(1)>x</a>",
    "<base href=//evil.example/>",
    '<meta http-equiv="refresh" content="0;url=//evil.example">',
    "<style>@import'//evil.example'</style>",
    "<plaintext>",
    "<template><script>",
    "a\x00b",
    "a\x1b[31m",
    "\u202eelbuod\u202c",
    "\u2066x",
    "\ufeff<script>",
    "＜script＞alert(1)＜/script＞",
    "\x3cscript\x3ealert(1)\x3c/script\x3e",
    "\r\nSet-Cookie: a=b",
    "datacue-banners data-dc-products",
    "<div data-dc-products></div>",
    "\ue000cards\ue000",
    "A" * 100_000,
    "<" * 1000,
    "&" * 1000,
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
]
FIELDS_OF_PRODUCTS = [
    *("product_id", "variant_id", "name", "link", "photo_url", "price", "full_price"),
    *("brand", "rating", "stock", "category", "currency"),
]


@pytest.fixture(scope="module")
def talkative() -> Renderer:
    return Renderer(fields=FIELDS, button="View", stylesheet_href="/x.css", link_for=lambda *args: args[3])


@pytest.mark.parametrize("utf8", [True, False])
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value[:30]))
def test_hostile_values_stay_text_in_every_field(talkative: Renderer, value: str, utf8: bool) -> None:
    recommended = answer(
        related=[
            *(item(number, **{field: value}) for number, field in enumerate(FIELDS_OF_PRODUCTS)),
            item(90, extra={"currency": value, value[:50]: value}),
            item(91, link=f"/x?{value}", photo_url=f"https://cdn.example/{value}"),
        ],
        categories=[{"name": value, "link": value, "products": [item(1, name=value)]}],
        main_banners=[banner(1, name=value), banner(2, link=value), banner(3, photo_url=f"/{value}")],
        sub_banners=[banner(4, link=f"/c/{value}"), banner(5, banner_id=value), banner(6)],
    )
    for widget in ("related", "categories", "banners", "main_banners", "sub_banners"):
        html = shown(
            *(talkative, widget, recommended),
            utf8=utf8,
            first=True,
            static_img=value,
            static_link=value,
        )
        assert html
        harmless(html)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(FIELDS_OF_PRODUCTS),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(allow_nan=False, allow_infinity=False),
            st.lists(st.none(), max_size=1),
            st.text(max_size=20),
            st.lists(
                st.sampled_from([*"<>\"'&/= \t\n\x00`", "script", "esi:", "!--", "on", "x:", "http://"]),
                max_size=9,
            ).map("".join),
            st.sampled_from(HOSTILE),
        ),
    )
)
def test_any_product_is_harmless(talkative: Renderer, changed: dict[str, Any]) -> None:
    body = json.dumps({"related_product_skus": [{**BED, **changed}]}).encode()
    harmless(shown(talkative, "related", decode_recommendations(body)))


@pytest.mark.browser
def test_a_real_browser_runs_nothing_of_a_hostile_catalogue(talkative: Renderer, tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs Chromium")
    page = ["<!doctype html><meta charset=utf-8><body>"]
    for value in (value.replace("alert(1)", "window.hit=1") for value in HOSTILE):
        for number, field in enumerate(FIELDS_OF_PRODUCTS):
            page.append(shown(talkative, "related", answer(related=[item(number, **{field: value})])))
        page.append(shown(talkative, "categories", answer(categories=[{"name": value, "products": [BED]}])))
        page.append(shown(talkative, "banners", answer(main_banners=[banner(1, name=value, link=value)])))
    file = tmp_path / "hostile.html"
    file.write_text("".join(page), "utf-8", newline="")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.goto(file.as_uri(), wait_until="commit")
        tab.wait_for_selector("body > :last-child")
        # Whatever could be set off by a hand: each link is focused, hovered and, within the page, clicked.
        tab.evaluate(
            """() => {
                document.addEventListener("click", (event) => event.preventDefault());
                for (const element of document.querySelectorAll("body *")) {
                    element.focus?.();
                    element.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
                    element.click?.();
                }
            }"""
        )
        assert tab.evaluate("window.hit") is None
        assert tab.evaluate("document.scripts.length") == 0
        links = tab.evaluate("[...document.querySelectorAll('a')].map((a) => a.protocol)")
        assert set(links) <= {"file:", "http:", "https:"}
        assert len(links) > len(HOSTILE)
        browser.close()


# What is remembered


def test_a_list_that_comes_again_is_remembered() -> None:
    renderer = Renderer()
    recommended = answer(top=[BED])
    assert len({shown(renderer, "top", recommended) for _ in range(4)}) == 1
    assert (renderer.stats["lists"].hits, renderer.stats["lists"].misses) == (2, 2)
    assert renderer.stats["cards"].misses == 2


def test_a_card_that_comes_again_is_remembered_for_all_lists_that_hold_it() -> None:
    renderer = Renderer()
    items = [item(number) for number in range(8)]
    for _ in range(20):
        random.shuffle(items)
        shown(renderer, "top", answer(top=items))
    assert renderer.stats["cards"].misses == 16


def test_remembered_html_is_what_a_fresh_renderer_makes() -> None:
    old = Renderer(section_size=3)
    for _ in range(8):
        items = [item(random.randrange(9), price=random.randrange(3)) for _ in range(6)]
        recommended = answer(top=items, recent=items)
        for name in ("top", "recent"):
            assert shown(old, name, recommended) == shown(Renderer(section_size=3), name, recommended)


ITEMS = st.builds(
    item, st.integers(1, 14), name=st.sampled_from(["Bed", "Bunk"]), stock=st.sampled_from([0, 3, None])
)


@given(st.lists(st.lists(ITEMS, max_size=20), min_size=1, max_size=6), st.sampled_from([1, 3, 8]))
@example([[item(number) for number in range(1, 13)]] * 2 + [[item(number) for number in range(12, 0, -1)]], 8)
@example([[item(1), item(2), item(3)]] * 2 + [[item(2), item(2, name="Bunk"), item(1), item(3)]] * 3, 3)
@settings(max_examples=60, deadline=None)
def test_whatever_came_before_a_list_is_what_a_forgetful_renderer_makes(
    lists: list[list[dict[str, Any]]], size: int
) -> None:
    warm, forgetful = Renderer(section_size=size), Renderer(section_size=size, cache_bytes=0)
    for items in [*lists, *reversed(lists), *lists]:
        recommended = answer(related=items, category_product_skus=[{"name": "a", "products": items}] * 2)
        widgets: tuple[Widget, ...] = ("related", "categories")
        for widget in widgets:
            right = shown(forgetful, widget, recommended)
            assert shown(warm, widget, recommended) == right
            assert right.count('<li class="datacue-rec"') <= size * (1 if widget == "related" else 2)


def test_lists_do_not_share_html() -> None:
    renderer = Renderer(link_for=lambda kind, name, id_, href: f"/{name}")
    names = [name for name in LIST_NAMES if name != "categories"]
    recommended = answer(**{name: [BED] for name in names})
    for name in names * 2:
        assert set(attribute(shown(renderer, name, recommended), "a", "href")) == {f"/{name}"}


def test_the_bounds_between_items_count() -> None:
    renderer = Renderer()
    one = shown(renderer, "main_banners", answer(main_banners=[banner(1)], sub_banners=[]))
    two = shown(renderer, "sub_banners", answer(main_banners=[], sub_banners=[banner(1)]))
    both = shown(renderer, "banners", answer(main_banners=[banner(1)], sub_banners=[]))
    assert "datacue-banner-wide" in one
    assert "datacue-banner-wide" not in two
    assert both == one
    assert shown(renderer, "main_banners", answer(main_banners=[banner(1)]), index=1) != one


def test_memory_stays_within_its_limit_however_many_items_come() -> None:
    limit = 256 * 1024
    renderer = Renderer(cache_bytes=limit)
    body = b'{"top_product_skus":[%s]}'
    raw = b'{"product_id":%d,"name":"Bed","link":"/b","photo_url":"/p"}'
    for number in range(0, 10_000, 8):
        items = b",".join(raw % each for each in range(number, number + 8))
        for _ in range(2):  # what comes once isn't remembered at all
            renderer.slot(Slot("top"), HOME, decode_recommendations(body % items), utf8=True, first=False)
    stats = renderer.stats
    assert stats["cards"].misses == 20_000
    assert 0 < stats["cards"].bytes <= stats["cards"].limit
    assert 0 < stats["lists"].bytes <= stats["lists"].limit
    assert stats["cards"].limit + stats["lists"].limit <= limit


# The operator's templates


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(**files: str) -> Path:
        (tmp_path / "widgets").mkdir(exist_ok=True)
        for name, source in files.items():
            (tmp_path / "widgets" / f"{name}.html").write_text(source, "utf-8")
        return tmp_path

    return write


def test_one_file_replaces_one_template(write: Callable[..., Path]) -> None:
    folder = write(
        product='<li class="mine">{{ product.name }} {{ 5 | price("EUR") }} {{ 1.5 | number }}</li>'
    )
    html = shown(Renderer(templates=folder), "top", answer(top=[BED]))
    assert texts(html, "section > ul > li.mine") == ["Luxury Double Bed €5.00 1.5"]


def test_a_template_may_include_another_file_of_the_folder(write: Callable[..., Path]) -> None:
    folder = write(product='<li>{% include "widgets/part.html" %}</li>', part="{{ product.name }}")
    assert texts(shown(Renderer(templates=folder), "top", answer(top=[BED])), "li") == ["Luxury Double Bed"]


def test_a_template_may_print_its_cards_twice_or_never(write: Callable[..., Path]) -> None:
    twice = write(products="<ul>{{ cards }}</ul><ol>{{ cards }}</ol>")
    assert len(texts(shown(Renderer(templates=twice), "top", answer(top=[BED])), "li")) == 2
    never = write(products="<p>{{ count }}</p>")
    assert shown(Renderer(templates=never), "top", answer(top=[item(1), item(2)])) == "<p>2</p>"


def test_extra_links_pass_through_the_filter(write: Callable[..., Path]) -> None:
    folder = write(product='<li><a href="{{ product.extra.get("guide") | safe_url }}">x</a></li>')
    items = [item(1, extra={"guide": "javascript:alert(1)"}), item(2, extra={"guide": "/ok"}), item(3)]
    html = shown(Renderer(templates=folder), "top", answer(top=items))
    assert attribute(html, "a", "href") == ["", "/ok", ""]


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        ("<li>\n{% if %}", 2, "Expected an expression"),
        ("<li>\n\n{{ produkt.name }}</li>", 3, "there is no `produkt` here"),
        ("<li>\n{{ product.nmae }}</li>", 2, "nmae"),
        ("<li>\n{{ product.extra.discount.off }}</li>", 2, "off"),
        ("<li>{{ 1 // 0 }}</li>", 1, "by zero"),
        ("<li>\n<a href={{ link }}>x</a></li>", 2, "quote the value of `href`"),
        ("<li>\n{{ product.name | safe }}</li>", 2, "`safe` switches escaping off"),
        ('<li>{% include "widgets/none.html" %}</li>', 1, "can't be read"),
    ],
)
def test_a_broken_template_stops_the_start_and_names_the_line(
    write: Callable[..., Path], source: str, line: int, problem: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        Renderer(templates=write(product=source))
    if "none.html" not in source:
        assert caught.value.key.endswith(f"widgets/product.html:{line}")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_broken_part_is_named_itself(write: Callable[..., Path]) -> None:
    folder = write(product='{% include "widgets/part.html" %}', part="\n{{ nobody }}")
    with pytest.raises(SettingsError, match=r"part\.html:2: there is no `nobody` here"):
        Renderer(templates=folder)


def test_templates_that_include_each_other_are_refused(write: Callable[..., Path]) -> None:
    folder = write(product='{% include "widgets/part.html" %}', part='{% include "widgets/product.html" %}')
    with pytest.raises(SettingsError, match="recursion"):
        Renderer(templates=folder)


def test_an_include_by_a_name_from_data_is_tried_only(write: Callable[..., Path]) -> None:
    folder = write(product='{% include "widgets/" ~ list_name ~ ".html" %}', related="<li>r</li>")
    renderer = Renderer(templates=folder)
    assert texts(shown(renderer, "related", answer(related=[BED])), "li") == ["r"]
    assert shown(renderer, "top", answer(top=[BED])) == ""
    assert renderer.failures == 1


def test_a_template_in_another_charset_is_refused(write: Callable[..., Path]) -> None:
    folder = write()
    (folder / "widgets" / "product.html").write_bytes("<li>Größe</li>".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"product\.html"):
        Renderer(templates=folder)
    assert lint_templates(folder)[0].startswith("widgets/product.html:1: can't be read")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no folder at"):
        Renderer(templates=tmp_path / "none")


def test_cards_cannot_be_looked_into(write: Callable[..., Path]) -> None:
    with pytest.raises(SettingsError, match="can be printed, not changed"):
        Renderer(templates=write(products="<ul>{{ cards | upper }}</ul>"))


def test_a_template_that_fails_on_a_product_leaves_it_out(write: Callable[..., Path]) -> None:
    told: list[tuple[str, Exception]] = []
    renderer = Renderer(
        templates=write(product="<li>{{ product.name }}{{ 1 // (product.stock != 7) | int }}</li>"),
        failed=lambda name, error: told.append((name, error)),
    )
    html = shown(renderer, "top", answer(top=[item(1), item(2, stock=7), item(3)]))
    assert len(texts(html, "li")) == 2
    assert [(name, type(error)) for name, error in told] == [("widgets/product.html", ZeroDivisionError)]


@pytest.mark.parametrize(
    ("name", "source", "widget"),
    [
        ("product", "<li>{{ 1 // (product.stock != 7) | int }}</li>", "top"),
        ("products", "<ul>{{ 1 // (count - 1) }}{{ cards }}</ul>", "top"),
        ("categories", "{% for row in rows %}{{ 1 // (row.count - 1) }}{% endfor %}", "categories"),
        ("banner", "<p>{{ 1 // (banner.banner_id | length - 3) }}</p>", "banners"),
        ("banner", "<p>{{ 1 // (banner.banner_id | length - 3) }}</p>", "main_banners"),
        ("banners", "<p>{{ 1 // (2 - wide) }}</p>", "banners"),
    ],
)
def test_a_template_that_fails_later_leaves_the_fallback_and_is_counted(
    write: Callable[..., Path], name: str, source: str, widget: Widget
) -> None:
    told: list[tuple[str, str]] = []
    renderer = Renderer(
        templates=write(**{name: source}),
        failed=lambda name, error: told.append((name, type(error).__name__)),
    )
    one = item(1, stock=7)
    recommended = answer(
        top=[one],
        categories=[{"name": "x", "products": [one]}],
        main_banners=[banner(11), banner(12)],
    )
    assert shown(renderer, widget, recommended) == ""
    assert (f"widgets/{name}.html", "ZeroDivisionError") in told
    assert renderer.failures == len(told)


def test_a_failed_static_banner_leaves_the_others(write: Callable[..., Path]) -> None:
    source = '<p class="b">{{ 1 // (0 if banner.photo_url == "/own.jpg" else 1) }}</p>'
    renderer = Renderer(templates=write(banner=source))
    html = shown(renderer, "banners", answer(main_banners=[banner(1)]), static_img="/own.jpg")
    assert len(texts(html, ".b")) == 1


# The lint


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        ("<a href={{ x }}>", 1, "quote"),
        ("<a\n  href=/p/{{ x }}>", 2, "quote"),
        ("<a {{ x }}>", 1, "name of an attribute"),
        ("<a {{ x }}='1'>", 1, "name of an attribute"),
        ("<{{ x }}>", 1, "name of a tag"),
        ("<h{{ x }}>", 1, "name of a tag"),
        ("{{ x|safe }}", 1, "safe"),
        ("\n{{ x | upper | safe }}", 2, "safe"),
        ("{% filter safe %}x{% endfilter %}", 1, "safe"),
        ("{% autoescape false %}x{% endautoescape %}", 1, "autoescape"),
        ("<script>x</script>", 1, "<script>"),
        ('<SCRIPT src="x.js">', 1, "<script>"),
        ("<p>\n<style>p {}</style>", 2, "<style>"),
        ('<p style="color: red">', 1, "style"),
        ('<iframe srcdoc="{{ x }}">', 1, "srcdoc"),
        ('<p onclick="x()">', 1, "onclick"),
        ('<p ONCLICK="x()">', 1, "onclick"),
        ('<a href="javascript:x()">', 1, "javascript:"),
        ("<a href=' data:text/html,x'>", 1, "data:"),
        ('<p class="{{ x }}>', 1, "never ends"),
        ("\n{% if %}", 2, "Expected an expression"),
        ("{{ x", 1, "unexpected"),
    ],
)
def test_the_lint_finds(tmp_path: Path, source: str, line: int, problem: str) -> None:
    (tmp_path / "x.html").write_text(source, "utf-8")
    found = lint_templates(tmp_path)
    assert found
    assert found[0].startswith(f"x.html:{line}: ")
    assert problem in found[0]


@pytest.mark.parametrize(
    "source",
    [
        "<a href=\"{{ x }}\" class='{{ y }} z' hidden>{{ z }}</a>",
        '<{{ heading }} id="a">x</{{ heading }}>',
        '{# <script> #}<p {% if x %}class="a"{% endif %}>',
        "<!-- <script> is forbidden here --><p>1 < 2</p>",
        '<p title="a > b">{{ safe }}</p>',
        "<br/><img alt='' src=\"{{ x }}\"/>",
        "<p data-on=x>",
    ],
)
def test_the_lint_leaves_honest_markup_alone(tmp_path: Path, source: str) -> None:
    (tmp_path / "x.html").write_text(source, "utf-8")
    assert lint_templates(tmp_path) == []


def test_the_lint_looks_into_every_folder_in_order(tmp_path: Path) -> None:
    for name in ("b/x.html", "a.html", "b/ignored.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("\n<style>", "utf-8")
    assert [problem.rpartition(": ")[0].partition(": ")[0] for problem in lint_templates(tmp_path)] == [
        "a.html:2",
        "b/x.html:2",
    ]


def test_shipped_files_are_found_in_a_working_tree() -> None:
    assert (shipped("templates") / "widgets" / "product.html").is_file()
    assert (shipped("static") / "datacue.css").is_file()


def test_the_stylesheet_is_ascii_and_loads_nothing_else() -> None:
    stylesheet = (shipped("static") / "datacue.css").read_bytes()
    assert stylesheet.isascii()
    assert b"url(" not in stylesheet
    assert b"@import" not in stylesheet


def test_every_widget_can_be_rendered(renderer: Renderer) -> None:
    recommended = answer(
        **{name: [BED] for name in LIST_NAMES if name != "categories"},
        categories=[{"name": "Beds", "products": [BED]}],
        main_banners=[banner(1)],
        sub_banners=[banner(2)],
    )
    for widget in get_args(Widget):
        html = shown(renderer, widget, recommended)
        assert html
        harmless(html)


def test_an_override_that_is_no_file_is_refused_rather_than_passed_over(tmp_path: Path) -> None:
    (tmp_path / "widgets" / "product.html").mkdir(parents=True)
    with pytest.raises(SettingsError, match="it is no file"):
        Renderer(templates=tmp_path)
