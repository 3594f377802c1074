"""What pages show of carts and orders."""

from __future__ import annotations

import json

import pytest

from proxy.capture import Line, compile_capture, read_view, said_order
from proxy.facts.address import page_address
from proxy.locate import FactSelectors, Plan, Splicer
from proxy.models import Page, RawFacts

HERE = page_address("https://shop.example/thanks")


def lines(html, line, cut=None, **more):
    """What a rule with these selectors reads of a cart page."""
    given = {"event": "cart", "path": "/cart", "lines": ".line", "line": line, **more}
    rule = compile_capture("capture[0]", 0, given)
    splicer = Splicer(Plan(), FactSelectors({}).joined(rule.selectors))
    data = html.encode()
    step = cut or len(data)
    for at in range(0, len(data), step):
        splicer.feed(data[at : at + step])
    splicer.close()

    def page_of(link):
        return Page("product", product_id=link.rpartition("_")[2]) if "_" in link else None

    return read_view(rule, {}, splicer.facts, charset="utf-8", page_of=page_of).lines


CART = """<ul>
<li class="line" data-id="p1" data-variant="v1"><a href="/a_1">A &amp; B</a><i class="n">2</i> <b>&pound;3.20</b></li>
<li class="line" data-id="p2" data-variant="0"><a href="/b_2">B</a><b>1.049,00 €</b></li>
<li class="other" data-id="p9"><b>9</b></li>
</ul><li data-id="p8" class="x"><b>8</b></li>"""
READ = (Line("p1", "v1", 2, 3.2, "GBP"), Line("p2", None, 1, 1049.0, "EUR"))
LINE = {"product_id": "@data-id", "variant_id": "@data-variant", "quantity": ".n", "price": "b"}


@pytest.mark.parametrize("cut", [None, 1, 7])
def test_fields_belong_to_their_line_also_where_some_are_missing(cut):
    assert lines(CART, LINE, cut) == READ


def test_a_link_tells_the_product():
    assert [line.product_id for line in lines(CART, {"link": "a@href"})] == ["1", "2"]


def test_of_a_total_each_piece_has_its_share():
    assert lines(CART, {"product_id": "@data-id", "quantity": ".n", "total": "b"})[0].price == 1.6


@pytest.mark.parametrize(
    ("written", "pieces"),
    [("3", 3), (" 3 x ", 3), ("Qty: 3", 3), ("3.0", 3), ("", 1), ("none", None), ("0", None)],
)
def test_quantities_are_read_as_people_write_them(written, pieces):
    html = f'<li class="line" data-id="p1"><i class="n">{written}</i></li>'
    found = lines(html, LINE)
    assert (found[0].quantity if found else None) == pieces


def test_a_page_without_lines_says_nothing_unless_it_says_that_it_is_empty():
    assert lines("<p>Hello</p>", LINE) is None
    assert lines("<p>Hello</p>", LINE, empty=".nothing") is None
    assert lines('<p class="nothing">Hello</p>', LINE, empty=".nothing") == ()


def test_lines_of_which_nothing_can_be_read_are_no_empty_cart():
    html = '<p class="nothing"></p><li class="line"><a href="/gift-card">Gift card</a></li>'
    assert lines(html, {"link": "a@href"}, empty=".nothing") is None


def order(node):
    script = json.dumps({"@context": "https://schema.org", "@type": "Order", **node}).encode()
    return said_order(RawFacts(json_ld=[script]), None, charset="utf-8", page=HERE)


def test_an_order_in_json_ld_is_read_by_its_offers():
    node = {
        "orderNumber": "81",
        "acceptedOffer": [
            {
                "@type": "Offer",
                "itemOffered": {"@type": "Product", "productID": "p1", "sku": "v1"},
                "price": "24.00",
                "priceCurrency": "USD",
                "eligibleQuantity": {"@type": "QuantitativeValue", "value": 2},
            },
            {"@type": "Offer", "itemOffered": {"@type": "Product", "sku": "p2"}, "price": 5},
        ],
    }
    deed = order(node)
    assert deed.fields == {"order_id": "81"}
    assert deed.lines == (Line("p1", "v1", 2, 24.0, "USD"), Line("p2", None, 1, 5.0))


def test_an_order_in_json_ld_is_read_by_its_items():
    item = {
        "@type": "OrderItem",
        "orderQuantity": 3,
        "orderedItem": {
            "@type": "Product",
            "sku": "v1",
            "isVariantOf": {"@type": "ProductGroup", "productGroupID": "p1"},
            "offers": {"@type": "Offer", "price": "7.5", "priceCurrency": "EUR"},
        },
    }
    assert order({"orderNumber": 81, "orderedItem": item}).lines == (Line("p1", "v1", 3, 7.5, "EUR"),)


def test_an_order_in_microdata_is_read():
    facts = RawFacts(
        microdata=[
            (b"open", b"https://schema.org/Order", b""),
            (b"prop", b"orderNumber", b"81"),
            (b"open", b"https://schema.org/Offer", b"acceptedOffer"),
            (b"prop", b"price", b"24.00"),
            (b"open", b"https://schema.org/Product", b"itemOffered"),
            (b"prop", b"sku", b"p1"),
            (b"close",),
            (b"close",),
            (b"close",),
        ]
    )
    assert said_order(facts, None, charset="utf-8", page=HERE).lines == (Line("p1", None, 1, 24.0),)


@pytest.mark.parametrize("node", [{}, {"orderNumber": None}, {"orderNumber": "", "acceptedOffer": 7}])
def test_an_order_without_a_number_is_none(node):
    assert order(node) is None


def test_an_order_whose_items_say_nothing_has_no_lines():
    assert order({"orderNumber": "81", "acceptedOffer": [{"price": 1}, "x", None]}).lines is None


DETAILS = [
    ({"order_id": 81}, {"order_id": "81"}, {}),
    (
        {"order_id": "81", "order_status": "paid", "timestamp": "soon", "cart": [7, {}]},
        {"order_id": "81"},
        {},
    ),
    (
        {"order_id": "81", "order_status": "cancelled", "timestamp": "2018-04-04T23:29:04-03:00"},
        {"order_id": "81"},
        {"order_status": "cancelled", "timestamp": "2018-04-05T02:29:04.000Z"},
    ),
]


@pytest.mark.parametrize(("said", "fields", "details"), DETAILS)
def test_order_details_are_taken_as_far_as_they_hold(said, fields, details):
    deed = said_order(RawFacts(), said, charset="utf-8", page=HERE)
    assert (deed.fields, deed.lines, deed.details) == (fields, None, details)


def test_order_details_without_a_number_are_none():
    assert said_order(RawFacts(), {"cart": []}, charset="utf-8", page=HERE) is None
