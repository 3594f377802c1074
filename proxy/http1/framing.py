"""Where a response's body ends: three decoders without I/O (RFC 9112, 6 and 7).

Each takes bytes as they come, appends body bytes to a list and says what lies beyond the end. llhttp
decodes bodies too, but doesn't tell *where* a message ended and skips stray line breaks after it;
bytes after the end are how a desynchronized connection shows itself, so the end is found here, exactly.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from proxy.http1.head import BARE_LF, FramingError, parse_fields

if TYPE_CHECKING:
    from proxy.http1.message import Headers

MAX_CHUNK_LINE = 1024
"""Size and extensions of one chunk: extensions are all but unused; signed-chunk schemes need ~100."""

_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t -~\x80-\xff]*)?")
_CRLF = b"\r\n"

_SIZE, _DATA, _DATA_END, _TRAILER, _ENDED = range(5)
"""What a chunked body expects next."""


class Body(Protocol):
    """What the three decoders have in common."""

    def feed(self, data: bytes, out: list[bytes]) -> bytes | None:
        """Takes what came, appends body bytes to ``out``.

        Returns:
            None while the body goes on; at its end what came after it, ``b""`` if nothing did.

        Raises:
            FramingError: this is no body of its kind.
        """
        ...


class LengthBody:
    """``Content-Length`` bytes, more than 0 (RFC 9112, 6.2)."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    def feed(self, data: bytes, out: list[bytes]) -> bytes | None:
        """See :class:`Body`."""
        size, left = len(data), self._left
        if size <= left:
            self._left = left - size
            if size:
                out.append(data)
            return None if size < left else b""
        self._left = 0
        out.append(data[:left])
        return data[left:]


class UntilClose:
    """All that comes until the server closes; the connection judges that end (RFC 9112, 6.3, 8)."""

    __slots__ = ()

    def feed(self, data: bytes, out: list[bytes]) -> bytes | None:
        """See :class:`Body`; never ends by itself."""
        if data:
            out.append(data)
        return None


class ChunkedBody:
    """``Transfer-Encoding: chunked``, strictly (RFC 9112, 7.1).

    Args:
        max_trailers: bytes of the trailer section.
        max_fields: its field lines.

    Attributes:
        trailers: the trailer fields, complete when the body has ended.
    """

    __slots__ = ("_left", "_max_fields", "_max_trailers", "_partial", "_step", "trailers")

    def __init__(self, max_trailers: int, max_fields: int) -> None:
        self.trailers: Headers = []
        self._max_trailers = max_trailers
        self._max_fields = max_fields
        self._partial = b""  # the beginning of a line, or of the trailer section
        self._left = 0  # bytes of the current chunk that are still to come
        self._step = _SIZE

    def feed(self, data: bytes, out: list[bytes]) -> bytes | None:
        """See :class:`Body`. One joined piece per call: many small chunks make no heap of objects."""
        if self._partial:
            data = self._partial + data
            self._partial = b""
        pieces: list[bytes] = []
        at = 0
        end = len(data)
        while at < end and self._step != _ENDED:
            if self._step == _DATA:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._step = _DATA_END
                continue
            if self._step == _SIZE:
                line = self._size(data, at)
            elif self._step == _DATA_END:
                line = self._data_end(data, at)
            else:
                line = self._trailer(data, at)
            if not line:
                self._partial = data[at:]
                break
            at += line
        if pieces:
            out.append(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        return data[at:] if self._step == _ENDED else None

    # Each of these takes one line (or the trailer section) at ``at``, sets the next step and returns
    # the bytes taken: 0 if it isn't complete yet.

    def _size(self, data: bytes, at: int) -> int:
        line_end = data.find(_CRLF, at, at + MAX_CHUNK_LINE)
        if line_end < 0:
            if len(data) - at >= MAX_CHUNK_LINE:
                raise FramingError("chunk extension too large")
            if data.find(b"\n", at) >= 0:
                raise FramingError("bare line feed after a chunk size")
            return 0
        match = _CHUNK_LINE.fullmatch(data, at, line_end)
        if match is None:
            raise FramingError("invalid chunk size")
        self._left = int(match[1], 16)
        self._step = _DATA if self._left else _TRAILER
        return line_end + 2 - at

    def _data_end(self, data: bytes, at: int) -> int:
        if data.startswith(_CRLF, at):
            self._step = _SIZE
            return 2
        if data[at:] != b"\r":
            raise FramingError("chunk data longer than its size")
        return 0

    def _trailer(self, data: bytes, at: int) -> int:
        if data.startswith(_CRLF, at):
            self._step = _ENDED
            return 2
        section_end = data.find(b"\r\n\r\n", at, at + self._max_trailers)
        if section_end < 0:
            if len(data) - at >= self._max_trailers:
                raise FramingError("trailers too large")
            if BARE_LF.search(data, at):
                raise FramingError("bare line feed in trailers")
            return 0
        self.trailers = parse_fields(data[at : section_end + 4], self._max_fields)
        self._step = _ENDED
        return section_end + 4 - at
