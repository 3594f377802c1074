from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.facts.address import MAX_PARAMETERS, MAX_VALUE, page_address, parameters, search_term

PAGE = page_address("https://Shop.example:8443/product/chair?variant=2&utm_source=mail&gclid=x#top")


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        ("https://shop.example:8443/a?b=c#d", "/a?b=c"),
        ("http://shop.example:8443", "/"),
        ("/a", "/a"),
        ("b.jpg", "/product/b.jpg"),
        ("a b.jpg", "/product/a%20b.jpg"),
        ("?page=2", "/product/chair?page=2"),
        ("//cdn.example/x.jpg", "https://cdn.example/x.jpg"),
        ("https://other.example/x", "https://other.example/x"),
        ("javascript:alert(1)", None),
        ("data:image/png;base64,AAAA", None),
        ("https://user@other.example/", None),
        ("/\\evil.example", None),
        ("https://shop.example:8443//evil.example", None),
        ("/a\nb", None),
        ('/"onload="x', None),
        ("http://[", None),
        ("http:///x", None),
        ("", None),
        ("/" + "x" * 2_048, None),
        (None, None),
        (7, None),
    ],
)
def test_a_named_url_is_path_absolute_at_home_and_absolute_elsewhere(url: Any, resolved: str | None) -> None:
    assert PAGE.resolve(url) == resolved


def test_the_pages_own_link_is_without_what_advertisements_add() -> None:
    assert PAGE.link == "/product/chair?variant=2"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://www.shop.example/product/chair/", "/product/chair?variant=2"),
        ("https://www.shop.example/product/table", "https://www.shop.example/product/table"),
        ("/product/chair?variant=3", "/product/chair?variant=3"),
        ("javascript:1", "/product/chair?variant=2"),
        (None, "/product/chair?variant=2"),
    ],
)
def test_a_products_link_works_on_the_host_that_serves_the_page(url: Any, link: str) -> None:
    assert PAGE.product_link(url) == link


@pytest.mark.parametrize("url", ["", "/p?q=x", "http://[", "mailto:x", "p"])
def test_a_page_url_that_lacks_parts_still_resolves_links(url: str) -> None:
    assert page_address(url).resolve("/a") == "/a"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"q=red+chair&x=1", {"q": "red chair", "x": "1"}),
        (b"q=&q=%20&q=sofa", {"q": "sofa"}),
        (b"q=sofa&q=table", {"q": "sofa"}),
        (b"q=caf%C3%A9", {"q": "café"}),
        (b"q=caf\xc3\xa9", {"q": "café"}),
        (b"q=%FF%", {"q": "\ufffd%"}),
        (b"q=a%00%0Ab", {"q": "a  b"}),
        (b"=x&&flag", {"flag": ""}),
        (b"", {}),
    ],
)
def test_a_query_is_decoded_as_a_form(query: bytes, found: dict[str, str]) -> None:
    assert parameters(query) == found


def test_a_value_is_cut() -> None:
    assert len(parameters(b"q=" + b"x" * 10_000)["q"]) == MAX_VALUE


def test_parameters_are_bounded() -> None:
    assert len(parameters(b"&".join(b"p%d=1" % n for n in range(1_000)))) == MAX_PARAMETERS


def test_the_commonest_name_of_a_search_term_wins() -> None:
    assert search_term({"keyword": "sofa", "q": "", "s": "chair"}) == "chair"


def test_without_a_term_there_is_none() -> None:
    assert search_term({"page": "2"}) is None


@given(st.text())
def test_no_url_makes_it_raise(url: str) -> None:
    page_address(url)
    resolved = PAGE.resolve(url)
    assert resolved is None or resolved.startswith(("/", "http://", "https://"))
    assert PAGE.product_link(url)


@given(st.binary())
def test_no_query_makes_it_raise(query: bytes) -> None:
    for value in parameters(query).values():
        value.encode()
