"""Requests as the caller gives them, and their bytes; complete answers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator  # noqa: TC003  # msgspec may resolve annotations at run time

from msgspec import Struct

Headers = list[tuple[bytes, bytes]]
"""Field lines in order, repeats kept, names in lower case."""

_OURS = frozenset(
    (b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"keep-alive", b"proxy-connection")
)
"""Framing and connection fields: only the client writes them, so they can't contradict its framing."""

_SPECIAL = _OURS | {b"expect", b"host"}

_REQUEST_LINE = re.compile(rb"[^\x00-\x20\x7f]++ [^\x00-\x20\x7f]++ HTTP/1\.1\r\n")
_VALUE = re.compile(rb"[^\x00\r\n]*")

_BODY_EXPECTED = frozenset((b"POST", b"PUT", b"PATCH"))
"""Methods that say ``content-length: 0`` when there is no body (RFC 9110, 8.6)."""

_IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))
"""RFC 9110, 9.2.2: sending one twice has the effect of sending it once."""


class Request(Struct):
    """One request to the pool's origin.

    Attributes:
        method: as it goes on the wire.
        target: sent byte for byte: ``/a%2Fb?q=1``.
        headers: lower-case names, with exactly one ``host``. Fields of framing and connection are the
            client's own and refused here. Trailers of a chunked request are not forwarded.
        body: all of it, or an iterator that is read as fast as the peer takes it.
        content_length: of an iterator's body; None sends it chunked.
        upgrade: the ``Upgrade`` field's value; ``Connection: upgrade`` goes with it.
    """

    method: bytes
    target: bytes
    headers: Headers
    body: bytes | AsyncIterator[bytes] | None = None
    content_length: int | None = None
    upgrade: bytes | None = None

    @property
    def replayable(self) -> bool:
        """Whether it may be sent again after a connection died without an answer (RFC 9112, 9.3.1)."""
        return self.body is None and self.upgrade is None and self.method in _IDEMPOTENT


class Head(Struct):
    """A request's head as it goes on the wire.

    Attributes:
        data: request line, fields and the empty line.
        chunked: the body is to be sent in chunks.
        expects: the body waits for ``100 Continue``.
    """

    data: bytes
    chunked: bool
    expects: bool


class Answer(Struct):
    """A complete response: what :meth:`Pool.fetch` gives back."""

    status: int
    headers: Headers
    body: bytes


class Fields(Struct, frozen=True):
    """A request's field lines as they go on the wire, without those of framing and connection.

    Attributes:
        data: the lines.
        expects: one of them expects ``100 Continue``.
    """

    data: bytes
    expects: bool


def serialize_fields(headers: Headers) -> Fields:
    """Writes field lines.

    Raises:
        ValueError: the request would not be one unambiguous HTTP/1.1 request.
    """
    parts: list[bytes] = []
    hosts = 0
    expects = False
    for name, value in headers:
        if name in _SPECIAL:
            if name == b"host":
                hosts += 1
            elif name == b"expect":
                expects = value.lower() == b"100-continue"
            else:
                raise ValueError(f"the field {name.decode('latin-1')} is written by the client")
        parts += (name, b": ", value, b"\r\n")
    data = b"".join(parts)
    # A line break inside a name or a value would begin a line of its own: one count over the finished
    # lines finds each of them.
    if data.count(b"\n") != len(headers) or data.count(b"\r") != len(headers) or b"\0" in data:
        raise ValueError("a control character in the request's head")
    if hosts != 1:
        raise ValueError("a request has exactly one host field")
    return Fields(data, expects)


def request_line(method: bytes, target: bytes) -> bytes:
    """Writes the request line (RFC 9112, 3).

    Raises:
        ValueError: one of them is not one word.
    """
    line = b"%b %b HTTP/1.1\r\n" % (method, target)
    if _REQUEST_LINE.fullmatch(line) is None:
        raise ValueError("method and target are one word each, without a control character")
    return line


def serialize_head(request: Request) -> Head:
    """Writes the head of ``request`` and decides how its body is framed (RFC 9112, 3 and 6).

    Raises:
        ValueError: the request would not be one unambiguous HTTP/1.1 request.
    """
    line = request_line(request.method, request.target)
    fields = serialize_fields(request.headers)
    upgrade = b""
    if request.upgrade is not None:
        if _VALUE.fullmatch(request.upgrade) is None:
            raise ValueError("a control character in the request's head")
        upgrade = b"connection: upgrade\r\nupgrade: %b\r\n" % request.upgrade
    framing, chunked = _framing(request)
    data = b"".join((line, fields.data, upgrade, framing, b"\r\n"))
    return Head(data, chunked, fields.expects and request.body is not None)


def _framing(request: Request) -> tuple[bytes, bool]:
    """The framing field line and whether the body is chunked."""
    body, length = request.body, request.content_length
    if body is None or isinstance(body, bytes):
        size = len(body) if body is not None else 0
        if length is not None and length != size:
            raise ValueError(f"content_length is {length}, the body has {size} bytes")
        if body is None and length is None and request.method not in _BODY_EXPECTED:
            return b"", False
        return b"content-length: %d\r\n" % size, False
    if length is None:
        return b"transfer-encoding: chunked\r\n", True
    if length < 0:
        raise ValueError("content_length is negative")
    return b"content-length: %d\r\n" % length, False
