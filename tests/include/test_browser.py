"""The browser asks for fragments itself: htmx, iframe, and the picture that brings the cookie."""

from __future__ import annotations

import asyncio
import os
import re
from html import unescape

import pytest
from harness import browser
from harness.docs import example, examples
from harness.includes import anonymous_id, people
from harness.peers import page, reply
from harness.wire import ask


def addresses(section):
    """What the examples below a heading ask for."""
    markup = "".join(examples("include/browser.md", "html", section))
    return [unescape(found) for found in re.findall(r'hx-get="([^"]+)"', markup)]


def by_htmx(url, at="/sofa", **more):
    """How htmx 2 asks, from a page."""
    return {
        "hx_request": "true", "hx_current_url": f"{url}{at}", "referer": f"{url}{at}", "accept": "*/*",
        "sec_fetch_dest": "empty", "sec_fetch_mode": "cors", "sec_fetch_site": "same-origin", **more,
    }  # fmt: skip


@pytest.fixture
async def front(run_front):
    return await run_front(
        "nginx", '[[pages]]\npath = "/sofa"\nkind = "product"\nfields = { product_id = "p1" }\n'
    )


async def test_what_htmx_asks_for_is_the_visitors_and_one_page_view(front, vendor):
    cookie = (await ask(front.address, "/_datacue/visitor")).cookie()
    asks = by_htmx(front.server.url, host="{}:{}".format(*front.address), cookie=cookie)
    targets = addresses("## htmx")
    assert "product_id" not in targets[1], "which leaves the facts to the page's address"
    answers = await asyncio.gather(*(ask(front.address, target, **asks) for target in targets))
    assert [got.status for got in answers] == [200, 200]
    assert [people(got.body) for got in answers] == [{anonymous_id(cookie)}] * 2
    assert vendor.pageviews() == [(anonymous_id(cookie), "p1")]


async def test_htmx_leaves_an_element_alone_for_which_there_is_nothing(front, vendor):
    vendor.answers["*"] = reply(b"no", 500)
    cookie = (await ask(front.address, "/_datacue/visitor")).cookie()
    asks = by_htmx(front.server.url, host="{}:{}".format(*front.address), cookie=cookie)
    got = await ask(front.address, addresses("## htmx")[0], **asks)
    assert (got.status, got.body) == (204, b"")


@pytest.mark.browser
async def test_a_picture_of_no_content_brings_the_cookie_and_an_iframe_shows_the_list(
    run_front, shop, vendor
):
    if browser.program() is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no Chromium")
    front = await run_front("apache")
    picture = example("include.md", "html", "## First visits").strip()
    frame = example("include/browser.md", "html", "## iframe")
    shop.answers["/sofa"] = reply(page(f"<h1>Oak sofa</h1>{picture}{frame}"))
    shop.answers["*"] = reply(b'<svg xmlns="http://www.w3.org/2000/svg"/>', content_type="image/svg+xml")
    async with browser.chromium() as chromium, browser.visitor(chromium, front.server.url) as window:
        await window.goto("/sofa")
        await window.goto("/sofa")
        [cookie] = await window.context.cookies()
        await window.locator("iframe").scroll_into_view_if_needed()
        card = window.frame_locator("iframe").locator(".datacue-rec").first
        await card.wait_for()
        assert anonymous_id(f"datacue={cookie['value']}") in await card.inner_text()
        assert cookie["httpOnly"]
        assert window.complaints == []
