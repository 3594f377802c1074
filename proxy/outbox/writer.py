"""The thread that owns the store: the event loop hands it work and never waits for the disk.

Group commit: while one transaction waits for its fsync, work piles up; the next transaction takes all
of it. Under load many commits share one fsync, and a lone commit waits for nothing but its own. A
commit therefore waits for the transaction under way and its own: no timer is needed to keep it short.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import structlog

from proxy.errors import OutboxUnavailable
from proxy.outbox.records import Added

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.outbox.records import Held, Losses, Outcome
    from proxy.outbox.store import Store

QUEUE_BYTES: Final = 32 * 1024**2
"""Bodies waiting for the writer, in bytes. At 1,000 events a second of 1 KB that is half a minute of a
disk that hangs; after that commits fail at once and the loss is counted."""

JOB_OVERHEAD: Final = 1024
"""What a waiting job takes in memory beside its bodies, roughly."""

BATCH: Final = 500
"""Jobs of one transaction at most. At some 20 µs each that bounds it to about ten milliseconds."""

REOPEN_PAUSE: Final = 1.0
"""Seconds after a failure before the store is opened again: in between, work fails at once."""

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Job(Generic[T]):
    """Work for the store, and the future that its result goes to."""

    __slots__ = ("cost", "future")

    def __init__(self, future: asyncio.Future[T], cost: int = 0) -> None:
        self.future = future
        self.cost = cost + JOB_OVERHEAD


class Add(Job["Added"]):
    """Keep records; the result says which of these found no room."""

    __slots__ = ("held",)

    def __init__(self, future: asyncio.Future[Added], held: Sequence[Held]) -> None:
        super().__init__(future, sum(len(one.record.body) + JOB_OVERHEAD for one in held))
        self.held = held


class Remove(Job[None]):
    """Forget records."""

    __slots__ = ("ids",)

    def __init__(self, future: asyncio.Future[None], ids: Sequence[str]) -> None:
        super().__init__(future)
        self.ids = ids


class Settle(Job["Losses"]):
    """Write down outcomes."""

    __slots__ = ("now", "outcomes")

    def __init__(self, future: asyncio.Future[Losses], outcomes: Sequence[Outcome], now: float) -> None:
        super().__init__(future)
        self.outcomes = outcomes
        self.now = now


class Call(Job[Any]):
    """Anything else that a store can do."""

    __slots__ = ("work",)

    def __init__(self, future: asyncio.Future[Any], work: Callable[[Store], Any]) -> None:
        super().__init__(future)
        self.work = work


class Writer:
    """Owns the thread, and the store in it.

    A failure of the store fails the jobs of that transaction, closes the store and opens it anew for
    later jobs, so a disk that heals needs no restart.

    Args:
        open_store: opens the store; called in the thread.
        reopen_pause: seconds to wait between two attempts to open it.
    """

    def __init__(self, open_store: Callable[[], Store], *, reopen_pause: float = REOPEN_PAUSE) -> None:
        self._open_store = open_store
        self._reopen_pause = reopen_pause
        self._store: Store | None = None
        self._reopen_at = 0.0
        self._jobs: queue.SimpleQueue[Job[Any] | None] = queue.SimpleQueue()
        self._waiting = 0  # bytes; touched by the event loop only
        self._closed = False
        self._loop = asyncio.get_running_loop()
        # A daemon: nothing that was acknowledged depends on its ending in order.
        self._thread = threading.Thread(target=self._run, name="outbox-writer", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether nothing waits for the thread or for its answer."""
        return self._waiting == 0

    def submit(self, job: Job[T]) -> asyncio.Future[T]:
        """Hand work over; the future is the job's. Cancelling it does not take the work back.

        Raises:
            OutboxUnavailable: the writer is closed, or too far behind.
        """
        if self._closed:
            raise OutboxUnavailable("the outbox is closed")
        if self._waiting + job.cost > QUEUE_BYTES:
            raise OutboxUnavailable("the outbox's writer is too far behind")
        self._waiting += job.cost
        self._jobs.put(job)
        return job.future

    async def aclose(self) -> None:
        """Finish what was submitted, close the store, end the thread."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await self._loop.run_in_executor(None, self._thread.join)

    def _run(self) -> None:
        more = True
        while more:
            first = self._jobs.get()
            if first is None:
                break
            batch, more = self._gather(first)
            answers = self._transact(batch)
            try:
                self._loop.call_soon_threadsafe(self._answer, answers)
            except RuntimeError:  # the loop was closed under us: nobody is left to answer
                break
        if self._store is not None:
            self._store.close()

    def _gather(self, first: Job[Any]) -> tuple[list[Job[Any]], bool]:
        batch = [first]
        while len(batch) < BATCH:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return batch, False
            batch.append(job)
        return batch, True

    def _transact(self, batch: list[Job[Any]]) -> list[tuple[Job[Any], Any]]:
        """Do the batch in one transaction; each job with its result or its exception."""
        try:
            store = self._open()
            with store.transaction():
                return _apply(store, batch)
        except OutboxUnavailable as error:
            self._discard()
            # One each: an exception that many tasks raise would gather all their tracebacks.
            return [(job, OutboxUnavailable(str(error))) for job in batch]
        except Exception as error:  # noqa: BLE001 -- a bug in one job may neither end the thread nor surprise a page
            with suppress(Exception):  # nor a log: in a shop's process it may be the shop's own
                _log.exception("outbox_writer_failed")
            self._discard()
            return [(job, OutboxUnavailable(f"{type(error).__name__}: {error}")) for job in batch]

    def _open(self) -> Store:
        if self._store is None:
            if time.monotonic() < self._reopen_at:
                raise OutboxUnavailable("the outbox failed a moment ago and is not open again yet")
            # Set first, so that a failure to open counts as a failure.
            self._reopen_at = time.monotonic() + self._reopen_pause
            self._store = self._open_store()
        return self._store

    def _discard(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
            self._reopen_at = time.monotonic() + self._reopen_pause

    def _answer(self, answers: list[tuple[Job[Any], Any]]) -> None:
        for job, answer in answers:
            self._waiting -= job.cost
            if job.future.done():  # cancelled: its caller went away
                continue
            if isinstance(answer, BaseException):
                job.future.set_exception(answer)
            else:
                job.future.set_result(answer)


def _apply(store: Store, batch: list[Job[Any]]) -> list[tuple[Job[Any], Any]]:
    """Additions first, all in one go, then withdrawals, outcomes and the rest.

    Nobody withdraws before adding, so this order is as good as that of arrival, and cheaper.
    """
    adds = [job for job in batch if isinstance(job, Add)]
    removes = [job for job in batch if isinstance(job, Remove)]
    settles = [job for job in batch if isinstance(job, Settle)]
    calls = [job for job in batch if isinstance(job, Call)]
    answers: list[tuple[Job[Any], Any]] = []
    if adds:
        added = store.add([held for job in adds for held in job.held])
        for job in adds:
            ids = {held.record.id for held in job.held}
            answers.append((job, Added(added.refused & ids, added.dropped)))
            added.dropped = Counter()  # told once
    if removes:
        store.remove([id_ for job in removes for id_ in job.ids])
        answers += [(job, None) for job in removes]
    if settles:
        outcomes = [outcome for job in settles for outcome in job.outcomes]
        dropped = store.settle(outcomes, max(job.now for job in settles))
        for settle in settles:
            answers.append((settle, dropped))
            dropped = Counter()
    answers += [(job, job.work(store)) for job in calls]
    return answers
