"""``datacue-proxy init``: writes a ``datacue.toml`` that fits the shop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from proxy.cli.style import PROBLEMS, helped


@helped(
    [
        "init",
        "init --yes --upstream http://127.0.0.1:8080",
        "init --yes --upstream https://shop.example --output shop.toml",
    ],
    "0 written, 1 written, but the shop couldn't be looked at, 2 wrong options,"
    " or the file is there already.",
)
def init(
    *,
    upstream: Annotated[str | None, typer.Option(metavar="URL", help="Origin of the shop.")] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The file to write.")] = Path("datacue.toml"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; take what is found.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file, if it is there.")] = False,
) -> None:
    """Looks at a shop and writes settings that fit it, with the reasons as comments.

    It opens a dozen of the shop's pages, as a visitor would: the software behind them, what they say about
    themselves and where widgets fit decide what is proposed. Nothing else is touched.
    """
    # Here, not above: no other command needs all this, and it takes a while to load.
    from proxy.cli.asking import run

    if not run(upstream, output, yes=yes, force=force):
        raise typer.Exit(PROBLEMS)
