"""A click's way through the real process: from the card to the vendor and to the product, and no further."""

from __future__ import annotations

import asyncio
import json
import re
import time

import pytest
from harness.peers import page, product, reply
from harness.wire import Wire, ask, request

PRODUCT_RULE = '[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n'
HOME_RULE = '[[pages]]\npath = "/"\nkind = "home"\n'
LISTS = "".join(f'<div data-dc-products="{name}"></div>' for name in ("related", "similar", "recent"))
BANNER = {"banner_id": "b1", "link": "/category/bath", "photo_url": "/b.jpg", "name": ""}
AGENT = "Mozilla/5.0 test"


@pytest.fixture
def shown(shop, vendor):
    vendor.recommendations = {
        "related_product_skus": [product(1)],
        "similar_product_skus": [product(2)],
        "recent_product_skus": [product(3)],
        "main_banners": [BANNER],
    }
    shop.answers["/product/p1"] = reply(page(LISTS))
    shop.answers["/"] = reply(page('<div data-dc-banners data-dc-static-img="/s.jpg" data-dc-static-link="/sale">'))


def links(reply):
    """The counted links of a page, by the section they stand in."""
    found = {}
    for section in reply.body.decode().split("<section")[1:]:
        name = re.search(r"datacue-(related|similar|recent)", section)
        found[name[1] if name else ""] = re.search(r'href="(/_datacue/click/[^"]+)"', section)[1]
    return found


def banner(reply):
    return re.search(r'href="(/_datacue/click/[^"]+)"', reply.body.decode())[1]


@pytest.fixture
async def visit(run_proxy, vendor, shown):
    """A proxy, a product page as a visitor got it, and the visitor's cookie."""
    proxy = await run_proxy(PRODUCT_RULE + HOME_RULE)
    got = await ask(proxy.address, "/product/p1", user_agent=AGENT)
    [viewed] = vendor.events
    vendor.seen.clear()
    return proxy, links(got), got.cookie(), viewed["user"]["anonymous_id"]


@pytest.mark.parametrize(("name", "number"), [("related", "1"), ("similar", "2"), ("recent", "3")])
async def test_a_product_click_is_counted_with_its_list_and_leads_to_the_product(visit, vendor, name, number):
    proxy, hrefs, cookie, visitor = visit
    got = await ask(proxy.address, hrefs[name], cookie=cookie, user_agent=AGENT)
    assert got.status == 302
    assert got.complete
    assert got.all("location") == [f"/product/{number}"]
    assert got.all("cache-control") == ["private, no-store"]
    assert got.get("x-robots-tag") == "noindex, nofollow"
    assert got.get("set-cookie") is None
    assert vendor.events == [
        {
            "user": {"anonymous_id": visitor},
            "event": {"type": "click", "subtype": name, "product_id": number},
            "context": {"ip": "127.0.0.1", "user_agent": AGENT},
        }
    ]
