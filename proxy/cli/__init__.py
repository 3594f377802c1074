"""The command line: one file a command, one style for all of them.

Whatever goes wrong because of something that the operator wrote ends in one line that names it and
the mend, with exit code 2.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Annotated

import typer

from proxy.cli import crawl, demo, engine, forget, outbox, run
from proxy.errors import SettingsError

PROGRAM = "datacue-proxy"
"""What help and errors call us, also where we were started as `python -m proxy`."""

app = typer.Typer(
    name=PROGRAM,
    help="Personalizes any server-rendered shop, without JavaScript.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog="Try it: [bold]datacue-proxy demo[/bold]",
)
app.command("run")(run.run)
app.command("engine")(engine.engine)
app.command("demo")(demo.demo)
app.command("crawl")(crawl.crawl)
app.command("forget")(forget.forget)
app.add_typer(outbox.outbox, name="outbox")


def _version(asked: bool) -> None:  # noqa: FBT001  typer's callback
    if asked:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  only when asked

        try:
            typer.echo(version(PROGRAM))
        except PackageNotFoundError:
            checkout = Path(__file__).parents[2] / "pyproject.toml"
            typer.echo(f"{tomllib.loads(checkout.read_text())['project']['version']} (a checkout)")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Personalizes any server-rendered shop, without JavaScript."""


def main() -> None:
    """Runs the command; the entry point of ``datacue-proxy``."""
    try:
        app(prog_name=PROGRAM)
    except SettingsError as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        sys.exit(2)
