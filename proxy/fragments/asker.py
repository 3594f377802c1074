"""Who asks one of our own endpoints, and whether it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.classify import not_counted
from proxy.events import Context
from proxy.exchange import INTRODUCED
from proxy.headers import value_of
from proxy.models import Visitor
from proxy.views import view_id

if TYPE_CHECKING:
    from starlette.types import Scope

    from proxy.core import Core
    from proxy.headers import Client
    from proxy.identity import Identity
    from proxy.personalize import PageView

HEADER, QUERY = b"header", b"query"
"""Where a page view's ID stands. What stands in a URL anybody can make others ask for: whoever is new in such
a view never becomes a cookie."""


def client_of(core: Core, scope: Scope) -> Client:
    """The client, seen through the proxies that we trust."""
    return core.trusted.client(peer_of(scope), scope["scheme"], scope["headers"])


def visitor_of(core: Core, scope: Scope, client: Client) -> Visitor | None:
    """The visitor whose events count.

    None for bots, prefetches and HEAD, for who asked not to be counted, and for who has no cookie: only a
    page mints one (design, decision 9).
    """
    headers = scope["headers"]
    if not_counted(scope["method"], headers, core.consent, core.privacy_signals) is not None:
        return None
    known = core.cookie.known(headers, secure=client.scheme == "https")
    return None if known is None else known.visitor


def view_of(core: Core, scope: Scope, client: Client, visitor: Visitor) -> PageView:
    """What sends the visitor's events, with a page's deadline from now on."""
    context = Context.of(client.ip, value_of(scope["headers"], b"user-agent"))
    return core.personalizer.view(visitor, context, core.clock())


def looking(core: Core, scope: Scope, client: Client, view: str) -> Visitor | None:
    """Whose page view a fragment belongs to; None where nobody knows.

    In turn: whom an edge that we trust introduces, whom the cookie names, and where an edge that we trust
    speaks of one page view of somebody new, a visitor made for that (`VisitorCookie.first`).

    Args:
        core: see ``Core``.
        scope: of the request.
        client: who asks.
        view: the page view's ID as the URL says it; empty for none.
    """
    headers = scope["headers"]
    trusted = peer_of(scope) in core.trusted
    introduction = value_of(headers, INTRODUCED) if trusted else None
    visitor = core.cookie.introduced(introduction) if introduction else None
    if visitor is None:
        known = known_of(core, scope, client)
        visitor = None if known is None else known.visitor
    if visitor is not None:
        if visitor.user_id is not None and core.capture.left(headers):
            return Visitor(visitor.anonymous_id)
        return visitor
    if trusted and (header := view_id(headers)):
        return newcomer(core, scope, client, HEADER, header)
    return newcomer(core, scope, client, QUERY, view) if trusted and view else None


def newcomer(core: Core, scope: Scope, client: Client, said: bytes, view: str) -> Visitor:
    """The visitor of an edge's page view that came without a cookie: one, for this address and browser."""
    agent = value_of(scope["headers"], b"user-agent") or b""
    return core.cookie.first(said, view.encode(), client.ip.encode(), agent)


def known_of(core: Core, scope: Scope, client: Client) -> Identity | None:
    """Whom the cookie names.

    A shop's own server may ask us over plain HTTP with the cookies of a secure page.
    """
    headers = scope["headers"]
    known = core.cookie.known(headers, secure=True)
    if known is None and client.scheme != "https":
        known = core.cookie.known(headers, secure=False)
    return known


def peer_of(scope: Scope) -> str:
    """The address at the other end of the connection; empty where there is none."""
    return scope["client"][0] if scope.get("client") else ""
