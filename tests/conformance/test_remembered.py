"""What is remembered of heads is right for whoever comes next: nothing that differs is taken for the same."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.edge import head as edge
from proxy.edge.limits import EdgeLimits
from proxy.errors import RequestRefused
from proxy.http1 import head as shop
from proxy.remember import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMITS = EdgeLimits()
LINES = [
    b"Host: a", b"Host:a", b"host: a", b"HOST:\ta \t", b"Host: b", b"X-A: 1", b"x-a: 1", b"X-A:1", b"X-A: 1 ",
    b"X-A: \xff", b"X-A: \xfe", b"X-A:", b"X-A : 1", b" X-A: 1", b"X-A: 1\n", b"X-A: 1\r", b"X-A: 1\x00", b"",
    b"Content-Length: 1", b"Content-Length: 2", b"content-length: 1", b"Transfer-Encoding: chunked",
    b"Connection: close", b"Connection: keep-alive", b"Upgrade: websocket", b"Connection: upgrade",
    b"Expect: 100-continue", b"Cookie: a=1", b"Cookie: a=2",
]  # fmt: skip
"""Lines that differ in case, white space, bytes beyond ASCII, or in what they make of a request."""

SAID = [
    *(line for line in LINES if not line.lower().startswith(b"host")),
    b"Date: Mon, 23 Nov 2026 19:00:00 GMT", b"date: Mon, 23 Nov 2026 19:00:01 GMT", b"DATE: Mon, 23 Nov 2026 19:00:02 GMT",
    b"Date: then", b"Date:Mon, 23 Nov 2026 19:00:00 GMT", b"Date: Mon, 23 Nov 2026 19:00:00 GMT ",
    b"X: \r\nDate: Mon, 23 Nov 2026 19:00:03 GMT", b"Set-Cookie: a=1", b"Set-Cookie: a=2",
]  # fmt: skip


def outcome(read: Callable[[], Any]) -> Any:
    """What came out, as plain values."""
    try:
        head = read()
    except (RequestRefused, shop.FramingError) as error:
        return str(error)
    plain = {name: getattr(head, name) for name in head.__struct_fields__}
    for own in ("lines", "shape", "date"):
        plain.pop(own, None)
    return plain


def fresh(module: Any, memories: Sequence[str], read: Callable[[], Any]) -> Any:
    """The outcome where nothing is remembered."""
    kept = {memory: getattr(module, memory) for memory in memories}
    for memory in memories:
        setattr(module, memory, Recent(1))
    try:
        return outcome(read)
    finally:
        for memory, own in kept.items():
            setattr(module, memory, own)


@given(
    st.lists(st.lists(st.sampled_from(LINES), max_size=5), min_size=1, max_size=5),
    st.sampled_from(
        [b"GET / HTTP/1.1", b"HEAD /a HTTP/1.0", b"POST http://a/ HTTP/1.1", b"GET http://b/ HTTP/1.1"]
    ),
)
@settings(max_examples=200, deadline=None)
def test_a_request_is_read_as_if_nothing_came_before(heads: list[list[bytes]], start: bytes) -> None:
    for lines in [*heads, *heads, *heads]:
        head = b"\r\n".join([start, *lines]) + b"\r\n\r\n"
        expected = fresh(edge, ["_sections"], partial(edge.parse_head, head, LIMITS))
        assert outcome(partial(edge.parse_head, head, LIMITS)) == expected


@given(
    st.lists(st.lists(st.sampled_from(SAID), max_size=5), min_size=1, max_size=5),
    st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.0 404 No", b"HTTP/1.1 304"]),
)
@example([[SAID[-8]], [SAID[-7]], [SAID[-8], SAID[-7]], [SAID[-8], SAID[-8]]], b"HTTP/1.1 200 OK")
@example([[b"", SAID[-9]]], b"HTTP/1.1 200 OK")
@settings(max_examples=200, deadline=None)
def test_a_response_is_read_as_if_nothing_came_before(heads: list[list[bytes]], start: bytes) -> None:
    for lines in [*heads, *heads, *heads]:
        head = b"\r\n".join([start, *lines]) + b"\r\n\r\n"
        expected = fresh(shop, ["_heads", "_dated"], partial(shop.parse_head, head, 256))
        assert outcome(partial(shop.parse_head, head, 256)) == expected


def test_a_remembered_head_keeps_to_the_limits_of_whoever_asks() -> None:
    request = b"GET / HTTP/1.1\r\nHost: limits\r\n" + b"X: 1\r\n" * 20 + b"\r\n"
    for _ in range(3):
        edge.parse_head(request, LIMITS)
    with pytest.raises(RequestRefused, match="too-many-fields"):
        edge.parse_head(request, EdgeLimits(fields=10))
    said = b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 19:00:00 GMT\r\n" + b"X: 1\r\n" * 20 + b"\r\n"
    for _ in range(3):
        shop.parse_head(said, 256)
    with pytest.raises(shop.FramingError, match="more than 10 fields"):
        shop.parse_head(said, 10)


def test_nobody_can_change_a_responses_fields_for_others() -> None:
    said = b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 19:00:00 GMT\r\nX-Mine: 1\r\n\r\n"
    heads = [shop.parse_head(said, 256) for _ in range(4)]
    assert heads[-1] is heads[-2]  # two visitors share it
    assert isinstance(heads[-1].headers, tuple)
    with pytest.raises(AttributeError):
        heads[-1].length = 5
    assert [head.headers[-1] for head in heads] == [(b"x-mine", b"1")] * 4
