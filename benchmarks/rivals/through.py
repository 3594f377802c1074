"""Reverse proxies of Python, as contestants of pass-through: one process each, access logs off."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from benchmarks.process import Server, free_port
from benchmarks.rivals import environments

if TYPE_CHECKING:
    from pathlib import Path

UVICORN = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")
"""All that makes uvicorn fast."""

ASGI = {
    "asgiproxy": "asgiproxy",
    "fastapi_proxy_lib": "fastapi-proxy-lib",
    "fastapi_reverse_proxy": "fastapi-reverse-proxy",
    "tuned_aiohttp": "Starlette + aiohttp, tuned",
}
"""Factories in ``apps/proxies.py``, and their titles."""


def asgi(factory: str, folder: Path, shop_port: int) -> Server:
    """One of ``ASGI`` on uvicorn.

    Raises:
        Missing: it can't be installed.
    """
    python = environments.python("proxies")
    folder.mkdir()
    port = free_port()
    command = [str(python), "-m", "uvicorn", "--factory", f"proxies:{factory}", "--port", str(port), *UVICORN]
    return Server(command, port, folder, _environment(shop_port))


def proxy_py(folder: Path, shop_port: int) -> Server:
    """proxy.py with its reverse proxy plugin, one acceptor and one worker.

    Raises:
        Missing: it can't be installed.
    """
    python = environments.python("proxies")
    folder.mkdir()
    port = free_port()
    command = [str(python), "-m", "proxy", "--hostname", "127.0.0.1", "--port", str(port)]
    command += ["--enable-reverse-proxy", "--plugins", "reverse.ReverseProxy", "--disable-http-proxy"]
    command += ["--num-workers", "1", "--num-acceptors", "1", "--log-level", "e", "--threaded"]
    command += ["--data-dir", str(folder / "data")]
    return Server(command, port, folder, _environment(shop_port))


def mitmproxy(folder: Path, shop_port: int) -> Server:
    """mitmdump in reverse mode, bodies streamed, nothing printed.

    Raises:
        Missing: it can't be installed.
    """
    python = environments.python("mitmproxy")
    folder.mkdir()
    port = free_port()
    command = [
        str(python.with_name("mitmdump")),
        "--quiet",
        "--mode",
        f"reverse:http://127.0.0.1:{shop_port}",
    ]
    command += ["--listen-host", "127.0.0.1", "--listen-port", str(port)]
    command += ["--set", "stream_large_bodies=1", "--set", f"confdir={folder}"]
    return Server(command, port, folder, {})


def _environment(shop_port: int) -> dict[str, str]:
    return {
        "PYTHONPATH": os.fspath(environments.HERE / "apps"),
        "SHOP_URL": f"http://127.0.0.1:{shop_port}",
    }
