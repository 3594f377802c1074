"""``datacue-proxy crawl``: fills the embedded engine's catalogue from the shop's sitemap."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from proxy.cli.style import AsJson, Config, helped
from proxy.errors import SettingsError
from proxy.settings import load

MAX_RATE = 100.0
"""Pages a second: what one machine of a shop serves, with room for its visitors."""

MAX_CONCURRENCY = 16
"""Pages in flight."""

RATE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(?:/(s|m|h))?")
SECONDS = {"s": 1, "m": 60, "h": 3600}


@helped(
    [
        "crawl --sitemap https://shop.example/sitemap.xml",
        "crawl --sitemap https://shop.example/sitemap.xml --limit 20 --dry-run",
        "crawl --sitemap https://shop.example/sitemap.xml --rate 30/m --json",
    ],
    "0 all is read, 1 with errors, 2 wrong settings, 3 stopped early, 130 ended by Ctrl-C. After 3 and 130"
    " the same command goes on where this one ended.",
)
def crawl(  # noqa: PLR0913  each is an option
    *,
    sitemap: Annotated[str, typer.Option(metavar="URL", help="The shop's sitemap, or an index of them.")],
    config: Config = None,
    rate: Annotated[
        str, typer.Option(metavar="N/s", help="Requests a second (N/s), a minute (N/m) or an hour (N/h).")
    ] = "2/s",
    concurrency: Annotated[
        int, typer.Option(min=1, max=MAX_CONCURRENCY, help="Pages in flight, at most.")
    ] = 2,
    limit: Annotated[int | None, typer.Option(min=1, help="Pages that are read, at most.")] = None,
    state: Annotated[
        Path | None, typer.Option(help="Journal of what was read. Default: crawl.sqlite in state_dir.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Read every page again, also those that have not changed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read pages and say what they show; keep nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fills the embedded engine's catalogue from the shop's sitemap, politely."""
    # Here, not above: no other command needs a client of the web, and it takes a while to load.
    from proxy.cli.crawling import Job, begin, open_journal, outcome, summarize

    settings = load(config)
    if not settings.embedded_engine and not dry_run:
        raise SettingsError(
            "api_key",
            "is set, so DataCue keeps the catalogue, not the embedded engine that a crawl fills",
            "Leave it out, or send your products with the REST API.",
        )
    a_second = _rate(rate)
    console = Console(stderr=True, highlight=False, quiet=as_json)
    path = state or settings.state_dir / "crawl.sqlite"
    with closing(open_journal(path, dry=dry_run)) as journal:
        if begin(journal, sitemap, settings, fresh=fresh):
            console.print("An earlier run was not finished: going on with it.")
        job = Job(settings, sitemap, journal, console, a_second, concurrency, limit=limit, dry_run=dry_run)
        end = uvloop.run(job.run())
    if as_json:
        typer.echo(outcome(job, end))
    else:
        summarize(job, end)
    raise typer.Exit(end.code)


def _rate(text: str) -> float:
    match = RATE.fullmatch(text.strip())
    rate = float(match[1]) / SECONDS[match[2] or "s"] if match else 0.0
    if not 0 < rate <= MAX_RATE:
        problem = f"{text!r} is no rate up to {MAX_RATE:.0f} a second"
        raise SettingsError("--rate", problem, "Write 2/s, 30/m or 500/h.")
    return rate
