"""The far ends: a shop that says what it is told to, and a vendor that keeps what it gets."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field


@dataclass
class Seen:
    """One request as a far end saw it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    head: bytes = b""
    size: int = 0

    def get(self, name):
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name):
        return [value for key, value in self.headers if key == name]


class Peer:
    """An HTTP/1.1 server whose every byte the test decides.

    ``answers`` maps a path (without query) to bytes, or to an async function of (seen, writer) that
    writes what it likes; "*" is for all others.
    """

    def __init__(self):
        self.answers = {}
        self.seen = []
        self.connections = 0
        self.readers = []
        self.consume = False  # count a body instead of keeping it
        self._server = None
        self._tasks = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 26)
        self.address = self._server.sockets[0].getsockname()[:2]
        return self

    @property
    def url(self):
        host, port = self.address
        return f"http://{host}:{port}"

    async def stop(self):
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        self.connections += 1
        self.readers.append(reader)
        try:
            while True:
                seen = await self._read(reader)
                if seen is None:
                    return
                self.seen.append(seen)
                await self._answer(seen, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _read(self, reader):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = first.split(" ")
        headers = [(n.lower(), v.strip()) for n, _, v in (line.partition(":") for line in lines)]
        seen = Seen(method, target, headers, head=head)
        if seen.get("transfer-encoding") == "chunked":
            while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
                seen.body += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        elif length := int(seen.get("content-length") or 0):
            while self.consume and seen.size < length:
                piece = await reader.read(1 << 20)
                if not piece:
                    return None
                seen.size += len(piece)
            if not self.consume:
                seen.body = await reader.readexactly(length)
        return seen

    async def _answer(self, seen, reader, writer):
        answer = self.answers.get(
            seen.target.partition("?")[0], self.answers.get("*", reply(b"no answer", 404))
        )
        if callable(answer):
            await answer(seen, writer)
        else:
            writer.write(answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()


def reply(body=b"", status=200, *headers, content_type="text/html; charset=utf-8", length=True):
    """A response's bytes with a length."""
    lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}", *headers]
    if length:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def page(*parts, title="shop"):
    """An HTML page around some markup."""
    return f"<!doctype html><html><head><title>{title}</title></head><body>{''.join(parts)}</body></html>".encode()


@dataclass
class Vendor(Peer):
    """DataCue's events endpoint as a test wants it: late, dead, mad, or well."""

    recommendations: dict = field(default_factory=dict)
    delay: float = 0.0
    status: int = 200

    def __post_init__(self):
        Peer.__init__(self)
        self.taken = []  # what it said yes to
        self.answers["*"] = self._event

    async def _event(self, seen, writer):
        if self.delay:
            await asyncio.sleep(self.delay)
        if seen.method == "DELETE":  # of a visitor, through the REST API
            writer.write(reply(status=204, length=False))
            return
        status = self.status
        body = json.dumps(self.recommendations).encode() if status == 200 else b"{}"
        if status == 200:
            self.taken.append(json.loads(seen.body))
        writer.write(reply(body, status, content_type="application/json"))

    @property
    def events(self):
        """Every event that came, as JSON."""
        return [json.loads(seen.body) for seen in self.seen]


def product(number, **more):
    """A product as the guide's answers have it."""
    return {
        "product_id": str(number),
        "name": f"Product {number}",
        "price": 10 + number,
        "photo_url": f"/products/{number}.jpg",
        "link": f"/product/{number}",
        "category_1": "living-room",
        **more,
    }
