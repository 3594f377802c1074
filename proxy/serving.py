"""uvicorn's server as we start it: beside others on one loop, with the signals left to whoever started it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import uvicorn

from proxy.accepting import Accepting

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from proxy.accepting import Shares


class Share(NamedTuple):
    """A worker's share of the connections: its place among all of them."""

    shares: Shares
    place: int


class Server(uvicorn.Server):
    """uvicorn's server; signals are ours, since several servers run on one loop.

    Args:
        config: uvicorn's.
        share: of the connections, where other processes listen on the same socket.

    Attributes:
        serving: set once it accepts connections.
    """

    def __init__(self, config: uvicorn.Config, share: Share | None = None) -> None:
        super().__init__(config)
        self.serving = asyncio.Event()
        self._share = share
        self._accepting: list[Accepting] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, and says so."""
        share = self._share
        if share is None:
            await super().startup(sockets)
        else:
            await super().startup([])
            connections = self.server_state.connections
            self._accepting = [
                Accepting(each, self._protocol, share.shares, share.place, lambda: len(connections))
                for each in sockets or ()
            ]
            self.servers += cast("Any", self._accepting)  # uvicorn closes them and waits for that
        self.serving.set()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        for each in self._accepting:
            each.tell()
        return await super().on_tick(counter)

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals alone."""
        yield
