"""The nouns of the outbox: what is kept, what became of it, and in what order it may be dropped."""

from __future__ import annotations

from collections import Counter
from enum import IntEnum
from typing import Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct, field

MAX_BODY: Final = 256 * 1024
"""Bytes of one body. The guide's largest event, a full cart, stays far below; it bounds memory."""


class Priority(IntEnum):
    """How much an event is worth to the shop. Under a cap the highest number is dropped first."""

    PURCHASE = 0
    """Orders and started checkouts: revenue, and what the recommender learns most from."""
    CART = 1
    IDENTITY = 2
    """Logins, sign-ups and wishlists."""
    CLICK = 3
    VIEW = 4
    """Page views and searches: many, and each says little."""


MAX_AGES: Final[dict[Priority, float]] = {
    Priority.PURCHASE: 30 * 86400.0,
    Priority.CART: 7 * 86400.0,
    Priority.IDENTITY: 7 * 86400.0,
    Priority.CLICK: 3 * 86400.0,
    Priority.VIEW: 3 * 86400.0,
}
"""Seconds after which an undelivered record, or a dead letter, is dropped: what a visitor looked at a
week ago says little about today, while an order stays true."""


def time_ordered_id(now: float, random: bytes) -> str:
    """A UUID that begins with the time (version 7; RFC 9562, 5.7), for the caller's id source.

    Random ids would each touch another page of the id index: 40 % more bytes to the disk.

    Args:
        now: Unix seconds.
        random: ten random bytes.
    """
    number = int.from_bytes(int(now * 1000).to_bytes(6, "big") + random[:10], "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=number))


class Record(Struct, frozen=True):
    """One event that the vendor has not acknowledged yet.

    ``id`` comes from the caller's id source (best ``time_ordered_id``) and is the same at every
    attempt. ``visitor`` is the ordering key. ``created`` is in Unix seconds. ``body`` is the exact JSON
    to send, with ``timestamp`` already in it. ``target`` is ``events``, or a REST call such as
    ``POST /orders``.
    """

    id: str
    visitor: str
    priority: Priority
    created: float
    body: bytes
    target: str = "events"


class Held(Struct, frozen=True):
    """A record as the store keeps it."""

    record: Record
    due: float = 0.0
    """Unix seconds before which it must not be sent: the end of a lease or of a back-off."""
    attempts: int = 0
    dead: bool = False
    reason: str = ""
    """Why the last attempt failed, or why it is dead."""


class Sent(Struct, frozen=True):
    """The vendor acknowledged it: forget it."""

    record: Record


class Again(Struct, frozen=True):
    """It may be sent again from ``due`` (Unix seconds) on.

    ``attempted`` is False where the failure says nothing about this record: a wrong API key.
    """

    record: Record
    due: float
    reason: str
    attempted: bool = True


class Dead(Struct, frozen=True):
    """The vendor will never take it as it is: keep it for the operator."""

    record: Record
    reason: str


Outcome: TypeAlias = Sent | Again | Dead

Losses: TypeAlias = Counter[Priority]
"""How many records were dropped, by priority."""


class Added(Struct):
    """What became of records that were to be added."""

    refused: set[str] = field(default_factory=set)
    """Ids that found no room; they were not kept."""
    dropped: Losses = field(default_factory=Counter)
    """Older records that made room."""


class Claims(Struct):
    """Records that the caller may send now, at most one a visitor."""

    held: list[Held]
    next_due: float | None
    """When the next one comes due (Unix seconds), if all that are due were claimed."""


class Status(Struct):
    """Where the outbox stands."""

    waiting: dict[str, int]
    """Undelivered records by priority name."""
    leased: int
    """Visitors whose next record is not due yet: its call is in flight, or it is backing off."""
    dead: int
    oldest: float | None
    """``created`` of the oldest undelivered record."""
    used_bytes: int
    max_bytes: int
    stores: int = 1


State = Literal["waiting", "dead"]
