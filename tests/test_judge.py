"""What may be a page view, and what may be rewritten."""

from __future__ import annotations

import pytest

from proxy.judge import asking, judge

HTML = (b"content-type", b"text/html; charset=utf-8")
DOCUMENT = (b"accept", b"text/html,application/xhtml+xml,*/*;q=0.8")


@pytest.mark.parametrize(
    ("method", "fields", "page"),
    [
        ("GET", [DOCUMENT], True),
        ("HEAD", [DOCUMENT], True),
        ("GET", [], True),
        ("GET", [(b"accept", b"*/*")], True),
        ("POST", [DOCUMENT], False),
        ("GET", [(b"accept", b"image/avif,image/webp")], False),
        ("GET", [(b"accept", b"image/avif,*/*;q=0.8"), (b"sec-fetch-dest", b"image")], False),
        ("GET", [DOCUMENT, (b"sec-fetch-dest", b"document")], True),
        ("GET", [DOCUMENT, (b"sec-fetch-dest", b"iframe")], True),
        ("GET", [(b"accept", b"*/*"), (b"sec-fetch-dest", b"empty")], False),
        ("GET", [DOCUMENT, (b"sec-fetch-dest", b"empty")], True),
        ("GET", [(b"accept", b"*/*"), (b"x-requested-with", b"XMLHttpRequest")], False),
        ("GET", [DOCUMENT, (b"upgrade", b"websocket")], False),
    ],
)
def test_a_page_view_is_told_from_everything_else(method, fields, page):
    assert asking(method, fields).page is page


@pytest.mark.parametrize("name", [b"if-none-match", b"if-modified-since", b"range", b"if-range"])
def test_a_conditional_request_may_turn_out_to_be_no_page_view(name):
    assert asking("GET", [DOCUMENT, (name, b"x")]).conditional
    assert not asking("GET", [DOCUMENT]).conditional


@pytest.mark.parametrize(
    ("status", "fields", "bypass"),
    [
        (200, [HTML], ""),
        (404, [HTML], ""),
        (200, [(b"content-type", b"TEXT/HTML")], ""),
        (200, [HTML, (b"content-encoding", b"GZIP")], ""),
        (200, [HTML, (b"content-encoding", b"identity")], ""),
        (302, [HTML], "status:3xx"),
        (206, [HTML], "status:2xx"),
        (500, [HTML], "status:5xx"),
        (200, [], "type"),
        (200, [(b"content-type", b"text/html-sandboxed")], "type"),
        (200, [(b"content-type", b"application/xhtml+xml")], "type"),
        (200, [HTML, (b"cache-control", b"public, no-transform")], "no-transform"),
        (200, [HTML, (b"content-range", b"bytes 0-1/2")], "range"),
        (200, [HTML, (b"content-encoding", b"compress")], "coding"),
        (200, [HTML, (b"content-encoding", b"gzip, br")], "coding"),
        (200, [HTML, (b"x-datacue-off", b"1")], "off"),
        (200, [(b"content-type", b"text/html; charset=utf-16le")], "charset"),
        (200, [(b"content-type", b"text/html; charset=iso-2022-jp")], "charset"),
    ],
)
def test_only_what_can_be_spliced_is_rewritten(status, fields, bypass):
    assert judge(status, fields).bypass == bypass


def test_the_verdict_carries_what_rewriting_needs():
    assert judge(200, [HTML, (b"content-encoding", b"br")]) == ("", b"br", b"text/html; charset=utf-8")
    assert judge(200, [HTML]).coding == b"identity"
