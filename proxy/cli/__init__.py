"""The command line: one file a command, one style for all of them.

Whatever goes wrong because of something that the operator wrote ends in one line that names it and
the mend, with exit code 2.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from proxy.cli import check, crawl, demo, engine, forget, import_, init, outbox, preview, purge, run
from proxy.cli.style import INTERRUPTED, PROGRAM, WRONG, complain
from proxy.errors import SettingsError

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What a wrong option raises: typer exports only some of its children."""

app = typer.Typer(
    name=PROGRAM,
    help="Personalizes any server-rendered shop, without JavaScript.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    epilog="Try it: [bold]datacue-proxy demo[/bold]",
)
app.command("run")(run.run)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("preview")(preview.preview)
app.command("demo")(demo.demo)
app.command("engine")(engine.engine)
app.command("import")(import_.import_)
app.command("crawl")(crawl.crawl)
app.add_typer(outbox.outbox, name="outbox")
app.command("forget")(forget.forget)
app.command("purge")(purge.purge)


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
        # typer's own way to tell a mistake is a box; ours is a line.
        sys.exit(app(prog_name=PROGRAM, standalone_mode=False))
    except SettingsError as error:
        complain(error)
        sys.exit(WRONG)
    except UsageError as error:
        _explain(error)
        sys.exit(WRONG)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)


def _explain(error: Any) -> None:
    """What is wrong with a command line, on one line; whoever says nothing gets the help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return
    where = error.ctx.command_path if error.ctx is not None else PROGRAM
    complain(f"{error.format_message().rstrip('.')}. Try '{where} --help'.")
