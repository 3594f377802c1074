"""Workers of one machine: who is there, who is responsible, and what becomes of a question."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from proxy.errors import ConnectFailed, ConnectionLost, PeerError, SettingsError
from proxy.neighbours import MAX_MESSAGE, Neighbours

PID = os.getpid()


@pytest.fixture
async def start(tmp_path):
    async with AsyncExitStack() as stack:

        async def start(name, serve=None):
            async def echo(message):
                return name.encode() + b":" + message

            worker = Neighbours(tmp_path / "live", serve or echo, f"{PID}-{name}")
            stack.push_async_callback(worker.aclose)
            await worker.open()
            return worker

        yield start


async def test_a_question_is_answered(start):
    one, two = await start("1"), await start("2")
    assert await one.ask(two.name, b"?" * 1000, 10) == b"2:" + b"?" * 1000
    answers = await asyncio.gather(*[two.ask(one.name, b"%d" % number, 10) for number in range(100)])
    assert answers == [b"1:%d" % number for number in range(100)]


async def test_all_see_who_comes_and_who_goes(start):
    one = await start("1")
    assert one.all() == [one.name]
    two = await start("2")
    assert one.all() == two.all() == [one.name, two.name]
    await two.aclose()
    assert one.all() == [one.name]
    with pytest.raises(PeerError):
        await one.ask(two.name, b"?", 10)


async def test_when_one_goes_only_its_keys_move(start):
    workers = [await start(str(number)) for number in range(4)]
    keys = [b"%d" % number for number in range(400)]
    before = {key: workers[0].responsible(key) for key in keys}
    shares = {worker.name: [order[0] for order in before.values()].count(worker.name) for worker in workers}
    assert min(shares.values()) > 50
    await workers[3].aclose()
    for key in keys:
        left = [name for name in before[key] if name != workers[3].name]
        assert workers[0].responsible(key) == workers[1].responsible(key) == left


async def test_who_was_killed_is_found_out_and_taken_away(start, tmp_path):
    one = await start("1")
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "live" / "4194999-x"))  # above any process's number
    dead.close()
    assert len(one.all()) == 2
    with pytest.raises(ConnectFailed):
        await one.ask("4194999-x", b"?", 10)
    assert one.all() == [one.name]


async def test_who_lives_but_refuses_stays(start, tmp_path):
    one = await start("1")
    busy = socket.socket(socket.AF_UNIX)
    busy.bind(str(tmp_path / "live" / f"{PID}-busy"))
    busy.close()
    with pytest.raises(ConnectFailed):
        await one.ask(f"{PID}-busy", b"?", 10)
    assert len(one.all()) == 2


async def test_who_breaks_off_is_told_from_who_hangs(start):
    async def broken(message):
        raise ValueError("another version")

    async def hanging(message):
        await asyncio.Event().wait()

    one, two, three = await start("1"), await start("2", broken), await start("3", hanging)
    with pytest.raises(ConnectionLost):
        await one.ask(two.name, b"?", 10)
    with pytest.raises(TimeoutError):
        await one.ask(three.name, b"?", 0.05)


async def test_a_question_has_a_limit(start):
    one, two = await start("1"), await start("2")
    assert len(await one.ask(two.name, b"x" * MAX_MESSAGE, 10)) == MAX_MESSAGE + 2
    with pytest.raises(ConnectionLost):
        await one.ask(two.name, b"x" * (MAX_MESSAGE + 1), 10)


@pytest.mark.parametrize(
    "bytes_", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 5000, b"Content-Length: -\r\n\r\n", b"x"]
)
async def test_a_stranger_on_the_socket_harms_nothing(start, bytes_):
    one, two = await start("1"), await start("2")
    reader, writer = await asyncio.open_unix_connection(str(one._folder / one.name))
    writer.write(bytes_)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    assert await two.ask(one.name, b"?", 10) == b"1:?"


async def test_who_goes_answers_first_what_was_asked(start):
    asked, go = asyncio.Event(), asyncio.Event()

    async def slowly(message):
        asked.set()
        await go.wait()
        return b"done"

    one, two = await start("1"), await start("2", slowly)
    question = asyncio.ensure_future(one.ask(two.name, b"?", 10))
    await asked.wait()
    going = asyncio.ensure_future(two.aclose())
    await asyncio.sleep(0)
    assert one.all() == [one.name]
    go.set()
    assert await question == b"done"
    await going


async def test_the_sockets_are_nobody_elses(start, tmp_path):
    one = await start("1")
    assert stat.S_IMODE((tmp_path / "live").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "live" / one.name).stat().st_mode) == 0o600


async def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "live").write_text("")
    with pytest.raises(SettingsError, match="state_dir"):
        await Neighbours(tmp_path / "live", None).open()


async def test_without_the_folder_everybody_is_alone(start, tmp_path):
    one = await start("1")
    (tmp_path / "live" / one.name).unlink()
    (tmp_path / "live").rmdir()
    assert one.all() == [one.name] == one.responsible(b"key")


def test_its_name_is_the_processs(tmp_path):
    assert repr(Neighbours(Path(tmp_path), None)) == f"Neighbours({PID})"
