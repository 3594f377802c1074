"""What was worked out lately, by what it was worked out from."""

from __future__ import annotations

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(dict[Key, Value]):
    """A dict that stays small: the oldest entry makes room for a new one.

    For functions of their arguments alone, whose results nobody changes: then it doesn't matter who asked
    first, and an entry can't grow stale.

    Args:
        size: entries.
    """

    __slots__ = ("_size",)

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def keep(self, key: Key, value: Value) -> Value:
        """Remembers, and gives back."""
        if len(self) >= self._size and key not in self:
            del self[next(iter(self))]
        self[key] = value
        return value
