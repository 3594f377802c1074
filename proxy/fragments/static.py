"""``{prefix}/static/...``: the widgets' stylesheet and the small script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.fragments.answers import AS_SAID, OK, READING, only

if TYPE_CHECKING:
    from starlette.types import Scope, Send

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

    async def serve(self, scope: Scope, send: Send) -> None:
        """Answers a request for it."""
        if scope["method"] not in READING:
            await only(send, *sorted(READING))
            return
        versioned = f"v={self.version}".encode() == scope["query_string"]
        headers = [
            (b"content-type", self.media_type.encode()),
            (b"content-length", b"%d" % len(self.body)),
            (b"cache-control", CACHEABLE if versioned else REVALIDATED),
            AS_SAID,
        ]
        await send({"type": "http.response.start", "status": OK, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else self.body
        await send({"type": "http.response.body", "body": body})
