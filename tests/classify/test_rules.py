from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.classify import Classifier, PageRule, compile_rule
from proxy.errors import SettingsError
from proxy.models import Page


def rule(path: str | None = None, kind: str = "product", index: int = 0, **options: Any) -> PageRule:
    return compile_rule(
        index,
        path=path,
        kind=kind,
        query=options.get("query"),
        fields=options.get("fields"),
        facts=options.get("facts", ()),
    )


def classify(*rules: PageRule, path: bytes | str, query: bytes = b"") -> Page | None:
    return Classifier(rules, builtin=False).from_request(path, query)


@pytest.mark.parametrize(
    ("pattern", "path", "fields"),
    [
        ("/product/{product_id}", "/product/42", {"product_id": "42"}),
        ("/product/{product_id}", "/product/42/", {"product_id": "42"}),
        ("/product/{product_id}/", "/product/42", {"product_id": "42"}),
        ("/catalogue/{slug}_{product_id}/", "/catalogue/the-chair_2_15/", {"product_id": "15"}),
        ("/{slug}-p{product_id}.html", "/a-p1-p2.html", {"product_id": "2"}),
        ("/p/{product_id}/{variant_id}", "/p/1/2", {"product_id": "1", "variant_id": "2"}),
        ("/shop/{category_name*}", "/shop/living/chairs", {"category_name": "living/chairs"}),
        ("/shop/{rest*}/p/{product_id}", "/shop/a/b/p/7", {"product_id": "7"}),
        ("/docs/{rest*}", "/docs/", {}),
        ("/", "/", {}),
        ("/a.b+c(d)[e]", "/a.b+c(d)[e]", {}),
        ("/café/{product_id}", "/caf%C3%A9/1", {"product_id": "1"}),
        ("/caf%C3%A9/{product_id}", "/café/1", {"product_id": "1"}),
        ("/100%/{product_id}", "/100%25/1", {"product_id": "1"}),
        ("/p/{product_id}", "/p/a%2Fb", {"product_id": "a/b"}),
        ("/p/{product_id}", "/p/a%252Fb", {"product_id": "a%2Fb"}),
        ("/p/{product_id}", "/p/50%25", {"product_id": "50%"}),
        ("/p/{product_id}", "/p/%20red%0Achair%20", {"product_id": "red chair"}),
        ("/p/{product_id}", "/p/%FF", {"product_id": "\ufffd"}),
        ("/p/{product_id}", "/p/%zz", {"product_id": "%zz"}),
        ("/p/{product_id}", "/p/a+b", {"product_id": "a+b"}),
        ("/p/{product_id}", "/p/%20", {}),
        ("/p/{product_id}", "/p/7?x=/y", {"product_id": "7"}),
        ("/p/{product_id}", "/p/" + "x" * 9_000, {"product_id": "x" * 512}),
    ],
)
def test_a_path_fills_the_fields(pattern: str, path: str, fields: dict[str, str]) -> None:
    assert classify(rule(pattern), path=path.encode()) == Page(kind="product", why="rule:0", **fields)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/product/{product_id}", b"/product/"),
        ("/product/{product_id}", b"/product/1/2"),
        ("/product/{product_id}", b"/Product/1"),
        ("/product/{product_id}", b"/x/product/1"),
        ("/a/b", b"/a%2Fb"),
        ("/", b"/x"),
        ("/", b"//"),
        ("/a.c", b"/abc"),
        ("/p/{product_id}", b"/p/1;x/2"),
        ("/p/{product_id}", b""),
    ],
)
def test_other_paths_dont_match(pattern: str, path: bytes) -> None:
    assert classify(rule(pattern), path=path) is None


def test_a_path_may_be_given_as_text() -> None:
    assert classify(rule("/p/{product_id}"), path="/p/a%2Fb") == Page(
        kind="product", why="rule:0", product_id="a/b"
    )


def test_the_first_match_wins() -> None:
    rules = [
        rule("/p/new", kind="none"),
        rule("/p/{product_id}", index=1),
        rule("/{rest*}", kind="category", index=2),
    ]
    assert [classify(*rules, path=path) for path in (b"/p/new", b"/p/1", b"/c")] == [
        Page(kind="none", why="rule:0"),
        Page(kind="product", product_id="1", why="rule:1"),
        Page(kind="category", why="rule:2"),
    ]


@pytest.mark.parametrize(
    ("query", "sent", "fields"),
    [
        ({"term": "q"}, b"q=red+chair", {"term": "red chair"}),
        ({"term": "q"}, b"q=", None),
        ({"term": "q"}, b"q=%20", None),
        ({"term": "q"}, b"", None),
        ({"term": "q?"}, b"", {}),
        ({"term": "q?"}, b"q=x", {"term": "x"}),
        ({"term": "q", "page": "p"}, b"q=x", None),
        ({"term": "q", "page": "p"}, b"q=x&p=2", {"term": "x"}),
        (
            {"route": "route=product/search", "term": "search"},
            b"route=product%2Fsearch&search=x",
            {"term": "x"},
        ),
        ({"route": "route=product/search", "term": "search"}, b"route=product%2Fcategory&search=x", None),
        ({"route": "route=product/search", "term": "search"}, b"search=x", None),
        ({"x": "a=b=c"}, b"a=b%3Dc", {}),
    ],
)
def test_a_query_must_be_there_and_fills_the_fields(
    query: dict[str, str], sent: bytes, fields: dict[str, str] | None
) -> None:
    expected = None if fields is None else Page(kind="search", why="rule:0", **fields)
    assert classify(rule("/s", "search", query=query), path=b"/s", query=sent) == expected


def test_a_rule_may_do_without_a_path() -> None:
    assert classify(rule(kind="product", query={"product_id": "id"}), path=b"/any", query=b"id=5") == Page(
        kind="product", product_id="5", why="rule:0"
    )


def test_constants_fill_what_the_request_leaves_open() -> None:
    page = classify(
        rule(
            "/sale/{product_id}",
            query={"term": "q?"},
            fields={"category_name": " Sale ", "term": "sale", "product_id": "x"},
        ),
        path=b"/sale/7",
    )
    assert page == Page(kind="product", product_id="7", category_name="Sale", term="sale", why="rule:0")


@pytest.mark.parametrize(
    ("options", "key", "says"),
    [
        ({"path": "/p", "kind": "prodcut"}, "pages[3].kind", 'Did you mean "product"?'),
        (
            {"path": "/p", "kind": "zzz"},
            "pages[3].kind",
            "home, product, category, search, cart, checkout, order, 404, none",
        ),
        ({"kind": "home"}, "pages[3].path", "neither path nor query"),
        ({"path": "p/{id}"}, "pages[3].path", 'Write "/p/{id}"'),
        ({"path": "/p?x={id}"}, "pages[3].path", 'query = { term = "q" }'),
        ({"path": "/p#x"}, "pages[3].path", "fragment"),
        ({"path": "/p/{id"}, "pages[3].path", "brace"),
        ({"path": "/p/id}"}, "pages[3].path", "brace"),
        ({"path": "/p/{}"}, "pages[3].path", '"{}" is no placeholder'),
        ({"path": "/p/{Product}"}, "pages[3].path", "{name*}"),
        ({"path": "/p/{a.b}"}, "pages[3].path", "placeholder"),
        ({"path": "/p/{id:\\d+}"}, "pages[3].path", "placeholder"),
        ({"path": "/p/{id}/{id}"}, "pages[3].path", "twice"),
        ({"path": "/p/{a}{b}"}, "pages[3].path", "Put a character between them"),
        ({"path": "/" + "x" * 1_001}, "pages[3].path", "longer"),
        ({"path": "/s", "query": {"term": ""}}, "pages[3].query.term", 'term = "q"'),
        ({"path": "/s", "query": {"term": "?"}}, "pages[3].query.term", "no parameter"),
        ({"path": "/s", "query": {"term": "=x"}}, "pages[3].query.term", "no parameter"),
        (
            {"path": "/s", "fields": {"categoryname": "x"}},
            "pages[3].fields.categoryname",
            'Did you mean "category_name"?',
        ),
        ({"path": "/s", "fields": {"zzz": "x"}}, "pages[3].fields.zzz", "Write one of: product_id"),
        ({"path": "/s", "facts": ["name", "prize"]}, "pages[3].facts.prize", 'Did you mean "price"?'),
    ],
)
def test_a_mistake_is_named_with_its_mend(options: dict[str, Any], key: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        rule(**options, index=3)
    assert caught.value.key == key
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_hostile_path_takes_linear_time() -> None:
    greedy = rule("/" + "-".join(f"{{a{n}}}" for n in range(20)) + "-x")
    started = time.process_time()
    assert classify(greedy, path=b"/" + b"-" * 30_000) is None
    assert time.process_time() - started < 1.0  # a backtracking engine would not end


@given(st.text(st.characters(exclude_characters="{}?#", exclude_categories=["Cs"]), max_size=20))
def test_a_literal_path_matches_itself(tail: str) -> None:
    from urllib.parse import quote

    path = "/" + tail
    assert classify(rule(path), path=quote(path, safe="/").encode()) is not None


@given(st.binary(), st.binary())
def test_no_request_makes_it_raise(path: bytes, query: bytes) -> None:
    rules = [rule("/{slug}_{product_id}", query={"term": "q?"}), rule("/{rest*}", kind="category", index=1)]
    page = Classifier(rules).from_request(path, query)
    assert page is None or repr(page).encode()
