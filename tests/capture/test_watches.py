"""Who takes the short way past a witness is whom no witness would have looked at."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.capture import Rules, UserCookie
from proxy.capture.presets import NAMES
from proxy.classify.rules import readable_path
from proxy.facts.address import parameters
from proxy.models import PAGE_KINDS, Page
from proxy.prepared import page_plan
from proxy.settings import Settings
from proxy.witness import Capture, Witness

PATHS = [
    *("/", "/cart", "/cart/", "/basket/", "/basket", "/checkout/", "/checkout/cart/", "/checkout/thank-you/", "/shop/"),
    *("/logout", "/accounts/logout/", "/wishlist", "/product/beanie/", "/catalogue/sweet-basil_9/", "/index.php"),
    *("/my-account/", "/checkout/order-received/12/", "/customer/account/logout/", "/%62asket/", "/b%C3%A4sket/", "/en/cart"),
]  # fmt: skip
QUERIES = [
    *("", "add-to-cart=24", "remove_item=3f&_wpnonce=1", "route=checkout/cart", "route=product/product&product_id=1"),
    *("controller=cart", "controller=order-confirmation&id_order=1", "mylogout=", "action=logout", "utm_source=x", "s=a"),
    *("wc-ajax=add_to_cart", "key=wc_order_1", "route=account/logout", "add=1&id_product=2", "delete=1&id_product=2"),
]  # fmt: skip


def capture(rules, *, user_cookie=None):
    return Capture(rules, None, user_cookie, "EUR", calls=False, classifier=None)


def witness_looks(watching, path, query, page):
    """The questions of the long way."""
    scope = {"method": "GET", "raw_path": path.encode(), "query_string": query.encode(), "headers": []}
    witness = Witness(watching, SimpleNamespace(scope=scope))
    witness.selectors(page, None)
    return witness.looks(page) or bool(watching.rules.forms("GET", path, parameters(query.encode())))


PRESETS = {name: page_plan(Settings(preset=name)) for name in NAMES}


@settings(max_examples=300)
@given(
    preset=st.sampled_from(sorted(PRESETS)),
    path=st.sampled_from(PATHS),
    query=st.sampled_from(QUERIES),
    kind=st.sampled_from([kind for kind in PAGE_KINDS if kind not in {"404", "none"}]),
)
def test_a_page_that_a_witness_would_look_at_is_watched_every_time(preset, path, query, kind):
    _, _, _, rules = PRESETS[preset]
    page = Page(kind)
    watching = capture(rules)
    said = [watching.watches(path.encode(), query.encode(), page) for _ in range(3)]
    assert said[0] == said[1] == said[2]
    assert said[0] or not witness_looks(watching, readable_path(path.encode()), query, page)


@pytest.mark.parametrize(
    ("preset", "target", "watched"),
    [
        ("oscar", "/catalogue/sweet-basil_9/", False),
        ("oscar", "/search/?q=basil", False),
        ("oscar", "/catalogue/", False),
        ("oscar", "/basket/", True),
        ("oscar", "/checkout/thank-you/", True),
        ("woocommerce", "/product/beanie/", False),
        ("woocommerce", "/product/beanie/?add-to-cart=24", True),
        ("woocommerce", "/cart/", True),
        ("demo", "/order/12", True),
    ],
)
def test_of_well_known_shops_the_pages_that_say_nothing_are_not_watched(preset, target, watched):
    classifier, _, _, rules = PRESETS[preset]
    path, _, query = target.encode().partition(b"?")
    page = classifier.from_request(path, query)
    assert page is not None
    watching = capture(rules)
    assert [watching.watches(path, query, page) for _ in range(2)] == [watched] * 2


def test_the_same_address_as_another_kind_of_page_is_judged_anew():
    *_, rules = page_plan(
        Settings(capture=[{"event": "cart", "page": "cart", "lines": ".l", "line": {"product_id": "b"}}])
    )
    watching = capture(rules)
    kinds = ["home", "cart", "product", "cart", "home"]
    assert [watching.watches(b"/x", b"", Page(kind)) for kind in kinds] == [False, True, False, True, False]


def test_pages_that_say_something_by_themselves_are_watched_without_rules():
    watching = capture(Rules())
    assert [kind for kind in PAGE_KINDS if watching.watches(b"/", b"", Page(kind))] == ["checkout", "order"]


@pytest.mark.parametrize(
    ("cookie", "field", "speaks"),
    [
        (None, b"uid=u7", False),
        (UserCookie(b"uid"), b"uid=u7; HttpOnly", True),
        (UserCookie(b"uid"), b"uid=; Max-Age=0", True),
        (UserCookie(b"uid"), b"basket=uid", False),
    ],
)
def test_an_answer_speaks_where_it_sets_or_takes_back_the_login_cookie(cookie, field, speaks):
    headers = [(b"content-type", b"text/html"), (b"set-cookie", field)]
    assert capture(Rules(), user_cookie=cookie).speaks(headers) is speaks
