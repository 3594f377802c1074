"""One browser and one of each shop for all tests here; every test is a visitor of its own."""

from __future__ import annotations

import os

import pytest
from harness import browser
from harness.docs import PATIENT, settings_for
from harness.process import Proxy


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
async def chromium():
    if browser.program() is None:
        reason = "there is no Chromium on this machine: install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    async with browser.chromium() as running:
        yield running


@pytest.fixture(scope="session")
async def demo(chromium, tmp_path_factory):
    """The address of ``datacue-proxy demo``."""
    async with browser.demo(tmp_path_factory.mktemp("demo")) as url:
        yield url


@pytest.fixture(scope="session")
async def oscar(chromium, oscar_shop, tmp_path_factory):
    """The address of the proxy in front of oscar, which knows some of its products already."""
    settings = settings_for("django-oscar")
    proxy = await Proxy(
        tmp_path_factory.mktemp("oscar"), settings, "--upstream", oscar_shop.url, environment=PATIENT
    ).start()
    async with browser.visitor(chromium, proxy.url) as early:
        for number in (2, 3, 4, 9, 24):
            await early.goto(f"/catalogue/product_{number}/")
    yield proxy.url
    await proxy.stop()


@pytest.fixture
def visit(chromium):
    """Opens a window: ``async with visit(url, width) as page``."""

    def open_window(url, width=1280):
        return browser.visitor(chromium, url, width)

    return open_window
