"""The admin address: is it alive, is it ready, what has it counted. Never public by default."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from proxy import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send


def create_admin(*, expose: Callable[[], bytes], ready: Callable[[], str], token: str | None) -> ASGIApp:
    """The admin app.

    Args:
        expose: all figures, in Prometheus' text format.
        ready: why pages can't be served now; empty when they can.
        token: what ``Authorization: Bearer`` must carry for anything but ``/healthz``; None asks nothing.
    """

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: Request) -> Response:
        why = ready()
        return PlainTextResponse(f"{why or 'ready'}\n", status_code=503 if why else 200)

    async def figures(_request: Request) -> Response:
        return Response(expose(), media_type=metrics.CONTENT_TYPE)

    app = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", figures),
        ]
    )
    return app if token is None else Guarded(app, token)


class Guarded:
    """Asks for the token, but for ``/healthz``, which says nothing that a port scan wouldn't."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "http" and scope["path"] != "/healthz":
            given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
            if not hmac.compare_digest(given, self._expected):
                answer = PlainTextResponse("unauthorized\n", 401, {"www-authenticate": "Bearer"})
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)
