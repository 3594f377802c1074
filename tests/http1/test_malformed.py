"""Promise 15: the shop misbehaves. Each row is an error that says whose it is, and a closed connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from proxy.errors import ConnectionLost, MalformedResponse, PeerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.http1 import Pool, Request

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"Content-Length: 0\r\n\r\n"

MALFORMED = {
    "garbage": b"hello\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "HTTP/0.9": b"<html></html>\r\n\r\n",
    "HTTP/2 preface answer": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\n" + END,
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\n" + END,
    "lower-case version": b"http/1.1 200 OK\r\n" + END,
    "empty line first": b"\r\n" + OK + END,
    "status of two digits": b"HTTP/1.1 20 OK\r\n" + END,
    "status of four digits": b"HTTP/1.1 2000 OK\r\n" + END,
    "status below 100": b"HTTP/1.1 099 OK\r\n" + END,
    "two spaces before the status": b"HTTP/1.1  200 OK\r\n" + END,
    "tab before the status": b"HTTP/1.1\t200 OK\r\n" + END,
    "control byte in the reason": b"HTTP/1.1 200 O\x01K\r\n" + END,
    "bare LF after the status line": b"HTTP/1.1 200 OK\n" + END,
    "bare LF after a field": OK + b"A: b\n" + END,
    "bare LF at the end of the head": OK + b"Content-Length: 0\r\n\n",
    "all bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "bare CR in a value": OK + b"A: b\rC: d\r\n" + END,
    "obs-fold": OK + b"A: b\r\n c\r\n" + END,
    "fold in the first field": OK + b" A: b\r\n" + END,
    "space before the colon": OK + b"A : b\r\n" + END,
    "no colon": OK + b"A\r\n" + END,
    "empty name": OK + b": b\r\n" + END,
    "separator in a name": OK + b"A(b): c\r\n" + END,
    "NUL in a value": OK + b"A: b\0c\r\n" + END,
    "control byte in a value": OK + b"A: b\x07\r\n" + END,
    "duplicate length": OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    "conflicting lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nab",
    "length list": OK + b"Content-Length: 2, 2\r\n\r\nab",
    "negative length": OK + b"Content-Length: -2\r\n\r\nab",
    "signed length": OK + b"Content-Length: +2\r\n\r\nab",
    "hex length": OK + b"Content-Length: 0x2\r\n\r\nab",
    "empty length": OK + b"Content-Length:\r\n\r\n",
    "huge length": OK + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "TE and length": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length and TE": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "TE gzip": OK + b"Transfer-Encoding: gzip\r\n\r\nx",
    "TE gzip, chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "TE chunked twice": OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "two TE": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "TE identity": OK + b"Transfer-Encoding: identity\r\n\r\nx",
    "TE with vertical tab": OK + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "TE in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunk size no number": CHUNKED + b"x\r\nab\r\n0\r\n\r\n",
    "chunk size empty": CHUNKED + b"\r\nab\r\n0\r\n\r\n",
    "chunk size negative": CHUNKED + b"-2\r\nab\r\n0\r\n\r\n",
    "chunk size 0x": CHUNKED + b"0x2\r\nab\r\n0\r\n\r\n",
    "chunk size with underscore": CHUNKED + b"1_0\r\nab\r\n0\r\n\r\n",
    "chunk size with space": CHUNKED + b"2 \r\nab\r\n0\r\n\r\n",
    "chunk size overflow": CHUNKED + b"1" * 17 + b"\r\nab\r\n0\r\n\r\n",
    "chunk size bare LF": CHUNKED + b"2\nab\r\n0\r\n\r\n",
    "chunk size bare LF only": CHUNKED + b"2\n",
    "chunk extension with a bare LF": CHUNKED + b"2;a\nb\r\nab\r\n0\r\n\r\n",
    "chunk extension too large": CHUNKED + b"2;" + b"a" * 2000 + b"\r\nab\r\n0\r\n\r\n",
    "chunk longer than its size": CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
    "chunk ends with a bare LF": CHUNKED + b"2\r\nab\n0\r\n\r\n",
    "chunk ends with CR and more": CHUNKED + b"2\r\nab\rx",
    "last chunk then a bare LF": CHUNKED + b"0\r\n\n",
    "trailer without a colon": CHUNKED + b"0\r\nx\r\n\r\n",
    "trailer with a bare LF": CHUNKED + b"0\r\na: b\n\r\n",
    "trailer folded": CHUNKED + b"0\r\na: b\r\n c\r\n\r\n",
    "trailers too large": CHUNKED + b"0\r\na: " + b"b" * 9000 + b"\r\n\r\n",
    "too many trailers": CHUNKED + b"0\r\n" + b"a: b\r\n" * 300 + b"\r\n",
    "extra byte": OK + b"Content-Length: 2\r\n\r\nabX",
    "extra line break": OK + b"Content-Length: 2\r\n\r\nab\r\n",
    "extra response": (OK + b"Content-Length: 2\r\n\r\nab") * 2,
    "extra after chunks": CHUNKED + b"0\r\n\r\nX",
    "extra line break after chunks": CHUNKED + b"0\r\n\r\n\r\n",
    "body with 204": b"HTTP/1.1 204 No Content\r\n\r\nX",
    "body with 304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1\r\n\r\nX",
    "extra after length 0": OK + b"Content-Length: 0\r\n\r\nX",
    "extra with Connection: close": OK + b"Connection: close\r\nContent-Length: 1\r\n\r\nXX",
    "switched unasked": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "too many fields": OK + b"A: b\r\n" * 300 + END,
    "a head too large": OK + b"A: " + b"b" * 70_000 + b"\r\n" + END,
    "a head without end": OK + b"A: " + b"b" * 80_000,
    "endless 1xx": b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
}


async def whole(pool: Pool, request: Request) -> bytes:
    response = await pool.send(request)
    try:
        return await response.read_all(10_000_000)
    finally:
        response.abandon()


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_answers_are_the_shops_error(
    name: str, far_end: Any, pool_to: Any, get: Callable[..., Request], says: Any
) -> None:
    end = await far_end(says(MALFORMED[name]))
    pool = pool_to(end)
    with pytest.raises(MalformedResponse) as caught:
        await whole(pool, get())
    assert caught.value.source == "shop"
    assert str(end.origin) in str(caught.value)
    assert (pool.active, pool.idle) == (0, 0)
    await end.wires[0].over.wait()  # and the connection is closed


@pytest.mark.parametrize("name", [name for name in MALFORMED if len(MALFORMED[name]) < 300])
async def test_malformed_answers_are_found_byte_by_byte(
    name: str, far_end: Any, pool_to: Any, get: Callable[..., Request], says: Any
) -> None:
    """Extra data may come too late to be this response's, but then it closes the idle connection."""
    end = await far_end(says(MALFORMED[name], step=1))
    pool = pool_to(end)
    try:
        await whole(pool, get())
    except MalformedResponse:
        assert pool.active == 0
    else:
        assert name.startswith(("extra", "body with"))
    await end.wires[0].over.wait()
    assert (pool.active, pool.idle) == (0, 0)


CUT_SHORT = {
    "no answer": b"",
    "in the status line": b"HTTP/1.1 20",
    "in the head": OK + b"Content-Le",
    "after a 1xx": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "in the body": OK + b"Content-Length: 5\r\n\r\nabc",
    "before the body": OK + b"Content-Length: 5\r\n\r\n",
    "before the chunks": CHUNKED,
    "in a chunk": CHUNKED + b"5\r\nabc",
    "between chunks": CHUNKED + b"3\r\nabc\r\n",
    "before the trailers' end": CHUNKED + b"3\r\nabc\r\n0\r\n",
}


@pytest.mark.parametrize("name", CUT_SHORT)
@pytest.mark.parametrize("step", [None, 1])
async def test_a_short_answer_is_a_lost_connection(
    name: str, step: int | None, far_end: Any, pool_to: Any, get: Callable[..., Request], says: Any
) -> None:
    end = await far_end(says(CUT_SHORT[name], step=step, close=True))
    pool = pool_to(end)
    with pytest.raises(ConnectionLost) as caught:
        await whole(pool, get())
    assert caught.value.source == "shop"
    assert (pool.active, pool.idle) == (0, 0)


async def test_a_reset_is_no_end_even_where_closing_would_be(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(OK + b"Connection: close\r\n\r\nhalf")
        await told.wait()
        wire.writer.get_extra_info("socket").setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: RST
        wire.reset()

    import asyncio

    told = asyncio.Event()
    response = await pool_to(await far_end(script)).send(get())
    assert await response.read() == b"half"
    told.set()
    with pytest.raises(ConnectionLost):
        await response.read()


async def test_the_last_byte_is_held_back_where_more_follows(far_end: Any, pool_to: Any, get: Any) -> None:
    """Else the visitor would hold a message that looks complete."""

    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(OK + b"Content-Length: 6\r\n\r\nabc")
        await told.wait()
        await wire.say(b"defEXTRA")

    import asyncio

    told = asyncio.Event()
    response = await pool_to(await far_end(script)).send(get())
    assert await response.read() == b"abc"
    told.set()
    with pytest.raises(MalformedResponse):
        await response.read()


async def test_messages_carry_no_bytes_of_the_answer(far_end: Any, pool_to: Any, get: Any, says: Any) -> None:
    end = await far_end(says(OK + b"Set-Cookie : session=secret\r\n" + END))
    with pytest.raises(PeerError) as caught:
        await pool_to(end).send(get(target=b"/?token=secret"))
    assert "secret" not in str(caught.value)
