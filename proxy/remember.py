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


class _Entry(Generic[Value]):
    __slots__ = ("size", "used", "value")

    def __init__(self, value: Value, size: int) -> None:
        self.value = value
        self.size = size
        self.used = False


def _always(_key: object) -> bool:
    return True


class Remembered(Generic[Key, Value]):
    """Entries by the bytes that they take; beyond the limit goes what came first and wasn't asked for since.

    Looking up writes a mark into the entry and touches no other: among thousands each would come from memory.

    Args:
        limit: bytes, keys and overhead included.
        sights: keys of which is known that they came before; only these are worth remembering. 0: all are.

    Attributes:
        wanted: whether a key is worth remembering. Asked before anything is worked out that only ``put``
            needs: most keys come once.
    """

    def __init__(self, limit: int, *, sights: int = 0) -> None:
        self._limit = limit
        self._entries: OrderedDict[Key, _Entry[Value]] = OrderedDict()
        self._hits = self._misses = self._bytes = 0
        self.wanted: Callable[[Key], bool] = Sights(sights).again if sights else _always

    def get(self, key: Key) -> Value | None:
        """What is remembered, or None."""
        entry = self._entries.get(key)
        if entry is None:
            self._misses += 1
            return None
        self._hits += 1
        entry.used = True
        return entry.value

    def several(self, keys: Iterable[Key]) -> list[Value | None]:
        """What ``get`` would give for each, in one go: looks that don't wait for each other's memory."""
        found: list[Value | None] = []
        misses = 0
        for entry in list(map(self._entries.get, keys)):
            if entry is None:
                misses += 1
                found.append(None)
            else:
                entry.used = True
                found.append(entry.value)
        self._misses += misses
        self._hits += len(found) - misses
        return found

    def mistaken(self) -> None:
        """What ``get`` has just found was not meant: it doesn't count, and another key is asked for."""
        self._hits -= 1

    def put(self, key: Key, value: Value, size: int) -> None:
        """Remembers, unless it would take too much of the place.

        Args:
            key: in the place of what was remembered under it.
            value: to be remembered.
            size: its bytes.
        """
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
