"""A response's head: bytes in, typed and checked out (RFC 9112, 2 to 6). No I/O.

httptools (llhttp) checks tokens, line ends and field values at C speed. What it lets through and
RFC 9112 does not, or what two parsers could read differently, is refused here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from msgspec import Struct
from msgspec.structs import replace

from proxy.remember import Recent

if TYPE_CHECKING:
    from proxy.http1.message import Headers

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([\t -~\x80-\xff]*))?\r\n")
_START = b"HTTP/1."
_DATE = re.compile(
    rb"\r\n[Dd]ate: ([A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT)\r\n"
)

_REMEMBERED = 512
"""Heads remembered but for their date: those of a shop's pictures and scripts, and of its pages where they
are chunked. With what they become, about 4 MB."""

_REMEMBERED_BYTES = 4096
"""Of such a head."""
_LENGTHLESS = frozenset({101, 204})
_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"connection"))
BARE_LF = re.compile(rb"(?<!\r)\n")


Shape = tuple[bytes, bytes]


class FramingError(ValueError):
    """Not HTTP/1.1; the message says what is wrong, without quoting the peer's bytes."""


class ResponseHead(Struct, frozen=True):
    """A response's status line and fields; shared by responses that say the same, so never changed.

    Attributes:
        status: 100 to 999.
        reason: the reason phrase as received.
        headers: lower-case names, order and repeats kept.
        length: the ``Content-Length``; None without one, and where it would mean nothing (RFC 9110, 8.6).
        chunked: framed by ``Transfer-Encoding: chunked``.
        persistent: the server would keep the connection open (RFC 9112, 9.3).
        shape: its bytes before and after the date's value: heads of one shape differ in nothing but that.
            None where it came for the first time, has no date, or is long.
        date: the value of its Date, where it has a shape.
    """

    status: int
    reason: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    length: int | None
    chunked: bool
    persistent: bool
    shape: Shape | None = None
    date: bytes = b""


_heads: Recent[Shape, tuple[ResponseHead, int]] = Recent(_REMEMBERED)
_dated: Recent[bytes, ResponseHead] = Recent(_REMEMBERED)
"""The same with their date: of the many that come within a second."""


class _Fields:
    """Receives httptools' callbacks."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        self.lines: Headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.lines.append((name.lower(), value.rstrip(b" \t")))


def check_start(data: bytes | bytearray, new: int) -> None:
    """Refuses early what can't become a head, instead of waiting for its end.

    Args:
        data: the head so far.
        new: where the bytes begin that came last.
    """
    if data[: len(_START)] != _START[: len(data)]:
        raise FramingError("not an HTTP/1.1 response")
    if BARE_LF.search(data, new):
        raise FramingError("bare line feed in the head")


def parse_fields(section: bytes, max_fields: int) -> Headers:
    """Parses field lines with their final empty line: a trailer section.

    Raises:
        FramingError: a line is no field line, or there are too many.
    """
    return _parse(b"HTTP/1.1 200 OK\r\n" + section, max_fields)


def parse_head(head: bytes, max_fields: int) -> ResponseHead:
    """Parses a complete head, from the status line to the empty line.

    A head that differs from an earlier one in its date alone isn't read again: a date of the usual form
    means the same to every parser, whichever it is.

    Raises:
        FramingError: it is not one that every parser would read alike.
    """
    same = _dated.get(head)
    if same is not None and len(same.headers) <= max_fields:
        return same
    dated = _DATE.search(head) if len(head) <= _REMEMBERED_BYTES else None
    if dated is None:
        return _read(head, max_fields)
    begin, end = dated.span(1)
    date = head[begin:end]
    shape = head[:begin], head[end:]
    found = _heads.get(shape)
    if found is None:
        parsed = _read(head, max_fields)
        if not _heads.again(shape):
            return parsed
        at = head.count(b"\n", 0, begin) - 1  # each field is one line
        if parsed.headers[at : at + 1] != ((b"date", date),):
            return parsed  # no connection cuts a head like this
        found = _heads.keep(shape, (replace(parsed, shape=shape), at))
    known, at = found
    if len(known.headers) > max_fields:
        raise FramingError(f"more than {max_fields} fields")
    headers = (*known.headers[:at], (b"date", date), *known.headers[at + 1 :])
    return _dated.keep(head, replace(known, headers=headers, date=date))


def _read(head: bytes, max_fields: int) -> ResponseHead:
    line = _STATUS_LINE.match(head)
    if line is None:
        raise FramingError("invalid status line")
    headers = _parse(head, max_fields)
    status = int(line[2])
    length: int | None = None
    chunked = closes = False
    persistent = line[1] == b"1"
    for name, value in headers:
        if name not in _FRAMING:
            continue
        if name == b"content-length":
            length = int(value)  # llhttp has refused a second one, and all but digits
        elif name == b"transfer-encoding":
            if chunked or value.lower() != b"chunked":
                raise FramingError("a transfer coding other than chunked")
            if line[1] == b"0":
                raise FramingError("Transfer-Encoding in an HTTP/1.0 response")
            chunked = True
        else:
            options = [option.strip(b" \t") for option in value.lower().split(b",")]
            closes = closes or b"close" in options
            persistent = persistent or b"keep-alive" in options
    if status in _LENGTHLESS:
        length = None
    return ResponseHead(status, line[3] or b"", tuple(headers), length, chunked, persistent and not closes)


def _parse(head: bytes, max_fields: int) -> Headers:
    fields = _Fields()
    try:
        HttpResponseParser(fields).feed_data(head)
    except HttpParserUpgrade:
        pass  # a 101's head is complete; what follows is no longer HTTP
    except HttpParserError as error:
        raise FramingError(f"malformed head: {error}") from error
    if len(fields.lines) > max_fields:
        raise FramingError(f"more than {max_fields} fields")
    return fields.lines
