"""All checks, in the order in which their subjects depend on each other."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from proxy import lifespan
from proxy.checking import pages, rules
from proxy.checking.datacue import check_datacue
from proxy.checking.exploring import explore
from proxy.checking.model import Finding, Report
from proxy.checking.network import clocks, reach
from proxy.checking.rehearsal import MAX_LATE, gave_up, open_rehearsed_shop
from proxy.errors import PeerError, counted
from proxy.prepared import static_files
from proxy.render.lint import lint_templates
from proxy.server import admin_token
from proxy.vendor import EventsClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.checking.rehearsal import Rehearsal, Visit
    from proxy.logs import Log
    from proxy.settings import Settings
    from proxy.vendor import RestClient

MAX_URLS: Final = 100
"""Pages that one check looks at."""


async def check_up(settings: Settings, urls: Sequence[str], log: Log, *, ask: bool) -> Report:
    """Checks all that can be checked.

    Args:
        settings: all of them.
        urls: pages to look at, absolute or paths; none: some that the shop's home page leads to.
        log: for the embedded engine.
        ask: whether page views are sent in earnest, so that recommendations can be seen: they count.

    Raises:
        SettingsError: something in the settings can't be used: ``run`` wouldn't start with it.
    """
    report = Report()
    report.findings += _settings_findings(settings, log)
    origin = lifespan.upstream_pool(settings).origin
    reached = await reach(origin, "upstream", "shop")
    report.findings += reached
    report.findings += await check_datacue(settings)
    if reached[0].level == "problem":
        return report
    async with AsyncExitStack() as stack:
        asker = Asker(settings, stack, log) if ask else None
        if asker is not None:
            await asker.open()
        opened = open_rehearsed_shop(settings, ask=asker.send if asker is not None else None)
        rehearsal = await stack.enter_async_context(opened)
        visits = await _visits(rehearsal, urls)
        report.findings += _unseen(visits, len(urls))
        report.findings += _foreign(rehearsal, urls)
        _tell(report, visits, rehearsal, asked=ask, explored=not urls)
        if asker is not None:
            report.findings += await asker.forget(rehearsal.visitors)
    return report


async def _visits(rehearsal: Rehearsal, urls: Sequence[str]) -> list[Visit]:
    if not urls:
        return (await explore(rehearsal)).visits
    visits: list[Visit] = []
    for url in urls[:MAX_URLS]:
        if gave_up(visits):
            break
        visits.append(await rehearsal.open(url))
    return visits


def _foreign(rehearsal: Rehearsal, urls: Sequence[str]) -> Iterator[Finding]:
    """Hosts under which this shop was asked although its address has another.

    That is right for the name by which visitors know it, and wrong for any other shop's.
    """
    home = urlsplit(rehearsal.home)
    foreign = [url for url in map(rehearsal.address, urls) if not rehearsal.is_home(url)]
    for host, url in {urlsplit(url).netloc: url for url in reversed(foreign)}.items():
        there = urlsplit(url)
        text = f"asked of the shop at {home.netloc}, as a visitor of {host} would"
        mend = f"If {host} is another server, say --upstream {there.scheme}://{host}"
        yield Finding("shop", "hint", host, text, f"{mend}, or the path alone, {there.path or '/'}")


def _unseen(visits: Sequence[Visit], wanted: int) -> Iterator[Finding]:
    """Pages that were named and not looked at, which nobody should take for fine."""
    unseen = wanted - len(visits)
    if gave_up(visits):
        text = f"{counted(unseen, 'page')} more not asked for" if unseen > 0 else "no more are asked for"
        text = f"{MAX_LATE} pages came too late: {text}"
        yield Finding("shop", "problem", "pages", text, "Check them again once the shop is faster.")
    elif unseen > 0:
        text = f"{counted(unseen, 'page')} of {wanted} not looked at: one check takes {MAX_URLS}"
        yield Finding("shop", "problem", "pages", text, "Name them in a check of their own.")


def _tell(
    report: Report, visits: Sequence[Visit], rehearsal: Rehearsal, *, asked: bool, explored: bool
) -> None:
    settings = rehearsal.settings
    heard = [("the shop", visit.headers, time.time()) for visit in visits[-1:]]
    report.findings += clocks(heard, "shop")
    report.findings += _cookie_findings(rehearsal, visits)
    for visit in visits:
        told = pages.report(visit, settings, asked=asked)
        report.pages.append(told)
        report.findings += pages.findings(visit, told, settings)
    plan = rehearsal.core.plan
    report.findings += rules.findings(report.pages, plan, settings, explored=explored)


def _settings_findings(settings: Settings, log: Log) -> Iterator[Finding]:
    """What ``run`` looks at before it listens; a mistake ends the check, as it would end the start."""
    if settings.templates is not None and settings.templates.is_dir():
        for problem in lint_templates(settings.templates):
            mend = "docs/templates.md has the rules."
            yield Finding(
                "settings",
                "problem",
                f"templates: {problem.split(': ')[0]}",
                problem.partition(": ")[2],
                mend,
            )
    made = not settings.state_dir.exists()
    lifespan.check(settings, log)
    admin_token(settings)
    yield Finding("settings", "ok", "settings", "read and understood: run would start with them")
    yield Finding("settings", "ok", "state_dir", f"{settings.state_dir} can be written to")
    if made:
        settings.state_dir.rmdir()  # nothing is in it, and nothing of ours shall stay
    if settings.templates is not None:
        yield Finding("settings", "ok", "templates", f"{settings.templates} compiles and keeps to the rules")
    if settings.static is not None:
        files = len(static_files(settings.static))
        yield Finding("settings", "ok", "static", f"{settings.static} can be read, {files} files with ours")


def _cookie_findings(rehearsal: Rehearsal, visits: Sequence[Visit]) -> Iterator[Finding]:
    """Under which name the visitor's cookie goes out."""
    secure = [urlsplit(visit.url).scheme == "https" for visit in visits]
    name = rehearsal.core.cookie.name
    over_tls, plain = name(secure=True).decode(), name(secure=False).decode()
    if all(secure):
        yield Finding("shop", "ok", "cookie", f"{over_tls}, Secure, as these pages come over https")
    else:
        text = f"{plain} over http; {over_tls} and Secure where the visitor comes over https"
        yield Finding("shop", "ok", "cookie", f"{text} (X-Forwarded-Proto of a trusted proxy says so)")


class Asker:
    """Sends page views in earnest, and has them forgotten afterwards where that can be had.

    Args:
        settings: all of them.
        stack: closes what is opened.
        log: for the embedded engine.
    """

    def __init__(self, settings: Settings, stack: AsyncExitStack, log: Log) -> None:
        self._settings = settings
        self._stack = stack
        self._log = log
        self._events: EventsClient | None = None
        self._rest: RestClient | None = None

    async def open(self) -> None:
        """Connects.

        Raises:
            SettingsError: an address can't be used, or the engine can't be started.
        """
        vendor = await lifespan.open_vendor(self._settings, self._log, self._stack)
        self._events = EventsClient(vendor.pool, api_key=vendor.api_key, now=time.time)
        self._rest = lifespan.open_rest_client(self._settings, vendor.host, self._stack)

    async def send(self, body: bytes) -> bytes | None:
        """Sends one event.

        Raises:
            PeerError: it wasn't taken.
        """
        assert self._events is not None
        return await self._events.send(body)

    async def forget(self, visitors: Sequence[str]) -> list[Finding]:
        """Has the visitors of this check erased (guide, "Delete User")."""
        who = "the embedded engine" if self._settings.embedded_engine else "DataCue"
        if self._rest is None:
            text = f"{who} was sent page views of {counted(len(visitors), 'made-up visitor')}, which count"
            return [Finding("datacue", "hint", "--ask", text, "With api_secret they are erased afterwards.")]
        try:
            for visitor in visitors:
                await self._rest.send("DELETE", f"/users/{quote(visitor, safe='')}")
        except PeerError as error:
            text = f"{who} was sent page views of made-up visitors and didn't erase them: {error}"
            return [Finding("datacue", "hint", "--ask", text)]
        text = f"{who} was asked by {counted(len(visitors), 'made-up visitor')}, and told to erase them again"
        return [Finding("datacue", "ok", "--ask", text)]
