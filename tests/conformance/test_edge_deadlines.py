"""Slow, silent and surplus clients, and the server's own end."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

from proxy.edge import EdgeLimits

from .conftest import Mirror, read_to_end, read_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .conftest import Message, Serve

    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

KEPT = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n"


def test_an_unfinished_head_is_a_408(serve: Serve) -> None:
    edge = serve(Mirror(), EdgeLimits(head_seconds=0.2))
    assert edge.talk(KEPT[:-2]).startswith(b"HTTP/1.1 408 ")
    assert edge.refused == ["head-timeout"]


def test_dripping_bytes_do_not_extend_a_heads_time(serve: Serve) -> None:
    edge = serve(Mirror(), EdgeLimits(head_seconds=0.4))
    began = time.monotonic()
    with edge.connect() as client:
        client.settimeout(0.05)
        came = b""
        for byte in KEPT * 2:
            client.sendall(bytes([byte]))
            try:
                came = client.recv(100)
                break
            except TimeoutError:
                continue
    assert came.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < 2


def test_a_silent_connection_is_closed_without_a_word(serve: Serve) -> None:
    edge = serve(Mirror(), EdgeLimits(head_seconds=0.2))
    assert edge.talk() == b""
    assert edge.refused == []


def test_an_idle_connection_is_closed_without_a_word(serve: Serve) -> None:
    edge = serve(Mirror(), EdgeLimits(idle_seconds=0.2))
    answer = edge.talk(KEPT)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert edge.refused == []


def test_a_second_unfinished_head_is_a_408(serve: Serve) -> None:
    edge = serve(Mirror(), EdgeLimits(head_seconds=0.2))
    with edge.connect() as client:
        client.sendall(KEPT)
        read_until(client, b"}")
        client.sendall(KEPT[:-2])
        assert read_to_end(client).startswith(b"HTTP/1.1 408 ")


def test_a_stalled_body_is_a_408(serve: Serve) -> None:
    mirror = Mirror()
    edge = serve(mirror, EdgeLimits(body_idle_seconds=0.2))
    assert edge.talk(POST + b"hello").startswith(b"HTTP/1.1 408 ")
    assert edge.refused == ["body-timeout"]
    assert mirror.begun == 1
    assert mirror.seen == []


def test_a_slow_body_that_moves_is_taken(serve: Serve) -> None:
    edge = serve(Mirror(), EdgeLimits(body_idle_seconds=0.4))
    with edge.connect() as client:
        client.sendall(POST)
        client.settimeout(0.1)
        for byte in b"0123456789":
            try:
                came = client.recv(1)
            except TimeoutError:
                client.sendall(bytes([byte]))
            else:
                raise AssertionError(came)
        client.settimeout(10)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_slow_app_has_all_the_time(serve: Serve) -> None:
    done = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await asyncio.get_running_loop().run_in_executor(None, done.wait)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    edge = serve(app, EdgeLimits(head_seconds=0.1, idle_seconds=0.1, body_idle_seconds=0.1))
    with edge.connect() as client:
        client.sendall(POST + b"0123456789")
        client.settimeout(0.5)
        try:
            came = client.recv(1)
        except TimeoutError:
            done.set()
        else:
            raise AssertionError(came)
        client.settimeout(10)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_one_connection_too_many_is_a_503(serve: Serve) -> None:
    edge = serve(Mirror(), EdgeLimits(max_connections=2))
    with edge.connect() as first, edge.connect() as second:
        for client in (first, second):
            client.sendall(KEPT)
            read_until(client, b"}")
        assert edge.talk(KEPT).startswith(b"HTTP/1.1 503 ")
        first.sendall(KEPT)
        assert read_until(first, b"}").startswith(b"HTTP/1.1 200 ")
    assert edge.refused == ["too-many-connections"]


def test_a_stopping_server_finishes_what_has_begun(serve: Serve) -> None:
    begun = threading.Event()
    go_on = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.get_running_loop().run_in_executor(None, go_on.wait)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    edge = serve(app)
    with edge.connect() as busy, edge.connect() as idle:
        busy.sendall(KEPT)
        assert begun.wait(10)
        stopping = threading.Thread(target=edge.stop)
        stopping.start()
        assert read_to_end(idle) == b""
        go_on.set()
        answer = read_to_end(busy)
        assert answer.endswith(b"\r\nconnection: close\r\n\r\nok")
        stopping.join(10)


def test_a_request_on_its_way_when_the_server_stops_is_answered(serve: Serve) -> None:
    edge = serve(Mirror())
    with edge.connect() as client:
        client.sendall(KEPT)
        read_until(client, b"}")
        client.sendall(KEPT[:-2])
        with edge.connect() as other:  # by the time of its answer, the part above has been read
            other.sendall(KEPT)
            read_until(other, b"}")
        edge.server.should_exit = True
        while edge.listener.fileno() >= 0:  # closed as the first step of stopping
            pass
        client.sendall(KEPT[-2:])
        assert b"\r\nconnection: close\r\n" in read_to_end(client)


def test_who_has_just_come_when_the_server_stops_is_answered(serve: Serve) -> None:
    edge = serve(Mirror())
    with edge.connect() as idle, edge.connect() as fresh:
        idle.sendall(KEPT)
        read_until(idle, b"}")
        edge.server.should_exit = True
        assert read_to_end(idle) == b""
        fresh.sendall(KEPT)
        assert b"\r\nconnection: close\r\n" in read_to_end(fresh)


def test_a_server_that_stops_under_load_fails_no_request(serve: Serve) -> None:
    edge = serve(Mirror())
    answers: list[bytes] = []
    warm = threading.Barrier(9)

    def shop_around() -> None:
        with edge.connect() as client:
            for at in range(100_000):
                client.sendall(KEPT)
                answer = client.recv(65536)
                if at == 20:
                    warm.wait(10)
                if b"connection: close" in answer or not answer:
                    answers.append(answer)
                    return

    visitors = [threading.Thread(target=shop_around) for _ in range(8)]
    for visitor in visitors:
        visitor.start()
    warm.wait(10)
    edge.stop()
    for visitor in visitors:
        visitor.join(10)
    assert [answer[:15] for answer in answers] == [b"HTTP/1.1 200 OK"] * 8


def test_many_slow_clients_are_all_let_go_and_the_others_served_meanwhile(serve: Serve) -> None:
    edge = serve(Mirror(), EdgeLimits(head_seconds=1.0))
    slow = [edge.connect() for _ in range(300)]
    for client in slow:
        client.sendall(KEPT[:-4])
    assert edge.talk(KEPT.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    for client in slow:
        with client:
            assert read_to_end(client).startswith(b"HTTP/1.1 408 ")
    assert edge.refused == ["head-timeout"] * 300
