"""The first door's inside: an ASGI app whose answer is the shop's.

It forwards what it got and hands on what comes, as a stream both ways; what a field becomes is
``headers.py``'s question, how bytes travel ``http1``'s. When the shop fails before it answered, the
visitor gets a short page; when it fails in the middle, the connection ends without a clean end, so
that nobody stores half a page.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from proxy.errors import ClientGone, PeerError
from proxy.headers import Client, from_shop, has_token, loops, value_of
from proxy.http1 import Request
from proxy.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from proxy.edge import Connection, Head
    from proxy.forwarding import Apology, Forwarding
    from proxy.headers import Headers
    from proxy.http1 import Response, Tunnel
    from proxy.relay import Passing

SWITCHING_PROTOCOLS = 101

UNTIL_CLOSE = "datacue.until_close"
"""Of a start message: only the connection's end told where the body ends, so it may have been cut."""


class Upstream:
    """Forwards requests to the shop.

    Args:
        forwarding: over which connections, and how.
    """

    def __init__(self, forwarding: Forwarding) -> None:
        self.pool = forwarding.pool
        self._forwarding = forwarding

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request. The lifespan closes the connections to the shop."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif loops(scope["headers"]):
            await _apologize(self._forwarding.looping(), send)
        else:
            await self._while_there(scope, self._forward(scope, scope["headers"], receive, send))

    def relay(
        self,
        head: Head,
        connection: Connection,
        client: Client,
        passing: Passing,
        listening: Callable[[ASGIApp], ASGIApp],
        make: type[Relay] | Callable[..., Relay] = Relay,
    ) -> Relay | None:
        """Forwards a request that passes by, without a task; None where that must wait for a connection.

        Args:
            head: of a bare request, which doesn't come back to us.
            connection: to the visitor.
            client: who asks.
            passing: what is said about it.
            listening: wraps an app as this one is wrapped, to hear what the shop says to us.
            make: of the relay's arguments.
        """
        relay = make(
            self._forwarding, head, connection, passing, lambda response: listening(self._rest(response))
        )
        return relay if relay.begun(client) else None

    def _rest(self, response: Response) -> ASGIApp:
        """Goes on with an answer whose head is here."""

        async def app(scope: Scope, _receive: Receive, send: Send) -> None:
            await self._while_there(scope, self._answered(response, _receive, send))

        return app

    async def _while_there(self, scope: Scope, work: Awaitable[None]) -> None:
        """Stops working when the visitor hangs up."""
        gone = _Gone(scope)
        try:
            await work
        except asyncio.CancelledError:
            if not gone.absorb():
                raise
            self._forwarding.client_gone()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.pool.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _forward(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        forwarding = self._forwarding
        request = self._request(scope, headers, receive)
        began = forwarding.clock()
        try:
            response = await forwarding.pool.send(request)
        except PeerError as error:
            await _apologize(forwarding.unanswered(error), send)
            return
        except ClientGone:
            forwarding.client_gone()
            raise
        forwarding.metrics.upstream_seconds(forwarding.clock() - began)
        await self._answered(response, receive, send)

    async def _answered(self, response: Response, receive: Receive, send: Send) -> None:
        """Hands on an answer, whose head is here."""
        try:
            if response.tunnel is not None:
                await _tunnel(response, response.tunnel, receive, send)
            else:
                await _hand_on(response, send)
        except PeerError as error:
            self._forwarding.broken_off(error)
            raise
        finally:
            response.abandon()

    def _request(self, scope: Scope, headers: Headers, receive: Receive) -> Request:
        client: Client | None = scope.get("datacue.client")
        peer = scope["client"][0] if scope.get("client") else ""
        if client is None:
            client = self._forwarding.trusted.client(peer, scope["scheme"], headers)
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
            target=self._forwarding.prefix + target,
            headers=self._forwarding.fields(headers, peer, client, scope["http_version"].encode()),
            body=body,
            content_length=int(length) if length is not None and not chunked else None,
            upgrade=upgrade,
        )


async def _hand_on(response: Response, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": from_shop(response.headers),
            UNTIL_CLOSE: response.content_length is None
            and value_of(response.headers, b"transfer-encoding") is None,
        }
    )
    message: Message = {"type": "http.response.body", "body": b"", "more_body": True}
    while data := await response.read():
        if response.ended:
            break
        message["body"] = data
        await send(message)
    await send({"type": "http.response.body", "body": data, "more_body": False})


async def _tunnel(response: Response, tunnel: Tunnel, receive: Receive, send: Send) -> None:
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


async def _apologize(apology: Apology, send: Send) -> None:
    await send({"type": "http.response.start", "status": apology.status, "headers": apology.headers})
    await send({"type": "http.response.body", "body": apology.page})


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
