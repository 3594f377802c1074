"""What was worked out lately, by what it was worked out from."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

_SIGHTS_PER_ENTRY = 4
"""How far back a key is known to have come before, in entries."""


class Recent(OrderedDict[Key, Value]):
    """A dict that stays small: the oldest entry makes room for a new one.

    For functions of their arguments alone, whose results nobody changes: then it doesn't matter who asked
    first, and an entry can't grow stale.

    Args:
        size: entries; a power of two.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._sights = [0] * (size * _SIGHTS_PER_ENTRY)

    def again(self, key: Key) -> bool:
        """Whether a key came before, lately: what comes only once isn't worth remembering.

        Right nearly always: of two keys that share a place, the later makes the earlier forgotten.
        """
        mark = hash(key)
        place = mark & (len(self._sights) - 1)
        if self._sights[place] == mark:
            return True
        self._sights[place] = mark
        return False

    def keep(self, key: Key, value: Value) -> Value:
        """Remembers, and gives back."""
        if len(self) >= self._size and key not in self:
            self.popitem(last=False)
        self[key] = value
        return value
