"""What a shop's program has in hand becomes the guide's JSON, or is refused with its place and reason."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.api import KINDS, NO_USER, NO_VARIANTS, CartLine, InvalidInput, Order, Product, User, read_item
from proxy.api.call import encode, path_of
from proxy.api.items import MAX_LINES
from proxy.api.kinds import read_ids
from proxy.api.values import MAX_DEPTH, free, moment, number

SANTIAGO = timezone(timedelta(hours=-3))


def sent(kind, item, *, creating=True):
    return encode(read_item(KINDS[kind], item, creating=creating)).decode()


def product(**fields):
    return sent("products", {"product_id": "p", "variant_id": "v", **fields})


@pytest.mark.parametrize(
    ("field", "given_", "json"),
    [
        ("product_id", 18, '"18"'),
        ("product_id", 18.0, '"18"'),
        ("product_id", UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        ("product_id", 10**30, f'"{10**30}"'),
        ("price", Decimal("1299.00"), "1299.00"),
        ("price", Decimal("1E+5"), "100000"),
        ("price", Decimal("0.1") + Decimal("0.2"), "0.3"),
        ("price", Decimal("-0.00"), "-0.00"),
        ("price", "1299.00", "1299.00"),
        ("price", " 12 ", "12"),
        ("price", 0.1, "0.1"),
        ("price", 19.99, "19.99"),
        ("price", 25000, "25000"),
        ("price", None, "null"),
        ("price", "", "null"),
        ("stock", "5", "5"),
        ("stock", 5.0, "5"),
        ("stock", Decimal("5.00"), "5"),
        ("stock", -2, "-2"),
        ("available", "1", "true"),
        ("available", 0, "false"),
        ("available", "Yes", "true"),
        ("available", None, "null"),
        ("available", "", "null"),
        ("name", 501, '"501"'),
        ("name", None, "null"),
        ("description", '<p>Ünïcode & "quotes"</p>', '"<p>Ünïcode & \\"quotes\\"</p>"'),
        ("extra", {"a": [1, Decimal("2.50"), None, {"b": True}]}, '{"a":[1,2.50,null,{"b":true}]}'),
        ("extra", [], "{}"),
        ("extra", {"till": datetime(2020, 1, 1, tzinfo=UTC)}, '{"till":"2020-01-01T00:00:00Z"}'),
        ("extra", {"day": date(2020, 1, 1)}, '{"day":"2020-01-01"}'),
        ("category_ids", ["1", 2], '["1","2"]'),
        ("categories", "men", '["men"]'),
        ("categories", [None, "men"], '["men"]'),
        ("tags", ["new"], '["new"]'),  # a field that we don't know is sent as it is
        ("full_price", "30", "30"),
    ],
)  # fmt: skip
def test_values_are_sent_as_the_guide_has_them(field, given_, json):
    document = product(**{field: given_})
    assert f'"{field}":{json}' in document


@pytest.mark.parametrize(
    ("field", "given_", "problem"),
    [
        ("price", Decimal("NaN"), "a finite number"),
        ("price", float("inf"), "a finite number"),
        ("price", "12,50", "a number such as"),
        ("price", True, "a number"),
        ("price", [], "a number"),
        ("price", Decimal("1E+999999"), "more than 18 digits"),
        ("price", Decimal("1E-999999"), "more than 18 digits"),
        ("price", 10**18, "more than 18 digits"),
        ("stock", "1.5", "a whole number"),
        ("available", "maybe", "true or false"),
        ("available", 2.0, "true or false"),
        ("product_id", True, "an id"),
        ("product_id", 1.5, "an id"),
        ("product_id", ["p"], "an id"),
        ("name", {"en": "x"}, "text"),
        ("extra", "text", "an object"),
        ("extra", {1: 2}, "an object's key"),
        ("extra", {"a": float("nan")}, "a finite number"),
        ("extra", {"a": object()}, "something that JSON has"),
        ("extra", {"a": b"bytes"}, "something that JSON has"),
        ("category_ids", {"a"}, "a list of texts"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_field(field, given_, problem):
    with pytest.raises(InvalidInput) as caught:
        product(**{field: given_})
    assert caught.value.field.startswith(field)
    assert problem in caught.value.problem
    assert len(str(caught.value)) < 200


def test_a_time_without_a_zone_is_refused_wherever_it_stands():
    naive = datetime(2018, 4, 4, 23, 29)  # noqa: DTZ001  what is tested
    for item in ({"timestamp": naive}, {"timestamp": "2018-04-04 23:29:04"}, {"profile": {"since": naive}}):
        with pytest.raises(InvalidInput, match="has no time zone"):
            sent("users", {"user_id": "u", **item})
    with pytest.raises(InvalidInput, match=r"profile\.since: "):
        sent("users", {"user_id": "u", "profile": {"since": naive}})


@pytest.mark.parametrize(
    ("given_", "json"),
    [
        (datetime(2018, 4, 4, 23, 29, 4, tzinfo=UTC), "2018-04-04T23:29:04Z"),
        (datetime(2018, 4, 4, 23, 29, 4, tzinfo=SANTIAGO), "2018-04-05T02:29:04Z"),
        (datetime(2018, 1, 23, 0, 30, 8, 276999, tzinfo=UTC), "2018-01-23T00:30:08.276Z"),
        ("2018-04-04 23:29:04Z", "2018-04-04 23:29:04Z"),
        ("2018-04-04T23:29:04-0300", "2018-04-04T23:29:04-0300"),
        (None, None),
        ("", None),
    ],
)
def test_times_are_sent_with_their_offset(given_, json):
    assert moment(given_, "timestamp") == json


@pytest.mark.parametrize("odd", ["yesterday", 1_523_000_000, date(2018, 4, 4)])
def test_what_is_no_moment_is_refused(odd):
    with pytest.raises(InvalidInput, match="timestamp: expected"):
        moment(odd, "timestamp")


@pytest.mark.parametrize(
    ("user_id", "said"),
    [(0, NO_USER), ("0", NO_USER), (None, NO_USER), ("", NO_USER), (7, "7"), ("a@b.c", "a@b.c")],
)
def test_an_order_of_nobody_is_a_guests(user_id, said):
    assert json.loads(sent("orders", {"order_id": 1, "user_id": user_id}))["user_id"] == said


def test_an_order_without_user_is_a_guests_when_created_and_kept_when_changed():
    assert json.loads(sent("orders", {"order_id": 1})) == {"order_id": "1", "user_id": NO_USER}
    assert json.loads(sent("orders", {"order_id": 1}, creating=False)) == {"order_id": "1"}


def test_cart_lines_are_read_as_strictly_as_items():
    order = Order(order_id="o", cart=[CartLine(product_id="p", unit_price=Decimal("9.90"))])
    assert json.loads(sent("orders", order))["cart"] == [{"product_id": "p", "unit_price": 9.9}]
    for line, place in (
        ({"product_id": "p", "quantity": "x"}, "cart[1].quantity"),
        ({}, "cart[1].product_id"),
        ("p", "cart[1]"),
    ):
        with pytest.raises(InvalidInput) as caught:
            sent("orders", {"order_id": "o", "cart": [{"product_id": "p"}, line]})
        assert caught.value.field == place
    with pytest.raises(InvalidInput, match="cart: expected a list"):
        sent("orders", {"order_id": "o", "cart": "p"})
    with pytest.raises(InvalidInput, match="more than"):
        sent("orders", {"order_id": "o", "cart": [{"product_id": "p"}] * (MAX_LINES + 1)})
    assert json.loads(sent("users", {"user_id": "u", "cart": None}))["cart"] is None


def test_what_is_not_given_is_not_sent_and_none_clears():
    assert json.loads(sent("products", Product(product_id="p"))) == {
        "product_id": "p",
        "variant_id": NO_VARIANTS,
    }
    assert json.loads(sent("users", User(user_id="u", title=None))) == {"user_id": "u", "title": None}


def test_later_fields_are_passed_on_beside_the_rest():
    user = User(user_id="u", more={"guest_account": True, "wishlist": ["p1"]})
    assert json.loads(sent("users", user)) == {"user_id": "u", "guest_account": True, "wishlist": ["p1"]}


@pytest.mark.parametrize("item", [None, 5, "p1", ["p1"], User(user_id="u"), {5: "x"}])
def test_what_is_no_item_of_its_kind_is_refused(item):
    with pytest.raises(InvalidInput):
        sent("products", item)


@pytest.mark.parametrize("item", [{}, {"product_id": ""}, {"product_id": None}, {"variant_id": "v"}])
def test_an_item_without_its_id_is_refused(item):
    with pytest.raises(InvalidInput, match="product_id: expected an id"):
        sent("products", item)


def test_ids_are_taken_bare_in_tuples_and_from_items():
    kind = KINDS["products"]
    assert read_ids(kind, 5) == {"product_id": "5"}
    assert read_ids(kind, ("p", "v")) == {"product_id": "p", "variant_id": "v"}
    assert read_ids(kind, Product(product_id="p", variant_id="v", name="x")) == {
        "product_id": "p",
        "variant_id": "v",
    }
    for odd in (("p", "v", "x"), (), "", None, ("p", ""), {"variant_id": "v"}):
        with pytest.raises(InvalidInput):
            read_ids(kind, odd)


def test_text_that_is_no_unicode_is_refused():
    with pytest.raises(InvalidInput, match="UTF-8"):
        product(name="\ud800")
    with pytest.raises(InvalidInput, match="UTF-8"):
        path_of("users", "\ud800")


def test_a_cycle_ends():
    circle = {}
    circle["again"] = circle
    with pytest.raises(InvalidInput, match=f"more than {MAX_DEPTH} deep"):
        free(circle, "extra")


@given(st.decimals(min_value=-(10**15), max_value=10**15, places=2))
def test_money_keeps_every_digit(money):
    assert json.loads(encode({"price": number(money, "price")}), parse_float=Decimal, parse_int=Decimal) == {
        "price": money
    }


@given(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12).map(
        lambda x: round(x, 4)
    )
)
def test_a_float_is_sent_as_it_is_written(value):
    assert json.loads(encode(number(value, "price"))) == value


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**9), 10**9)
        | st.text()
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    )
)
def test_free_form_json_is_sent_unchanged(document):
    try:
        told = encode(free(document, "extra"))
    except InvalidInput:
        json.dumps(document).encode()  # surrogates only
        assert "\\ud" in json.dumps(document)
    else:
        assert json.loads(told) == document
