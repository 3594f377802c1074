"""Pages one after the other over one kept connection: when the first and the last byte came."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.contestants import BROWSER, WrongAnswer

if TYPE_CHECKING:
    from benchmarks.contestants import Contestant

TIMEOUT = 10.0
CHUNK = 256 * 1024
WARM = 20
"""Pages before those that count, at most a fifth of them."""


@dataclass(frozen=True)
class Times:
    """Milliseconds from the request's last byte to the answer's first and last."""

    first: float
    last: float


def sequence(contestant: Contestant, count: int) -> list[Times]:
    """``count`` pages, after a few that don't count.

    Raises:
        WrongAnswer: the answer isn't 200, or ends early.
    """
    warm = min(WARM, count // 5)
    fields = dict(BROWSER) | {"Host": "shop.example", "Accept-Encoding": "identity"}
    if contestant.cookies:
        fields["Cookie"] = contestant.cookies[0]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    request = f"GET {contestant.path} HTTP/1.1\r\n{head}\r\n".encode()
    with socket.create_connection(("127.0.0.1", contestant.server.port), TIMEOUT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        every = [_one(contestant, connection, request) for _ in range(warm + count)]
    return every[warm:]


def _one(contestant: Contestant, connection: socket.socket, request: bytes) -> Times:
    connection.sendall(request)
    began = time.perf_counter()
    data = connection.recv(CHUNK)
    first = time.perf_counter()
    while b"\r\n\r\n" not in data:
        data += _more(contestant, connection)
    head, _, rest = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise WrongAnswer(f"{contestant.title}: {head.splitlines()[0]!r}")
    lower = head.lower()
    if b"content-length:" in lower:
        left = int(lower.partition(b"content-length:")[2].split()[0]) - len(rest)
        while left > 0:
            left -= len(_more(contestant, connection))
    else:
        tail = rest[-5:]
        while not tail.endswith(b"0\r\n\r\n"):  # the last chunk; no page of ours holds it elsewhere
            tail = (tail + _more(contestant, connection))[-5:]
    return Times((first - began) * 1000, (time.perf_counter() - began) * 1000)


def _more(contestant: Contestant, connection: socket.socket) -> bytes:
    data = connection.recv(CHUNK)
    if not data:
        raise WrongAnswer(f"{contestant.title}: an answer ended early")
    return data
