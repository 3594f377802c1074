"""A response that passes by goes from socket to socket: no task, no messages, no body of ours.

Most of what a shop is asked for has nothing to do with us: pictures, scripts, bots' visits. Such an exchange
hangs between two connections: what the shop's says is written to the visitor's in the same turn of the loop.
Policy is the very same as ``upstream.py``'s (see ``forwarding.py``). What needs more than that (a connection
to be opened, one that turned out dead, a shop that speaks to us) is handed to the app, from the start or from
where it is.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from proxy.edge import InvalidResponse, Reply
from proxy.errors import ConnectionLost, PeerError
from proxy.headers import from_shop

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from proxy.edge import Connection, Head
    from proxy.forwarding import Forwarding
    from proxy.headers import Client, Headers
    from proxy.http1 import Inflow, Response, ResponseHead, Tunnel

_logger = logging.getLogger(__name__)


class Passing(Protocol):
    """What is said about an answer that passes."""

    def silent(self, headers: Headers) -> bool:
        """Whether the shop says nothing to us alone."""
        ...

    @property
    def outcome(self) -> bytes | None:
        """What we add: the value of ``X-DataCue``, for trusted callers."""
        ...

    def count(self) -> None:
        """Counts the page."""
        ...

    def told(self, headers: Headers) -> Headers:
        """Counts the page, and gives the fields with what we add."""
        ...


class Relay(Reply):
    """One exchange between a visitor's connection and one of the shop's.

    Args:
        forwarding: policy, connections, figures.
        head: of a bare request.
        connection: to the visitor.
        passing: see ``Passing``.
        rest: makes the app that takes over an answer whose head has come.
    """

    __slots__ = ("_began", "_chunks", "_forwarding", "_inflow", "_passing", "_rest")

    def __init__(
        self,
        forwarding: Forwarding,
        head: Head,
        connection: Connection,
        passing: Passing,
        rest: Callable[[Response], ASGIApp],
    ) -> None:
        super().__init__(connection, head, expects_body=False)
        self._forwarding = forwarding
        self._passing = passing
        self._rest = rest
        self._chunks: list[bytes] = []
        self._inflow: Inflow | None = None
        self._began = 0.0

    def begun(self, client: Client) -> bool:
        """Asks the shop; False where no connection is at hand."""
        forwarding, head = self._forwarding, self._head
        message = forwarding.message(head, self._connection.peer, client)
        self._began = forwarding.clock()
        self._inflow = forwarding.pool.send_now(message, self, idempotent=True)
        return self._inflow is not None

    # What the visitor's connection tells

    def disconnect(self) -> None:
        """The visitor is gone: the shop need not go on."""
        super().disconnect()
        inflow, self._inflow = self._inflow, None
        if inflow is not None:
            self._forwarding.client_gone()
            inflow.close()

    def writable(self) -> None:
        """The visitor has caught up."""
        if self._inflow is not None:
            self._inflow.resume()

    # What the shop's connection tells: see http1.Receiver

    def informed(self, head: ResponseHead) -> None:
        """A 1xx response: dropped, as the app drops it."""

    def begin(self, head: ResponseHead, chunks: list[bytes], inflow: Inflow) -> None:
        """The shop's answer begins."""
        forwarding, passing = self._forwarding, self._passing
        forwarding.metrics.upstream_seconds(forwarding.clock() - self._began)
        self._chunks = chunks
        # All that the head for the visitor depends on, but for its date.
        alike = head.shape and (head.shape, passing.outcome, self._head.method, self.keep_alive)
        template = forwarding.templates.get(alike) if alike is not None else None
        if template is not None:
            passing.count()
            self.start_as(template.dated(head.date))
            return
        fields = from_shop(head.headers)
        if not passing.silent(fields):
            self._hand_on(head, chunks, inflow)
            return
        try:
            self.start(head.status, passing.told(fields))
        except InvalidResponse as error:
            self._give_up(error)
            return
        if alike is not None and (template := self.template(head.date)) is not None:
            forwarding.templates.keep(alike, template)

    def _hand_on(self, head: ResponseHead, chunks: list[bytes], inflow: Inflow) -> None:
        """Has the app go on from here."""
        self._inflow = None
        response = self._forwarding.pool.awaited()
        inflow.hand_to(response)
        response.begin(head, chunks, inflow)
        self._connection.hand_over(self._head, self._rest(response))

    def arrived(self, size: int) -> None:
        """More of its body is here, or the head alone."""
        if not size:
            self.flush()
            return
        self._send(more=True)
        if self._inflow is not None and self._connection.write_paused():
            self._inflow.pause()

    def end(self, trailers: Headers, *, keep_inflow: bool) -> None:
        """The answer is whole; its trailers are dropped, as the app drops them."""
        del trailers, keep_inflow
        self._inflow = None
        self._send(more=False)

    def switched(self, tunnel: Tunnel) -> None:
        """Never without asking for it, and a bare request doesn't."""
        raise NotImplementedError

    def fail(self, error: BaseException, *, discard: bool) -> None:
        """The shop failed before its answer, or in the middle of it."""
        del discard  # nothing is kept here
        inflow, self._inflow = self._inflow, None
        if inflow is None:
            return  # we have closed it ourselves
        assert isinstance(error, PeerError)  # all else comes from uploads
        if self.started:
            self._forwarding.broken_off(error)
            self.abandon()
        elif inflow.was_stale and isinstance(error, ConnectionLost):
            # It was closed while it was idle; nobody has seen the request (RFC 9112, 9.3.1).
            self._connection.hand_over(self._head)
        else:
            status, headers, page = self._forwarding.unanswered(error)
            self.start(status, self._passing.told(headers))
            self.content(page, more=False)

    def _send(self, *, more: bool) -> None:
        chunks = self._chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        try:
            self.content(data, more=more)
        except InvalidResponse as error:
            self._give_up(error)

    def _give_up(self, error: InvalidResponse) -> None:
        """What we would send is no response: a bug of ours, and never a whole answer."""
        _logger.error("a relayed answer can't be sent", exc_info=error)
        inflow, self._inflow = self._inflow, None
        self.abandon()
        if inflow is not None:
            inflow.close()
