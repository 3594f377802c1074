"""A shop with includes, a vendor that knows everybody, and the servers between them as docs/ sets them up."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from harness.includes import FALLBACK_PAGE, Knowing, documented
from harness.peers import Peer

if TYPE_CHECKING:
    from harness.edges import Server
    from harness.process import Proxy


@pytest.fixture
async def vendor():
    """DataCue, as it names its products after whoever they are for."""
    peer = await Knowing().start()
    yield peer
    await peer.stop()


@pytest.fixture
async def shop():
    """A shop that has the documented fallback beside what the test puts into ``shop.answers``."""
    peer = await Peer().start()
    peer.answers["/fragments/bestsellers"] = FALLBACK_PAGE
    yield peer
    await peer.stop()


@dataclass
class Front:
    """Everything that runs: visitors come to ``address``."""

    server: Server
    proxy: Proxy

    @property
    def address(self):
        return self.server.address


@pytest.fixture
async def run_front(tmp_path, shop, run_proxy):
    """Starts ``datacue-proxy run``, and a documented server in front of it and the shop.

    ``patient``: however busy the machine is, pages wait for their widgets. Without, the documented limits hold.
    """
    async with AsyncExitStack() as stack:

        async def run(name, toml="", *, patient=True, **environment):
            limits = "deadline = 10\n" if patient else "deadline = 0.8\nvendor_timeout = 1\n"
            proxy = await run_proxy(limits + toml, **environment)
            server = documented(name, tmp_path / name, shop.address, proxy.address, patient=patient)
            stack.push_async_callback(server.stop)
            await server.start()
            return Front(server, proxy)

        yield run
