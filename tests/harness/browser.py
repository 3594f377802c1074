"""A real browser that runs no scripts, and the demo for it to look at."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import sys
from contextlib import asynccontextmanager

from playwright.async_api import async_playwright

from harness.process import START_SECONDS, environment
from harness.wire import BROWSER

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
ABANDONED = "net::ERR_ABORTED"
"""How Chromium calls what a page still wanted when its visitor went on to the next one."""
STOP_SECONDS = 40
ATTEMPTS = 30
"""Page views until one of them was personalized."""


def program():
    """Where Chromium is, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@asynccontextmanager
async def chromium():
    """Headless Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program(), args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def visitor(browser, base_url, width=1280, height=900):
    """A visitor's window: no scripts, no cookies yet, and a browser's name, since headless ones are robots.

    ``complaints`` of the page object holds whatever went wrong: console messages, failed and refused requests.
    """
    context = await browser.new_context(
        base_url=base_url,
        java_script_enabled=False,
        user_agent=BROWSER,
        viewport={"width": width, "height": height},
    )
    page = await context.new_page()
    page.complaints = []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("requestfailed", lambda request: _note(page, request.failure != ABANDONED, request))
    page.on("response", lambda response: _note(page, response.status >= 400, response))
    yield page
    await context.close()


async def look(page, target):
    """Opens a page that has widgets.

    Again, where its recommendations were late: a busy machine's may be, and then the shop's own page stands.
    """
    for _ in range(ATTEMPTS):
        await page.goto(target)
        if await page.locator(".datacue-rec-section").count():
            return
    raise AssertionError(f"{target} never had a widget")


def _note(page, wrong, what):
    if wrong:
        page.complaints.append(str(what))


@asynccontextmanager
async def demo(folder):
    """``datacue-proxy demo`` as a process; gives its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "proxy", "demo", "--listen", "127.0.0.1:0", "--state-dir", str(folder),
        cwd=folder, env=environment(), stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said = b""
    try:
        async with asyncio.timeout(START_SECONDS):
            while b"Ctrl-C ends it" not in said:
                line = await process.stderr.readline()
                assert line, f"the demo did not start:\n{said.decode()}"
                said += line
        draining = asyncio.get_running_loop().create_task(process.stderr.read())
        yield re.search(rb"http://[\d.:]+", said)[0].decode()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    await draining
