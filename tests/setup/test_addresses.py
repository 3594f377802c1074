"""Rules out of addresses: each finds the ids that the pages themselves say, and no others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.setup.addresses import Rule, rule_for, slug_rules, tells

SHOP = "http://shop.example"


@pytest.mark.parametrize(
    ("known", "path", "query"),
    [
        ({"/product/7": "7", "/product/12": "12"}, "/product/{product_id}", {}),
        ({"/catalogue/the-shelf_7/": "7"}, "/catalogue/{slug}_{product_id}/", {}),
        ({"/7-chair.html": "7", "/12-table.html": "12"}, "/{product_id}-{slug}.html", {}),
        ({"/de/sofas/blue-9": "9", "/de/beds/oak-4": "4"}, "/de/{part2}/{slug}-{product_id}", {}),
        ({"/p?id=7": "7"}, "/p", {"product_id": "id"}),
        (
            {"/index.php?route=product/product&product_id=30": "30"},
            "/index.php",
            {"route": "route=product/product", "product_id": "product_id"},
        ),
        ({"/p/SKU%2F1": "SKU/1"}, "/p/{product_id}", {}),
    ],
)
def test_the_id_is_found_wherever_it_stands(known, path, query):
    rule = rule_for("product", "product_id", [(SHOP + url, value) for url, value in known.items()])
    assert (rule.path, rule.query) == (path, query)


def test_an_id_that_the_address_does_not_hold_makes_no_rule():
    assert rule_for("product", "product_id", [(f"{SHOP}/product/walnut-chair", "318")]) is None
    assert rule_for("product", "product_id", [(f"{SHOP}/p/1", "1"), (f"{SHOP}/chair", "2")]) is None
    # A placeholder takes as much as it can: of several dashes the last one parts.
    assert rule_for("product", "product_id", [(f"{SHOP}/12-big-table.html", "12")]) is None


WORD = st.from_regex(r"[a-z]{1,8}", fullmatch=True)


@settings(max_examples=60)
@given(
    st.lists(WORD, max_size=2),
    st.lists(st.tuples(WORD, st.integers(1, 99_999)), min_size=1, max_size=4),
    st.sampled_from(["{id}", "{slug}-{id}", "{slug}_{id}", "{id}-{slug}", "{slug}-{id}.html"]),
)
def test_whatever_rule_is_found_gives_every_page_its_own_id(front, products, shape):
    known = [
        ("/".join([SHOP, *front, shape.format(slug=slug, id=number)]), str(number))
        for slug, number in products
    ]
    rule = rule_for("product", "product_id", known)
    assert rule is not None
    assert [rule.page(url).product_id for url, _ in known] == [value for _, value in known]


def test_names_below_a_fixed_beginning_make_rules_with_and_without_parents():
    urls = [f"{SHOP}/shop/c/{rest}" for rest in ("plants_1/", "plants/herbs_3/", "garden_4/")]
    rules = slug_rules("category", "category_name", urls)
    assert [rule.path for rule in rules] == [
        "/shop/c/{parents*}/{category_name}_{number}",
        "/shop/c/{category_name}_{number}",
    ]
    names = [next(page for rule in rules if (page := rule.page(url))).category_name for url in urls]
    assert names == ["plants", "herbs", "garden"]


def test_names_without_a_fixed_beginning_make_no_rule():
    assert slug_rules("category", "category_name", [f"{SHOP}/sofas", f"{SHOP}/beds"]) == []
    assert slug_rules("category", "category_name", [f"{SHOP}/c/sofas"]) == []


def test_a_rule_that_takes_other_pages_is_told():
    rule = Rule("product", "/{product_id}")
    assert not tells(rule, {f"{SHOP}/cart": "cart"})
    assert tells(rule, {f"{SHOP}/a/b": "cart", f"{SHOP}/7": "product"})
