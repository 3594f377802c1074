"""Where records come from: a file, plain or gzipped, or standard input.

A source is read more than once (what it is, whether it is right, then to send it), so standard input is
written down first.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, TextIO

from proxy.errors import SettingsError
from proxy.importer.charset import CharsetGuess

if TYPE_CHECKING:
    from collections.abc import Callable

STDIN: Final = "-"

BLOCK: Final = 1 << 20
"""Bytes that are read at a time."""

GZIP: Final = b"\x1f\x8b"
ZIP: Final = b"PK\x03\x04"

UNREADABLE = (OSError, EOFError, zlib.error)
"""What a damaged gzip file or a disk raises."""


@dataclass(slots=True)
class Source:
    """A file that was looked at once.

    Attributes:
        name: as messages call it.
        path: where it is; None for standard input.
        digest: of its content, unpacked.
        encoding: how it spells its letters.
        ragged: whether some bytes may not fit the encoding.
    """

    name: str
    path: Path | None
    digest: bytes
    encoding: str
    ragged: bool
    _file: io.FileIO

    def open_text(self, newline: str | None = "") -> TextIO:
        """Its text from the beginning; bytes that don't fit are lone surrogates (PEP 383).

        Args:
            newline: as ``open`` has it; a table keeps its line ends, JSON doesn't.
        """
        errors = "surrogateescape" if self.ragged else "strict"
        return io.TextIOWrapper(_unpacked(self._file), self.encoding, errors, newline=newline)

    def close(self) -> None:
        """Lets the file go."""
        self._file.close()


def open_source(
    name: str, *, stdin: IO[bytes], spool: Path, encoding: str | None = None, tick: Callable[[int], None]
) -> Source:
    """Opens a file and reads it once, to know it again and to find out its encoding.

    Args:
        name: a path, or ``-``.
        stdin: what ``-`` means.
        spool: folder for a copy of standard input, which goes when it is closed.
        encoding: if it is known.
        tick: called with the bytes read so far.

    Raises:
        SettingsError: it can't be read, or it is nothing to import.
    """
    shown = "standard input" if name == STDIN else name
    try:
        file = _spooled(stdin, spool) if name == STDIN else io.FileIO(name)
    except OSError as error:
        problem, mend = f"can't be read: {error.strerror}", "Check its name."
        if name == STDIN:  # a pipe can be read; its copy may find no room
            problem = f"can't be copied into {spool}: {error.strerror}"
            mend = "Make room there, or name another state_dir. Nothing was sent."
        raise SettingsError(shown, problem, mend) from None
    try:
        return _known(file, shown, None if name == STDIN else Path(name), encoding, tick)
    except UNREADABLE as error:
        file.close()
        raise SettingsError(shown, f"can't be read: {error}", "Is the file whole? Make it again.") from None
    except BaseException:
        file.close()
        raise


def _known(
    file: io.FileIO, shown: str, path: Path | None, encoding: str | None, tick: Callable[[int], None]
) -> Source:
    head = file.read(len(ZIP))
    if head == ZIP:
        problem = "is a spreadsheet or a zip archive, not a text"
        raise SettingsError(shown, problem, "Save it as CSV, or unpack it.")
    digest = hashlib.blake2b(digest_size=16)
    guess = CharsetGuess()
    with _unpacked(file) as data:
        while block := data.read(BLOCK):
            digest.update(block)
            if encoding is None:
                guess.feed(block)
            tick(file.tell())
    found = encoding or guess.result()
    ragged = guess.ragged if encoding is None else True
    return Source(shown, path, digest.digest(), found, ragged, file)


def _unpacked(file: io.FileIO) -> IO[bytes]:
    """A stream of its own over the file, from the beginning; closing it leaves the file open."""
    file.seek(0)
    packed = file.read(len(GZIP)) == GZIP
    file.seek(0)
    if packed:
        return io.BufferedReader(gzip.GzipFile(fileobj=file), BLOCK)
    return open(file.fileno(), "rb", buffering=BLOCK, closefd=False)


def _spooled(stdin: IO[bytes], folder: Path) -> io.FileIO:
    folder.mkdir(parents=True, exist_ok=True)
    file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  the source closes it
    with open(file.fileno(), "wb", closefd=False) as copy:
        shutil.copyfileobj(stdin, copy, BLOCK)
    return file
