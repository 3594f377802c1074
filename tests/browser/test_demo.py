"""The demo in a browser that runs no scripts: what a visitor sees."""

from __future__ import annotations

import pytest
from harness.browser import look
from playwright.async_api import expect

pytestmark = pytest.mark.browser

BROKEN = "[...document.images].filter(image => !image.naturalWidth).map(image => image.src)"
WIDGETS = {
    "/": {"Recommended for you"},
    "/product/sofa-1": {"Recommended for you", "Similar products"},
    "/category/bathroom": {"Top products"},
    "/search?q=sofa": set(),
}


async def titles(page):
    return set(await page.locator(".datacue-rec-title").all_inner_texts())


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("target", WIDGETS)
async def test_a_page_shows_its_widgets_whole(demo, visit, target, width):
    async with visit(demo, width) as page:
        await look(page, "/product/sofa-4")
        await look(page, target)
        assert await titles(page) >= WIDGETS[target] | {"Recently viewed"}
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        assert await page.evaluate(BROKEN) == []
        assert page.complaints == []


async def test_banners_stand_on_the_home_page_and_lead_into_the_shop(demo, visit):
    async with visit(demo) as page:
        await look(page, "/")
        banner = page.locator("a.datacue-banner").first
        await expect(banner).to_be_visible()
        async with page.expect_navigation() as arrived:
            await banner.click()
        response = await arrived.value
        assert response.status == 200
        assert page.url.startswith(f"{demo}/")
        assert "/_datacue/" not in page.url
        assert page.complaints == []


async def test_the_product_seen_before_is_on_the_next_page(demo, visit):
    async with visit(demo) as page:
        await look(page, "/product/sofa-4")
        assert "Recently viewed" not in await titles(page)
        name = await page.locator("h1").inner_text()
        await look(page, "/product/sofa-1")
        assert await page.locator(".datacue-recent .datacue-rec-product-title").all_inner_texts() == [name]


async def test_a_card_leads_to_its_product(demo, visit):
    async with visit(demo) as page:
        await look(page, "/product/sofa-4")
        first = page.locator(".datacue-similar .datacue-rec-product-title a").first
        name = await first.inner_text()
        await first.click()
        await expect(page.locator("h1")).to_have_text(name)
        assert "/product/" in page.url
        assert page.complaints == []


async def test_cards_can_be_reached_and_followed_by_keyboard(demo, visit):
    async with visit(demo) as page:
        await look(page, "/product/sofa-4")
        link = page.locator(".datacue-rec-product-title a").first
        name = await link.inner_text()
        await link.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text(name)


async def test_two_visitors_see_what_is_theirs(demo, visit):
    async with visit(demo) as one, visit(demo) as other:
        await look(one, "/product/sofa-4")
        await look(other, "/product/sofa-2")
        await look(one, "/")
        await look(other, "/")
        seen = [await page.locator(".datacue-recent bdi").all_inner_texts() for page in (one, other)]
    assert len(seen[0]) == len(seen[1]) == 1
    assert seen[0] != seen[1]
