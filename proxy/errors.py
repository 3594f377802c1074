"""Everything that can go wrong, and whose it is.

The tree::

    ProxyError                      source, retryable, status
    ├── SettingsError               operator   a setting, template or file is wrong; the command exits with 2
    ├── RequestRefused              client     the request is ambiguous or too large: 400, 408, 413, 431, 501
    ├── ClientGone                  client     the visitor hung up; nobody is left to answer
    ├── OutboxUnavailable           proxy      events could not be made durable: the disk or its queue failed
    │   └── OutboxFull              proxy      some found no room under the disk cap; it knows which
    ├── ApiError                    see api/errors.py: the REST client's own branch
    └── PeerError                   shop or vendor: the far end of a connection that we opened
        ├── ConnectFailed           no connection; nothing was sent
        ├── PoolTimeout             every connection is busy and none became free in time; nothing was sent
        ├── ResponseTimeout         connected, but the response (or its next bytes) did not come in time
        ├── ConnectionLost          the connection ended before the message did
        ├── MalformedResponse       what came is not HTTP/1.1 as RFC 9112 has it, or exceeds a limit
        └── UnexpectedAnswer        well-formed HTTP that says no, or not what the API guide promises

``source`` says whose failure it is in metrics and logs; ``retryable`` whether the same request may be
sent again as it is; ``status`` what the visitor's client gets, if anything can still be sent.
"""

from __future__ import annotations

from typing import ClassVar, Literal

Source = Literal["client", "shop", "vendor", "network", "operator", "proxy"]
"""Whose failure it is. ``proxy`` is ours: a bug. ``network`` is said where neither end may be at fault
(``api/errors.py``, the REST client's own branch of the tree)."""


def counted(number: int, noun: str) -> str:
    """So many of something, for a message: ``1 item``, ``2,000 items``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class ProxyError(Exception):
    """The root of the tree; see the module's docstring."""

    source: Source = "proxy"
    retryable: ClassVar[bool] = False
    status: int = 500


class SettingsError(ProxyError):
    """Something that the operator wrote can't be used.

    Args:
        key: the setting, file or option at fault, as the operator knows it: ``slots[2].selector``.
        problem: what is wrong with its value, on one line.
        mend: what to write instead, or where to look.
    """

    source = "operator"

    def __init__(self, key: str, problem: str, mend: str) -> None:
        super().__init__(f"{key}: {problem}. {mend}")
        self.key = key
        self.problem = problem
        self.mend = mend


class RequestRefused(ProxyError):
    """A request that two parsers could read differently, or that exceeds a limit (RFC 9112, 11.2).

    Args:
        reason: one word of a bounded vocabulary, for metrics: ``duplicate-host``.
        status: 400, 408, 413, 431 or 501.
    """

    source = "client"

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class ClientGone(ProxyError):
    """The visitor's connection ended before the answer did."""

    source = "client"
    status = 499


class OutboxUnavailable(ProxyError):
    """Events could not be made durable, or the outbox could not be read.

    The caller counts the loss and goes on serving: the outbox reopens its store by itself, so a later
    attempt may work.
    """

    retryable = True


class OutboxFull(OutboxUnavailable):
    """Under the disk cap there was no room for some records, and nothing of less worth to drop.

    Args:
        message: what happened.
        refused: ids of the records that were not kept; the rest of the same commit is durable.
    """

    def __init__(self, message: str, refused: frozenset[str]) -> None:
        super().__init__(message)
        self.refused = refused


class PeerError(ProxyError):
    """The far end of a connection that we opened failed us.

    Args:
        message: what happened, for the log: never shown to visitors.
        source: whose server it is.
    """

    status = 502

    def __init__(self, message: str, source: Source) -> None:
        super().__init__(message)
        self.source = source


class ConnectFailed(PeerError):
    """Refused, unreachable, unknown host, or TLS failed. Nothing was sent."""

    retryable = True


class PoolTimeout(PeerError):
    """Every connection is busy and none became free in time. Nothing was sent."""

    retryable = True
    status = 504


class ResponseTimeout(PeerError):
    """The response, or its next bytes, did not come in time. It may have been acted on."""

    status = 504


class ConnectionLost(PeerError):
    """The connection ended before the message did. It may have been acted on."""


class MalformedResponse(PeerError):
    """Not HTTP/1.1 as RFC 9112 has it, or beyond a limit; the connection is closed."""


class UnexpectedAnswer(PeerError):
    """Well-formed HTTP that is not what the API guide promises.

    Args:
        message: what happened.
        source: whose server it is.
        answered: the HTTP status that came.
        retry_after: seconds that the server asks us to wait, if it does (RFC 9110, 10.2.3).
    """

    def __init__(self, message: str, source: Source, answered: int, retry_after: float | None = None) -> None:
        super().__init__(message, source)
        self.answered = answered
        self.retry_after = retry_after
