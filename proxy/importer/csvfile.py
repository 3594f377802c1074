"""Tables: comma, semicolon, tab or bar between cells, as every spreadsheet and shop exports them.

A quote that is opened by mistake would swallow all that follows. Where a row of several lines turns out
not to have the header's columns, or doesn't end in time, its first line alone is taken for broken, and
reading goes on at its second.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TextIO

from proxy.importer.record import RESERVED, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

DELIMITERS: Final = ",;\t|"
QUOTES: Final = "\"'"

MAX_ROW: Final = 1 << 20
"""Characters of a row: sixteen times the longest text that the API takes."""

SAMPLE_ROWS: Final = 100
"""Rows that tell the delimiter; the header and a few of them nearly always do."""

UNCLOSED: Final = "a quote is opened here that isn't closed in its row"

csv.field_size_limit(MAX_ROW)  # the module's own, 128 KiB, ends reading in the middle of a row


@dataclass(frozen=True, slots=True)
class Table:
    """How a table is written.

    Attributes:
        header: the columns' names, each once.
    """

    delimiter: str
    quote: str
    header: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is, for people."""
        between = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
        return f"a table with {between.get(self.delimiter, repr(self.delimiter))} between cells"

    def read(self, text: TextIO) -> Iterator[Record]:
        """The rows below the header."""
        reading = _Rows(text, self.delimiter, self.quote)
        rows = iter(reading)
        next(rows, None)  # the header
        for line, cells, taken, wrong in rows:
            problem = wrong or self._misfit(cells, taken)
            if not problem:
                yield Record(line, dict(zip(self.header, cells, strict=True)))
                continue
            raw = cells
            if len(taken) > 1:
                reading.go_on_at(taken[1:])
                raw = taken[0].rstrip("\r\n").split(self.delimiter)
            # The fields are a guess, but its first ones often tell to which order a broken row belongs.
            yield Record(line, dict(zip(self.header, raw, strict=False)), problem, raw)

    def writer(self, file: TextIO, more: Sequence[str]) -> Callable[[Record, Sequence[object]], None]:
        """Writes records as this table has them, with ``more`` columns before its own.

        Returns:
            What writes one, with the values of these columns.
        """
        kept = [name for name in self.header if name not in RESERVED]
        rows = csv.writer(file, delimiter=self.delimiter, quotechar=self.quote, lineterminator="\n")
        rows.writerow([*more, *kept])
        skipped = len(self.header) - len(kept)

        def write(record: Record, values: Sequence[object]) -> None:
            if record.broken:
                cells = list(record.raw)[skipped:]
            else:
                cells = [record.fields.get(name, "") for name in kept]
            rows.writerow([*values, *cells])

        return write

    def _misfit(self, cells: list[str], taken: list[str]) -> str:
        """Why a row isn't one of this table; "" where it is. Empty cells at its end don't count."""
        if len(cells) > len(self.header) and not any(cells[len(self.header) :]):
            del cells[len(self.header) :]
        if len(cells) == len(self.header):
            return ""
        if len(taken) > 1:
            return UNCLOSED
        return f"has {len(cells)} columns, the header has {len(self.header)}"


def sniff_table(
    text: TextIO, known: Callable[[str], bool], delimiter: str | None = None, quote: str | None = None
) -> Table | None:
    """Finds out how a table is written; None where there is no header.

    The header's names tell most; then that all rows have as many cells; then how many these are.

    Args:
        text: from its beginning, with its line ends.
        known: whether a column's name means something to us.
        delimiter: between cells, where it is known.
        quote: around them, likewise.
    """
    start = list(islice(iter(lambda: text.readline(MAX_ROW), ""), SAMPLE_ROWS))
    if start and start[0].lower().startswith("sep=") and len(start[0].strip()) == len("sep=") + 1:
        delimiter = delimiter or start[0].strip()[-1]  # Excel's way to say it
    best: tuple[tuple[float, ...], Table] | None = None
    for mark in QUOTES if quote is None else quote:
        for between in DELIMITERS if delimiter is None else delimiter:
            rows = [cells for _, cells, _, problem in _Rows(iter(start), between, mark) if not problem]
            if not rows:
                continue
            header = rows[0]
            if any(cell[:1] in QUOTES for cell in header if cell):
                continue  # read with the other quote
            alike = Counter(map(len, rows))[len(header)] / len(rows)
            score = (sum(map(known, header)), alike, len(header))
            if best is None or score > best[0]:
                best = score, Table(between, mark, _once(header))
    return best[1] if best else None


class _Rows:
    """Rows with their line, the lines that they took, and what is wrong with them."""

    def __init__(self, text: TextIO | Iterator[str], delimiter: str, quote: str) -> None:
        self._readline = _readline(text)
        self._format: dict[str, Any] = {"delimiter": delimiter, "quotechar": quote, "strict": True}
        self._again: list[str] = []
        self._taken: list[str] = []
        self._length = 0
        self._number = 0

    def go_on_at(self, lines: list[str]) -> None:
        """Reads these lines once more."""
        self._again += reversed(lines)
        self._number -= len(lines)

    def __iter__(self) -> Iterator[tuple[int, list[str], list[str], str]]:
        rows = csv.reader(iter(self._next, None), **self._format)
        first = True
        while True:
            self._taken, self._length = [], 0
            line = self._number + 1
            problem = ""
            try:
                cells = next(rows)
            except StopIteration:
                return
            except _TooLong:
                problem = f"is longer than {MAX_ROW:,} characters, or a quote in it isn't closed"
                cells = self._taken[:1]
            except csv.Error:
                problem = UNCLOSED if len(self._taken) > 1 else "something follows a quote that is closed"
                cells = self._taken[0].rstrip("\r\n").split(self._format["delimiter"])
            if first and self._taken and self._taken[0].lower().startswith("sep="):
                continue
            first = False
            if problem or any(cells):
                yield line, cells, self._taken, problem
            if problem or self._again:
                rows = csv.reader(iter(self._next, None), **self._format)

    def _next(self) -> str | None:
        line = self._again.pop() if self._again else self._readline()
        if not line:
            return None
        self._number += 1
        self._taken.append(line)
        self._length += len(line)
        if self._length >= MAX_ROW:
            while len(line) == MAX_ROW and not line.endswith(("\n", "\r")):
                line = self._readline()
            raise _TooLong
        return line


class _TooLong(Exception):
    """A row that doesn't end."""


def _readline(text: TextIO | Iterator[str]) -> Callable[[], str]:
    if isinstance(text, TextIO) or hasattr(text, "readline"):
        return lambda: text.readline(MAX_ROW)
    return lambda: next(text, "")


def _once(header: Sequence[str]) -> tuple[str, ...]:
    """Names for columns, each once: blank ones by their place, repeated ones with a number."""
    names: dict[str, int] = {}
    for place, cell in enumerate(header, 1):
        name = cell.strip() or f"column {place}"
        number = 2
        unique = name
        while unique in names:
            unique = f"{name} ({number})"
            number += 1
        names[unique] = place
    return tuple(names)
