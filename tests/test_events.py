"""Events, byte for byte as the guide has them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy import events
from proxy.events import Context
from proxy.models import PAGE_KINDS, Page, Visitor

VISITOR = Visitor(
    "07d35b1a-5776-4ddf-8f1c-dd0d2db9c502", "019mr8mf4r", {"sex": "female", "segment": "platinum"}
)


@pytest.mark.parametrize(
    ("page", "event"),
    [
        (Page("home"), {"type": "pageview", "subtype": "home"}),
        (
            Page("product", product_id="p1", variant_id="v1"),
            {"type": "pageview", "subtype": "product", "product_id": "p1", "variant_id": "v1"},
        ),
        (Page("product", product_id="p1"), {"type": "pageview", "subtype": "product", "product_id": "p1"}),
        (
            Page("category", category_name="living-room"),
            {"type": "pageview", "subtype": "category", "category_name": "living-room"},
        ),
        (Page("search", term="tables"), {"type": "search", "term": "tables"}),
        (Page("cart"), {"type": "pageview", "subtype": "cart"}),
        (Page("404"), {"type": "pageview", "subtype": "404"}),
        (Page("product"), None),
        (Page("category"), None),
        (Page("search"), None),
        (Page("checkout"), None),
        (Page("order"), None),
        (Page("none"), None),
    ],
)
def test_a_page_view_makes_the_guides_event(page, event):
    assert events.page_event(page) == event


@pytest.mark.parametrize("kind", PAGE_KINDS)
def test_the_events_we_make_are_events_we_take(kind):
    page = Page(kind, product_id="p1", variant_id="v1", category_name="beds", term="sofa")
    event = events.page_event(page)
    if event is not None:
        again = events.page_of(events.check(event))
        assert again is not None
        assert events.page_event(again) == event


def test_the_message_is_the_guides_sample():
    body = events.encode(
        {"type": "pageview", "subtype": "home"},
        VISITOR,
        Context("12.34.56.78", "Mozilla/5.0"),
        1516667408.276,
    )
    assert msgspec.json.decode(body) == {
        "user": {
            "user_id": "019mr8mf4r",
            "anonymous_id": "07d35b1a-5776-4ddf-8f1c-dd0d2db9c502",
            "profile": {"sex": "female", "segment": "platinum"},
        },
        "event": {"type": "pageview", "subtype": "home"},
        "context": {"ip": "12.34.56.78", "user_agent": "Mozilla/5.0"},
        "timestamp": "2018-01-23T00:30:08.276Z",
    }


def test_what_is_not_known_is_left_out():
    body = events.encode({"type": "login"}, Visitor("a"), None)
    assert msgspec.json.decode(body) == {"user": {"anonymous_id": "a"}, "event": {"type": "login"}}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "cart", "subtype": "update", "cart": [{"product_id": "p1", "variant_id": "v1"}]},
        {"type": "cart", "subtype": "update", "cart": []},
        {"type": "wishlist", "subtype": "add", "product_id": "p1", "variant_id": "v2"},
        {"type": "wishlist", "subtype": "remove", "product_id": "p1"},
        {"type": "click", "subtype": "banner", "banner_id": "b1"},
        {"type": "click", "subtype": "product", "product_id": "p2"},
        {"type": "click", "subtype": "recent", "product_id": "p2"},
        {
            "type": "checkout",
            "subtype": "started",
            "cart": [{"product_id": "p1", "variant": "v1", "quantity": 1, "price": 24, "currency": "USD"}],
        },
        {"type": "login"},
        {"type": "search", "term": "tables"},
    ],
)
def test_the_guides_other_events_are_taken_from_the_shop(event):
    assert events.said(msgspec.json.encode(event)) == ([event], [])


def test_numbers_become_ids():
    assert events.check({"type": "click", "subtype": "product", "product_id": 7})["product_id"] == "7"


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        ({"type": "pageview", "subtype": "product"}, "product_id"),
        ({"type": "pageview", "subtype": "product", "product_id": ""}, "product_id"),
        ({"type": "pageview", "subtype": "product", "product_id": True}, "product_id"),
        ({"type": "pageview", "subtype": "landing"}, "landing"),
        ({"type": "search"}, "term"),
        ({"type": "cart", "subtype": "update"}, "cart"),
        ({"type": "cart", "subtype": "update", "cart": [{"variant_id": "v1"}]}, "product_id"),
        ({"type": "cart", "subtype": "update", "cart": ["p1"]}, "product_id"),
        ({"type": "teleport"}, "teleport"),
        ({}, "None"),
        ({"type": ["login"]}, "strings"),
        ({"type": "click", "subtype": {}}, "strings"),
        ([1], "JSON object"),
        ("login", "JSON object"),
    ],
)
def test_a_malformed_event_is_dropped_with_a_word_that_quotes_it(event, complaint):
    good = {"type": "login"}
    found, complaints = events.said(msgspec.json.encode([good, event, good]))
    assert found == [good, good]
    assert len(complaints) == 1
    assert complaint in complaints[0]


@pytest.mark.parametrize("value", [b"", b"{", b"\xff", b"type=login"])
def test_what_is_no_json_is_quoted_too(value):
    found, complaints = events.said(value)
    assert found == []
    assert "no JSON" in complaints[0]


def test_more_than_a_shopper_can_do_is_cut_off():
    found, complaints = events.said(msgspec.json.encode([{"type": "login"}] * (events.MAX_EVENTS + 1)))
    assert len(found) == events.MAX_EVENTS
    assert str(events.MAX_EVENTS) in complaints[0]
    assert events.said(b" " * (events.MAX_SAID + 1))[0] == []


def test_long_quotes_are_cut():
    _, complaints = events.said(b"x" * 1000)
    assert len(complaints[0]) < 300


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (b'{"user_id":"u1","profile":{"segment":"platinum"}}', ("u1", {"segment": "platinum"})),
        (b'{"user_id":42}', ("42", None)),
        (b'{"user_id":0}', (None, None)),
        (b'{"user_id":null}', (None, None)),
        (b'{"user_id":true}', (None, None)),
        (b"{}", (None, None)),
    ],
)
def test_the_shop_names_the_user(said, heard):
    assert events.said_user(said) == heard


@pytest.mark.parametrize("said", [b"u1", b"[]", b'{"profile":"gold"}', b"\xff"])
def test_a_user_that_is_none_is_refused(said):
    with pytest.raises((TypeError, ValueError)):
        events.said_user(said)


def test_a_page_of_another_event_is_none():
    assert events.page_of({"type": "login"}) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "subtype", "product_id", "cart", "term", "x"]),
                inner | st.sampled_from(["pageview", "product", "cart", "update", "search"]),
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_nothing_that_a_shop_says_stops_a_page(value):
    found, complaints = events.said(msgspec.json.encode(value))
    for event in found:
        events.page_of(event)
        events.encode(event, Visitor("a"), None)
    assert found or complaints or value == []
