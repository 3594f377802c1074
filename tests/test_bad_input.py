"""Whatever the operator writes wrong ends in one line that names the key and the mend (issue 2).

Run as its user runs it: its exit code, its standard error.
"""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import subprocess
import sys
import warnings
from contextlib import closing

import pytest
from harness.process import environment
from harness.wire import ask

LONGEST_LINE = 400


def written(folder, toml):
    """Puts these settings where the command looks for them, and gives its arguments."""
    head = 'upstream = "http://127.0.0.1:9"\nlisten = "127.0.0.1:0"\nadmin_listen = "127.0.0.1:0"\n'
    keys = {line.partition("=")[0].strip() for line in toml.splitlines()}
    lines = [line for line in head.splitlines() if line.partition("=")[0].strip() not in keys]
    (folder / "shop.toml").write_text("\n".join([*lines, toml]))
    return ["run", "--config", "shop.toml"]


def the_line(code, out, errors):
    """The one line that a command ended with."""
    assert code == 2, errors
    assert "Traceback" not in errors
    assert not out
    line, *more = errors.splitlines()
    assert not more, errors
    assert len(line) < LONGEST_LINE
    assert line.startswith("error: ")
    assert line.endswith((".", "?", "/"))
    return line.removeprefix("error: ")


@pytest.fixture
def complaint(tmp_path):
    """Runs `datacue-proxy run` with these settings, and returns the one line that it ends with."""

    def complain(toml, *arguments, **variables):
        command = [sys.executable, "-m", "proxy", *written(tmp_path, toml), *arguments]
        done = subprocess.run(
            command, check=False, cwd=tmp_path, env=environment(**variables),
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return the_line(done.returncode, done.stdout, done.stderr)

    return complain


@pytest.fixture
def mistake(tmp_path, cli):
    """The same in this process, for what ends before anything is opened: a process each costs a second."""

    def complain(toml, *arguments, **variables):
        said = cli(*written(tmp_path, toml), *arguments, **variables)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()  # a process that ends has its listening sockets closed for it
        return the_line(*said)

    return complain


@pytest.mark.parametrize(
    ("toml", "key", "mend"),
    [
        ('upstream = "shop"', "upstream", "Write http://host:port"),
        ('upstream = "ftp://shop"', "upstream", "Write http://host:port"),
        ('upstream = "http://127.0.0.1:99999"', "upstream", "Write http://host:port"),
        ('upstream = "http://the shop/"', "upstream", "Write http://host:port"),
        ('upstream = "http://no-such-host.invalid"', "upstream", "Mend the shop's host name"),
        ('upstrem = "http://shop"', "upstrem", "Did you mean upstream?"),
        ("upstream = ", "shop.toml", "Mend that line"),
        ('[[slots]]\nselector = "main >"\nwidget = "top"', "slots[0].selector", "Write a CSS selector"),
        ('[[slots]]\nselector = "p:hover"\nwidget = "top"', "slots[0].selector", "Write a CSS selector"),
        ('[[slots]]\nselector = "p"\nwidget = "tops"', "slots[0].widget", "or 'top'"),
        ('[[slots]]\nselector = "p"\nwidget = "top"\npage = "hom"', "slots[0].page", "home, product"),
        ('[[pages]]\nkind = "home"\npath = "/{a"', "pages[0].path", "Write {name}"),
        ('[[pages]]\nkind = "hom"\npath = "/"', "pages[0].kind", 'Did you mean "home"?'),
        (
            '[[pages]]\nkind = "product"\npath = "/x"\nfacts = { price = "b > " }',
            "pages[0].facts",
            "selector",
        ),
        ('consent = "yes"', "consent", "consent=granted"),
        ('trusted_proxies = ["10.0.0.0/99"]', "trusted_proxies", "Write 10.0.0.0/8"),
        ('templates = "nowhere"', "templates", "Make it"),
        ('static = "nowhere"', "static", "Name the folder"),
        ('state_dir = "shop.toml/state"', "state_dir", "Name a folder"),
        ('locale = "xx_YY"', "locale", "en_US"),
        ('currency = "dollars"', "currency", "ISO 4217"),
        ('outbox = "mysql://shop"', "outbox", "Name a folder"),
        ('admin_listen = "0.0.0.0:0"', "admin_listen", "Set admin_token"),
        ('events_url = "https://events example"\napi_key = "k"', "events_url", "Write http://host:port"),
    ],
)
def test_a_mistake_is_one_line_with_its_key_and_its_mend(mistake, toml, key, mend):
    line = mistake(toml)
    assert f"{key}: " in line
    assert mend in line


def test_a_missing_upstream_says_what_to_say(mistake):
    assert mistake("upstream = ''", DATACUE_UPSTREAM="").startswith("shop.toml: upstream: ")


def test_a_missing_file_is_named(mistake):
    assert "nowhere.toml: there is no such file" in mistake("", "--config", "nowhere.toml")


def test_a_file_that_is_no_text_is_named(mistake, tmp_path):
    (tmp_path / "latin.toml").write_bytes(b'upstream = "http://caf\xe9"')
    assert "latin.toml: can't be read" in mistake("", "--config", "latin.toml")


def test_the_environment_is_named_by_its_variable(mistake):
    line = mistake("", DATACUE_DEADLINE="soon")
    assert line == "DATACUE_DEADLINE: is no number (it is 'soon'). Write a number."


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"<a href={{ link }}>", "quote the value of `href`"),
        (b"{% if %}", "Expected an expression"),
        (b"{{ visitor }}", "there is no `visitor` here"),
        (b"caf\xe9", "can't be read"),
    ],
)
def test_a_broken_template_is_named_with_its_line(mistake, tmp_path, content, problem):
    (tmp_path / "mine" / "widgets").mkdir(parents=True)
    (tmp_path / "mine" / "widgets" / "product.html").write_bytes(content)
    line = mistake('templates = "mine"')
    assert line.startswith("template ")
    assert "widgets/product.html" in line
    assert problem in line
    assert "docs/templates.md" in line


def test_a_template_that_is_a_folder_is_named(mistake, tmp_path):
    (tmp_path / "mine" / "widgets" / "product.html").mkdir(parents=True)
    assert "widgets/product.html" in mistake('templates = "mine"')


@pytest.mark.parametrize("key", ["listen", "admin_listen"])
def test_a_port_in_use_is_named(complaint, key):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = "{}:{}".format(*taken.getsockname())
        line = complaint(f'{key} = "{address}"')
    assert line == (
        f"{key}: can't listen on {address}: address already in use."
        " Stop what listens there, or choose another port."
    )


def test_several_workers_fail_as_one_does(complaint):
    assert complaint('locale = "xx_YY"', "--workers", "2").startswith("locale: ")


@pytest.mark.parametrize("command", ["engine", "demo"])
def test_the_other_commands_speak_alike(tmp_path, command):
    for address, problem in (
        ("nowhere", "is no HOST:PORT"),
        ("192.0.2.1:80", "can't listen on 192.0.2.1:80"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "proxy", command, "--listen", address],
            check=False, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 2
        last = done.stderr.splitlines()[-1]
        assert last.startswith("error: --listen: ")
        assert problem in last
        assert "Traceback" not in done.stderr


async def test_a_shop_that_is_down_is_said_at_the_start_and_at_each_request(run_proxy, shop):
    await shop.stop()
    proxy = await run_proxy()
    reply = await ask(proxy.address, "/")
    await proxy.stop()
    lines = [json.loads(line) for line in proxy.log.splitlines()]
    start = next(line for line in lines if line["event"].startswith("the shop can't be reached"))
    assert start["upstream"] == shop.url
    assert "upstream" in start["hint"]

    assert reply.status == 502
    assert b"Bad gateway" in reply.body
    request = next(line for line in lines if line["event"] == "no answer from the shop")
    assert f"Reference: {request['reference']}".encode() in reply.body
    assert "Connection refused" in request["error"]
    assert "upstream" in request["hint"]
    assert str(shop.url).encode() not in reply.body  # the page says nothing of what is behind it


async def test_a_shop_that_speaks_tls_on_a_plain_address_gets_a_hint(run_proxy, shop):
    async def alert(_seen, writer):
        writer.write(b"\x15\x03\x01\x00\x02\x02\x46")  # what a TLS server says to plain HTTP
        writer.close()

    shop.answers["*"] = alert
    proxy = await run_proxy()
    reply = await ask(proxy.address, "/")
    await proxy.stop()
    request = next(json.loads(line) for line in proxy.log.splitlines() if b"no answer from the shop" in line)
    assert reply.status == 502
    assert "https" in request["hint"]


async def test_what_the_shop_says_wrong_is_said_in_the_log_and_changes_no_page(run_proxy, shop):
    said = [b"HTTP/1.1 200 OK", b"content-type: text/html", b"content-length: 2", b"x-datacue-event: {oops"]
    shop.answers["*"] = b"\r\n".join([*said, b"", b"ok"])
    proxy = await run_proxy()
    reply = await asyncio.wait_for(ask(proxy.address, "/about"), 10)
    await proxy.stop()
    assert reply.body == b"ok"
    assert reply.get("x-datacue-event") is None
    assert b"an event of the shop is ignored" in proxy.log


@pytest.mark.parametrize("workers", [1, 2])
def test_an_engine_file_that_is_no_database_stops_the_start(tmp_path, workers):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "engine.sqlite").write_text("not a database " * 100)
    addresses = {"DATACUE_LISTEN": "127.0.0.1:0", "DATACUE_ADMIN_LISTEN": "127.0.0.1:0"}
    done = subprocess.run(
        [sys.executable, "-m", "proxy", "run", "--upstream", "http://127.0.0.1:9", "--workers", str(workers)],
        check=False, cwd=tmp_path, env=environment(DATACUE_STATE_DIR="state", **addresses),
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "engine.sqlite can't be opened as a SQLite file" in lines[0]
    assert lines[0].endswith("Name another file.")
