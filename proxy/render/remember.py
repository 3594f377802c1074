"""Rendered HTML, remembered by what it was rendered from, within a limit of bytes."""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import Generic, TypeVar

from msgspec import Struct

ENTRY_OVERHEAD = 300
"""Bytes that Python adds to an entry: key tuple, bytes and str headers, its place in the table."""

Key = tuple[object, ...]
"""What the HTML was rendered from; strings, bytes and plain values."""

Value = TypeVar("Value")


class CacheStats(Struct, frozen=True):
    """How one cache does."""

    hits: int
    misses: int
    entries: int
    bytes: int
    limit: int


class Remembered(Generic[Value]):
    """Rendered HTML by what it was rendered from; beyond the limit the longest unused goes first.

    Args:
        limit: bytes, keys and overhead included.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._hits = self._misses = self._bytes = 0

    def get(self, key: Key) -> Value | None:
        """What was rendered from this before, or None."""
        entry = self._entries.get(key)
        if entry is None:
            self._misses += 1
            return None
        self._hits += 1
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Remembers; what would take more than an eighth of the place isn't worth what it would evict.

        Args:
            key: not remembered yet.
            value: what was rendered.
            size: its bytes.
        """
        size += ENTRY_OVERHEAD + sum(map(sys.getsizeof, key))
        if size > self._limit // 8:
            return
        self._entries[key] = value, size
        self._bytes += size
        while self._bytes > self._limit:
            _, (_, freed) = self._entries.popitem(last=False)
            self._bytes -= freed

    @property
    def stats(self) -> CacheStats:
        """How it does."""
        return CacheStats(self._hits, self._misses, len(self._entries), self._bytes, self._limit)
