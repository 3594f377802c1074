"""Which page an include is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.includes import complete, concerns, page_asked, query_of
from proxy.models import Page

P1 = Page("product", product_id="p1", variant_id="v1", why="rule:0")


@pytest.mark.parametrize(
    ("query", "page"),
    [
        (b"page=product&product_id=p1&view=x", Page("product", product_id="p1", why="include")),
        (b"page=search&term=red+bed%21", Page("search", term="red bed!", why="include")),
        (b"page=home", Page("home", why="include")),
        (b"page=product&product_id=$arg_id", Page("product", why="include")),
        (b"product_id=p1", Page("product", product_id="p1", why="include")), (b"term=x", Page("search", term="x", why="include")),
        (b"page=home&product_id=p1", Page("home", why="include")), (b"page=none", None), (b"page=odd", None), (b"", None),
    ],
)  # fmt: skip
def test_a_query_says_which_page_it_is_about(query, page):
    assert page_asked(query) == page


def test_only_what_says_enough_for_its_event_tells_the_page():
    assert complete(b"page=product&product_id=p1") is not None
    assert complete(b"product_id=p1") is not None
    assert complete(b"page=product") is None
    assert complete(b"variant_id=v1") is None


@pytest.mark.parametrize(
    ("query", "about"),
    [
        (b"", True), (b"page=product", True), (b"product_id=p1", True), (b"page=product&product_id=p1&variant_id=v1", True),
        (b"product_id=$x", True), (b"page=home", False), (b"product_id=p2", False), (b"variant_id=v2", False), (b"term=x", True),
    ],
)  # fmt: skip
def test_an_include_concerns_the_page_that_it_does_not_contradict(query, about):
    assert concerns(query, P1) is about


@given(
    st.text(min_size=1, max_size=40).filter(lambda text: text.strip() == text and not text.startswith("$"))
)
def test_what_is_written_is_safe_anywhere_and_reads_back(value):
    query = query_of(Page("product", product_id=value))
    assert not set(query) & set("\"'<>$ \\")
    assert "--" not in query
    assert query.isascii()
    page = page_asked(query.encode())
    assert page is None or page.product_id is None or query_of(page).startswith("page=product&product_id=")


def test_every_fact_is_written():
    assert query_of(Page("search", term="a--b c/d")) == "page=search&term=a%2D%2Db%20c%2Fd"
    assert query_of(P1) == "page=product&product_id=p1&variant_id=v1"
