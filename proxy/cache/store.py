"""All pages that are kept, within a limit of bytes; the least recently used goes first."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.cache.entry import Entry
    from proxy.headers import Headers

MAX_VARIANTS = 16
"""Answers of one address, by ``Vary``: languages and codings; beyond, an address has one a visitor. The least
recently used goes first here, too: nobody can crowd out what all others ask for."""

Key = tuple[str, bytes, bytes]
"""Scheme, host in lower case, request target."""


class Expected:
    """A page that the shop was asked for.

    Attributes:
        forgotten: whether its address was to be forgotten since: then it may be older than that.
    """

    __slots__ = ("forgotten",)

    def __init__(self) -> None:
        self.forgotten = False


class Store:
    """Keeps entries by address.

    Args:
        limit: bytes, all entries together.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._entries: OrderedDict[Key, list[Entry]] = OrderedDict()
        self._expected: dict[Key, set[Expected]] = {}  # as many as there are requests at the shop

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: Key, asked: Headers) -> Entry | None:
        """The entry that is meant for a request."""
        variants = self._entries.get(key, [])
        entry = next((entry for entry in variants if entry.meant_for(asked)), None)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        if entry is not variants[-1]:
            variants.remove(entry)
            variants.append(entry)
        return entry

    def varies(self, key: Key) -> tuple[bytes, ...]:
        """Fields that answers of an address were chosen by so far."""
        return tuple(sorted({name for entry in self._entries.get(key, ()) for name, _ in entry.vary}))

    def keep(self, key: Key, entry: Entry) -> None:
        """Keeps an entry, in the place of what it replaces."""
        if entry.size > self.limit:
            return
        variants = self._entries.setdefault(key, [])
        for old in [one for one in variants if one.vary == entry.vary]:
            self._drop(variants, old)
        while len(variants) >= MAX_VARIANTS:
            self._drop(variants, variants[0])
        variants.append(entry)
        self.size += entry.size
        self._entries.move_to_end(key)
        while self.size > self.limit:
            self._evict(next(iter(self._entries)))

    def expect(self, key: Key) -> Expected:
        """The shop is asked for a page of an address."""
        expected = Expected()
        self._expected.setdefault(key, set()).add(expected)
        return expected

    def unexpect(self, key: Key, expected: Expected) -> None:
        """It has answered, or won't."""
        others = self._expected[key]
        others.remove(expected)
        if not others:
            del self._expected[key]

    def forget(self, key: Key) -> None:
        """Forgets every answer of an address, and those that are on their way."""
        self._evict(key)
        for expected in self._expected.get(key, ()):
            expected.forgotten = True

    def forget_where(self, matches: Callable[[Key], bool]) -> None:
        """Forgets all addresses for which ``matches`` says so."""
        for key in [key for key in {*self._entries, *self._expected} if matches(key)]:
            self.forget(key)

    def drop(self, key: Key, entry: Entry) -> None:
        """Forgets one answer, if it is still kept."""
        variants = self._entries.get(key, [])
        if entry in variants:
            self._drop(variants, entry)
            if not variants:
                del self._entries[key]

    def _evict(self, key: Key) -> None:
        self.size -= sum(entry.size for entry in self._entries.pop(key, ()))

    def _drop(self, variants: list[Entry], entry: Entry) -> None:
        variants.remove(entry)
        self.size -= entry.size
