"""``datacue-proxy run``: the reverse proxy."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop

from proxy import logs
from proxy.accepting import Shares
from proxy.cli.style import Config, complain, helped
from proxy.errors import SettingsError
from proxy.listening import bind, make_room, url_of
from proxy.serving import Share
from proxy.settings import load
from proxy.workers import Workers, inherited, own_command

if TYPE_CHECKING:
    from proxy.logs import Log
    from proxy.settings import Settings
    from proxy.workers import Inherited


@helped(
    [
        "run --upstream http://127.0.0.1:8080",
        "run --config shop.toml --listen 0.0.0.0:80 --workers 4",
    ],
    "0 stopped by SIGTERM or Ctrl-C, 2 wrong settings, or an address that is in use.",
)
def run(
    *,
    config: Config = None,
    upstream: Annotated[str | None, typer.Option(metavar="URL", help="Origin of the shop.")] = None,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Public address. Default: 127.0.0.1:8000.")
    ] = None,
    admin: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Health and metrics. Default: 127.0.0.1:8001."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that serve. Default: 1.")] = None,
) -> None:
    """Stands in front of a shop and writes live recommendations into its pages."""
    settings = load(config, upstream=upstream, listen=listen, admin_listen=admin, workers=workers)
    log = logs.configure(settings.log_level, settings.log_format)
    below = inherited()
    if below is not None:
        _serve_as_worker(settings, log, below)
    else:
        _serve(settings, log)


def _serve(settings: Settings, log: Log) -> None:
    """Serves here, or keeps the workers that do."""
    from proxy.lifespan import check, unreachable  # see _serve_as_worker
    from proxy.server import admin_token, serve  # see _serve_as_worker

    # Every mistake in the settings is found before anything listens.
    check(settings, log)
    admin_token(settings)
    make_room()
    public = bind("listen", settings.listen)
    admin = bind("admin_listen", settings.admin_listen)
    address = url_of(public)

    silent = unreachable(settings)

    def ready() -> None:
        if settings.embedded_engine:
            log.info("no api_key set: the embedded engine answers", state_dir=str(settings.state_dir))
        log.info("serving", at=address, upstream=settings.upstream, admin=url_of(admin))
        if silent:
            log.warning(
                "the shop can't be reached: visitors get 502 until it can",
                upstream=settings.upstream,
                error=silent,
                hint="start the shop, or mend the setting upstream",
            )

    if settings.workers > 1:
        ready()
        uvloop.run(Workers(settings, own_command(), public, log).run(admin))
    else:
        uvloop.run(serve(settings, log, public, admin, ready))


def _serve_as_worker(settings: Settings, log: Log, below: Inherited) -> None:
    # prometheus-client decides at its import whether figures are shared between processes.
    from proxy.server import notify, serve

    listener = socket.socket(fileno=below.listener)
    listener.setblocking(False)
    share = Share(Shares(below.shares), below.place)
    try:
        uvloop.run(serve(settings, log, listener, None, lambda: notify(below.pipe), share))
    except SettingsError as error:
        complain(error)
        sys.stderr.flush()
        os._exit(2)
