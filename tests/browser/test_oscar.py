"""django-oscar, personalized, in a browser that runs no scripts."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.browser

BROKEN = "[...document.images].filter(image => !image.naturalWidth).map(image => image.src)"


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize(
    "target", ["/catalogue/", "/catalogue/rosemary_11/", "/catalogue/category/plants_1/", "/search/?q=seeds"]
)
async def test_a_page_shows_its_widgets_whole(oscar, visit, target, width):
    async with visit(oscar, width) as page:
        await page.goto("/catalogue/rubber-fig_2/")
        await page.goto(target)
        await expect(page.locator(".datacue-recent bdi")).to_have_text(["Rubber fig"])
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        assert await page.evaluate(BROKEN) == []
        assert page.complaints == []


async def test_a_product_goes_from_a_card_into_the_basket(oscar, visit):
    async with visit(oscar) as page:
        await page.goto("/catalogue/rubber-fig_2/")
        card = page.locator(".datacue-similar .datacue-rec-product-title a").first
        name = await card.inner_text()
        await card.click()
        await expect(page.locator("h1").first).to_have_text(name)
        await page.locator("#add_to_basket_form button").click()
        await expect(page.locator("#messages")).to_contain_text(f"{name} has been added to your basket")
        await page.goto("/basket/")
        await expect(page.locator(".basket-items")).to_contain_text(name)
        await expect(page.locator(".datacue-recent bdi").first).to_have_text(name)
        assert page.complaints == []
