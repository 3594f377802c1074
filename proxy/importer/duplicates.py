"""Ids that come twice in a file: found for a million rows in a few bytes each."""

from __future__ import annotations

from array import array
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from proxy.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ITEMS: Final = 20_000_000
"""Items of one import: some 500 MB of notes."""

DIGEST_BYTES: Final = 8
"""Of ids: among a million items, two different ones look alike once in forty million imports."""


class Twice(NamedTuple):
    """An item whose ids an earlier one has.

    Attributes:
        item: its place. file: and line: where it is. first_file: and first_line: where the earlier one is.
    """

    item: int
    file: int
    line: int
    first_file: int
    first_line: int


class Duplicates:
    """Notes the ids of items as they pass, and says in the end which came before."""

    def __init__(self) -> None:
        self._digests = array("Q")
        self._items = array("I")
        self._lines = array("I")
        self._files = array("H")

    def add(self, item: int, file: int, line: int, ids: tuple[str, ...]) -> None:
        """Notes an item's ids.

        Raises:
            SettingsError: there are too many.
        """
        if len(self._digests) >= MAX_ITEMS:
            raise SettingsError("FILE", f"holds more than {MAX_ITEMS:,} items", "Split it.")
        digest = blake2b("\0".join(ids).encode(), digest_size=DIGEST_BYTES).digest()
        self._digests.append(int.from_bytes(digest, "little"))
        self._items.append(item)
        self._files.append(file)
        self._lines.append(line)

    def found(self) -> Iterator[Twice]:
        """Every item but the first of those that share their ids."""
        if not self._digests:
            return
        digests = np.frombuffer(self._digests, dtype=np.uint64)
        ordered = np.sort(digests)
        shared = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        del ordered
        if not len(shared):
            return
        first: dict[int, int] = {}
        for place in map(int, np.flatnonzero(np.isin(digests, shared))):
            earlier = first.setdefault(self._digests[place], place)
            if earlier != place:
                where = self._files[place], self._lines[place], self._files[earlier], self._lines[earlier]
                yield Twice(self._items[place], *where)
