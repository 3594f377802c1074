"""Several workers: one socket, one engine, added-up figures; replaced when they die and at SIGHUP (promise 17)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from pathlib import Path

import pytest
from harness.peers import page, product, reply
from harness.wire import Wire, ask, request

SLOT = '<div data-dc-products="related"></div>'
RULE = '[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n'


@pytest.fixture
async def proxy(run_proxy, shop, vendor):
    vendor.recommendations = {"related_product_skus": [product(1)]}
    shop.answers["*"] = reply(page(SLOT))
    proxy = await run_proxy("workers = 2\n" + RULE)
    await until_ready(proxy)
    return proxy


async def until_ready(proxy):
    async with asyncio.timeout(60):
        while (await ask(proxy.admin, "/readyz")).status != 200:
            await asyncio.sleep(0.05)


def workers(proxy):
    """The processes that serve: children of the parent whose command line is ours."""
    children = Path(f"/proc/{proxy.process.pid}/task/{proxy.process.pid}/children").read_text().split()
    return {int(pid) for pid in children if b"run" in Path(f"/proc/{pid}/cmdline").read_bytes()}


async def test_the_workers_figures_are_added_up(proxy):
    for number in range(40):
        assert b"Product 1" in (await ask(proxy.address, f"/product/{number}")).body
    async with asyncio.timeout(10):  # the workers tell theirs once a second
        while not re.search(
            r'datacue_pages_total\{outcome="rewritten",page="product"\} 40\.0',
            figures := (await ask(proxy.admin, "/metrics")).body.decode(),
        ):
            await asyncio.sleep(0.1)
    assert "datacue_upstream_connections_idle" in figures


def held(pid, port):
    """How many visitors' connections a process holds."""
    inodes = set()
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = row.split()
        if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == "01":  # established
            inodes.add(f"socket:[{fields[9]}]")
    found = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # it was closed meanwhile
            found += str(descriptor.readlink()) in inodes
    return found


async def test_visitors_who_come_together_are_shared_among_the_workers(proxy, shop):
    async with asyncio.timeout(60):
        shares = [0, 40]
        while shares[0] < 8:  # the product is ready when one of them serves
            wires = [await Wire.open(proxy.address) for _ in range(40)]
            for wire in wires:
                await wire.send(request("/product/1"))
                assert (await wire.reply()).status == 200
            shares = sorted(held(pid, proxy.address[1]) for pid in workers(proxy))
            for wire in wires:
                await wire.close()
    assert sum(shares) == 40
    assert {value for seen in shop.seen for name, value in seen.headers if name == "x-forwarded-for"} == {
        "127.0.0.1"
    }


async def test_a_worker_that_dies_is_replaced(proxy):
    before = workers(proxy)
    assert len(before) == 2
    os.kill(min(before), signal.SIGKILL)
    async with asyncio.timeout(30):
        while len(workers(proxy)) < 2 or workers(proxy) == before:
            await asyncio.sleep(0.05)
    await until_ready(proxy)
    for number in range(10):
        assert (await ask(proxy.address, f"/product/{number}")).status == 200


async def test_a_reload_under_load_fails_no_request(proxy):
    before = workers(proxy)
    failed, served, stop = [], 0, False

    async def load():
        nonlocal served
        while not stop:
            got = await ask(proxy.address, "/product/1")
            if got.status == 200 and got.complete:
                served += 1
            else:
                failed.append(got)

    running = [asyncio.get_running_loop().create_task(load()) for _ in range(4)]
    proxy.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(60):
        while workers(proxy) & before:
            await asyncio.sleep(0.05)
    stop = True
    await asyncio.gather(*running)
    assert failed == []
    assert served > 10
    assert b"Traceback" not in proxy.log, proxy.log.decode()
    assert len(workers(proxy)) == 2


async def until(condition, seconds=30):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


async def reloaded(proxy):
    """SIGHUP, until it is over; the workers of then."""
    before = proxy.log.count(b'"reloaded"')
    proxy.process.send_signal(signal.SIGHUP)
    await until(lambda: proxy.log.count(b'"reloaded"') > before, 60)
    return workers(proxy)


async def test_workers_are_kept_after_a_reload_as_before(proxy):
    after = await reloaded(proxy)
    os.kill(min(after), signal.SIGKILL)
    await until(lambda: len(workers(proxy)) == 2 and workers(proxy) != after)
    assert max(after) in workers(proxy)
    assert b"a worker died and is started again" in proxy.log


async def test_a_reload_that_fails_changes_nothing_and_the_next_one_works(proxy):
    before = workers(proxy)
    config = proxy.folder / "datacue.toml"
    good = config.read_text()
    config.write_text(good + "\nnonsense = 3\n")
    for times in (1, 2, 3):  # more often than there are places to spare
        proxy.process.send_signal(signal.SIGHUP)
        await until(lambda times=times: proxy.log.count(b"the new worker did not start") == times)
        await until(lambda: workers(proxy) == before)
    config.write_text(good)
    assert not await reloaded(proxy) & before
    assert len(workers(proxy)) == 2


async def test_workers_that_die_while_they_are_replaced_are_replaced_once(proxy):
    await until(lambda: len(workers(proxy)) == 2)
    before = workers(proxy)
    proxy.process.send_signal(signal.SIGHUP)
    await until(lambda: b"reloading the workers" in proxy.log)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    await until(lambda: b'"reloaded"' in proxy.log, 60)
    await until(lambda: len(workers(proxy)) == 2 and not workers(proxy) & before)
    await asyncio.sleep(1.5)  # longer than a keeper waits before it starts another
    assert len(workers(proxy)) == 2
    assert b"Traceback" not in proxy.log, proxy.log.decode()


async def test_what_is_in_flight_is_finished_after_a_reload_too(proxy, shop):
    await reloaded(proxy)
    asked, go = asyncio.Event(), asyncio.Event()

    async def slow(_seen, writer):
        asked.set()
        await go.wait()
        writer.write(reply(page(SLOT)))

    shop.answers["/slow"] = slow
    wire = await Wire.open(proxy.address)
    await wire.send(request("/slow"))
    await asked.wait()
    proxy.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.5)
    assert proxy.process.returncode is None
    go.set()
    got = await wire.reply()
    await wire.close()
    assert (got.status, got.complete) == (200, True)
    assert await proxy.process.wait() == 0


@pytest.mark.slow
async def test_a_worker_that_hangs_is_killed_by_a_reload(proxy):
    before = workers(proxy)
    os.kill(min(before), signal.SIGSTOP)
    proxy.process.send_signal(signal.SIGHUP)
    await until(lambda: b'"reloaded"' in proxy.log, 90)
    assert not workers(proxy) & before


async def test_all_of_it_ends_at_sigterm(proxy):
    assert (await ask(proxy.address, "/product/1")).status == 200
    assert await proxy.stop() == 0
    assert b"Traceback" not in proxy.log, proxy.log.decode()
