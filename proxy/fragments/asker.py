"""Who asks one of our own endpoints, and whether it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.classify import not_counted
from proxy.events import Context
from proxy.headers import value_of

if TYPE_CHECKING:
    from starlette.types import Scope

    from proxy.core import Core
    from proxy.headers import Client
    from proxy.models import Visitor
    from proxy.personalize import PageView


def client_of(core: Core, scope: Scope) -> Client:
    """The client, seen through the proxies that we trust."""
    peer = scope["client"][0] if scope.get("client") else ""
    return core.trusted.client(peer, scope["scheme"], scope["headers"])


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
