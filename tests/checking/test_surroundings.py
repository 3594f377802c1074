"""What a check says of the shop's address, DataCue's answer, and clocks."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from email.utils import formatdate

import pytest
from harness.peers import reply

from proxy.checking.network import clocks, reach
from proxy.errors import SettingsError
from proxy.http1 import Origin


async def test_a_shop_that_is_not_there_is_one_problem(check, says):
    report = await check(upstream="http://127.0.0.1:1")
    [line] = says(report)
    assert line.startswith("upstream: 127.0.0.1:1 can't be reached: ")
    assert report.pages == []


async def test_a_name_that_nobody_knows_is_a_problem(check, says):
    [line] = says(await check(upstream="http://shop.invalid"))
    assert line.startswith("upstream: shop.invalid has no address")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on the PATH to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=shop", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2"]
    subprocess.run([*command, *files, *names], check=True, capture_output=True)
    return folder


@pytest.fixture
async def tls(certificate):
    """A server with that certificate: its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_a_certificate_that_nobody_vouches_for_is_a_problem(tls):
    [found] = await reach(Origin.parse(f"https://127.0.0.1:{tls}"), "upstream", "shop")
    assert (found.level, found.about) == ("problem", "upstream")
    assert "isn't trusted: self-signed certificate" in found.text
    assert "SSL_CERT_FILE" in found.mend


async def test_a_certificate_that_ends_soon_is_a_problem(tls, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    answers, expiry = await reach(Origin.parse(f"https://127.0.0.1:{tls}"), "upstream", "shop")
    assert answers.level == "ok"
    assert (expiry.level, expiry.mend) == ("problem", "Renew the certificate.")


async def test_a_certificate_for_another_name_is_a_problem(tls, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    [found] = await reach(Origin.parse(f"https://localhost:{tls}"), "upstream", "shop")
    assert "localhost" in found.text
    assert found.level == "problem"


async def test_a_shop_that_speaks_no_tls_is_told_apart():
    async def refuse(_reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        [found] = await reach(Origin.parse(f"https://127.0.0.1:{port}"), "upstream", "shop")
    assert f"127.0.0.1:{port} doesn't speak TLS" in found.text
    assert found.mend == f"Write http://127.0.0.1:{port} if it listens without TLS."


@pytest.mark.parametrize(
    ("skew", "level", "says"),
    [(2, "ok", "agrees with"), (-300, "problem", "5 minutes behind"), (7_300, "problem", "2 hours ahead of")],
)
def test_clocks_are_compared(skew, level, says):
    now = 1_700_000_000.0
    headers = [(b"date", formatdate(now - skew, usegmt=True).encode())]
    [found] = clocks([("DataCue", headers, now)], "datacue")
    assert found.level == level
    assert says in found.text


def test_an_answer_without_a_date_says_nothing_of_clocks():
    assert list(clocks([("the shop", [(b"date", b"soon")], 0.0), ("it", [], 0.0)], "shop")) == []


@pytest.mark.parametrize(
    ("status", "level", "about"),
    [
        (200, "ok", "api_key, api_secret"),
        (401, "problem", "api_key, api_secret"),
        (404, "problem", "api_url"),
    ],
)
async def test_credentials_are_tried_by_a_signed_call(check, store, vendor, status, level, about):
    store.put("/", "<div data-dc-products></div>")
    vendor.answers["/v1/overview"] = reply(b"{}", status, content_type="application/json")
    report = await check(
        "/", api_key="k", api_secret="s", events_url=f"{vendor.url}/", api_url=f"{vendor.url}/v1"
    )
    assert (level, about) in [(one.level, one.about) for one in report.findings]
    assert vendor.seen[-1].get("authorization").startswith("Basic ")
    assert not any(one.text == "s" for one in report.findings)


async def test_without_a_secret_a_key_can_not_be_tried(check, store, vendor):
    store.put("/", "<div data-dc-products></div>")
    report = await check("/", api_key="k", events_url=f"{vendor.url}/", api_url=f"{vendor.url}/v1")
    assert ("hint", "api_secret") in [(one.level, one.about) for one in report.findings]
    assert vendor.seen == []


async def test_each_problem_of_the_templates_is_told_before_the_settings_are_refused(check, store, tmp_path):
    folder = tmp_path / "templates"
    (folder / "widgets").mkdir(parents=True)
    (folder / "widgets" / "product.html").write_text("<li class={{ list_name }}></li>")
    with pytest.raises(SettingsError, match="quote the value of `class`"):
        await check("/", templates=folder)


async def test_folders_are_looked_at(check, store, says, tmp_path):
    store.put("/", "<div data-dc-products></div>")
    for name in ("static", "templates"):
        (tmp_path / name).mkdir()
    report = await check("/", static=tmp_path / "static", templates=tmp_path / "templates")
    assert {"state_dir", "static", "templates"} <= {one.about for one in report.findings if one.level == "ok"}
    assert not (tmp_path / "state").exists()
