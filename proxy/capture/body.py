"""Watches a request's body go by: never altered, never delayed, never more than so much of it kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from proxy.capture.form import FORMS, media_type, read_form
from proxy.headers import value_of

if TYPE_CHECKING:
    from starlette.types import Message, Receive

    from proxy.headers import Headers

MAX_BODY: Final = 64 * 1024
"""Bytes of a form that are kept until its answer begins: a cart of five hundred lines. Of a longer one,
such as an upload, the fields at its beginning count."""


class WatchedBody:
    """The ``receive`` of a request, with an eye on what passes.

    Args:
        receive: the server's.
        headers: of the request.
    """

    def __init__(self, receive: Receive, headers: Headers) -> None:
        self._receive = receive
        self._type = value_of(headers, b"content-type") or b""
        plain = value_of(headers, b"content-encoding") in {None, b"identity"}
        self._left = MAX_BODY if plain and media_type(self._type) in FORMS else 0
        self._parts: list[bytes] = []
        self._whole = False

    async def __call__(self) -> Message:
        """The next piece, as it came."""
        message = await self._receive()
        if message["type"] == "http.request":
            piece = message.get("body", b"")
            fits = len(piece) <= self._left
            if self._left and piece:
                self._parts.append(piece[: self._left])
            self._left = self._left - len(piece) if fits else 0
            self._whole = fits and not message.get("more_body", False)
        return message

    def form(self) -> dict[str, str]:
        """The fields of what passed so far; what was kept is let go."""
        body = b"".join(self._parts)
        self._parts.clear()
        self._left = 0
        return read_form(self._type, body, whole=self._whole)
