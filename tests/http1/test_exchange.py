"""One exchange after another over a real socket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from proxy.errors import MalformedResponse
from proxy.http1 import Limits, Origin, Pool

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("step", [None, 1, 7])
@pytest.mark.parametrize(
    ("answer", "close"),
    [
        (OK + b"Content-Length: 11\r\n\r\nhello world", False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n", False),
        (OK + b"Connection: close\r\n\r\nhello world", True),
        (b"HTTP/1.0 200 OK\r\n\r\nhello world", True),
    ],
)
async def test_reads_every_framing_at_every_pace(
    answer: bytes, close: bool, step: int | None, far_end: Any, pool_to: Any, get: Any, says: Any
) -> None:
    pool = pool_to(await far_end(says(answer, step=step, close=close)))
    response = await pool.send(get())
    assert (response.status, response.reason) == (200, b"OK")
    assert await response.read_all(100) == b"hello world"
    assert await response.read() == b""
    assert (pool.active, pool.idle) == (0, 0 if close else 1)


async def test_one_connection_carries_many_exchanges(far_end: Any, pool_to: Any, get: Any, says: Any) -> None:
    end = await far_end(says(OK + b"Content-Length: 2\r\n\r\nab"))
    pool = pool_to(end)
    for _ in range(50):
        response = await pool.send(get())
        assert (pool.active, pool.idle) == (0, 1)  # it was complete at once: free before it is read
        assert not response.ended
        assert await response.read() == b"ab"
        assert response.ended
    assert end.connections == 1


async def test_parallel_exchanges_never_mix(far_end: Any, pool_to: Any, get: Any) -> None:
    async def echo(wire: Any) -> None:
        while True:
            target = (await wire.head()).split(b" ")[1]
            await wire.say(OK + b"Content-Length: %d\r\n\r\n" % len(target))
            await asyncio.sleep(0)
            await wire.say(target, step=3)

    pool = pool_to(await far_end(echo), limits={"max_connections": 7})

    async def ask(number: int) -> bool:
        target = b"/%d" % number + b"x" * (number % 13)
        response = await pool.send(get(target=target))
        return bool(await response.read_all(100) == target)

    assert all(await asyncio.gather(*(ask(number) for number in range(300))))
    assert pool.active == 0
    assert pool.idle <= 7


@pytest.mark.parametrize(
    ("method", "answer", "length"),
    [
        (b"HEAD", OK + b"Content-Length: 1000\r\n\r\n", 1000),
        (b"HEAD", OK + b"Transfer-Encoding: chunked\r\n\r\n", None),
        (b"GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", None),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 5),
    ],
)
async def test_these_have_no_body_whatever_they_claim(
    method: bytes, answer: bytes, length: int | None, far_end: Any, pool_to: Any, get: Any, says: Any
) -> None:
    end = await far_end(says(answer))
    pool = pool_to(end)
    for _ in range(3):
        response = await pool.send(get(method))
        assert response.content_length == length
        assert await response.read() == b""
    assert end.connections == 1


async def test_trailers_come_apart_from_the_headers(far_end: Any, pool_to: Any, get: Any, says: Any) -> None:
    answer = OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 9\r\nSet-Cookie: no\r\n\r\n"
    response = await pool_to(await far_end(says(answer, step=5))).send(get())
    assert response.trailers == []
    await response.read_all(10)
    assert response.trailers == [(b"x-sum", b"9"), (b"set-cookie", b"no")]
    assert response.headers == [(b"transfer-encoding", b"chunked")]


@pytest.mark.parametrize("step", [None, 1])
async def test_informational_responses_are_told(
    step: int | None, far_end: Any, pool_to: Any, get: Any, says: Any
) -> None:
    answer = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    pool = pool_to(await far_end(says(answer + OK + b"Content-Length: 1\r\n\r\nx", step=step)))
    told: list[Any] = []
    for _ in range(2):
        response = await pool.send(get(), on_informational=lambda *what: told.append(what))
        assert await response.read_all(1) == b"x"
    assert told == [(102, []), (103, [(b"link", b"</a.css>")])] * 2


async def test_head_and_small_body_leave_in_one_write(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        data = await wire.reader.read(65536)
        assert data.endswith(b"content-length: 4\r\n\r\nbody")
        await wire.say(OK + b"Content-Length: 0\r\n\r\n")

    await pool_to(await far_end(script)).send(get(b"POST", body=b"body"))


async def test_bytes_that_nobody_asked_for_close_an_idle_connection(
    far_end: Any, pool_to: Any, get: Any
) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(OK + b"Content-Length: 0\r\n\r\n")
        if wire.number == 1:
            await told.wait()
            await wire.say(OK + b"Content-Length: 6\r\n\r\npoison")
            await wire.gone()

    told = asyncio.Event()
    end = await far_end(script)
    pool = pool_to(end)
    await pool.send(get())
    told.set()
    await end.wires[0].over.wait()
    assert (pool.active, pool.idle) == (0, 0)
    response = await pool.send(get())
    assert await response.read() == b""
    assert end.connections == 2


async def test_abandoning_closes_unless_the_body_is_whole(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(OK + b"Content-Length: 2\r\n\r\nab")
        await wire.head()
        await wire.say(OK + b"Content-Length: 3\r\n\r\nab")
        assert await wire.gone() == b""

    end = await far_end(script)
    pool = pool_to(end)
    response = await pool.send(get())
    response.abandon()
    assert (pool.active, pool.idle) == (0, 1)
    response = await pool.send(get())
    assert (pool.active, pool.idle) == (1, 0)
    response.abandon()
    response.abandon()
    assert (pool.active, pool.idle) == (0, 0)
    await end.wires[0].over.wait()


async def test_a_body_above_the_limit_is_an_error(far_end: Any, pool_to: Any, get: Any, says: Any) -> None:
    body = b"Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"
    for answer in (OK + b"Content-Length: 20\r\n\r\n" + b"x" * 20, OK + body):
        pool = pool_to(await far_end(says(answer, step=16)))
        response = await pool.send(get())
        with pytest.raises(MalformedResponse, match="more than 19 bytes"):
            await response.read_all(19)
        assert pool.active == 0


async def test_a_unix_socket_carries_it_too(
    tmp_path: Any, far_end: Any, pool_to: Any, get: Any, says: Any
) -> None:
    end = await far_end(says(OK + b"Content-Length: 2\r\n\r\nab"), uds=tmp_path / "shop.sock")
    pool = pool_to(end)
    for _ in range(3):
        assert await (await pool.send(get())).read_all(2) == b"ab"
    assert end.connections == 1


async def test_fetch_gives_the_complete_answer(far_end: Any, pool_to: Any, says: Any) -> None:
    chunked = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    for answer in (OK + chunked, OK + b"Content-Length: 2\r\n\r\n{}"):
        for step in (None, 1):
            end = await far_end(says(b"HTTP/1.1 103 x\r\n\r\n" + answer, step=step))
            pool = pool_to(end)
            for _ in range(3):
                got = await pool.fetch(b"POST / HTTP/1.1\r\nhost: a\r\n\r\n", limit=2)
                assert (got.status, got.body) == (200, b"{}")
                assert len(got.headers) == 1
            assert (end.connections, pool.active, pool.idle) == (1, 0, 1)


@pytest.mark.parametrize("step", [None, 1])
async def test_fetch_refuses_an_answer_above_its_limit(
    step: int | None, far_end: Any, pool_to: Any, says: Any
) -> None:
    chunked = b"Transfer-Encoding: chunked\r\n\r\n3\r\n{ }\r\n0\r\n\r\n"
    for answer in (OK + chunked, OK + b"Content-Length: 3\r\n\r\n{ }", OK + b"Connection: close\r\n\r\n{ }"):
        pool = pool_to(await far_end(says(answer, step=step)))
        with pytest.raises(MalformedResponse, match="more than 2 bytes"):
            await pool.fetch(b"POST / HTTP/1.1\r\nhost: a\r\n\r\n", limit=2)
        assert pool.active == 0


async def test_fetch_reads_to_the_connections_end(far_end: Any, pool_to: Any, says: Any) -> None:
    pool = pool_to(await far_end(says(OK + b"Connection: close\r\n\r\n{}", close=True)))
    assert (await pool.fetch(b"POST / HTTP/1.1\r\nhost: a\r\n\r\n", limit=2)).body == b"{}"


async def test_a_vendors_error_says_vendor(far_end: Any, says: Any) -> None:
    end = await far_end(says(b"nonsense"))
    pool = Pool(Origin("http", "localhost", end.origin.port), source="vendor", limits=Limits())
    with pytest.raises(MalformedResponse, match="vendor http://localhost") as caught:
        await pool.fetch(b"POST / HTTP/1.1\r\nhost: a\r\n\r\n", limit=2)
    assert caught.value.source == "vendor"
    await pool.aclose()
