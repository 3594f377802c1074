"""``datacue-proxy forget``: erases a visitor, wherever we know them."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import msgspec
import typer
from rich.console import Console

from proxy import logs
from proxy.carts import Carts
from proxy.cli.style import AsJson, Config, complain, helped
from proxy.engine_host import EngineHost
from proxy.errors import OutboxUnavailable, PeerError
from proxy.lifespan import open_outbox, open_rest_client
from proxy.settings import load

if TYPE_CHECKING:
    from proxy.outbox import Outbox
    from proxy.settings import Settings

FAILED = 1
"""Exit code: something could not be erased; the same command tries again."""

MAX_LOOKED_AT = 1_000_000
"""Records of the outbox that are looked through for a user id: its disk cap holds no more."""


@helped(
    [
        "forget 07d35b1a-5776-4ddf-8f1c-dd0d2db9c502",
        "forget ada@example.com --json",
    ],
    "0 erased everywhere, 1 not everywhere, 2 wrong settings.",
)
def forget(
    visitor: Annotated[str, typer.Argument(help="An anonymous id (the cookie's first part) or a user id.")],
    *,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Erases a visitor from the outbox and its dead letters, from remembered carts, and from the engine."""
    settings = load(config)
    erased, problems = asyncio.run(_forget(settings, visitor))
    if as_json:
        sys.stdout.write(msgspec.json.encode({**erased, "problems": problems}).decode() + "\n")
    else:
        console = Console(highlight=False)
        console.print(f"Undelivered events: {erased['events']:,} erased.")
        console.print(f"Remembered carts: {erased['carts']:,} erased.")
        if erased["asked"]:
            console.print(f"{erased['asked']} was told to erase {visitor}.", markup=False)
        for problem in problems:
            complain(problem)
    if problems:
        raise typer.Exit(FAILED)


async def _forget(settings: Settings, visitor: str) -> tuple[dict[str, Any], list[str]]:
    erased: dict[str, Any] = {"events": 0, "carts": 0, "asked": ""}
    problems: list[str] = []
    names = {visitor}
    outbox = open_outbox(settings)
    try:
        names |= await _anonymous_ids(outbox, visitor)
        for name in sorted(names):
            erased["events"] += await outbox.forget(name)
    except OutboxUnavailable as error:
        problems.append(f"the outbox could not be cleaned: {error}")
    carts = Carts(settings.state_dir / "carts.sqlite3", clock=time.time)
    try:
        for name in sorted(names):
            erased["carts"] += await carts.forget(name)
    except OSError as error:
        problems.append(f"the remembered carts could not be cleaned: {error}")
    finally:
        await carts.aclose()
    try:
        erased["asked"] = await _ask(settings, visitor)
    except PeerError as error:
        problems.append(f"not erased at {'the engine' if settings.embedded_engine else 'DataCue'}: {error}")
    if not settings.embedded_engine and settings.api_secret is None:
        problems.append("not erased at DataCue: that needs api_secret")
    return erased, problems


async def _anonymous_ids(outbox: Outbox, user_id: str) -> set[str]:
    """Under whose names events of this user wait: the outbox keeps them by the anonymous id."""
    return {
        held.record.visitor
        for held in await outbox.list(None, MAX_LOOKED_AT)
        if user_id.encode() in held.record.body and _is_of(held.record.body, user_id)
    }


def _is_of(body: bytes, user_id: str) -> bool:
    document = msgspec.json.decode(body)
    user = document.get("user", document)
    return isinstance(user, dict) and user.get("user_id") == user_id


async def _ask(settings: Settings, visitor: str) -> str:
    """Tells the engine (started for it where no proxy runs) or DataCue (guide, "Delete User"); whom."""
    async with AsyncExitStack() as stack:
        host = None
        if settings.embedded_engine:
            if not (settings.state_dir / "engine.sqlite").exists():
                return ""
            host = EngineHost(settings.state_dir, logs.configure("error", "auto"))
            stack.push_async_callback(host.aclose)
            await host.start()
        rest = open_rest_client(settings, host, stack)
        if rest is None:
            return ""
        await rest.send("DELETE", f"/users/{quote(visitor, safe='')}")
    return "The engine" if settings.embedded_engine else "DataCue"
