"""What deeds amount to: the whole cart, once, and no more than is known."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.capture import Deed, Line, Memory, cart, tell
from proxy.capture.model import MAX_LINES, MAX_ORDERS
from proxy.events import check

IDS = st.sampled_from(["p1", "p2", "p3"])
VARIANTS = st.sampled_from(["", "v1", "v2"])
FORMS = st.builds(
    lambda event, product, variant, quantity: Deed(
        event, {"product_id": product, "variant_id": variant, "quantity": str(quantity)}
    ),
    st.sampled_from(["cart.add", "cart.update", "cart.remove", "cart.clear"]),
    IDS,
    VARIANTS,
    st.integers(0, 5),
)


def run(memory, *deeds, named=False):
    return tell(memory, deeds, currency="EUR", named=named)


@given(st.lists(FORMS, max_size=20))
def test_a_cart_is_what_a_dictionary_of_quantities_would_be(deeds):
    expected = {}
    memory = Memory()
    for deed in deeds:
        product, variant = deed.fields["product_id"], deed.fields["variant_id"] or None
        quantity, key = (
            int(deed.fields["quantity"]),
            (deed.fields["product_id"], deed.fields["variant_id"] or None),
        )
        before = dict(expected)
        if deed.event == "cart.clear":
            expected.clear()
        elif deed.event == "cart.remove" or (deed.event == "cart.update" and not quantity):
            for known in list(expected):
                if known == key or (known[0] == product and variant is None):
                    del expected[known]
        elif deed.event == "cart.update":
            expected[key] = quantity
        elif quantity:
            expected[key] = expected.get(key, 0) + quantity
        told = run(memory, deed)
        memory = told.memory
        assert {(line.product_id, line.variant_id): line.quantity for line in memory.lines} == expected
        assert len(told.events) == (before != expected)
        for event in told.events:
            assert check(event) == event
            assert len(event["cart"]) == len(expected)


@given(st.lists(st.builds(Line, IDS, VARIANTS.map(lambda v: v or None), st.integers(1, 9)), max_size=6))
def test_a_memory_survives_its_file(lines):
    memory = Memory(tuple(lines), checkout=True, orders=("o1",), login=True)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(memory), type=Memory) == memory


def test_a_memory_of_an_older_version_is_read():
    assert msgspec.msgpack.decode(msgspec.msgpack.encode([[["p1"]]]), type=Memory) == Memory((Line("p1"),))


@pytest.mark.parametrize("quantity", ["-1", "1.5", "many", "9" * 30, "1e3", "\u0662"])
def test_a_quantity_that_is_none_changes_nothing(quantity):
    told = run(Memory(), Deed("cart.add", {"product_id": "p1", "quantity": quantity}))
    assert (told.events, told.memory) == ([], Memory())


def test_a_cart_is_bounded():
    memory = Memory(tuple(Line(f"p{number}") for number in range(MAX_LINES)))
    assert len(run(memory, Deed("cart.add", {"product_id": "one more"})).memory.lines) == MAX_LINES


def test_prices_that_an_earlier_page_showed_are_kept_with_the_same_things():
    shown = Deed("cart", lines=(Line("p1", None, 1, 5.0, "USD"),))
    memory = run(Memory(), shown).memory
    memory = run(memory, Deed("cart.add", {"product_id": "p1"})).memory
    memory = run(memory, Deed("cart", lines=(Line("p1", None, 3),))).memory
    assert memory.lines == (Line("p1", None, 3, 5.0, "USD"),)


def test_a_checkout_without_a_cart_is_none():
    assert run(Memory(), Deed("checkout")).events == []


def test_a_checkout_whose_prices_nobody_saw_has_none():
    told = run(Memory((Line("p1", "v1", 2),)), Deed("checkout"))
    assert told.events == [
        {
            "type": "checkout",
            "subtype": "started",
            "cart": [{"product_id": "p1", "variant": "v1", "quantity": 2}],
        }
    ]


def test_an_order_empties_the_cart_and_counts_once():
    placed = Deed("order", {"order_id": "o1"})
    told = run(Memory((Line("p1"),), checkout=True), placed)
    assert [order["order_id"] for order in told.orders] == ["o1"]
    assert told.memory == Memory(orders=("o1",))
    assert run(told.memory, placed).orders == []


def test_the_orders_that_are_remembered_are_bounded():
    memory = Memory()
    for number in range(3 * MAX_ORDERS):
        memory = run(memory, Deed("order", {"order_id": str(number)})).memory
    assert len(memory.orders) == MAX_ORDERS
    assert memory.orders[-1] == str(3 * MAX_ORDERS - 1)


def test_a_login_waits_until_it_is_known_whose_it_is():
    told = run(Memory(), Deed("login"))
    assert told.events == []
    assert run(told.memory, named=True).events == [{"type": "login"}]
    assert run(told.memory, Deed("login"), named=True).events == [{"type": "login"}]


def test_a_logout_leaves_nothing_of_the_cart_behind():
    memory = Memory((Line("p1"),), checkout=True, orders=("o1",), login=True)
    assert run(memory, Deed("logout")).memory == Memory(orders=("o1",))


def test_amounts_are_written_as_the_guide_writes_them():
    lines = (Line("p1", "v1", 1, 24.0, "USD"), Line("p2", None, 2, 3.2))
    assert cart.order_lines(lines, "GBP") == [
        {"product_id": "p1", "variant_id": "v1", "quantity": 1, "unit_price": 24, "currency": "USD"},
        {
            "product_id": "p2",
            "variant_id": "no-variants",
            "quantity": 2,
            "unit_price": 3.2,
            "currency": "GBP",
        },
    ]
