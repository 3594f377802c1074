"""Websockets and other upgrades: bytes both ways."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from proxy.errors import ConnectionLost, MalformedResponse

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"


def echo(first: bytes = b"") -> Any:
    async def script(wire: Any) -> None:
        head = await wire.head()
        assert b"connection: upgrade\r\nupgrade: websocket\r\n" in head
        await wire.say(SWITCH + first)
        while data := await wire.reader.read(65536):
            await wire.say(data)
        await wire.say(b"bye")  # our direction lasts after theirs has ended

    return script


async def test_200_messages_and_a_half_close(far_end: Any, pool_to: Any, get: Any) -> None:
    end = await far_end(echo(b"hello"))
    pool = pool_to(end)
    response = await pool.send(get(upgrade=b"websocket"))
    tunnel = response.tunnel
    assert (response.status, await response.read()) == (101, b"")
    assert tunnel is not None
    assert await tunnel.read() == b"hello"
    for number in range(200):
        message = os.urandom(number * 50 + 1)
        await tunnel.write(message)
        back = b""
        while len(back) < len(message):
            back += await tunnel.read()
        assert back == message
    tunnel.close_write()
    tunnel.close_write()
    with pytest.raises(ConnectionLost, match="our direction"):
        await tunnel.write(b"x")
    assert await tunnel.read() == b"bye"
    assert await tunnel.read() == b""
    assert pool.active == 1
    tunnel.close()
    tunnel.close()
    await end.wires[0].over.wait()
    await asyncio.sleep(0)
    assert (pool.active, pool.idle) == (0, 0)


async def test_a_refused_upgrade_is_an_ordinary_response(
    far_end: Any, pool_to: Any, get: Any, says: Any
) -> None:
    end = await far_end(says(b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nno"))
    pool = pool_to(end)
    response = await pool.send(get(upgrade=b"websocket"))
    assert response.tunnel is None
    assert await response.read_all(2) == b"no"
    assert pool.idle == 1


async def test_a_101_without_upgrade_is_malformed(far_end: Any, pool_to: Any, get: Any, says: Any) -> None:
    pool = pool_to(await far_end(says(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")))
    with pytest.raises(MalformedResponse):
        await pool.send(get(upgrade=b"websocket"))
    assert pool.active == 0


async def test_what_was_written_goes_out_before_the_close(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(SWITCH)
        got.append(len(await wire.reader.read(-1)))

    got: list[int] = []
    end = await far_end(script)
    response = await pool_to(end).send(get(upgrade=b"websocket"))
    response.tunnel._wire.write(b"x" * 3_000_000)
    response.abandon()
    await end.wires[0].over.wait()
    assert got == [3_000_000]


async def test_a_slow_peer_slows_the_writer(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(SWITCH)
        wire.writer.transport.pause_reading()
        await go_on.wait()
        wire.writer.transport.resume_reading()
        await wire.gone()

    async def flood() -> None:
        for _ in range(1000):
            await response.tunnel.write(b"x" * 50_000)

    go_on = asyncio.Event()
    response = await pool_to(await far_end(script)).send(get(upgrade=b"websocket"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(flood(), 0.3)
    response.tunnel.close()
    go_on.set()


async def test_a_slow_reader_slows_the_peer(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(SWITCH)
        await wire.say(b"x" * 20_000_000)

    response = await pool_to(await far_end(script)).send(get(upgrade=b"websocket"))
    got = 0
    await asyncio.sleep(0.2)
    while part := await response.tunnel.read():
        assert len(part) <= 64 * 1024 + 256 * 1024
        got += len(part)
    assert got == 20_000_000
    response.tunnel.close()


async def test_a_reset_is_a_lost_connection(far_end: Any, pool_to: Any, get: Any, eventually: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(SWITCH)
        await wire.reader.readexactly(4)
        wire.writer.get_extra_info("socket").setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: RST
        wire.reset()

    pool = pool_to(await far_end(script))
    response = await pool.send(get(upgrade=b"websocket"))
    await response.tunnel.write(b"ping")
    with pytest.raises(ConnectionLost):
        await response.tunnel.read()
    with pytest.raises(ConnectionLost):
        await response.tunnel.write(b"more")
    assert pool.active == 0


async def test_a_closed_tunnel_says_so(far_end: Any, pool_to: Any, get: Any) -> None:
    response = await pool_to(await far_end(echo())).send(get(upgrade=b"websocket"))
    reading = asyncio.get_running_loop().create_task(response.tunnel.read())
    await asyncio.sleep(0)
    response.tunnel.close()
    with pytest.raises(ConnectionLost, match="the tunnel was closed"):
        await reading
    with pytest.raises(ConnectionLost):
        await response.tunnel.write(b"x")


async def test_a_silent_tunnel_lives_on(far_end: Any, pool_to: Any, get: Any) -> None:
    response = await pool_to(await far_end(echo()), idle=0.05, response=0.05).send(get(upgrade=b"websocket"))
    await asyncio.sleep(0.3)
    await response.tunnel.write(b"still here")
    assert await response.tunnel.read() == b"still here"
    response.tunnel.close()
