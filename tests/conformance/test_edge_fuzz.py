"""Nothing that a client sends harms the server, and no second parser reads more than the edge did."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import httptools
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proxy.edge.body import ChunkedBody
from proxy.edge.head import parse_head
from proxy.edge.limits import EdgeLimits
from proxy.errors import RequestRefused

from .test_edge import ACCEPTED, KEPT_REQUEST, REFUSED, status_of

if TYPE_CHECKING:
    from .conftest import Mirrored

SEEDS = [*(row[0] for row in ACCEPTED.values()), *(row[0] for row in REFUSED.values())]
SPICES = [
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b";", b",", b"0", b"5", b"\xff", b"%", b"/", b"\x0b",
    b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: other\r\n", b"HTTP/1.1", b"GET ",
]  # fmt: skip


def mutate(choose: random.Random) -> bytes:
    request = bytearray(choose.choice([seed for seed in SEEDS if len(seed) < 5000]))
    for _ in range(choose.randint(1, 4)):
        at = choose.randrange(len(request) + 1)
        match choose.randrange(5):
            case 0:
                request[at:at] = choose.choice(SPICES)
            case 1:
                del request[at : at + choose.randint(1, 8)]
            case 2 if at < len(request):
                request[at] = choose.randrange(256)
            case 3:
                other = choose.choice(SEEDS)
                request[at:] = other[choose.randrange(len(other)) :][:2000]
            case _:
                request[at:at] = request[at : at + choose.randint(1, 40)]
    return bytes(request) or b"\0"


def attack(mirrored: Mirrored, times: int, seed: int) -> None:
    choose = random.Random(seed)
    answered = 0
    for _ in range(times):
        request = mutate(choose)
        with mirrored.edge.connect() as client:
            try:
                client.sendall(request)
                client.settimeout(0.005)  # a head without an end has no answer yet
                answer = client.recv(65536)
            except (TimeoutError, ConnectionError):
                continue
            answered += 1
            assert not answer.startswith(b"HTTP/1.1 5"), request
    assert answered > times / 2
    answer = mirrored.edge.talk(KEPT_REQUEST)
    assert status_of(answer) == 200


def test_mutated_requests_leave_the_server_well(mirrored: Mirrored, caplog: pytest.LogCaptureFixture) -> None:
    attack(mirrored, 2000, seed=1)
    assert [record.message for record in caplog.records] == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_mutated_requests_leave_the_server_well(
    mirrored: Mirrored, caplog: pytest.LogCaptureFixture
) -> None:
    attack(mirrored, 100_000, seed=2)
    assert [record.message for record in caplog.records] == []


class SecondParser:
    """llhttp's reading of a head."""

    def __init__(self, head: bytes) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(head)
        self.method = self.parser.get_method().decode()
        self.keep_alive = self.parser.should_keep_alive()

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.rstrip(b" \t")))


@given(st.randoms(use_true_random=False))
@settings(max_examples=1500, deadline=None)
def test_what_the_edge_accepts_a_second_parser_reads_alike(choose: Any) -> None:
    request = mutate(choose).lstrip(b"\r\n")
    end = request.find(b"\r\n\r\n") + 4
    assume(end > 3)
    try:
        head = parse_head(request[:end], EdgeLimits())
    except RequestRefused:
        return
    try:
        second = SecondParser(request[:end])
    except httptools.HttpParserUpgrade:
        return
    except httptools.HttpParserError:
        # llhttp knows fewer methods and no bytes beyond ASCII in targets: it may refuse, but not differ.
        return
    assert head.method == second.method
    assert second.url.endswith(head.target) or head.target in {b"*", b"/"} or head.target.startswith(b"/?")
    assert head.headers == second.headers


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.data())
@settings(max_examples=300, deadline=None)
def test_chunks_come_out_as_they_went_in_at_every_split(pieces: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(b"%x;x=y\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    wire += b"0\r\nTrailer: dropped\r\n\r\nnext"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 5), max_size=10)))
    body = ChunkedBody(None)
    content: list[bytes] = []
    rest = b""
    for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        assert not body.ended
        rest = body.feed(wire[start:stop], content)
    assert body.ended
    assert rest == b"next"
    assert b"".join(content) == b"".join(pieces)
