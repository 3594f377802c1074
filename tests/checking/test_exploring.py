"""Without addresses a check finds its pages itself."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.checking import look
from proxy.checking.exploring import shape

SLOT = "<div data-dc-products></div>"


async def test_the_usual_kinds_are_found_from_the_home_page(check, store, says):
    search = '<form action="/search"><input name="q"></form>'
    trap = ["/logout", "/cart/add/1", "/wishlist", "/terms", "https://elsewhere.example/"]
    store.put(
        "/", store.links(*trap, "/c/sofas", "/product/chair-1", "/product/chair-2", "/basket"), search, SLOT
    )
    for number in (1, 2):
        store.product(number, SLOT)
    for path in ("/c/sofas", "/search", "/basket", "/terms"):
        store.put(path, SLOT)
    report = await check(pages=[{"path": "/c/{category_name}", "kind": "category"}])
    assert {page.kind for page in report.pages} >= {"home", "product", "category", "search", "cart", "404"}
    asked = {seen.target for seen in store.peer.seen}
    assert not asked & {"/logout", "/cart/add/1", "/wishlist"}
    assert says(report) == []


async def test_a_shop_without_a_known_product_page_is_a_problem(check, store, says):
    store.put("/", store.links("/x/1", "/x/2"), SLOT)
    store.put("/x/1", "hello")
    lines = says(await check())
    assert any("none of" in line and "known to be a product's" in line for line in lines)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("/catalogue/the-shelf_12/", "/catalogue/watering-can-9-litres_21/", True),
        ("/product/7", "/product/12", True),
        ("/product/7", "/category/7", False),
        ("/12-chairs", "/12-chair.html", False),
        ("/index.php?route=product/product&product_id=1", "/index.php?route=product/category&path=2", False),
        ("/p?id=1", "/p?id=2", True),
    ],
)
def test_addresses_of_one_kind_have_one_shape(one, other, alike):
    assert (shape(f"http://shop{one}") == shape(f"http://shop{other}")) is alike


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_whatever_a_link_says_a_page_is_looked_at(text):
    href = text.replace("&", "&amp;").replace('"', "&quot;")
    seen = look(f'<a href="{href}">x</a>'.encode(), charset="utf-8", url="http://shop/a")
    assert all(urlsplit(link).netloc == "shop" for link in seen.links)


def test_links_forms_and_places_are_read_as_they_stand():
    page = b"""<html lang="de-AT"><head><meta name="Generator" content="Shopware"></head><body>
    <a href="/a?x=1&amp;y=2#z">1</a><a href="//other/">2</a><a href="/b.pdf">3</a><a href="mailto:x@y">4</a>
    <form method=post action=add><input name=id value=7><select name=size></select><button name=buy value=1></form>
    <form><input name=q></form><div class="tail"></div><div class="tail"></div>"""
    seen = look(page, charset="utf-8", url="http://shop/dir/page", places=[".tail", "main"])
    assert seen.links == ["http://shop/a?x=1&y=2"]
    [add, search] = seen.forms
    assert (add.method, add.action, add.fields) == (
        "POST", "http://shop/dir/add", {"id": "7", "size": "", "buy": "1"},
    )  # fmt: skip
    assert (search.method, search.action, search.fields) == ("GET", "http://shop/dir/page", {"q": ""})
    assert (seen.language, seen.generator, seen.places) == ("de-AT", "Shopware", {".tail": 2})
