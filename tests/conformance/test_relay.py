"""What passes by goes from socket to socket: the same bytes, checks and ends as on the way through the app."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from proxy import logs
from proxy.metrics import Metrics
from proxy.server import create_app
from proxy.settings import load

from .conftest import PATIENCE, Edge, read_to_end, read_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\n"
GET = b"GET /left HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: Firefox\r\nAccept: text/html\r\n\r\n"
CLOSE = GET.replace(b"Host", b"Connection: close\r\nHost")


def answer(content: bytes, *lines: bytes) -> bytes:
    head = b"".join(line + b"\r\n" for line in lines)
    return OK + head + b"Content-Length: %d\r\n\r\n" % len(content) + content


class Script:
    """A shop in threads that says exactly the bytes that a test gives it."""

    def __init__(self) -> None:
        self.say: Callable[[socket.socket, int], Any] = lambda wire, _: wire.sendall(answer(b"ok"))
        """Called with the connection and the number of requests that it has carried; False ends it."""
        self.seen: list[bytes] = []
        self.ended = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(wire,), daemon=True).start()

    def _serve(self, wire: socket.socket) -> None:
        wire.settimeout(PATIENCE)
        with wire, contextlib.suppress(OSError, AssertionError):
            number = 0
            while True:
                self.seen.append(read_until(wire, b"\r\n\r\n"))
                number += 1
                if self.say(wire, number) is False:
                    break
        self.ended.set()


class Product:
    """The reverse proxy in front of such a shop; ``called`` counts what took the way through the app."""

    def __init__(self, folder: Path, shop: Script, loop: str, more: str) -> None:
        port = shop.listener.getsockname()[1]
        (folder / "datacue.toml").write_text(
            f'upstream = "http://127.0.0.1:{port}"\napi_key = "x"\nevents_url = "http://127.0.0.1:1/"\n'
            f'state_dir = "{folder}/state"\n{more}\n[[pages]]\npath = "/left"\nkind = "none"\n'
        )
        self.metrics = Metrics()
        self.app = create_app(load(folder / "datacue.toml"), self.metrics, logs.configure("error", "json"))
        self.called = 0
        self.edge = Edge(self, None, loop, self.app.direct, lifespan=True)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.called += scope["type"] == "http"
        await self.app(scope, receive, send)

    def warm(self) -> int:
        """Leaves a connection to the shop idle; how often the app was called by then."""
        with self.edge.connect() as client:
            client.sendall(GET)
            read_until(client, b"\r\n\r\nok")
            end = time.monotonic() + PATIENCE
            while not self.app.app.pool.idle:  # type: ignore[attr-defined]  # create_app's app is Upstream
                assert time.monotonic() < end
        return self.called

    def relayed(self, request: bytes = CLOSE) -> bytes:
        """The answer to a request that must not reach the app."""
        before = self.warm()
        got = self.edge.talk(request)
        assert self.called == before
        return got


@pytest.fixture
def shop() -> Iterator[Script]:
    script = Script()
    yield script
    script.listener.close()


@pytest.fixture
def product(tmp_path: Path, shop: Script, loop_name: str) -> Iterator[Callable[[str], Product]]:
    with contextlib.ExitStack() as stack:

        def start(more: str = "") -> Product:
            product = Product(tmp_path, shop, loop_name, more)
            stack.callback(product.edge.stop)
            return product

        yield start


def second(shop: Script, *pieces: bytes, end: bool = False) -> None:
    """The first request of each connection gets "ok", the others these bytes."""

    def say(wire: socket.socket, number: int) -> Any:
        if number == 1:
            wire.sendall(answer(b"ok"))
            return None
        for piece in pieces:
            wire.sendall(piece)
        return not end

    shop.say = say


def content(got: bytes) -> bytes:
    return got.partition(b"\r\n\r\n")[2]


def figure(product: Product, line: str) -> bool:
    return line in product.metrics.expose().decode()


def test_a_page_passes_byte_for_byte(product: Any, shop: Script) -> None:
    page = bytes(range(256)) * 100
    second(shop, answer(page, b"Set-Cookie: a=1", b"X-A:  b ", b"set-cookie: b=2"))
    got = product().relayed()
    assert content(got) == page
    names = [line.partition(b":")[0] for line in got.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
    assert names == [
        b"set-cookie", b"x-a", b"set-cookie", b"content-length", b"x-datacue", b"date", b"connection",
    ]  # fmt: skip


REQUESTS = {
    "plain": b"",
    "nominated": b"Connection: X-Secret, keep-alive\r\nX-Secret: 1\r\n",
    "hop-by-hop": b"Keep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: x\r\nTrailer: x\r\n",
    "repeated": b"Cookie: a=1\r\nX-A: 1\r\ncookie: b=2\r\nx-a: 2\r\nX-A:3  \r\n",
    "forwarded": b"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\nForwarded: for=a\r\nVia: 1.0 x\r\n",
    "underscores": b"X_Forwarded_For: 1.2.3.4\r\nX_Any: 1\r\n",
    "ours": b"X-DataCue-Event: {}\r\nX-DataCue-User: {}\r\n",
    "odd bytes": b"X-A: \xff\xe9\t,;\r\nx-!#$%&'*+.^`|~: 1\r\n",
}


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("fields", REQUESTS.values(), ids=REQUESTS)
def test_shop_and_visitor_get_the_same_whichever_way(
    product: Any, shop: Script, fields: bytes, method: bytes
) -> None:
    said = answer(
        b"" if method == b"HEAD" else b"ok", b"Date: then", b"Connection: X-Inner", b"X-Inner: 1", b"X-B: 2",
        b"Keep-Alive: 5", b"ETag: W/1",
    )  # fmt: skip
    shop.say = lambda wire, _: wire.sendall(said)
    here = product()
    target = b"/left?a=%2F&b=//../"
    request = method + b" " + target + b" HTTP/1.1\r\nHost: shop.example\r\n" + fields + b"\r\n"
    got = []
    for _ in range(3):
        with here.edge.connect() as client:
            client.sendall(request)
            got.append(read_until(client, b"\r\n\r\n" if method == b"HEAD" else b"\r\n\r\nok"))
            deadline = time.monotonic() + PATIENCE
            while not here.app.app.pool.idle:
                assert time.monotonic() < deadline
    assert here.called == 1
    assert got[0] == got[1] == got[2]
    assert shop.seen[0] == shop.seen[1] == shop.seen[2]
    assert shop.seen[0].startswith(method + b" " + target + b" HTTP/1.1\r\n")


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_an_answer_without_a_body_ends_with_its_head(product: Any, shop: Script, status: bytes) -> None:
    second(shop, b"HTTP/1.1 " + status + b"\r\nETag: 1\r\n\r\n")
    got = product().relayed()
    assert got.startswith(b"HTTP/1.1 " + status)
    assert content(got) == b""


@pytest.mark.parametrize(
    "pieces",
    [
        [b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhel", b"lo\r\n0\r\nX-Admin: 1\r\n\r\n"],
        [b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n"],
    ],
)
def test_chunks_are_framed_anew_and_trailers_dropped(product: Any, shop: Script, pieces: list[bytes]) -> None:
    second(shop, OK + pieces[0], *pieces[1:])
    got = product().relayed()
    chunks = content(got)
    assert re.fullmatch(rb"(?:[1-5]\r\n[helo]+\r\n)+0\r\n\r\n", chunks)
    assert re.sub(rb"[0-9]\r\n|\r\n", b"", chunks) == b"hello"
    assert b"x-admin" not in got


def test_a_body_that_ends_with_the_shops_connection_is_chunked(product: Any, shop: Script) -> None:
    second(shop, OK + b"Connection: close\r\n\r\nto the end", end=True)
    got = product().relayed()
    assert got.endswith(b"a\r\nto the end\r\n0\r\n\r\n")


def test_informational_answers_are_dropped(product: Any, shop: Script) -> None:
    second(shop, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", answer(b"final"))
    got = product().relayed()
    assert got.startswith(b"HTTP/1.1 200 ")
    assert content(got) == b"final"


def test_each_piece_arrives_before_the_next_is_made(product: Any, shop: Script) -> None:
    go = threading.Semaphore(0)

    def say(wire: socket.socket, number: int) -> None:
        if number == 1:
            return wire.sendall(answer(b"ok"))
        wire.sendall(OK + b"Content-Length: 30\r\n\r\n")
        for _ in range(10):
            go.acquire(timeout=PATIENCE)
            wire.sendall(b"abc")
        return None

    shop.say = say
    here = product()
    before = here.warm()
    with here.edge.connect() as client:
        client.sendall(GET)
        assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        for _ in range(10):
            go.release()
            assert read_until(client, b"abc") == b"abc"
        client.sendall(GET)  # and the connection goes on
        assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert here.called == before
    go.release(10)


def test_requests_sent_ahead_are_answered_in_order(product: Any, shop: Script) -> None:
    shop.say = lambda wire, _: wire.sendall(answer(shop.seen[-1].split(b" ")[1][1:]))
    here = product()
    with here.edge.connect() as client:
        ahead = [GET.replace(b"/left", b"/left?%d" % number) for number in range(20)]
        client.sendall(b"".join(ahead))
        got = read_until(client, b"\r\n\r\nleft?19")
    assert re.findall(rb"\r\n\r\n(left\?[0-9]+)", got) == [b"left?%d" % number for number in range(20)]


def test_heads_that_repeat_are_each_ones_own(product: Any, shop: Script) -> None:
    """Visitors with the same fields but for a cookie, answers with the same fields but for what they say."""
    said = b"Date: Mon, 23 Nov 2026 19:00:%02d GMT"

    def say(wire: socket.socket, _number: int) -> None:
        asked = shop.seen[-1]
        cookie = re.search(rb"cookie: (.*?)\r\n", asked)
        lines = [b"ETag: 1", said % (len(shop.seen) % 60), *([b"Set-Cookie: " + cookie[1]] if cookie else [])]
        wire.sendall(answer(b"" if asked.startswith(b"HEAD") else b"ok", *lines))

    shop.say = say
    here = product()
    here.warm()
    visitors = [b"", b"Cookie: a=1\r\n", b"cookie: a=1\r\n", b"Cookie: a=2\r\n", b"Cookie:\ta=3 \r\n"]
    for _ in range(5):
        for method in (b"GET", b"HEAD"):
            for visitor in visitors:
                for close in (b"", b"Connection: close\r\n"):
                    with here.edge.connect() as client:
                        asked = method + b" /left HTTP/1.1\r\nHost: shop.example\r\n" + visitor + close
                        client.sendall(asked + b"\r\n")
                        got = read_until(client, b"\r\n\r\n" if method == b"HEAD" else b"\r\n\r\nok")
                        assert (b"\r\nconnection: close\r\n" in got) is bool(close)
                        if close:
                            assert client.recv(1) == b""
                    own = re.findall(rb"[Cc]ookie:\s*(\S+)", visitor)
                    assert re.findall(rb"\r\nset-cookie: (.*)\r\n", got) == own
                    assert re.findall(rb"\r\ncookie: (.*)\r\n", shop.seen[-1]) == own
                    assert got.count(b"\r\ndate: ") == 1
                    assert b"\r\ndate: " + (said % (len(shop.seen) % 60))[6:] + b"\r\n" in got
                    assert shop.seen[-1].startswith(method + b" /left ")


def test_a_page_and_what_passes_differ_for_the_shop_though_their_fields_are_the_same(
    product: Any, shop: Script
) -> None:
    """A page's codings are narrowed to those that we can read; what passes keeps them."""
    here = product('[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n')
    lines = (
        b"Host: shop.example\r\nUser-Agent: Firefox\r\nAccept: text/html\r\nAccept-Encoding: gzip, dcb\r\n"
    )
    with here.edge.connect() as client:
        for _ in range(5):
            for path, kept in ((b"/left", True), (b"/product/1", False)):
                client.sendall(b"GET " + path + b" HTTP/1.1\r\n" + lines + b"\r\n")
                read_until(client, b"\r\n\r\nok")
                assert shop.seen[-1].startswith(b"GET " + path + b" ")
                assert (b"dcb" in shop.seen[-1]) is kept


MISBEHAVING = {
    "garbage": b"no http at all\r\n\r\n",
    "half a head": OK + b"Content-Le",
    "two lengths": OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "both lengths": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded field": OK + b"X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
    "more than its length": OK + b"Content-Length: 3\r\n\r\nabcd",
    "a bare LF": OK + b"X-A: 1\nContent-Length: 0\r\n\r\n",
    "an upgrade nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
}


@pytest.mark.parametrize("said", MISBEHAVING.values(), ids=MISBEHAVING)
def test_no_proper_answer_is_a_502(product: Any, shop: Script, said: bytes) -> None:
    second(shop, said, end=True)
    here = product()
    got = here.relayed()
    assert got.startswith(b"HTTP/1.1 502 ")
    assert b"Bad gateway" in content(got)
    assert figure(here, 'datacue_failures_total{error="') is True
    assert figure(here, 'datacue_pages_total{outcome="bypass:rule",page="none"} 2.0')


BROKEN = {
    "a short body": (b"Content-Length: 100\r\n\r\nshort", b"short"),
    "no last chunk": (b"Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n", b"5\r\nshort\r\n"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_body_that_breaks_off_is_never_ended_cleanly(product: Any, shop: Script, what: str) -> None:
    said, arrives = BROKEN[what]
    second(shop, OK + said, end=True)
    assert content(product().relayed()) == arrives


def test_the_shop_that_stalls_is_a_504(product: Any, shop: Script) -> None:
    second(shop)
    assert product("response_timeout = 0.3\n").relayed().startswith(b"HTTP/1.1 504 ")


def test_an_idle_connection_that_the_shop_had_closed_costs_nobody_an_error(
    product: Any, shop: Script
) -> None:
    """It is closed as the second request comes: that one is asked again, through the app."""
    second(shop, end=True)
    here = product()
    before = here.warm()
    got = here.edge.talk(CLOSE)
    assert content(got) == b"ok"
    assert here.called == before + 1
    assert len(shop.seen) == 3


def test_a_visitor_who_leaves_ends_the_shops_work(product: Any, shop: Script) -> None:
    second(shop)
    here = product()
    here.warm()
    with here.edge.connect() as client:
        client.sendall(GET)
        end = time.monotonic() + PATIENCE
        while len(shop.seen) < 2:
            assert time.monotonic() < end
    assert shop.ended.wait(PATIENCE)
    end = time.monotonic() + PATIENCE
    while here.app.app.pool.active:
        assert time.monotonic() < end
    assert figure(here, 'datacue_failures_total{error="gone",source="client"} 1.0')


def test_a_slow_visitor_slows_the_shop_and_gets_all(product: Any, shop: Script) -> None:
    size, block = 64 << 20, b"0123456789abcdef" * 4096
    sent = 0

    def say(wire: socket.socket, number: int) -> None:
        nonlocal sent
        if number == 1:
            return wire.sendall(answer(b"ok"))
        wire.sendall(OK + b"Content-Length: %d\r\n\r\n" % size)
        while sent < size:
            sent += wire.send(block)
        return None

    shop.say = say
    here = product()
    before = here.warm()
    with here.edge.connect(SO_RCVBUF=4096) as client:
        client.sendall(CLOSE)
        last = -1
        while not sent or last != sent:  # until nothing moves
            last = sent
            threading.Event().wait(0.5)
        assert sent < size // 2
        got = read_to_end(client)
    assert len(content(got)) == size
    assert here.called == before


@pytest.mark.parametrize("late", [False, True])
def test_a_shop_that_speaks_to_us_is_heard_and_nobody_else_hears_it(
    product: Any, shop: Script, late: bool
) -> None:
    head = (
        OK
        + b'X-DataCue-User: {"user_id": "u1"}\r\nContent-Type: text/plain\r\nContent-Length: 400000\r\n\r\n'
    )
    pieces = [head, *[b"a" * 100_000] * 4] if late else [head + b"a" * 400_000]
    second(shop, *pieces)
    here = product()
    before = here.warm()
    got = here.edge.talk(CLOSE)
    assert content(got) == b"a" * 400_000
    assert b"x-datacue-user" not in got
    assert here.called == before  # from where it was, not from the start
    assert len(shop.seen) == 2


@pytest.mark.parametrize("path", [b"/_datacue/static/datacue.css", b"/%5Fdatacue/static/datacue.css"])
def test_our_own_addresses_never_reach_the_shop(product: Any, shop: Script, path: bytes) -> None:
    here = product()
    here.warm()
    asked = b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nAccept: text/css\r\nConnection: close\r\n\r\n"
    assert here.edge.talk(asked).startswith(b"HTTP/1.1 200 ")
    assert len(shop.seen) == 1


def test_a_request_that_goes_in_circles_is_a_508(product: Any, shop: Script) -> None:
    here = product()
    here.warm()
    via = CLOSE.replace(b"Host", b"Via: " + b", ".join([b"1.1 datacue-proxy"] * 4) + b"\r\nHost")
    assert here.edge.talk(via).startswith(b"HTTP/1.1 508 ")


@pytest.mark.parametrize("fields", [b"Content-Length: 0\r\n", b"Expect: 100-continue\r\n", b"Upgrade: x\r\n"])
def test_what_is_out_of_the_ordinary_takes_the_way_through_the_app(
    product: Any, shop: Script, fields: bytes
) -> None:
    here = product()
    before = here.warm()
    assert content(here.edge.talk(CLOSE.replace(b"Host", fields + b"Host"))) == b"ok"
    assert here.called == before + 1


def test_a_stop_lets_what_has_begun_end(product: Any, shop: Script) -> None:
    go = threading.Event()

    def say(wire: socket.socket, number: int) -> None:
        if number > 1:
            go.wait(PATIENCE)
        wire.sendall(answer(b"ok"))

    shop.say = say
    here = product()
    here.warm()
    with here.edge.connect() as client:
        client.sendall(GET)
        end = time.monotonic() + PATIENCE
        while len(shop.seen) < 2:
            assert time.monotonic() < end
        here.edge.server.should_exit = True
        while here.edge.server.servers and here.edge.server.servers[0].is_serving():
            assert time.monotonic() < end
        go.set()
        got = read_to_end(client)
    assert content(got) == b"ok"
    assert b"\r\nconnection: close\r\n" in got
