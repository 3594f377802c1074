"""What a file holds: records, each with the line on which it begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

RESERVED: Final = ("_line", "_reason")
"""Columns that a failed file has before its own: they are read past, so that it imports again."""

BARE: Final = ""
"""The name of an item that is a bare value, as the ids in ``["o1", "o2"]``."""


@dataclass(slots=True)
class Record:
    """One row of a table, or one JSON item.

    Attributes:
        line: on which it begins, from 1.
        fields: column or key to value; CSV's values are texts. A guess where ``broken``.
        broken: why it can't be read.
        raw: what a broken record says, for the failed file: cells, or a text.
    """

    line: int
    fields: dict[str, Any] = field(default_factory=dict)
    broken: str = ""
    raw: list[str] | str = ""
