"""A sitemap, a sitemap index or a list of addresses, plain or gzipped → its entries, as they are read.

Source: sitemaps.org, "Sitemaps XML format".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.parsers import expat

from proxy import coding

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SITEMAP: Final = 50 * 1024 * 1024
"""Bytes of one sitemap, unpacked (sitemaps.org)."""

MAX_LOC: Final = 2_048
"""Characters of an address (sitemaps.org); longer ones are left out."""

PIECE: Final = 64 * 1024
"""Bytes that are read at once: between two, other pages' answers are looked at."""

_GZIP: Final = b"\x1f\x8b"
_ENTRY: Final = {"urlset": "url", "sitemapindex": "sitemap"}
_FIELDS: Final = frozenset({"loc", "lastmod"})
_XML: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<")


class SitemapError(Exception):
    """It is no sitemap, a broken one, or beyond a limit. What was read before counts."""


class Entry(NamedTuple):
    """One address that a sitemap names.

    Attributes:
        url: as it stands there.
        lastmod: when it changed, as it stands there; None where nothing is said.
        nested: whether it is another sitemap.
    """

    url: str
    lastmod: str | None
    nested: bool


def read(body: bytes) -> Iterator[list[Entry]]:
    """Reads a sitemap piece by piece.

    Args:
        body: the file.

    Yields:
        The entries that the next piece held.

    Raises:
        SitemapError: see there.
    """
    size = 0
    reader: _Xml | _Text | None = None
    for piece in _unpacked(body):
        size += len(piece)
        if size > MAX_SITEMAP:
            raise SitemapError(f"is larger than {MAX_SITEMAP >> 20} MiB")
        if reader is None:
            reader = _Xml() if _XML.match(piece) else _Text()
        yield reader.feed(piece)
    if reader is None:
        raise SitemapError("is empty")
    yield reader.close()


def _unpacked(body: bytes) -> Iterator[bytes]:
    if not body.startswith(_GZIP):
        yield from (body[at : at + PIECE] for at in range(0, len(body), PIECE))
        return
    decoder = coding.decoder(b"gzip")
    try:
        yield from decoder.decode(body)
        decoder.close()
    except coding.CodingError as error:
        raise SitemapError(str(error)) from None


class _Text:
    """One address a line."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[Entry]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > MAX_LOC:
            raise SitemapError("is neither XML nor a list of addresses")
        return [entry for line in lines for entry in self._entry(line)]

    def close(self) -> list[Entry]:
        return self._entry(self._rest)

    @staticmethod
    def _entry(line: bytes) -> list[Entry]:
        url = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not url or len(url) > MAX_LOC:
            return []
        if not url.startswith((b"http://", b"https://")):
            raise SitemapError("is neither XML nor a list of addresses")
        return [Entry(url.decode("utf-8", "replace"), None, nested=False)]


class _Xml:
    """``urlset`` or ``sitemapindex``, in any namespace; extensions (images, languages) are skipped."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.EntityDeclHandler = self._refuse
        self._path: list[str] = []
        self._values: dict[str, str] = {}
        self._found: list[Entry] = []
        self._broken: SitemapError | None = None

    def feed(self, piece: bytes) -> list[Entry]:
        return self._parse(piece, last=False)

    def close(self) -> list[Entry]:
        return self._parse(b"", last=True)

    def _parse(self, piece: bytes, *, last: bool) -> list[Entry]:
        if self._broken is not None:
            raise self._broken
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            # What stands before the mistake counts: it is told with the next piece.
            self._broken = SitemapError(f"is broken: {error}")
            if last:
                raise self._broken from None
        found, self._found = self._found, []
        return found

    def _start(self, name: str, _attributes: object) -> None:
        local = name.rpartition(" ")[2]
        if not self._path and local not in _ENTRY:
            raise SitemapError(f"is no sitemap: it begins with <{local[:40]}>")
        self._path.append(local)
        if self._in_entry(2):
            self._values = {}

    def _end(self, _name: str) -> None:
        url = self._values.get("loc", "").strip()
        if self._in_entry(2) and 0 < len(url) <= MAX_LOC:
            lastmod = self._values.get("lastmod", "").strip()[:64] or None
            self._found.append(Entry(url, lastmod, nested=self._path[0] == "sitemapindex"))
        self._path.pop()

    def _text(self, text: str) -> None:
        if self._in_entry(3) and self._path[2] in _FIELDS:
            known = self._values.get(self._path[2], "")
            if len(known) <= MAX_LOC:
                self._values[self._path[2]] = known + text

    def _in_entry(self, depth: int) -> bool:
        return len(self._path) == depth and self._path[1] == _ENTRY[self._path[0]]

    def _refuse(self, *_: object) -> None:
        raise SitemapError("declares entities, which a sitemap has no use for")
