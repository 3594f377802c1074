"""One response as it comes in: bytes to 1xx heads, final head, body, end. No I/O.

The same bytes give the same outcome at every split, and nothing after the end goes unseen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.http1.framing import ChunkedBody, LengthBody, UntilClose
from proxy.http1.head import FramingError, check_start, parse_head

if TYPE_CHECKING:
    from proxy.http1.framing import Body
    from proxy.http1.head import ResponseHead
    from proxy.http1.limits import Limits
    from proxy.http1.message import Headers

AWAITING_HEAD, IN_BODY, ENDED, SWITCHED = range(4)
"""What :meth:`Inbound.feed` says: nothing final yet, body goes on, complete, no longer HTTP."""

_HEAD_END = b"\r\n\r\n"
_SWITCHING_PROTOCOLS, _OK, _NO_CONTENT, _NOT_MODIFIED = 101, 200, 204, 304


class Inbound:
    """The response to one request.

    Args:
        limits: of head, fields, trailers and 1xx responses.
        head_only: the request was HEAD: no body, whatever the head claims (RFC 9112, 6.3, 1).
        upgrade: the request asked for another protocol: 101 is an answer.
        max_body: bytes that the body may have; None for any.

    Attributes:
        informational: 1xx responses but 101, for the caller to take out.
        head: the final head, None until it is complete.
        chunks: body bytes, for the caller to take out.
        size: body bytes so far, taken out or not.
        trailers: complete at the end.
        persistent: after the end, whether the connection may carry another exchange.
        rest: what came after a 101's head.
    """

    __slots__ = (
        "_body",
        "_head_only",
        "_informational_left",
        "_limits",
        "_max_body",
        "_partial",
        "_upgrade",
        "chunks",
        "head",
        "informational",
        "persistent",
        "rest",
        "size",
        "trailers",
    )

    def __init__(
        self, limits: Limits, *, head_only: bool = False, upgrade: bool = False, max_body: int | None = None
    ) -> None:
        self.informational: list[ResponseHead] = []
        self.head: ResponseHead | None = None
        self.chunks: list[bytes] = []
        self.size = 0
        self.trailers: Headers = []
        self.persistent = False
        self.rest = b""
        self._limits = limits
        self._head_only = head_only
        self._upgrade = upgrade
        self._max_body = max_body
        self._informational_left = limits.max_informational
        self._partial: bytearray | None = None
        self._body: Body | None = None

    def feed(self, data: bytes) -> int:
        """Takes what came.

        Returns:
            one of the states above. After ENDED and SWITCHED nothing more is fed.

        Raises:
            FramingError: this is not, or no longer, a response that every parser would read alike.
        """
        if self._body is not None:
            return self._feed_body(self._body, data)
        while True:
            head, rest = self._take_head(data)
            if head is None:
                return AWAITING_HEAD
            if head.status >= _OK:
                return self._begin_body(head, rest)
            if head.status == _SWITCHING_PROTOCOLS:
                return self._switch(head, rest)
            self._informational_left -= 1
            if self._informational_left < 0:
                raise FramingError(f"more than {self._limits.max_informational} informational responses")
            self.informational.append(head)
            if not rest:
                return AWAITING_HEAD
            data = rest

    def ends_with_connection(self) -> bool:
        """Whether the connection's orderly end is the body's end (RFC 9112, 6.3, 8)."""
        return type(self._body) is UntilClose

    def _take_head(self, data: bytes) -> tuple[ResponseHead | None, bytes]:
        """The next complete head and what follows it, or None and nothing."""
        limits = self._limits
        if self._partial is None:
            end = data.find(_HEAD_END)
            if end < 0:
                check_start(data, 0)
                self._partial = bytearray(data)
        else:
            old = len(self._partial)
            self._partial += data
            end = self._partial.find(_HEAD_END, max(0, old - len(_HEAD_END) + 1))
            if end < 0:
                check_start(self._partial, old)
            else:
                data = bytes(self._partial)
                self._partial = None
        if max(end, len(self._partial or b"")) > limits.max_head:
            raise FramingError(f"a head of more than {limits.max_head} bytes")
        if end < 0:
            return None, b""
        end += len(_HEAD_END)
        return parse_head(data[:end], limits.max_fields), data[end:]

    def _begin_body(self, head: ResponseHead, rest: bytes) -> int:
        self.head = head
        if self._head_only or head.status in {_NO_CONTENT, _NOT_MODIFIED} or head.length == 0:
            return self._end(rest)
        if head.chunked:
            self._body = ChunkedBody(self._limits.max_trailers, self._limits.max_fields)
        elif head.length is None:
            self._body = UntilClose()
        else:
            self._check_size(head.length)
            if len(rest) == head.length:  # all of it came along
                self.chunks.append(rest)
                self.size = head.length
                return self._end(b"")
            self._body = LengthBody(head.length)
        return self._feed_body(self._body, rest) if rest else IN_BODY

    def _feed_body(self, body: Body, data: bytes) -> int:
        chunks = self.chunks
        before = len(chunks)
        rest = body.feed(data, chunks)
        if len(chunks) > before:
            self.size += len(chunks[-1])
            self._check_size(self.size)
        if rest is None:
            return IN_BODY
        if type(body) is ChunkedBody:
            self.trailers = body.trailers
        return self._end(rest)

    def _check_size(self, size: int) -> None:
        if self._max_body is not None and size > self._max_body:
            raise FramingError(f"a body of more than {self._max_body} bytes")

    def _end(self, rest: bytes) -> int:
        if rest:
            raise FramingError("data after the end of the response")
        assert self.head is not None
        self.persistent = self.head.persistent
        return ENDED

    def _switch(self, head: ResponseHead, rest: bytes) -> int:
        if not self._upgrade or all(name != b"upgrade" for name, _ in head.headers):
            raise FramingError("switched protocols without being asked")
        self.head = head
        self.rest = rest
        return SWITCHED
