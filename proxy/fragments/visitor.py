"""``GET {prefix}/visitor``: 204, and the visitor's cookie for who has none yet.

For shops whose pages don't come through us: a cookie is minted by a page's response (design, decision 9),
and there it is the edge that makes it one. An edge asks before it answers a page, and adds our
``Set-Cookie`` to it (nginx ``auth_request``, a subrequest of Varnish); or the page loads it, as a
stylesheet or an image of no content. It never may be cached, and says so.

A trusted edge is told in ``X-DataCue-Visitor``, too: handed back with the requests for the page's fragments,
it makes a first page view the visitor's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.classify import not_counted
from proxy.exchange import INTRODUCED
from proxy.fragments.answers import NO_CONTENT, PERSONAL, READING, only
from proxy.fragments.asker import HEADER, client_of, known_of, newcomer, peer_of
from proxy.headers import OUTCOME, value_of
from proxy.identity import cookie_values
from proxy.views import view_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Scope, Send

    from proxy.core import Core
    from proxy.headers import Client, Headers
    from proxy.models import Visitor

FIELDS: Headers = [PERSONAL, (b"x-robots-tag", b"noindex")]


async def visitor(opened: Callable[[], Awaitable[Core]], scope: Scope, send: Send) -> None:
    """Serves one request.

    Args:
        opened: opens what pages need, at first need.
        scope: of the request.
        send: towards whoever asks.
    """
    if scope["method"] not in READING:
        await only(send, *sorted(READING))
        return
    fields = list(FIELDS)
    core = None
    try:
        core = await opened()
        fields += await _told(core, scope)
    except Exception as error:  # nothing was sent yet, and an edge holds a page back for it
        if core is not None:
            core.metrics.failures("proxy", "visitor")
            core.log.warning("a bug in datacue-proxy; a visitor gets no cookie", exc_info=error)
    await send({"type": "http.response.start", "status": NO_CONTENT, "headers": fields})
    await send({"type": "http.response.body", "body": b""})


async def _told(core: Core, scope: Scope) -> Headers:
    """The fields that say who the visitor is from now on."""
    headers: Headers = scope["headers"]
    client = client_of(core, scope)
    secure = client.scheme == "https"
    fields: Headers = []
    ignored = not_counted(scope["method"], headers, core.consent, core.privacy_signals)
    if ignored is not None:
        outcome = f"bypass:{ignored}"
        if ignored in {"gpc", "dnt", "consent"} and cookie_values(headers, core.cookie.name(secure=secure)):
            fields.append(core.cookie.remove_cookie(secure=secure))
            gone = core.cookie.known(headers, secure=secure)
            if gone is not None:
                await core.capture.withdraw(gone.visitor.anonymous_id)
    elif (known := known_of(core, scope, client)) is not None:
        outcome = "known"
        # Over plain HTTP a shop's own server may speak of a secure page's cookie: that isn't ours to renew.
        if known.renew and core.cookie.known(headers, secure=secure) is not None:
            fields.append(core.cookie.set_cookie(known.visitor, secure=secure))
        fields += _introduction(core, scope, known.visitor)
    elif _from_elsewhere(headers):
        outcome = "bypass:cross-site"
    else:
        outcome = "new"
        new = _new(core, scope, client)
        fields.append(core.cookie.set_cookie(new, secure=secure))
        fields += _introduction(core, scope, new)
    if client.trusted:
        fields.append((OUTCOME, outcome.encode()))
    return fields


def _new(core: Core, scope: Scope, client: Client) -> Visitor:
    """Somebody new; for an edge's page view, whom its fragments were made for already."""
    view = view_id(scope["headers"]) if peer_of(scope) in core.trusted else ""
    return newcomer(core, scope, client, HEADER, view) if view else core.cookie.mint()


def _introduction(core: Core, scope: Scope, visitor: Visitor) -> Headers:
    return [(INTRODUCED, core.cookie.introduction(visitor))] if peer_of(scope) in core.trusted else []


def _from_elsewhere(headers: Headers) -> bool:
    """Whether a page of another site loads us; a link that leads to the shop is a visit like any other."""
    return (
        value_of(headers, b"sec-fetch-site") == b"cross-site"
        and value_of(headers, b"sec-fetch-dest") != b"document"
    )
