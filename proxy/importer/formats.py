"""What a file is: a table, a JSON document, or JSON lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal

from proxy.errors import SettingsError
from proxy.importer.columns import known_name
from proxy.importer.csvfile import Table, sniff_table
from proxy.importer.jsonfile import JsonDocument, JsonLines, NoItems

if TYPE_CHECKING:
    from proxy.importer.guide import Resource
    from proxy.importer.source import Source

Format = Table | JsonLines
FormatName = Literal["csv", "json", "jsonl"]

EXTENSIONS: Final[dict[str, FormatName]] = {
    "csv": "csv", "tsv": "csv", "txt": "csv", "jsonl": "jsonl", "ndjson": "jsonl",
}  # fmt: skip

USUAL_LISTS: Final = ("batch", "items", "data", "results", "rows")
"""Keys that hold the items, besides the resource's own name."""

PEEK: Final = 1 << 20
"""Characters of a first line that tell JSON lines from a document."""


def find_format(
    source: Source,
    resource: Resource,
    asked: FormatName | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
) -> Format:
    """Finds out what a file is.

    Args:
        source: the file.
        resource: what it holds.
        asked: the format, where the user says it.
        delimiter: between a table's cells, likewise.
        quote: around them, likewise.

    Raises:
        SettingsError: it is none that we read.
    """
    try:
        with source.open_text(None) as text:
            name = asked or _guess(source, text.read(PEEK))
        if name == "jsonl":
            return JsonLines()
        if name == "json":
            return JsonDocument((resource, *USUAL_LISTS))
        with source.open_text() as text:
            found = sniff_table(text, lambda column: known_name(resource, column), delimiter, quote)
    except UnicodeError as error:
        raise SettingsError(
            source.name, f"is not {source.encoding}: {error}", "Say its --encoding."
        ) from None
    if found is None:
        raise SettingsError(source.name, "is empty", "Is it the right file?")
    return found


def _guess(source: Source, start: str) -> FormatName:
    stripped = start.lstrip()
    suffixes = [] if source.path is None else [part.casefold() for part in source.path.suffixes]
    extension = next((suffix[1:] for suffix in reversed(suffixes) if suffix != ".gz"), "")
    if extension in EXTENSIONS and not (extension == "txt" and stripped[:1] in {"[", "{"}):
        return EXTENSIONS[extension]
    if stripped[:1] == "[":
        return "json"
    if stripped[:1] != "{":
        return "csv"
    # A whole object in the first line is one of many; or the object that holds them all.
    line = stripped.partition("\n")[0]
    try:
        first = json.loads(line)
    except (ValueError, RecursionError):
        return "json"
    holds = isinstance(first, dict) and any(isinstance(value, list) for value in first.values())
    return "json" if holds and not stripped[len(line) :].strip() else "jsonl"


__all__ = ["Format", "FormatName", "JsonDocument", "JsonLines", "NoItems", "Table", "find_format"]
