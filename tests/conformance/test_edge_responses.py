"""What the edge makes of an app's messages: framing, truncation, tunnels, back-pressure."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from proxy.edge import Disconnected, EdgeLimits
from proxy.errors import ConnectFailed

from .conftest import PATIENCE, fill, read_to_end, read_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .conftest import App, Message, Serve

    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

REQUEST = b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"
KEPT = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
UPGRADE = b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(content: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


def answering(*messages: Message) -> App:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


def fields(answer: bytes) -> list[bytes]:
    head = answer.partition(b"\r\n\r\n")[0]
    return [line for line in head.split(b"\r\n") if not line.startswith(b"date: ")]


def content(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def test_a_response_without_length_is_chunked(serve: Serve) -> None:
    edge = serve(answering(start(), body(b"hello ", more=True), body(b"", more=True), body(b"world")))
    answer = edge.talk(REQUEST)
    assert fields(answer) == [b"HTTP/1.1 200 OK", b"transfer-encoding: chunked", b"connection: close"]
    assert content(answer) == b"6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"


def test_a_response_without_length_ends_with_the_connection_in_http_1_0(serve: Serve) -> None:
    edge = serve(answering(start(), body(b"hello ", more=True), body(b"world")))
    answer = edge.talk(b"GET / HTTP/1.0\r\nHost: shop\r\n\r\n")
    assert fields(answer) == [b"HTTP/1.1 200 OK", b"connection: close"]
    assert content(answer) == b"hello world"


def test_a_head_request_gets_the_length_and_no_body(serve: Serve) -> None:
    edge = serve(answering(start(200, (b"content-length", b"5")), body(b"hello")))
    answer = edge.talk(REQUEST.replace(b"GET", b"HEAD"))
    assert fields(answer) == [b"HTTP/1.1 200 OK", b"content-length: 5", b"connection: close"]
    assert content(answer) == b""


@pytest.mark.parametrize(("status", "line"), [(204, []), (304, [b"content-length: 5"])])
def test_a_status_without_content_has_no_body(serve: Serve, status: int, line: list[bytes]) -> None:
    edge = serve(answering(start(status, (b"content-length", b"5")), body(b"hello")))
    answer = edge.talk(REQUEST)
    assert fields(answer)[1:] == [*line, b"connection: close"]
    assert content(answer) == b""


def test_repeated_response_fields_keep_their_order(serve: Serve) -> None:
    cookies = [(b"Set-Cookie", b"a=1"), (b"X", b"1"), (b"set-cookie", b"b=2")]
    edge = serve(answering(start(200, (b"content-length", b"0"), *cookies), body()))
    assert fields(edge.talk(REQUEST))[2:5] == [b"set-cookie: a=1", b"x: 1", b"set-cookie: b=2"]


def test_the_apps_date_replaces_ours(serve: Serve) -> None:
    edge = serve(answering(start(200, (b"Date", b"then"), (b"content-length", b"0")), body()))
    answer = edge.talk(REQUEST)
    assert answer.lower().count(b"\r\ndate: ") == 1
    assert b"\r\ndate: then\r\n" in answer


def test_no_server_field_is_added(serve: Serve) -> None:
    edge = serve(answering(start(), body()))
    answer = edge.talk(REQUEST)
    assert b"\r\nserver:" not in answer
    assert b"\r\ndate: " in answer


def test_fields_about_the_connection_are_the_edges_own(serve: Serve) -> None:
    given = [
        (b"connection", b"keep-alive"),
        (b"keep-alive", b"timeout=5"),
        (b"transfer-encoding", b"chunked"),
    ]
    edge = serve(answering(start(200, (b"content-length", b"2"), *given), body(b"ok")))
    assert fields(edge.talk(REQUEST)) == [b"HTTP/1.1 200 OK", b"content-length: 2", b"connection: close"]


def test_an_app_can_have_the_connection_closed(serve: Serve) -> None:
    edge = serve(answering(start(200, (b"content-length", b"2"), (b"connection", b"close")), body(b"ok")))
    answer = edge.talk(KEPT)
    assert fields(answer)[-1] == b"connection: close"


def test_informational_responses_go_first(serve: Serve) -> None:
    hint: Message = {"type": "datacue.informational", "status": 103, "headers": [(b"link", b"</a.css>")]}
    edge = serve(answering(hint, start(200, (b"content-length", b"2")), body(b"ok")))
    assert edge.talk(REQUEST).startswith(
        b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n"
    )


def test_a_client_of_http_1_0_gets_no_informational_response(serve: Serve) -> None:
    hint: Message = {"type": "datacue.informational", "status": 103, "headers": []}
    edge = serve(answering(hint, start(200, (b"content-length", b"2")), body(b"ok")))
    assert edge.talk(b"GET / HTTP/1.0\r\nHost: shop\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("value", [b"a\r\nSet-Cookie: b", b"a\nb", b"a\rb", b"a\0b", b"\r\n", b"\r", b"\n"])
def test_a_field_value_that_would_end_its_line_is_a_500(serve: Serve, value: bytes) -> None:
    answer = serve(answering(start(200, (b"x", value)), body())).talk(REQUEST)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"Set-Cookie" not in answer


@pytest.mark.parametrize("name", [b"a\r\nb", b"a b", b"a:", b"", "é".encode()])
def test_a_field_name_that_is_none_is_a_500(serve: Serve, name: bytes) -> None:
    assert serve(answering(start(200, (name, b"value")), body())).talk(REQUEST).startswith(b"HTTP/1.1 500 ")


def test_an_app_that_fails_before_it_answers_is_a_500_without_its_words(serve: Serve) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        raise ValueError("a secret")

    answer = serve(app).talk(KEPT)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert fields(answer)[-1] == b"connection: close"
    assert b"secret" not in answer


def test_an_error_of_the_tree_answers_with_its_status(serve: Serve) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        raise ConnectFailed("refused by 10.0.0.1", "shop")

    answer = serve(app).talk(KEPT)
    assert answer.startswith(b"HTTP/1.1 502 ")
    assert b"10.0.0.1" not in answer


def test_an_app_that_returns_without_an_answer_is_a_500(serve: Serve) -> None:
    assert serve(answering()).talk(KEPT).startswith(b"HTTP/1.1 500 ")


@pytest.mark.parametrize("fails", [True, False])
def test_a_cut_chunked_response_has_no_last_chunk(serve: Serve, fails: bool) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"hello", more=True))
        if fails:
            raise ConnectionError

    answer = serve(app).talk(KEPT)
    assert content(answer) == b"5\r\nhello\r\n"


@pytest.mark.parametrize("fails", [True, False])
def test_a_cut_response_is_shorter_than_its_length(serve: Serve, fails: bool) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send(start(200, (b"content-length", b"10")))
        await send(body(b"hello", more=fails))
        raise ConnectionError

    answer = serve(app).talk(KEPT)
    assert fields(answer) == [b"HTTP/1.1 200 OK", b"content-length: 10"]
    assert content(answer) == b"hello"


def test_a_cut_response_that_the_connections_end_would_complete_is_reset(serve: Serve) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"hello", more=True))
        raise ConnectionError

    with serve(app).connect() as client:
        client.sendall(b"GET / HTTP/1.0\r\nHost: shop\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            read_to_end(client)


def test_more_than_the_length_is_never_sent(serve: Serve) -> None:
    edge = serve(answering(start(200, (b"content-length", b"5")), body(b"hello", more=True), body(b" world")))
    assert content(edge.talk(KEPT)) == b"hello"


def test_a_head_does_not_wait_for_its_body(serve: Serve) -> None:
    go_on = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send(start(200, (b"content-length", b"5")))
        await asyncio.get_running_loop().run_in_executor(None, go_on.wait)
        await send(body(b"hello"))

    with serve(app).connect() as client:
        client.sendall(REQUEST)
        assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")
        go_on.set()
        assert read_to_end(client) == b"hello"


def test_each_piece_of_a_stream_arrives_before_the_next_is_made(serve: Serve) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send(start(200, (b"content-type", b"text/event-stream")))
        for at in range(20):
            await asyncio.get_running_loop().run_in_executor(None, taken.acquire)
            await send(body(b"data: %d\n\n" % at, more=True))
        await asyncio.get_running_loop().run_in_executor(None, taken.acquire)
        await send(body())

    taken = threading.Semaphore(0)
    with serve(app).connect() as client:
        client.sendall(REQUEST)
        read_until(client, b"\r\n\r\n")
        for at in range(20):
            taken.release()
            assert read_until(client, b"\r\n").startswith(
                b"%x\r\ndata: %d\n\n" % (len(b"data: %d\n\n" % at), at)
            )
        taken.release()
        assert read_to_end(client) == b"0\r\n\r\n"


def test_an_answer_before_the_body_arrives_in_full_though_the_client_still_sends(serve: Serve) -> None:
    edge = serve(answering(start(401, (b"content-length", b"4")), body(b"no!\n")))
    with edge.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 200_000)
        assert content(read_to_end(client)) == b"no!\n"


def test_an_app_hears_that_its_client_has_gone(serve: Serve) -> None:
    heard: list[str] = []
    done = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        assert (await receive())["more_body"] is False
        heard.append((await receive())["type"])
        try:
            await send(start())
        except Disconnected:
            heard.append("send raises")
        finally:
            done.set()

    edge = serve(app)
    with edge.connect() as client:
        client.sendall(KEPT)
    assert done.wait(10)
    assert heard == ["http.disconnect", "send raises"]


def test_an_app_can_be_called_when_its_client_goes(serve: Serve) -> None:
    begun = threading.Event()
    gone = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        scope["datacue.on_disconnect"](gone.set)
        begun.set()
        await asyncio.get_running_loop().run_in_executor(None, gone.wait)

    edge = serve(app)
    with edge.connect() as client:
        client.sendall(KEPT)
        assert begun.wait(10)
        assert not gone.is_set()
    assert gone.wait(10)


def test_an_app_hears_that_its_client_broke_off_in_a_body(serve: Serve) -> None:
    heard: list[Any] = []
    done = threading.Event()

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        message: Message = {}
        while message.get("type") != "http.disconnect":
            message = await receive()
            heard.append((message["type"], message.get("more_body")))
        done.set()

    with serve(app).connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nhello")
    assert done.wait(10)
    assert heard[-1] == ("http.disconnect", None)
    assert ("http.request", False) not in heard


def test_an_upload_waits_in_the_kernel_while_the_app_does_not_read(serve: Serve) -> None:
    largest = 0
    begin = threading.Event()
    size = 64 * 1024 * 1024

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        nonlocal largest
        await asyncio.get_running_loop().run_in_executor(None, begin.wait)
        total = 0
        more = True
        while more:
            message = await receive()
            largest = max(largest, len(message["body"]))
            total += len(message["body"])
            more = message["more_body"]
        text = b"%d" % total
        await send(start(200, (b"content-length", b"%d" % len(text))))
        await send(body(text))

    with serve(app).connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n" % size)
        block = bytes(1024 * 1024)
        sent = fill(client, block)
        assert sent < size / 2
        begin.set()
        while sent < size:
            sent += client.send(block[: size - sent])
        assert content(read_until(client, b"%d" % size)) == b"%d" % size
    assert largest < 1024 * 1024


def test_a_download_waits_in_the_app_while_the_client_does_not_read(serve: Serve) -> None:
    given = 0
    block = bytes(64 * 1024)

    async def app(scope: Any, receive: Receive, send: Send) -> None:
        nonlocal given
        await send(start(200, (b"content-length", b"%d" % (len(block) * 1000))))
        for _ in range(1000):
            given += len(block)
            await send(body(block, more=True))
        await send(body())

    edge = serve(app, EdgeLimits(write_idle_seconds=0.5))
    with edge.connect(SO_RCVBUF=16 * 1024) as client:
        client.sendall(REQUEST)
        client.recv(1)
        while edge.connections:  # until the client that doesn't read is given up
            assert given < 32 * 1024 * 1024
        assert edge.refused == ["write-timeout"]


def test_a_tunnel_carries_messages_both_ways(serve: Serve) -> None:
    edge = serve(echo_tunnel)
    with edge.connect() as client:
        client.sendall(UPGRADE)
        head = read_until(client, b"\r\n\r\n")
        assert head == b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n"
        for at in range(200):
            message = b"\x81\x00GET / HTTP/1.1\r\n\r\n%d\n" % at
            client.sendall(message)
            assert read_until(client, b"%d\n" % at) == message
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == b"goodbye"
    assert edge.refused == []


async def echo_tunnel(scope: Any, receive: Receive, send: Send) -> None:
    assert "datacue.tunnel" in scope["extensions"]
    assert await receive() == {"type": "http.request", "body": b"", "more_body": False}
    await send(start(101, (b"connection", b"Upgrade"), (b"upgrade", b"echo")))
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if message["body"]:
            await send(body(message["body"], more=True))
        if not message["more_body"]:
            break
    await send(body(b"goodbye"))


def test_what_a_client_sends_before_101_reaches_the_tunnel(serve: Serve) -> None:
    with serve(echo_tunnel).connect() as client:
        client.sendall(UPGRADE + b"early")
        assert read_until(client, b"early").startswith(b"HTTP/1.1 101 ")


def test_a_tunnel_holds_back_both_sides(serve: Serve) -> None:
    size = 32 * 1024 * 1024
    with serve(echo_tunnel).connect() as client:
        client.sendall(UPGRADE)
        read_until(client, b"\r\n\r\n")
        sent = fill(client, bytes(65536))
        assert sent < size
        received = 0
        while received < sent:
            received += len(client.recv(1024 * 1024))
        assert received == sent


def test_a_declined_upgrade_is_an_ordinary_response(serve: Serve) -> None:
    edge = serve(answering(start(200, (b"content-length", b"2")), body(b"ok")))
    answer = edge.talk(UPGRADE + KEPT)
    assert fields(answer) == [b"HTTP/1.1 200 OK", b"content-length: 2", b"connection: close"]
    assert content(answer) == b"ok"


def test_101_without_an_upgrade_request_is_a_500(serve: Serve) -> None:
    assert serve(answering(start(101))).talk(KEPT).startswith(b"HTTP/1.1 500 ")


def test_a_tunnel_whose_app_fails_is_reset(serve: Serve) -> None:
    async def app(scope: Any, receive: Receive, send: Send) -> None:
        await send(start(101, (b"connection", b"Upgrade"), (b"upgrade", b"echo")))
        await receive()
        raise ConnectionError

    with serve(app).connect() as client:
        client.sendall(UPGRADE)
        read_until(client, b"\r\n\r\n")
        client.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            read_to_end(client)


def test_a_client_that_sends_ahead_and_does_not_read_is_not_answered_into_memory(serve: Serve) -> None:
    called = 0

    async def app(_scope: object, _receive: Receive, send: Send) -> None:
        nonlocal called
        called += 1
        await send(start(200, (b"content-length", b"1000000")))
        await send(body(b"x" * 1_000_000))

    edge = serve(app)
    with edge.connect(SO_RCVBUF=4096) as client:
        client.sendall(KEPT * 200)
        assert client.recv(1)
        [connection] = edge.server.server_state.connections
        ended = time.monotonic() + PATIENCE
        while not connection.write_paused():
            assert time.monotonic() < ended
        assert called < 20
        read = 1
        while read < 200 * 1_000_000:
            read += len(client.recv(1 << 20))
        assert called == 200


def test_an_answer_made_in_the_turn_in_which_the_client_has_ended_is_sent(serve: Serve) -> None:
    async def app(_scope: object, _receive: Receive, _send: Send) -> None:
        await asyncio.sleep(PATIENCE)

    edge = serve(app)
    with edge.connect() as client:
        client.sendall(KEPT)
        connections: set[Any] = edge.server.server_state.connections
        ended = time.monotonic() + PATIENCE
        while not any(each._exchange for each in tuple(connections)):  # the server's thread adds to them
            assert time.monotonic() < ended
        [connection] = connections

        def both() -> None:
            """As the loop tells of the shop's answer, and then of the client's end."""
            reply = connection._exchange
            reply.start(200, [(b"content-length", b"4")])
            reply.content(b"done", more=False)
            if not connection.eof_received():
                connection._transport.close()

        connection.loop.call_soon_threadsafe(both)
        assert read_to_end(client).endswith(b"\r\n\r\ndone")
