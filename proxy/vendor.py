"""The events endpoint: one POST, one answer.

The request's head never changes, so it is written once; a call is that head, the body's length and
the body. Whether to call at all is the breaker's question, and asked by the personalizer.
"""

from __future__ import annotations

from base64 import b64encode
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from proxy.errors import UnexpectedAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.http1 import Pool

MAX_ANSWER = 1 << 20
"""Bytes of an answer that are read: the guide's largest has a few thousand."""

MAX_RETRY_AFTER = 3600.0
"""Seconds that a vendor may ask us to wait; more is a mistake of a clock or of a unit."""

OK, NO_CONTENT = 200, 204


class EventsClient:
    """Sends events to DataCue or to the embedded engine.

    Args:
        pool: connections to the events host.
        api_key: the user name of Basic authentication; the password stays empty (guide,
            "Authorization").
        now: unix seconds, to read a ``Retry-After`` that is a date.
    """

    def __init__(self, pool: Pool, *, api_key: str, now: Callable[[], float]) -> None:
        self._pool = pool
        self._now = now
        credentials = b64encode(f"{api_key}:".encode())
        self._head = b"".join(
            (
                b"POST " + (pool.origin.path.encode() or b"/") + b" HTTP/1.1\r\n",
                b"Host: " + pool.origin.authority + b"\r\n",
                b"Authorization: Basic " + credentials + b"\r\n",
                b"Content-Type: application/json\r\n",
                b"Accept: application/json\r\n",
                b"Accept-Encoding: identity\r\n",
                b"User-Agent: datacue-proxy\r\n",
                # Our engine then answers category views with lists too, where the guide has a 204.
                b"Prefer: return=representation\r\n",
                b"Content-Length: ",
            )
        )

    def __repr__(self) -> str:
        return f"EventsClient({self._pool.origin.authority.decode()})"

    async def send(self, body: bytes) -> bytes | None:
        """Sends one event (or an array of them).

        Returns:
            The answer's JSON, or None where the guide has no body (204).

        Raises:
            PeerError: whose failure it is and whether it may be sent again.
        """
        message = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        answer = await self._pool.fetch(message, limit=MAX_ANSWER)
        if answer.status == OK:
            return answer.body
        if answer.status == NO_CONTENT:
            return None
        wait = None
        for name, value in answer.headers:
            if name == b"retry-after":
                wait = retry_after(value, self._now())
        text = answer.body[:200].decode("utf-8", "replace").strip()
        raise UnexpectedAnswer(
            f"the events endpoint answered {answer.status}: {text}", "vendor", answer.status, wait
        )


def retry_after(value: bytes, now: float) -> float | None:
    """``Retry-After`` in either form (RFC 9110, 10.2.3) as seconds from now, clamped; None if neither."""
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(moment - now, 0.0), MAX_RETRY_AFTER)
