from __future__ import annotations

from typing import Any

import pytest

from proxy.classify import Classifier, compile_rule, is_complete, products_of
from proxy.facts import PageFacts, ProductFacts
from proxy.models import Page

BUILTIN = Classifier()


def product_rule() -> Classifier:
    return Classifier([compile_rule(0, path="/p/{product_id}", query=None, kind="product", fields=None)])


@pytest.mark.parametrize(
    "target", ["/", "/index.php", "/index.html", "/?utm_source=mail&gclid=1", "/?lang=de&fbclid=2"]
)
def test_the_root_is_home(target: str) -> None:
    path, _, query = target.partition("?")
    assert BUILTIN.from_request(path.encode(), query.encode()) == Page(kind="home", why="path")


@pytest.mark.parametrize(
    "target",
    [
        "/search?q=red+chair",
        "/search/?query=red%20chair",
        "/en/search?s=red+chair",
        "/de-DE/search/results?term=red+chair",
        "/search.php?keywords=red+chair",
        "/catalogsearch/result/?q=red+chair&product_list_order=price",
        "/s?search=red+chair",
        "/recherche?controller=search&s=red+chair",
        "/?s=red+chair&post_type=product",
    ],
)
def test_a_search_is_known_by_its_path_and_term(target: str) -> None:
    path, _, query = target.partition("?")
    assert BUILTIN.from_request(path.encode(), query.encode()) == Page(
        kind="search", term="red chair", why="path"
    )


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/cart", "cart"), ("/cart/", "cart"), ("/basket/", "cart"), ("/en/cart", "cart"), ("/checkout/cart/", "cart"),
        ("/checkout", "checkout"), ("/checkout/onepage/", "checkout"),
        ("/checkout/order-received/12/", "order"), ("/checkout/onepage/success", "order"), ("/checkout/thank-you/", "order"),
        ("/order-confirmation", "order"),
    ],
)  # fmt: skip
def test_well_known_paths_are_known(path: str, kind: Any) -> None:
    assert BUILTIN.from_request(path.encode(), b"x=1") == Page(kind=kind, why="path")


@pytest.mark.parametrize(
    "target",
    [
        "/?p=42", "/?route=common/cart", "/?s=", "/search", "/search?q=", "/search?page=2", "/product/42", "/collections/sofas",
        "/cart/add", "/cart.js", "/blog/cart", "/checkout/address", "/Search?q=x", "/research?q=x", "/search/x?q=y", "/%2Fcart",
    ],
)  # fmt: skip
def test_what_could_be_mistaken_is_not_guessed(target: str) -> None:
    path, _, query = target.partition("?")
    assert BUILTIN.from_request(path.encode(), query.encode()) is None


def test_a_rule_comes_before_well_known_paths() -> None:
    classifier = Classifier([compile_rule(0, path="/cart", query=None, kind="none", fields=None)])
    assert classifier.from_request(b"/cart", b"") == Page(kind="none", why="rule:0")


def test_well_known_paths_can_be_turned_off() -> None:
    assert Classifier(builtin=False).from_request(b"/", b"") is None


# -- facts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "page"),
    [
        (PageFacts(kind="product", product_id="1", variant_id="2", term="x", why="config"),
         Page(kind="product", product_id="1", variant_id="2", why="config")),
        (PageFacts(kind="category", category_name="Sofas", product_id="1", why="json-ld"),
         Page(kind="category", category_name="Sofas", why="json-ld")),
        (PageFacts(kind="search", term="x", why="microdata"), Page(kind="search", term="x", why="microdata")),
        (PageFacts(kind="home", why="config"), Page(kind="home", why="config")),
        (PageFacts(kind="none", why="config"), Page(kind="none", why="config")),
        (PageFacts(kind="product", why="opengraph"), None),
        (PageFacts(kind="category", why="config"), None),
        (PageFacts(kind="search", why="json-ld"), None),
        (PageFacts(product_id="1"), None),
    ],
)  # fmt: skip
def test_facts_alone_make_a_page_where_its_event_is_complete(facts: PageFacts, page: Page | None) -> None:
    assert BUILTIN.from_facts(None, facts) == page


@pytest.mark.parametrize(
    ("page", "filled"),
    [
        (Page(kind="product", why="rule:0"), Page(kind="product", product_id="1", variant_id="2", why="rule:0")),
        (Page(kind="product", product_id="9", why="rule:0"), Page(kind="product", product_id="9", variant_id="2", why="rule:0")),
        (Page(kind="product", product_id="9", variant_id="8", why="rule:0"), Page(kind="product", product_id="9", variant_id="8", why="rule:0")),
        (Page(kind="category", why="rule:0"), Page(kind="category", category_name="Sofas", why="rule:0")),
        (Page(kind="home", why="path"), Page(kind="home", why="path")),
        (Page(kind="none", why="rule:0"), Page(kind="none", why="rule:0")),
        (Page(kind="search", why="rule:0"), None),
    ],
)  # fmt: skip
def test_facts_fill_what_a_rule_left_open_and_change_nothing(page: Page, filled: Page | None) -> None:
    facts = PageFacts(kind="product", product_id="1", variant_id="2", category_name="Sofas", why="json-ld")
    assert BUILTIN.from_facts(page, facts) == filled


@pytest.mark.parametrize(
    ("page", "complete"),
    [
        (Page(kind="product"), False),
        (Page(kind="product", product_id="1"), True),
        (Page(kind="category", product_id="1"), False),
        (Page(kind="search", term="x"), True),
        (Page(kind="cart"), True),
    ],
)
def test_a_page_is_complete_with_what_its_event_needs(page: Page, complete: bool) -> None:
    assert is_complete(page) is complete


def test_products_go_by_the_id_that_the_event_carries() -> None:
    facts = PageFacts(
        kind="product",
        product_id="sku",
        products=(ProductFacts(product_id="sku", variant_id="v", name="Chair"),),
    )
    page = product_rule().from_facts(product_rule().from_request(b"/p/the-chair", b""), facts)
    assert page is not None
    assert products_of(page, facts) == (ProductFacts(product_id="the-chair", variant_id="v", name="Chair"),)


@pytest.mark.parametrize("page", [Page(kind="category", category_name="x"), Page(kind="product")])
def test_other_pages_have_no_product_for_the_catalogue(page: Page) -> None:
    assert products_of(page, PageFacts(products=(ProductFacts(product_id="1"),))) == ()


def test_what_is_remembered_of_targets_is_bounded_and_never_another_targets(monkeypatch):
    monkeypatch.setattr("proxy.classify.MAX_ASKED", 3)
    classifier = Classifier()
    for _ in range(2):
        for number in range(5):
            page = classifier.from_request(b"/search", b"q=%d" % number)
            assert page is not None
            assert page.term == str(number)
            assert classifier.from_request(b"/p/%d" % number, b"") is None
            assert len(classifier._asked) <= 3


def test_targets_of_any_length_are_classified_and_long_ones_not_kept():
    classifier = Classifier()
    page = classifier.from_request(b"/search", b"q=sofa&x=" + b"a" * 600)
    assert page is not None
    assert page.term == "sofa"
    assert not classifier._asked
