"""The command line: one file a command, one style for all of them.

Whatever goes wrong because of something that the operator wrote ends in one line that names it and
the mend, with exit code 2.
"""

from __future__ import annotations

import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from proxy.cli.style import INTERRUPTED, PROGRAM, WRONG, complain
from proxy.errors import SettingsError

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What a wrong option raises: typer exports only some of its children."""

MODULES = (
    "run", "init", "check", "preview", "demo", "engine", "import_", "crawl", "outbox", "forget", "purge",
)  # fmt: skip
"""In the help's order; each holds the command, or the group of commands, of its own name."""

COMMANDS = {module.rstrip("_"): module for module in MODULES}


def _version(asked: bool) -> None:  # noqa: FBT001  typer's callback
    if asked:
        from importlib.metadata import PackageNotFoundError, version  # only when asked

        try:
            typer.echo(version(PROGRAM))
        except PackageNotFoundError:
            checkout = Path(__file__).parents[2] / "pyproject.toml"
            typer.echo(f"{tomllib.loads(checkout.read_text())['project']['version']} (a checkout)")
        raise typer.Exit


def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Personalizes any server-rendered shop, without JavaScript."""


def assemble(asked: str | None = None) -> typer.Typer:
    """The command line.

    Args:
        asked: the command that is run. Only its module is read, as most need what no other does; help and
            completion read all.
    """
    app = typer.Typer(
        name=PROGRAM,
        help="Personalizes any server-rendered shop, without JavaScript.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        epilog="Try it: [bold]datacue-proxy demo[/bold]",
    )
    app.callback()(options)
    for name in [asked] if asked in COMMANDS else COMMANDS:
        command = getattr(import_module(f"{__name__}.{COMMANDS[name]}"), COMMANDS[name])
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def main() -> None:
    """Runs the command; the entry point of ``datacue-proxy``."""
    try:
        # typer's own way to tell a mistake is a box; ours is a line.
        app = assemble(next(iter(sys.argv[1:]), None))
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
