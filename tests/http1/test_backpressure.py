"""A slow reader slows the peer; it does not fill our memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

MARK = 64 * 1024
ONE_READ = 256 * 1024
"""What asyncio and uvloop read from a socket at most before they ask us."""

SIZE = 50_000_000


@pytest.mark.parametrize("chunked", [True, False])
async def test_50_mb_pass_a_slow_reader_within_the_mark(
    chunked: bool, far_end: Any, pool_to: Any, get: Any
) -> None:
    piece = b"0123456789abcdef" * 3125  # 50,000 bytes

    async def script(wire: Any) -> None:
        await wire.head()
        if chunked:
            await wire.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(SIZE // len(piece)):
                await wire.say(b"%x\r\n%b\r\n" % (len(piece), piece))
            await wire.say(b"0\r\n\r\n")
        else:
            await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
            for _ in range(SIZE // len(piece)):
                await wire.say(piece)
        await wire.gone()

    pool = pool_to(await far_end(script), idle=5.0)
    response = await pool.send(get())
    got = largest = 0
    for number in range(10_000_000):
        if number < 20:
            await asyncio.sleep(0.02)  # the peer could send megabytes meanwhile
        part = await response.read()
        if not part:
            break
        got += len(part)
        largest = max(largest, len(part))
    assert got == SIZE
    assert largest <= MARK + ONE_READ
    assert (pool.active, pool.idle) == (0, 1)


async def test_a_reader_that_rests_is_no_stalled_peer(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 5_000_000)
        await wire.gone()

    response = await pool_to(await far_end(script), idle=0.1).send(get())
    await asyncio.sleep(0.4)
    assert len(await response.read_all(5_000_000)) == 5_000_000


async def test_a_paused_connection_is_read_again_after_its_reader(
    far_end: Any, pool_to: Any, get: Any
) -> None:
    async def script(wire: Any) -> None:
        while True:
            await wire.head()
            await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)

    end = await far_end(script)
    pool = pool_to(end)
    for _ in range(5):
        response = await pool.send(get())
        assert len(await response.read_all(1_000_000)) == 1_000_000
    assert end.connections == 1
