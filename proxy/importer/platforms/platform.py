"""What an export of a well-known shop is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from proxy.errors import SettingsError

if TYPE_CHECKING:
    from proxy.importer.columns import Row
    from proxy.importer.guide import Resource

Fields = Mapping[str, Any]

UNTRACKED: Final = 999
"""Pieces that are told of what is sold without counting: the API wants a number."""

MAX_INDEXED: Final = 500_000
"""Products with variants whose common part is remembered: some 200 MB."""


class Skipped(Exception):
    """A row that is no item of its own; says what it is, in the plural."""


class Index:
    """What rows need of other rows, wherever these stand: collected before the first is turned."""

    def __init__(self) -> None:
        self._held: dict[str, Row] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def put(self, key: str, row: Row) -> None:
        """Remembers a row by a key.

        Raises:
            SettingsError: there are too many.
        """
        if len(self._held) >= MAX_INDEXED:
            problem = f"has more than {MAX_INDEXED:,} products with variants"
            raise SettingsError("FILE", problem, "Split it.")
        self._held[key] = row

    def get(self, key: str) -> Row:
        """What was remembered, or nothing."""
        return self._held.get(key, {})


def nothing_indexed(fields: Fields, index: Index) -> None:
    """For exports whose rows stand for themselves."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One export of one platform.

    Attributes:
        name: of the platform, as ``--platform`` takes it.
        resource: what is exported.
        signature: columns that all such files have, and hardly any other.
        says: column and field, for people; what isn't one to one is said by `turn`.
        turn: makes the guide's fields of a row; raises ``Skipped``.
        carried: columns that only the first of several rows has; the others have the same.
        group: the column whose value tells such rows.
        index: remembers what other rows need.
        grouped: whether several rows are one order.
    """

    name: str
    resource: Resource
    signature: frozenset[str]
    says: tuple[tuple[str, str], ...]
    turn: Callable[[Fields, Index], Row]
    carried: tuple[str, ...] = ()
    group: str = ""
    index: Callable[[Fields, Index], None] = field(default=nothing_indexed)
    grouped: bool = False

    def fits(self, columns: frozenset[str]) -> bool:
        """Whether a file with these columns is such an export."""
        return self.signature <= columns

    @property
    def title(self) -> str:
        """What it is, for people."""
        return f"{self.name}'s export of {self.resource}"

    @property
    def indexes(self) -> bool:
        """Whether all rows must be seen before the first is turned."""
        return self.index is not nothing_indexed


def cell(fields: Fields, name: str) -> str:
    """A cell's text; "" where there is none."""
    value = fields.get(name)
    return "" if value is None else str(value).strip()


def row(**found: Any) -> Row:
    """A row without what is empty."""
    return {name: value for name, value in found.items() if value not in {"", None}}


def deepest(paths: str, between: str, below: str) -> str:
    """The path with most levels of several, its levels parted as ``A > B``; the first of equals."""
    split = [[level.strip() for level in path.split(below)] for path in paths.split(between)]
    return " > ".join(level for level in max(split, key=len) if level)
