"""What the page path and the relay do with the outbox: events become records, records are sent.

The page path commits what was not acknowledged when a page's last byte leaves; the relay sends it
later, with the time at which it happened (guide, "Timestamp").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.errors import OutboxUnavailable
from proxy.events import encode
from proxy.outbox import Priority, Record

if TYPE_CHECKING:
    from proxy.metrics import Metrics
    from proxy.outbox import Outbox
    from proxy.personalize import Pending
    from proxy.vendor import EventsClient

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


class OutboxKeeper:
    """The outbox, as ``personalize.Keeper``. A disk that fails costs events, never pages (promise 3)."""

    def __init__(self, outbox: Outbox, metrics: Metrics) -> None:
        self._outbox = outbox
        self._metrics = metrics

    async def keep(self, event_id: str, pending: Pending, *, lease: float | None) -> bool:
        """Commits the event; False when there was no room, or no disk."""
        record = Record(
            id=event_id,
            visitor=pending.visitor.anonymous_id,
            priority=PRIORITIES[pending.event["type"]],
            created=pending.happened,
            body=encode(pending.event, pending.visitor, pending.context, pending.happened),
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
    """Sends records for the relay."""

    def __init__(self, events: EventsClient) -> None:
        self._events = events

    async def __call__(self, record: Record) -> None:
        """Returns when the vendor has acknowledged the record.

        Raises:
            PeerError: whose failure it is, and whether another attempt makes sense.
        """
        await self._events.send(record.body)
