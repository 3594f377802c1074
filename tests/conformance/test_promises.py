"""The promises on HTTP, row by row, against the whole product over raw sockets (promises 12-15, 18, 24)."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import uuid

import pytest
from harness.peers import page, product, reply
from harness.wire import BROWSER, Wire, ask, request

RULE = '[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n'
GOOD = b"GET / HTTP/1.1\r\nhost: shop.example\r\nuser-agent: x\r\n"


@pytest.fixture
async def proxy(run_proxy, shop):
    shop.answers["*"] = reply(b"ok", content_type="text/plain")
    return await run_proxy()


LEFT = '[[pages]]\npath = "/{all*}"\nkind = "none"\n'


@pytest.fixture(params=["app", "relay"])
async def either(request, run_proxy, shop):
    """Both ways that a request may take: as a page, through the app; or left alone, from socket to socket."""
    shop.answers["*"] = reply(b"ok", content_type="text/plain")
    proxy = await run_proxy(LEFT if request.param == "relay" else "")
    if request.param == "relay":
        assert (await ask(proxy.address)).body == b"ok"  # leaves a connection to the shop idle
        shop.seen.clear()
    return proxy


REFUSED = {
    "both lengths": b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a coding other than chunked": b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n",
    "a coding beside chunked": b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "a hidden coding": b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "transfer-encoding on HTTP/1.0": b"POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    "the same host twice": b"GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nuser-agent: x\r\n\r\n",
    "a folded line": b"GET / HTTP/1.1\r\nhost: a\r\nx-a: 1\r\n 2\r\n\r\n",
    "a bare LF after a field": b"GET / HTTP/1.1\r\nhost: a\nx-a: 1\r\n\r\n",
    "bare LFs alone": b"GET / HTTP/1.1\nhost: a\n\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nhost: a\r\nx-a : 1\r\n\r\n",
    "another host in the target": b"GET http://evil.example/ HTTP/1.1\r\nhost: a\r\n\r\n",
    "a NUL in a value": b"GET / HTTP/1.1\r\nhost: a\r\nx-a: 1\x002\r\n\r\n",
    "a bare CR in a value": b"GET / HTTP/1.1\r\nhost: a\r\nx-a: 1\r2\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
    "a list of lengths": b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3, 3\r\n\r\nabc",
    "a signed length": b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +3\r\n\r\nabc",
    "a hexadecimal length": b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0x3\r\n\r\nabc",
    "a chunk size that is none": b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "a chunk with a bare LF": b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
    "a field without a name": b"GET / HTTP/1.1\r\nhost: a\r\n: 1\r\n\r\n",
    "a method that is no token": b"GE(T / HTTP/1.1\r\nhost: a\r\n\r\n",
}


@pytest.mark.parametrize("what", sorted(REFUSED))
async def test_an_ambiguous_request_is_refused_and_its_connection_closed(proxy, shop, what):
    wire = await Wire.open(proxy.address)
    await wire.send(REFUSED[what] + GOOD + b"\r\n")
    got = await wire.reply()
    assert got.status == 400
    assert got.get("connection") == "close"
    assert await asyncio.wait_for(wire.reader.read(), 10) == b""
    # Of a body, the shop may have seen the head before the body proved wrong; never what follows it.
    assert not [seen for seen in shop.seen if seen.method == "GET"]
    await wire.close()


async def test_too_many_or_too_long_fields_are_431(proxy):
    many = GOOD + b"".join(b"x-%d: 1\r\n" % number for number in range(120)) + b"\r\n"
    long = GOOD + b"x-a: " + b"a" * 40_000 + b"\r\n\r\n"
    for message in (many, long):
        wire = await Wire.open(proxy.address)
        await wire.send(message)
        assert (await wire.reply()).status == 431
        await wire.close()


async def test_a_body_over_the_cap_is_413_whether_declared_or_not(run_proxy, shop):
    shop.answers["*"] = reply(b"ok", content_type="text/plain")
    proxy = await run_proxy("max_request_body = 1000\n")
    assert (await ask(proxy.address, method="POST", body=b"a" * 1001)).status == 413
    chunked = b"3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n"
    got = await ask(proxy.address, method="POST", body=chunked, transfer_encoding="chunked")
    assert got.status == 413
    assert (await ask(proxy.address, method="POST", body=b"a" * 1000)).status == 200


@pytest.mark.parametrize(
    "target",
    ["/a%2Fb", "/a/../b", "//a//b", "/a?b=%20&c=+%zz&d", "/a;p=1?x=%00", "/%E4%F6", "/?", "/a?b?c", "/~%7e"],
)
async def test_the_target_reaches_the_shop_as_sent(either, shop, target):
    assert (await ask(either.address, target)).status == 200
    assert shop.seen[0].target == target


async def test_repeated_fields_pass_both_ways_and_nominated_ones_neither(either, shop):
    shop.answers["*"] = reply(
        b"ok", 200, "set-cookie: a=1", "set-cookie: b=2", "connection: x-inner", "x-inner: 1", "keep-alive: timeout=5",
        content_type="text/plain",
    )  # fmt: skip
    wire = await Wire.open(either.address)
    await wire.send(
        GOOD + b"cookie: a=1\r\ncookie: b=2\r\nx-twice: 1\r\nx-twice: 2\r\n"
        b"connection: keep-alive, x-secret\r\nx-secret: 1\r\nte: trailers\r\nproxy-authorization: x\r\n\r\n"
    )
    got = await wire.reply()
    await wire.close()
    assert got.all("set-cookie") == ["a=1", "b=2"]
    assert got.get("x-inner") is None
    assert got.get("keep-alive") is None
    [seen] = shop.seen
    assert seen.all("cookie") == ["a=1", "b=2"]
    assert seen.all("x-twice") == ["1", "2"]
    assert [seen.get(name) for name in ("x-secret", "te", "proxy-authorization", "keep-alive")] == [None] * 4


async def test_the_shop_learns_who_asked(either, shop):
    await ask(either.address, x_forwarded_for="198.51.100.7", x_forwarded_proto="https")
    [seen] = shop.seen
    assert seen.get("host") == "shop.example"
    assert seen.get("via") == "1.1 datacue-proxy"
    assert seen.get("x-forwarded-for") == "198.51.100.7, 127.0.0.1"
    assert seen.get("x-forwarded-proto") == "https"
    assert seen.get("x-forwarded-host") == "shop.example"
    assert 'host="shop.example"' in seen.get("forwarded")


async def test_no_visitors_cookie_reaches_the_shop_on_anothers_request(either, shop):
    shop.answers["*"] = reply(b"ok", 200, "set-cookie: session=first", content_type="text/plain")
    for visitor in ("a", "b"):
        await ask(either.address, cookie=f"session={visitor}")
    await ask(either.address)
    assert [seen.all("cookie") for seen in shop.seen] == [["session=a"], ["session=b"], []]


async def test_trailers_are_never_merged_into_fields(proxy, shop):
    body = b"3\r\nabc\r\n0\r\nx-admin: 1\r\nhost: evil\r\n\r\n"
    got = await ask(proxy.address, method="POST", body=body, transfer_encoding="chunked", trailer="x-admin")
    assert got.status == 200
    [seen] = shop.seen
    assert seen.body == b"abc"
    assert seen.get("x-admin") is None
    assert seen.all("host") == ["shop.example"]


@pytest.mark.parametrize("status", [204, 304])
async def test_bodiless_answers_have_no_body(either, shop, status):
    shop.answers["*"] = f'HTTP/1.1 {status} X\r\netag: "1"\r\n\r\n'.encode()
    wire = await Wire.open(either.address)
    for _ in range(2):
        await wire.send(request())
        got = await wire.reply()
        assert got.status == status
        assert got.get("etag") == '"1"'
    await wire.close()


async def test_informational_answers_do_not_confuse_anybody(either, shop):
    shop.answers["*"] = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n" + reply(
        b"ok", content_type="text/plain"
    )
    got = await ask(either.address)
    assert got.status in {103, 200}
    assert got.status == 103 or got.body == b"ok"


MISBEHAVING = {
    "garbage": b"no http at all\r\n\r\n",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
    "both lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded field": b"HTTP/1.1 200 OK\r\nx-a: 1\r\n 2\r\ncontent-length: 0\r\n\r\n",
    "a field without end": b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * 200_000,
    "an upgrade nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
}


@pytest.mark.parametrize("what", sorted(MISBEHAVING))
async def test_a_shop_that_gives_no_proper_answer_is_502(either, shop, what):
    async def misbehave(seen, writer):
        writer.write(MISBEHAVING[what])
        await writer.drain()
        writer.close()

    shop.answers["*"] = misbehave
    got = await ask(either.address)
    assert got.status == 502
    assert b"Bad gateway" in got.body
    assert got.complete
    _host, port = shop.address
    assert str(port).encode() not in got.body


BROKEN_BODIES = {
    "a short body": b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\nshort",
    "a chunk that ends early": b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n64\r\nshort",
    "no last chunk": b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n",
    "a chunk size that is none": b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\nxyz\r\n",
}


@pytest.mark.parametrize("what", sorted(BROKEN_BODIES))
async def test_a_body_that_breaks_off_is_never_ended_cleanly(either, shop, what):
    async def misbehave(seen, writer):
        writer.write(BROKEN_BODIES[what])
        await writer.drain()
        writer.close()

    shop.answers["*"] = misbehave
    got = await ask(either.address)
    assert not got.complete or got.status == 502


async def test_what_a_shop_sends_beyond_its_answer_reaches_nobody(either, shop):
    shop.answers["*"] = reply(b"ok", content_type="text/plain") + reply(
        b"smuggled", content_type="text/plain"
    )
    for _ in range(3):
        got = await ask(either.address)
        assert got.status == 502 or (got.body == b"ok" and got.complete)


async def test_a_shop_that_stalls_is_504(run_proxy, shop):
    async def stall(seen, writer):
        await asyncio.sleep(30)

    shop.answers["*"] = stall
    proxy = await run_proxy("response_timeout = 0.3\n")
    assert (await ask(proxy.address)).status == 504


async def test_a_shop_that_is_not_there_is_502(run_proxy, shop):
    await shop.stop()
    proxy = await run_proxy()
    assert (await ask(proxy.address)).status == 502


async def test_a_shop_address_that_leads_back_to_us_is_noticed(run_proxy, shop):
    proxy = await run_proxy()
    got = await ask(proxy.address, via=", ".join(["1.1 datacue-proxy"] * 4))
    assert got.status == 508


@pytest.mark.parametrize("secure", [False, True])
async def test_the_visitors_cookie_is_as_promised(run_proxy, shop, vendor, secure):
    shop.answers["*"] = reply(page("x"))
    proxy = await run_proxy(RULE)
    scheme = {"x_forwarded_proto": "https"} if secure else {}
    got = await ask(proxy.address, "/product/1", **scheme)
    [cookie] = got.all("set-cookie")
    name, _, rest = cookie.partition("=")
    attributes = {part.strip().lower() for part in rest.split(";")[1:]}
    assert name == ("__Host-datacue" if secure else "datacue")
    assert {"path=/", "httponly", "samesite=lax", "max-age=34560000"} <= attributes
    assert ("secure" in attributes) is secure
    assert uuid.UUID(re.split(r"[.~]", rest)[0]).version == 4
    forged = await ask(proxy.address, "/product/1", cookie=f"{name}={uuid.uuid4()}.AAAA.forged", **scheme)
    assert forged.get("set-cookie") is not None


async def test_a_rotated_key_invalidates_no_live_cookie(run_proxy, shop, vendor):
    shop.answers["*"] = reply(page("x"))
    before = await run_proxy(RULE, DATACUE_SECRET_KEYS="old-key")
    after = await run_proxy(RULE, DATACUE_SECRET_KEYS="old-key,new-key")
    cookie = (await ask(before.address, "/product/1")).cookie()
    await ask(after.address, "/product/1", cookie=cookie)
    first, second = (event["user"]["anonymous_id"] for event in vendor.events)
    assert first == second


async def test_two_hundred_websocket_messages_pass_the_tunnel(proxy, shop):
    async def echo(seen, writer):
        reader = shop.readers[-1]
        assert seen.get("upgrade") == "websocket"
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    shop.answers["*"] = echo
    wire = await Wire.open(proxy.address)
    await wire.send(
        request(connection="Upgrade", upgrade="websocket", sec_websocket_key="x", sec_websocket_version="13")
    )
    got = await wire.reply()
    assert got.status == 101
    assert got.get("upgrade") == "websocket"
    for number in range(200):
        frame = os.urandom(number * 7 + 1)
        await wire.send(frame)
        assert await asyncio.wait_for(wire.reader.readexactly(len(frame)), 10) == frame
    await wire.close()


async def test_server_sent_events_arrive_unbuffered(either, shop):
    go = asyncio.Queue()

    async def stream(seen, writer):
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        while True:
            event = await go.get()
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await writer.drain()

    shop.answers["*"] = stream
    wire = await Wire.open(either.address)
    await wire.send(request(accept="text/event-stream"))
    await wire.reader.readuntil(b"\r\n\r\n")
    for number in range(20):
        event = b"data: %d\n\n" % number
        go.put_nowait(event)
        assert await asyncio.wait_for(wire.reader.readuntil(event + b"\r\n"), 5)
    await wire.close()


async def test_a_client_that_leaves_frees_the_shops_connection(either, shop):
    left = asyncio.Event()

    async def endless(seen, writer):
        await shop.readers[-1].read()
        left.set()

    shop.answers["*"] = endless
    wire = await Wire.open(either.address)
    await wire.send(request())
    async with asyncio.timeout(5):
        while not shop.seen:
            await asyncio.sleep(0.01)
    await wire.close()
    await asyncio.wait_for(left.wait(), 5)


GIGABYTE = 1 << 30
BLOCK = os.urandom(1 << 20)
MEMORY = 50 << 20


async def test_a_download_of_a_gigabyte_stays_within_fifty_megabytes(either, shop):
    async def pour(seen, writer):
        writer.write(
            f"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-length: {GIGABYTE}\r\n\r\n".encode()
        )
        for _ in range(GIGABYTE >> 20):
            writer.write(BLOCK)
            await writer.drain()

    shop.answers["*"] = pour
    before = either.memory()
    wire = await Wire.open(either.address)
    await wire.send(request())
    await wire.reader.readuntil(b"\r\n\r\n")
    digest, size = hashlib.blake2b(), 0
    while size < GIGABYTE:
        piece = await wire.reader.read(1 << 20)
        assert piece
        digest.update(piece)
        size += len(piece)
    await wire.close()
    expected = hashlib.blake2b()
    for _ in range(GIGABYTE >> 20):
        expected.update(BLOCK)
    assert digest.digest() == expected.digest()
    assert either.peak_memory() - before < MEMORY


async def test_an_upload_of_a_gigabyte_stays_within_fifty_megabytes(proxy, shop):
    shop.consume = True
    before = proxy.memory()
    wire = await Wire.open(proxy.address)
    await wire.send(
        f"PUT /upload HTTP/1.1\r\nhost: shop.example\r\nuser-agent: {BROWSER}\r\ncontent-length: {GIGABYTE}\r\n\r\n".encode()
    )
    for _ in range(GIGABYTE >> 20):
        await wire.send(BLOCK)
    got = await wire.reply()
    await wire.close()
    assert got.status == 200
    assert shop.seen[0].size == GIGABYTE
    assert proxy.peak_memory() - before < MEMORY


async def test_a_restart_under_load_fails_no_request(run_proxy, shop):
    """SIGTERM: what is in flight ends well; the rest is refused by the closed port, never cut."""

    async def slow(seen, writer):
        await asyncio.sleep(0.3)
        writer.write(reply(b"ok", content_type="text/plain"))

    shop.answers["*"] = slow
    proxy = await run_proxy()
    asked = [asyncio.get_running_loop().create_task(ask(proxy.address)) for _ in range(20)]
    async with asyncio.timeout(5):
        while len(shop.seen) < 20:
            await asyncio.sleep(0.01)
    assert await proxy.stop() == 0
    for got in await asyncio.gather(*asked):
        assert got.status == 200
        assert got.complete


async def test_the_admin_address_says_how_it_is(run_proxy, shop, vendor):
    vendor.recommendations = {"related_product_skus": [product(1)]}
    shop.answers["*"] = reply(page('<div data-dc-products="related"></div>'))
    proxy = await run_proxy(RULE)
    await ask(proxy.address, "/product/1")
    assert (await ask(proxy.admin, "/healthz")).body == b"ok\n"
    assert (await ask(proxy.admin, "/readyz")).status == 200
    figures = (await ask(proxy.admin, "/metrics")).body.decode()
    assert 'datacue_slots_total{outcome="hit",widget="related"} 1.0' in figures
    assert 'datacue_events_total{outcome="acknowledged",type="pageview"} 1.0' in figures
    assert 'datacue_pages_total{outcome="rewritten",page="product"} 1.0' in figures
    assert (await ask(proxy.address, "/metrics")).body != figures.encode()
