"""A raw HTTP/1.1 client: sees bytes, framing and time, and joins nothing by itself."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field


@dataclass
class Reply:
    """One response, as it came.

    Attributes:
        head: status line and fields. body: content without chunk framing. complete: whether it ended
        as its framing says. first, last: seconds from the request to the first and last byte of content.
        arrivals: (seconds, bytes) of each read.
    """

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    complete: bool = False
    first: float = 0.0
    last: float = 0.0
    arrivals: list[tuple[float, bytes]] = field(default_factory=list)

    def get(self, name):
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def cookie(self):
        """The Cookie field's value with which a browser would answer."""
        return "; ".join(value.partition(";")[0] for value in self.all("set-cookie"))


class Wire:
    """One connection to the proxy."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, address):
        host, port = address
        return cls(*await asyncio.open_connection(host, port, limit=1 << 26))

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self, *, to_head=False):
        """Reads one response; what breaks off is returned as far as it came."""
        reply, began = Reply(), time.perf_counter()
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return reply
        status, *lines = head.decode("latin-1").split("\r\n")[:-2]
        reply.status = int(status.split(" ")[1])
        reply.headers = [(n.lower(), v.strip()) for n, _, v in (line.partition(":") for line in lines)]
        if to_head or reply.status in {204, 304} or reply.status < 200:
            reply.complete = True
            return reply
        try:
            async for piece in self._content(reply):
                now = time.perf_counter() - began
                reply.first = reply.first or now
                reply.last = now
                reply.arrivals.append((now, piece))
                reply.body += piece
            reply.complete = True
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        return reply

    async def _content(self, reply):
        if reply.get("transfer-encoding") == "chunked":
            while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
                left = size
                while left:
                    piece = await self.reader.read(left)
                    if not piece:
                        raise ConnectionError
                    left -= len(piece)
                    yield piece
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
        elif reply.get("content-length") is not None:
            left = int(reply.get("content-length"))
            while left:
                piece = await self.reader.read(min(left, 1 << 20))
                if not piece:
                    raise ConnectionError
                left -= len(piece)
                yield piece
        else:
            while piece := await self.reader.read(1 << 20):
                yield piece

    async def close(self):
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36"


def request(target="/", method="GET", host="shop.example", body=b"", **headers):
    """A request's bytes, as a browser would send them; None leaves a field out."""
    fields = {"host": host, "user_agent": BROWSER, "accept": "text/html,*/*;q=0.8", **headers}
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items() if value is not None]
    if body and "content_length" not in headers and "transfer_encoding" not in headers:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def ask(address, target="/", **more):
    """One request on a connection of its own, and its response."""
    wire = await Wire.open(address)
    try:
        await wire.send(request(target, **more))
        return await wire.reply(to_head=more.get("method") == "HEAD")
    finally:
        await wire.close()
