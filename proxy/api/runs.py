"""A run: items read, sent in batches and told of, one after the other.

It reads its items as it sends them and remembers none, so that a million rows need no more memory than
a few batches. What a failed batch means for its items is the chunk's word (``chunks.py``); the two
kinds of run differ in how they wait.
"""

from __future__ import annotations

import asyncio
import warnings
from collections import deque
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from proxy.api.chunks import Chunk, Chunker, ItemResult, Job
from proxy.api.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator

    from proxy.api.transport import AsyncTransport, SyncTransport


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
        except ApiError as error:
            results, smaller = chunk.settle(error)
        for half in smaller:
            results += await self._sent(half)
        return results


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
        except ApiError as error:
            results, smaller = chunk.settle(error)
        for half in smaller:
            results += self._sent(half)
        return results


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
