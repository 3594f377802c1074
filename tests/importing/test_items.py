"""From rows to what is sent: columns, wishes, orders of several rows, ids that come twice."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from proxy.errors import SettingsError
from proxy.importer import read_wishes

PRODUCT = {
    "product_id": "p1", "category_1": "Home", "name": "Chair", "price": "12.50", "stock": "5",
    "photo_url": "/1.jpg", "link": "/p/1",
}  # fmt: skip


def table(*rows):
    lines = [",".join(rows[0]), *(",".join(f'"{value}"' for value in row.values()) for row in rows)]
    return "\n".join(lines)


def test_the_guides_names_are_taken_as_they_are(items):
    [item] = items(table(PRODUCT))
    assert item.document == {
        **PRODUCT, "price": Decimal("12.50"), "stock": 5, "variant_id": "no-variants",
    }  # fmt: skip
    assert (item.line, item.ids) == (2, ("p1", "no-variants"))


def test_usual_names_are_guessed(items):
    names = [
        "SKU",
        "Category",
        "Title",
        "Regular Price",
        "Sale Price",
        "Qty",
        "Image URL",
        "URL",
        "Manufacturer",
    ]
    [item] = items(",".join(names) + "\np1,Home > Chairs,Chair,20,12.50,5,/1.jpg,/p/1,Oakland\n")
    document = item.document
    assert (document["product_id"], document["name"], document["brand"]) == ("p1", "Chair", "Oakland")
    assert (document["category_1"], document["category_2"]) == ("Home", "Chairs")
    assert (document["price"], document["full_price"]) == (Decimal("12.50"), Decimal(20))


def test_the_user_has_the_last_word_on_columns(items):
    wishes = read_wishes(
        "products", ["code=product_id", "product_id=", "hue=extra.hue"], ["stock=9", "link=/p/{code}"]
    )
    row = {**PRODUCT, "stock": "", "link": "", "code": "c7", "hue": "red"}
    [item] = items(table(row), wishes=wishes)
    assert item.document["product_id"] == "c7"
    assert item.document["stock"] == 9
    assert item.document["link"] == "/p/c7"
    assert item.document["extra"] == {"hue": "red"}


@pytest.mark.parametrize(
    ("maps", "fills", "line"),
    [
        (["sku"], [], "names no column"),
        (["sku=nmae"], [], "Did you mean name"),
        (["sku=extra."], [], "no field"),
        ([], ["stock"], "names no field"),
        ([], ["profile.sex=f"], "no field"),
    ],
)
def test_a_wish_that_can_not_be_is_refused(maps, fills, line):
    with pytest.raises(SettingsError, match=line):
        read_wishes("products", maps, fills)


def test_a_column_that_is_not_there_is_told(items):
    with pytest.raises(SettingsError, match=r"no column 'titel'. Did you mean 'title'\?"):
        items("title\nx\n", wishes=read_wishes("products", ["titel=name"], []))


def test_a_file_without_a_required_column_is_refused_with_the_mend(items):
    with pytest.raises(
        SettingsError, match=r"has no column for photo_url, link; columns that are not used: foto"
    ):
        items("product_id,category,name,price,stock,foto\n")


def test_all_that_is_wrong_with_an_item_is_told_at_once(items):
    [item] = items(table({**PRODUCT, "price": "ask", "name": "", "link": "javascript:x"}))
    assert item.reason == (
        "price: 'ask' is no amount of money; "
        "link: 'javascript:x' is no http:// or https:// address, nor a path such as /p/1; name: is missing"
    )


def test_categories_below_the_fourth_go_into_the_extra_ones(items):
    row = {name: value for name, value in PRODUCT.items() if name != "category_1"} | {
        "category": "a|b|c|d|e|f"
    }
    [item] = items(table(row))
    assert [item.document[f"category_{level}"] for level in (1, 2, 3, 4)] == ["a", "b", "c", "d"]
    assert item.document["category_extra"] == {"category_5": "e", "category_6": "f"}


def test_json_keeps_its_types_and_null_clears_in_an_update(items):
    text = '[{"product_id": 7, "price": 12.5, "stock": 3, "brand": null, "extra": {"a": [1]}, "unknown": 1}]'
    [item] = items(text, verb="update", name="x.json")
    assert item.document == {
        "product_id": "7", "variant_id": "no-variants", "price": Decimal("12.5"), "stock": 3, "brand": None,
        "extra": {"a": [1]},
    }  # fmt: skip


def test_an_update_needs_no_more_than_the_ids(items):
    [item] = items("sku,price\np1,5\n", verb="update")
    assert item.document == {"product_id": "p1", "variant_id": "no-variants", "price": Decimal(5)}


@pytest.mark.parametrize(
    ("text", "name", "documents"),
    [
        ("product_id,name\np1,x\n", "x.csv", [{"product_id": "p1"}]),
        ("product_id,variant_id\np1,v1\n", "x.csv", [{"product_id": "p1", "variant_id": "v1"}]),
        ('["p1", 2]', "x.json", [{"product_id": "p1"}, {"product_id": "2"}]),
    ],
)
def test_to_delete_takes_the_ids_alone(items, text, name, documents):
    assert [item.document for item in items(text, verb="delete", name=name)] == documents


ORDERS = "order_id,user_id,created_at,sku,quantity,price,note\n"


def test_rows_of_an_order_become_its_lines(items):
    text = ORDERS + "o1,u1,2018-04-04 23:29:04Z,p1,1,2.50,a\no1,,,p2,3,4,b\no2,u2,2018-04-05,p1,1,2,c\n"
    first, second = items(text, "orders")
    assert first.document == {
        "order_id": "o1", "user_id": "u1", "timestamp": "2018-04-04T23:29:04Z",
        "cart": [
            {"product_id": "p1", "variant_id": "no-variants", "quantity": 1, "unit_price": Decimal("2.50")},
            {"product_id": "p2", "variant_id": "no-variants", "quantity": 3, "unit_price": Decimal(4)},
        ],
    }  # fmt: skip
    assert [record.line for record in first.records] == [2, 3]
    assert second.line == 4


def test_one_bad_row_keeps_its_whole_order_back(items):
    text = (
        ORDERS
        + "o1,u1,2018-04-04,p1,1,2,\no1,u1,2018-04-04,p2,none,2,\no1,u1,2018-04-04,p3,1\no2,u2,2018-04-05,p1,1,2,\n"
    )
    bad, good = items(text, "orders")
    assert len(bad.records) == 3
    assert bad.reason == "line 4: has 5 columns, the header has 7"
    assert good.document["order_id"] == "o2"


def test_an_order_in_json_has_its_cart(items):
    text = (
        '[{"order_id": 1, "user_id": 2, "cart": [{"product_id": 3, "quantity": "1", "price": 2.5, "x": 1}]}]'
    )
    [item] = items(text, "orders", name="x.json")
    assert item.document["cart"] == [
        {"product_id": "3", "variant_id": "no-variants", "quantity": 1, "unit_price": Decimal("2.5")}
    ]


def test_a_line_that_lacks_something_is_named(items):
    text = '[{"order_id": 1, "user_id": 2, "cart": [{"product_id": 3}, 7]}]'
    [item] = items(text, "orders", name="x.json")
    assert item.reason == (
        "cart, line 1, quantity: is missing; cart, line 1, unit_price: is missing; cart, line 2: 7 is no JSON object"
    )


def test_ids_that_come_twice_are_sent_once(checked):
    _, journal, found = checked(table(PRODUCT, {**PRODUCT, "product_id": "p2"}, {**PRODUCT, "name": "Other"}))
    assert (found.items, found.bad) == (3, 1)
    assert list(journal.bad()) == [(2, "is there already, on line 2")]
    assert [(problem.line, problem.reason) for problem in found.problems] == [
        (4, "is there already, on line 2")
    ]


def test_an_order_whose_rows_do_not_follow_one_another_is_told_with_both_lines(checked):
    text = ORDERS + "o1,u1,2018-04-04,p1,1,2,\no2,u1,2018-04-04,p2,1,2,\no1,u1,2018-04-04,p3,1,2,\n"
    _, journal, _ = checked(text, "orders")
    assert list(journal.bad()) == [(2, "is there already, on line 2")]


def test_an_id_whose_first_line_is_bad_is_not_taken(checked):
    _, journal, _ = checked(table({**PRODUCT, "price": "ask"}, PRODUCT))
    assert list(journal.bad()) == [(0, "price: 'ask' is no amount of money")]


def test_of_many_problems_the_first_are_shown(checked):
    rows = [{**PRODUCT, "product_id": f"p{number}", "price": "ask"} for number in range(50)]
    _, _, found = checked(table(*rows))
    assert found.bad == 50
    assert [problem.line for problem in found.problems] == list(range(2, 22))


def peak(work):
    import tracemalloc

    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["x.csv", "x.json"])
def test_memory_does_not_grow_with_the_rows(source, name):
    from proxy.importer import Journal, Wishes, check, find_format, understand

    def text(amount):
        rows = [{**PRODUCT, "product_id": f"p{number}", "name": "x" * 500} for number in range(amount)]
        return table(*rows) if name.endswith("csv") else json.dumps(rows)

    def work(content):
        opened = source(content, name)

        def run():
            file = understand(opened, find_format(opened, "products"), "products", "create", wishes=Wishes())
            journal = Journal(None)
            assert check([file], journal, lambda _: None).bad == 0
            journal.close()

        return run

    few, many = text(2_000), text(6_000)
    assert peak(work(many)) - peak(work(few)) < 4_000 * 60  # a tenth of what the rows are
