"""The page cache in the real process: a public page is asked for once, and is personal all the same."""

from __future__ import annotations

import asyncio
import gzip
import sys

import pytest
from harness.peers import page, product, reply
from harness.process import ROOT
from harness.wire import ask

SLOT = '<div data-dc-products="related"><p>the shop\'s own</p></div>'
SETTINGS = 'page_cache = 8\n[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n'
PUBLIC = "cache-control: public, max-age=600"


@pytest.fixture
def public(shop):
    shop.answers["/product/p1"] = reply(page(SLOT), 200, 'etag: "1"', PUBLIC)
    return shop


def shown(vendor, number):
    vendor.recommendations = {"related_product_skus": [product(number)]}


async def test_a_public_page_is_asked_for_once_and_personal_each_time(run_proxy, public, vendor):
    proxy = await run_proxy(SETTINGS)
    shown(vendor, 1)
    anna = await ask(proxy.address, "/product/p1")
    shown(vendor, 2)
    bert = await ask(proxy.address, "/product/p1")
    again = await ask(proxy.address, "/product/p1", cookie=anna.cookie())
    assert len(public.seen) == 1
    assert b"Product 1" in anna.body
    assert b"Product 2" in bert.body
    assert b"Product 1" not in bert.body
    assert b"Product 2" in again.body
    assert anna.cookie() != bert.cookie()
    ids = [event["user"]["anonymous_id"] for event in vendor.events]
    assert len(ids) == 3
    assert ids[0] == ids[2] != ids[1]
    for answer in (anna, bert, again):
        assert answer.all("cache-control") == ["private, no-store"]
        assert answer.get("etag") is None


async def test_a_page_that_ends_with_its_connection_may_have_been_cut_and_is_not_kept(run_proxy, shop):
    proxy = await run_proxy(SETTINGS)

    async def until_close(_seen, writer):
        writer.write(reply(page(SLOT), 200, PUBLIC, length=False))
        writer.close()

    shop.answers["/product/p1"] = until_close
    for _ in range(2):
        assert (await ask(proxy.address, "/product/p1")).body == page(SLOT)
    assert len(shop.seen) == 2


async def test_a_kept_page_begins_before_datacue_has_answered(run_proxy, public, vendor):
    proxy = await run_proxy("deadline = 10\n" + SETTINGS)
    shown(vendor, 1)
    await ask(proxy.address, "/product/p1")
    vendor.delay = 0.5
    got = await ask(proxy.address, "/product/p1")
    assert b"Product 1" in got.body
    assert got.last - got.first > 0.3
    assert got.arrivals[0][1].startswith(b"HTTP/1.1 200") or b"<title>" in got.arrivals[0][1]
    assert len(public.seen) == 1


async def test_a_kept_page_keeps_the_shops_own_when_datacue_is_late(run_proxy, public, vendor):
    proxy = await run_proxy("deadline = 0.1\n" + SETTINGS)
    await ask(proxy.address, "/product/p1")
    vendor.delay = 2
    got = await ask(proxy.address, "/product/p1")
    assert got.body == page(SLOT)
    assert len(public.seen) == 1


async def test_a_compressed_page_is_kept_and_personalized(run_proxy, public, vendor):
    coded = gzip.compress(page(SLOT))
    public.answers["/product/p1"] = reply(
        coded, 200, "content-encoding: gzip", "vary: accept-encoding", PUBLIC
    )
    proxy = await run_proxy(SETTINGS)
    shown(vendor, 1)
    for _ in range(2):
        got = await ask(proxy.address, "/product/p1", accept_encoding="gzip")
        assert b"Product 1" in gzip.decompress(got.body)
    assert len(public.seen) == 1
    assert len(vendor.events) == 2


async def test_who_asks_not_to_be_counted_gets_the_shops_page_from_what_is_kept(run_proxy, public, vendor):
    proxy = await run_proxy(SETTINGS)
    shown(vendor, 1)
    await ask(proxy.address, "/product/p1")
    got = await ask(proxy.address, "/product/p1", sec_gpc="1")
    assert got.body == page(SLOT)
    assert got.get("set-cookie") is None
    assert len(vendor.events) == 1


async def test_a_crowd_asks_once(run_proxy, public, vendor):
    shown(vendor, 1)
    proxy = await run_proxy(SETTINGS)
    crowd = await asyncio.gather(*[ask(proxy.address, "/product/p1") for _ in range(20)])
    assert all(b"Product 1" in got.body for got in crowd)
    assert len({got.cookie() for got in crowd}) == 20
    assert len(public.seen) == 1


async def test_nothing_is_kept_unless_the_operator_says_so(run_proxy, public, vendor):
    proxy = await run_proxy(SETTINGS.replace("page_cache = 8\n", ""))
    for _ in range(2):
        await ask(proxy.address, "/product/p1")
    assert len(public.seen) == 2


async def test_a_plugin_purges_with_a_request(run_proxy, public, vendor):
    proxy = await run_proxy(SETTINGS)
    await ask(proxy.address, "/product/p1")
    purged = await ask(proxy.address, "/product/p1", method="PURGE")
    assert (purged.status, purged.body) == (200, b"Purged.\n")
    await ask(proxy.address, "/product/p1")
    assert [seen.method for seen in public.seen] == ["GET", "GET"]


async def test_a_visitor_behind_a_trusted_edge_may_not_purge(run_proxy, public, vendor):
    """nginx and others pass on any method."""
    proxy = await run_proxy(SETTINGS)
    await ask(proxy.address, "/product/p1")
    await ask(proxy.address, "/product/p1", method="PURGE", x_forwarded_for="203.0.113.9")
    await ask(proxy.address, "/product/p1")
    assert [seen.method for seen in public.seen] == ["GET", "PURGE"]


async def test_a_form_that_changes_a_page_has_it_asked_for_anew(run_proxy, public, vendor):
    proxy = await run_proxy(SETTINGS)
    await ask(proxy.address, "/product/p1")
    await ask(proxy.address, "/product/p1", method="POST")
    await ask(proxy.address, "/product/p1")
    assert [seen.method for seen in public.seen] == ["GET", "POST", "GET"]


async def test_what_one_worker_sees_change_every_worker_asks_for_anew(run_proxy, public, vendor):
    proxy = await run_proxy("workers = 2\n" + SETTINGS)

    async def kept_by_both():
        while len(public.seen) < 2:
            await asyncio.gather(*[ask(proxy.address, "/product/p1") for _ in range(4)])

    async with asyncio.timeout(20):
        await kept_by_both()
        await ask(proxy.address, "/product/p1", method="POST")
        assert public.seen.pop().method == "POST"
        del public.seen[:]
        await kept_by_both()
    assert [seen.method for seen in public.seen] == ["GET", "GET"]


async def test_the_command_purges_every_worker(run_proxy, public, vendor):
    proxy = await run_proxy(SETTINGS)
    await ask(proxy.address, "/product/p1")
    said = await command(proxy, "purge", "/product/*")
    assert said == (0, "told: /product/*\n", "")
    async with asyncio.timeout(20):
        while len(public.seen) < 2:  # heard within a second
            await ask(proxy.address, "/product/p1")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "name a path, or --all for every page"),
        (["product"], 2, "product is no path: it begins with a slash"),
    ],
)
async def test_the_command_says_what_it_needs(run_proxy, public, arguments, code, says):
    proxy = await run_proxy(SETTINGS)
    found = await command(proxy, "purge", *arguments)
    assert found[0] == code
    assert says in found[2]


async def test_the_command_says_that_nothing_is_kept(run_proxy, public):
    proxy = await run_proxy()
    code, _, said = await command(proxy, "purge", "--all")
    assert code == 2
    assert "page_cache" in said


async def command(proxy, *arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "proxy", *arguments, cwd=proxy.folder, env={"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await process.communicate()
    return process.returncode, out.decode(), errors.decode()
