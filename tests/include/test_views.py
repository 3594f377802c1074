"""A page of five fragments is one page view, whichever workers they come to."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from harness.includes import WIDGETS, anonymous_id, people, shell, tag
from harness.wire import ask

VISITORS = 20
AT_ONCE = 8
"""Pages in flight."""


@pytest.mark.parametrize(
    ("name", "workers", "pages"),
    [
        ("nginx", 2, 60),
        ("varnish", 2, 60),
        pytest.param("nginx", 4, 1000, marks=pytest.mark.slow),
        pytest.param("varnish", 4, 1000, marks=pytest.mark.slow),
    ],
)
async def test_each_page_view_is_told_once(run_front, shop, vendor, name, workers, pages):
    products = [f"p{number}" for number in range(pages // VISITORS)]
    for product_id in products:
        shop.answers[f"/{product_id}"] = shell(*(tag(name, widget, product_id) for widget in WIDGETS))
    front = await run_front(name, f"workers = {workers}\n")
    cookies = [(await ask(front.proxy.address, "/_datacue/visitor")).cookie() for _ in range(VISITORS)]
    turns = asyncio.Semaphore(AT_ONCE)

    async def look(cookie, product_id):
        async with turns:
            got = await ask(front.address, f"/{product_id}", cookie=cookie)
        return people(got.body) == {anonymous_id(cookie)}

    looks = [(cookie, product_id) for product_id in products for cookie in cookies]
    filled = await asyncio.gather(*(look(*each) for each in looks))
    told = Counter(vendor.pageviews())
    assert told == Counter((anonymous_id(cookie), product_id) for cookie, product_id in looks)
    assert all(filled)
