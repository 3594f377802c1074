"""Short answers of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from starlette.types import Send

OK, FOUND, NO_CONTENT = 200, 302, 204
BAD_REQUEST, FORBIDDEN, NOT_FOUND, NOT_ALLOWED = 400, 403, 404, 405
TOO_LARGE, WRONG_TYPE = 413, 415

PERSONAL = (b"cache-control", b"private, no-store")
AS_SAID = (b"x-content-type-options", b"nosniff")
TEXT = b"text/plain; charset=utf-8"

READING = frozenset({"GET", "HEAD"})


async def text(send: Send, status: int, words: str, *more: tuple[bytes, bytes]) -> None:
    """Says why not, in a sentence."""
    await whole(send, status, words.encode(), TEXT, (b"cache-control", b"no-store"), *more)


async def only(send: Send, *methods: str) -> None:
    """405, with the methods that there are."""
    allowed = ", ".join(methods)
    await text(send, NOT_ALLOWED, f"Only {allowed}.", (b"allow", allowed.encode()))


async def error(send: Send, status: int, words: str) -> None:
    """Says why not to a script: ``{"error": "..."}``."""
    body = msgspec.json.encode({"error": words})
    await whole(send, status, body, b"application/json", PERSONAL)


async def whole(send: Send, status: int, body: bytes, media_type: bytes, *more: tuple[bytes, bytes]) -> None:
    """A response in one piece."""
    headers = [
        (b"content-type", media_type),
        (b"content-length", b"%d" % len(body)),
        AS_SAID,
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
