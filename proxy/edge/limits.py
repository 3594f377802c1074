"""How much a client may ask of the edge, and how long it may take."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class EdgeLimits(Struct, frozen=True):
    """The edge's limits, one set a server. Sizes are in bytes, times in seconds.

    What exceeds a size is answered with the status beside it and the connection is closed.
    """

    head_bytes: int = 32 * 1024
    """Request line and fields together → 431. Cookies of many plugins reach 8 KiB; nginx allows 32."""
    fields: int = 100
    """Field lines of a request → 431. Browsers behind two CDNs send about 40; Apache allows 100."""
    target_bytes: int = 8 * 1024
    """Request target → 414. RFC 9112, 3 asks for 8,000 at least; nginx and Apache allow 8 KiB."""
    body_bytes: int | None = None
    """Request body → 413, before it is read where ``Content-Length`` says so. None: uploads are streamed, so
    their size costs no memory, and the shop has a limit of its own."""
    head_seconds: float = 10.0
    """From the connection's start, or a request's first byte, to its last field → 408. A phone's worst round
    trip is about 1 s, so ten leave room for retransmissions and none for slow heads."""
    idle_seconds: float = 75.0
    """Without a request on a kept connection → closed. nginx's default; browsers give up later than that."""
    body_idle_seconds: float = 30.0
    """Without a byte of a request body that we are ready to read → 408."""
    write_idle_seconds: float = 60.0
    """Without the client taking a byte of what waits for it → connection reset. nginx's default."""
    linger_seconds: float = 2.0
    """After a last answer, while the client still sends: closing at once would reset the connection and
    destroy the answer on its way (RFC 9112, 9.6)."""
    max_connections: int = 10_000
    """Connections of this process → 503. At about 20 KiB each that is 200 MB, and near the usual limit of
    open files."""


HIGH_WATER: Final = 64 * 1024
"""Bytes of a body or tunnel held for an app that doesn't read; then the socket isn't read either. One
``recv`` of the event loop may come on top. As uvicorn has it."""

CHUNK_LINE_BYTES: Final = 256
"""A chunk's size line with its extensions. Nobody uses extensions; 256 is room for a signature."""

TRAILER_BYTES: Final = 8 * 1024
"""The trailer section, which is read over and dropped: a checksum or two."""

PARTING_SECONDS: Final = 0.1
"""How long an idle connection stays at a graceful stop. A request that is on its way is answered instead of
reset; uvicorn itself sleeps that long before it looks whether all are closed."""

FRESH_SECONDS: Final = 1.0
"""How long one stays that nothing has come on yet: whoever has just come is about to ask, and no browser asks
twice where its first connection is closed without a word."""
