"""A slow, dead or mad vendor: the first byte never waits, the last one by the deadline at most (promise 19)."""

from __future__ import annotations

import asyncio
import time

import pytest
from harness.peers import page, product, reply
from harness.wire import Wire, ask, request

SLOT = '<div data-dc-products="related"><p>the shop\'s own</p></div>'
RULE = '[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n'
DEADLINE = 0.4
SLACK = 0.25
"""Seconds that a busy machine may add to what is measured."""


@pytest.fixture
def shown(vendor, shop):
    vendor.recommendations = {"related_product_skus": [product(1)]}
    shop.answers["*"] = reply(page("<h1>first</h1>" + "<p>text</p>" * 500, SLOT, "<footer>last</footer>"))


async def timed(proxy, target):
    """The reply, and the seconds until its first and its last byte."""
    wire = await Wire.open(proxy.address)
    began = time.perf_counter()
    await wire.send(request(target))
    got = await wire.reply()
    await wire.close()
    return got, time.perf_counter() - began


@pytest.mark.parametrize("delay", [0.0, 0.2, 2.0])
async def test_the_first_byte_does_not_wait(run_proxy, shop, vendor, shown, delay):
    proxy = await run_proxy(f"deadline = {DEADLINE}\n" + RULE)
    await ask(proxy.address, "/product/warm")
    vendor.delay = delay
    got, total = await timed(proxy, "/product/p1")
    assert got.arrivals[0][1].startswith(b"<!doctype html>")
    assert b"<h1>first</h1>" in got.arrivals[0][1]
    assert got.arrivals[0][0] < 0.15
    assert total < min(delay, DEADLINE) + SLACK
    assert (b"Product 1" in got.body) == (delay < DEADLINE)
    assert (b"the shop's own" in got.body) == (delay > DEADLINE)
    assert got.body.endswith(b"<footer>last</footer></body></html>")
    assert got.complete


async def test_a_vendor_slower_than_its_answer_costs_the_deadline_until_the_breaker_opens(
    run_proxy, shop, vendor, shown
):
    proxy = await run_proxy(f"deadline = {DEADLINE}\n" + RULE)
    await ask(proxy.address, "/product/warm")
    vendor.delay = 30
    waits = []
    for number in range(12):
        got, total = await timed(proxy, f"/product/{number}")
        assert b"the shop's own" in got.body
        waits.append(total)
    assert sum(wait > DEADLINE * 0.9 for wait in waits) <= 20
    assert max(waits) < DEADLINE + SLACK
    assert max(waits[-4:]) < DEADLINE / 2


async def test_a_dead_vendor_costs_nothing(run_proxy, shop, vendor, shown):
    await vendor.stop()
    proxy = await run_proxy(f"deadline = {DEADLINE}\n" + RULE)
    for number in range(4):
        got, total = await timed(proxy, f"/product/{number}")
        assert b"the shop's own" in got.body
        assert total < DEADLINE


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nno json{{",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull",
        b"HTTP/1.1 200 OK\r\ncontent-length: 35\r\n\r\n" + b'{"related_product_skus":[{"a": 1}]}',
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 401 Who\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        b"garbage\r\n\r\n",
        b"",
    ],
)
async def test_whatever_the_vendor_says_the_page_stands(run_proxy, shop, vendor, shown, answer):
    async def say(seen, writer):
        writer.write(answer)
        writer.close()

    vendor.answers["*"] = say
    proxy = await run_proxy(f"deadline = {DEADLINE}\n" + RULE)
    got, total = await timed(proxy, "/product/p1")
    assert b"the shop's own" in got.body
    assert got.complete
    assert total < DEADLINE + SLACK


async def test_the_event_leaves_together_with_the_request_to_the_shop(run_proxy, shop, vendor, shown):
    async def slow(seen, writer):
        await asyncio.sleep(0.25)
        writer.write(reply(page(SLOT)))

    shop.answers["*"] = slow
    vendor.delay = 0.25
    proxy = await run_proxy(f"deadline = {DEADLINE}\n" + RULE)
    got, total = await timed(proxy, "/product/p1")
    assert b"Product 1" in got.body
    assert total < 0.45


async def test_a_page_streams_as_the_shop_writes_it(run_proxy, shop, vendor, shown):
    written = asyncio.Event()

    async def drip(seen, writer):
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        writer.write(b"6\r\n<html>\r\n")
        await writer.drain()
        await written.wait()
        rest = f"<body>{SLOT}</body></html>".encode()
        writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(rest), rest))

    shop.answers["*"] = drip
    proxy = await run_proxy(RULE)
    wire = await Wire.open(proxy.address)
    await wire.send(request("/product/p1"))
    head = await wire.reader.readuntil(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert await asyncio.wait_for(wire.reader.readexactly(9), 5) == b"6\r\n<html>"
    written.set()
    rest = await wire.reader.readuntil(b"0\r\n\r\n")
    assert b"Product 1" in rest
    await wire.close()


async def test_a_page_that_breaks_off_is_never_ended_cleanly(run_proxy, shop, vendor, shown):
    async def half(seen, writer):
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1000\r\n\r\n<html><body>half"
        )
        await writer.drain()
        writer.close()

    shop.answers["*"] = half
    proxy = await run_proxy(RULE)
    got = await ask(proxy.address, "/product/p1")
    assert got.status == 200
    assert not got.complete
