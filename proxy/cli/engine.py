"""``datacue-proxy engine``: the DataCue-compatible server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import uvicorn
import uvloop

from proxy import logs
from proxy.cli.style import helped
from proxy.errors import SettingsError
from proxy.listening import bind, url_of
from proxy.serving import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send


@helped(
    [
        "engine",
        "engine --listen 127.0.0.1:8090 --data shop.sqlite --api-key KEY --api-secret SECRET",
        "engine --data .datacue/engine.sqlite --backup backup.sqlite",
    ],
    "0 stopped by SIGTERM or Ctrl-C, or copied; 2 wrong options, or a file that can't be used.",
)
def engine(
    *,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Address, or unix:PATH.")
    ] = "127.0.0.1:8090",
    data: Annotated[Path, typer.Option(help="The SQLite file that holds everything.")] = Path(
        "engine.sqlite"
    ),
    api_key: Annotated[
        str | None, typer.Option(envvar="DATACUE_API_KEY", help="Made and printed if not given.")
    ] = None,
    api_secret: Annotated[
        str | None, typer.Option(envvar="DATACUE_API_SECRET", help="Made and printed if not given.")
    ] = None,
    backup: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Copy the data into a new file, also while an engine runs; then end."
        ),
    ] = None,
    until_stdin_closes: Annotated[bool, typer.Option("--until-stdin-closes", hidden=True)] = False,
) -> None:
    """Answers as DataCue does: events at /, the REST API at /v1, on one port, from one file."""
    # Here, not above: no other command needs the engine, and it takes a while to load.
    from proxy.engine import StoreUnusable, create_engine
    from proxy.engine import backup as copy

    if backup is not None:
        try:
            copy(data, backup)
        except StoreUnusable as error:
            raise SettingsError("--backup", str(error), "See docs/engine.md.") from None
        typer.echo(f"{data} is copied to {backup}", err=True)
        return
    logs.configure("warning", "auto")
    if not api_key or not api_secret:
        api_key = api_key or secrets.token_hex(8)
        api_secret = api_secret or secrets.token_hex(32)
        typer.echo(f"api_key    {api_key}\napi_secret {api_secret}", err=True)
    failure: list[StoreUnusable] = []
    engine_app = create_engine(data, api_key=api_key, api_secret=api_secret)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await engine_app(scope, receive, send)
        except StoreUnusable as error:
            if scope["type"] != "lifespan":
                raise
            failure.append(error)
            await send({"type": "lifespan.startup.failed", "message": ""})

    listener = _listen(listen)
    if not until_stdin_closes:
        address = listen if listen.startswith("unix:") else url_of(listener)
        typer.echo(f"the engine opens at {address}, with its data in {data}", err=True)
    try:
        uvloop.run(serve_engine(app, listener, until_stdin_closes=until_stdin_closes))
        if failure:
            raise SettingsError("--data", str(failure[0]), "Name another file.")
    finally:
        listener.close()
        if listen.startswith("unix:"):
            with contextlib.suppress(OSError):
                Path(listen.removeprefix("unix:")).unlink()


def _listen(listen: str) -> socket.socket:
    if not listen.startswith("unix:"):
        return bind("--listen", listen)
    path = listen.removeprefix("unix:")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Whoever owned it is gone: its owner holds the state folder's lock while it lives.
        with contextlib.suppress(FileNotFoundError):
            Path(path).unlink()
        before = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(before)
    except OSError as error:
        listener.close()
        problem = f"can't listen on {path}: {error.strerror}"
        raise SettingsError("--listen", problem, "Name another path.") from None
    listener.setblocking(False)
    return listener  # uvicorn listens on it, once the engine is ready: who can connect gets an answer


async def serve_engine(app: ASGIApp, listener: socket.socket, *, until_stdin_closes: bool) -> None:
    """Serves the engine until SIGTERM, SIGINT, or the end of standard input where that is asked for."""
    server = Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=5,
        )
    )
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if until_stdin_closes:
        _watch_stdin(loop, stop)
    # What it says and then exits with leaves out why: our caller knows that.
    logging.getLogger("uvicorn.error").addFilter(lambda record: not record.msg.endswith("failed. Exiting."))
    with contextlib.suppress(SystemExit):
        await server.serve(sockets=[listener])


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Our owner holds the other end: when it dies, however it dies, the end of file comes."""
    # Ctrl-C on a terminal goes to owner and engine alike; the owner's requests come to an end first.
    for number in (signal.SIGINT,):
        loop.add_signal_handler(number, lambda: None)

    def readable() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            loop.remove_reader(sys.stdin.fileno())
            stop()

    loop.add_reader(sys.stdin.fileno(), readable)
