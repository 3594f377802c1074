"""What the page path and the relay do with the outbox: events become records, records are sent.

The page path commits what was not acknowledged when a page's last byte leaves; the relay sends it
later, with the time at which it happened (guide, "Timestamp").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from proxy.errors import OutboxUnavailable, UnexpectedAnswer
from proxy.events import encode
from proxy.outbox import Priority, Record

if TYPE_CHECKING:
    from proxy.metrics import Metrics
    from proxy.outbox import Outbox
    from proxy.personalize import Pending
    from proxy.vendor import EventsClient, RestClient

PRIORITIES: dict[str, Priority] = {
    "checkout": Priority.PURCHASE,
    "cart": Priority.CART,
    "login": Priority.IDENTITY,
    "wishlist": Priority.IDENTITY,
    "click": Priority.CLICK,
    "pageview": Priority.VIEW,
    "search": Priority.VIEW,
}
"""Event type → what is dropped last when room is short (promise 4)."""

CALLS: dict[str, Priority] = {"POST /orders": Priority.PURCHASE, "POST /users": Priority.IDENTITY}
"""REST call → the same."""


NOT_SIGNED = 400
"""The status under which a call that can't be signed is kept: never as it is."""


class OutboxKeeper:
    """The outbox, as ``personalize.Keeper``. A disk that fails costs events, never pages (promise 3)."""

    def __init__(self, outbox: Outbox, metrics: Metrics) -> None:
        self._outbox = outbox
        self._metrics = metrics

    async def keep(self, event_id: str, pending: Pending, *, lease: float | None) -> bool:
        """Commits the event; False when there was no room, or no disk."""
        if pending.target == "events":
            priority = PRIORITIES[pending.event["type"]]
            body = encode(pending.event, pending.visitor, pending.context, pending.happened)
        else:
            priority = CALLS[pending.target]
            body = msgspec.json.encode(pending.event)
        record = Record(
            id=event_id,
            visitor=pending.visitor.anonymous_id,
            priority=priority,
            created=pending.happened,
            body=body,
            target=pending.target,
        )
        try:
            await self._outbox.commit((record,), lease=lease)
        except OutboxUnavailable as error:
            self._metrics.failures(error.source, type(error).__name__)
            return False
        return True

    async def withdraw(self, event_id: str) -> None:
        """Forgets an event whose answer came after all; if that fails it is sent a second time."""
        try:
            await self._outbox.withdraw((event_id,))
        except OutboxUnavailable as error:
            self._metrics.failures(error.source, type(error).__name__)

    async def release(self, event_id: str) -> None:
        """The call failed: the relay may send the event now."""
        try:
            await self._outbox.release((event_id,))
        except OutboxUnavailable as error:
            self._metrics.failures(error.source, type(error).__name__)


class RecordSender:
    """Sends records for the relay, each where it belongs.

    Args:
        events: the events endpoint.
        rest: the REST API; None where there is no secret to sign its calls with.
    """

    def __init__(self, events: EventsClient, rest: RestClient | None = None) -> None:
        self._events = events
        self._rest = rest

    async def __call__(self, record: Record) -> None:
        """Returns when the vendor has acknowledged the record.

        Raises:
            PeerError: whose failure it is, and whether another attempt makes sense.
        """
        if record.target == "events":
            await self._events.send(record.body)
            return
        if self._rest is None:
            # A dead letter: it can be replayed once there is a secret, and holds nothing up meanwhile.
            raise UnexpectedAnswer(f"{record.target} needs an api_secret", "operator", NOT_SIGNED)
        method, _, path = record.target.partition(" ")
        await self._rest.send(method, path, record.body)
