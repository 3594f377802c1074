"""The demo shop as an ASGI app."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from proxy.demo.pages import account, basket, browse, checkout
from proxy.demo.rendering import STATIC, error_page
from proxy.demo.sessions import SessionMiddleware
from proxy.demo.state import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    # No script at all, and nothing from elsewhere: JSON-LD is data, which this does not touch.
    "content-security-policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-content-type-options": "nosniff",
}


class SecurityHeaders:
    """Adds the shop's security headers to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def create_shop(*, secret: str | None = None, clock: Callable[[], float] = time.time) -> ASGIApp:
    """The demo shop.

    Args:
        secret: signs the session cookie and the form tokens; a random one if None, so that sessions
            end with the process, as everything in memory does.
        clock: seconds since the epoch.
    """
    return Starlette(
        routes=[
            *browse.ROUTES,
            *basket.ROUTES,
            *account.ROUTES,
            *checkout.ROUTES,
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(SessionMiddleware, store=Store(clock), secret=secret or secrets.token_urlsafe(32)),
        ],
        exception_handlers={HTTPException: error_page},
    )
