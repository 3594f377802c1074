"""The file of failed items: as the file that was imported, with line and reason before each.

It is written when all is done, in one step, from the journal; so neither a kill nor going on makes it
hold an item twice or none. Once mended it is imported as it is: the two columns are read past.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from proxy.errors import SettingsError
from proxy.importer.record import RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.importer.formats import Format
    from proxy.importer.items import Bundle
    from proxy.importer.source import Source

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of writing that end when there is room."""

NUMBERED: Final = re.compile(r"\.failed(?:-(\d+))?$")


def failed_path(source: Source, *, table: bool) -> Path:
    """Where a source's failed items go: ``products.failed.csv`` beside ``products.csv``."""
    path = source.path or Path("stdin")
    name = path.name.removesuffix(".gz")
    stem = name.rpartition(".")[0] or name
    if match := NUMBERED.search(stem):  # what failed of a failed file doesn't overwrite it
        stem = f"{stem[: match.start()]}.failed-{int(match[1] or 1) + 1}"
    else:
        stem += ".failed"
    return path.with_name(f"{stem}.{'csv' if table else 'jsonl'}")


def write_failed(path: Path, source: Source, form: Format, failed: Iterable[tuple[Bundle, str]]) -> None:
    """Writes the file, in place of an earlier one, which is kept with a ``~``.

    Args:
        path: its name.
        source: the file whose items failed; the new one is spelled like it.
        form: its format, likewise.
        failed: items and why.

    Raises:
        SettingsError: it can't be written.
    """
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            errors = "surrogateescape" if source.encoding.startswith("utf-8") else "backslashreplace"
            with open(descriptor, "w", encoding=source.encoding, errors=errors, newline="") as file:  # noqa: PTH123  a descriptor
                write = form.writer(file, RESERVED)
                for bundle, reason in failed:
                    for record in bundle.records:
                        write(record, (record.line, reason))
                file.flush()
                os.fsync(file.fileno())
            Path(draft).chmod(0o666 & ~_umask())
            with suppress(FileNotFoundError):
                path.replace(path.with_name(f"{path.name}~"))
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        mend = "Import from a folder that you may write to."
        if error.errno in NO_ROOM:
            mend = "Make room on its disk."
        raise SettingsError(str(path), f"can't be written: {error.strerror}", mend) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
