"""Items go to the API: in batches, several at once, each noted in the journal before and after."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from proxy.api import MAX_ITEMS, ApiError, InvalidInput, ItemRefused, NoStatus, Rejected
from proxy.errors import ProxyError
from proxy.importer.journal import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from proxy.api import DataCueClient, ItemResult
    from proxy.importer.guide import Resource, Verb
    from proxy.importer.journal import Journal

Documents = list[dict[str, Any]]

HOPELESS: Final = 10
"""Items in a row that are refused by themselves, before the import stops: the rest would fare alike."""

ITS_OWN: Final = (ItemRefused, InvalidInput, NoStatus)
"""Errors of one item, after which the next may do well."""


class UploadStopped(ProxyError):
    """The API can't be reached, or takes nothing: going on makes no sense now."""


@dataclass(slots=True)
class Tally:
    """What was done so far, earlier runs' part included.

    Attributes:
        items: that can be sent. done: those that the API has taken. refused: those that it has not.
        known: done by an earlier run.
    """

    items: int = 0
    done: int = 0
    refused: int = 0
    known: int = 0


@dataclass(slots=True)
class _Batch:
    """Items on their way."""

    places: list[int]
    documents: Documents

    @property
    def span(self) -> Span:
        return Span(self.places[0], self.places[-1])


class Upload:
    """One run.

    Args:
        client: of the API.
        resource: what the items are.
        verb: what becomes of them.
        journal: where it is noted.
        concurrency: batches under way.
        tally: kept up to date.
        watch: called when it has changed.
    """

    def __init__(
        self,
        client: DataCueClient,
        resource: Resource,
        verb: Verb,
        journal: Journal,
        *,
        concurrency: int,
        tally: Tally,
        watch: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._resource = resource
        self._verb = verb
        self._journal = journal
        self._concurrency = concurrency
        self._tally = tally
        self._watch = watch
        self._rejections = 0

    async def run(self, items: Iterable[tuple[int, dict[str, Any] | None]]) -> None:
        """Sends all items that are not done yet.

        Args:
            items: that can be sent, each with its place; None for those that are done.

        Raises:
            UploadStopped: the API can't be used; what was done is in the journal.
        """
        batches = self._batches(items)
        loop = asyncio.get_running_loop()
        workers = [loop.create_task(self._work(batches)) for _ in range(self._concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, batches: Iterator[_Batch]) -> None:
        # All workers take from one generator: nothing is read before somebody has time for it.
        for batch in batches:
            self._journal.begin(batch.span)
            refused = await self._send(batch)
            self._journal.done(batch.span, refused)
            self._tally.refused += len(refused)
            self._tally.done += len(batch.places) - len(refused)
            self._watch()

    def _batches(self, items: Iterable[tuple[int, dict[str, Any] | None]]) -> Iterator[_Batch]:
        places: list[int] = []
        documents: Documents = []
        for place, document in items:
            if document is None:
                self._tally.known += 1
                if places:  # a batch is one span of the journal: it holds nothing that is done
                    yield _Batch(places, documents)
                    places, documents = [], []
                continue
            if len(places) == MAX_ITEMS:  # the client parts those that are too large together
                yield _Batch(places, documents)
                places, documents = [], []
            places.append(place)
            documents.append(document)
        if places:
            yield _Batch(places, documents)

    async def _send(self, batch: _Batch) -> list[tuple[int, str]]:
        """Sends a batch; returns what was refused, and why."""
        results = await self._call(batch.documents)
        refused = []
        for place, result in zip(batch.places, results, strict=True):
            if result.error is not None and not self._was_done(place, result.error):
                refused.append((place, result.error.message))
        return refused

    async def _call(self, documents: Documents) -> Sequence[ItemResult]:
        """The results of a batch; one that is refused as a whole is sent in halves."""
        try:
            results = [result async for result in self._run(documents)]
        except ApiError as error:  # what every further batch would be told, too
            raise UploadStopped(str(error)) from error
        errors = [result.error for result in results if result.error is not None]
        for lost in errors:
            if not isinstance(lost, (*ITS_OWN, Rejected)):
                raise UploadStopped(str(lost)) from lost
        if len(errors) == len(documents) >= HOPELESS and all(isinstance(lost, NoStatus) for lost in errors):
            # A maintenance page, or another API: nobody knows of any item, so none of them counts as failed.
            raise UploadStopped(f"the answer can't be read: {errors[0]}") from errors[0]
        whole = [error for error in errors if isinstance(error, Rejected)]
        if not whole:
            self._rejections = 0
            return results
        if len(documents) == 1:
            self._rejections += 1
            if self._rejections >= HOPELESS:
                raise UploadStopped(f"{HOPELESS} items in a row were refused: {whole[0]}")
            return results
        half = len(documents) // 2
        return [*await self._call(documents[:half]), *await self._call(documents[half:])]

    def _run(self, documents: Documents) -> Any:
        batch = self._client.batch
        if self._verb == "create":
            return batch.create(self._resource, documents)
        if self._verb == "update":
            return batch.update(self._resource, documents)
        if self._resource == "orders":  # the guide's way to delete them
            return batch.cancel(documents)
        return batch.delete(self._resource, documents)

    def _was_done(self, place: int, error: ApiError) -> bool:
        """Whether it was an earlier run that did it, which ended before it saw the answer."""
        if not isinstance(error, ItemRefused) or not self._journal.is_begun(place):
            return False
        said = error.message.casefold()
        return (self._verb == "create" and "already exists" in said) or (
            self._verb == "delete" and "not found" in said
        )
