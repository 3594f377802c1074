"""A page leaves no cycle behind: the collector's runs stop the loop, for tens of milliseconds in a full process."""

from __future__ import annotations

import asyncio
import gc
import socket

import pytest
from harness.peers import page, product, reply
from harness.wire import ask

from proxy import logs
from proxy.metrics import Metrics
from proxy.server import create_app, public_server
from proxy.settings import load

SLOT = '<div data-dc-products="related">own</div>'


@pytest.fixture
async def address(shop, vendor, tmp_path, monkeypatch):
    """The reverse proxy in the test's own process, whose collector can be asked."""
    monkeypatch.chdir(tmp_path)
    vendor.recommendations = {"related_product_skus": [product(1)]}
    shop.answers |= {"/product/p1": reply(page(SLOT)), "/style.css": reply(b"p {}", content_type="text/css")}
    settings = load(
        upstream=shop.url, api_key="test-key", events_url=f"{vendor.url}/", state_dir=str(tmp_path / "state"),
        secret_keys=["k" * 32], pages=[{"path": "/product/{product_id}", "kind": "product"}], deadline=10,
        view_window=0,  # page views that are kept for their fragments aren't garbage yet
    )  # fmt: skip
    metrics = Metrics()
    server = public_server(create_app(settings, metrics, logs.configure("error", "json")), settings, metrics)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        await asyncio.wait_for(server.serving.wait(), 10)
        yield listener.getsockname()
        server.should_exit = True
        await serving


@pytest.mark.parametrize(
    ("target", "changes"),
    [("/product/p1", False), ("/product/p1", True), ("/style.css", False)],
    ids=["a page that came before", "a page never seen", "what passes by"],
)
async def test_nothing_of_ours_is_left_to_the_collector(address, shop, target, changes):
    async def look(number):
        if changes:
            shop.answers[target] = reply(page(SLOT, f"<p>{number}</p>"))
        assert (await ask(address, target)).status == 200

    for number in range(4):
        await look(number)
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for number in range(4, 12):
            await look(number)
        await asyncio.sleep(0.05)
        gc.collect()
        left = [type(one).__qualname__ for one in gc.garbage if type(one).__module__.startswith("proxy.")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert left == []
