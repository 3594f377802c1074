"""A whole visit in Chromium without JavaScript, and what DataCue got of it: complete, and in order."""

from __future__ import annotations

import asyncio
import socket

import pytest
import uvicorn
from harness import browser
from harness.docs import PATIENT
from harness.peers import Vendor, product
from harness.process import Proxy

from proxy.demo.shop import create_shop

pytestmark = pytest.mark.browser

ADA = {
    "Full name": "Ada Lovelace",
    "E-mail": "ada@example.com",
    "Street and number": "12 St James's Square",
    "Postcode": "SW1Y 4JH",
    "City": "London",
}


@pytest.fixture
async def vendor():
    peer = await Vendor().start()
    peer.recommendations = {
        "main_banners": [
            {
                "banner_id": "b1",
                "link": "/category/bathroom",
                "photo_url": "/banners/bathroom.svg",
                "name": "",
            }
        ],
        "related_product_skus": [product(7)],
    }
    yield peer
    await peer.stop()


@pytest.fixture
async def shop_url():
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_shop(), access_log=False, log_config=None, ws="none"))
    task = asyncio.get_running_loop().create_task(server._serve([listener]))
    yield "http://{}:{}".format(*listener.getsockname())
    server.should_exit = True
    await task


@pytest.fixture
async def proxy(vendor, shop_url, tmp_path):
    toml = f'preset = "demo"\napi_key = "k"\napi_secret = "s"\nevents_url = "{vendor.url}/"\napi_url = "{vendor.url}/v1"\n'
    proxy = await Proxy(tmp_path, toml, "--upstream", shop_url, environment=PATIENT).start()
    yield proxy
    if proxy.process.returncode is None:
        await proxy.stop()


async def test_every_step_of_a_visit_is_told_once_and_in_order(chromium, vendor, proxy):
    async with browser.visitor(chromium, proxy.url) as page:
        await browser.look(page, "/")
        await page.locator(".datacue-banners a[href*='/click/']").first.click()
        await page.goto("/search?q=sofa")
        await page.goto("/product/towel-1")
        await page.get_by_role("button", name="Save").click()
        await page.goto("/product/towel-1")
        await page.get_by_role("button", name="Add to cart").click()
        await page.goto("/register")
        await page.get_by_label("Name").fill("Ada Lovelace")
        await page.get_by_label("E-mail").fill("ada@example.com")
        await page.get_by_label("Password").fill("difference engine")
        await page.locator("form[action='/register'] button").click()
        await page.goto("/checkout")
        for label, value in ADA.items():
            await page.get_by_label(label).fill(value)
        await page.get_by_label("On delivery").check()
        await page.get_by_role("button", name="Place the order").click()
        assert await page.get_by_role("heading", level=1).inner_text() == "Thank you, Ada"
    await proxy.stop()  # what it still had to tell is told
    told = [event["event"] for event in vendor.events if "event" in event]
    names = [f"{event['type']}/{event.get('subtype', '')}" for event in told]
    expected = [
        "pageview/home",
        "click/banner",
        "pageview/category",
        "search/",
        "pageview/product",
        "wishlist/add",
        "cart/update",
        "checkout/started",
    ]
    remaining = iter(names)
    assert all(name in remaining for name in expected), names
    for once in ("click/banner", "search/", "wishlist/add", "checkout/started"):
        assert names.count(once) == 1, names
    assert len({event["user"]["anonymous_id"] for event in vendor.events if "event" in event}) == 1
    paths = [seen.target for seen in vendor.seen if seen.target.startswith("/v1")]
    assert "/v1/orders" in paths
    assert "/v1/users" in paths
