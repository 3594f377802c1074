"""JSON: an array of items, an object that holds one, or an item a line; read as a stream.

An item that isn't JSON is one bad item: reading goes on behind it, at the next one that can be read.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, TextIO

from proxy.importer.record import BARE, RESERVED, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CHUNK: Final = 1 << 18
"""Characters that are read at a time."""

MAX_ITEM: Final = 1 << 22
"""Characters of an item: the API takes 5 MiB for a whole batch."""

RAW: Final = "_raw"
"""Where a failed file has what could not be read."""

TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
SPACE: Final = re.compile(r"[ \t\r\n]*")
ITEM_LINE: Final = re.compile(r"\n[ \t]*(?=\{)")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)
UNREADABLE: Final = (ValueError, RecursionError)


class NoItems(Exception):
    """The document holds no list of items."""


@dataclass(frozen=True, slots=True)
class JsonLines:
    """An item a line."""

    @property
    def title(self) -> str:
        """What it is, for people."""
        return "JSON lines"

    def read(self, text: TextIO) -> Iterator[Record]:
        """The items; empty lines are none."""
        number = 0
        while line := text.readline(MAX_ITEM):
            number += 1
            if len(line) == MAX_ITEM and not line.endswith("\n"):
                while (rest := text.readline(MAX_ITEM)) and not rest.endswith("\n"):
                    pass
                yield Record(number, broken=f"is longer than {MAX_ITEM:,} characters", raw=line[:CHUNK])
                continue
            stripped = line.strip()
            if not stripped:
                continue
            try:
                value, end = _DECODER.raw_decode(stripped)
            except UNREADABLE as error:
                yield Record(number, broken=_complaint(error), raw=stripped)
                continue
            if end != len(stripped):
                yield Record(number, broken="holds more than one JSON item", raw=stripped)
            else:
                yield _record(number, value)

    def writer(self, file: TextIO, more: Sequence[str]) -> Callable[[Record, Sequence[object]], None]:
        """Writes records, an item a line, with ``more`` keys before its own; see ``Table.writer``."""

        def write(record: Record, values: Sequence[object]) -> None:
            fields = {RAW: record.raw} if record.broken else record.fields
            kept = {name: value for name, value in fields.items() if name not in RESERVED}
            # Surrogates, should there be any, are escaped.
            file.write(json.dumps(dict(zip(more, values, strict=True)) | kept) + "\n")

        return write


@dataclass(frozen=True, slots=True)
class JsonDocument(JsonLines):
    """One document: an array of items, or an object that holds it.

    Attributes:
        names: of the array in such an object.
    """

    names: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is, for people."""
        return "a JSON document"

    def read(self, text: TextIO) -> Iterator[Record]:
        """The items, in order.

        Raises:
            NoItems: there is no such array.
        """
        window = _Window(text)
        start = window.peek()
        if start == "[":
            yield from window.items()
        elif start == "{":
            yield from self._held(window)
        else:
            raise NoItems("is neither an array nor an object of JSON")
        if window.peek():
            yield Record(window.line, broken="something follows the end of the document", raw=window.rest())

    def _held(self, window: _Window) -> Iterator[Record]:
        window.skip()
        found = False
        while window.peek() not in {"}", ""}:
            key = window.value()
            if not isinstance(key, str) or window.peek() != ":":
                raise NoItems(f"is no JSON from line {window.line} on")
            window.skip()
            wanted = key in self.names
            if window.peek() == "[":
                for record in window.items():
                    if wanted:
                        found = True
                        yield record
                found = found or wanted
            elif window.value() is _BROKEN:
                raise NoItems(f"is no JSON from line {window.line} on")
            if window.peek() == ",":
                window.skip()
        if not found:
            raise NoItems(f"holds no list named {' or '.join(self.names)}")
        if window.peek() == "}":
            window.skip()
        else:
            yield Record(window.line, broken="the document ends too early", raw="")


_BROKEN: Final = object()


class _Window:
    """A part of the document, which moves along it.

    Attributes:
        buffer: the part. at: where reading is in it.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._line = 1
        self._counted = 0
        self.buffer = ""
        self.at = 0

    @property
    def line(self) -> int:
        """On which reading is."""
        self._line += self.buffer.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def more(self) -> bool:
        """Moves on; False at the document's end."""
        chunk = self._text.read(CHUNK)
        if chunk:
            _ = self.line
            self.buffer = self.buffer[self.at :] + chunk
            self.at = self._counted = 0
        return bool(chunk)

    def peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            match = SPACE.match(self.buffer, self.at)
            assert match is not None
            self.at = match.end()
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self.more():
                return ""

    def skip(self) -> None:
        """One character on."""
        self.at += 1

    def rest(self) -> str:
        """The beginning of what is left; nothing is left then."""
        found = self.buffer[self.at : self.at + CHUNK]
        while self.more():
            self.at = len(self.buffer)
        self.at = len(self.buffer)
        return found

    def value(self) -> Any:
        """The next value; ``_BROKEN`` where it is none, and reading stays there."""
        while True:
            try:
                found, end = _DECODER.raw_decode(self.buffer, self.at)
            except UNREADABLE:
                end = -1
            if end >= 0 and (end < len(self.buffer) or not self._grow()):
                self.at = end
                return found
            if end < 0 and (self._extent() is not None or not self._grow()):
                return _BROKEN

    def items(self) -> Iterator[Record]:
        """The items of the array that begins here."""
        self.skip()
        while (start := self.peek()) != "]":
            if not start:
                yield Record(self.line, broken="the document ends too early", raw="")
                return
            if start == ",":
                self.skip()
                continue
            line = self.line
            found = self.value()
            if found is _BROKEN:
                yield Record(line, broken=self._complaint(), raw=self._pass_by())
            else:
                yield _record(line, found)
        self.skip()

    def _grow(self) -> bool:
        """More of an item that doesn't end in the buffer, unless it is too long already."""
        return len(self.buffer) - self.at < MAX_ITEM and self.more()

    def _extent(self, at: int | None = None) -> int | None:
        """Where the value ends by its brackets and quotes alone; None if that isn't in the buffer."""
        depth = 0
        for token in TOKEN.finditer(self.buffer, self.at if at is None else at):
            mark = token[0][0]
            if mark in "[{":
                depth += 1
            elif mark in "]}":
                depth -= 1
                if depth < 0:
                    return token.start()
            elif mark == "," and depth == 0:
                return token.start()
        return None

    def _pass_by(self) -> str:
        """Goes behind a value that can't be read, and returns it."""
        begin = self.at
        end = self._extent()
        if end is None or not self._readable_behind(end):
            for line in ITEM_LINE.finditer(self.buffer, begin + 1):
                if self._reads(line.end()):
                    end = line.end()
                    break
        if end is None:
            return self.rest()
        self.at = end
        return self.buffer[begin:end].rstrip(" \t\r\n,")

    def _readable_behind(self, end: int) -> bool:
        match = SPACE.match(self.buffer, end + 1)
        assert match is not None
        behind = match.end()
        return self.buffer[end] == "]" or behind == len(self.buffer) or self._reads(behind)

    def _reads(self, at: int) -> bool:
        """Whether an item can be read there, or may be once more of it is here."""
        try:
            found, _ = _DECODER.raw_decode(self.buffer, at)
        except UNREADABLE:
            return self._extent(at) is None
        return isinstance(found, dict)

    def _complaint(self) -> str:
        try:
            _DECODER.raw_decode(self.buffer, self.at)
        except UNREADABLE as error:
            return _complaint(error)
        return "is no JSON"


def _record(line: int, value: Any) -> Record:
    if isinstance(value, dict):
        return Record(line, value)
    if isinstance(value, str | int) and not isinstance(value, bool):
        return Record(line, {BARE: value})
    return Record(line, broken="is no JSON object", raw=json.dumps(value))


def _complaint(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is no JSON: {error.msg[:1].lower()}{error.msg[1:]}"
    return (
        "is no JSON: it is nested too deep" if isinstance(error, RecursionError) else f"is no JSON: {error}"
    )
