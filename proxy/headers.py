"""Header policy: what a message's fields become when it is forwarded, and when its body is rewritten.

Fields are raw lists of (lower-case name, value) in the order in which they came. Nothing here is a
dict: repeated fields stay repeated, and ``Set-Cookie`` is never joined.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Headers = list[tuple[bytes, bytes]]
Network = IPv4Network | IPv6Network

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields of one connection only (RFC 9110, 7.6.1; proxy-connection by its usage)."""

KEPT_WHEN_NOMINATED = frozenset({b"host", b"content-length", b"content-type", b"set-cookie", b"cookie"})
"""Fields that a ``Connection`` list can't take away: without them the message would mean another one."""

OUTCOME = b"x-datacue"
"""Our own response field: what became of the page, for trusted callers."""

SAID_BY_SHOP = frozenset({b"x-datacue-event", b"x-datacue-user", b"x-datacue-off", OUTCOME})
"""What a shop says to us in a response (and our own field, from a proxy of ours further in): stripped
before the browser, ignored from clients."""

FORWARDED = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port"}
)

ORIGINAL_URI = b"x-original-uri"
"""Request field in which an edge says for which page it asks; from anybody else it is a lie."""

ANNOUNCED = (b"surrogate-capability", b'datacue="ESI/1.0"')
"""What we say of ourselves to the shop: see ``surrogate.py``. Proxies that we trust may say more there."""

SAID_BY_PROXIES = frozenset({ORIGINAL_URI, ANNOUNCED[0]})
"""Request fields that are theirs to send whom we trust."""

PSEUDONYM = b"datacue-proxy"
"""Our name in ``Via`` (RFC 9110, 7.6.3)."""

MAX_RETRY_AFTER = 3600.0
"""Seconds that a peer may ask us to wait; more is a mistake of a clock or of a unit."""

MAX_LOOPS = 4
"""How often our name may stand in ``Via``: a chain of us is odd but legal, a loop is not."""

DESCRIBES_BYTES = frozenset(
    {
        b"content-length",
        b"content-md5",
        b"digest",
        b"content-digest",
        b"repr-digest",
        b"etag",
        b"last-modified",
        b"accept-ranges",
    }
)
"""Fields that are true only of the bytes the shop sent (RFC 9110, 8.8 and 14; RFC 9530)."""

CACHING = frozenset(
    {
        b"cache-control",
        b"expires",
        b"pragma",
        b"age",
        b"surrogate-control",
        b"cdn-cache-control",
        b"x-accel-expires",
    }
)
"""Fields by which a cache, shared or private, decides to keep a response (RFC 9111, 5; RFC 9213)."""

PRIVATE = (b"cache-control", b"private, no-store")


class Client(NamedTuple):
    """Who is at the far end, seen through the proxies that we trust.

    Attributes:
        ip: the address of the client as text; empty if unknown (a unix socket).
        scheme: ``http`` or ``https``, as the client's browser used it.
        host: the ``Host`` that the browser asked for.
        trusted: whether the client itself is one of the trusted addresses.
    """

    ip: str
    scheme: str
    host: bytes
    trusted: bool


class TrustedProxies:
    """Whose ``X-Forwarded-*`` is believed.

    Args:
        networks: addresses or CIDR networks, as text.

    Raises:
        ValueError: one of them is neither.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self.networks: tuple[Network, ...] = tuple(ip_network(text.strip()) for text in networks)
        # The same few proxies ask again and again; bounded, since strangers' addresses come too.
        self._known: dict[str, bool] = {}

    MAX_KNOWN = 4096

    def __contains__(self, ip: str) -> bool:
        known = self._known.get(ip)
        if known is None:
            if len(self._known) >= self.MAX_KNOWN:
                self._known.clear()
            known = self._known[ip] = self._contains(ip)
        return known

    def _contains(self, ip: str) -> bool:
        try:
            address = ip_address(ip.strip("[]").partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        return any(address in network for network in self.networks)

    def client(self, peer: str, scheme: str, headers: Sequence[tuple[bytes, bytes]]) -> Client:
        """The client behind ``peer``: the right-most forwarded address that isn't trusted itself."""
        host = b""
        chain: list[bytes] = []
        proto = forwarded_host = b""
        for name, value in headers:
            if name == b"host":
                host = value
            elif name == b"x-forwarded-for":
                chain += value.split(b",")
            elif name == b"x-forwarded-proto":
                proto = value
            elif name == b"x-forwarded-host":
                forwarded_host = value
        trusted = peer in self
        if not trusted or not (chain or proto or forwarded_host):
            return Client(peer, scheme, host, trusted)
        ip = peer
        for hop in reversed(chain):
            candidate = _address(hop)
            if not candidate:
                break
            ip = candidate
            if ip not in self:
                break
        if proto := proto.split(b",")[0].strip().lower():
            scheme = "https" if proto in {b"https", b"wss"} else "http"
        return Client(ip, scheme, forwarded_host.split(b",")[0].strip() or host, ip in self)


def _address(hop: bytes) -> str:
    """One ``X-Forwarded-For`` element without its port; empty if it is no address."""
    text = hop.strip().decode("latin-1")
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def nominated(headers: Sequence[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """The fields that ``Connection`` makes hop-by-hop (RFC 9110, 7.6.1), lower-case."""
    names: set[bytes] = set()
    for name, value in headers:
        if name == b"connection":
            names.update(token.strip().lower() for token in value.split(b","))
    return frozenset(names - KEPT_WHEN_NOMINATED)


def end_to_end(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """What is meant for the final recipient: without hop-by-hop and nominated fields."""
    if HOP_BY_HOP.isdisjoint([name for name, _ in headers]):
        return list(headers)  # nearly every response
    also = nominated(headers)
    if also - HOP_BY_HOP:
        return [field for field in headers if field[0] not in HOP_BY_HOP and field[0] not in also]
    return [field for field in headers if field[0] not in HOP_BY_HOP]


def for_shop(
    headers: Sequence[tuple[bytes, bytes]],
    *,
    peer: str,
    client: Client,
    trusted: bool,
    host: bytes | None,
    http_version: bytes = b"1.1",
) -> Headers:
    """A request's fields as they go to the shop.

    Args:
        headers: as they came.
        peer: address of whoever is connected to us; empty on a unix socket.
        client: who that stands for.
        trusted: whether ``peer`` is a trusted proxy: then what it forwarded is kept and continued,
            else it is replaced, since anybody can write it.
        host: the ``Host`` to send in place of the client's; None keeps it.
        http_version: of the received message, for ``Via``.

    Returns:
        End-to-end fields without the client's ``X-DataCue-*`` and a stranger's ``X-Original-URI`` and
        ``Surrogate-Capability``, with ``Via``, ``Forwarded`` (RFC 7239) and
        ``X-Forwarded-*``; framing is the connection's own business.
    """
    also = nominated(headers)
    fields: Headers = []
    via = chain = forwarded = b""
    for field in headers:
        name, value = field
        if b"_" in name:
            # CGI and WSGI shops read an underscore as a dash: such a name must not stand in for ours.
            name = name.replace(b"_", b"-")
            if name in FORWARDED or name == b"via":
                continue
        if name in HOP_BY_HOP or name in also or name.startswith(b"x-datacue"):
            continue
        if not trusted and name in SAID_BY_PROXIES:
            continue
        if name == b"via":
            via = via + b", " + value if via else value
        elif name in FORWARDED:
            if name == b"x-forwarded-for":
                chain = chain + b", " + value if chain else value
            elif name == b"forwarded":
                forwarded = forwarded + b", " + value if forwarded else value
        elif name == b"host" and host is not None:
            fields.append((b"host", host))
        elif name != b"content-length":
            fields.append(field)
    scheme, ip = client.scheme.encode(), peer.encode()
    hop = b"for=" + _node(peer) + b";host=" + _quoted(client.host) + b";proto=" + scheme
    if not trusted:
        chain = forwarded = b""
    fields.append((b"x-forwarded-for", chain + b", " + ip if chain and ip else ip or chain or b"unknown"))
    fields.append((b"x-forwarded-proto", scheme))
    fields.append((b"x-forwarded-host", client.host))
    fields.append((b"forwarded", forwarded + b", " + hop if forwarded else hop))
    if not trusted and (value_of(headers, ANNOUNCED[0]) or b"").endswith(ANNOUNCED[1]):
        fields.append(ANNOUNCED)  # ourselves, without whoever said so before
    own = http_version + b" " + PSEUDONYM
    fields.append((b"via", via + b", " + own if via else own))
    return fields


def loops(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether a request came past us so often that the shop's address must be our own."""
    return sum(value.count(PSEUDONYM) for name, value in headers if name == b"via") >= MAX_LOOPS


def _node(ip: str) -> bytes:
    """An address as ``Forwarded`` wants it: IPv6 in quotes and brackets (RFC 7239, 6)."""
    if not ip:
        return b"unknown"
    return f'"[{ip}]"'.encode() if ":" in ip else ip.encode()


def _quoted(host: bytes) -> bytes:
    """A host as a Forwarded value: quoted, since a port's colon is no token character."""
    return b'"' + host.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def from_shop(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """A response's fields as they go on towards the browser."""
    return end_to_end(headers)


def unsaid(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """Without what the shop says to us alone."""
    return [field for field in headers if field[0] not in SAID_BY_SHOP]


def personal(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """A response whose body will be rewritten for one visitor.

    What described the shop's bytes goes (length, digests, validators, ranges), and caching becomes
    ``private, no-store`` (promises 14 and 21).
    """
    kept = [field for field in headers if field[0] not in DESCRIBES_BYTES and field[0] not in CACHING]
    kept.append(PRIVATE)
    return kept


def uncached(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """A response that carries our cookie on the shop's own bytes: nobody may keep it."""
    kept = [field for field in headers if field[0] not in CACHING]
    kept.append(PRIVATE)
    return kept


def shared(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether a response may have been made for somebody else: shared caches hold it (RFC 9111, 5)."""
    return value_of(headers, b"age") is not None or any(
        directive in value.lower()
        for value in values_of(headers, b"cache-control")
        for directive in (b"public", b"s-maxage")
    )


def value_of(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first value of a field that should stand once; None where it is absent."""
    for field in headers:
        if field[0] == name:
            return field[1]
    return None


def values_of(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """Every value of a field, in order."""
    return [value for field, value in headers if field == name]


def has_token(headers: Sequence[tuple[bytes, bytes]], name: bytes, token: bytes) -> bool:
    """Whether a comma-separated field holds ``token`` (lower-case), its parameters aside."""
    for field, value in headers:
        if field == name:
            for part in value.lower().split(b","):
                if part.partition(b";")[0].partition(b"=")[0].strip() == token:
                    return True
    return False


def retry_after(value: bytes, now: float) -> float | None:
    """``Retry-After`` in either form (RFC 9110, 10.2.3) as seconds from now, clamped; None if neither."""
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(moment - now, 0.0), MAX_RETRY_AFTER)
