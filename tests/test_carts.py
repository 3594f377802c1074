"""The file of carts: shared, bounded, and no harm when it is lost."""

from __future__ import annotations

import asyncio

import apsw
import msgspec
import pytest

from proxy import carts as module
from proxy.capture import Deed, tell
from proxy.carts import MAX_AGE, Carts


def adds(product):
    return lambda memory: tell(
        memory, [Deed("cart.add", {"product_id": product})], currency="EUR", named=False
    )


def held(told):
    return [line.product_id for line in told.memory.lines]


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def carts(tmp_path, clock):
    carts = Carts(tmp_path / "carts.sqlite3", clock=clock)
    yield carts
    await carts.aclose()


async def test_visitors_have_carts_of_their_own(carts):
    await carts.update("a", adds("p1"))
    await carts.update("b", adds("p2"))
    assert held(await carts.update("a", adds("p3"))) == ["p1", "p3"]


async def test_what_was_kept_is_there_after_a_restart(tmp_path, clock):
    for product in ("p1", "p2"):
        carts = Carts(tmp_path / "carts.sqlite3", clock=clock)
        told = await carts.update("a", adds(product))
        await carts.aclose()
    assert held(told) == ["p1", "p2"]


async def test_two_workers_lose_no_update(tmp_path, clock):
    both = [Carts(tmp_path / "carts.sqlite3", clock=clock) for _ in range(2)]
    await asyncio.gather(*(both[n % 2].update("a", adds(f"p{n}")) for n in range(60)))
    told = await both[0].update("a", adds("last"))
    assert sorted(held(told)) == sorted([*(f"p{n}" for n in range(60)), "last"])
    for carts in both:
        await carts.aclose()


async def test_a_visitor_is_forgotten_without_a_trace(carts, tmp_path):
    await carts.update("somebody-special", adds("p1"))
    assert await carts.forget("somebody-special")
    assert not await carts.forget("somebody-special")
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"somebody-special" not in left


async def test_where_nothing_was_kept_nothing_is_made(carts, tmp_path):
    assert not await carts.forget("a")
    await carts.update("a", lambda memory: tell(memory, [], currency="EUR", named=False))
    assert not await carts.forget("a")


async def test_what_is_old_or_too_much_is_forgotten(carts, clock, monkeypatch):
    monkeypatch.setattr(module, "SWEEP", 2)
    monkeypatch.setattr(module, "MAX_VISITORS", 3)
    await carts.update("old", adds("p1"))
    clock.now += MAX_AGE + 1
    for number in range(6):
        await carts.update(f"v{number}", adds("p1"))
        clock.now += 1
    assert not await carts.forget("old")
    assert not await carts.forget("v0")
    assert await carts.forget("v5")


async def test_a_file_that_fails_says_so_and_works_again_when_it_is_mended(carts, tmp_path):
    path = tmp_path / "carts.sqlite3"
    path.write_bytes(b"this is no database at all, " * 100)
    with pytest.raises(OSError, match=r"carts\.sqlite3 can't be used"):
        await carts.update("a", adds("p1"))
    path.unlink()
    assert held(await carts.update("a", adds("p1"))) == ["p1"]


async def test_a_story_that_fails_changes_nothing(carts):
    await carts.update("a", adds("p1"))

    def fails(memory):
        raise RuntimeError(memory)

    with pytest.raises(RuntimeError):
        await carts.update("a", fails)
    assert held(await carts.update("a", adds("p2"))) == ["p1", "p2"]


async def test_what_another_version_wrote_is_no_cart(carts, tmp_path):
    await carts.update("a", adds("p1"))
    connection = apsw.Connection(str(tmp_path / "carts.sqlite3"))
    connection.execute("UPDATE visitors SET memory = ?", (msgspec.msgpack.encode({"lines": 7}),))
    connection.close()
    assert held(await carts.update("a", adds("p2"))) == ["p2"]
