"""The ASGI door: reads requests, checks who sends them, and hands them to the engine.

The events endpoint is on the path of every personalized page: it is dispatched first, by two
comparisons, and nothing is built for it that it doesn't send.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import apsw

from proxy.engine import rest
from proxy.engine.docs_page import render
from proxy.engine.engine import Engine
from proxy.engine.openapi import description
from proxy.engine.page import LIST_SIZE, MAX_LIST_SIZE
from proxy.engine.refusals import FieldRefused, MethodRefused, Refused
from proxy.engine.wire import answers
from proxy.engine.wire.documents import decode
from proxy.engine.wire.events import read_event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from proxy.engine.auth import Credentials

MAX_BODY: Final = 5 * 1024 * 1024
"""Bytes of a request: the vendor's clients cap theirs at 5 MiB."""
MAX_EVENTS: Final = 500
"""Events of one request: the batch API's limit."""

_JSON: Final = (b"content-type", b"application/json")
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_HTML: Final = (b"content-type", b"text/html; charset=utf-8")
_CORS: Final = (b"access-control-allow-origin", b"*")
_APPLIED: Final = (b"preference-applied", b"return=representation")
_PREFLIGHT: Final = (
    _CORS,
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"authorization, content-type, prefer"),
    (b"access-control-max-age", b"86400"),
)

Header = tuple[bytes, bytes]


class App:
    """The engine as an ASGI application. It opens its store at startup, or at the first request.

    Args:
        opened: makes the engine; called once.
        credentials: who may call.
    """

    def __init__(self, opened: Callable[[], Engine], credentials: Credentials) -> None:
        self._open = opened
        self._credentials = credentials
        self._engine: Engine | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One lifespan or one request."""
        if scope["type"] == "http":
            try:
                status, body, headers = await self._handle(scope, receive)
            except _Gone:
                return
            except (Refused, apsw.Error) as failure:
                refused = (
                    failure if isinstance(failure, Refused) else Refused(503, f"The store says: {failure}")
                )
                status, body, headers = refused.status, answers.encode(refused.as_json()), (_JSON, _CORS)
                if status == 401:  # noqa: PLR2004  # RFC 9110, 11.6.1
                    headers = (*headers, (b"www-authenticate", b'Basic realm="DataCue"'))
                elif isinstance(refused, MethodRefused):
                    headers = (*headers, (b"allow", refused.allow.encode()))
            await send(
                {
                    "type": "http.response.start",
                    "status": status,
                    "headers": [*headers, (b"content-length", b"%d" % len(body))] if body else [*headers],
                },
            )
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    @property
    def engine(self) -> Engine:
        """The engine, opened now if it isn't yet."""
        if self._engine is None:
            self._engine = self._open()
        return self._engine

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                assert self.engine
                # What was loaded stays: the collector needn't walk millions of objects again and again.
                gc.collect()
                gc.freeze()
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._engine is not None:
                    self._engine.close()
                    self._engine = None
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _handle(self, scope: Scope, receive: Receive) -> tuple[int, bytes, tuple[Header, ...]]:
        path: str = scope["path"]
        if path == "/":
            return await self._events(scope, receive)
        if path == "/healthz":
            return 200, b"ok", (_TEXT,)
        if path.startswith("/v1/"):
            body = await _body(scope, receive)
            self._credentials.check_signed(_header(scope, b"authorization"), body)
            raw = scope.get("raw_path") or quote(path).encode()
            status, answer = rest.handle(
                self.engine, scope["method"], raw.decode("latin-1")[len("/v1") :], body
            )
            return (
                status,
                b"" if answer is None else answers.encode(answer),
                (_JSON,) if answer is not None else (),
            )
        if path == "/openapi.json":
            return 200, answers.encode(description()), (_JSON, _CORS)
        if path == "/docs":
            return 200, render(description()), (_HTML,)
        raise Refused(404, f"Nothing is at {path}: see /docs")

    async def _events(self, scope: Scope, receive: Receive) -> tuple[int, bytes, tuple[Header, ...]]:
        if scope["method"] == "OPTIONS":
            return 204, b"", _PREFLIGHT
        if scope["method"] != "POST":
            raise MethodRefused("POST", "OPTIONS")
        body = await _body(scope, receive)
        self._credentials.check_events(_header(scope, b"authorization"))
        rich = _prefers_representation(scope)
        size = _limit(scope["query_string"])
        document = decode(body)
        if isinstance(document, list):
            return self._several(document, rich=rich, size=size)
        answer = self.engine.events.record(read_event(document), rich=rich, size=size)
        applied = (_APPLIED,) if rich else ()
        if answer is None:
            return 204, b"", (_CORS,)
        return 200, answer, (_JSON, _CORS, *applied)

    def _several(
        self, documents: list[Any], *, rich: bool, size: int
    ) -> tuple[int, bytes, tuple[Header, ...]]:
        """Events in one array: each is taken or refused by itself."""
        if len(documents) > MAX_EVENTS:
            raise Refused(413, f"At most {MAX_EVENTS} events in one request, got {len(documents)}")
        given: list[bytes] = []
        states: list[dict[str, Any]] = []
        first: FieldRefused | None = None
        for index, document in enumerate(documents):
            try:
                answer = self.engine.events.record(read_event(document), rich=rich, size=size)
                given.append(b"null" if answer is None else answer)
                states.append({"index": index, "status": "OK"})
            except FieldRefused as refused:
                first = first or refused
                states.append({"index": index, "status": "error", **refused.as_json()})
        if first is not None and not given:
            return 400, answers.encode({**first.as_json(), "status": states}), (_JSON, _CORS)
        if first is not None:
            return 207, answers.encode({"status": states}), (_JSON, _CORS)
        if all(answer == b"null" for answer in given):
            return 204, b"", (_CORS,)
        return 200, answers.array(given), (_JSON, _CORS)


class _Gone(Exception):
    """The client hung up before its request was whole."""


def create_app(
    data: str | Path, credentials: Credentials, clock: Callable[[], float], seed: int | None
) -> App:
    """An application that opens its store when it starts."""
    return App(lambda: Engine(data, clock, seed), credentials)


async def _body(scope: Scope, receive: Receive) -> bytes:
    length = _header(scope, b"content-length")
    if length is not None and length.isdigit() and int(length) > MAX_BODY:
        raise Refused(413, f"At most {MAX_BODY} bytes in one request")
    message = await receive()
    if message["type"] == "http.disconnect":
        raise _Gone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    parts, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise Refused(413, f"At most {MAX_BODY} bytes in one request")
    return b"".join(parts)


def _header(scope: Scope, name: bytes) -> bytes | None:
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


def _prefers_representation(scope: Scope) -> bool:
    """RFC 7240: several preferences, in one header or in several."""
    return any(
        key == b"prefer"
        and any(
            part.split(b";")[0].strip().lower().replace(b'"', b"") == b"return=representation"
            for part in value.split(b",")
        )
        for key, value in scope["headers"]
    )


def _limit(query: bytes) -> int:
    """``?limit=`` sets the products per list."""
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if name == b"limit":
            if not value.isdigit() or not 1 <= int(value[:9]) <= MAX_LIST_SIZE:
                raise FieldRefused(
                    "limit", value.decode(errors="replace"), f"an integer from 1 to {MAX_LIST_SIZE}"
                )
            return int(value)
    return LIST_SIZE
