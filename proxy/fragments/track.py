"""``POST {prefix}/track``: the guide's events from scripts of the shop's own pages.

The message is the guide's ``{user, event}``. Who the visitor is, the cookie says, never the message: it
may add the user id and profile that the page knows, for this event. Context and time are ours to fill in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from proxy.events import check, user_of
from proxy.fragments.answers import (
    BAD_REQUEST,
    FORBIDDEN,
    NO_CONTENT,
    OK,
    PERSONAL,
    TOO_LARGE,
    WRONG_TYPE,
    error,
    only,
    whole,
)
from proxy.fragments.asker import client_of, view_of, visitor_of
from proxy.headers import value_of, values_of
from proxy.models import Visitor

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from proxy.core import Core
    from proxy.headers import Client, Headers

MAX_BODY = 64 * 1024
"""Bytes of a message: a cart of a thousand items, and what browsers let a keepalive request hold."""

VISITOR = b"x-datacue-visitor"
"""Response field with the anonymous id, which scripts can't read from an HttpOnly cookie."""


async def track(core: Core, scope: Scope, receive: Receive, send: Send) -> None:
    """Serves one event."""
    if scope["method"] != "POST":
        await only(send, "POST")
        return
    headers: Headers = scope["headers"]
    client = client_of(core, scope)
    if not same_origin(headers, client):
        await error(send, FORBIDDEN, "events come from pages of this origin alone")
        return
    if media_type(headers) != b"application/json":
        await error(send, WRONG_TYPE, "the content type must be application/json")
        return
    if declared_length(headers) > MAX_BODY:
        await error(send, TOO_LARGE, f"a message has {MAX_BODY} bytes at most")
        return
    body = await _body(receive)
    if body is None:
        return
    if len(body) > MAX_BODY:
        await error(send, TOO_LARGE, f"a message has {MAX_BODY} bytes at most")
        return
    visitor = visitor_of(core, scope, client)
    try:
        event, user_id, profile = read(body)
    except (TypeError, ValueError, RecursionError) as problem:
        await error(send, BAD_REQUEST, str(problem))
        return
    if visitor is None:
        await _nothing(send)
        return
    view = view_of(core, scope, client, Visitor(visitor.anonymous_id, user_id or visitor.user_id, profile))
    call = view.track(event)
    answer = await view.answer(call)
    await view.settle()
    identity = (VISITOR, visitor.anonymous_id.encode())
    if answer is None:
        await _nothing(send, identity)
    else:
        await whole(send, OK, answer, b"application/json", PERSONAL, identity)


def read(body: bytes) -> tuple[dict[str, Any], str | None, dict[str, Any] | None]:
    """A message as (event, user id, profile).

    Raises:
        ValueError, TypeError: naming the field and what the guide wants there.
        RecursionError: nobody nests like that.
    """
    try:
        message = msgspec.json.decode(body)
    except msgspec.DecodeError as problem:
        raise ValueError(f"a message is JSON: {problem}") from None
    if not isinstance(message, dict):
        raise TypeError("a message is a JSON object")
    if not isinstance(message.get("event"), dict):
        raise TypeError("event is a JSON object")
    user = message.get("user")
    user_id, profile = (None, None) if user is None else user_of(user)
    return check(message["event"]), user_id, profile


def same_origin(headers: Headers, client: Client) -> bool:
    """Whether a page of this very origin asks.

    ``Sec-Fetch-Site`` is the browser's own word, which no script can write, and it holds even where a proxy
    in front told us neither scheme nor host. Without it ``Origin`` must be ours; with neither nobody vouches
    for the sender.
    """
    sites = values_of(headers, b"sec-fetch-site")
    if sites:
        return all(site == b"same-origin" for site in sites)
    origins = values_of(headers, b"origin")
    ours = client.scheme.encode() + b"://" + client.host.lower()
    return bool(origins) and all(origin.lower() == ours for origin in origins)


def media_type(headers: Headers) -> bytes:
    """What the body claims to be, without parameters."""
    return (value_of(headers, b"content-type") or b"").partition(b";")[0].strip().lower()


def declared_length(headers: Headers) -> int:
    """``Content-Length``, checked at the edge; 0 where there is none."""
    value = value_of(headers, b"content-length") or b""
    return int(value[:20]) if value.isdigit() else 0


async def _body(receive: Receive) -> bytes | None:
    """The message, or as much of it as shows that it is too long; None when the client hung up."""
    body = b""
    while len(body) <= MAX_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body


async def _nothing(send: Send, *more: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": NO_CONTENT, "headers": [PERSONAL, *more]})
    await send({"type": "http.response.body", "body": b""})
