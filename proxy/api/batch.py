"""``client.batch``: any number of items, in batches, with a result for each, in the order of the items.

A run reads its items as it sends them and remembers none, so that a million rows need no more memory
than a few batches. It goes on when a batch fails: its items are told why. It ends with an error where
going on makes no sense: the key isn't accepted, or the URL isn't the API's.
"""

from __future__ import annotations

import asyncio
import warnings
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from msgspec import Struct

from proxy.api.chunks import Chunk, Chunker, ItemResult, Job
from proxy.api.errors import ApiError, Elsewhere, InvalidInput, NotFound, Unauthorized, Untrusted
from proxy.api.items import Item, KindName, kind_of

if TYPE_CHECKING:
    from proxy.api.transport import AsyncTransport, SyncTransport

CONCURRENCY: Final = 4
"""Batches under way at once: enough that neither end waits for the network, few enough to be polite."""

MAX_CONCURRENCY: Final = 64
"""Batches under way at once, however many are asked for: each may hold 5 MiB."""

HOPELESS: Final = (Unauthorized, NotFound, Elsewhere, Untrusted)
"""What every further batch would be told, too."""

Sendable = Item | Mapping[str, Any] | str | tuple[str, ...]
"""An item; of what is deleted or cancelled also its id, or a product's two ids."""

SourceT = TypeVar("SourceT")
RunT = TypeVar("RunT")


class BatchResult(Struct, frozen=True):
    """A run as a whole.

    Attributes:
        job: what was done.
        total: items that were given.
        failed: those that were not done, each with its reason; `Batch.retry` sends them again.
    """

    job: Job
    total: int
    failed: list[ItemResult]

    @property
    def done(self) -> int:
        """Items that were done."""
        return self.total - len(self.failed)


class _Run:
    """What both kinds of run share.

    Args:
        job: what is done with each item.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._begun = False

    def _begin(self) -> None:
        if self._begun:
            raise RuntimeError("a run is a stream: it can be iterated once")
        self._begun = True

    def __del__(self) -> None:
        if not self._begun:
            name = f"batch.{self._job.verb} of {self._job.kind.name}"
            warnings.warn(f"{name} was never iterated: nothing was sent", RuntimeWarning, stacklevel=2)


class AsyncRun(_Run):
    """A run of `DataCueClient`: ``async for result in run``, or ``await run`` for a `BatchResult`.

    Args:
        transport: sends the batches. job: what is done with each item. items: each with its index.
        concurrency: batches under way at once.
    """

    def __init__(
        self, transport: AsyncTransport, job: Job, items: AsyncIterator[tuple[int, Any]], concurrency: int
    ) -> None:
        super().__init__(job)
        self._transport = transport
        self._items = items
        self._concurrency = concurrency

    def __aiter__(self) -> AsyncIterator[ItemResult]:
        self._begin()
        return self._results()

    def __await__(self) -> Generator[Any, None, BatchResult]:
        return self._collect().__await__()

    async def _collect(self) -> BatchResult:
        collected = _Collected(self._job)
        async for result in self:
            collected.add(result)
        return collected.result()

    async def _results(self) -> AsyncIterator[ItemResult]:
        """Keeps some batches under way, and gives their results in the items' order."""
        loop = asyncio.get_running_loop()
        window: deque[asyncio.Task[list[ItemResult]]] = deque()
        chunks = self._chunks()
        broken: Exception | None = None
        ended = False
        try:
            while window or not ended:
                while len(window) < self._concurrency and not ended:
                    try:
                        window.append(loop.create_task(self._send(await anext(chunks))))
                    except StopAsyncIteration:
                        ended = True
                    except Exception as error:  # noqa: BLE001  whatever the items' source raises, after what was sent
                        broken, ended = error, True
                if window:
                    for result in await window.popleft():
                        yield result
        finally:
            for task in window:
                task.cancel()
            await asyncio.gather(*window, return_exceptions=True)
            await chunks.aclose()
        if broken is not None:
            raise broken

    async def _chunks(self) -> AsyncGenerator[Chunk, None]:
        chunker = Chunker(self._job)
        async for index, item in self._items:
            if (full := chunker.add(index, item)) is not None:
                yield full
        if (last := chunker.flush()) is not None:
            yield last

    async def _send(self, chunk: Chunk) -> list[ItemResult]:
        return chunk.whole(await self._sent(chunk))

    async def _sent(self, chunk: Chunk) -> list[ItemResult]:
        if not chunk.items:
            return []
        try:
            return await self._transport.send(chunk.call())
        except HOPELESS:
            raise
        except ApiError as error:
            halves = chunk.smaller(error)
            if not halves:
                return chunk.all_failed(error)
        return [result for half in halves for result in await self._sent(half)]


class Run(_Run):
    """A run of `SyncDataCueClient`: ``for result in run``, or ``run.collect()`` for a `BatchResult`.

    Args:
        transport: sends the batches, one after the other. job: what is done with each item.
        items: each with its index.
    """

    def __init__(self, transport: SyncTransport, job: Job, items: Iterator[tuple[int, Any]]) -> None:
        super().__init__(job)
        self._transport = transport
        self._items = items

    def __iter__(self) -> Iterator[ItemResult]:
        self._begin()
        return self._results()

    def collect(self) -> BatchResult:
        """Sends everything, and keeps what failed."""
        collected = _Collected(self._job)
        for result in self:
            collected.add(result)
        return collected.result()

    def _results(self) -> Iterator[ItemResult]:
        chunker = Chunker(self._job)
        for index, item in self._items:
            if (full := chunker.add(index, item)) is not None:
                yield from full.whole(self._sent(full))
        if (last := chunker.flush()) is not None:
            yield from last.whole(self._sent(last))

    def _sent(self, chunk: Chunk) -> list[ItemResult]:
        if not chunk.items:
            return []
        try:
            return self._transport.send(chunk.call())
        except HOPELESS:
            raise
        except ApiError as error:
            halves = chunk.smaller(error)
            if not halves:
                return chunk.all_failed(error)
        return [result for half in halves for result in self._sent(half)]


class _Collected:
    """Counts results, and keeps those that failed."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._total = 0
        self._failed: list[ItemResult] = []

    def add(self, result: ItemResult) -> None:
        self._total += 1
        if not result.ok:
            self._failed.append(result)

    def result(self) -> BatchResult:
        return BatchResult(self._job, self._total, self._failed)


class Batch(ABC, Generic[SourceT, RunT]):
    """``client.batch``. Nothing is sent before the run is iterated.

    Items may be instances, dicts or a mix of them. An item that can't be sent fails by itself, before
    anything is sent of it; so does one that the vendor refuses.
    """

    def create(self, kind: KindName, items: SourceT) -> RunT:
        """Creates or replaces."""
        return self._run(Job.of("create", kind_of(kind)), items)

    def update(self, kind: KindName, items: SourceT) -> RunT:
        """Changes the fields that are given. Orders can't be updated (guide, "Batch Update")."""
        return self._run(Job.of("update", kind_of(kind)), items)

    def delete(self, kind: KindName, items: SourceT) -> RunT:
        """Deletes by ids: bare, of products also ``(product_id, variant_id)``, or whole items."""
        return self._run(Job.of("delete", kind_of(kind)), items)

    def cancel(self, orders: SourceT) -> RunT:
        """Marks orders as cancelled, by ids or whole orders (guide, "Batch Delete … or Cancel Orders")."""
        return self._run(Job.of("cancel", kind_of("orders")), orders)

    def retry(self, result: BatchResult) -> RunT:
        """Does once more what failed, as it was given; results keep their index."""
        return self._run_numbered(result.job, [(failed.index, failed.item) for failed in result.failed])

    @abstractmethod
    def _run(self, job: Job, items: SourceT) -> RunT: ...

    @abstractmethod
    def _run_numbered(self, job: Job, items: Iterable[tuple[int, Any]]) -> RunT: ...


Items = Iterable[Sendable]
AnyItems = Iterable[Sendable] | AsyncIterable[Sendable]


class AsyncBatch(Batch[AnyItems, AsyncRun]):
    """``DataCueClient.batch``: takes iterables of both kinds.

    Args:
        transport: sends the batches. concurrency: so many of a run at once.
    """

    def __init__(self, transport: AsyncTransport, concurrency: int) -> None:
        if not 1 <= concurrency <= MAX_CONCURRENCY:
            raise InvalidInput("concurrency", f"expected 1 to {MAX_CONCURRENCY}, got {concurrency}")
        self._transport = transport
        self._concurrency = concurrency

    def _run(self, job: Job, items: AnyItems) -> AsyncRun:
        several(items, Iterable, AsyncIterable)
        return AsyncRun(self._transport, job, _numbered(items), self._concurrency)

    def _run_numbered(self, job: Job, items: Iterable[tuple[int, Any]]) -> AsyncRun:
        return AsyncRun(self._transport, job, _each(items), self._concurrency)


class SyncBatch(Batch[Items, Run]):
    """``SyncDataCueClient.batch``: one batch after the other.

    Args:
        transport: sends the batches.
    """

    def __init__(self, transport: SyncTransport) -> None:
        self._transport = transport

    def _run(self, job: Job, items: Items) -> Run:
        several(items, Iterable)
        return Run(self._transport, job, enumerate(items))

    def _run_numbered(self, job: Job, items: Iterable[tuple[int, Any]]) -> Run:
        return Run(self._transport, job, iter(items))


def several(items: object, *kinds: type) -> None:
    """Refuses a single item where many are expected: a dict is iterable, but means its keys.

    Raises:
        InvalidInput: it isn't many.
    """
    if isinstance(items, Mapping | str | bytes) or not isinstance(items, kinds):
        raise InvalidInput("items", f"expected an iterable of items, got {type(items).__name__}")


async def _numbered(items: AnyItems) -> AsyncIterator[tuple[int, Any]]:
    if isinstance(items, AsyncIterable):
        index = 0
        async for item in items:
            yield index, item
            index += 1
    else:
        for numbered in enumerate(items):
            yield numbered


async def _each(items: Iterable[tuple[int, Any]]) -> AsyncIterator[tuple[int, Any]]:
    for item in items:
        yield item
