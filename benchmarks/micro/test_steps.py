"""What each step of a page costs by itself: ``make bench-micro``.

Microseconds, on the 25 KB page and the 2.6 KB answer of the contests. Where a step remembers, both are
measured: what comes again, and what is seen for the first time.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.answers import SAME
from benchmarks.contestants import BROWSER
from benchmarks.page import PAGE, PATH
from proxy.classify import Classifier, not_counted
from proxy.edge.head import parse_head as parse_request
from proxy.edge.limits import EdgeLimits
from proxy.headers import Client, for_shop, from_shop
from proxy.http1.head import parse_head as parse_response
from proxy.identity import VisitorCookie
from proxy.locate import Plan, Splicer
from proxy.models import Page, Slot
from proxy.render import Renderer
from proxy.widgets import decode_recommendations

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

REQUEST = b"GET /product/1 HTTP/1.1\r\nhost: shop.example\r\n" + b"".join(
    f"{name}: {value}\r\n".encode() for name, value in BROWSER.items()
)
FIELDS = [(b"host", b"shop.example")] + [
    (name.lower().encode(), value.encode()) for name, value in BROWSER.items()
]
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
    b"Content-Type: text/html; charset=utf-8\r\nContent-Length: 25000\r\n"
    b'Last-Modified: Mon, 23 Nov 2026 11:00:00 GMT\r\nConnection: keep-alive\r\nETag: "6740-61a8"\r\n\r\n'
)
PRODUCT = Page("product", product_id="1")
RELATED = Slot("related")
ANSWER = SAME.encode()


NOW = 1_800_000_000.0


def spliced(plan: Plan) -> int:
    splicer = Splicer(plan)
    return len(splicer.feed(PAGE)) + len(splicer.close())


def test_locate_a_page_that_came_before(benchmark: BenchmarkFixture) -> None:
    plan = Plan()
    spliced(plan)
    assert benchmark(spliced, plan) > 3


def test_locate_a_page_never_seen(benchmark: BenchmarkFixture) -> None:
    assert benchmark(spliced, Plan(memory=0)) > 3


def test_decode_an_answer(benchmark: BenchmarkFixture) -> None:
    assert benchmark(decode_recommendations, ANSWER)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


def test_render_a_list_that_came_before(benchmark: BenchmarkFixture, renderer: Renderer) -> None:
    answer = decode_recommendations(ANSWER)
    assert benchmark(renderer.slot, RELATED, PRODUCT, answer, utf8=True, first=False)


def test_render_a_list_of_products_never_seen(benchmark: BenchmarkFixture, renderer: Renderer) -> None:
    numbers = count()

    def fresh() -> tuple[tuple[Any, ...], dict[str, Any]]:
        # ids of their own, so that no card of it is known
        unseen = SAME.replace('"product_id":"10', f'"product_id":"{next(numbers)}-')
        return (RELATED, PRODUCT, decode_recommendations(unseen.encode())), {"utf8": True, "first": False}

    assert benchmark.pedantic(renderer.slot, setup=fresh, rounds=500)


def test_classify_a_request(benchmark: BenchmarkFixture) -> None:
    classifier = Classifier()
    page = benchmark(classifier.from_request, PATH.encode(), b"")
    assert page is None or page.kind == "product"


def test_is_a_visitor_counted(benchmark: BenchmarkFixture) -> None:
    assert benchmark(not_counted, "GET", FIELDS, None, True) is None


def test_identity_of_a_visitor_seen_before(benchmark: BenchmarkFixture) -> None:
    cookie = VisitorCookie(["a secret of the benchmark"], clock=lambda: NOW)
    cookies = [(b"cookie", _cookie_of(cookie))]
    assert not benchmark(cookie.recognize, cookies, secure=False).renew


def _cookie_of(cookie: VisitorCookie) -> bytes:
    visitor = cookie.recognize([], secure=False).visitor
    _, value = cookie.set_cookie(visitor, secure=False)
    return value.partition(b";")[0]


def test_headers_of_a_request_for_the_shop(benchmark: BenchmarkFixture) -> None:
    client = Client("203.0.113.9", "http", b"shop.example", trusted=False)
    assert benchmark(
        for_shop, FIELDS, peer="203.0.113.9", client=client, trusted=False, host=b"127.0.0.1:8080"
    )


def test_headers_of_a_response_from_the_shop(benchmark: BenchmarkFixture) -> None:
    head = parse_response(RESPONSE, 100)
    assert benchmark(from_shop, head.headers)


def test_http1_parse_a_request(benchmark: BenchmarkFixture) -> None:
    assert benchmark(parse_request, REQUEST + b"\r\n", EdgeLimits()).method == "GET"


def test_http1_parse_a_response(benchmark: BenchmarkFixture) -> None:
    assert benchmark(parse_response, RESPONSE, 100).status == 200
