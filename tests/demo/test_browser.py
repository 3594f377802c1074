"""What only a browser can tell: that nothing is cut off, and that the policy lets everything through."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import async_playwright

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser

pytestmark = pytest.mark.browser

PAGES = ["/", "/category/bathroom", "/product/sofa-4", "/search?q=sofa", "/login", "/cart"]


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("path", PAGES)
async def test_pages_fit_the_window_and_the_policy(
    shop: Any, chromium: Browser, path: str, width: int
) -> None:
    page = await chromium.new_page(viewport={"width": width, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(shop.url + path)
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert await page.evaluate("[...document.images].every(img => img.loading == 'lazy' || img.naturalWidth)")
    assert complaints == []
    await page.close()


async def test_everything_is_bought_without_a_line_of_javascript(shop: Any, chromium: Browser) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(shop.url + "/product/sofa-4")
    await page.get_by_role("link", name="Terracotta").click()
    await page.get_by_role("button", name="Add to cart").click()
    await page.get_by_role("link", name="Check out").click()
    for label, value in (
        ("Full name", "Ada Lovelace"),
        ("E-mail", "ada@example.com"),
        ("Street and number", "12 St James's Square"),
        ("Postcode", "SW1Y 4JH"),
        ("City", "London"),
    ):
        await page.get_by_label(label).fill(value)
    await page.get_by_label("On delivery").check()
    await page.get_by_role("button", name="Place the order").click()
    assert await page.get_by_role("heading", level=1).inner_text() == "Thank you, Ada"
    await context.close()
