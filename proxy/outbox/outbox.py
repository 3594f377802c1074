"""The outbox as the rest of the program sees it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias, TypeVar

import structlog

from proxy.errors import OutboxFull, OutboxUnavailable
from proxy.outbox.records import MAX_AGES, Added, Again, Held, Priority, Record, Sent
from proxy.outbox.writer import Add, Call, Remove, Settle, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    from proxy.outbox.records import Claims, Losses, Outcome, State, Status
    from proxy.outbox.store import Store, Stores

ADOPTION: Final = 500
"""Records moved from an orphaned store in one transaction: milliseconds that commits wait behind."""

ADOPTION_QUIET: Final = 0.01
"""Seconds between two such moves: the dead worker's backlog must not delay the living one's pages."""

Event = Literal[
    "committed",  # durable here
    "withdrawn",  # its answer came after all
    "adopted",  # taken over from a dead worker
    "sent",  # acknowledged to the relay
    "retried",  # an attempt failed; it will be sent again
    "dead",  # the vendor will never take it
    "dropped_disk",  # made room for something of more worth
    "dropped_age",
    "dropped_dead",  # fell off the end of the dead letters
    "refused",  # found no room: lost
    "unavailable",  # the store failed: lost
]

Tally: TypeAlias = Counter[tuple[Event, Priority | None]]
"""How often what happened, by priority (None: not known): a bounded vocabulary, for metrics."""

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Outbox:
    """Keeps events that the vendor has not acknowledged, on disk, until it has.

    ``commit`` and ``withdraw`` are for the page path; ``claim`` and ``settle`` for the relay; the rest
    for operators. Use it as an asynchronous context manager; every method raises ``OutboxUnavailable``
    when the disk fails, and works again when the disk does.

    Args:
        stores: where the stores are.
        clock: Unix seconds.
    """

    def __init__(self, stores: Stores[Any], *, clock: Callable[[], float] = time.time) -> None:
        self._stores = stores
        self._clock = clock
        self._writer: Writer | None = None
        self.tally: Tally = Counter()
        """What happened since the start. Touched by the event loop only."""
        self.changed = asyncio.Event()
        """Set when there may be something new to claim; whoever waits for it clears it first."""

    async def __aenter__(self) -> Self:
        """Open the store. If the disk fails now, it is tried again later, as it is at any time."""
        self._writer = Writer(self._stores.mine)
        try:
            await self._call(lambda _: None)
        except OutboxUnavailable as error:
            _log.warning("outbox_unavailable", error=str(error))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Finish what was submitted and let go of the store. Later calls raise ``OutboxUnavailable``."""
        if self._writer is not None:
            await self._writer.aclose()
            self._writer = None
            self._stores.release()

    @property
    def idle(self) -> bool:
        """Whether nothing waits for the disk."""
        return self._writer is None or self._writer.idle

    async def commit(self, records: Sequence[Record], *, lease: float | None = None) -> None:
        """Make records durable: when this returns, they survive ``kill -9`` and power loss.

        Cancelling it does not take the records back: they may have become durable.

        Args:
            records: what the vendor has not acknowledged.
            lease: seconds during which the relay leaves them alone, because their call is still in
                flight. ``withdraw`` them when it is answered, ``release`` them when it fails.

        Raises:
            OutboxFull: some records found no room; the error names them, the rest is durable.
            OutboxUnavailable: nothing was made durable, as far as is known.
        """
        if not records:
            return
        due = self._clock() + (lease or 0.0)
        future: asyncio.Future[Added] = asyncio.get_running_loop().create_future()
        future.add_done_callback(partial(self._committed, records))
        try:
            self._open_writer().submit(Add(future, [Held(record, due) for record in records]))
        except OutboxUnavailable as error:
            future.set_exception(error)
        # Shielded, so that what becomes of it is counted even if its page is cancelled meanwhile.
        added = await asyncio.shield(future)
        if added.refused:
            raise OutboxFull(f"no room for {len(added.refused)} records", frozenset(added.refused))

    def _committed(self, records: Sequence[Record], future: asyncio.Future[Added]) -> None:
        if future.cancelled():
            return
        if future.exception() is not None:
            self._count("unavailable", records)
            return
        added = future.result()
        self._count("refused", (record for record in records if record.id in added.refused))
        self._count("committed", (record for record in records if record.id not in added.refused))
        self._lost("dropped_disk", added.dropped)
        self.changed.set()

    async def withdraw(self, ids: Iterable[str]) -> None:
        """Forget these: their answers arrived. Unknown ids are no error."""
        wanted = list(ids)
        if not wanted:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open_writer().submit(Remove(future, wanted))
        await asyncio.shield(future)
        self.tally["withdrawn", None] += len(wanted)
        self.changed.set()

    async def release(self, ids: Iterable[str]) -> None:
        """End these records' lease: their calls failed, the relay may send them now."""
        wanted = list(ids)
        if wanted:
            now = self._clock()
            await self._call(lambda store: store.reschedule(wanted, now))
            self.changed.set()

    async def claim(self, limit: int, seconds: float) -> Claims:
        """Up to ``limit`` records that may be sent now, at most one a visitor, ours for ``seconds``."""
        now = self._clock()
        claims: Claims = await self._call(lambda store: store.claim(now, limit, now + seconds))
        return claims

    async def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Write down what became of claimed records."""
        future: asyncio.Future[Losses] = asyncio.get_running_loop().create_future()
        self._open_writer().submit(Settle(future, outcomes, self._clock()))
        dropped = await asyncio.shield(future)
        for outcome in outcomes:
            match outcome:
                case Sent(record):
                    self.tally["sent", record.priority] += 1
                case Again(record, _, _, attempted):
                    self.tally["retried", record.priority] += attempted
                case _:
                    self.tally["dead", outcome.record.priority] += 1
        self._lost("dropped_dead", dropped)
        self.changed.set()

    async def expire(self, ages: Mapping[Priority, float] = MAX_AGES) -> None:
        """Drop what is too old (seconds by priority) and give space back to the file system."""
        now = self._clock()
        self._lost("dropped_age", await self._call(lambda store: store.expire(now, ages)))

    async def adopt(self) -> int:
        """Move what dead workers left into this worker's store; how many records came.

        A record is durable here before it is removed there. A crash in between leaves at most one
        batch in both; its ids are the same, so it is merged, or sent twice if it was sent meanwhile.
        """
        await self._call(lambda _: None)  # our own store is open: no orphan is mistaken for it
        moved = 0
        for orphan in await _in_thread(self._stores.orphaned):
            try:
                moved += await self._adopt(orphan)
            finally:
                await _in_thread(partial(self._stores.retire, orphan))
        return moved

    async def _adopt(self, orphan: Store) -> int:
        def remove(ids: Iterable[str]) -> None:
            with orphan.transaction():
                orphan.remove(ids)

        def read() -> list[Held]:
            with orphan.transaction():
                return orphan.read(None, ADOPTION)

        moved = 0
        while batch := await _in_thread(read):
            future: asyncio.Future[Added] = asyncio.get_running_loop().create_future()
            self._open_writer().submit(Add(future, batch))
            added = await asyncio.shield(future)
            self._lost("dropped_disk", added.dropped)
            kept = [held.record for held in batch if held.record.id not in added.refused]
            await _in_thread(partial(remove, [record.id for record in kept]))
            self._count("adopted", kept)
            self.changed.set()
            moved += len(kept)
            if added.refused:  # full: the rest is safe where it is, until there is room
                break
            await asyncio.sleep(ADOPTION_QUIET)
        return moved

    async def status(self) -> Status | None:
        """Where the whole outbox stands, all workers together; None while no store exists."""
        now = self._clock()
        found = await self._everywhere(lambda store: store.status(now))
        if not found:
            return None
        total = found[0]
        for other in found[1:]:
            for name, count in other.waiting.items():
                total.waiting[name] += count
            total.leased += other.leased
            total.dead += other.dead
            total.oldest = min((age for age in (total.oldest, other.oldest) if age is not None), default=None)
            total.used_bytes += other.used_bytes
            total.max_bytes += other.max_bytes
            total.stores += other.stores
        return total

    async def list(self, state: State | None = None, limit: int = 100) -> Sequence[Held]:
        """The oldest records in this state (None: in any), all workers together."""
        found = await self._everywhere(lambda store: store.read(state, limit))
        together = sorted((held for part in found for held in part), key=lambda held: held.record.created)
        return together[:limit]

    async def replay(self, ids: Sequence[str] | None = None) -> int:
        """Send these dead letters (None: all) again; how many there were."""
        now = self._clock()
        count = sum(await self._everywhere(lambda store: store.replay(ids, now)))
        self.changed.set()
        return count

    async def drop(self, ids: Sequence[str] | None = None, state: State | None = None) -> int:
        """Throw these away (None: all in that state); how many there were."""
        return sum(await self._everywhere(lambda store: store.drop(ids, state)))

    async def forget(self, visitor: str) -> int:
        """Erase a visitor, dead letters included, in every worker's store; how many records."""
        return sum(await self._everywhere(lambda store: store.forget(visitor)))

    async def _everywhere(self, work: Callable[[Store], T]) -> Sequence[T]:
        """Do it in every store there is, one after the other, through connections of their own."""

        def run() -> list[T]:
            results = []
            with ExitStack() as stack:
                opened = self._stores.every()
                for store in opened:
                    stack.callback(store.close)
                for store in opened:
                    with store.transaction():
                        results.append(work(store))
            return results

        return await _in_thread(run)

    async def _call(self, work: Callable[[Store], Any]) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._open_writer().submit(Call(future, work))
        return await asyncio.shield(future)

    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise OutboxUnavailable("the outbox is closed")
        return self._writer

    def _count(self, event: Event, records: Iterable[Record]) -> None:
        for record in records:
            self.tally[event, record.priority] += 1

    def _lost(self, event: Event, losses: Losses) -> None:
        for priority, count in losses.items():
            self.tally[event, priority] += count


async def _in_thread(work: Callable[[], T]) -> T:
    """Run it in a thread; when cancelled, wait for it, so that nobody closes a store under it."""
    future = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise
