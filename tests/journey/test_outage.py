"""Events survive the vendor's outages and our own end (promises 1, 3, 7 as a visitor and a vendor see them)."""

from __future__ import annotations

import asyncio
import signal

import pytest
from harness.peers import page, product, reply
from harness.wire import ask

SLOT = '<div data-dc-products="related"><p>the shop\'s own</p></div>'
RULE = '[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n'


@pytest.fixture
def shown(vendor, shop):
    vendor.recommendations = {"related_product_skus": [product(1)]}
    shop.answers["*"] = reply(page(SLOT))


async def arrived(vendor, count, seconds=60):
    async with asyncio.timeout(seconds):
        while len(vendor.events) < count:
            await asyncio.sleep(0.02)
    return vendor.events


async def test_what_an_outage_held_back_is_sent_when_it_is_over(run_proxy, shop, vendor, shown):
    vendor.status = 503
    proxy = await run_proxy(RULE)
    first = await ask(proxy.address, "/product/0")
    assert b"the shop's own" in first.body
    for number in range(1, 4):
        await ask(proxy.address, f"/product/{number}", cookie=first.cookie())
    refused = len(vendor.seen)
    vendor.status = 200
    events = (await arrived(vendor, refused + 4))[refused:]
    assert [event["event"]["product_id"] for event in events[:4]] == ["0", "1", "2", "3"]
    assert all("timestamp" in event for event in events[:4])
    assert len({event["user"]["anonymous_id"] for event in events[:4]}) == 1


async def test_a_late_answer_is_an_answer_and_nothing_is_sent_twice(run_proxy, shop, vendor, shown):
    vendor.delay = 0.6
    proxy = await run_proxy("deadline = 0.1\n" + RULE)
    await ask(proxy.address, "/product/1")
    await arrived(vendor, 1)
    vendor.delay = 0
    await asyncio.sleep(1.0)
    figures = (await ask(proxy.admin, "/metrics")).body.decode()
    assert len(vendor.events) == 1
    assert 'datacue_outbox_total{event="committed",priority="view"} 1.0' in figures
    assert 'datacue_outbox_total{event="withdrawn",priority=""} 1.0' in figures


async def test_what_was_answered_survives_kill_9(run_proxy, shop, vendor, shown):
    vendor.status = 503
    first = await run_proxy(RULE)
    for number in range(5):
        await ask(first.address, f"/product/{number}")
    await first.stop(signal.SIGKILL)
    vendor.status, vendor.seen[:] = 200, []
    state = first.folder / "state"
    second = await run_proxy(RULE, DATACUE_STATE_DIR=str(state))
    events = await arrived(vendor, 5)
    assert {event["event"]["product_id"] for event in events} >= {str(number) for number in range(5)}
    assert second.process.returncode is None


async def test_an_event_that_the_vendor_refuses_is_not_sent_for_ever(run_proxy, shop, vendor, shown):
    vendor.status = 400
    proxy = await run_proxy(RULE)
    await ask(proxy.address, "/product/1")
    await ask(proxy.address, "/product/2")
    figures = (await ask(proxy.admin, "/metrics")).body.decode()
    assert 'datacue_events_total{outcome="refused",type="pageview"} 2.0' in figures
    assert len(vendor.seen) == 2
