"""Reverse proxies from packages, as ASGI applications: each as its manual shows it.

They run in an environment of their own (see ``environments``), with ``uvicorn --factory proxies:NAME``.
``SHOP_URL`` says what is forwarded to.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

SHOP_URL = os.environ.get("SHOP_URL", "http://127.0.0.1:8080")

CONNECTION_FIELDS = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host"}
)


def asgiproxy() -> ASGIApp:
    """asgiproxy: aiohttp's client below an ASGI application."""
    from asgiproxy.__main__ import make_app

    app: ASGIApp
    app, _context = make_app(SHOP_URL)
    return app


def fastapi_proxy_lib() -> ASGIApp:
    """fastapi-proxy-lib: httpx below FastAPI."""
    from fastapi_proxy_lib.fastapi.app import reverse_http_app

    app: ASGIApp = reverse_http_app(base_url=f"{SHOP_URL}/")
    return app


def fastapi_reverse_proxy() -> ASGIApp:
    """fastapi-reverse-proxy: httpx below FastAPI, with a route that takes everything."""
    from fastapi import FastAPI, Request
    from fastapi_reverse_proxy import Proxy, proxy_pass

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Proxy(app):
            yield

    app = FastAPI(lifespan=lifespan)

    async def forward(request: Request) -> Any:
        return await proxy_pass(request, SHOP_URL)

    forward.__annotations__["request"] = Request
    app.add_api_route("/{path:path}", forward, methods=["GET", "POST"], response_model=None)
    asgi: ASGIApp = app
    return asgi


def tuned_aiohttp() -> ASGIApp:
    """Starlette and aiohttp's client, tuned by hand: raw headers, one read, no cookie jar, no decoding."""
    import aiohttp
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    sessions: list[aiohttp.ClientSession] = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        ) as session:
            sessions.append(session)
            yield

    async def forward(request: Request) -> Response:
        fields = [(name, value) for name, value in request.headers.items() if name not in CONNECTION_FIELDS]
        url = f"{SHOP_URL}{request.url.path}"
        async with sessions[0].get(url, headers=fields, allow_redirects=False) as answer:
            body = await answer.read()
        response = Response(body, answer.status)
        response.raw_headers += [
            (name.lower(), value)
            for name, value in answer.raw_headers
            if name.lower().decode() not in CONNECTION_FIELDS | {"content-length"}
        ]
        return response

    return Starlette(routes=[Route("/{path:path}", forward)], lifespan=lifespan)
