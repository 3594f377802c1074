"""Answers of every kind, over a raw socket: what comes back is the result, or the error that it is."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import ssl
import subprocess

import httpx
import pytest
from harness.peers import reply

from proxy.api import (
    ApiError,
    BadAnswer,
    DataCueClient,
    Elsewhere,
    NoAnswer,
    NotFound,
    NotSent,
    Overview,
    ProductCounts,
    Rejected,
    SyncDataCueClient,
    Throttled,
    TooLarge,
    Unauthorized,
    Untrusted,
    VendorFailed,
)

JSON = "application/json"
NGINX = b"""<html>
<head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>"""
OVERVIEW = b'{"products":{"products":1,"variants":2},"orders":3}'


@pytest.mark.parametrize(
    ("status", "kind", "source", "retryable"),
    [
        (301, Elsewhere, "client", False),
        (307, Elsewhere, "client", False),
        (400, Rejected, "client", False),
        (401, Unauthorized, "client", False),
        (403, Unauthorized, "client", False),
        (404, NotFound, "client", False),
        (413, TooLarge, "client", False),
        (422, Rejected, "client", False),
        (429, Throttled, "vendor", True),
        (500, VendorFailed, "vendor", True),
        (503, VendorFailed, "vendor", True),
        (599, VendorFailed, "vendor", True),
    ],
)
async def test_a_status_that_says_no_is_the_error_of_whose_fault_it_is(fake, status, kind, source, retryable):
    fake.say(reply(b'{"error":"Please specify a price"}', status, "location: /login", content_type=JSON))
    async with fake.client(retries=0) as client:
        with pytest.raises(kind) as caught:
            await client.products.create({"product_id": "p1"})
    error = caught.value
    assert type(error) is kind
    assert (error.source, error.retryable, error.answered) == (source, retryable, status)
    assert str(error) == f"POST /products: {status}: Please specify a price"
    assert (error.request, error.message) == ("POST /products", "Please specify a price")
    assert len(fake.seen) == 1  # a redirect is not followed


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b'{"error":"no"}', JSON, "no"),
        (b'{"message":"no"}', JSON, "no"),
        (b'{"errors":[{"message":"a"},"b"]}', JSON, "a; b"),
        (b'{"error":{"message":"deep"}}', "text/plain", "deep"),
        (b'"just text"', JSON, "just text"),
        (b"{}", JSON, "Bad Gateway"),
        (b"", "", "Bad Gateway"),
        (b"plain words", "text/plain", "plain words"),
        (NGINX, "text/html", "502 Bad Gateway"),
        (b"<p>Fatal error:\n <b>out</b> of&nbsp;memory</p>", "", "Fatal error: out of memory"),
        (b"<style>p{}</style><script>x()</script><!-- c --><p>said", "text/html", "said"),
        (b'{"error":"\x1b[31mred\\u0007"}', JSON, "?"),
        (b"you sent Authorization: Basic dGVzdC1rZXk6c2ln", "text/plain", "you sent Authorization: Basic …"),
        (b"\xff\xfe", "text/plain", "\ufffd\ufffd"),
    ],
)
async def test_the_vendors_words_become_one_short_line(fake, body, content_type, words):
    fake.say(reply(body, 502, content_type=content_type))
    async with fake.client(retries=0) as client:
        with pytest.raises(VendorFailed) as caught:
            await client.overview()
    said = caught.value.message
    assert said.isprintable()
    assert words in {"?", said}


async def test_an_endless_message_is_cut(fake):
    fake.say(reply(json.dumps({"error": "x" * 100_000}).encode(), 400, content_type=JSON))
    async with fake.client() as client:
        with pytest.raises(Rejected) as caught:
            await client.products.create({"product_id": "p1"})
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"<html>", b'{"products":5}', b"\xff", b"[" * 100_000])
async def test_an_answer_that_cannot_be_read_is_the_vendors(fake, body):
    fake.say(reply(body, 200, content_type=JSON))
    async with fake.client() as client:
        with pytest.raises(BadAnswer, match=r"GET /overview: 200 with a body \(application/json\)") as caught:
            await client.overview()
    assert (caught.value.source, caught.value.answered) == ("vendor", 200)
    assert len(fake.seen) == 1


async def test_a_packed_answer_is_unpacked_though_none_was_asked_for(fake):
    fake.say(reply(gzip.compress(OVERVIEW), 200, "content-encoding: gzip", content_type=JSON))
    async with fake.client() as client:
        assert await client.overview() == Overview(ProductCounts(1, 2), orders=3)
    assert fake.seen[0].get("accept-encoding") == "identity"


async def test_an_answer_without_end_is_refused(fake, monkeypatch):
    monkeypatch.setattr("proxy.api.transport.MAX_ANSWER", 1000)
    fake.say(reply(b"x" * 2000, 200))
    async with fake.client() as client:
        with pytest.raises(BadAnswer, match="more than"):
            await client.overview()


async def cut(seen, writer):
    writer.write(reply(OVERVIEW, 200)[:-5])
    await writer.drain()
    writer.close()


async def nothing(seen, writer):
    writer.close()


async def silence(seen, writer):
    await asyncio.Event().wait()


async def garbage(seen, writer):
    writer.write(b"garbage\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("answer", [cut, nothing, garbage], ids=lambda answer: answer.__name__)
async def test_a_connection_that_breaks_off_may_have_been_acted_on(fake, answer):
    fake.say(answer)
    async with fake.client(retries=0) as client:
        with pytest.raises(NoAnswer) as caught:
            await client.overview()
    assert (caught.value.source, caught.value.retryable, caught.value.answered) == ("network", True, None)


async def test_an_answer_that_does_not_come_is_given_up(fake):
    fake.say(silence)
    async with fake.client(retries=0, timeout=httpx.Timeout(10, read=0.05)) as client:
        with pytest.raises(NoAnswer, match="no answer in time"):
            await client.overview()


async def test_an_answer_that_drips_ends_with_the_calls_own_limit(fake, monkeypatch):
    async def drip(seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    monkeypatch.setattr("proxy.api.transport.CALL_SECONDS", 0.1)
    fake.say(drip)
    async with fake.client(retries=0) as client:
        with pytest.raises(NoAnswer):
            await client.overview()
    with (
        SyncDataCueClient("k", "s", api_url=f"{fake.url}/v1", retries=0) as plain,
        pytest.raises(NoAnswer),
    ):
        await asyncio.to_thread(plain.overview)


async def test_nobody_there_means_nothing_was_sent(fake):
    await fake.stop()
    async with fake.client(retries=0) as client:
        with pytest.raises(NotSent, match="GET /overview: can't be reached") as caught:
            await client.overview()
    assert (caught.value.source, caught.value.retryable) == ("network", True)


async def test_a_204_with_a_body_does_not_spoil_the_next_answer(fake):
    forged = reply(b'{"products":{"products":666}}', 200)
    split = f"HTTP/1.1 204 X\r\ncontent-length: {len(forged)}\r\n\r\n".encode() + forged
    fake.say(split, reply(OVERVIEW, 200))
    async with fake.client() as client:
        await client.users.delete("u1")
        assert (await client.overview()).products.products == 1


async def test_more_bytes_than_the_length_says_are_not_read(fake):
    fake.say(reply(OVERVIEW, 200) + b"and more", reply(OVERVIEW, 200))
    async with fake.client() as client:
        assert (await client.overview()).orders == 3
        assert (await client.overview()).orders == 3


async def test_no_cookie_is_kept_and_the_environment_has_no_say(fake, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    fake.say(reply(OVERVIEW, 200, "set-cookie: session=1"))
    async with fake.client() as client:
        await client.overview()
        await client.overview()
    assert [seen.get("cookie") for seen in fake.seen] == [None, None]
    assert fake.connections == 1


async def test_the_plain_face_reads_the_same(fake):
    fake.say(
        reply(OVERVIEW, 200), reply(b'{"error":"no"}', 400), reply(b"{", 200), cut, reply(b"x", 204), nothing
    )
    with SyncDataCueClient("k", "s", api_url=f"{fake.url}/v1", retries=0) as plain:
        assert (await asyncio.to_thread(plain.overview)).orders == 3
        for kind in (Rejected, BadAnswer, NoAnswer):
            with pytest.raises(kind):
                await asyncio.to_thread(plain.overview)
        assert await asyncio.to_thread(plain.users.delete, "u1") is None
        with pytest.raises(NoAnswer):
            await asyncio.to_thread(plain.overview)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"api_url": "ftp://host"}, "api_url"),
        ({"api_url": "host/v1"}, "api_url"),
        ({"api_url": "http://"}, "api_url"),
        ({"api_url": "http://[::1"}, "api_url"),
        ({"api_url": "https://user:pass@host/v1"}, "api_url"),
        ({"events_url": "https://host/?a=1"}, "events_url"),
        ({"retries": -1}, "retries"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 1000}, "concurrency"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": "a:b"}, "api_key"),
        ({"api_secret": None}, "api_secret"),
    ],
)
async def test_a_client_that_cannot_work_is_refused_at_once(settings, field):
    with pytest.raises(ApiError) as caught:
        DataCueClient(**{"api_key": "k", "api_secret": "s", **settings})
    assert caught.value.field == field
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "https://api.datacue.co/v1/overview"),
        ({"staging": True}, "https://staging-api.datacue.co/v1/overview"),
        ({"staging": True, "api_url": "https://mine/v1/"}, "https://mine/v1/overview"),
    ],
)
async def test_the_urls_are_datacues_unless_told_otherwise(settings, url):
    asked = []

    def answer(request):
        asked.append(str(request.url))
        return httpx.Response(200, content=OVERVIEW)

    async with DataCueClient("k", "s", transport=httpx.MockTransport(answer), **settings) as client:
        await client.overview()
        await client.events({"type": "login"}, user={"user_id": "u"})
    host = "staging-events" if settings.get("staging") else "events"
    assert asked == [url, f"https://{host}.datacue.co/"]


async def test_a_coding_that_cannot_be_undone_is_the_vendors(fake):
    fake.say(reply(b"no gzip", 200, "content-encoding: gzip"))
    async with fake.client() as client:
        with pytest.raises(BadAnswer, match="content coding"):
            await client.overview()


async def test_no_free_connection_means_nothing_was_sent(fake):
    arrived = asyncio.Event()

    async def hold(seen, writer):
        arrived.set()
        await asyncio.Event().wait()

    fake.say(hold)
    one = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=1))
    async with fake.client(retries=0, transport=one, timeout=httpx.Timeout(30, pool=0.05)) as client:
        first = asyncio.get_running_loop().create_task(client.overview())
        await asyncio.wait_for(arrived.wait(), 10)
        with pytest.raises(NotSent, match="every connection was busy"):
            await client.overview()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


@pytest.fixture
def certificate(tmp_path):
    """(certificate, key) for 127.0.0.1, signed by nobody."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on the PATH to make a certificate with")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    name = ["-subj", "/CN=api", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [openssl, "req", "-x509", *curve, *name, "-keyout", key, "-out", cert]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


async def test_a_certificate_that_nobody_signed_is_not_tried_again(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    connections = []
    server = await asyncio.start_server(
        lambda _, writer: (connections.append(1), writer.close()), "127.0.0.1", 0, ssl=context
    )
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with DataCueClient("k", "s", api_url=url) as client:
        with pytest.raises(Untrusted, match="can't be trusted") as caught:
            await client.overview()
    assert not caught.value.retryable
    assert connections == []
    trusting = httpx.AsyncHTTPTransport(verify=ssl.create_default_context(cafile=str(certificate[0])))
    async with DataCueClient("k", "s", api_url=url, transport=trusting, retries=0) as client:
        with pytest.raises(NoAnswer):
            await client.overview()
    assert connections == [1]
    server.close()
    await server.wait_closed()
