"""What every test may use: the test data's place, and the whole product with both its far ends."""

from __future__ import annotations

import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from harness.peers import Peer, Vendor
from harness.process import Proxy, without_settings
from oscar_shop.process import OscarShop


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of shared test data: html5lib inputs, click sessions, orders."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("DATACUE_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}: set DATACUE_TEST_DATA to its place")
    return folder


@pytest.fixture
async def shop():
    """A shop that answers what the test puts into ``shop.answers``."""
    peer = await Peer().start()
    yield peer
    await peer.stop()


@pytest.fixture
async def vendor():
    """DataCue's events endpoint, with what it got in ``vendor.events``."""
    peer = await Vendor().start()
    yield peer
    await peer.stop()


@pytest.fixture
async def run_proxy(tmp_path, shop, vendor):
    """Starts the real proxy in front of ``shop`` and ``vendor``, with more settings as TOML."""
    async with AsyncExitStack() as stack:

        async def run(toml="", *arguments, **environment):
            folder = tmp_path / f"proxy-{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            base = f'upstream = "{shop.url}"\napi_key = "test-key"\nevents_url = "{vendor.url}/"\n'
            proxy = await Proxy(folder, base + toml, *arguments, environment=environment).start()
            stack.push_async_callback(proxy.stop)
            return proxy

        yield run


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """Runs a command in this process: (exit code, standard output, standard error).

    For what starts no loop of its own: a process each would cost a second (``harness.commands``).
    """
    from proxy.cli import main

    monkeypatch.chdir(tmp_path)
    for key in os.environ.keys() - without_settings():
        monkeypatch.delenv(key)

    def run(*arguments, **environment):
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setattr(sys, "argv", ["datacue-proxy", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return run


@pytest.fixture(scope="session")
def oscar_shop(request, tmp_path_factory):
    """django-oscar, served: see ``oscar_shop``. Its URL is ``.url``."""
    shop = OscarShop(request.config.cache.mkdir("oscar"), tmp_path_factory.mktemp("shop"))
    yield shop
    shop.stop()
