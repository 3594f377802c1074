"""What a request says to the cache: for which page, and whether that may be one that is kept."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from proxy.cache.directives import Unreadable, directives
from proxy.headers import value_of

if TYPE_CHECKING:
    from starlette.types import Scope

    from proxy.cache.entry import Entry
    from proxy.cache.store import Key
    from proxy.headers import Client, Headers

CONDITIONS = frozenset({b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since"})

NOTABLE = frozenset(
    {
        b"authorization", b"range", b"upgrade", b"transfer-encoding",
        b"accept", b"cache-control", b"connection", b"content-length",
    }
)  # fmt: skip
"""Request fields that ask, or may ask, for something of one's own. So do names with an underscore: such a
field is another one to us and, to many a shop, one that pages are chosen by."""

CONNECTION = frozenset({b"", b"close", b"keep-alive"})
"""What ``Connection`` says ordinarily. With more, fields are taken out that the page may be chosen by: the
shop would never hear them."""


def key_for(client: Client, target: bytes) -> Key:
    """The address of what a client asks for."""
    return client.scheme, client.host.lower(), target


def key_of(scope: Scope) -> Key:
    """The address of what a request asks for; as the client knows it, where we know who that is."""
    target: bytes | None = scope.get("datacue.target")
    if target is None:
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
    client: Client | None = scope.get("datacue.client")
    if client is not None:
        return key_for(client, target)
    host = value_of(scope["headers"], b"host") or b""
    return scope["scheme"], host.lower(), target


def is_simple(asked: Headers) -> bool:
    """Whether a request may be answered from what is kept, or its answer be kept, at all."""
    return all(_is_usual(*field) for field in asked if _is_notable(field[0]))


@lru_cache(maxsize=512)  # browsers of the world send a few dozen names
def _is_notable(name: bytes) -> bool:
    return name in NOTABLE or b"_" in name


def _is_usual(name: bytes, value: bytes) -> bool:
    """Whether such a field asks for nothing special."""
    if name == b"content-length":
        return value == b"0"
    if name == b"connection":
        return value.lower() in CONNECTION
    if name == b"accept":
        return b"*/*" in value or b"text/html" in value.lower() or b"text/*" in value.lower()
    return name == b"cache-control" and b"no-store" not in value.lower()


def is_conditional(asked: Headers) -> bool:
    """Whether a request has conditions of the client's own (RFC 9110, 13.1)."""
    return any(name in CONDITIONS for name, _ in asked)


def conditional(scope: Scope, entry: Entry | None) -> Scope:
    """The request that goes to the shop: with our conditions where something is kept."""
    if entry is None:
        return scope
    asked = [field for field in scope["headers"] if field[0] not in CONDITIONS]
    return {**scope, "headers": [*asked, *entry.conditions()]}


def only_if_cached(asked: Headers) -> bool:
    """Whether a request shall not reach the shop (RFC 9111, 5.2.1.7)."""
    try:
        return b"only-if-cached" in directives(asked)
    except Unreadable:
        return False


def own_path(target: bytes, key: Key) -> bytes | None:
    """The target of an address of this very origin."""
    if target.startswith(b"/") and not target.startswith(b"//"):
        return target.partition(b"#")[0]
    origin = f"{key[0]}://".encode() + key[1]
    if target.lower().startswith(origin + b"/"):
        return target[len(origin) :].partition(b"#")[0]
    return None
