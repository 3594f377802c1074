"""What ``datacue-proxy crawl`` does, once its options are read: apart, since only it needs all this."""

from __future__ import annotations

import asyncio
import hashlib
import random
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Self

import httpx
import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from proxy import logs
from proxy.cli.style import FINE, INTERRUPTED, PROBLEMS, STOPPED, End
from proxy.crawl import (
    Crawl,
    CrawlStopped,
    EngineCatalogue,
    Fetcher,
    Journal,
    NoCatalogue,
    NotFetched,
    Pace,
    PageReader,
    Tally,
    crawl_client,
)
from proxy.engine_host import EngineHost
from proxy.errors import SettingsError
from proxy.journal import JournalUnusable
from proxy.prepared import page_plan

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from proxy.crawl import Catalogue
    from proxy.settings import Settings

ENGINE_SECONDS = 30.0
"""For one call to the engine."""

ADDRESS = "Write its whole address, as https://shop.example/sitemap.xml."

JOURNAL = "Wait for the other crawl to end, mend the disk, or name another file."

SHOWN_COMPLAINTS = 10
"""Complaints that the summary repeats; ``--json`` has more."""


@dataclass
class Job:
    """One run, with what it opens.

    Attributes:
        rate: requests a second.
        tally: what has been done so far.
    """

    settings: Settings
    sitemap: str
    journal: Journal
    console: Console
    rate: float
    concurrency: int
    _: KW_ONLY
    limit: int | None
    dry_run: bool
    tally: Tally = field(default_factory=Tally)

    async def run(self) -> End:
        """Crawls until all is read, or something ends it: Ctrl-C, the shop, the engine."""
        loop = asyncio.get_running_loop()
        crawling = loop.create_task(self._crawl())
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, crawling.cancel)
        try:
            await crawling
        except asyncio.CancelledError:
            return End(INTERRUPTED, "ended")
        except (CrawlStopped, JournalUnusable) as stopped:
            return End(STOPPED, str(stopped))
        return End(PROBLEMS if self.tally.errors or not self.tally.found else FINE)

    async def _crawl(self) -> None:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(crawl_client(self.concurrency))
            pace = Pace(self.rate, clock=time.monotonic)
            try:
                fetcher = Fetcher(client, self.sitemap, pace, dice=random.Random(), now=time.time)  # noqa: S311  spreads retries
            except NotFetched as error:
                raise SettingsError("--sitemap", f"{self.sitemap!r} {error}", ADDRESS) from None
            reader = PageReader(*page_plan(self.settings)[:3])
            catalogue = NoCatalogue() if self.dry_run else await self._engine(stack)
            watch = None
            if self.console.is_terminal:
                watch = stack.enter_context(_Bar(self.console))
            run = Crawl(
                fetcher,
                reader,
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


def open_journal(path: Path, *, dry: bool) -> Journal:
    """The journal, to be closed.

    Args:
        path: its file.
        dry: whether nothing may be written.

    Raises:
        SettingsError: it can't be used.
    """
    try:
        if not dry:
            path.parent.mkdir(parents=True, exist_ok=True)
        return Journal(path, dry=dry)
    except JournalUnusable as error:
        raise SettingsError("--state", str(error), JOURNAL) from None
    except OSError as error:
        raise SettingsError("--state", f"{path} can't be made: {error.strerror}", JOURNAL) from None


def begin(journal: Journal, sitemap: str, settings: Settings, *, fresh: bool) -> bool:
    """Begins a run, or goes on with one: then True.

    Raises:
        SettingsError: the journal can't be written.
    """
    # Pages read under other rules may show other products.
    rules = settings.model_dump_json(include={"pages", "detect", "preset"})
    try:
        return journal.begin(sitemap, hashlib.sha256(rules.encode()).hexdigest(), fresh=fresh)
    except JournalUnusable as error:
        raise SettingsError("--state", str(error), JOURNAL) from None


def _show(url: str, products: list[dict[str, Any]]) -> None:
    """A dry run's line for each product of a page; tabs part its fields."""
    for fields in products:
        told = (fields["product_id"], fields["variant_id"], fields.get("price", ""), fields["name"])
        typer.echo("\t".join([url, *map(str, told)]))


def outcome(job: Job, end: End) -> bytes:
    """How a run ended, as JSON."""
    told = {**msgspec.to_builtins(job.tally), "stopped": end.why or None, "dry_run": job.dry_run}
    return msgspec.json.encode(told)


def summarize(job: Job, end: End) -> None:
    """Tells people how a run ended."""
    console, tally = job.console, job.tally
    again = "" if job.dry_run else " The same command goes on from here."
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
        console.print(f"Stopped: {end.why}.{again}", markup=False, soft_wrap=True)
    elif not tally.found:
        console.print("The sitemap names no page of its own origin: is it the shop's address?")
    elif again and not tally.finished:
        console.print(again.strip())
