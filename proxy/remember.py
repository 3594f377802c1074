"""What was worked out before, by what it was worked out from, within limits.

For functions of their arguments alone, whose results nobody changes: then it doesn't matter who asked first,
and an entry can't grow stale.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from sys import getsizeof
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Hashable

Key = TypeVar("Key", bound="Hashable")
Value = TypeVar("Value")

ENTRY_OVERHEAD = 300
"""Bytes that Python adds to an entry: headers of key and value, its place in the table."""

BIGGEST = 8
"""What would take more than this part of the place isn't worth what it would evict."""

SECOND_CHANCES = 16
"""Entries that are passed over to forget one, because they were asked for: no put takes long."""

_SIGHTS_PER_ENTRY = 4
"""How far back a key is known to have come before, in entries."""

_ELSEWHERE = 20
"""A mark's second place is told by other bits of it than the first."""


class Sights:
    """Which keys came lately: what comes only once isn't worth remembering.

    Right nearly always. Two keys that share a place don't make each other forgotten, as the earlier one moves
    to a place of its own; three might.

    Args:
        size: keys that are known; a power of two. 8 bytes each.
    """

    def __init__(self, size: int) -> None:
        self._last = size - 1
        # Numbers side by side, not objects: each look at one that lies elsewhere would wait for memory.
        self._marks = array("q", bytes(8 * size))

    def again(self, key: Hashable) -> bool:
        """Whether a key came before, lately; from now on it did."""
        mark = hash(key)
        marks, last = self._marks, self._last
        place = mark & last
        found = marks[place]
        if found == mark or marks[(mark >> _ELSEWHERE) & last] == mark:
            return True
        if found:
            marks[(found >> _ELSEWHERE) & last] = found
        marks[place] = mark
        return False


class Recent(OrderedDict[Key, Value]):
    """A dict that stays small: the oldest entry makes room for a new one.

    Args:
        size: entries; a power of two.
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


class _Entry(Generic[Value]):
    __slots__ = ("size", "used", "value")

    def __init__(self, value: Value, size: int) -> None:
        self.value = value
        self.size = size
        self.used = False


class Remembered(Generic[Key, Value]):
    """Entries by the bytes that they take; beyond the limit goes what came first and wasn't asked for since.

    Looking up writes a mark into the entry and touches no other: among thousands each would come from memory.

    Args:
        limit: bytes, keys and overhead included.
        sights: keys of which is known that they came before, a power of two; only these are remembered.
            0 remembers every one.
    """

    def __init__(self, limit: int, *, sights: int = 0) -> None:
        self._limit = limit
        self._entries: OrderedDict[Key, _Entry[Value]] = OrderedDict()
        self._hits = self._misses = self._bytes = 0
        self._again = Sights(sights).again if sights else None

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
        """Remembers, where that is worth it.

        Args:
            key: in the place of what was remembered under it.
            value: to be remembered.
            size: its bytes.
        """
        if self._again is not None and not self._again(key):
            return
        size += ENTRY_OVERHEAD + (sum(map(getsizeof, key)) if isinstance(key, tuple) else getsizeof(key))
        if size > self._limit // BIGGEST:
            return
        entries = self._entries
        earlier = entries.pop(key, None)
        if earlier is not None:
            self._bytes -= earlier.size
        entries[key] = _Entry(value, size)
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
