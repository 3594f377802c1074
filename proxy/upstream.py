"""The first door's inside: an ASGI app whose answer is the shop's.

It forwards what it got and hands on what comes, as a stream both ways; what a field becomes is
``headers.py``'s question, how bytes travel ``http1``'s. When the shop fails before it answered, the
visitor gets a short page; when it fails in the middle, the connection ends without a clean end, so
that nobody stores half a page.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from proxy.errors import (
    ClientGone,
    ConnectFailed,
    ConnectionLost,
    MalformedResponse,
    PeerError,
    PoolTimeout,
    ResponseTimeout,
)
from proxy.headers import Client, for_shop, from_shop, has_token, loops, value_of
from proxy.http1 import Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import Message, Receive, Scope, Send

    from proxy.headers import Headers, TrustedProxies
    from proxy.http1 import Pool, Response, Tunnel
    from proxy.logs import Log
    from proxy.metrics import Metrics

LOOP_DETECTED = 508
SWITCHING_PROTOCOLS = 101

ERROR_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p><p>Reference: {reference}</p></body></html>
"""

ERRORS = {
    502: ("Bad gateway", "The shop could not be reached, or gave no proper answer. Please try again."),
    504: ("Gateway timeout", "The shop took too long to answer. Please try again."),
    508: ("Loop detected", "This request comes back to where it started: check the upstream address."),
}

HINTS: dict[type[PeerError], str] = {
    ConnectFailed: "does the shop run there? the setting upstream names its address",
    PoolTimeout: "every connection to the shop is busy: it answers more slowly than visitors come",
    ResponseTimeout: "the shop took longer than response_timeout (or idle_timeout, once it had begun)",
    ConnectionLost: "the shop closed the connection before it had answered: see its own log",
    MalformedResponse: "what listens at upstream doesn't speak HTTP/1.1 as it should; is it https?",
}
"""What to look at first, for the log."""


class Upstream:
    """Forwards requests to the shop.

    Args:
        pool: connections to the shop.
        host: the ``Host`` to send; None keeps the visitor's.
        trusted: whose ``X-Forwarded-*`` is continued rather than replaced.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        host: bytes | None,
        trusted: TrustedProxies,
        metrics: Metrics,
        log: Log,
        clock: Callable[[], float],
    ) -> None:
        self.pool = pool
        self._host = host
        self._trusted = trusted
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._prefix = pool.origin.path.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request. The lifespan closes the connections to the shop."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        headers: Headers = scope["headers"]
        if loops(headers):
            self._log.warning("the shop's address leads back to this proxy", upstream=self._name)
            await self._fail(send, LOOP_DETECTED)
            return
        gone = _Gone(scope)
        try:
            await self._forward(scope, headers, receive, send)
        except asyncio.CancelledError:
            if not gone.absorb():
                raise
            self._metrics.failures("client", "gone")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.pool.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return

    @property
    def _name(self) -> str:
        return self.pool.origin.authority.decode()

    async def _forward(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        request = self._request(scope, headers, receive)
        began = self._clock()
        try:
            response = await self.pool.send(request)
        except PeerError as error:
            self._metrics.failures(error.source, type(error).__name__)
            await self._fail(send, error.status, error)
            return
        except ClientGone:
            self._metrics.failures("client", "gone")
            raise
        self._metrics.upstream_seconds(self._clock() - began)
        try:
            if response.tunnel is not None:
                await self._tunnel(response, response.tunnel, receive, send)
            else:
                await self._answer(response, send)
        except PeerError as error:
            self._metrics.failures(error.source, type(error).__name__)
            self._log.warning("the shop broke off its answer", upstream=self._name, error=str(error))
            raise
        finally:
            response.abandon()

    def _request(self, scope: Scope, headers: Headers, receive: Receive) -> Request:
        client: Client | None = scope.get("datacue.client")
        peer = scope["client"][0] if scope.get("client") else ""
        if client is None:
            client = self._trusted.client(peer, scope["scheme"], headers)
        fields = for_shop(
            headers,
            peer=peer,
            client=client,
            trusted=peer in self._trusted,
            host=self._host,
            http_version=scope["http_version"].encode(),
        )
        target: bytes | None = scope.get("datacue.target")
        if target is None:
            target = scope["raw_path"]
            if query := scope["query_string"]:
                target = b"%b?%b" % (target, query)
        upgrade = None
        if "datacue.tunnel" in scope.get("extensions", ()) and has_token(headers, b"connection", b"upgrade"):
            upgrade = value_of(headers, b"upgrade")
        length = value_of(headers, b"content-length")
        chunked = value_of(headers, b"transfer-encoding") is not None
        body: AsyncIterator[bytes] | bytes | None = None
        if length == b"0":
            body, length = b"", None
        elif chunked or length is not None:
            body = _body(receive)
        return Request(
            method=scope["method"].encode(),
            target=self._prefix + target,
            headers=fields,
            body=body,
            content_length=int(length) if length is not None and not chunked else None,
            upgrade=upgrade,
        )

    @staticmethod
    async def _answer(response: Response, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": from_shop(response.headers),
            }
        )
        message: Message = {"type": "http.response.body", "body": b"", "more_body": True}
        while data := await response.read():
            if response.ended:
                break
            message["body"] = data
            await send(message)
        await send({"type": "http.response.body", "body": data, "more_body": False})

    async def _tunnel(self, response: Response, tunnel: Tunnel, receive: Receive, send: Send) -> None:
        """After 101 both sides speak another protocol: bytes go to and fro until both ends close."""
        fields = from_shop(response.headers)
        fields.append((b"connection", b"upgrade"))
        fields += [(b"upgrade", value) for name, value in response.headers if name == b"upgrade"]
        await send({"type": "http.response.start", "status": SWITCHING_PROTOCOLS, "headers": fields})
        await send({"type": "http.response.body", "body": b"", "more_body": True})

        async def outward() -> None:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    tunnel.close()
                    return
                if body := message.get("body", b""):
                    await tunnel.write(body)
                if not message.get("more_body", False):
                    tunnel.close_write()
                    return

        pump = asyncio.get_running_loop().create_task(outward())
        try:
            while data := await tunnel.read():
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            pump.cancel()
            tunnel.close()
            await asyncio.gather(pump, return_exceptions=True)

    async def _fail(self, send: Send, status: int, error: PeerError | None = None) -> None:
        """A short page: what to tell the shop's people, and where they find the rest in the log."""
        reference = secrets.token_hex(4)
        if error is not None:
            self._log.warning(
                "no answer from the shop",
                reference=reference,
                upstream=self._name,
                error=str(error),
                kind=type(error).__name__,
                hint=HINTS.get(type(error), ""),
            )
        title, text = ERRORS[status]
        page = ERROR_PAGE.format(title=title, text=text, reference=reference).encode()
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(page)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": page})


class _Gone:
    """Cancels the request's task when the visitor hangs up, so that the shop stops working for nobody."""

    def __init__(self, scope: Scope) -> None:
        self._gone = False
        self._task = asyncio.current_task()
        on_disconnect: Callable[[Callable[[], None]], None] | None = scope.get("datacue.on_disconnect")
        if on_disconnect is not None:
            on_disconnect(self._hang_up)

    def _hang_up(self) -> None:
        self._gone = True
        if self._task is not None:
            self._task.cancel()

    def absorb(self) -> bool:
        """Whether a cancellation was this one, which then ends here."""
        if self._gone and self._task is not None:
            self._task.uncancel()
        return self._gone


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    """The request's body as it streams in.

    Raises:
        ClientGone: the visitor hung up before its end.
    """
    while True:
        message: dict[str, Any] = dict(await receive())
        if message["type"] == "http.disconnect":
            raise ClientGone("the visitor hung up during the upload")
        if data := message.get("body", b""):
            yield data
        if not message.get("more_body", False):
            return
