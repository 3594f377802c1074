"""Selectors: what matches, and what is refused with a reason."""

from __future__ import annotations

import pytest

from proxy.locate import SelectorError, parse_selector
from proxy.locate.elements import Element
from proxy.locate.markup import attributes


def element(text: str) -> Element:
    name, _, rest = text.partition(" ")
    return Element(name.encode(), "html", b" " + rest.encode(), html_inside=True)


def matches(selector: str, *path: str) -> bool:
    *around, last = map(element, path)
    return parse_selector(selector).matches(last.name, attributes(last.tag), around)


@pytest.mark.parametrize(
    ("selector", "path"),
    [
        ("div", ["div"]),
        ("DIV", ["div"]),
        ("*", ["p"]),
        ("#a", ["p id=a"]),
        (".a.b", ["p class='x b a']"]),
        ("p#a.b[c]", ["p id=a class=b c"]),
        ("[a]", ["p A=1"]),
        ("[ a = 'b c' ]", ["p a='b c'"]),
        ('[a="b"]', ["p a=b"]),
        ("[a=b i]", ["p a=B"]),
        ("[a=b s]", ["p a=b"]),
        ("[a~=b]", ["p a='x b'"]),
        ("[a^=b]", ["p a=bc"]),
        ("[a$=c]", ["p a=bc"]),
        ("[a*=c]", ["p a=bcd"]),
        ("[a|=en]", ["p a=en-GB"]),
        ("[a|=en]", ["p a=en"]),
        ("[href='?a&b']", ["a href='?a&amp;b'"]),
        ("x, p , y", ["p"]),
        ("a  b", ["a", "x", "b"]),
        ("a>b", ["a", "b"]),
        ("a > b c", ["a", "b", "x", "c"]),
        ("a b > c", ["a", "b", "x", "b", "c"]),
        ("a > b c", ["a", "b", "b", "c"]),
        (r".md\:flex", ["p class=md:flex"]),
        (r"#\31 a", ["p id=1a"]),
        (".ü", ["p class=ü"]),
        (" p ", ["p"]),
        (".--x", ["p class=--x"]),
    ],
)
def test_a_selector_matches(selector: str, path: list[str]) -> None:
    assert matches(selector, *path)


@pytest.mark.parametrize(
    ("selector", "path"),
    [
        ("div", ["p"]),
        ("#a", ["p id=A"]),
        ("#a", ["p"]),
        (".a", ["p class=ab"]),
        ("[a=b]", ["p a=B"]),
        ("[a~=b]", ["p a=bb"]),
        ("[a^='']", ["p a=b"]),
        ("[a$='']", ["p a=b"]),
        ("[a*='']", ["p a=b"]),
        ("[a|=en]", ["p a=enx"]),
        ("a b", ["b"]),
        ("a > b", ["a", "x", "b"]),
        ("a b", ["a", "x"]),
    ],
)
def test_a_selector_does_not_match(selector: str, path: list[str]) -> None:
    assert not matches(selector, *path)


@pytest.mark.parametrize(
    ("selector", "part", "reason"),
    [
        ("li:nth-child(2)", ":nth-child(2)", "pseudo-classes"),
        ("a:has(b)", ":has(b)", "pseudo-classes"),
        ("p::before", "::before", "pseudo-classes"),
        ("a + b", "+", "siblings"),
        ("a ~ b", "~", "siblings"),
        ("a+b", "+", "siblings"),
        ("svg|a", "|", "namespaces"),
        ("&.a", "&", "nesting"),
        ("", "", "an element is missing"),
        ("a,", "a,", "an element is missing"),
        ("a > > b", "a > > b", "an element is missing"),
        ("> b", "> b", "an element is missing"),
        ("a{", "{", "unknown syntax"),
        ("1a", "1", "unknown syntax"),
        (".", ".", "a name must follow"),
        ("a.1", ".1", "a name must follow"),
        ("[a", "[a", "not an attribute selector"),
        ("[a!=b]", "[a!=b]", "not an attribute selector"),
        ("[a]b", "b", "unknown syntax"),
        ("a !", "!", "unknown syntax"),
    ],
)
def test_a_selector_that_a_stream_cannot_decide_is_refused(selector: str, part: str, reason: str) -> None:
    with pytest.raises(SelectorError, match=reason) as caught:
        parse_selector(selector)
    assert caught.value.part == part
    assert selector in str(caught.value)


@pytest.mark.parametrize(
    ("selector", "needles"),
    [
        ("div", {b"<div"}),
        ("div.Hero", {b"hero"}),
        ("#a, .bcd[efghi=x]", {b"a", b"efghi"}),
        ("[class^=x]", {b"class"}),
        ("main > p", {b"<p"}),
        ("*", None),
        ("p, *", None),
    ],
)
def test_needles_are_in_every_tag_that_matches(selector: str, needles: set[bytes] | None) -> None:
    assert parse_selector(selector).needles() == needles
