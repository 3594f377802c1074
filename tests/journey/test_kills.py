"""kill -9 at any moment: whoever got a whole page has their event delivered (promise 1).

A load client notes each page of which the last byte came, a fake vendor notes each event; the
difference must be empty. The vendor is well, slow, failing or silent by turns.
"""

from __future__ import annotations

import asyncio
import collections
import random
import signal

import pytest
from harness.peers import page, product, reply
from harness.wire import Wire, request

RULE = 'deadline = 0.15\n[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n'
VISITORS = 6
MOODS = ((200, 0.0), (200, 0.4), (503, 0.0), (200, 0.05))
DRAIN_SECONDS = 90


async def shopper(address, name, acknowledged):
    """Asks for one page after the other on one connection, until the proxy is gone."""
    wire = await Wire.open(address)
    number = 0
    try:
        while True:
            product_id = f"{name}-{number}"
            await wire.send(request(f"/product/{product_id}"))
            got = await wire.reply()
            if not got.complete:
                return
            if got.status == 200:
                acknowledged.append(product_id)
            number += 1
    except (ConnectionError, asyncio.CancelledError):
        return
    finally:
        wire.writer.close()


async def kill_cycles(run_proxy, shop, vendor, cycles, seed):
    dice = random.Random(seed)
    vendor.recommendations = {"related_product_skus": [product(1)]}
    shop.answers["*"] = reply(page('<div data-dc-products="related"></div>'))
    acknowledged, state = [], None
    for cycle in range(cycles):
        vendor.status, vendor.delay = dice.choice(MOODS)
        environment = {"DATACUE_STATE_DIR": state} if state else {}
        proxy = await run_proxy(RULE, **environment)
        state = state or str(proxy.folder / "state")
        load = [
            asyncio.get_running_loop().create_task(shopper(proxy.address, f"{cycle}-{visitor}", acknowledged))
            for visitor in range(VISITORS)
        ]
        await asyncio.sleep(dice.uniform(0.05, 0.8))
        await proxy.stop(signal.SIGKILL)
        await asyncio.gather(*load)
    vendor.status, vendor.delay = 200, 0.0
    last = await run_proxy(RULE, DATACUE_STATE_DIR=state)
    async with asyncio.timeout(DRAIN_SECONDS):
        while missing := set(acknowledged) - taken(vendor):
            await asyncio.sleep(0.1)
    await last.stop()
    times = collections.Counter(event["event"]["product_id"] for event in vendor.taken)
    twice = sum(count - 1 for count in times.values())
    print(
        f"\n| kills | acknowledged | lost | sent twice |\n|---|---|---|---|\n| {cycles} | {len(acknowledged)} | {len(missing)} | {twice} |"
    )
    assert acknowledged
    # At most what was in flight when it was killed: one call a visitor, and the relay's.
    assert twice <= cycles * (VISITORS + 32)


def taken(vendor):
    """The products whose event the vendor has said yes to."""
    return {event["event"]["product_id"] for event in vendor.taken}


async def test_no_acknowledged_event_is_lost_over_a_few_kills(run_proxy, shop, vendor):
    await kill_cycles(run_proxy, shop, vendor, cycles=4, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_no_acknowledged_event_is_lost_over_two_hundred_kills(run_proxy, shop, vendor):
    await kill_cycles(run_proxy, shop, vendor, cycles=200, seed=2)
