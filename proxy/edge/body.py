"""A request's body: bytes in, content out, and what follows it.

Both framings of RFC 9112, 6 have the same shape: ``feed`` appends content to a list, without copying where it
can, and returns what is not the body's any more. The shop gets the content in a framing of our own, so a
trick in the client's framing ends here.
"""

from __future__ import annotations

import re
from typing import Final

from proxy.edge.head import FIELD_LINE, diagnose_field, refuse
from proxy.edge.limits import CHUNK_LINE_BYTES, TRAILER_BYTES

# No white space, no sign, no "0x"; fifteen digits stay below 2**63 (RFC 9112, 7.1).
_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15}+)(?:;[\t -~\x80-\xff]*+)?+")


class LengthBody:
    """A body with ``Content-Length``.

    Args:
        length: bytes, above 0.
    """

    __slots__ = ("_remaining", "ended")

    def __init__(self, length: int) -> None:
        self._remaining = length
        self.ended = False

    def feed(self, data: bytes, into: list[bytes]) -> bytes:
        """Append content to ``into`` and return what follows the body, b"" before its end."""
        surplus = len(data) - self._remaining
        if surplus < 0:
            self._remaining = -surplus
            into.append(data)
            return b""
        self.ended = True
        if not surplus:
            into.append(data)
            return b""
        into.append(data[: self._remaining])
        return data[self._remaining :]


class ChunkedBody:
    """A body with ``Transfer-Encoding: chunked`` (RFC 9112, 7.1). Extensions and trailers are dropped.

    Args:
        limit: bytes of content, or None.
    """

    __slots__ = ("_held", "_limit", "_remaining", "_total", "_trailers", "ended")

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._total = 0
        self._remaining = 0  # bytes of the chunk to come, its CRLF counted: 0 before a size line
        self._held = b""  # an unfinished line
        self._trailers = -1  # bytes of the trailer section so far; -1 before the last chunk
        self.ended = False

    def feed(self, data: bytes, into: list[bytes]) -> bytes:
        """Append content to ``into`` and return what follows the body, b"" before its end.

        Raises:
            RequestRefused: 400 where the framing is not RFC 9112's to the byte, 413 beyond the limit.
        """
        if self._held:
            data = self._held + data
            self._held = b""
        at = 0
        while at < len(data):
            if self._remaining:
                at = self._content(data, at, into)
                continue
            end = data.find(b"\n", at)
            limit = CHUNK_LINE_BYTES if self._trailers < 0 else TRAILER_BYTES
            if end < 0:
                if len(data) - at >= limit:
                    refuse("chunk")
                self._held = data[at:]
                break
            if end - at >= limit:
                refuse("chunk")
            line = data[at : end + 1]
            at = end + 1
            if self._trailers < 0:
                self._size_line(line)
            elif line == b"\r\n":
                self.ended = True
                return data[at:]
            else:
                self._trailer(line)
        return b""

    def _size_line(self, line: bytes) -> None:
        if not line.endswith(b"\r\n"):
            refuse("bare-lf")
        match = _CHUNK_LINE.fullmatch(line, 0, len(line) - 2)
        if match is None:
            refuse("chunk")
        size = int(match[1], 16)
        if not size:
            self._trailers = 0
            return
        self._total += size
        if self._limit is not None and self._total > self._limit:
            refuse("body-too-large", 413)
        self._remaining = size + 2

    def _content(self, data: bytes, at: int, into: list[bytes]) -> int:
        """Take what there is of a chunk's content and its CRLF; return where it stopped."""
        stop = min(at + self._remaining, len(data))
        content = min(self._remaining - 2, stop - at)
        if content > 0:
            into.append(data[at : at + content])
            self._remaining -= content
            at += content
        ending = data[at:stop]
        if ending and ending != b"\r\n"[2 - self._remaining :][: len(ending)]:
            refuse("chunk")
        self._remaining -= len(ending)
        return stop

    def _trailer(self, line: bytes) -> None:
        self._trailers += len(line)
        if self._trailers > TRAILER_BYTES:
            refuse("head-too-large", 431)
        if FIELD_LINE.fullmatch(b"\n" + line, 1) is None:
            diagnose_field(line[:-1])
            refuse("field-value")
