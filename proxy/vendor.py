"""The events endpoint: one POST, one answer.

The request's head never changes, so it is written once; a call is that head, the body's length and
the body. Whether to call at all is the breaker's question, and asked by the personalizer.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING

from proxy.calls import Sending
from proxy.errors import PeerError, UnexpectedAnswer
from proxy.headers import retry_after
from proxy.http1 import Answer
from proxy.signing import authorization

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.headers import Headers
    from proxy.http1 import Pool
    from proxy.http1.head import ResponseHead
    from proxy.http1.receiver import Inflow
    from proxy.http1.tunnel import Tunnel

MAX_ANSWER = 1 << 20
"""Bytes of an answer that are read: the guide's largest has a few thousand."""

OK, NO_CONTENT = 200, 204
DONE = range(200, 300)


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
        self._loop: asyncio.AbstractEventLoop | None = None  # asking for it at each call is a system call
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

    def send(self, body: bytes) -> asyncio.Future[bytes | None]:
        """Sends one event (or an array of them): at once where a connection is idle, and without a task.

        Returns:
            The answer's JSON, or None where the guide has no body (204); or a PeerError, which says whose
            failure it is and whether it may be sent again.
        """
        message = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        loop = asyncio.get_running_loop() if self._loop is None else self._loop
        self._loop = loop
        reply = _Reply(self._read, loop)
        if self._pool.send_now(message, reply, limit=MAX_ANSWER, kept=True) is not None:
            return reply
        return loop.create_task(self._fetch(message))

    async def _fetch(self, message: bytes) -> bytes | None:
        answer = await self._pool.fetch(message, limit=MAX_ANSWER)
        return self._read(answer.status, answer.headers, answer.body)

    def _read(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bytes | None:
        if status == OK:
            return body
        if status == NO_CONTENT:
            return None
        raise _refusal("the events endpoint", Answer(status, [*headers], body), self._now())


class _Reply(Sending):
    """A call's answer to come, of which a connection tells (``http1.Receiver``)."""

    def __init__(
        self,
        read: Callable[[int, Sequence[tuple[bytes, bytes]], bytes], bytes | None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(loop=loop)
        self._read = read

    def informed(self, head: ResponseHead) -> None:
        """A 1xx response says nothing."""

    def begin(self, head: ResponseHead, chunks: list[bytes], inflow: Inflow) -> None:  # noqa: ARG002  a Receiver's
        """The head is kept until the end."""
        self._head = head
        self._chunks = chunks

    def arrived(self, size: int) -> None:
        """The body is taken as a whole."""

    def end(self, trailers: Headers, *, keep_inflow: bool) -> None:  # noqa: ARG002  a Receiver's
        """The answer is there."""
        if self.done():  # cancelled
            return
        head = self._head
        try:
            self.set_result(self._read(head.status, head.headers, b"".join(self._chunks)))
        except PeerError as error:
            self.set_exception(error)
        self.tell()

    def switched(self, tunnel: Tunnel) -> None:
        """Nobody asked for a tunnel, so the connection refuses one."""

    def fail(self, error: BaseException, *, discard: bool) -> None:  # noqa: ARG002  a Receiver's
        """There will be no answer."""
        if not self.done():
            self.set_exception(error)
            self.tell()


class RestClient:
    """Makes signed calls to the REST API of DataCue or of the embedded engine.

    Args:
        pool: connections to the API; its paths stand below the origin's, as ``/v1``.
        api_key: and api_secret: sign the calls (guide, "Authentication").
        now: unix seconds, to read a ``Retry-After`` that is a date.
    """

    def __init__(self, pool: Pool, *, api_key: str, api_secret: str, now: Callable[[], float]) -> None:
        self._pool = pool
        self._api_key = api_key
        self._api_secret = api_secret
        self._now = now

    def __repr__(self) -> str:
        return f"RestClient({self._pool.origin.authority.decode()})"

    async def send(self, method: str, path: str, body: bytes = b"") -> None:
        """Makes a call, as ``POST``, ``/orders``, and returns when it was carried out.

        Raises:
            PeerError: whose failure it is and whether it may be made again.
        """
        kind = b"Content-Type: application/json\r\n" if body else b""
        message = (
            b"%b %b HTTP/1.1\r\nHost: %b\r\nAuthorization: %b\r\nAccept: application/json\r\n"
            b"Accept-Encoding: identity\r\nUser-Agent: datacue-proxy\r\n%bContent-Length: %d\r\n\r\n%b"
        ) % (
            method.encode(),
            (self._pool.origin.path + path).encode(),
            self._pool.origin.authority,
            authorization(self._api_key, self._api_secret, body),
            kind,
            len(body),
            body,
        )
        answer = await self._pool.fetch(message, limit=MAX_ANSWER)
        if answer.status not in DONE:
            raise _refusal(f"{method} {path}", answer, self._now())


def _refusal(what: str, answer: Answer, now: float) -> UnexpectedAnswer:
    wait = None
    for name, value in answer.headers:
        if name == b"retry-after":
            wait = retry_after(value, now)
    text = answer.body[:200].decode("utf-8", "replace").strip()
    return UnexpectedAnswer(f"{what} answered {answer.status}: {text}", "vendor", answer.status, wait)
