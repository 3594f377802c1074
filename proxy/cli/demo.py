"""``datacue-proxy demo``: a shop, the engine and the proxy, ready to click through."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer
import uvicorn
import uvloop
from rich.console import Console

from proxy import logs
from proxy.cli.style import helped
from proxy.engine_host import EngineHost, private_file
from proxy.listening import bind, url_of
from proxy.server import serve
from proxy.serving import Server
from proxy.settings import Settings

if TYPE_CHECKING:
    import socket

    from proxy.logs import Log

BANNER = """
  The demo shop is open: [bold green]{address}[/]

  Look at a few products, then at the home page: "Recently viewed" follows at once, and the
  recommendations with it. No page holds a line of JavaScript.

  the same shop without us   {shop}
  health and metrics         {admin}/metrics
  its data                   {state_dir}

  Ctrl-C ends it.
"""


@helped(
    [
        "demo",
        "demo --listen 127.0.0.1:9000",
    ],
    "0 stopped by SIGTERM or Ctrl-C, 2 wrong options, or an address that is in use.",
)
def demo(
    *,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Public address.")] = "127.0.0.1:8000",
    state_dir: Annotated[
        Path, typer.Option(help="Where the demo's visitors and its engine's data are kept.")
    ] = Path(".datacue/demo"),
) -> None:
    """Opens a furniture shop, personalized. Nothing leaves this machine."""
    log = logs.configure("warning", "auto")
    public = bind("--listen", listen)
    admin = bind("--listen", "127.0.0.1:0")
    shop = bind("--listen", "127.0.0.1:0")
    # The demo is the same everywhere: no file and no environment has a say.
    settings = Settings(upstream=url_of(shop), state_dir=state_dir, preset="demo")
    private_file(state_dir / "secret.key", secrets.token_urlsafe(32))  # nobody shares a demo: no warning
    uvloop.run(_demo(settings, log, public, admin, shop, anyio.Path(settings.state_dir / "seeded")))


async def _demo(
    settings: Settings,
    log: Log,
    public: socket.socket,
    admin: socket.socket,
    shop: socket.socket,
    marker: anyio.Path,
) -> None:
    # Here, not above: no other command needs the shop and its drawings.
    from proxy.demo.seed import seed
    from proxy.demo.shop import create_shop

    console = Console(stderr=True, highlight=False)
    engine = EngineHost(settings.state_dir, log)
    server = Server(
        uvicorn.Config(create_shop(), loop="uvloop", ws="none", access_log=False, log_config=None)
    )
    selling = asyncio.get_running_loop().create_task(server.serve(sockets=[shop]))
    try:
        with console.status("starting the engine and filling its catalogue …"):
            await engine.start()
            if not await marker.exists():
                await seed(engine.socket, *engine.keys)
                await marker.touch()

        def ready() -> None:
            console.print(
                BANNER.format(
                    address=url_of(public),
                    shop=url_of(shop),
                    admin=url_of(admin),
                    state_dir=settings.state_dir,
                ),
                soft_wrap=True,
            )

        await serve(settings, log, public, admin, ready)
    finally:
        server.should_exit = True
        await selling
        await engine.aclose()
