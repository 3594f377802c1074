"""What a fragment's request asks for, from its parameters and from the page that it stands in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.classify import Classifier, compile_rule, is_complete
from proxy.fragments.wanted import FALLBACKS, address_of, wanted, widget_of
from proxy.headers import Client
from proxy.models import WIDGETS, Page
from proxy.views import MAX_VIEW

RULES = [compile_rule(0, path="/p/{product_id}", query=None, kind="product", fields=None)]
CLASSIFIER = Classifier(RULES)
CLIENT = Client("192.0.2.1", "https", b"shop.example", trusted=False)
BELOW = b"/_datacue/fragments/"
WHY = "parameters"


def want(query=b"", address=b"", view=""):
    return wanted(query, address, view, CLASSIFIER)


def address(*headers, trusted=True):
    return address_of(list(headers), CLIENT, trusted=trusted, prefix="/_datacue")


@pytest.mark.parametrize(
    ("query", "page"),
    [
        (b"page=home", Page("home", why=WHY)),
        (b"page=cart", Page("cart", why=WHY)),
        (b"page=404", Page("404", why=WHY)),
        (b"page=product&product_id=p1&variant_id=v1", Page("product", "p1", "v1", why=WHY)),
        (
            b"page=category&category_name=living%20room",
            Page("category", category_name="living room", why=WHY),
        ),
        (b"page=search&term=t%C3%A9l%C3%A9", Page("search", term="télé", why=WHY)),
        (b"product_id=p1", Page("product", "p1", why=WHY)),
        (b"term=tee", Page("search", term="tee", why=WHY)),
        (b"category_name=sofas", Page("category", category_name="sofas", why=WHY)),
        (b"page=home&product_id=p1&term=x", Page("home", why=WHY)),
    ],
)
def test_the_page_is_what_the_parameters_say(query, page):
    assert want(query).page == page
    assert want(query).wrong == ""


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        (b"page=product", "product_id"),
        (b"page=product&product_id=", "product_id"),
        (b"page=search", "term"),
        (b"page=category", "category_name"),
        (b"page=none", "page"),
        (b"page=<script>", "page"),
        (b"page=home&fallback=<b>x</b>", "fallback"),
        (b"page=product&product_id=$arg_id", "product_id"),
    ],
)
def test_a_parameter_that_cannot_be_right_is_named(query, wrong):
    assert want(query).wrong == wrong


def test_what_the_parameters_leave_open_the_pages_address_tells():
    there = Page("product", "p1", why="rule:0")
    assert want(address=b"/p/p1").page == there
    assert want(b"page=product", b"/p/p1?x=1").page == there
    assert want(b"page=home", b"/p/p1").page == Page("home", why=WHY)
    assert want(b"page=search", b"/p/p1").page is None
    assert want(address=b"/nobody/knows").page is None


def test_the_view_is_the_parameter_or_else_the_header():
    assert want(b"view=a", view="b")[1:3] == ("a", "a")
    assert want(view="b")[1:3] == ("", "b")
    assert want(b"view=$request_id", view="b")[1:3] == ("", "b")
    assert len(want(b"view=" + b"x" * 999).view) == MAX_VIEW


def test_count_0_alone_counts_nothing():
    assert [want(query).counts for query in (b"count=0", b"count=1", b"")] == [False, True, True]


@pytest.mark.parametrize("widget", WIDGETS)
def test_a_widget_has_one_spelling(widget):
    name = widget.encode()
    assert widget_of(BELOW + name, BELOW) == widget
    for other in (
        name + b"/x.css", name + b"%2fx.css", name + b"%00.css", name + b";x.css", name + b".css", name + b"/",
        name.upper(), b"%%%02x" % name[0] + name[1:], b"/" + name, name + b"%3fx.css", b"",
    ):  # fmt: skip
        assert widget_of(BELOW + other, BELOW) is None


def test_an_edges_word_on_the_address_is_taken_from_trusted_ones_alone():
    said = (b"x-original-uri", b"/p/p1?x=1")
    assert address(said) == b"/p/p1?x=1"
    assert address(said, trusted=False) == b""


@pytest.mark.parametrize(
    ("referer", "found"),
    [
        (b"https://shop.example/p/p1?x=1", b"/p/p1?x=1"),
        (b"https://SHOP.example", b"/"),
        (b"http://shop.example/p/p1", b""),
        (b"https://shop.example.evil.example/p/p1", b""),
        (b"https://shop.example@evil.example/p/p1", b""),
        (b"https://shop.example:8443/p/p1", b""),
        (b"https://shop.example/_datacue/fragments/top", b""),
        (b"https://[/", b""),
        (b"\xff\xfe", b""),
        (b"/p/p1", b""),
    ],
)
def test_a_referer_counts_from_this_origin_alone(referer, found):
    assert address((b"referer", referer), trusted=False) == found


def test_a_request_that_an_edge_made_of_a_pages_own_has_the_referer_of_the_page_before():
    referer = (b"referer", b"https://shop.example/p/p1")
    assert address(referer, (b"sec-fetch-dest", b"document")) == b""
    assert address(referer, (b"sec-fetch-dest", b"iframe")) == b"/p/p1"


def test_an_edge_that_names_our_own_endpoint_speaks_of_no_page():
    own = (b"x-original-uri", b"/_datacue/fragments/top")
    assert address(own, (b"referer", b"https://shop.example/p/p1")) == b"/p/p1"
    assert address((b"x-original-uri", b"https://evil.example/p/p1")) == b""


@given(query=st.binary(max_size=200), page=st.binary(max_size=100), view=st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_query_is_too_odd(query, page, view):
    found = want(query, page, view)
    assert found.page is None or is_complete(found.page)
    assert found.fallback in FALLBACKS


@given(referer=st.binary(max_size=80), original=st.binary(max_size=80))
@settings(max_examples=100, deadline=None)
def test_no_address_is_too_odd(referer, original):
    address((b"referer", referer), (b"x-original-uri", original))
