from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.facts import PageFacts, config
from proxy.facts.address import page_address

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[..., PageFacts]


@pytest.mark.parametrize(
    ("page_type", "kind"),
    [
        ("home", "home"),
        ("index", "home"),
        ("Product", "product"),
        ("product.quick-view", "product"),
        ("collection", "category"),
        ("search", "search"),
        ("cart", "cart"),
        ("checkout", "checkout"),
        ("order confirmation", "order"),
        ("order_confirmation", "order"),
        ("order-confirmation", "order"),
        ("404", "404"),
        (404, "404"),
        ("blog", "none"),
        ("customers/login", "none"),
        ("none", "none"),
        ("no such page", None),
        (None, None),
        ([], None),
    ],
)
def test_a_page_type_names_a_kind(page_type: Any, kind: str | None) -> None:
    assert config.page_kind(page_type) == kind


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ("order_id: 5, product_id: 1", "order"),
        ("order_details: {cart: []}", "order"),
        ("product_id: 1", "product"),
        ("product_update: {product_id: 1}", "product"),
        ("category_name: 'Sofas'", "category"),
        ("category_id: 4", "category"),
        ("term: 'x'", "search"),
        ("page_type: '<?= $type ?>', term: 'x'", "search"),
        ("term: ''", None),
        ("api_key: 'K'", None),
    ],
)
def test_without_a_page_type_the_keys_imply_the_kind(read_config: Read, keys: str, kind: str | None) -> None:
    assert read_config(f"datacueConfig = {{ {keys} }}").kind == kind


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("'u1'", "u1"), ("42", "42"), ("'mail@example.com'", "mail@example.com"), ("0", None), ("'0'", None),
        ("null", None), ("''", None), ("'no-user'", None), ("'null'", None), ("false", None), ("getUser()", None),
    ],
)  # fmt: skip
def test_a_user_id_is_known_only_for_somebody(read_config: Read, written: str, known: str | None) -> None:
    assert read_config(f"datacueConfig = {{user_id: {written}}}").user_id == known


def test_a_user_is_known_on_a_page_of_unknown_kind(read_config: Read) -> None:
    assert read_config("datacueConfig = {user_id: 7}") == PageFacts(user_id="7")


def test_scripts_are_merged_in_order(read: Read) -> None:
    facts = read(scripts=[b"datacueConfig = {page_type: 'search', term: 'a'}", b"datacueConfig.term = 'b'"])
    assert (facts.kind, facts.term) == ("search", "b")


def test_a_script_is_decoded_in_the_pages_charset(read: Read) -> None:
    assert (
        read(scripts=["datacueConfig = {term: 'стул'}".encode("cp1251")], charset="windows-1251").term
        == "стул"
    )


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ("category_name: 'Sofas &amp; Beds', category_id: 4", "Sofas & Beds"),
        ("category_update: {name: 'Sofas', link: '/c'}, category_id: 4", "Sofas"),
        ("category_id: 4", "4"),
        ("category_update: 'x', page_type: 'category'", None),
    ],
)
def test_a_category_goes_by_its_name(read_config: Read, keys: str, name: str | None) -> None:
    assert read_config(f"datacueConfig = {{ {keys} }}").category_name == name


@pytest.mark.parametrize(
    ("written", "term"), [("'red  chair '", "red  chair"), ("42", "42"), ("''", None), ("{}", None)]
)
def test_a_term_is_text(read_config: Read, written: str, term: str | None) -> None:
    assert read_config(f"datacueConfig = {{page_type: 'search', term: {written}}}").term == term


def test_an_older_config_names_the_variant(read_config: Read) -> None:
    facts = read_config("datacueConfig = {product_id: 'p1', variant_id: 'v1'}")
    assert (facts.product_id, facts.variant_id) == ("p1", "v1")


def test_a_product_without_variants_has_none(read_config: Read) -> None:
    facts = read_config(
        "datacueConfig = {product_update: {product_id: 9, variant_id: 'no-variants', title: 'Chair'}}"
    )
    assert (facts.product_id, facts.variant_id) == ("9", None)
    assert (facts.products[0].variant_id, facts.products[0].name) == (None, "Chair")


def test_a_product_update_is_read_in_every_dialect(read_config: Read) -> None:
    facts = read_config(
        """datacueConfig = {product_id: 1, product_update: [null, 'x', {
            category_1: 'Living', category_2: 'Sofas', main_category: 'Sofas', categories: ['Linen'],
            category_ids: [7, null], rating: 90, stock: '3', brand: 'Oak', currency: 'eur',
            description: '<p>Soft</p>', link: 'javascript:x', photo_url: 'data:x', price: 'free'}]}"""
    )
    (product,) = facts.products
    assert product.product_id == "1"
    assert product.categories == ("Living", "Sofas", "Linen", "7")
    assert (product.rating, product.stock, product.brand, product.currency) == (90.0, 3, "Oak", "EUR")
    assert (product.description, product.price, product.photo_url) == ("Soft", None, None)
    assert product.link == "/product/chair"


def test_products_of_a_page_that_shows_none_are_left_out(read_config: Read) -> None:
    assert (
        read_config("datacueConfig = {page_type: 'home', product_update: [{product_id: 1}]}").products == ()
    )


def test_order_details_are_handed_on_as_read(read_config: Read) -> None:
    facts = read_config(
        """datacueConfig = {page_type: 'order confirmation', order_id: 77, order_details: {order_status: 'completed',
            cart: [{product_id: 'p1', variant_id: 'v1', quantity: 2, unit_price: '9.5', currency: 'EUR'}],
            timestamp: '2020-01-01T00:00:00Z'}}"""
    )
    assert facts.kind == "order"
    assert facts.order == {
        "order_id": "77", "order_status": "completed", "timestamp": "2020-01-01T00:00:00Z",
        "cart": [{"product_id": "p1", "variant_id": "v1", "quantity": 2, "unit_price": "9.5", "currency": "EUR"}],
    }  # fmt: skip


def test_an_order_may_name_itself(read_config: Read) -> None:
    assert read_config("datacueConfig = {order_details: {order_id: 'o1'}}").order == {"order_id": "o1"}


def test_an_order_is_cut_to_what_any_encoder_takes(read_config: Read) -> None:
    deep = "[" * 900 + "]" * 900
    facts = read_config(
        f'datacueConfig = {{"order_details": {{"a": {deep}, "b": {{"c": {{"d": "{"x" * 9_000}"}}}}}}}}'
    )
    assert facts.order is not None
    assert len(json.dumps(facts.order)) < 5_000


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(
    ["page_type", "product_id", "variant_id", "product_update", "category_id", "category_name", "category_update",
     "order_id", "order_details", "term", "user_id"]
)  # fmt: skip


@given(st.dictionaries(keys, values), st.booleans())
def test_no_value_makes_it_raise(config_values: dict[str, Any], product: bool) -> None:
    if product:
        config_values["page_type"] = "product"
    script = f"datacueConfig = {json.dumps(config_values)}".encode()
    config.read([script], charset="utf-8", page=page_address("https://shop.example/"))
