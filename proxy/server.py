"""The first door, assembled: the composed app, on uvicorn with the hardened protocol.

One worker serves in this process, the admin address beside it. More workers are processes of their
own on one shared socket, kept by ``workers.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import uvicorn

from proxy.admin import create_admin
from proxy.cache import PURGES_FILE, PageCache, Purges, Store
from proxy.edge import EdgeLimits, hardened
from proxy.embedding import Personalization
from proxy.errors import SettingsError
from proxy.forwarding import Forwarding
from proxy.lifespan import upstream_pool
from proxy.listening import host_port
from proxy.metrics import Metrics
from proxy.prepared import trusted_proxies
from proxy.serving import Server
from proxy.upstream import Upstream

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from proxy.logs import Log
    from proxy.serving import Share
    from proxy.settings import Settings

MEGABYTE = 1024 * 1024

SHUTDOWN_SECONDS = 30
"""For requests in flight after SIGTERM; what still runs then is cut."""


def create_app(settings: Settings, metrics: Metrics, log: Log) -> Personalization:
    """The reverse proxy as an ASGI app: the middleware around an app that forwards to the shop.

    Raises:
        SettingsError: naming the key at fault and the mend.
    """
    pool = upstream_pool(settings)
    trusted = trusted_proxies(settings)
    metrics.gauge("upstream_connections_active", "Requests at the shop now.", lambda: pool.active)
    metrics.gauge("upstream_connections_idle", "Kept connections to the shop.", lambda: pool.idle)
    forward = Upstream(
        Forwarding(
            pool,
            preserve_host=settings.preserve_host,
            trusted=trusted,
            metrics=metrics,
            log=log,
            clock=time.monotonic,
        )
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
            trusted=trusted,
            metrics=metrics,
            clock=time.monotonic,
            now=time.time,
        )
    return Personalization(
        cache or forward, settings, metrics, log, embedded=False, relay=forward.relay, keeping=cache
    )


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


def public_server(
    app: Personalization, settings: Settings, metrics: Metrics, share: Share | None = None
) -> Server:
    """The server for visitors; its share of them, where there are several."""
    limits = EdgeLimits(body_bytes=settings.max_request_body)
    protocol = hardened(limits, metrics.refused, app.direct)
    return Server(_config(app, http=protocol, lifespan="on"), share)


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
    share: Share | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then ends what is in flight.

    Args:
        settings: all of them.
        log: where is said.
        public: listening for visitors.
        admin: listening for the operator; None leaves that to the parent.
        ready: called once pages can be served.
        share: of the visitors, where other workers listen on the same socket.

    Raises:
        SettingsError: something in the settings can't be used.
    """
    metrics = Metrics()
    app = create_app(settings, metrics, log)
    loop = asyncio.get_running_loop()
    main = public_server(app, settings, metrics, share)
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
