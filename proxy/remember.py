"""What was worked out before, by what it was worked out from, within limits.

For functions of their arguments alone, whose results nobody changes: then it doesn't matter who asked first,
and an entry can't grow stale.
"""

from __future__ import annotations

from collections import OrderedDict
from sys import getsizeof
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

Key = TypeVar("Key", bound="Hashable")
Value = TypeVar("Value")
E = TypeVar("E", bound="Entry")

ENTRY_OVERHEAD = 300
"""Bytes that Python adds to an entry: headers of key and value, its place in the table."""

BIGGEST = 8
"""What would take more than this part of the place isn't worth what it would evict."""

SECOND_CHANCES = 16
"""Entries that are passed over to forget one, because they were asked for: no put takes long."""

_SIGHTS_PER_ENTRY = 4
"""How far back a key is known to have come before, in entries."""


class Sights:
    """Which keys came lately: what comes only once isn't worth remembering.

    Args:
        size: keys that are known at most, the later half of them always. Some 90 bytes each.
    """

    def __init__(self, size: int) -> None:
        self._half = size // 2
        # Hashes: a key of two that have the same one counts as seen, which costs no more than its place.
        self._lately: set[int] = set()
        self._before: set[int] = set()

    def again(self, key: Hashable) -> bool:
        """Whether a key came before, lately; from now on it did."""
        mark = hash(key)
        lately = self._lately
        if mark in lately or mark in self._before:
            return True
        lately.add(mark)
        if len(lately) > self._half:
            self._before, self._lately = lately, set()
        return False


class Recent(OrderedDict[Key, Value]):
    """A dict that stays small: the oldest entry makes room for a new one.

    Args:
        size: entries.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self.again = Sights(size * _SIGHTS_PER_ENTRY).again

    def keep(self, key: Key, value: Value) -> Value:
        """Remembers, and gives back."""
        if len(self) >= self._size and key not in self:
            self.popitem(last=False)
        self[key] = value
        return value


class CacheStats(Struct, frozen=True):
    """How one cache does."""

    hits: int
    misses: int
    entries: int
    bytes: int
    limit: int


class Entry:
    """What is remembered bears its own marks: among thousands, each object comes from memory.

    Attributes:
        size: bytes that it counts for.
        used: whether it was asked for since it was kept or passed over.
    """

    __slots__ = ("size", "used")
    size: int
    used: bool


def _always(_key: object) -> bool:
    return True


class Memory(Generic[Key, E]):
    """Entries by the bytes that they take; beyond the limit goes what came first and wasn't asked for since.

    Looking up writes a mark into the entry and touches no other.

    Args:
        limit: bytes, keys and overhead included.
        sights: keys of which is known that they came before; only these are worth remembering. 0: all are.

    Attributes:
        wanted: whether a key is worth remembering. Asked before anything is worked out that only ``keep``
            needs: most keys come once.
    """

    def __init__(self, limit: int, *, sights: int = 0) -> None:
        self._limit = limit
        self._entries: OrderedDict[Key, E] = OrderedDict()
        self._hits = self._misses = self._bytes = 0
        self.wanted: Callable[[Key], bool] = Sights(sights).again if sights else _always

    def several(self, keys: Iterable[Key]) -> list[E | None]:
        """What is remembered under each key, or None, in one go: looks don't wait for each other's memory."""
        found = list(map(self._entries.get, keys))
        hits = 0
        for entry in found:
            if entry is not None:
                entry.used = True
                hits += 1
        self._hits += hits
        self._misses += len(found) - hits
        return found

    def keep(self, key: Key, entry: E, size: int) -> None:
        """Remembers, unless it would take too much of the place.

        Args:
            key: in the place of what was remembered under it.
            entry: to be remembered, here alone.
            size: its bytes.
        """
        size += ENTRY_OVERHEAD + (sum(map(getsizeof, key)) if isinstance(key, tuple) else getsizeof(key))
        if size > self._limit // BIGGEST:
            return
        entries = self._entries
        earlier = entries.pop(key, None)
        if earlier is not None:
            self._bytes -= earlier.size
        entry.size, entry.used = size, False
        entries[key] = entry
        self._bytes += size
        if self._bytes > self._limit:
            self._make_room()

    def _make_room(self) -> None:
        entries, chances = self._entries, SECOND_CHANCES
        while self._bytes > self._limit:
            key, entry = entries.popitem(last=False)
            if entry.used and chances:
                chances -= 1
                entry.used = False
                entries[key] = entry
            else:
                self._bytes -= entry.size

    @property
    def stats(self) -> CacheStats:
        """How it does."""
        return CacheStats(self._hits, self._misses, len(self._entries), self._bytes, self._limit)


class _Valued(Entry, Generic[Value]):
    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value


class Remembered(Memory[Key, _Valued[Value]]):
    """A `Memory` of values that are no entries themselves."""

    def get(self, key: Key) -> Value | None:
        """What is remembered, or None."""
        entry = self._entries.get(key)
        if entry is None:
            self._misses += 1
            return None
        self._hits += 1
        entry.used = True
        return entry.value

    def mistaken(self) -> None:
        """What ``get`` has just found was not meant: it doesn't count, and another key is asked for."""
        self._hits -= 1

    def put(self, key: Key, value: Value, size: int) -> None:
        """Remembers a value of so many bytes, unless it would take too much of the place."""
        self.keep(key, _Valued(value), size)
