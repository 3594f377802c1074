"""``client.batch``: any number of items, in batches, with a result for each (``runs.py``)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from proxy.api.chunks import Job
from proxy.api.errors import InvalidInput
from proxy.api.items import Item
from proxy.api.kinds import KindName, kind_of
from proxy.api.runs import AsyncRun, BatchResult, Run

if TYPE_CHECKING:
    from proxy.api.transport import AsyncTransport, SyncTransport

CONCURRENCY: Final = 4
"""Batches under way at once: enough that neither end waits for the network, few enough to be polite."""

MAX_CONCURRENCY: Final = 64
"""Batches under way at once, however many are asked for: each may hold 5 MiB."""

Sendable = Item | Mapping[str, Any] | str | tuple[str, ...]
"""An item; of what is deleted or cancelled also its id, or a product's two ids."""

SourceT = TypeVar("SourceT")
RunT = TypeVar("RunT")


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
