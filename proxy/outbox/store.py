"""What a store must do. The contract tests in ``tests/outbox/`` hold every store to it.

Everything is synchronous: a store belongs to the one thread that uses it. ``outbox.py`` runs one in a
writer thread, so that the event loop never waits for a disk or a database.

**Lanes.** The records of one visitor form a lane, ordered by ``created``. Only the oldest living record
of a lane (its head) can be claimed, and a claimed lane yields nothing until it is settled or the claim
runs out, even if its head is withdrawn meanwhile. That is the whole of "order kept per visitor" and
"one bad visitor blocks no other". A claim need not be durable: after a crash, what was in flight is sent
again anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from proxy.outbox.records import Added, Claims, Held, Losses, Outcome, Priority, State, Status


class Store(Protocol):
    """A durable place for records. Every method but ``close`` is called inside ``transaction()``.

    All of them raise ``OutboxUnavailable`` when the disk or the database fails; the transaction is then
    rolled back, and the store is closed by its owner.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside is durable together when the block ends without an exception."""

    def add(self, held: Sequence[Held]) -> Added:
        """Keep these. An id that is there already stays as it is.

        Where the cap leaves no room, records of the same or less worth are dropped first, dead letters
        before living ones and old before new; claimed lanes and leased records are left alone.
        """

    def remove(self, ids: Iterable[str]) -> None:
        """Forget these, whatever their state; unknown ids are no error."""

    def reschedule(self, ids: Iterable[str], due: float) -> None:
        """Let these be sent from ``due`` (Unix seconds) on."""

    def claim(self, now: float, limit: int, until: float) -> Claims:
        """The heads of up to ``limit`` free lanes that are due, oldest due first; theirs until ``until``."""

    def settle(self, outcomes: Sequence[Outcome], now: float) -> Losses:
        """Write down what became of claimed records and free their lanes.

        Returns what fell off the end of the bounded dead letters.
        """

    def expire(self, now: float, ages: Mapping[Priority, float]) -> Losses:
        """Drop what is older than its priority's age (a bounded number a call), give space back."""

    def status(self, now: float) -> Status:
        """Where this store stands."""

    def read(self, state: State | None, limit: int) -> list[Held]:
        """The oldest records in this state, or in any."""

    def replay(self, ids: Sequence[str] | None, now: float) -> int:
        """Make these dead letters (None: all) due at ``now``, with their attempts forgotten."""

    def drop(self, ids: Sequence[str] | None, state: State | None) -> int:
        """Forget these (None: all) that are in this state (None: any); returns how many."""

    def forget(self, visitor: str) -> int:
        """Erase a visitor, in every state, leaving no trace on the disk; returns how many records."""

    def close(self) -> None:
        """Let go of the file or connection. Raises nothing."""


S = TypeVar("S", bound=Store)


class Stores(Protocol[S]):
    """Where stores are found: a folder with one file per worker, or one shared database."""

    def mine(self) -> S:
        """Open the store that this worker writes to, the same one at every call."""

    def orphaned(self) -> list[S]:
        """Open the stores whose worker died, each now this worker's alone."""

    def retire(self, store: S) -> None:
        """Close an orphaned store; delete it if nothing is left in it."""

    def every(self) -> list[S]:
        """Open every store, for the operator, beside the workers that are using them."""

    def release(self) -> None:
        """Let others have what this worker owned."""
