"""The files of an import, opened and understood: what they are, what they hold, what of it can be sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from proxy.errors import SettingsError
from proxy.importer.columns import Columns, Wishes, find_columns, is_line, listed
from proxy.importer.duplicates import Duplicates
from proxy.importer.failed import failed_path, write_failed
from proxy.importer.formats import Format, NoItems, Table
from proxy.importer.guide import CATEGORY, GUIDE, LINE_REQUIRED, Resource, Verb
from proxy.importer.items import Shape
from proxy.importer.platforms import Platform, find_platform
from proxy.importer.source import UNREADABLE, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from proxy.importer.amounts import Point
    from proxy.importer.items import Bundle, Item
    from proxy.importer.journal import Journal
    from proxy.importer.platforms import Index
    from proxy.importer.record import Record

RULES: Final = 2
"""Of how files are read: items that another version has counted are not gone on with."""

LOOKED_AT: Final = 1_000
"""Records of a JSON file whose keys are taken for its columns."""

SHOWN_PROBLEMS: Final = 20
"""Bad items that are told; the failed file has all of them."""

SAMPLE: Final = 3
"""Items that a dry run shows."""

NOTED: Final = 1_000
"""Bad items that are noted in the journal at a time."""

BY_ITSELF: Final = frozenset({"variant_id"})
"""What is required, but has a constant where a file has nothing."""


@dataclass(slots=True)
class File:
    """One file.

    Attributes:
        columns: which is which field; of an export, those that the user names.
        platform: the export, if it is a known one.
    """

    source: Source
    form: Format
    columns: Columns
    platform: Platform | None
    shape: Shape

    def records(self) -> Iterator[Record]:
        """What is in it, from the beginning.

        Raises:
            SettingsError: it can't be read to its end.
        """
        return read_records(self.source, self.form)

    def bundles(self) -> Iterator[Bundle]:
        """What its items are made of, from the beginning."""
        if self.platform is not None and self.platform.indexes and not self.shape.index:
            self.shape.learn(self.records())
        self.shape.skipped.clear()
        return self.shape.bundles(self.records())

    def items(self) -> Iterator[Item]:
        """The items in it, from the beginning."""
        return map(self.shape.item, self.bundles())


def read_records(source: Source, form: Format) -> Iterator[Record]:
    """What a file holds.

    Raises:
        SettingsError: it can't be read to its end.
    """
    try:
        with source.open_text("" if isinstance(form, Table) else None) as text:
            for record in form.read(text):
                if source.ragged and not record.broken:
                    _check_letters(record, source.encoding)
                yield record
    except NoItems as error:
        raise SettingsError(source.name, str(error), "See docs/import.md for what is read.") from None
    except UnicodeError as error:
        raise SettingsError(
            source.name, f"is not {source.encoding}: {error}", "Say its --encoding."
        ) from None
    except UNREADABLE as error:
        raise SettingsError(source.name, f"can't be read: {error}", "Make it again.") from None


def _check_letters(record: Record, encoding: str) -> None:
    for name, value in record.fields.items():
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                record.broken = f"{name}: holds bytes that are not {encoding}"
                record.raw = [str(cell) for cell in record.fields.values()]
                return


def understand(
    source: Source,
    form: Format,
    resource: Resource,
    verb: Verb,
    *,
    wishes: Wishes,
    platform: str | None = None,
    point: Point | None = None,
    catalogue: Index | None = None,
) -> File:
    """Finds out what the columns of a file mean.

    Args:
        source: the file.
        form: its format.
        resource: what it holds.
        verb: what becomes of it.
        wishes: what the user says about columns.
        platform: of which it is an export; "none" for of none; None finds it out.
        point: what stands before the cents, if it is known.
        catalogue: the ids of products by what lines of orders call them, if there is one.

    Raises:
        SettingsError: what must be there isn't.
    """
    readable = True
    if isinstance(form, Table):
        names: Sequence[str] = form.header
    else:
        seen: dict[str, None] = {}
        broken = ""
        for record in islice(read_records(source, form), LOOKED_AT):
            seen.update(dict.fromkeys(record.fields))
            broken = broken or (record.broken and f"line {record.line}: {record.broken}")
        names = tuple(seen)
        if not names and broken:
            raise SettingsError(source.name, f"holds nothing that can be read; {broken}", "Make it again.")
        readable = bool(names)
    export = find_platform(resource, names, platform)
    columns = find_columns(resource, names, wishes, only_wishes=export is not None)
    if export is None and readable:  # an array without items needs no columns
        _check_columns(source, resource, verb, columns, wishes)
    shape = Shape(resource, verb, columns, export, wishes, point, catalogue)
    return File(source, form, columns, export, shape)


def _check_columns(source: Source, resource: Resource, verb: Verb, columns: Columns, wishes: Wishes) -> None:
    spec = GUIDE[resource]
    there = {target for _, target in columns.plan} | wishes.fill.keys()
    if CATEGORY in there:
        there |= {"category_1"}
    required: Iterable[str] = spec.required if verb == "create" else spec.ids[:1]
    if resource == "orders" and verb == "create" and is_line(columns):
        required = (*required, *LINE_REQUIRED)
    missing = [name for name in required if name not in there and name not in BY_ITSELF]
    if missing:
        free = f"; columns that are not used: {listed(columns.unused)}" if columns.unused else ""
        raise SettingsError(
            source.name,
            f"has no column for {', '.join(missing)}{free}",
            f"Say --map COLUMN={missing[0]}, or --set {missing[0]}=TEXT for all.",
        )


def key_of(files: Sequence[File], *purpose: str, wishes: Wishes) -> str:
    """What an import is known by: the same files, read alike, for the same purpose.

    Args:
        files: in their order.
        purpose: what they hold, what becomes of it, and where; anything else on which items depend.
        wishes: what the user says about columns.
    """
    digest = blake2b(digest_size=12)
    said = [RULES, purpose, sorted(wishes.map.items()), sorted(wishes.fill.items())]
    for file in files:
        platform = file.platform.name if file.platform else None
        said += [file.source.digest.hex(), file.source.encoding, repr(file.form), platform, file.columns.plan]
    digest.update(repr(said).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Problem:
    """An item that can't be sent, or was refused."""

    file: str
    line: int
    reason: str


@dataclass(slots=True)
class Checked:
    """What reading the files has shown.

    Attributes:
        items: in all files. bad: those that can't be sent.
        problems: the first of them. sample: the first good ones.
        skipped: rows that are no items, by what they are.
    """

    items: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)
    sample: list[dict[str, Any]] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def check(files: Sequence[File], journal: Journal, watch: Callable[[Checked], None]) -> Checked:
    """Reads all files to their end, and notes what can't be sent.

    Args:
        files: in their order.
        journal: takes the notes.
        watch: called now and then with the state of things.

    Raises:
        SettingsError: a file can't be read to its end.
    """
    found = Checked()
    seen = Duplicates()
    shown: list[tuple[int, Problem]] = []
    with journal.checking():
        noted: list[tuple[int, str]] = []
        for number, file in enumerate(files):
            for item in file.items():
                if item.reason:
                    noted.append((found.items, item.reason))
                    if len(shown) < SHOWN_PROBLEMS:
                        shown.append((found.items, Problem(file.source.name, item.line, item.reason)))
                else:
                    seen.add(found.items, number, item.line, item.ids)
                    if len(found.sample) < SAMPLE:
                        found.sample.append(item.document)
                found.items += 1
                if len(noted) >= NOTED:
                    journal.note_bad(noted)
                    found.bad += len(noted)
                    noted.clear()
                if found.items % NOTED == 0:
                    watch(found)
            found.skipped.update(file.shape.skipped)
        for count, again in enumerate(seen.found()):
            where = "" if again.file == again.first_file else f" of {files[again.first_file].source.name}"
            reason = f"is there already, on line {again.first_line}{where}"
            noted.append((again.item, reason))
            if count < SHOWN_PROBLEMS:
                shown.append((again.item, Problem(files[again.file].source.name, again.line, reason)))
        journal.note_bad(noted)
        found.bad += len(noted)
        journal.note_items(found.items)
    found.problems = [problem for _, problem in sorted(shown, key=lambda one: one[0])[:SHOWN_PROBLEMS]]
    watch(found)
    return found


def sendable(files: Sequence[File], journal: Journal) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """The items that can be sent, each with its place in all files; after ``check``.

    Those that an earlier run has dealt with are None: nobody looks into them again.
    """
    bad = (place for place, _ in journal.bad())
    next_bad = next(bad, -1)
    place = 0
    for file in files:
        for bundle in file.bundles():
            if place == next_bad:
                next_bad = next(bad, -1)
            else:
                yield place, None if journal.is_done(place) else file.shape.item(bundle).document
            place += 1


def write_all_failed(files: Sequence[File], journal: Journal) -> tuple[list[Path], list[Problem]]:
    """Writes what failed of each file beside it.

    Returns:
        The files that were written, and the first items in them.

    Raises:
        SettingsError: one can't be written.
    """
    written: list[Path] = []
    problems: list[Problem] = []
    for file, failures in groupby(_failures(files, journal, problems), itemgetter(0)):
        path = failed_path(file.source, table=isinstance(file.form, Table))
        write_failed(path, file.source, file.form, ((bundle, reason) for _, bundle, reason in failures))
        written.append(path)
    return written, problems


def _failures(
    files: Sequence[File], journal: Journal, problems: list[Problem]
) -> Iterator[tuple[File, Bundle, str]]:
    """What failed of each file, and why, in order; the first of it is told in ``problems``, too."""
    failed = journal.failed()
    following = next(failed, None)
    place = 0
    for file in files:
        for bundle in file.bundles():
            if following is None:
                return
            failed_place, reason = following
            if failed_place == place:
                if len(problems) < SHOWN_PROBLEMS:
                    problems.append(Problem(file.source.name, bundle.records[0].line, reason))
                yield file, bundle, reason
                following = next(failed, None)
            place += 1
