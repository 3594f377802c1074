"""What makes the page cache forget: changes, purges, and what other workers were told."""

from __future__ import annotations

import asyncio

import pytest

from proxy.cache import Purges
from proxy.cache.purges import MAX_FILE


async def test_what_changes_something_changes_its_page(world):
    world.shop.says("/")
    world.shop.says("/other")
    world.shop.says("/kept")
    for path in ("/", "/other", "/kept"):
        await world.ask(path)
    world.shop.answers["/"] = (
        303,
        [(b"location", b"http://shop.example/other#x"), (b"content-location", b"//evil.example/")],
        b"",
    )
    await world.ask(method="POST")
    world.shop.says("/")
    del world.shop.asked[:]
    for path in ("/", "/other", "/kept"):
        await world.ask(path)
    assert [path for _, path, _ in world.shop.asked] == ["/", "/other"]


async def test_what_fails_to_change_something_changes_nothing(world):
    world.shop.says("/")
    await world.ask()
    kept = world.shop.answers["/"]
    world.shop.says("/", b"no", b"", status=403)
    await world.ask(method="POST")
    world.shop.answers["/"] = kept
    await world.ask()
    assert [method for method, _, _ in world.shop.asked] == ["GET", "POST"]


async def test_what_one_worker_sees_change_all_workers_ask_for_anew(new_world, tmp_path):
    one, two = new_world(tmp_path, shared=True), new_world(tmp_path, shared=True)
    for world in (one, two):
        world.shop.says("/")
        world.shop.says("/kept")
        await world.ask()
        await world.ask("/kept")
        world.clock.at += 2
    one.shop.answers["/"] = 303, [(b"location", b"/")], b""
    await one.ask(method="POST")
    one.shop.says("/")
    for world in (one, two):
        for _ in range(2):
            await world.ask()
            await world.ask("/kept")
            world.clock.at += 2
    assert [path for method, path, _ in one.shop.asked if method == "GET"] == ["/", "/kept", "/"]
    assert [path for _, path, _ in two.shop.asked] == ["/", "/kept", "/"]


async def test_a_strangers_star_forgets_one_address(new_world, tmp_path):
    one, two = new_world(tmp_path, shared=True), new_world(tmp_path, shared=True)
    one.shop.says("/*")
    two.shop.says("/kept")
    await two.ask("/kept")
    await one.ask("/*", method="POST")
    two.clock.at += 2
    await two.ask("/kept")
    assert len(two.shop.asked) == 1


async def test_one_worker_alone_writes_nothing_down(world):
    world.shop.says("/")
    await world.ask(method="POST")
    assert list(world.folder.iterdir()) == []


async def test_a_change_that_cannot_be_told_is_counted(new_world, tmp_path):
    world = new_world(tmp_path, shared=True)
    (tmp_path / "purges").mkdir()
    world.shop.says("/")
    assert (await world.ask(method="POST")).status == 200
    assert world.counted("failed") == 1


async def test_purge_comes_from_trusted_addresses_alone(world):
    world.shop.says("/")
    await world.ask()
    stranger = await world.ask(method="PURGE")
    assert world.shop.asked[-1][0] == "PURGE"
    assert stranger.status == 200  # the shop's own answer
    del world.shop.asked[:]
    assert (await world.ask(method="PURGE", peer="127.0.0.1")).body == b"Purged.\n"
    await world.ask()
    assert [method for method, _, _ in world.shop.asked] == ["GET"]


@pytest.mark.parametrize(
    ("host", "path", "left"),
    [
        ("*", "/a/1", {"/a/2", "/b"}),
        ("*", "/a/*", {"/b"}),
        ("*", "*", set()),
        ("shop.example", "/b", {"/a/1", "/a/2"}),
        ("other.example", "*", {"/a/1", "/a/2", "/b"}),
    ],
)
async def test_another_workers_purge_is_heard_within_a_second(world, host, path, left):
    for kept in ("/a/1", "/a/2", "/b"):
        world.shop.says(kept)
        await world.ask(kept)
    Purges(world.folder / "purges", lambda: 0.0).tell(host, path)
    world.clock.at += 1
    del world.shop.asked[:]
    for kept in ("/a/1", "/a/2", "/b"):
        await world.ask(kept)
    assert {path for _, path, _ in world.shop.asked} == {"/a/1", "/a/2", "/b"} - left


async def test_a_line_that_nobody_can_read_forgets_everything(world):
    world.shop.says("/")
    await world.ask()
    (world.folder / "purges").write_bytes(b"rubbish\n")
    world.clock.at += 1
    await world.ask()
    assert len(world.shop.asked) == 2


async def test_a_purge_file_that_began_anew_forgets_everything_once(world):
    world.shop.says("/")
    file = world.folder / "purges"
    file.write_bytes(b'["*","/x"]\n' * (MAX_FILE // 10))
    world.clock.at += 1
    await world.ask()
    Purges(file, lambda: 0.0).tell("*", "/other")
    assert file.stat().st_size < 100
    world.clock.at += 1
    await world.ask()
    await world.ask()
    assert len(world.shop.asked) == 2


async def test_half_a_line_waits_for_its_other_half(world):
    world.shop.says("/")
    await world.ask()
    with (world.folder / "purges").open("ab") as file:
        file.write(b'["*",')
        file.flush()
        world.clock.at += 1
        await world.ask()
        file.write(b'"/"]\n')
    world.clock.at += 1
    await world.ask()
    assert len(world.shop.asked) == 2


async def test_purges_that_cannot_be_read_have_all_forgotten_and_stop_no_page(world):
    world.shop.says("/")
    await world.ask()
    (world.folder / "purges").mkdir()
    (world.folder / "purges" / "something").touch()
    world.clock.at += 2
    assert (await world.ask()).body == b"<p>page</p>"
    assert len(world.shop.asked) == 2
    purge = await world.ask(method="PURGE", peer="127.0.0.1")
    assert purge.status == 500
    await world.ask()
    assert len(world.shop.asked) == 3


@pytest.mark.parametrize("etag", [None, b'"1"'])
async def test_what_was_asked_for_before_a_change_is_not_kept_after_it(world, etag):
    if etag is None:
        world.shop.says("/", b"<p>old</p>")
    else:
        world.shop.validates("/", b"<p>old</p>", etag)
        await world.ask()
        world.clock.at += 90
    world.shop.gate = asyncio.Event()
    before = len(world.shop.asked)
    late = asyncio.ensure_future(world.ask())
    await world.until(lambda: len(world.shop.asked) > before)
    gate, world.shop.gate = world.shop.gate, None
    await world.ask(method="PURGE", peer="127.0.0.1")
    gate.set()
    assert (await late).body == b"<p>old</p>"
    world.shop.says("/", b"<p>new</p>")
    assert (await world.ask()).body == b"<p>new</p>"
    assert (await world.ask()).body == b"<p>new</p>"
    assert len(world.shop.asked) == before + 2
