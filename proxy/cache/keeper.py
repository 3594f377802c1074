"""What is kept, and for which addresses that was in vain the last time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.cache.entry import Entry
    from proxy.cache.store import Expected, Key, Store
    from proxy.metrics import Tally

VAIN_SECONDS = 60.0
"""For which nobody waits for the answer of an address whose last answer could not be kept."""

MAX_VAIN = 4096
"""Addresses remembered because their last answer could not be kept."""


class Keeper:
    """Keeps pages, and remembers where there was none to keep.

    Attributes:
        store: the pages.
        count: of what became of requests.
        clock: seconds, monotonic.
        now: seconds since the epoch.
    """

    def __init__(
        self, store: Store, count: Tally, clock: Callable[[], float], now: Callable[[], float]
    ) -> None:
        self.store = store
        self.count = count
        self.clock = clock
        self.now = now
        self._vain: dict[Key, float] = {}

    def keep(self, key: Key, entry: Entry, old: Entry | None, expected: Expected) -> None:
        """Keeps a page, in the place of an older one, if it wasn't to be forgotten before it came."""
        self._vain.pop(key, None)
        if expected.forgotten:
            self.count("not kept: forgotten")
            return
        if old is not None:
            self.store.drop(key, old)  # it may have been chosen by other fields
        self.store.keep(key, entry)

    def refuse(self, key: Key, why: str, old: Entry | None) -> None:
        """An answer can't be kept, nor the page that it would have replaced: for a while nobody waits."""
        if old is not None:
            self.store.drop(key, old)
        self.count(f"not kept: {why}")
        self._vain.pop(key, None)
        if len(self._vain) >= MAX_VAIN:
            del self._vain[next(iter(self._vain))]
        self._vain[key] = self.clock() + VAIN_SECONDS

    def in_vain(self, key: Key) -> bool:
        """Whether an address's last answer could not be kept."""
        until = self._vain.get(key)
        return until is not None and until >= self.clock()
