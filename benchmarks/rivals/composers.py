"""Tailor (npm): a page composer of another world, with our fragments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.process import Server, free_port
from benchmarks.rivals import environments

if TYPE_CHECKING:
    from pathlib import Path


def tailor(folder: Path, shop_port: int, fragments_port: int) -> Server:
    """One process of Node.js that fetches the page and its fragments.

    Raises:
        Missing: it can't be installed.
    """
    node, packages = environments.node("tailor")
    folder.mkdir()
    port = free_port()
    environment = {
        "PORT": str(port),
        "SHOP_URL": f"http://127.0.0.1:{shop_port}",
        "FRAGMENTS_URL": f"http://127.0.0.1:{fragments_port}",
    }
    return Server([node, str(packages / "server.js")], port, folder, environment)
