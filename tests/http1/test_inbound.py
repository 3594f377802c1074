"""The pure core: any split gives the same outcome."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.http1 import Limits
from proxy.http1.head import FramingError
from proxy.http1.inbound import AWAITING_HEAD, ENDED, IN_BODY, SWITCHED, Inbound

OK = b"HTTP/1.1 200 OK\r\n"

RESPONSES = {
    "length": OK + b"Content-Length: 11\r\nX-A:  1 \r\n\r\nhello world",
    "empty": OK + b"content-length: 0\r\n\r\n",
    "chunked": OK + b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a="b"\r\n world\r\n0\r\n\r\n',
    "trailers": OK + b"Transfer-Encoding: Chunked\r\n\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\nx-b:2\r\n\r\n",
    "close": OK + b"Connection: close\r\n\r\nto the end",
    "1.0": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab",
    "1xx": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    + OK
    + b"content-length: 1\r\n\r\nx",
    "204": b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n",
    "no reason": b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
    "cookies": OK + b"Set-Cookie: a=\xff\xe9\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
    "extra": OK + b"Content-Length: 2\r\n\r\nabc",
    "extra chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n",
    "bad chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
    "bare lf": b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 0\r\n\r\n",
    "fold": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
    "garbage": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
}


def outcome(pieces: list[bytes], **options: Any) -> tuple[Any, ...]:
    """What a response came to; an end or an error counts once however it is cut."""
    inbound = Inbound(Limits(), **options)
    state = AWAITING_HEAD
    informational = []
    for piece in pieces:
        if state in {ENDED, SWITCHED}:
            return ("malformed",)  # the connection would close: bytes after the end
        try:
            state = inbound.feed(piece)
        except FramingError:
            return ("malformed",)
        informational += [(head.status, head.headers) for head in inbound.informational]
        inbound.informational.clear()
    return (
        state,
        informational,
        inbound.head
        and (inbound.head.status, inbound.head.reason, inbound.head.headers, inbound.head.length),
        b"".join(inbound.chunks),
        inbound.size,
        inbound.trailers,
        inbound.persistent,
        inbound.ends_with_connection(),
    )


@pytest.mark.parametrize("name", RESPONSES)
def test_byte_by_byte_gives_the_same_outcome(name: str) -> None:
    data = RESPONSES[name]
    assert outcome([data[at : at + 1] for at in range(len(data))]) == outcome([data])


@pytest.mark.parametrize("name", RESPONSES)
def test_every_cut_in_two_gives_the_same_outcome(name: str) -> None:
    data = RESPONSES[name]
    whole = outcome([data])
    for at in range(1, len(data)):
        assert outcome([data[:at], data[at:]]) == whole


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=12), st.data())
@settings(max_examples=80)
def test_a_chunked_body_comes_out_as_it_went_in(parts: list[bytes], data: st.DataObject) -> None:
    wire = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    wire += b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nA: b\r\n\r\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=10)))
    pieces = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True) if a < b]
    state, _, _, body, size, trailers, persistent, _ = outcome(pieces)
    assert (state, body, size) == (ENDED, b"".join(parts), len(b"".join(parts)))
    assert (trailers, persistent) == ([(b"a", b"b")], True)


@given(
    st.binary(max_size=200),
    st.sampled_from(["", OK.decode(), OK.decode() + "Transfer-Encoding: chunked\r\n\r\n"]),
)
@example(b"\r\n\r\n", "")
@settings(max_examples=200)
def test_garbage_is_refused_or_waits_but_never_breaks(garbage: bytes, start: str) -> None:
    inbound = Inbound(Limits())
    with contextlib.suppress(FramingError):
        assert inbound.feed(start.encode() + garbage) in {AWAITING_HEAD, IN_BODY, ENDED}


def test_names_are_lower_case_and_repeats_keep_their_order() -> None:
    inbound = Inbound(Limits())
    inbound.feed(OK + b"Set-Cookie: a=1\r\nX-Y:  z\t \r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n")
    assert inbound.head is not None
    assert inbound.head.headers == (
        (b"set-cookie", b"a=1"),
        (b"x-y", b"z"),
        (b"set-cookie", b"b=2"),
        (b"content-length", b"0"),
    )


@pytest.mark.parametrize(
    ("head", "persistent"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: x, Keep-Alive\r\n", True),
    ],
)
def test_knows_whether_the_connection_persists(head: bytes, persistent: bool) -> None:
    inbound = Inbound(Limits())
    assert inbound.feed(head + b"Content-Length: 0\r\n\r\n") == ENDED
    assert inbound.persistent is persistent


@pytest.mark.parametrize("status", [b"200 OK", b"404 Not Found"])
@pytest.mark.parametrize("claim", [b"Content-Length: 100", b"Transfer-Encoding: chunked", b"X: y"])
def test_a_response_to_head_has_no_body(status: bytes, claim: bytes) -> None:
    inbound = Inbound(Limits(), head_only=True)
    assert inbound.feed(b"HTTP/1.1 " + status + b"\r\n" + claim + b"\r\n\r\n") == ENDED
    assert inbound.persistent


def test_head_length_counts_against_no_body_limit() -> None:
    inbound = Inbound(Limits(), head_only=True, max_body=10)
    assert inbound.feed(OK + b"Content-Length: 100\r\n\r\n") == ENDED


def test_many_small_chunks_are_joined() -> None:
    inbound = Inbound(Limits())
    inbound.feed(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1000)
    assert inbound.chunks == [b"x" * 1000]
