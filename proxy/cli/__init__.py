"""The command line: one file a command, one style for all of them.

Whatever goes wrong because of something that the operator wrote ends in one line that names it and
the mend, with exit code 2.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from proxy.cli import demo, engine, run
from proxy.errors import SettingsError

app = typer.Typer(
    name="datacue-proxy",
    help="Personalizes any server-rendered shop, without JavaScript.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog="Try it: [bold]datacue-proxy demo[/bold]",
)
app.command("run")(run.run)
app.command("engine")(engine.engine)
app.command("demo")(demo.demo)


def _version(asked: bool) -> None:  # noqa: FBT001  typer's callback
    if asked:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  only when asked

        try:
            typer.echo(version("datacue-proxy"))
        except PackageNotFoundError:
            typer.echo("datacue-proxy (from a checkout)")
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
        app()
    except SettingsError as error:
        sys.stderr.write(f"datacue-proxy: {error}\n")
        sys.exit(2)
