from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http1 import Request
from proxy.http1.message import serialize_head

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


async def pieces() -> AsyncIterator[bytes]:
    yield b"piece"


def test_a_request_goes_out_byte_for_byte_as_given() -> None:
    headers = [(b"host", b"shop"), (b"cookie", b"a=1"), (b"x-a", b"1"), (b"cookie", b"b=2"), (b"x-e", b"")]
    head = serialize_head(Request(b"GET", b"/a%2Fb/../c//d?q=%7e&&", headers))
    assert head.data == (
        b"GET /a%2Fb/../c//d?q=%7e&& HTTP/1.1\r\n"
        b"host: shop\r\ncookie: a=1\r\nx-a: 1\r\ncookie: b=2\r\nx-e: \r\n\r\n"
    )


@pytest.mark.parametrize(
    ("method", "more", "framing"),
    [
        (b"GET", {}, b""),
        (b"DELETE", {}, b""),
        (b"POST", {}, b"content-length: 0\r\n"),
        (b"GET", {"body": b""}, b"content-length: 0\r\n"),
        (b"POST", {"body": b"abc"}, b"content-length: 3\r\n"),
        (b"POST", {"body": pieces(), "content_length": 5}, b"content-length: 5\r\n"),
        (b"POST", {"body": pieces()}, b"transfer-encoding: chunked\r\n"),
        (b"GET", {"upgrade": b"websocket"}, b"connection: upgrade\r\nupgrade: websocket\r\n"),
    ],
)
def test_the_client_frames_the_body(method: bytes, more: dict[str, Any], framing: bytes) -> None:
    head = serialize_head(Request(method, b"/", [(b"host", b"shop")], **more))
    assert head.data == method + b" / HTTP/1.1\r\nhost: shop\r\n" + framing + b"\r\n"


@pytest.mark.parametrize(
    "name", [b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"keep-alive"]
)
def test_refuses_fields_that_could_contradict_its_framing(get: Callable[..., Request], name: bytes) -> None:
    with pytest.raises(ValueError, match="written by the client"):
        serialize_head(get(headers=[(name, b"1")]))


@pytest.mark.parametrize(
    "request_",
    [
        Request(b"GET", b"/", []),
        Request(b"GET", b"/", [(b"host", b"a"), (b"host", b"a")]),
        Request(b"GET", b"/ /", [(b"host", b"a")]),
        Request(b"GET", b"", [(b"host", b"a")]),
        Request(b"", b"/", [(b"host", b"a")]),
        Request(b"GET /x", b"/", [(b"host", b"a")]),
        Request(b"POST", b"/", [(b"host", b"a")], b"abc", 4),
        Request(b"POST", b"/", [(b"host", b"a")], None, 4),
        Request(b"POST", b"/", [(b"host", b"a")], pieces(), -1),
    ],
)
def test_refuses_what_is_not_one_request(request_: Request) -> None:
    with pytest.raises(ValueError, match=r".+"):
        serialize_head(request_)


@given(st.data())
@settings(max_examples=60)
def test_no_control_character_can_begin_a_second_line(data: st.DataObject) -> None:
    """Wherever it is put, in a name, a value, the target or the method."""
    fields = [b"GET", b"/", b"x-name", b"value", b"websocket"]
    place = data.draw(st.integers(0, len(fields) - 1))
    at = data.draw(st.integers(0, len(fields[place])))
    evil = data.draw(
        st.sampled_from([b"\r\n", b"\n", b"\r", b"\0", b"\r\nhost: other", b"\r\n\r\nGET / HTTP/1.1"])
    )
    fields[place] = fields[place][:at] + evil + fields[place][at:]
    method, target, name, value, upgrade = fields
    with pytest.raises(ValueError, match="control character"):
        serialize_head(Request(method, target, [(b"host", b"shop"), (name, value)], upgrade=upgrade))


def test_only_an_idempotent_request_without_body_may_be_sent_twice(get: Callable[..., Request]) -> None:
    assert [get(method).replayable for method in (b"GET", b"HEAD", b"DELETE", b"POST", b"PATCH", b"get")] == [
        *[True] * 3,
        *[False] * 3,
    ]
    assert not get(b"PUT", body=b"x").replayable
    assert not get(upgrade=b"websocket").replayable
