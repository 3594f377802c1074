"""The third door: the endpoints under the prefix, which we serve ourselves beside the shop's pages.

In reading order: ``static`` (files), ``asker`` (who asks, and whether it counts), ``wanted`` (for what
page), ``include`` (widgets as HTML), ``visitor`` (the cookie without a page), ``click`` (counts and
redirects), ``track`` (events from scripts), ``answers`` (how they say no).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.fragments.answers import NOT_FOUND, text
from proxy.fragments.click import click
from proxy.fragments.include import include
from proxy.fragments.static import StaticFile
from proxy.fragments.track import track
from proxy.fragments.visitor import visitor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from proxy.core import Core


class Fragments:
    """Serves ``{prefix}/...``; what is none of our endpoints is 404, never the shop's.

    Args:
        prefix: without a slash at its end.
        static: by file name.
        core: opens, at first need, what pages need too; static files are served without.
    """

    def __init__(
        self, prefix: str, static: Mapping[str, StaticFile], core: Callable[[], Awaitable[Core]]
    ) -> None:
        self._below = f"{prefix}/"
        self._track = f"{prefix}/track"
        self._visitor = f"{prefix}/visitor"
        self._static = static
        self._core = core

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        path: str = scope["path"]
        endpoint, _, rest = path.removeprefix(self._below).partition("/")
        file = self._static.get(rest)
        if endpoint == "static" and file is not None:
            await file.serve(scope, send)
        elif endpoint == "fragments":
            await include(self._core, rest, scope, send)
        elif endpoint == "click":
            await click(await self._core(), rest, scope, send)
        elif path == self._visitor:
            await visitor(self._core, scope, send)
        elif path == self._track:
            await track(await self._core(), scope, receive, send)
        else:
            await text(send, NOT_FOUND, "There is nothing here.")


__all__ = ["Fragments", "StaticFile"]
