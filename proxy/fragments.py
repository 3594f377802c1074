"""The endpoints under the prefix: what we serve ourselves, beside the shop's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

NOT_FOUND, NOT_ALLOWED, OK = 404, 405, 200

CACHEABLE = b"public, max-age=31536000, immutable"
"""For a URL that carries its content's version: it never changes (RFC 8246)."""

REVALIDATED = b"public, max-age=300"
"""For the bare URL, which a shop's own HTML may hold: five minutes stale at most."""


class StaticFile:
    """A file of ours, read at start-up.

    Attributes:
        body: its bytes. media_type: for ``Content-Type``. version: changes with the bytes.
    """

    __slots__ = ("body", "media_type", "version")

    def __init__(self, body: bytes, media_type: str, version: str) -> None:
        self.body = body
        self.media_type = media_type
        self.version = version


class Fragments:
    """Serves ``{prefix}/static/...``; whatever else stands under the prefix is 404, never the shop's.

    Args:
        prefix: without a slash at its end.
        static: by file name.
    """

    def __init__(self, prefix: str, static: Mapping[str, StaticFile]) -> None:
        self._static_prefix = f"{prefix}/static/"
        self._static = static

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request; a body that it may have is of no interest."""
        del receive
        path: str = scope["path"]
        file = self._static.get(path.removeprefix(self._static_prefix))
        if file is None or not path.startswith(self._static_prefix):
            await self._text(send, NOT_FOUND, "There is nothing here.")
            return
        if scope["method"] not in {"GET", "HEAD"}:
            await self._text(send, NOT_ALLOWED, "Only GET and HEAD.", (b"allow", b"GET, HEAD"))
            return
        versioned = f"v={file.version}".encode() == scope["query_string"]
        headers = [
            (b"content-type", file.media_type.encode()),
            (b"content-length", b"%d" % len(file.body)),
            (b"cache-control", CACHEABLE if versioned else REVALIDATED),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": OK, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else file.body
        await send({"type": "http.response.body", "body": body})

    @staticmethod
    async def _text(send: Send, status: int, text: str, *more: tuple[bytes, bytes]) -> None:
        body = text.encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            *more,
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
