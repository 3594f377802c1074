"""robots.txt as RFC 9309 has it; the section stands beside each table."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.crawl.robots import MAX_ROBOTS, parse

AGENT = "datacue-proxy"


def allows(text, target, agent=AGENT):
    return parse(text.encode(), agent).allows(target.encode())


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow:", True),
        ("user-AGENT : *  # everybody\ndisallow:/ # all of it", False),
        ("\ufeffUser-agent: *\r\nDisallow: /\r\n", False),
        ("User-agent: DataCue-Proxy\nDisallow: /", False),
        ("User-agent: datacue-proxy/1.0\nDisallow: /", False),
        ("User-agent: datacue\nDisallow: /", True),
        ("User-agent: datacue-proxy-other\nDisallow: /", True),
        # A group of our own makes that of everybody nothing to us.
        ("User-agent: *\nDisallow: /\n\nUser-agent: datacue-proxy\nDisallow: /cart", True),
        ("User-agent: datacue-proxy\nDisallow:\n\nUser-agent: *\nDisallow: /", True),
        # Several groups that name us are one.
        ("User-agent: datacue-proxy\nAllow: /a\n\nUser-agent: datacue-proxy\nDisallow: /p", False),
        # Several agents share a group; other lines and empty ones don't end it.
        ("User-agent: other\n\nUser-agent: datacue-proxy\nSitemap: /s.xml\nDisallow: /", False),
        ("User-agent: other\nCrawl-delay: 5\nUser-agent: datacue-proxy\nDisallow: /", False),
        ("User-agent: other\nDisallow: /\nUser-agent: datacue-proxy\nAllow: /", True),
        ("Disallow: /", True),
        ("nonsense\n\0\nUser-agent: *\nDisallow: /", False),
    ],
)
def test_the_group_that_names_us_counts(text, allowed):
    """RFC 9309, 2.1 and 2.2.1."""
    assert allows(text, "/product/1") is allowed


@pytest.mark.parametrize(
    ("rules", "target", "allowed"),
    [
        ("Disallow: /p\nAllow: /product", "/product/1", True),
        ("Allow: /p\nDisallow: /product", "/product/1", False),
        ("Disallow: /product\nAllow: /product", "/product/1", True),
        (
            "Allow: /example/page/\nDisallow: /example/page/disallowed.gif",
            "/example/page/disallowed.gif",
            False,
        ),
        ("Disallow: /fish", "/Fish", True),
        ("Disallow: /fish/", "/fish", True),
        ("Disallow: /*.gif$", "/a/b.gif", False),
        ("Disallow: /*.gif$", "/a/b.gif?x", True),
        ("Disallow: /*.gif", "/a/b.gif?x", False),
        ("Disallow: /$", "/", False),
        ("Disallow: /$", "/a", True),
        ("Disallow: *", "/a", False),
        ("Disallow: /a*b*c$", "/aXbYc", False),
        ("Disallow: /ab*b$", "/ab", True),
        ("Disallow: /*?sort=", "/list?page=2&sort=price", True),
        ("Disallow: /*?*sort=", "/list?page=2&sort=price", False),
        ("Disallow: /", "/robots.txt", True),
    ],
)
def test_the_longest_rule_that_matches_decides_and_allow_wins_a_tie(rules, target, allowed):
    """RFC 9309, 2.2.2 and 2.2.3."""
    assert allows(f"User-agent: *\n{rules}", target) is allowed


@pytest.mark.parametrize(
    ("pattern", "target"),
    [
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz"),
        ("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https://foo.bar"),
        ("/foo/bar/\u30c4", "/foo/bar/%E3%83%84"),
        ("/foo/bar/%E3%83%84", "/foo/bar/\u30c4"),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz"),
        ("/foo/%2f", "/foo/%2F"),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html"),
        ("/path/foo-%24", "/path/foo-$"),
    ],
)
def test_equal_paths_match_however_they_are_spelled(pattern, target):
    """The tables of RFC 9309, 2.2.2 and 2.2.3."""
    assert not allows(f"User-agent: *\nDisallow: {pattern}$", target)


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("User-agent: *\nCrawl-delay: 10", 10.0),
        ("User-agent: *\nCrawl-delay: 0.5\nDisallow: /x", 0.5),
        ("User-agent: other\nCrawl-delay: 10", None),
        ("User-agent: *\nCrawl-delay: soon", None),
        ("User-agent: *\nCrawl-delay: inf", None),
        ("User-agent: *\nCrawl-delay: -1", None),
        ("User-agent: *\nCrawl-delay: 10\nUser-agent: datacue-proxy\nDisallow: /x", 10.0),
    ],
)
def test_the_delay_that_is_asked_of_us(text, delay):
    if "datacue-proxy" in text:
        assert parse(text.encode(), "other").delay == delay
    else:
        assert parse(text.encode(), AGENT).delay == delay


def test_what_is_beyond_the_limit_is_not_read():
    """RFC 9309, 2.5."""
    text = b"User-agent: *\n" + b"#" * MAX_ROBOTS + b"\nDisallow: /"
    assert parse(text, AGENT).allows(b"/a")


@settings(max_examples=200)
@given(st.text("ab*$/", max_size=12), st.text("ab/", max_size=12))
def test_wildcards_match_as_a_regular_expression_would(pattern, target):
    body, anchored = (pattern[:-1], True) if pattern.endswith("$") else (pattern, False)
    wanted = "".join(".*" if char == "*" else re.escape(char) for char in body) + (r"\Z" if anchored else "")
    matches = re.match(wanted, "/" + target) is not None
    assert allows(f"User-agent: *\nDisallow: {pattern}", "/" + target) is not (matches and pattern != "")


@settings(max_examples=100)
@given(st.binary(max_size=200), st.binary(max_size=50))
def test_no_file_and_no_path_is_too_odd(text, target):
    assert parse(b"User-agent: *\n" + text, AGENT).allows(target) in {True, False}
