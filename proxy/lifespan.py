"""Opens everything, in order, and closes it in reverse: the only place that makes clients, stores and tasks.

Settings go in, collaborators that know only values come out.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from proxy.breaker import Breaker
from proxy.capture import user_cookie
from proxy.carts import Carts
from proxy.clicks import ClickLinks
from proxy.core import Core
from proxy.engine_host import EngineHost, private_file, socket_path
from proxy.errors import SettingsError
from proxy.http1 import Limits, Origin, Pool, Timeouts
from proxy.identity import VisitorCookie
from proxy.keeping import OutboxKeeper, RecordSender
from proxy.learning import CatalogueLearner
from proxy.neighbours import Neighbours
from proxy.outbox import Folder, Outbox, Relay
from proxy.personalize import MAX_CALLS, Personalizer
from proxy.prepared import (
    make_renderer,
    origin_of,
    page_plan,
    shell_version,
    static_files,
    trusted_proxies,
)
from proxy.sharing import SharedViews
from proxy.shell import Shells
from proxy.surrogate import Announcing
from proxy.vendor import EventsClient, RestClient
from proxy.views import Views
from proxy.witness import Capture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from proxy.answers import Answers
    from proxy.fragments import StaticFile
    from proxy.logs import Log
    from proxy.metrics import Metrics
    from proxy.personalize import Keeper
    from proxy.render import Renderer
    from proxy.settings import Settings

    Send = Callable[[bytes], Awaitable[bytes | None]]

VENDOR_CONNECTIONS = MAX_CALLS
"""Connections to the events endpoint in one process: a call that waited for one would come too late."""

REST_CONNECTIONS = 8
"""Connections to the REST API in one process: orders and sign-ups are few, and nobody waits for them."""

UPSTREAM_CONNECTIONS = 1024
"""Connections to the shop in one process: websockets and server-sent events hold one each."""

PROBE_SECONDS = 2.0
"""At the start, for a first connection to the shop: enough for any that answers at all."""

WORKERS_FOLDER = "live"
"""In the state folder: the workers' sockets. A short name, as a socket's path has some 100 bytes in all."""

CALLS_GRACE = 5.0
"""Seconds at shutdown for calls in flight."""


def secret_keys(settings: Settings, log: Log) -> list[str]:
    """The signing keys, newest last; made and kept in ``state_dir`` where none is set.

    Raises:
        SettingsError: the state folder can't be used.
    """
    keys = [key.get_secret_value() for key in settings.secret_keys]
    if keys:
        return keys
    path = settings.state_dir / "secret.key"
    new = secrets.token_urlsafe(32)
    key = private_file(path, new)
    if key == new:
        log.warning(
            "no secret_keys set: made one; several machines must share theirs in DATACUE_SECRET_KEYS",
            kept_in=str(path),
        )
    return [key]


def check(settings: Settings, log: Log) -> None:
    """Tries everything that can be tried without opening anything: no mistake waits for a visitor.

    Raises:
        SettingsError: naming the key at fault and the mend.
    """
    upstream_pool(settings)
    page_plan(settings)
    trusted_proxies(settings)
    make_renderer(settings, static_files(settings.static), log)
    origin_of("events_url", settings.events_url)
    origin_of("api_url", settings.api_url)
    open_outbox(settings)
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.state_dir):
            pass
    except OSError as error:
        problem = f"{settings.state_dir} can't be written to: {(error.strerror or str(error)).lower()}"
        raise SettingsError("state_dir", problem, "Name a folder that this user may write to.") from None


def unreachable(settings: Settings) -> str:
    """Why no connection to the shop can be had now; empty when one can.

    Raises:
        SettingsError: nobody knows the shop's host name. A shop that is down may come; a wrong name won't.
    """
    assert settings.upstream is not None
    origin = origin_of("upstream", settings.upstream)
    wait = min(settings.connect_timeout, PROBE_SECONDS)
    try:
        with socket.create_connection((origin.host, origin.port), wait):
            return ""
    except socket.gaierror as error:
        problem = f"{origin.host} has no address: {str(error.strerror).lower()}"
        raise SettingsError("upstream", problem, "Mend the shop's host name, or write its address.") from None
    except OSError as error:
        return (error.strerror or str(error)).lower()


class Vendor(NamedTuple):
    """Who answers events.

    Attributes:
        host: of the embedded engine; None: DataCue answers.
        pool: connections to the events endpoint.
        api_key: for it.
    """

    host: EngineHost | None
    pool: Pool
    api_key: str


async def open_vendor(settings: Settings, log: Log, stack: AsyncExitStack) -> Vendor:
    """Connections to DataCue, or to the embedded engine, which is started where no worker runs it yet.

    Raises:
        SettingsError: ``events_url`` is no address, or the engine can't be started.
    """
    host = None
    if settings.api_key is None:
        host = EngineHost(settings.state_dir, log)
        stack.push_async_callback(host.aclose)
        await host.start()
        origin = Origin.parse("http://engine.localhost/", uds=host.socket)
        api_key = host.keys.api_key
    else:
        origin = origin_of("events_url", settings.events_url)
        api_key = settings.api_key.get_secret_value()
    wait = settings.vendor_timeout
    pool = Pool(
        origin,
        source="vendor",
        limits=Limits(max_connections=VENDOR_CONNECTIONS),
        timeouts=Timeouts(connect=wait, pool=wait, response=wait, idle=wait),
    )
    stack.push_async_callback(pool.aclose)
    return Vendor(host, pool, api_key)


class Pages:
    """What the settings say of pages, read before anything is opened, and what is made of it with what is.

    Args:
        settings: all of them.
        metrics: where is counted.
        log: where is said.
        static: by file name.
        keys: sign cookies and links, newest last.

    Raises:
        SettingsError: something in the settings can't be used.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        log: Log,
        static: Mapping[str, StaticFile],
        keys: Sequence[str],
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._log = log
        self._keys = keys
        self._plan = page_plan(settings)
        self._clicks = ClickLinks(keys, settings.prefix)
        self._renderer = make_renderer(settings, static, log, self._clicks)

    def personalizer(self, send: Send, keeper: Keeper, *, breaker: Breaker, deadline: float) -> Personalizer:
        """What asks for recommendations and renders them.

        Args:
            send: sends an event's JSON and returns the answer's.
            keeper: takes what was not acknowledged.
            breaker: holds calls back.
            deadline: seconds that a page waits.
        """
        return Personalizer(
            send=send,
            breaker=breaker,
            renderer=self._renderer,
            metrics=self._metrics,
            keeper=keeper,
            deadline=deadline,
            clock=time.monotonic,
            now=time.time,
        )

    def core(
        self,
        personalizer: Personalizer,
        carts: Carts,
        views: Views,
        *,
        calls: bool,
        learner: CatalogueLearner | None = None,
    ) -> Core:
        """Everything that pages need.

        Args:
            personalizer: from above.
            carts: what is in whose cart.
            views: which requests belong to one page view.
            calls: whether the REST API can be called.
            learner: takes products, where the embedded engine keeps the catalogue.
        """
        settings, log = self._settings, self._log
        classifier, places, selectors, rules = self._plan
        return Core(
            classifier=classifier,
            plan=places,
            fact_selectors=selectors,
            cookie=VisitorCookie(self._keys, clock=time.time),
            clicks=self._clicks,
            personalizer=personalizer,
            views=views,
            trusted=trusted_proxies(settings),
            consent=settings.consent_cookie(),
            privacy_signals=settings.privacy_signals,
            prefix=settings.prefix,
            capture=Capture(
                rules=rules,
                carts=carts,
                user_cookie=user_cookie(settings.user_cookie, settings.user_jwt),
                currency=settings.currency,
                calls=calls,
                classifier=classifier,
            ),
            shells=Shells(settings.shell, settings.prefix, shell_version(settings)),
            announcing=Announcing(
                wanted=settings.esi,
                complain=lambda: log.warning(
                    "the shop sends ESI includes that nobody resolves: it isn't told of ESI any more",
                    mend="set esi = false, or let Varnish process them",
                ),
            ),
            learner=learner,
            metrics=self._metrics,
            log=log,
            clock=time.monotonic,
        )


@asynccontextmanager
async def open_core(
    settings: Settings, metrics: Metrics, log: Log, static: Mapping[str, StaticFile]
) -> AsyncIterator[Core]:
    """Everything that pages need, for as long as the context lasts.

    Raises:
        SettingsError: something in the settings can't be used; nothing is left open.
    """
    pages = Pages(settings, metrics, log, static, secret_keys(settings, log))
    async with AsyncExitStack() as stack:
        host, pool, api_key = await open_vendor(settings, log, stack)
        breaker = Breaker()
        events = EventsClient(pool, api_key=api_key, now=time.time)
        rest = open_rest_client(settings, host, stack)
        carts = Carts(settings.state_dir / "carts.sqlite3", clock=time.time)
        stack.push_async_callback(carts.aclose)
        outbox = await stack.enter_async_context(open_outbox(settings))
        relay = Relay(
            outbox,
            RecordSender(events, rest),
            breaker=breaker,
            alarm=lambda why: log.warning("deliveries are paused" if why else "deliveries go on", why=why),
        )
        relaying = asyncio.get_running_loop().create_task(relay.run())
        stack.push_async_callback(_ended, relaying)
        stack.push_async_callback(relay.aclose)
        personalizer = pages.personalizer(
            events.send, OutboxKeeper(outbox, metrics), breaker=breaker, deadline=settings.deadline
        )
        stack.push_async_callback(personalizer.aclose, CALLS_GRACE)
        learner = None
        if host is not None:
            learner = CatalogueLearner(
                pool, api_key=api_key, api_secret=host.keys.api_secret, metrics=metrics
            )
            task = asyncio.get_running_loop().create_task(learner.run())
            stack.push_async_callback(_cancel, task)
        views = await open_views(settings, metrics, personalizer, stack)
        _watch(metrics, breaker, pool, outbox, personalizer)
        yield pages.core(personalizer, carts, views, calls=rest is not None, learner=learner)


async def open_views(
    settings: Settings, metrics: Metrics, personalizer: Personalizer, stack: AsyncExitStack
) -> Views:
    """What knows which requests belong to one page view; with several workers, it asks the others.

    Raises:
        SettingsError: the workers' sockets can't be had.
    """
    window, clock = settings.view_window, time.monotonic
    if settings.workers == 1:
        views = Views(personalizer, window=window, clock=clock)
    else:
        shared = SharedViews(personalizer, window=window, clock=clock, metrics=metrics)
        folder = Path(socket_path(settings.state_dir)).parent / WORKERS_FOLDER
        neighbours = Neighbours(folder, shared.serve)
        stack.push_async_callback(neighbours.aclose)
        await neighbours.open()
        shared.others = neighbours
        views = shared
    metrics.gauge("views", "Page views remembered for their fragments.", lambda: len(views))
    metrics.gauge("views_bytes", "Answers kept for fragments, in bytes.", lambda: views.bytes)
    return views


@asynccontextmanager
async def open_rehearsal(
    settings: Settings,
    metrics: Metrics,
    log: Log,
    static: Mapping[str, StaticFile],
    *,
    folder: Path,
    send: Send,
    keeper: Keeper,
) -> AsyncIterator[Core]:
    """What pages need, without consequences: for ``check`` and ``init``, which look at pages as ``run`` does.

    No outbox, no engine, no key and no cart of the real ones is touched.

    Args:
        settings: all of them.
        metrics: where is counted.
        log: where is said.
        static: by file name.
        folder: where the carts of this rehearsal are kept.
        send: takes the events, in place of DataCue.
        keeper: takes what would have gone to the outbox.

    Raises:
        SettingsError: something in the settings can't be used; nothing is left open.
    """
    pages = Pages(settings, metrics, log, static, [secrets.token_urlsafe(32)])
    async with AsyncExitStack() as stack:
        carts = Carts(folder / "carts.sqlite3", clock=time.time)
        stack.push_async_callback(carts.aclose)
        # Nobody waits for these pages, and what is asked is to be seen, however late.
        personalizer = pages.personalizer(send, keeper, breaker=Breaker(), deadline=settings.vendor_timeout)
        stack.push_async_callback(personalizer.aclose, CALLS_GRACE)
        views = Views(personalizer, window=settings.view_window, clock=time.monotonic)
        calls = settings.embedded_engine or settings.api_secret is not None
        yield pages.core(personalizer, carts, views, calls=calls)


def open_rest_client(settings: Settings, host: EngineHost | None, stack: AsyncExitStack) -> RestClient | None:
    """Calls the REST API: the embedded engine's over its own socket, else DataCue's with its secret.

    Args:
        settings: all of them.
        host: of the embedded engine, where that answers.
        stack: closes the connections.

    Returns:
        None where there is no secret to sign calls with.

    Raises:
        SettingsError: ``api_url`` is no address.
    """
    if host is not None:
        origin = Origin.parse("http://engine.localhost/v1", uds=host.socket)
        api_key, api_secret = host.keys
    elif settings.api_key is not None and settings.api_secret is not None:
        origin = origin_of("api_url", settings.api_url)
        api_key, api_secret = settings.api_key.get_secret_value(), settings.api_secret.get_secret_value()
    else:
        return None
    wait = settings.vendor_timeout
    pool = Pool(
        origin,
        source="vendor",
        limits=Limits(max_connections=REST_CONNECTIONS),
        timeouts=Timeouts(connect=wait, pool=wait, response=wait, idle=wait),
    )
    stack.push_async_callback(pool.aclose)
    return RestClient(pool, api_key=api_key, api_secret=api_secret, now=time.time)


def _watch(
    metrics: Metrics, breaker: Breaker, pool: Pool, outbox: Outbox, personalizer: Personalizer
) -> None:
    """Registers the figures that are read at scrape."""
    metrics.gauge("breaker_open", "Whether calls to DataCue are held back.", lambda: breaker.state == "open")
    metrics.gauge("vendor_connections_active", "Calls to DataCue in flight.", lambda: pool.active)
    metrics.count("outbox", "What happened in the outbox, by event and priority.", outbox.tally)
    renderer, answers = personalizer.renderer, personalizer.answers
    for figure in ("bytes", "hits", "misses"):
        text = f"Answers of DataCue remembered: {figure}."
        metrics.gauge(f"answers_{figure}", text, partial(_figure, answers, figure))
    for cache in renderer.stats:
        for figure in ("bytes", "hits", "misses"):
            text = f"Rendered {cache} remembered: {figure}."
            metrics.gauge(f"render_{cache}_{figure}", text, partial(_stat, renderer, cache, figure))


def _figure(answers: Answers, figure: str) -> float:
    return float(getattr(answers.stats, figure))


def _stat(renderer: Renderer, cache: str, figure: str) -> float:
    return float(getattr(renderer.stats[cache], figure))


def open_outbox(settings: Settings) -> Outbox:
    """The outbox, to be entered.

    Raises:
        SettingsError: it asks for a store that there is none of.
    """
    if settings.outbox is not None and "://" in settings.outbox:
        scheme = settings.outbox.partition("://")[0]
        raise SettingsError(
            "outbox", f"there is no store for {scheme}:// yet", "Name a folder, or leave it out."
        )
    folder = Path(settings.outbox) if settings.outbox else settings.state_dir / "outbox"
    return Outbox(Folder(folder))


def upstream_pool(settings: Settings) -> Pool:
    """Connections to the shop.

    Raises:
        SettingsError: no upstream is set, or it is no address.
    """
    if settings.upstream is None:
        raise SettingsError(
            "upstream", "the shop's address is missing", "Say --upstream http://127.0.0.1:8080."
        )
    return Pool(
        origin_of("upstream", settings.upstream),
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
    await _ended(task)


async def _ended(task: asyncio.Task[None]) -> None:
    await asyncio.gather(task, return_exceptions=True)
