"""``datacue-proxy forget``: afterwards nobody knows the visitor (promise 25)."""

from __future__ import annotations

import asyncio
import json

import pytest
from harness import commands
from harness.peers import page, reply
from harness.process import Proxy
from harness.wire import ask

SLOT = '<div data-dc-products="recent"></div>'
RULES = """
[[pages]]
path = "/product/{product_id}"
kind = "product"

[[capture]]
event = "cart.add"
path = "/cart/add"
form = { product_id = "id" }

[[capture]]
event = "login"
path = "/login"
form = { user_id = "email" }
"""
FORM = {"method": "POST", "content_type": "application/x-www-form-urlencoded"}


def shown(number):
    said = {
        "@type": "Product",
        "sku": f"p{number}",
        "name": f"Chair {number}",
        "image": "/c.jpg",
        "offers": {"price": 5},
    }
    return reply(page(f'<script type="application/ld+json">{json.dumps(said)}</script>', SLOT))


@pytest.fixture
def shop_of_two(shop):
    shop.answers |= {"/product/p1": shown(1), "/product/p2": shown(2)}
    for path in ("/cart/add", "/login"):
        shop.answers[path] = reply(b"", 303, "location: /")
    return shop


async def forget(folder, visitor, **environment):
    arguments = ("forget", visitor, "--json", "--config", folder / "datacue.toml")
    code, out, err = await commands.run(*arguments, folder=folder, **environment)
    return code, json.loads(out or "{}"), err


def bytes_of(folder):
    """Everything on the disk, but for the log and the settings."""
    return b"".join(path.read_bytes() for path in (folder / "state").rglob("*") if path.is_file())


@pytest.mark.parametrize("running", [True, False], ids=["beside the proxy", "without it"])
async def test_the_engine_and_the_remembered_cart_forget(tmp_path, shop_of_two, running):
    proxy = await Proxy(tmp_path, f'upstream = "{shop_of_two.url}"\n{RULES}').start()
    try:
        first = await ask(proxy.address, "/product/p1")
        cookie = first.cookie()
        visitor = cookie.partition("=")[2].partition(".")[0]
        async with asyncio.timeout(20):  # until the engine has learned the product
            while b"Chair 1" not in (await ask(proxy.address, "/product/p2", cookie=cookie)).body:
                await asyncio.sleep(0.05)
        await ask(proxy.address, "/cart/add", cookie=cookie, body=b"id=p1", **FORM)
        if not running:
            await proxy.stop()
        code, erased, _ = await forget(tmp_path, visitor)
        assert code == 0
        assert (erased["carts"], erased["asked"], erased["problems"]) == (1, "The engine", [])
        if running:
            assert b"Chair 1" not in (await ask(proxy.address, "/product/p2", cookie=cookie)).body
    finally:
        await proxy.stop()
    if not running:
        assert visitor.encode() not in bytes_of(tmp_path)


async def test_the_outbox_and_its_dead_letters_forget(run_proxy, shop_of_two, vendor):
    vendor.status = 503
    proxy = await run_proxy(RULES)
    cookie = (await ask(proxy.address, "/product/p1")).cookie()
    other = (await ask(proxy.address, "/product/p1")).cookie()
    known = await ask(proxy.address, "/login", cookie=cookie, body=b"email=ada%40example.com", **FORM)
    await ask(proxy.address, "/cart/add", cookie=known.cookie(), body=b"id=p1", **FORM)
    code, erased, _ = await forget(proxy.folder, "ada@example.com")
    assert code == 1  # without a secret nobody can tell DataCue
    assert erased["events"] == 3
    assert "api_secret" in erased["problems"][0]
    await proxy.stop()
    left = bytes_of(proxy.folder)
    visitor, stranger = (text.partition("=")[2].partition(".")[0] for text in (cookie, other))
    assert visitor.encode() not in left
    assert b"ada@example.com" not in left
    assert stranger.encode() in left


async def test_datacue_is_told_with_a_signed_call(run_proxy, shop_of_two, vendor):
    vendor.answers["/v1/users/ada%40example.com"] = reply(b"")
    proxy = await run_proxy(f'api_secret = "s"\napi_url = "{vendor.url}/v1"\n' + RULES)
    await proxy.stop()
    code, erased, _ = await forget(proxy.folder, "ada@example.com")
    assert (code, erased["asked"]) == (0, "DataCue")
    [call] = vendor.seen
    assert (call.method, call.target, call.body) == ("DELETE", "/v1/users/ada%40example.com", b"")


async def test_a_datacue_that_does_not_answer_is_one_line_and_exit_code_1(run_proxy, shop_of_two, vendor):
    proxy = await run_proxy('api_secret = "s"\napi_url = "http://127.0.0.1:9/v1"\n' + RULES)
    await proxy.stop()
    code, erased, _ = await forget(proxy.folder, "somebody")
    assert code == 1
    assert erased["problems"][0].startswith("not erased at DataCue: ")
