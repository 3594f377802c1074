"""Records become items: what is sent, or why it can't be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from proxy.api import NO_VARIANTS
from proxy.importer import values
from proxy.importer.amounts import money
from proxy.importer.columns import Columns, Row, Wishes, filled, is_line
from proxy.importer.guide import CATEGORY, GUIDE, LINE, LINE_REQUIRED, TABLES
from proxy.importer.platforms import Index, Skipped
from proxy.importer.unusable import Unusable, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from proxy.importer.amounts import Point
    from proxy.importer.guide import Reader, Resource, Verb
    from proxy.importer.platforms import Platform
    from proxy.importer.record import Record

MAX_LINES: Final = 1_000
"""Rows of one order: more are a mistake in the column that tells orders apart."""

MISSING: Final = "is missing"


@dataclass(slots=True)
class Item:
    """One item of a file.

    Attributes:
        records: that it was made of.
        document: what is sent; empty where ``reason`` says why nothing is.
        ids: of it, where it is sent.
    """

    records: list[Record]
    document: dict[str, Any]
    ids: tuple[str, ...] = ()
    reason: str = ""

    @property
    def line(self) -> int:
        """On which it begins."""
        return self.records[0].line


class Bundle(NamedTuple):
    """What an item is made of: records, and each one's row."""

    records: list[Record]
    rows: list[Row]


class Shape:
    """What makes items of records.

    Args:
        resource: what they are. verb: what becomes of them.
        columns: which column is which field; of an export, those that the user names.
        platform: the export, if it is a known one.
        wishes: what the user wants where the file has nothing.
        point: what stands before the cents, if it is known.
        catalogue: the ids of products by what lines of orders call them, if there is one.

    Attributes:
        skipped: rows that are no items, by what they are.
        index: what rows need of other rows.
    """

    def __init__(
        self,
        resource: Resource,
        verb: Verb,
        columns: Columns,
        platform: Platform | None,
        wishes: Wishes,
        point: Point | None = None,
        catalogue: Index | None = None,
    ) -> None:
        self._spec = GUIDE[resource]
        self._verb = verb
        self._columns = columns
        self._platform = platform
        self._fill = wishes.fill
        self._readers = {name: _with_point(reader, point) for name, reader in self._spec.fields.items()}
        self._line_readers = {name: _with_point(reader, point) for name, reader in LINE.items()}
        grouped = platform.grouped if platform else is_line(columns)
        self._grouped = resource == "orders" and grouped
        self._has_lines = resource == "orders" and verb == "create"
        self.skipped: Counter[str] = Counter()
        self.index = Index()
        self._catalogue = catalogue

    def bundles(self, records: Iterable[Record]) -> Iterator[Bundle]:
        """What each item is made of, in the records' order."""
        if self._platform and self._platform.carried:
            records = _carried(records, self._platform)
        rows = self._rows(records)
        return _together(rows) if self._grouped else (Bundle([record], [row]) for record, row in rows)

    def item(self, bundle: Bundle) -> Item:
        """The item that is made of this."""
        return self._order(*bundle) if self._grouped else self._one(*bundle)

    def learn(self, records: Iterable[Record]) -> None:
        """Remembers what rows need of others; before ``bundles``, where the platform says so."""
        assert self._platform is not None
        for record in records:
            if not record.broken:
                self._platform.index(record.fields, self.index)

    def _rows(self, records: Iterable[Record]) -> Iterator[tuple[Record, Row]]:
        for record in records:
            try:
                yield record, self._row(record)
            except Skipped as skipped:
                if record.broken:
                    yield record, {}
                else:
                    self.skipped[str(skipped)] += 1

    def _row(self, record: Record) -> Row:
        if self._platform is None:
            row = self._columns.row(record.fields, keep_null=self._verb == "update")
        else:
            row = self._platform.turn(record.fields, self.index)
            row.update(self._columns.row(record.fields))
        if self._catalogue is not None:
            for name in ("variant_id", "product_id"):
                if known := self._catalogue.get(str(row.get(name) or "")):
                    row.update(known)
                    break
        if self._fill:
            filled(row, self._fill, record.fields)
        return row

    def _one(self, records: list[Record], rows: list[Row]) -> Item:
        [record], [row] = records, rows
        if record.broken:
            return Item(records, {}, reason=record.broken)
        return self._item(records, row, [])

    def _order(self, records: list[Record], rows: list[Row]) -> Item:
        for record in records:
            if record.broken:
                # Its guessed id says that it belongs here: without it the order would lose a line.
                where = f"line {record.line}: " if len(records) > 1 else ""
                return Item(records, {}, reason=f"{where}{record.broken}")
        head: Row = {}
        for row in rows:
            for name, value in row.items():
                if name not in LINE:
                    head.setdefault(name, value)
        lines = [line for row in rows if (line := {name: row[name] for name in LINE if name in row})]
        if len(records) == MAX_LINES:
            return Item(records, {}, reason=f"has {MAX_LINES:,} rows or more of one order")
        return self._item(records, head, lines)

    def _item(self, records: list[Record], row: Row, lines: list[Row]) -> Item:
        problems: list[str] = []
        document = self._document(row, problems)
        if self._has_lines:
            given = document.pop("cart", None)
            if lines or given is not None:
                document["cart"] = self._cart([*lines, *(given or ())], problems)
        self._require(document, problems)
        if problems:
            return Item(records, {}, reason="; ".join(problems))
        ids = tuple(document[name] for name in self._spec.ids if name in document)
        if self._verb == "delete":
            document = dict(zip(self._spec.ids, ids, strict=False))
        return Item(records, document, ids)

    def _document(self, row: Row, problems: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in row.items():
            if self._verb == "delete" and name not in self._spec.ids:
                continue
            if value is None:
                found[name] = None
                continue
            try:
                self._read(name, value, found)
            except Unusable as problem:
                problems.append(f"{name}: {problem}")
        return found

    def _read(self, name: str, value: Any, found: dict[str, Any]) -> None:
        reader = self._readers.get(name)
        if reader is not None:
            read = reader(value)
            if read == "":
                return
            if isinstance(read, dict) and isinstance(found.get(name), dict):
                read = {**read, **found[name]}  # keys that have columns of their own
            found[name] = read
        elif name == CATEGORY:
            for field, level in _levels(value):
                if field in self._readers:
                    found.setdefault(field, level)
                elif "category_extra" in self._readers:
                    found.setdefault("category_extra", {}).setdefault(field, level)
        elif "." in name:
            table, _, key = name.partition(".")
            if table in TABLES:
                found.setdefault(table, {})[key] = value if not isinstance(value, str) else values.text(value)

    def _cart(self, lines: list[Any], problems: list[str]) -> list[dict[str, Any]]:
        cart = []
        for number, line in enumerate(lines, 1):
            if not isinstance(line, dict):
                problems.append(f"cart, line {number}: {shown(line)} is no JSON object")
                continue
            found: dict[str, Any] = {}
            for name, reader in self._line_readers.items():
                value = line.get(name, line.get("price") if name == "unit_price" else None)
                if value is None or value == "":
                    continue
                try:
                    found[name] = reader(value)
                except Unusable as problem:
                    problems.append(f"cart, line {number}, {name}: {problem}")
                    found[name] = None
            found.setdefault("variant_id", NO_VARIANTS)
            problems += [
                f"cart, line {number}, {name}: {MISSING}" for name in LINE_REQUIRED if name not in found
            ]
            cart.append(found)
        return cart

    def _require(self, document: dict[str, Any], problems: list[str]) -> None:
        if "variant_id" in self._spec.ids and self._verb != "delete":
            document.setdefault("variant_id", NO_VARIANTS)
        required = self._spec.required if self._verb == "create" else self._spec.ids[:1]
        said = " ".join(problems)
        problems += [
            f"{name}: {MISSING}"
            for name in required
            if document.get(name) is None and f"{name}: " not in said
        ]


def _with_point(reader: Reader, point: Point | None) -> Reader:
    return partial(reader, point=point) if reader is money and point else reader


def _levels(path: object) -> Iterator[tuple[str, str]]:
    """A path of categories as the guide's fields: ``category_1`` and so on."""
    if isinstance(path, list):
        names = [values.prose(name) for name in path]
    else:
        text = values.text(path)
        below = next((mark for mark in (">", "|", "/") if mark in text), None)
        names = [values.prose(name) for name in (text.split(below) if below else [text])]
    yield from ((f"category_{level}", name) for level, name in enumerate(filter(None, names), 1))


def _together(rows: Iterable[tuple[Record, Row]]) -> Iterator[Bundle]:
    """Rows that follow one another and name the same order."""
    bundle = Bundle([], [])
    order: object = None
    for record, row in rows:
        named = row.get("order_id")
        if bundle.records and (named != order or named is None or len(bundle.records) == MAX_LINES):
            yield bundle
            bundle = Bundle([], [])
        bundle.records.append(record)
        bundle.rows.append(row)
        order = named
    if bundle.records:
        yield bundle


def _carried(records: Iterable[Record], platform: Platform) -> Iterator[Record]:
    """Fills in what only the first of several rows says."""
    head: Mapping[str, Any] = {}
    for record in records:
        if not record.broken:
            key = record.fields.get(platform.group)
            if key and key == head.get(platform.group):
                for name in platform.carried:
                    if not record.fields.get(name):
                        record.fields[name] = head.get(name, "")
            else:
                head = record.fields
        yield record
