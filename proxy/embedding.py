"""The second door: the same core inside an ASGI shop.

::

    app.add_middleware(PersonalizationMiddleware, api_key="...")

The ASGI lifespan opens and closes what pages need; under a server without one, the first request opens
it. What the shop is asked outside of its pages (``{prefix}/...``) is answered here.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxy import logs
from proxy.errors import SettingsError
from proxy.fragments import Fragments
from proxy.lifespan import open_core
from proxy.metrics import Metrics
from proxy.middleware import PageMiddleware
from proxy.prepared import static_files
from proxy.settings import load

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from proxy.core import Core
    from proxy.edge import Connection, Head, Reply
    from proxy.logs import Log
    from proxy.middleware import Keeping, Relaying
    from proxy.settings import Settings


class Personalization:
    """The shop inside, our endpoints beside it, and the lifespan of both.

    Args:
        app: the shop, or what forwards to it.
        settings: all of them.
        metrics: where is counted.
        log: where is said.
        embedded: whether the app is a shop of its own, which looks for ``request.state.datacue``.
        relay: forwards what passes by in the app's place, where the app forwards.
        keeping: the pages that are kept in front of the shop; None where none are.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        metrics: Metrics,
        log: Log,
        *,
        embedded: bool = True,
        relay: Relaying | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        self.app = app
        self._embedded = embedded
        self._relay = relay
        self._keeping = keeping
        self._settings = settings
        self._metrics = metrics
        self._log = log
        self._static = static_files(settings.static)
        self._fragments = Fragments(settings.prefix, self._static, self._core)
        self._below = settings.prefix + "/"
        self._below_raw = self._below.encode()
        self._pages: PageMiddleware | None = None
        self._opening = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(self._below):
            await self._fragments(scope, receive, send)
        elif scope["type"] == "http":
            pages = self._pages or await self.open()
            await pages(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def direct(self, head: Head, connection: Connection) -> Reply | None:
        """Answers a bare request that has nothing to do with us, without a task.

        Returns:
            what answers; None where the app has to.
        """
        if self._pages is None or head.target.startswith(self._below_raw):
            return None
        if b"%" in head.target and head.path.startswith(self._below):
            return None
        return self._pages.direct(head, connection)

    async def open(self) -> PageMiddleware:
        """Opens what pages need, once.

        Raises:
            SettingsError: something in the settings can't be used.
        """
        async with self._opening:
            if self._pages is None:
                core = await self._stack.enter_async_context(
                    open_core(self._settings, self._metrics, self._log, self._static)
                )
                self._pages = PageMiddleware(
                    self.app, core, embedded=self._embedded, relay=self._relay, keeping=self._keeping
                )
        return self._pages

    async def _core(self) -> Core:
        return (self._pages or await self.open()).core

    async def aclose(self) -> None:
        """Closes everything, in reverse."""
        self._pages = None
        await self._stack.aclose()

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Opens before the shop's own start-up, closes after its shutdown."""

        async def opening_receive() -> Message:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.open()
            return message

        async def closing_send(message: Message) -> None:
            if (
                message["type"].startswith("lifespan.shutdown")
                or message["type"] == "lifespan.startup.failed"
            ):
                await self.aclose()
            await send(message)

        try:
            await self.app(scope, opening_receive, closing_send)
        except SettingsError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
        except BaseException:
            # An app without a lifespan says so by raising; it may still serve requests.
            await self.aclose()
            raise


class PersonalizationMiddleware(Personalization):
    """Personalizes the pages of an ASGI app.

    Args:
        app: the app inside; Starlette and FastAPI hand it over in ``add_middleware``.
        config: a ``datacue.toml``; without one, the file of that name here, if there is one.
        settings: any setting by its name, as ``api_key="..."``; they win over file and environment.

    Raises:
        SettingsError: naming the key at fault and the mend.
    """

    def __init__(self, app: ASGIApp, config: str | Path | None = None, **settings: Any) -> None:
        loaded = load(Path(config) if config is not None else None, **settings)
        super().__init__(app, loaded, Metrics(), logs.configure(loaded.log_level, loaded.log_format))
