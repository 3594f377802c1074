"""Items into batches, and a batch's answer back into items: 500 and 5 MiB at most, without any I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from msgspec import Struct

from proxy.api.call import Answer, Call, Method, encode
from proxy.api.errors import (
    ApiError,
    BadAnswer,
    Elsewhere,
    InvalidInput,
    NoStatus,
    NotFound,
    TooLarge,
    Unauthorized,
    Untrusted,
)
from proxy.api.kinds import Kind, read_ids, read_item
from proxy.api.statuses import Ids, match, read_statuses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.api.items import Fields

MAX_ITEMS: Final = 500
"""Items of a batch (guide, "Batch")."""

MAX_BODY: Final = 5 << 20
"""Bytes of a batch: the vendor's own clients send no more."""

HOPELESS: Final = (Unauthorized, NotFound, Elsewhere, Untrusted)
"""What every further batch would be told, too."""

Verb = Literal["create", "update", "delete", "cancel"]


class ItemResult(Struct, frozen=True):
    """What became of one item.

    Attributes:
        index: its place in what was given, from 0.
        ids: its ids as they were sent; empty where it has none that can be read.
        item: as it was given.
        error: why it failed; None if the vendor said OK.
    """

    index: int
    ids: Ids
    item: Any
    error: ApiError | None = None

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.error is None

    @property
    def retryable(self) -> bool:
        """Whether it may work the next time, as it is."""
        return self.error is not None and self.error.retryable


class Given(Struct, frozen=True):
    """An item on its way: where it stands in what was given, and its JSON."""

    index: int
    ids: Ids
    item: Any
    encoded: bytes

    def result(self, error: ApiError | None) -> ItemResult:
        """What became of it."""
        return ItemResult(self.index, self.ids, self.item, error)


class Job(NamedTuple):
    """What is done with all items of a run: what their batches have in common."""

    verb: Verb
    kind: Kind

    @classmethod
    def of(cls, verb: Verb, kind: Kind) -> Job:
        """A job.

        Raises:
            InvalidInput: this can't be done with this kind.
        """
        if verb == "update" and kind.name == "orders":
            raise InvalidInput("type", "orders can't be updated, only created or cancelled (guide)")
        return cls(verb, kind)

    @property
    def method(self) -> Method:
        """The guide's."""
        return "POST" if self.verb == "create" else "PUT" if self.verb == "update" else "DELETE"

    @property
    def path(self) -> str:
        """Orders have a path of their own to be created; deleted are they by a later dialect."""
        return (
            "/batch/orders" if self.kind.name == "orders" and self.verb in {"create", "delete"} else "/batch"
        )

    @property
    def envelope(self) -> tuple[bytes, bytes]:
        """What stands before and after the items."""
        if self.path == "/batch":
            return b'{"type":"%b","batch":[' % self.kind.name.encode(), b"]}"
        # DELETE with {"batch": …} cancels orders (guide); with a bare array of ids it deletes them.
        return (b"[", b"]") if self.verb == "delete" else (b'{"batch":[', b"]}")

    def give(self, index: int, item: object) -> Given:
        """An item as its batch holds it.

        Raises:
            InvalidInput: it can't be sent.
        """
        if self.verb in {"create", "update"}:
            fields = read_item(self.kind, item, creating=self.verb == "create")
        else:
            fields = read_ids(self.kind, item)
        document: Any = fields["order_id"] if self.path != "/batch" and self.verb == "delete" else fields
        encoded = encode(document)
        if len(encoded) + sum(map(len, self.envelope)) > MAX_BODY:
            raise InvalidInput("", f"is larger than {MAX_BODY >> 20} MiB by itself")
        return Given(index, ids_of(self.kind, fields), item, encoded)


def ids_of(kind: Kind, fields: Fields) -> Ids:
    """The ids among an item's fields."""
    return tuple(fields[field] for field in kind.ids if field in fields)


class Chunk(NamedTuple):
    """A batch that is full, or the last one.

    Attributes:
        items: what it holds.
        failed: what could not be put into it, each with its reason; so that every item has its turn.
    """

    job: Job
    items: Sequence[Given]
    failed: Sequence[ItemResult]

    def call(self) -> Call[list[ItemResult]]:
        """Its call. It is repeatable: see ``retry.py``."""
        before, after = self.job.envelope
        body = before + b",".join(given.encoded for given in self.items) + after
        return Call(self.job.method, self.job.path, body, self._read, repeatable=True)

    def _read(self, answer: Answer, name: str) -> list[ItemResult]:
        found = match(read_statuses(answer, name), [given.ids for given in self.items], name)
        return [given.result(error) for given, error in zip(self.items, found, strict=True)]

    def settle(self, error: ApiError) -> tuple[list[ItemResult], tuple[Chunk, ...]]:
        """What an error of the whole batch means.

        Returns:
            The results of its items, or the halves to try instead: the vendor may take less than the
            guide says (413).

        Raises:
            ApiError: this one, where every further batch would be told the same.
        """
        if isinstance(error, HOPELESS):
            raise error
        half = len(self.items) // 2
        if half and isinstance(error, TooLarge):
            return [], (Chunk(self.job, self.items[:half], ()), Chunk(self.job, self.items[half:], ()))
        if isinstance(error, BadAnswer):  # it was answered with success, but nobody knows of which item
            error = NoStatus(error.message, error.request)
        return [given.result(error) for given in self.items], ()

    def whole(self, results: Sequence[ItemResult]) -> list[ItemResult]:
        """The results of everything that it stands for, in order."""
        return sorted((*results, *self.failed), key=lambda result: result.index)


class Chunker:
    """Collects items until a batch is full.

    Args:
        job: what becomes of them.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._fixed = sum(map(len, job.envelope))
        self._begin()

    def _begin(self) -> None:
        self._items: list[Given] = []
        self._failed: list[ItemResult] = []
        self._size = self._fixed

    def add(self, index: int, item: object) -> Chunk | None:
        """Takes an item in; returns the batch that has no room for it, if there is one."""
        try:
            given = self._job.give(index, item)
        except InvalidInput as error:
            self._failed.append(ItemResult(index, (), item, error))
            # What can't be sent takes no room in a batch, but some here.
            return self.flush() if len(self._failed) >= MAX_ITEMS else None
        full = None
        if len(self._items) == MAX_ITEMS or self._size + len(given.encoded) > MAX_BODY:
            full = self.flush()
        self._items.append(given)
        self._size += len(given.encoded) + len(b",")
        return full

    def flush(self) -> Chunk | None:
        """What is collected so far."""
        if not self._items and not self._failed:
            return None
        full = Chunk(self._job, self._items, self._failed)
        self._begin()
        return full
