"""``datacue-proxy crawl``: fills the embedded engine's catalogue from the shop's sitemap."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
import signal
import time
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self

import httpx
import msgspec
import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from proxy import logs
from proxy.crawl import (
    Crawl,
    CrawlStopped,
    EngineCatalogue,
    Fetcher,
    Journal,
    JournalUnusable,
    NoCatalogue,
    NotFetched,
    Pace,
    PageReader,
    Tally,
    crawl_client,
)
from proxy.engine_host import EngineHost
from proxy.errors import SettingsError
from proxy.lifespan import page_plan
from proxy.settings import load

if TYPE_CHECKING:
    from proxy.crawl import Catalogue
    from proxy.settings import Settings

MAX_RATE = 100.0
"""Pages a second: what one machine of a shop serves, with room for its visitors."""

MAX_CONCURRENCY = 16
"""Pages in flight."""

ENGINE_SECONDS = 30.0
"""For one call to the engine."""

ADDRESS = "Write its whole address, as https://shop.example/sitemap.xml."

JOURNAL = "Wait for the other crawl to end, mend the disk, or name another file."

SHOWN_COMPLAINTS = 10
"""Complaints that the summary repeats; ``--json`` has more."""

FAILED, STOPPED, INTERRUPTED = 1, 3, 130
"""Exit codes: done, with errors; stopped, and the next run goes on; ended by Ctrl-C, and likewise."""

RATE = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(?:/(s|m|h))?")
SECONDS = {"s": 1, "m": 60, "h": 3600}

EXAMPLES = """
[bold]Examples[/bold]

  datacue-proxy crawl --sitemap https://shop.example/sitemap.xml

  datacue-proxy crawl --sitemap https://shop.example/sitemap.xml --limit 20 --dry-run

  datacue-proxy crawl --sitemap https://shop.example/sitemap.xml --rate 30/m --json

[bold]Exit codes[/bold]

  0 all is read, 1 with errors, 2 wrong settings, 3 stopped early, 130 ended by Ctrl-C.

After 3 and 130 the same command goes on where this one ended.
"""


def crawl(  # noqa: PLR0913  each is an option
    *,
    sitemap: Annotated[str, typer.Option(metavar="URL", help="The shop's sitemap, or an index of them.")],
    config: Annotated[
        Path | None, typer.Option(help="The settings file. Default: datacue.toml, where there is one.")
    ] = None,
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
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as JSON on standard output.")] = False,
) -> None:
    """Fills the embedded engine's catalogue from the shop's sitemap, politely."""
    settings = load(config)
    if not settings.embedded_engine and not dry_run:
        raise SettingsError(
            "api_key",
            "is set, so DataCue keeps the catalogue, not the embedded engine that a crawl fills",
            "Leave it out, or send your products with the REST API.",
        )
    interval = _rate(rate)
    reader = PageReader(*page_plan(settings)[:3])
    path = state or settings.state_dir / "crawl.sqlite"
    console = Console(stderr=True, highlight=False, quiet=as_json)
    with closing(_journal(path, dry=dry_run)) as journal:
        if _begin(journal, sitemap, _rules(settings), fresh=fresh):
            console.print("An earlier run was not finished: going on with it.")
        job = _Job(
            settings,
            sitemap,
            reader,
            journal,
            console,
            rate=interval,
            concurrency=concurrency,
            limit=limit,
            dry_run=dry_run,
        )
        end = uvloop.run(job.run())
    if as_json:
        outcome = {**msgspec.to_builtins(job.tally), "stopped": end.why or None, "dry_run": dry_run}
        typer.echo(msgspec.json.encode(outcome))
    else:
        _summarize(console, job.tally, end)
    raise typer.Exit(end.code)


crawl.__doc__ = f"{crawl.__doc__}\n{EXAMPLES}"


class _End(NamedTuple):
    """How a run ended: its exit code, and what stopped it."""

    code: int
    why: str = ""


@dataclass
class _Job:
    """One run, with what it opens."""

    settings: Settings
    sitemap: str
    reader: PageReader
    journal: Journal
    console: Console
    rate: float
    concurrency: int
    limit: int | None
    dry_run: bool
    tally: Tally = field(default_factory=Tally)

    async def run(self) -> _End:
        """Crawls until all is read, or something ends it: Ctrl-C, the shop, the engine."""
        loop = asyncio.get_running_loop()
        crawling = loop.create_task(self._crawl())
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, crawling.cancel)
        try:
            await crawling
        except asyncio.CancelledError:
            return _End(INTERRUPTED, "ended")
        except CrawlStopped as stopped:
            return _End(STOPPED, str(stopped))
        return _End(FAILED if self.tally.errors or not self.tally.found else 0)

    async def _crawl(self) -> None:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(crawl_client(self.concurrency))
            pace = Pace(self.rate, clock=time.monotonic)
            try:
                fetcher = Fetcher(client, self.sitemap, pace, dice=random.Random(), now=time.time)  # noqa: S311  spreads retries
            except NotFetched as error:
                raise SettingsError("--sitemap", f"{self.sitemap!r} {error}", ADDRESS) from None
            catalogue = NoCatalogue() if self.dry_run else await self._engine(stack)
            watch = None
            if self.console.is_terminal:
                watch = stack.enter_context(_Bar(self.console))
            run = Crawl(
                fetcher,
                self.reader,
                self.journal,
                catalogue,
                concurrency=self.concurrency,
                tally=self.tally,
                watch=watch,
                show=_show if self.dry_run and not self.console.quiet else None,
            )
            await run.run(self.sitemap, self.limit)

    async def _engine(self, stack: AsyncExitStack) -> Catalogue:
        host = EngineHost(self.settings.state_dir, logs.configure("warning", self.settings.log_format))
        stack.push_async_callback(host.aclose)
        await host.start()
        client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=host.socket),
            base_url="http://engine.localhost",
            trust_env=False,
            timeout=ENGINE_SECONDS,
        )
        await stack.enter_async_context(client)
        return EngineCatalogue(client, api_key=host.keys.api_key, api_secret=host.keys.api_secret)


class _Bar:
    """A line that says how far the crawl is; called with the tally as it grows."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("pages · {task.fields[products]} products · {task.fields[errors]} errors"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._progress.add_task("sitemap", total=None, products=0, errors=0, rate="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, tally: Tally) -> None:
        """Shows a tally."""
        if not tally.reading:
            self._progress.update(self._task, completed=tally.found)
            return
        speed = self._progress.tasks[0].speed
        if self._progress.tasks[0].description == "sitemap":
            self._progress.reset(self._task, description="pages", total=tally.due)
        self._progress.update(
            self._task,
            completed=tally.pages,
            products=tally.products,
            errors=tally.errors,
            rate=f"{speed:.1f}/s" if speed else "",
        )


def _rate(text: str) -> float:
    match = RATE.fullmatch(text.strip())
    rate = float(match[1]) / SECONDS[match[2] or "s"] if match else 0.0
    if not 0 < rate <= MAX_RATE:
        problem = f"{text!r} is no rate up to {MAX_RATE:.0f} a second"
        raise SettingsError("--rate", problem, "Write 2/s, 30/m or 500/h.")
    return rate


def _journal(path: Path, *, dry: bool) -> Journal:
    try:
        if not dry:
            path.parent.mkdir(parents=True, exist_ok=True)
        return Journal(path, dry=dry)
    except JournalUnusable as error:
        raise SettingsError("--state", str(error), JOURNAL) from None
    except OSError as error:
        raise SettingsError(
            "--state", f"{path} can't be made: {error.strerror}", "Name another file."
        ) from None


def _begin(journal: Journal, sitemap: str, rules: str, *, fresh: bool) -> bool:
    try:
        return journal.begin(sitemap, rules, fresh=fresh)
    except JournalUnusable as error:
        raise SettingsError("--state", str(error), JOURNAL) from None


def _rules(settings: Settings) -> str:
    """Stands for the settings that say how a page is read."""
    rules = settings.model_dump_json(include={"pages", "detect", "preset"})
    return hashlib.sha256(rules.encode()).hexdigest()


def _show(url: str, products: list[dict[str, Any]]) -> None:
    """A dry run's line for each product of a page; tabs part its fields."""
    for fields in products:
        told = (fields["product_id"], fields["variant_id"], fields.get("price", ""), fields["name"])
        typer.echo("\t".join([url, *map(str, told)]))


def _summarize(console: Console, tally: Tally, end: _End) -> None:
    parts = [f"{tally.pages:,} of {tally.due:,} pages", f"{tally.products:,} products"]
    for count, what in (
        (tally.known, "read before"),
        (tally.unchanged, "unchanged"),
        (tally.gone, "gone"),
        (tally.denied, "denied by robots.txt"),
        (tally.elsewhere, "on other origins"),
        (tally.errors, "errors"),
    ):
        if count:
            parts.append(f"{count:,} {what}")
    console.print(", ".join(parts) + ".")
    for complaint in tally.complaints[:SHOWN_COMPLAINTS]:
        console.print(f"  {complaint}", markup=False, soft_wrap=True)
    if tally.errors > SHOWN_COMPLAINTS:
        console.print(f"  … and {tally.errors - SHOWN_COMPLAINTS:,} more.")
    if end.why:
        console.print(
            f"Stopped: {end.why}. The same command goes on from here.", markup=False, soft_wrap=True
        )
    elif not tally.found:
        console.print("The sitemap names no page of its own origin: is it the shop's address?")
    elif not tally.finished:
        console.print("The same command goes on from here.")
