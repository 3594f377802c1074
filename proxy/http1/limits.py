"""Every bound of the client by name, with its reason."""

from __future__ import annotations

from msgspec import Struct


class Limits(Struct, frozen=True):
    """How much one pool may hold. Sizes in bytes, times in seconds.

    What a connection may hold of a response is ``read_high_water`` plus one socket read (256 KiB in
    asyncio and uvloop), of a request ``write_high_water`` plus one piece of the body.
    """

    max_connections: int = 512
    """Open and opening connections. Past the worker threads of nearly every shop, far below the
    usual 1,024 file descriptors of a process."""
    max_idle: int = 1024
    """Kept open without work, for ``idle_seconds``: what a burst has opened its next moment needs again."""
    idle_seconds: float = 4.0
    """Below the keep-alive time of common servers (Node.js and Apache: 5), so that it is we who close
    and a request seldom meets a connection that is just going away."""
    max_waiters: int = 1024
    """Requests that wait for a connection: beyond, waiting longer helps nobody."""
    max_head: int = 64 * 1024
    """Status line and fields: twice what large ``Content-Security-Policy`` and cookie sets need."""
    max_fields: int = 256
    """Header fields, and trailer fields: real responses stay below 100."""
    max_trailers: int = 8 * 1024
    """Trailer section of a chunked body: digests and timings are a few hundred bytes."""
    max_informational: int = 16
    """1xx responses before the final one: 100, 103 and a few 102 while the shop works."""
    read_high_water: int = 64 * 1024
    """Body bytes not yet taken by the reader, above which we stop reading from the socket."""
    write_high_water: int = 64 * 1024
    """Bytes that the socket has not taken yet, above which the upload waits (asyncio's own figure)."""
    one_write: int = 64 * 1024
    """Up to this size head and body are joined and leave in one write: one system call, one packet
    for most; above, copying the body costs more than the call."""


class Timeouts(Struct, frozen=True):
    """How long each wait may last, in seconds; held to about an eighth of the shortest."""

    connect: float = 5.0
    """TCP and TLS together: a lost SYN is sent again after 1 and 3 seconds."""
    pool: float = 5.0
    """For a free connection when all are busy."""
    response: float = 60.0
    """From the request's last byte to the response's first (nginx ``proxy_read_timeout``)."""
    idle: float = 60.0
    """Between two bytes of a body, in either direction; not while we ourselves don't read."""
    expect: float = 1.0
    """For ``100 Continue`` before the body is sent without it (RFC 9110, 10.1.1: never without end)."""
