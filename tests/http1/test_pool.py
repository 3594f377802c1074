"""Who gets which connection, for how long."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from proxy.errors import ConnectFailed, ConnectionLost, PoolTimeout, ResponseTimeout
from proxy.http1 import Origin

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def test_nobody_listens(pool_to: Any, get: Any) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        pool = pool_to(Origin("http", "127.0.0.1", closed.getsockname()[1]))
        with pytest.raises(ConnectFailed, match="can't connect") as caught:
            await pool.send(get())
    assert caught.value.retryable
    assert pool.active == 0


async def test_an_unknown_host(pool_to: Any, get: Any) -> None:
    pool = pool_to(Origin("http", "no-such-host.invalid", 80))
    with pytest.raises(ConnectFailed, match=r"no-such-host\.invalid"):
        await pool.send(get())
    assert pool.active == 0


async def test_a_missing_unix_socket(tmp_path: Any, pool_to: Any, get: Any) -> None:
    with pytest.raises(ConnectFailed, match="No such file"):
        await pool_to(Origin("http", "shop", 80, uds=str(tmp_path / "none.sock"))).send(get())


async def test_a_connection_that_never_comes_about(pool_to: Any, get: Any) -> None:
    """A listener whose queue is full answers no SYN."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        pool = pool_to(Origin("http", *full.getsockname()), connect=0.1)
        with pytest.raises(ConnectFailed, match=r"no connection within 0\.1 s"):
            await pool.send(get())
        assert pool.active == 0


async def test_a_connection_closed_while_idle_is_never_handed_out(
    far_end: Any, pool_to: Any, get: Any, eventually: Any
) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(OK)

    end = await far_end(script)
    pool = pool_to(end)
    for number in range(1, 6):
        assert await (await pool.send(get(b"POST"))).read_all(2) == b"ok"
        assert end.connections == number
        await eventually(lambda: pool.idle == 0)


async def test_a_close_that_the_loop_has_not_told_yet_is_seen(pool_to: Any, get: Any) -> None:
    """For a request that can't be sent twice the socket itself is asked."""
    loop = asyncio.get_running_loop()

    async def serve_one(server: socket.socket) -> socket.socket:
        far, _ = await loop.sock_accept(server)
        far.setblocking(False)
        assert (await loop.sock_recv(far, 1000)).endswith(b"\r\n\r\n")
        await loop.sock_sendall(far, OK)
        return far

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        pool = pool_to(Origin("http", *server.getsockname()))
        far, _ = await asyncio.gather(serve_one(server), pool.send(get()))
        far.close()  # the task below takes its first step before the loop polls again
        far, response = await asyncio.gather(serve_one(server), pool.send(get(b"POST")))
        assert response.status == 200
        far.close()


async def test_what_is_kept_trusts_a_connection_just_used_until_one_proves_otherwise(pool_to: Any) -> None:
    """Its failure costs nobody anything, and a look at the socket costs as much as the request."""
    loop = asyncio.get_running_loop()
    message = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"

    async def serve_one(server: socket.socket) -> socket.socket:
        far, _ = await loop.sock_accept(server)
        far.setblocking(False)
        assert (await loop.sock_recv(far, 1000)).endswith(b"\r\n\r\n")
        await loop.sock_sendall(far, OK)
        return far

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        pool = pool_to(Origin("http", *server.getsockname()))
        far, _ = await asyncio.gather(serve_one(server), pool.fetch(message, limit=9))
        far.close()  # and the loop hasn't heard of it
        lost = pool.awaited(whole=True)
        assert pool.send_now(message, lost, kept=True) is not None
        with pytest.raises(ConnectionLost):
            await lost.due
        far, _ = await asyncio.gather(serve_one(server), pool.fetch(message, limit=9))
        far.close()
        assert pool.send_now(message, pool.awaited(whole=True), kept=True) is None


async def test_a_server_that_closes_what_it_has_just_used_is_not_trusted(
    pool_to: Any, eventually: Any
) -> None:
    loop = asyncio.get_running_loop()
    message = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"

    async def serve_one(server: socket.socket) -> socket.socket:
        far, _ = await loop.sock_accept(server)
        far.setblocking(False)
        await loop.sock_recv(far, 1000)
        await loop.sock_sendall(far, OK)
        return far

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        pool = pool_to(Origin("http", *server.getsockname()))
        far, _ = await asyncio.gather(serve_one(server), pool.fetch(message, limit=9))
        far.close()
        await eventually(lambda: pool.idle == 0)
        far, _ = await asyncio.gather(serve_one(server), pool.fetch(message, limit=9))
        far.close()
        assert pool.send_now(message, pool.awaited(whole=True), kept=True) is None


def dies_under_the_second(wire_closes: Any) -> Any:
    """A script that takes the second request of its connection and dies without a byte."""

    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(OK)
        if wire.number == 1:
            await wire.head()
            wire_closes(wire)

    return script


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_safe_request_on_a_stale_connection_is_sent_once_more(
    how: str, far_end: Any, pool_to: Any, get: Any
) -> None:
    end = await far_end(dies_under_the_second(lambda w: w.reset() if how == "reset" else w.writer.close()))
    pool = pool_to(end)
    await pool.send(get())
    assert await (await pool.send(get())).read_all(2) == b"ok"
    assert end.connections == 2


async def test_the_second_try_never_takes_another_stale_connection(
    far_end: Any, pool_to: Any, get: Any
) -> None:
    """A server that restarts leaves all idle connections stale at once."""

    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(OK)
        if wire.number <= 2:
            await wire.head()

    end = await far_end(script)
    pool = pool_to(end, limits={"max_connections": 2})
    await asyncio.gather(pool.send(get()), pool.send(get()))
    assert pool.idle == 2
    assert await (await pool.send(get())).read_all(2) == b"ok"
    assert end.connections == 3


@pytest.mark.parametrize("request_", [(b"POST", {}), (b"PUT", {"body": b"x"}), (b"PATCH", {})])
async def test_an_unsafe_request_is_never_sent_twice(
    request_: Any, far_end: Any, pool_to: Any, get: Any
) -> None:
    end = await far_end(dies_under_the_second(lambda w: w.writer.close()))
    pool = pool_to(end)
    await pool.send(get())
    with pytest.raises(ConnectionLost):
        await pool.send(get(request_[0], **request_[1]))
    assert end.connections == 1
    assert pool.active == 0


async def test_fetch_retries_only_what_is_idempotent(far_end: Any, pool_to: Any) -> None:
    message = b"POST / HTTP/1.1\r\nhost: a\r\n\r\n"
    for idempotent in (False, True):
        end = await far_end(dies_under_the_second(lambda w: w.writer.close()))
        pool = pool_to(end)
        await pool.fetch(message, limit=2)
        if idempotent:
            assert (await pool.fetch(message, limit=2, idempotent=True)).body == b"ok"
        else:
            with pytest.raises(ConnectionLost):
                await pool.fetch(message, limit=2)


async def test_a_fresh_connection_that_dies_is_not_retried(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()

    end = await far_end(script)
    with pytest.raises(ConnectionLost):
        await pool_to(end).send(get())
    assert end.connections == 1


async def test_a_server_that_always_dies_is_asked_twice_at_most(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        if wire.number == 1:
            await wire.head()
            await wire.say(OK)
        await wire.head()

    end = await far_end(script)
    pool = pool_to(end)
    await pool.send(get())
    with pytest.raises(ConnectionLost):
        await pool.send(get())
    assert end.connections == 2
    assert pool.active == 0


async def test_no_answer_in_time(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.gone()

    end = await far_end(script)
    pool = pool_to(end, response=0.1)
    with pytest.raises(ResponseTimeout, match=r"no response within 0\.1 s"):
        await pool.send(get())
    await end.wires[0].over.wait()
    assert pool.active == 0


async def test_a_head_that_drips_is_no_answer_in_time(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        for byte in b"HTTP/1.1 200 OK\r\n" + b"x-drip: y\r\n" * 1000:
            await wire.say(bytes([byte]))
            await asyncio.sleep(0.02)

    with pytest.raises(ResponseTimeout):
        await pool_to(await far_end(script), response=0.2).send(get())


async def test_a_stalled_body(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        await wire.say(b"ab")
        await wire.gone()

    end = await far_end(script)
    pool = pool_to(end, idle=0.1)
    response = await pool.send(get())
    assert await response.read() == b"ab"
    with pytest.raises(ResponseTimeout, match=r"stalled for 0\.1 s"):
        await response.read()
    assert pool.active == 0


async def test_a_slow_body_is_no_stall(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
        for _ in range(6):
            await asyncio.sleep(0.05)
            await wire.say(b"x")

    response = await pool_to(await far_end(script), idle=0.2, response=0.2).send(get())
    assert await response.read_all(6) == b"xxxxxx"


async def test_waiters_are_served_in_order(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        while True:
            served.append((await wire.head()).split(b" ")[1])
            await wire.say(OK)

    served: list[bytes] = []
    end = await far_end(script)
    pool = pool_to(end, limits={"max_connections": 1})
    targets = [b"/%d" % number for number in range(20)]
    await asyncio.gather(*(pool.send(get(target=target)) for target in targets))
    assert served == targets
    assert end.connections == 1


async def test_waiting_for_a_connection_has_an_end(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.gone()

    pool = pool_to(await far_end(script), limits={"max_connections": 1}, pool=0.1)
    holder = asyncio.get_running_loop().create_task(pool.send(get()))
    with pytest.raises(PoolTimeout, match=r"all 1 connections busy for 0\.1 s") as caught:
        await asyncio.gather(pool.send(get()), asyncio.sleep(0))
    assert caught.value.retryable
    assert pool.active == 1
    holder.cancel()
    await asyncio.wait((holder,))
    assert pool.active == 0


async def test_the_queue_of_waiters_is_bounded(far_end: Any, pool_to: Any, get: Any, eventually: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.gone()

    pool = pool_to(await far_end(script), limits={"max_connections": 1, "max_waiters": 3})
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(pool.send(get())) for _ in range(4)]
    await asyncio.sleep(0)
    with pytest.raises(PoolTimeout, match="3 requests wait"):
        await pool.send(get())
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert pool.active == 0


async def test_a_waiter_gets_the_slot_of_a_connection_that_died(far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        if wire.number > 1:
            await wire.say(OK)

    pool = pool_to(await far_end(script), limits={"max_connections": 1})
    first, second = await asyncio.gather(pool.send(get()), pool.send(get()), return_exceptions=True)
    assert isinstance(first, ConnectionLost)
    assert second.status == 200


async def test_idle_connections_are_bounded_in_number(
    far_end: Any, pool_to: Any, get: Any, says: Any
) -> None:
    pool = pool_to(await far_end(says(OK)), limits={"max_idle": 2})
    await asyncio.gather(*(pool.send(get()) for _ in range(8)))
    assert (pool.active, pool.idle) == (0, 2)


async def test_idle_connections_are_bounded_in_time(far_end: Any, pool_to: Any, get: Any, says: Any) -> None:
    end = await far_end(says(OK))
    pool = pool_to(end, limits={"idle_seconds": 0.1})
    await pool.send(get())
    assert pool.idle == 1
    await end.wires[0].over.wait()
    assert pool.idle == 0


async def test_closing_fails_what_is_under_way(far_end: Any, pool_to: Any, get: Any, eventually: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.gone()

    pool = pool_to(await far_end(script), limits={"max_connections": 1})
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(pool.send(get())) for _ in range(3)]
    await eventually(lambda: pool.active == 1)
    await pool.aclose()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in results] in (
        [ConnectionLost, PoolTimeout, PoolTimeout],
        [ConnectFailed, PoolTimeout, PoolTimeout],
    )
    with pytest.raises(ConnectFailed, match="pool is closed"):
        await pool.send(get())


async def test_what_comes_before_the_request_has_left_is_nobodys_answer(far_end: Any, pool_to: Any) -> None:
    async def script(wire: Any) -> None:
        for _ in range(2):
            await wire.head()
            await wire.say(OK)

    pool = pool_to(await far_end(script))
    message = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    assert (await pool.fetch(message, limit=9, idempotent=True)).body == b"ok"
    response = pool.awaited(whole=True)
    connection: Any = pool.send_now(message, response, idempotent=True)
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    with pytest.raises(ConnectionLost):
        await response.due
    assert connection.was_stale
    assert pool.active == 0
