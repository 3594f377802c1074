"""What all commands share: options of one name, help of one shape, errors of one line.

Colours come only on a terminal, and never where ``NO_COLOR`` is set (no-color.org): rich sees to that.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import msgspec
import typer
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Command = TypeVar("Command", bound="Callable[..., None]")

PROGRAM = "datacue-proxy"
"""What help and errors call us, also where we were started as `python -m proxy`."""

FINE, PROBLEMS, WRONG, STOPPED, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: done; done, with problems; an option or a setting is wrong; ended early; ended by Ctrl-C."""


class End(NamedTuple):
    """How a long run ended: its exit code, and what stopped it."""

    code: int
    why: str = ""


Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The settings file. Default: datacue.toml, where there is one."),
]
AsJson = Annotated[bool, typer.Option("--json", help="The outcome as JSON on standard output.")]


def helped(examples: Sequence[str], codes: str = "") -> Callable[[Command], Command]:
    """Adds examples and exit codes to a command's docstring, which is its help.

    Args:
        examples: command lines, each without the program's name.
        codes: exit codes, as ``0 done, 2 wrong settings``.
    """

    def add(command: Command) -> Command:
        paragraphs = [" ".join(text.split()) for text in (command.__doc__ or "").split("\n\n")]
        title = "[bold]Examples[/bold]" if len(examples) > 1 else "[bold]Example[/bold]"
        parts = [*paragraphs, title, *(f"  {PROGRAM} {example}" for example in examples)]
        if codes:
            parts += ["[bold]Exit codes[/bold]", f"  {codes}"]
        command.__doc__ = "\n\n".join(parts)
        return command

    return add


def console(*, quiet: bool = False) -> Console:
    """Standard output, for people. Addresses and texts are never taken for markup or numbers."""
    return Console(highlight=False, quiet=quiet)


def complain(problem: object) -> None:
    """One line on standard error."""
    terminal = Console(stderr=True)
    red, plain = ("", "") if terminal.no_color or not terminal.color_system else ("\x1b[1;31m", "\x1b[0m")
    sys.stderr.write(f"{red}error:{plain} {' '.join(str(problem).split())}\n")


def print_json(value: Any) -> None:
    """An outcome, for programs."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
