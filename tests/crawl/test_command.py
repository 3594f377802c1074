"""``datacue-proxy crawl`` as its user runs it: a process, its exit code, and the engine that it leaves."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import asynccontextmanager

import pytest
from harness import commands
from harness.apps import serving
from harness.engine import engine
from harness.peers import reply

from proxy.demo.catalogue import PRODUCTS
from proxy.demo.shop import create_shop

SECONDS = 90


@pytest.fixture
def start(tmp_path):
    """Starts the command in a folder of its own, where its settings and its state stay."""

    async def run(*arguments, toml="", sitemap=None):
        (tmp_path / "datacue.toml").write_text(toml)
        given = ["--sitemap", sitemap, *arguments] if sitemap else arguments
        return await commands.start("crawl", *given, folder=tmp_path)

    return run


@pytest.fixture
def command(start):
    """Runs it to its end: (exit code, standard output, standard error)."""

    async def run(*arguments, **more):
        return await commands.ended(await start(*arguments, **more))

    return run


async def until(reached, process):
    """Waits for an event, or for the end of the process that should have brought it."""
    loop = asyncio.get_running_loop()
    waits = [loop.create_task(reached.wait()), loop.create_task(process.wait())]
    await asyncio.wait(waits, timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
    for task in waits:
        task.cancel()
    if not reached.is_set():
        process.kill()
        raise AssertionError((await process.communicate())[1].decode())


@asynccontextmanager
async def demo_shop(paths):
    """The demo shop with a sitemap, which it has none of."""
    shop = create_shop()

    async def app(scope, receive, send):
        if scope["path"] != "/sitemap.xml":
            await shop(scope, receive, send)
            return
        home = f"http://{dict(scope['headers'])[b'host'].decode()}"
        entries = "".join(f"<url><loc>{home}{path}</loc></url>" for path in paths)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": f"<urlset>{entries}</urlset>".encode()})

    async with serving(app, lifespan="off") as (host, port):
        yield f"http://{host}:{port}"


async def test_a_shop_that_was_crawled_is_recommended_from_at_once(command, tmp_path):
    products = [product for product in PRODUCTS if product.variants[0].available][:6]
    async with demo_shop([product.link for product in products]) as url:
        code, out, err = await command("--rate", "100", "--json", sitemap=f"{url}/sitemap.xml")
    assert code == 0, err
    outcome = json.loads(out)
    assert (outcome["pages"], outcome["errors"], outcome["finished"]) == (6, 0, True)
    async with engine(tmp_path / ".datacue") as view:
        answer = await view(subtype="home")
    shown = {item["product_id"] for found in answer.values() for item in found or ()}
    assert shown
    assert shown <= {product.product_id for product in products}


async def test_a_crawl_that_was_killed_goes_on_where_it_ended(start, command, lamps, tmp_path):
    reached = asyncio.Event()

    async def hang(_seen, _writer):
        reached.set()
        await asyncio.Event().wait()

    for number in range(4):
        lamps.product(number)
    answer = lamps.peer.answers["/product/2"]
    lamps.peer.answers["/product/2"] = hang
    arguments = ("--rate", "100", "--concurrency", "1")
    process = await start(*arguments, sitemap=lamps.sitemap)
    await until(reached, process)
    process.kill()
    await process.communicate()

    lamps.peer.answers["/product/2"] = answer
    lamps.peer.seen.clear()
    code, _, err = await command(*arguments, sitemap=lamps.sitemap)
    assert code == 0, err
    assert "going on with it" in err
    assert "2 of 2 pages, 2 products" in err
    assert lamps.asked == ["/product/2", "/product/3"]
    async with engine(tmp_path / ".datacue") as view:
        answer = await view(subtype="home")
    assert {item["product_id"] for item in answer["related_product_skus"]} == {"0", "1", "2", "3"}


async def test_ctrl_c_ends_with_a_summary_and_its_exit_code(start, lamps):
    reached = asyncio.Event()

    async def hang(_seen, _writer):
        reached.set()
        await asyncio.Event().wait()

    lamps.product(1)
    lamps.product(2)
    lamps.peer.answers["/product/2"] = hang
    process = await start("--rate", "100", "--concurrency", "1", "--json", sitemap=lamps.sitemap)
    await until(reached, process)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 130
    assert (json.loads(out)["pages"], json.loads(out)["finished"]) == (1, False)
    assert b"Traceback" not in err


async def test_a_dry_run_says_what_it_reads_and_leaves_nothing(command, lamps, tmp_path):
    lamps.product(1)
    code, out, _ = await command("--rate", "100", "--dry-run", sitemap=lamps.sitemap)
    assert (code, out) == (0, f"{lamps.url('/product/1')}\t1\tno-variants\t10.0\tLamp 1\n")
    assert not (tmp_path / ".datacue").exists()


async def test_pages_that_fail_are_named_and_tell_in_the_exit_code(command, lamps):
    lamps.product(1)
    lamps.peer.answers["/product/1"] = reply(b"", 403)
    code, _, err = await command("--rate", "100", "--dry-run", sitemap=lamps.sitemap)
    assert code == 1
    assert f"{lamps.url('/product/1')}: answers 403" in err


async def test_a_shop_that_can_not_be_crawled_tells_in_the_exit_code(command, lamps):
    lamps.robots("User-agent: datacue-proxy", "Disallow: /")
    code, _, err = await command("--dry-run", sitemap=lamps.sitemap)
    assert code == 3
    assert "Stopped: " in err
    assert "disallowed by robots.txt" in err


@pytest.mark.parametrize(
    ("arguments", "toml", "line"),
    [
        (("--sitemap", "shop.example"), "", "--sitemap: 'shop.example' is no http:// or https:// address"),
        (("--sitemap", "http://127.0.0.1:1/", "--rate", "fast"), "", "--rate: 'fast' is no rate"),
        (("--sitemap", "http://127.0.0.1:1/", "--rate", "0"), "", "--rate: '0' is no rate"),
        (("--sitemap", "http://127.0.0.1:1/"), 'api_key = "key"', "api_key: is set"),
        (("--sitemap", "http://127.0.0.1:1/", "--state", "datacue.toml"), "listen = ':1'", "--state: "),
    ],
)
async def test_what_is_written_wrong_ends_in_one_line(command, arguments, toml, line):
    code, out, err = await command(*arguments, toml=toml)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {line}")
    assert err.count("\n") == 1
