"""The first door, assembled: the composed app, on uvicorn with the hardened protocol.

One worker serves in this process, the admin address beside it. More workers are processes of their
own on one shared socket, kept by ``workers.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import ipaddress
import os
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

import uvicorn

from proxy.admin import create_admin
from proxy.cache import PURGES_FILE, PageCache, Purges, Store
from proxy.edge import EdgeLimits, hardened
from proxy.embedding import Personalization
from proxy.errors import SettingsError
from proxy.lifespan import upstream_pool
from proxy.metrics import Metrics
from proxy.prepared import trusted_proxies
from proxy.settings import host_port
from proxy.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

    from proxy.logs import Log
    from proxy.settings import Settings

BACKLOG = 2048
"""Connections that the kernel holds while we accept; as uvicorn and nginx have it, roughly."""

MEGABYTE = 1024 * 1024

COLLECT = (50_000, 20, 100)
"""Objects more than before until the cyclic collector runs, and how often its older generations do: a request
leaves no cycle behind, so that it finds next to nothing. Python's own 700 cost a tenth of a page."""

SHUTDOWN_SECONDS = 30
"""For requests in flight after SIGTERM; what still runs then is cut."""

BIND_MENDS = {
    errno.EADDRINUSE: "Stop what listens there, or choose another port.",
    errno.EACCES: "Choose a port above 1023, or let this user have it.",
}
"""What helps when an address can't be had."""


def create_app(settings: Settings, metrics: Metrics, log: Log) -> Personalization:
    """The reverse proxy as an ASGI app: the middleware around an app that forwards to the shop.

    Raises:
        SettingsError: naming the key at fault and the mend.
    """
    pool = upstream_pool(settings)
    metrics.gauge("upstream_connections_active", "Requests at the shop now.", lambda: pool.active)
    metrics.gauge("upstream_connections_idle", "Kept connections to the shop.", lambda: pool.idle)
    forward = Upstream(
        pool,
        host=None if settings.preserve_host else pool.origin.authority,
        trusted=trusted_proxies(settings),
        metrics=metrics,
        log=log,
        clock=time.monotonic,
    )
    store = Store(settings.page_cache * MEGABYTE)
    metrics.gauge("page_cache_bytes", "Bytes of the pages that are kept.", lambda: store.size)
    cache = None
    if settings.page_cache:
        cache = PageCache(
            forward,
            store,
            Purges(settings.state_dir / PURGES_FILE, time.monotonic),
            shared=settings.workers > 1,
            trusted=trusted_proxies(settings),
            metrics=metrics,
            clock=time.monotonic,
            now=time.time,
        )
    return Personalization(
        cache or forward, settings, metrics, log, embedded=False, relay=forward.relay, keeping=cache
    )


def bind(key: str, address: str) -> socket.socket:
    """A listening socket.

    Args:
        key: the setting that holds the address, for the error.
        address: HOST:PORT.

    Raises:
        SettingsError: it is no address, is in use, isn't ours, or may not be used.
    """
    try:
        host, port = host_port(address)
    except ValueError as error:
        raise SettingsError(key, str(error), "Write HOST:PORT, as 127.0.0.1:8000.") from None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol by name: asyncio sets TCP_NODELAY only on sockets that say they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, UnicodeError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        problem = f"can't listen on {address}: {reason.lower()}"
        mend = BIND_MENDS.get(getattr(error, "errno", None) or 0, "Choose an address of this machine.")
        raise SettingsError(key, problem, mend) from None
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """What to open in a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def admin_token(settings: Settings) -> str | None:
    """What the admin address asks for.

    Raises:
        SettingsError: it is reachable from elsewhere and has no token.
    """
    token = settings.admin_token.get_secret_value() if settings.admin_token is not None else None
    host, _ = host_port(settings.admin_listen)
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback and not token:
        problem = f"{settings.admin_listen} can be reached from elsewhere and admin_token is not set"
        raise SettingsError("admin_listen", problem, "Set admin_token, or listen on 127.0.0.1.")
    return token


class Server(uvicorn.Server):
    """uvicorn's server; signals are ours, since several servers run on one loop.

    Attributes:
        serving: set once it accepts connections.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, and says so."""
        await super().startup(sockets)
        self.serving.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals alone."""
        yield


def public_server(app: Personalization, settings: Settings, metrics: Metrics) -> Server:
    """The server for visitors."""
    limits = EdgeLimits(body_bytes=settings.max_request_body)
    protocol = hardened(limits, metrics.refused, app.direct)
    return Server(_config(app, http=protocol, lifespan="on"))


def admin_server(app: ASGIApp) -> Server:
    """The server for the operator."""
    return Server(_config(app, http="httptools", lifespan="off"))


def _config(app: ASGIApp, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        ws="none",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        **more,
    )


async def serve(
    settings: Settings,
    log: Log,
    public: socket.socket,
    admin: socket.socket | None,
    ready: Callable[[], None],
) -> None:
    """Serves until SIGTERM or SIGINT, then ends what is in flight.

    Args:
        settings: all of them.
        log: where is said.
        public: listening for visitors.
        admin: listening for the operator; None leaves that to the parent.
        ready: called once pages can be served.

    Raises:
        SettingsError: something in the settings can't be used.
    """
    metrics = Metrics()
    app = create_app(settings, metrics, log)
    loop = asyncio.get_running_loop()
    main = public_server(app, settings, metrics)
    servers = [(main, public)]
    if admin is not None:
        panel = create_admin(
            expose=metrics.expose,
            ready=lambda: "" if main.started and not main.should_exit else "starting or stopping",
            token=admin_token(settings),
        )
        servers.append((admin_server(panel), admin))

    def stop() -> None:
        for server, _ in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await app.open()  # a mistake in the settings ends here, with its sentence, before anyone connects
    runs = [loop.create_task(server.serve(sockets=[listener])) for server, listener in servers]
    serving = loop.create_task(main.serving.wait())
    await asyncio.wait((serving, runs[0]), return_when=asyncio.FIRST_COMPLETED)
    serving.cancel()
    if main.started:
        # What lives now lives for good: the collector needn't walk over it with every generation.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT)
        ready()
    # The parent reads this worker's figures from files, and can't ask for them.
    shared = loop.create_task(metrics.keep_fresh()) if admin is None else None
    await runs[0]
    if shared is not None:
        shared.cancel()
        metrics.refresh()
    stop()
    await asyncio.gather(*runs)


def notify(descriptor: int | None) -> None:
    """Tells the parent that this worker serves."""
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.write(descriptor, b"1")
        os.close(descriptor)
