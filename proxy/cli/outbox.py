"""``datacue-proxy outbox``: looks after the events that DataCue has not acknowledged yet.

It works on the files themselves, whether or not the proxy runs.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from proxy.cli.style import AsJson, Config, complain
from proxy.errors import OutboxUnavailable, SettingsError
from proxy.lifespan import open_outbox
from proxy.settings import load

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from proxy.outbox import Held, Outbox, State

FAILED = 1
"""Exit code: not all that was named is there, or the files can't be read."""

SHOWN = 60
"""Characters of a reason or event that a row shows; ``--json`` has all of it."""

T = TypeVar("T")

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Of the records; list shows them.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]
Dead = Annotated[bool, typer.Option("--dead", help="Only those that DataCue will never take.")]
Waiting = Annotated[bool, typer.Option("--waiting", help="Only those that are still to be sent.")]

EPILOG = """
[bold]Examples[/bold]

  datacue-proxy outbox status

  datacue-proxy outbox list --dead

  datacue-proxy outbox replay --all

  datacue-proxy outbox drop 01938c1e-6f4e-7a51-9d2b-0c2f6a4f5d11

[bold]Exit codes[/bold]

  0 done, 1 not all that was named is there, or the files can't be read, 2 wrong settings.
"""

outbox = typer.Typer(
    no_args_is_help=True,
    help="Looks after events that DataCue has not acknowledged yet.",
    epilog=EPILOG,
    rich_markup_mode="rich",
)


@outbox.command()
def status(*, config: Config = None, as_json: AsJson = False) -> None:
    """How many events wait, and how much room they take."""
    found = _run(_open(config).status())
    if as_json:
        _print_json(msgspec.to_builtins(found) if found is not None else {})
        return
    console = Console(highlight=False)
    if found is None or not (sum(found.waiting.values()) or found.dead):
        console.print("Nothing waits.")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("priority")
    table.add_column("waiting", justify="right")
    for name, count in found.waiting.items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    age = "" if found.oldest is None else f", the oldest since {_moment(found.oldest)}"
    console.print(
        f"{sum(found.waiting.values()):,} wait{age}; {found.dead:,} dead;"
        f" {found.used_bytes / 1e6:,.1f} of {found.max_bytes / 1e6:,.0f} MB in {found.stores} file(s)."
    )


@outbox.command("list")
def show(
    *,
    config: Config = None,
    dead: Dead = False,
    waiting: Waiting = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The oldest so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """The oldest events, with the reason why they are still here."""
    found = _run(_open(config).list(_state(dead=dead, waiting=waiting), limit))
    if as_json:
        _print_json([_document(held) for held in found])
        return
    console = Console(highlight=False)
    if not found:
        console.print("Nothing waits." if not dead else "Nothing is dead.")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("id", "since", "what", "tried", "state", "reason"):
        table.add_column(name, no_wrap=name in {"id", "since"}, overflow="fold")
    for held in found:
        record = held.record
        state = "dead" if held.dead else "waiting"
        reason = held.reason[:SHOWN]
        table.add_row(record.id, _moment(record.created), _what(held), str(held.attempts), state, reason)
    console.print(table)


@outbox.command()
def replay(ids: Ids = None, *, config: Config = None, every: All = False, as_json: AsJson = False) -> None:
    """Sends dead letters once more: after their cause was mended."""
    _named("replay", ids, every=every)
    _tell(_run(_open(config).replay(ids or None)), "will be sent again", ids, as_json=as_json)


@outbox.command()
def drop(
    ids: Ids = None,
    *,
    config: Config = None,
    every: All = False,
    dead: Dead = False,
    waiting: Waiting = False,
    as_json: AsJson = False,
) -> None:
    """Throws events away: DataCue will never hear of them."""
    _named("drop", ids, every=every)
    dropped = _run(_open(config).drop(ids or None, _state(dead=dead, waiting=waiting)))
    _tell(dropped, "dropped", ids, as_json=as_json)


def _open(config: Path | None) -> Outbox:
    return open_outbox(load(config))


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Does it; files that can't be read end in one line."""
    try:
        return asyncio.run(work)
    except OutboxUnavailable as error:
        complain(error)
        raise typer.Exit(FAILED) from None


def _named(command: str, ids: list[str] | None, *, every: bool) -> None:
    if bool(ids) == every:
        problem = "names records and says --all" if ids else "names no record"
        raise SettingsError(f"outbox {command}", problem, "Name them by their ids, or say --all.")


def _state(*, dead: bool, waiting: bool) -> State | None:
    if dead == waiting:
        return None
    return "dead" if dead else "waiting"


def _tell(count: int, what: str, ids: list[str] | None, *, as_json: bool) -> None:
    if as_json:
        _print_json({"count": count})
    else:
        Console(highlight=False).print(f"{count:,} {what}.")
    if ids and count < len(set(ids)):
        raise typer.Exit(FAILED)


def _what(held: Held) -> str:
    """The event's type and subtype, or the call."""
    if held.record.target != "events":
        return held.record.target
    event = _body(held).get("event")
    event = event if isinstance(event, dict) else {}
    return "/".join(str(event[key]) for key in ("type", "subtype") if key in event)


def _body(held: Held) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(held.record.body)
    return found


def _document(held: Held) -> dict[str, Any]:
    record = held.record
    return {
        "id": record.id,
        "visitor": record.visitor,
        "priority": record.priority.name.lower(),
        "created": _moment(record.created),
        "target": record.target,
        "state": "dead" if held.dead else "waiting",
        "attempts": held.attempts,
        "due": _moment(held.due) if held.due > time.time() else None,
        "reason": held.reason,
        "body": _body(held),
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _print_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
