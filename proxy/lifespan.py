"""Opens everything, in order, and closes it in reverse: the only place that makes clients, stores and tasks.

Settings go in, collaborators that know only values come out.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import secrets
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.breaker import Breaker
from proxy.classify import Classifier, compile_rule
from proxy.core import Core
from proxy.engine_host import EngineHost, private_file
from proxy.errors import SettingsError
from proxy.fragments import StaticFile
from proxy.headers import TrustedProxies
from proxy.http1 import Limits, Origin, Pool, Timeouts
from proxy.identity import VisitorCookie
from proxy.learning import CatalogueLearner
from proxy.locate import FactSelectors, Plan, SelectorError, SlotRule, parse_selector
from proxy.models import PAGE_KINDS, Slot
from proxy.personalize import Personalizer
from proxy.render import Renderer
from proxy.vendor import EventsClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from proxy.logs import Log
    from proxy.metrics import Metrics
    from proxy.settings import Settings

PACKAGE = Path(__file__).parent

VENDOR_CONNECTIONS = 256
"""Connections to the events endpoint in one process: as many calls in flight as 0.3 s deadlines leave
at 800 pages a second."""

UPSTREAM_CONNECTIONS = 1024
"""Connections to the shop in one process: websockets and server-sent events hold one each."""

CALLS_GRACE = 5.0
"""Seconds at shutdown for calls in flight."""


def shipped(name: str) -> Path:
    """A folder that ships with us: inside the package when installed, beside it in a checkout."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def secret_keys(settings: Settings, log: Log) -> list[str]:
    """The signing keys, newest last; made and kept in ``state_dir`` where none is set.

    Raises:
        SettingsError: the state folder can't be used.
    """
    keys = [key.get_secret_value() for key in settings.secret_keys]
    if keys:
        return keys
    path = settings.state_dir / "secret.key"
    if not path.exists():
        log.warning(
            "no secret_keys set: made one; several machines must share theirs in DATACUE_SECRET_KEYS",
            kept_in=str(path),
        )
    return [private_file(path, secrets.token_urlsafe(32))]


def static_files(override: Path | None) -> dict[str, StaticFile]:
    """The stylesheet and what else ships, with the operator's files in place of ours.

    Raises:
        SettingsError: the operator's folder can't be read.
    """
    files: dict[str, StaticFile] = {}
    folders = [shipped("static")]
    if override is not None:
        if not override.is_dir():
            raise SettingsError(
                "static", f"{override} is no folder", "Name the folder that holds your files."
            )
        folders.append(override)
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if not path.is_file() or path.name.startswith("."):
                continue
            try:
                body = path.read_bytes()
            except OSError as error:
                raise SettingsError("static", f"{path} can't be read: {error}", "Check it.") from None
            media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            if media_type.startswith("text/") or media_type.endswith("javascript"):
                media_type += "; charset=utf-8"
            version = hashlib.blake2b(body, digest_size=6).hexdigest()
            files[path.name] = StaticFile(body, media_type, version)
    return files


def page_plan(settings: Settings) -> tuple[Classifier, Plan, Mapping[str, FactSelectors]]:
    """``[[pages]]`` and ``[[slots]]``, compiled.

    Raises:
        SettingsError: naming the entry, the problem and the mend.
    """
    rules = []
    selectors: dict[str, FactSelectors] = {}
    for index, page in enumerate(settings.pages):
        rule = compile_rule(
            index, path=page.path, query=page.query, kind=page.kind, fields=page.fields, facts=page.facts
        )
        rules.append(rule)
        if page.facts:
            try:
                selectors[rule.why] = FactSelectors(page.facts)
            except SelectorError as error:
                raise SettingsError(f"pages[{index}].facts", str(error), "See docs/pages.md.") from None
    slots = []
    for index, entry in enumerate(settings.slots):
        here = f"slots[{index}]"
        unknown = [name for name in entry.kinds() if name not in {*PAGE_KINDS, "*"}]
        if unknown:
            mend = f"Known kinds: {', '.join(PAGE_KINDS)}, or *."
            raise SettingsError(f"{here}.page", f"{unknown[0]!r} is no page kind", mend)
        try:
            selector = parse_selector(entry.selector)
        except SelectorError as error:
            raise SettingsError(f"{here}.selector", str(error), "See docs/pages.md.") from None
        slots.append(SlotRule(selector, entry.position, Slot(entry.widget, pages=entry.pages())))
    plan = Plan(
        prefix=settings.prefix,
        slots=slots,
        remove_vendor_scripts=settings.remove_vendor_scripts,
        collect_facts=settings.detect,
    )
    return Classifier(rules, settings.detect), plan, selectors


def trusted_proxies(settings: Settings) -> TrustedProxies:
    """Whose ``X-Forwarded-*`` is believed.

    Raises:
        SettingsError: an entry is neither an address nor a network.
    """
    try:
        return TrustedProxies(settings.trusted_proxies)
    except ValueError as error:
        raise SettingsError("trusted_proxies", str(error), "Write 10.0.0.0/8 or 192.0.2.1.") from None


@asynccontextmanager
async def open_core(
    settings: Settings, metrics: Metrics, log: Log, static: Mapping[str, StaticFile]
) -> AsyncIterator[Core]:
    """Everything that pages need, for as long as the context lasts.

    Raises:
        SettingsError: something in the settings can't be used; nothing is left open.
    """
    classifier, plan, selectors = page_plan(settings)
    stylesheet = static.get("datacue.css")
    href = None
    if settings.stylesheet and stylesheet is not None:
        href = f"{settings.prefix}/static/datacue.css?v={stylesheet.version}"
    renderer = Renderer(
        templates=settings.templates,
        locale=settings.locale,
        currency=settings.currency,
        layout=settings.layout,
        section_size=settings.section_size,
        stylesheet_href=href,
        failed=lambda name, error: log.warning("a template failed", template=name, error=str(error)),
    )
    async with AsyncExitStack() as stack:
        host = None
        if settings.api_key is None:
            host = EngineHost(settings.state_dir, log)
            stack.push_async_callback(host.aclose)
            await host.start()
            origin = Origin.parse("http://engine.localhost/", uds=host.socket)
            api_key = host.keys.api_key
        else:
            origin = Origin.parse(settings.events_url)
            api_key = settings.api_key.get_secret_value()
        wait = settings.vendor_timeout
        pool = Pool(
            origin,
            source="vendor",
            limits=Limits(max_connections=VENDOR_CONNECTIONS),
            timeouts=Timeouts(connect=wait, pool=wait, response=wait, idle=wait),
        )
        stack.push_async_callback(pool.aclose)
        breaker = Breaker()
        personalizer = Personalizer(
            send=EventsClient(pool, api_key=api_key, now=time.time).send,
            breaker=breaker,
            renderer=renderer,
            metrics=metrics,
            keeper=None,
            deadline=settings.deadline,
            clock=time.monotonic,
            now=time.time,
        )
        stack.push_async_callback(personalizer.aclose, CALLS_GRACE)
        learner = None
        if host is not None:
            learner = CatalogueLearner(
                pool, api_key=api_key, api_secret=host.keys.api_secret, metrics=metrics
            )
            task = asyncio.get_running_loop().create_task(learner.run())
            stack.push_async_callback(_cancel, task)
        metrics.gauge(
            "breaker_open", "Whether calls to DataCue are held back.", lambda: breaker.state == "open"
        )
        metrics.gauge("vendor_connections_active", "Calls to DataCue in flight.", lambda: pool.active)
        yield Core(
            classifier=classifier,
            plan=plan,
            fact_selectors=selectors,
            cookie=VisitorCookie(secret_keys(settings, log), clock=time.time),
            personalizer=personalizer,
            trusted=trusted_proxies(settings),
            consent=settings.consent_cookie(),
            privacy_signals=settings.privacy_signals,
            prefix=settings.prefix,
            learner=learner,
            metrics=metrics,
            log=log,
            clock=time.monotonic,
        )


def upstream_pool(settings: Settings) -> Pool:
    """Connections to the shop.

    Raises:
        SettingsError: no upstream is set, or it is no address.
    """
    if settings.upstream is None:
        raise SettingsError(
            "upstream", "the shop's address is missing", "Say --upstream http://127.0.0.1:8080."
        )
    try:
        origin = Origin.parse(settings.upstream)
    except ValueError as error:
        raise SettingsError("upstream", str(error), "Write http://host:port.") from None
    return Pool(
        origin,
        source="shop",
        limits=Limits(max_connections=UPSTREAM_CONNECTIONS),
        timeouts=Timeouts(
            connect=settings.connect_timeout,
            pool=settings.connect_timeout,
            response=settings.response_timeout,
            idle=settings.idle_timeout,
        ),
    )


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
