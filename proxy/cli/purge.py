"""``datacue-proxy purge``: has kept pages forgotten, by every worker."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from proxy.cache import PURGES_FILE, PurgeError, Purges
from proxy.cli.style import PROBLEMS, Config, complain, console, helped
from proxy.errors import SettingsError
from proxy.settings import load


@helped(
    [
        "purge /product/18 /",
        "purge '/category/*'",
        "purge --all",
        "purge --host shop.example /sale",
    ],
    "0 told to every worker, 1 it could not be written down, 2 a wrong option or setting.",
)
def purge(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH...", help="With its query. A * at the end stands for whatever follows."),
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every page.")] = False,
    host: Annotated[str, typer.Option(help="Of one host alone, as visitors ask for it.")] = "*",
    config: Config = None,
) -> None:
    """Forgets pages that the page cache keeps, within a second, in every worker.

    Pages are kept where the setting page_cache says so. Shops' plugins may send PURGE requests instead.
    """
    settings = load(config)
    wanted = ["*"] if everything else paths or []
    if not wanted:
        raise typer.BadParameter("name a path, or --all for every page")
    wrong = next((path for path in wanted if path != "*" and not path.startswith("/")), None)
    if wrong is not None:
        raise typer.BadParameter(f"{wrong} is no path: it begins with a slash")
    if not settings.page_cache:
        raise SettingsError("page_cache", "no page is kept", "Set it to the megabytes that pages may take.")
    purges = Purges(settings.state_dir / PURGES_FILE, time.monotonic)
    for path in wanted:
        try:
            purges.tell(host.lower(), path)
        except PurgeError as error:
            complain(error)
            raise typer.Exit(PROBLEMS) from None
    console().print(f"told: {', '.join(wanted)}")
