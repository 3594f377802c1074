"""How a request goes to the shop, and what is said when the shop fails: whoever carries the bytes.

Two carry them: ``upstream.py`` as an ASGI app, ``relay.py`` from socket to socket. What they forward, count
and apologize for is the same, and is here.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from proxy.errors import (
    ConnectFailed,
    ConnectionLost,
    MalformedResponse,
    PeerError,
    PoolTimeout,
    ResponseTimeout,
)
from proxy.headers import for_shop
from proxy.http1 import request_line, serialize_fields
from proxy.remember import Recent

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.edge import Head, Template
    from proxy.headers import Client, Headers, TrustedProxies
    from proxy.http1 import Fields, Pool
    from proxy.logs import Log
    from proxy.metrics import Metrics

    Change = Callable[[Headers], Headers]

LOOP_DETECTED = 508

REMEMBERED = 512
"""Requests' and responses' heads of which is remembered what they become."""

ERROR_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p><p>Reference: {reference}</p></body></html>
"""

ERRORS = {
    502: ("Bad gateway", "The shop could not be reached, or gave no proper answer. Please try again."),
    504: ("Gateway timeout", "The shop took too long to answer. Please try again."),
    508: ("Loop detected", "This request comes back to where it started: check the upstream address."),
}

HINTS: dict[type[PeerError], str] = {
    ConnectFailed: "does the shop run there? the setting upstream names its address",
    PoolTimeout: "every connection to the shop is busy: it answers more slowly than visitors come",
    ResponseTimeout: "the shop took longer than response_timeout (or idle_timeout, once it had begun)",
    ConnectionLost: "the shop closed the connection before it had answered: see its own log",
    MalformedResponse: "what listens at upstream doesn't speak HTTP/1.1 as it should; is it https?",
}
"""What to look at first, for the log."""


class Apology(NamedTuple):
    """A whole response of our own, in place of the shop's."""

    status: int
    headers: Headers
    page: bytes


class Forwarding:
    """See the module's docstring.

    Args:
        pool: connections to the shop.
        preserve_host: send the visitor's ``Host``, not the shop's own.
        trusted: whose ``X-Forwarded-*`` is continued rather than replaced.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        preserve_host: bool,
        trusted: TrustedProxies,
        metrics: Metrics,
        log: Log,
        clock: Callable[[], float],
    ) -> None:
        self.pool = pool
        self.trusted = trusted
        self.metrics = metrics
        self.clock = clock
        self.prefix = pool.origin.path.encode()
        self.templates: Recent[tuple[object, ...], Template] = Recent(REMEMBERED)
        """Heads as they go to visitors, by what they came of: see ``relay.py``."""
        self._lines: Recent[tuple[bytes | None, str, str, tuple[Change, ...]], Fields] = Recent(REMEMBERED)
        self._host = None if preserve_host else pool.origin.authority
        self._log = log

    def fields(self, headers: Headers, peer: str, client: Client, http_version: bytes) -> Headers:
        """A request's fields as they go to the shop.

        Args:
            headers: as they came.
            peer: address of whoever is connected to us.
            client: who that stands for.
            http_version: of the request as it came, for ``Via``.
        """
        return for_shop(
            headers,
            peer=peer,
            client=client,
            trusted=peer in self.trusted,
            host=self._host,
            http_version=http_version,
        )

    def message(self, head: Head, peer: str, client: Client, *changes: Change) -> bytes:
        """A bare request as it goes to the shop.

        Who sends the same lines from the same address over the same scheme is the same client to us: what was
        made of them once is right again.

        Args:
            head: of the request.
            peer: address of whoever is connected to us.
            client: who that stands for.
            changes: what becomes of its fields before that: functions of these alone.
        """
        key = head.lines, peer, client.scheme, changes
        lines = self._lines.get(key) if head.lines is not None else None
        if lines is None:
            headers = head.headers
            for change in changes:
                headers = change(headers)
            lines = serialize_fields(self.fields(headers, peer, client, head.http_version.encode()))
            if head.lines is not None:
                self._lines.keep(key, lines)
        line = request_line(head.method.encode(), self.prefix + head.target)
        return b"%b%b\r\n" % (line, lines.data)

    def unanswered(self, error: PeerError) -> Apology:
        """The shop gave no answer: counted, said, and what the visitor gets instead."""
        self.metrics.failures(error.source, type(error).__name__)
        return self._apology(error.status, error)

    def looping(self) -> Apology:
        """The shop's address leads back to us."""
        self._log.warning("the shop's address leads back to this proxy", upstream=self._name)
        return self._apology(LOOP_DETECTED, None)

    def broken_off(self, error: PeerError) -> None:
        """The shop began an answer and didn't end it."""
        self.metrics.failures(error.source, type(error).__name__)
        self._log.warning("the shop broke off its answer", upstream=self._name, error=str(error))

    def client_gone(self) -> None:
        """Nobody is left to answer."""
        self.metrics.failures("client", "gone")

    @property
    def _name(self) -> str:
        return self.pool.origin.authority.decode()

    def _apology(self, status: int, error: PeerError | None) -> Apology:
        """A short page: what to tell the shop's people, and where they find the rest in the log."""
        reference = secrets.token_hex(4)
        if error is not None:
            self._log.warning(
                "no answer from the shop",
                reference=reference,
                upstream=self._name,
                error=str(error),
                kind=type(error).__name__,
                hint=HINTS.get(type(error), ""),
            )
        title, text = ERRORS[status]
        page = ERROR_PAGE.format(title=title, text=text, reference=reference).encode()
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(page)).encode()),
            (b"cache-control", b"no-store"),
        ]
        return Apology(status, headers, page)
