"""Request bodies on their way out."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from proxy.errors import ClientGone, ResponseTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge"


class Source:
    """A body that tells how far it was read and whether it was closed."""

    def __init__(self, piece: bytes, count: int) -> None:
        self.piece = piece
        self.count = count
        self.read = 0
        self.pulling = False
        self.closed = False

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            for _ in range(self.count):
                self.pulling = True
                await asyncio.sleep(0)
                self.pulling = False
                self.read += 1
                yield self.piece
        finally:
            self.pulling = False
            self.closed = True


def length_of(head: bytes) -> int:
    found = re.search(rb"content-length: (\d+)", head)
    assert found
    return int(found[1])


async def swallow(wire: Any) -> None:
    """Reads requests whole and answers with the number of body bytes."""
    while True:
        head = await wire.head()
        if b"chunked" in head:
            size = len(await wire.chunked())
        else:
            size = len(await wire.reader.readexactly(length_of(head)))
        await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%d" % (len(str(size)), size))


@pytest.mark.parametrize("length", [None, 3_000_000])
async def test_an_iterators_body_streams(length: int | None, far_end: Any, pool_to: Any, get: Any) -> None:
    end = await far_end(swallow)
    pool = pool_to(end)
    for _ in range(3):
        source = Source(b"x" * 3000, 1000)
        response = await pool.send(get(b"POST", body=source.pieces(), content_length=length))
        assert await response.read_all(100) == b"3000000"
        assert source.closed
    assert (end.connections, pool.idle) == (1, 1)


async def test_empty_pieces_do_not_end_a_chunked_body(far_end: Any, pool_to: Any, get: Any) -> None:
    async def body() -> AsyncIterator[bytes]:
        for piece in (b"", b"a", b"", b"b"):
            yield piece

    response = await pool_to(await far_end(swallow)).send(get(b"POST", body=body()))
    assert await response.read_all(9) == b"2"


async def test_a_large_body_of_bytes(far_end: Any, pool_to: Any, get: Any) -> None:
    response = await pool_to(await far_end(swallow)).send(get(b"POST", body=b"x" * 5_000_000))
    assert await response.read_all(9) == b"5000000"


async def test_a_slow_peer_slows_the_source(far_end: Any, pool_to: Any, get: Any, eventually: Any) -> None:
    """What is read ahead stays within the mark and the kernel's buffers: not 50 MB."""

    async def script(wire: Any) -> None:
        wire.reader._limit = 65536
        await wire.head()
        await go_on.wait()
        await wire.reader.readexactly(50_000_000)
        await wire.say(OK)

    go_on = asyncio.Event()
    source = Source(b"x" * 50_000, 1000)
    pool = pool_to(await far_end(script))
    sending = asyncio.get_running_loop().create_task(
        pool.send(get(b"POST", body=source.pieces(), content_length=50_000_000))
    )
    before = -1
    while source.read != before:  # until it stands still
        before = source.read
        await asyncio.sleep(0.1)
    assert 0 < source.read < 300
    (upload,) = pool._open
    assert upload._transport.get_write_buffer_size() <= 64 * 1024 + 50_000
    go_on.set()
    assert await (await sending).read_all(2) == b"ok"
    assert source.read == 1000


async def test_a_peer_that_takes_nothing_times_out(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        wire.writer.transport.pause_reading()
        await over.wait()

    over = asyncio.Event()
    source = Source(b"x" * 500_000, 1000)
    pool = pool_to(await far_end(script), idle=0.2, response=0.2)
    with pytest.raises(ResponseTimeout, match=r"took no byte of the request for 0\.2 s"):
        await pool.send(get(b"POST", body=source.pieces()))
    over.set()
    assert source.closed
    assert pool.active == 0


async def test_a_slow_source_is_not_the_shops_timeout(far_end: Any, pool_to: Any, get: Any) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(4):
            await asyncio.sleep(0.1)
            yield b"x"

    pool = pool_to(await far_end(swallow), response=0.15, idle=0.15)
    response = await pool.send(get(b"POST", body=body()))
    assert await response.read_all(9) == b"4"


async def test_an_early_answer_stops_the_upload(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.reader.readexactly(1000)
        await wire.say(TOO_LARGE)
        await wire.gone()

    end = await far_end(script)
    pool = pool_to(end)
    source = Source(b"x" * 1000, 1_000_000)
    response = await pool.send(get(b"POST", body=source.pieces()))
    assert response.status == 413
    assert await response.read_all(5) == b"large"
    assert source.closed  # nobody reads the visitor's body any more
    assert (pool.active, pool.idle) == (0, 0)
    await end.wires[0].over.wait()


async def test_an_early_answer_survives_the_close_that_follows(far_end: Any, pool_to: Any, get: Any) -> None:
    """The server says 413 and closes with unread data: a reset that a careless writer runs into."""

    async def script(wire: Any) -> None:
        await wire.head()
        wire.writer.transport.pause_reading()
        wire.writer.write(TOO_LARGE)
        wire.writer.close()

    pool = pool_to(await far_end(script))
    for _ in range(50):
        source = Source(b"x" * 20_000, 1_000_000)
        response = await pool.send(get(b"POST", body=source.pieces()))
        assert (response.status, await response.read_all(5)) == (413, b"large")
        assert source.closed
    assert pool.active == 0


async def test_a_connection_with_unsent_bytes_is_not_reused(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        wire.writer.transport.pause_reading()
        wire.writer.write(EMPTY)
        await over.wait()

    over = asyncio.Event()
    pool = pool_to(await far_end(script))
    response = await pool.send(get(b"POST", body=b"x" * 20_000_000))
    assert await response.read() == b""
    assert (pool.active, pool.idle) == (0, 0)
    over.set()


async def test_both_directions_stream_at_once(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while size := int(await wire.reader.readline(), 16):
            data = await wire.reader.readexactly(size + 2)
            await wire.say(b"%x\r\n" % size + data)
        await wire.reader.readexactly(2)
        await wire.say(b"0\r\n\r\n")
        await wire.gone()

    async def body() -> AsyncIterator[bytes]:
        for number in range(100):
            yield b"%d" % number
            await heard.wait()  # the next piece goes out only when this one has come back
            heard.clear()

    heard = asyncio.Event()
    pool = pool_to(await far_end(script))
    response = await pool.send(get(b"POST", body=body()))
    echoed = []
    while piece := await response.read():
        echoed.append(piece)
        heard.set()
    assert echoed == [b"%d" % number for number in range(100)]
    assert pool.idle == 1


async def test_what_the_source_raises_reaches_the_caller(far_end: Any, pool_to: Any, get: Any) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        raise ClientGone

    async def script(wire: Any) -> None:
        await wire.head()
        assert await wire.gone() == b"1\r\nx\r\n"  # and no end: the shop must not take it for whole

    end = await far_end(script)
    pool = pool_to(end)
    with pytest.raises(ClientGone):
        await pool.send(get(b"POST", body=body()))
    await end.wires[0].over.wait()
    assert pool.active == 0


@pytest.mark.parametrize(("length", "says"), [(5, "1 bytes short of its 5"), (3, "longer than its 3")])
async def test_a_body_that_is_not_as_long_as_announced(
    length: int, says: str, far_end: Any, pool_to: Any, get: Any
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"cd"

    async def script(wire: Any) -> None:
        await wire.head()
        await wire.gone()

    pool = pool_to(await far_end(script))
    with pytest.raises(ValueError, match=says):
        await pool.send(get(b"POST", body=body(), content_length=length))
    assert pool.active == 0


@pytest.mark.parametrize("chunked", [True, False])
async def test_100_continue_lets_the_body_go(chunked: bool, far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        while True:
            assert b"expect: 100-continue" in await wire.head()
            assert not wire.reader._buffer
            await wire.say(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert (await wire.chunked() if chunked else await wire.reader.readexactly(4)) == b"body"
            await wire.say(OK)

    end = await far_end(script)
    pool = pool_to(end, expect=60)
    told: list[int] = []
    for _ in range(2):
        response = await pool.send(
            get(
                b"POST",
                headers=[(b"expect", b"100-continue")],
                body=Source(b"body", 1).pieces() if chunked else b"body",
            ),
            on_informational=lambda status, _: told.append(status),
        )
        assert await response.read_all(2) == b"ok"
    assert told == [100, 100]
    assert end.connections == 1


async def test_a_final_answer_instead_of_100_spares_the_body(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
        assert await wire.gone() == b""

    end = await far_end(script)
    pool = pool_to(end, expect=60)
    source = Source(b"x", 5)
    request = get(b"POST", headers=[(b"expect", b"100-continue")], body=source.pieces())
    response = await pool.send(request)
    assert (response.status, await response.read()) == (417, b"")
    assert source.read == 0
    await end.wires[0].over.wait()
    assert (pool.active, pool.idle) == (0, 0)


async def test_silence_instead_of_100_does_not_stop_the_body(far_end: Any, pool_to: Any, get: Any) -> None:
    pool = pool_to(await far_end(swallow), expect=0.05)
    response = await pool.send(get(b"POST", headers=[(b"expect", b"100-Continue")], body=b"body"))
    assert await response.read_all(9) == b"4"


async def test_cancelling_stops_the_upload(far_end: Any, pool_to: Any, get: Any, eventually: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.gone()

    source = Source(b"x" * 100, 10_000_000)
    pool = pool_to(await far_end(script))
    task = asyncio.get_running_loop().create_task(pool.send(get(b"POST", body=source.pieces())))
    await eventually(lambda: source.read > 10)
    task.cancel()
    await asyncio.wait((task,))
    assert pool.active == 0
    await eventually(lambda: source.closed)
