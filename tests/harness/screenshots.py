"""Makes the README's pictures anew: ``PYTHONPATH=tests python -m harness.screenshots docs/img``.

The demo as a visitor sees it after two products, in a browser that runs no scripts.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from harness import browser

WIDTH = 1160
"""Pixels: GitHub shows a README some 900 wide, and each picture stays below 250 KB."""
MARGIN = 20
"""Pixels below the last thing that is shown."""
SEEN = ["/product/sofa-4", "/product/sofa-2"]
PICTURES = {
    "home": ("/", ".datacue-banners"),
    "product": ("/product/sofa-1", ".datacue-related .datacue-rec >> nth=0"),
}
"""Name: the page, and what it is shown down to."""


async def main(folder):
    with tempfile.TemporaryDirectory() as state:
        async with (
            browser.demo(Path(state)) as url,
            browser.chromium() as chromium,
            browser.visitor(chromium, url, WIDTH) as page,
        ):
            for target in SEEN:
                await page.goto(target)
            for name, (target, last) in PICTURES.items():
                await page.goto(target)
                box = await page.locator(last).last.bounding_box()
                whole = {"x": 0, "y": 0, "width": WIDTH, "height": int(box["y"] + box["height"]) + MARGIN}
                shot = await page.screenshot(full_page=True, clip=whole)
                with Image.open(io.BytesIO(shot)) as image:
                    image.convert("RGB").save(folder / f"{name}.png", optimize=True)


asyncio.run(main(Path(sys.argv[1])))
