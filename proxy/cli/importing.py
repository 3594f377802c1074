"""What ``datacue-proxy import`` does, once its options are read: apart, since only it needs all this."""

from __future__ import annotations

import asyncio
import codecs
import signal
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import httpx
import stamina
import uvloop

from proxy import logs
from proxy.api import DataCueClient, InvalidInput
from proxy.cli.import_bar import Bar
from proxy.cli.import_report import explain, show, suggest
from proxy.cli.style import FINE, INTERRUPTED, PROBLEMS, STOPPED, WRONG, End
from proxy.engine_host import EngineHost
from proxy.errors import SettingsError, counted
from proxy.importer import (
    Checked,
    File,
    Journal,
    Tally,
    Upload,
    UploadStopped,
    Wishes,
    check,
    find_format,
    key_of,
    open_source,
    read_catalogue,
    read_wishes,
    sendable,
    understand,
    write_all_failed,
)
from proxy.journal import JournalInUse, JournalUnusable

if TYPE_CHECKING:
    from rich.console import Console
    from stamina.instrumentation import RetryDetails

    from proxy.importer import FormatName, Index, Point, Problem, Resource, Source, Verb
    from proxy.settings import Settings

ENGINE_SECONDS: Final = 60.0
"""For one batch at the engine, which may be busy with three others."""

JOURNALS: Final = "imports"
"""Folder in state_dir, for journals and for what standard input said."""

ENGINE_URL: Final = "http://engine.localhost/v1"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    resource: Resource
    verb: Verb
    names: tuple[str, ...]
    maps: tuple[str, ...]
    fills: tuple[str, ...]
    platform: str | None
    products: str | None
    form: FormatName | None
    encoding: str | None
    delimiter: str | None
    quote: str | None
    point: Point | None
    concurrency: int
    dry_run: bool
    resume: bool
    fresh: bool
    strict: bool


@dataclass
class Job:
    """One run.

    Attributes:
        checked: what reading the files has shown.
        tally: what was sent.
        begun: whether sending has begun, so that one can go on with it.
        written: the files of what failed.
        problems: the first items in them.
    """

    settings: Settings
    options: Options
    console: Console
    stdin: IO[bytes]
    checked: Checked = field(default_factory=Checked)
    tally: Tally = field(default_factory=Tally)
    begun: bool = False
    written: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def run(self) -> End:
        """Reads, checks and sends; returns also where Ctrl-C or the API ends it.

        Raises:
            SettingsError: an option, a setting or a file can't be used.
        """
        try:
            with ExitStack() as stack:
                return self._run(stack)
        except KeyboardInterrupt:
            return End(INTERRUPTED, "ended")
        except JournalInUse as error:
            mend = "Wait until it has ended; what it leaves undone goes on with --resume."
            raise SettingsError(self.options.names[0], str(error), mend) from None
        except JournalUnusable as error:
            mend = "Make room there, or name another state_dir. Nothing was sent."
            raise SettingsError("state_dir", str(error), mend) from None

    def _run(self, stack: ExitStack) -> End:
        options = self.options
        self._check_options()
        wishes = read_wishes(options.resource, options.maps, options.fills)
        sources = self._sources(stack)
        known = None if options.products is None else self._understood(sources.pop(), "products", Wishes())
        catalogue = None if known is None else read_catalogue(known)
        files = [self._understood(source, options.resource, wishes, catalogue) for source in sources]
        for file in files:
            explain(self.console, file)
        told = "" if known is None else known.source.digest.hex()
        key = key_of(files, options.resource, options.verb, self._target(), told, wishes=wishes)
        path = None if options.dry_run else self.settings.state_dir / JOURNALS / f"{key}.sqlite"
        journal = stack.enter_context(closing(self._journal(path)))
        if not self._goes_on(journal):
            self._check(files, journal)
        if options.dry_run:
            end = End(PROBLEMS if self.checked.bad else FINE)
        elif options.strict and self.checked.bad:
            end = End(WRONG, "nothing was sent, since not all of it can be")
        elif self.checked.items > self.checked.bad:
            self.begun = True
            end = uvloop.run(self._send(files, journal))
        else:
            end = End(PROBLEMS if self.checked.bad else FINE)
        if end.code not in {STOPPED, INTERRUPTED}:
            try:
                self.written, self.problems = write_all_failed(files, journal)
            except SettingsError as error:
                if not self.begun:
                    raise
                return End(STOPPED, str(error))  # the journal knows what failed, and stays
            journal.remove()
        return end

    def _check_options(self) -> None:
        options, settings = self.options, self.settings
        if settings.api_key is not None and settings.api_secret is None and not options.dry_run:
            raise SettingsError("api_secret", "is missing, and calls are signed with it", "Add it.")
        if options.encoding is not None:
            try:
                codecs.lookup(options.encoding)
            except LookupError:
                problem = f"{options.encoding!r} is no encoding that we know"
                raise SettingsError("--encoding", problem, "Write utf-8, utf-16 or latin-1.") from None
        for name in options.names:
            if options.names.count(name) > 1:
                raise SettingsError("FILE", f"{name} is named twice", "Name it once.")

    def _sources(self, stack: ExitStack) -> list[Source]:
        """The files, each read once; at last that of ``--products``."""
        found: list[Source] = []
        names = (*self.options.names, *([self.options.products] if self.options.products else []))
        sizes = [Path(name).stat().st_size if Path(name).is_file() else 0 for name in names]
        bar = stack.enter_context(Bar(self.console, "reading", sum(sizes) or None, unit="bytes"))
        before = 0
        for name, size in zip(names, sizes, strict=True):
            source = open_source(
                name,
                stdin=self.stdin,
                spool=self.settings.state_dir / JOURNALS,
                encoding=self.options.encoding,
                tick=bar.after(before),
            )
            stack.callback(source.close)
            found.append(source)
            before += size
        bar.stop()
        return found

    def _understood(
        self, source: Source, resource: Resource, wishes: Wishes, catalogue: Index | None = None
    ) -> File:
        options = self.options
        own = resource == options.resource  # what is said of the files isn't said of --products
        form = find_format(
            source, resource, *((options.form, options.delimiter, options.quote) if own else ())
        )
        return understand(
            source,
            form,
            resource,
            options.verb if own else "update",
            wishes=wishes,
            platform=options.platform,
            point=options.point,
            catalogue=catalogue,
        )

    def _target(self) -> str:
        settings = self.settings
        if settings.api_key is None:
            return "engine"
        return f"{settings.api_url} {settings.api_key.get_secret_value()}"

    def _journal(self, path: Path | None) -> Journal:
        if path is None:
            return Journal(None)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem = f"{path.parent} can't be made: {error.strerror}"
            raise SettingsError("state_dir", problem, "Name a folder that this user may write to.") from None
        journal = Journal(path)
        if not self.options.fresh:
            return journal
        journal.remove()
        return Journal(path)

    def _goes_on(self, journal: Journal) -> bool:
        """Whether an earlier run has checked the files, with which this one goes on."""
        if not journal.any_done:
            if self.options.resume:
                self.console.print("No import of this was ended early: it begins from the start.")
            return False
        bad, refused = journal.counts()
        items = journal.items
        if not self.options.resume:
            raise SettingsError(
                self.options.names[0],
                f"was imported in part already, up to item {journal.reached:,} of {items:,}",
                "Go on with --resume, or begin from the start with --fresh.",
            )
        self.checked = Checked(items=items, bad=bad)
        self.tally.refused = refused
        self.console.print(f"Going on behind item {journal.reached:,} of {items:,}.")
        return True

    def _check(self, files: list[File], journal: Journal) -> None:
        with Bar(self.console, "checking", None, unit="items") as bar:
            self.checked = check(files, journal, lambda found: bar.show(found.items, found.bad))
        checked = self.checked
        self.console.print(f"{counted(checked.items, 'item')}, {checked.bad:,} of them can't be sent.")
        for what, count in sorted(checked.skipped.items()):
            self.console.print(f"  left out: {what}: {count:,}", markup=False)
        show(self.console, checked.problems, checked.bad)
        suggest(self.console, self.options.resource, checked.problems)

    async def _send(self, files: list[File], journal: Journal) -> End:
        loop = asyncio.get_running_loop()
        uploading = loop.create_task(self._upload(files, journal))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, uploading.cancel)
        try:
            await uploading
        except asyncio.CancelledError:
            return End(INTERRUPTED, "ended")
        except UploadStopped as stopped:
            return End(STOPPED, str(stopped))
        except JournalUnusable as error:  # nothing is sent that can't be noted
            return End(STOPPED, f"{error}. Make room there")
        return End(PROBLEMS if self.checked.bad or self.tally.refused else FINE)

    async def _upload(self, files: list[File], journal: Journal) -> None:
        async with AsyncExitStack() as stack:
            client = await self._client(stack)
            stamina.instrumentation.set_on_retry_hooks([self._tell_retry])
            tally = self.tally
            tally.items = self.checked.items - self.checked.bad
            earlier = tally.refused
            bar = stack.enter_context(Bar(self.console, "sending", tally.items, unit="items"))
            upload = Upload(
                client,
                self.options.resource,
                self.options.verb,
                journal,
                concurrency=self.options.concurrency,
                tally=tally,
                watch=lambda: bar.show(tally.known + tally.done + tally.refused - earlier, tally.refused),
            )
            await upload.run(sendable(files, journal))

    def _tell_retry(self, details: RetryDetails) -> None:
        """On standard error: stamina's own log would go to standard output, into ``--json``."""
        said = str(details.caused_by).rstrip(".")
        self.console.print(f"{said}. Again in {details.wait_for:.0f} s.", markup=False)

    async def _client(self, stack: AsyncExitStack) -> DataCueClient:
        """Of DataCue, or of the embedded engine, which is started where no proxy runs it."""
        settings, concurrency = self.settings, self.options.concurrency
        if settings.api_key is None:
            host = EngineHost(settings.state_dir, logs.configure("warning", settings.log_format))
            stack.push_async_callback(host.aclose)
            await host.start()
            client = DataCueClient(
                *host.keys,
                api_url=ENGINE_URL,
                timeout=ENGINE_SECONDS,
                concurrency=concurrency,
                transport=httpx.AsyncHTTPTransport(uds=host.socket),
            )
            return await stack.enter_async_context(client)
        assert settings.api_secret is not None
        try:
            client = DataCueClient(
                settings.api_key.get_secret_value(),
                settings.api_secret.get_secret_value(),
                api_url=settings.api_url,
                concurrency=concurrency,
            )
        except InvalidInput as error:
            raise SettingsError("api_url", str(error), "See docs/settings.md.") from None
        return await stack.enter_async_context(client)
