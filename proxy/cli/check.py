"""``datacue-proxy check``: is everything as it should be, and what would become of these pages?"""

from __future__ import annotations

from typing import Annotated

import typer

from proxy.cli.style import PROBLEMS, AsJson, Config, helped
from proxy.settings import load


@helped(
    [
        "check",
        "check --config shop.toml /product/7 /cart",
        "check https://shop.example/product/7 --json",
        "check / --ask",
    ],
    "0 all is fine, 1 there are problems, 2 wrong settings.",
)
def check(
    urls: Annotated[
        list[str] | None, typer.Argument(metavar="URL...", help="Pages of the shop, or their paths.")
    ] = None,
    *,
    config: Config = None,
    upstream: Annotated[str | None, typer.Option(metavar="URL", help="Origin of the shop.")] = None,
    ask: Annotated[
        bool,
        typer.Option(
            "--ask",
            help="Send the page views in earnest and show what would be recommended. They count: as made-up"
            " visitors, erased afterwards where api_secret (or the embedded engine) allows it.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Looks at the settings, the shop, DataCue, and at pages as the proxy would treat them.

    Without a URL it looks for pages itself: the home page, and the products, categories, search and cart
    that it leads to. Nothing is sent to DataCue and nothing is kept, unless you say --ask.
    """
    # Here, not above: no other command needs all this, and it takes a while to load.
    from proxy.cli.checking import run

    settings = load(config, upstream=upstream)
    if run(settings, urls or [], ask=ask, as_json=as_json):
        raise typer.Exit(PROBLEMS)
