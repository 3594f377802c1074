"""The same over TLS, with a certificate made for the test."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from typing import Any

import pytest

from proxy.errors import ConnectFailed, ConnectionLost
from proxy.http1 import Origin

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(certificate, key) for 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on the PATH to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            openssl,
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            key,
            "-out",
            cert,
            "-days",
            "2",
            "-subj",
            "/CN=shop",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.fixture
def tls(certificate: Any) -> Any:
    """(the far end's context, ours)."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(*certificate)
    client = ssl.create_default_context(cafile=certificate[0])
    return server, client


async def test_exchanges_over_tls(tls: Any, far_end: Any, pool_to: Any, get: Any, says: Any) -> None:
    end = await far_end(says(OK, step=3), ssl=tls[0])
    pool = pool_to(end, ssl=tls[1])
    for method in (b"GET", b"POST", b"GET"):
        assert await (await pool.send(get(method))).read_all(2) == b"ok"
    assert end.connections == 1


async def test_5_mb_each_way_over_tls(tls: Any, far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        body = await wire.reader.readexactly(5_000_000)
        await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + body)
        await wire.gone()

    async def pieces() -> Any:
        for _ in range(100):
            yield b"x" * 50_000

    pool = pool_to(await far_end(script, ssl=tls[0]), ssl=tls[1])
    response = await pool.send(get(b"POST", body=pieces(), content_length=5_000_000))
    assert await response.read_all(5_000_000) == b"x" * 5_000_000
    assert pool.idle == 1


async def test_an_unknown_certificate_is_refused(
    tls: Any, far_end: Any, pool_to: Any, get: Any, says: Any
) -> None:
    end = await far_end(says(OK), ssl=tls[0])
    pool = pool_to(end)
    with pytest.raises(ConnectFailed, match=r"(?i)certificate.verify.failed"):
        await pool.send(get())
    assert pool.active == 0


async def test_another_hosts_certificate_is_refused(
    tls: Any, far_end: Any, pool_to: Any, get: Any, says: Any
) -> None:
    end = await far_end(says(OK), ssl=tls[0])
    pool = pool_to(Origin("https", "localhost", end.origin.port), ssl=tls[1])
    with pytest.raises(ConnectFailed):
        await pool.send(get())
    assert pool.active == 0


async def test_tls_to_a_plain_port_is_refused(
    tls: Any, far_end: Any, pool_to: Any, get: Any, says: Any
) -> None:
    end = await far_end(says(OK))
    pool = pool_to(Origin("https", "127.0.0.1", end.origin.port), ssl=tls[1], connect=0.5)
    with pytest.raises(ConnectFailed):
        await pool.send(get())
    assert pool.active == 0


async def test_a_short_body_over_tls_is_a_lost_connection(
    tls: Any, far_end: Any, pool_to: Any, get: Any
) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")

    pool = pool_to(await far_end(script, ssl=tls[0]), ssl=tls[1])
    response = await pool.send(get())
    with pytest.raises(ConnectionLost):
        await response.read_all(5)
    assert pool.active == 0


async def test_a_tunnel_over_tls(tls: Any, far_end: Any, pool_to: Any, get: Any) -> None:
    async def script(wire: Any) -> None:
        await wire.head()
        await wire.say(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
        await wire.say(await wire.reader.readexactly(4))

    pool = pool_to(await far_end(script, ssl=tls[0]), ssl=tls[1])
    response = await pool.send(get(upgrade=b"websocket"))
    await response.tunnel.write(b"ping")
    assert await response.tunnel.read() == b"ping"
    assert await response.tunnel.read() == b""
    response.tunnel.close()
