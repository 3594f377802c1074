"""The demo shop with includes in its pages, behind nginx and Varnish."""

from __future__ import annotations

import pytest
from harness.apps import serving
from harness.demo import Including
from harness.includes import anonymous_id, documented, people
from harness.wire import ask

SETTINGS = """deadline = 10

[[pages]]
path = "/product/{product_id}"
kind = "product"

[[pages]]
path = "/category/{category_name*}"
kind = "category"
"""


@pytest.fixture(params=["nginx", "varnish"])
async def front(request, run_proxy, tmp_path):
    proxy = await run_proxy(SETTINGS)
    async with serving(Including(request.param)) as shop:
        server = documented(request.param, tmp_path / request.param, shop, proxy.address, patient=True)
        try:
            yield (await server.start()).address
        finally:
            await server.stop()


async def test_two_visitors_walk_through_the_demo_and_see_their_own_lists_alone(front, vendor):
    visitors = {}
    for who in "ab":
        visitors[who] = (await ask(front, "/")).cookie()
    walk = ["/product/sofa-1", "/category/living-room/sofas", "/product/sofa-2", "/"] * 3
    for target in walk:
        for cookie in visitors.values():
            got = await ask(front, target, cookie=cookie)
            assert got.status == 200
            assert people(got.body) == {anonymous_id(cookie)}, target
            assert b"_datacue/fragments" not in got.body
    first, second = (
        [
            document["event"].get("product_id")
            for document in vendor.events
            if document["user"]["anonymous_id"] == anonymous_id(cookie)
        ]
        for cookie in visitors.values()
    )
    assert first == second
    assert first.count("sofa-1") == 3
    assert len(first) == 1 + len(walk), "one page, one page view"
