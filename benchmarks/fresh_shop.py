"""The shop whose pages never come again, in the size that their address names.

``python -m benchmarks.fresh_shop PORT``.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from itertools import count
from pathlib import Path

from benchmarks.page import SIZES, sized
from benchmarks.process import Server, free_port

SIZE = re.compile(rb"GET /product/(\d+)-fresh ")

NAME = b"Oak sofa"
"""What is another in each page, wherever it stands."""


def server(folder: Path) -> Server:
    """As a process of its own."""
    folder.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.fresh_shop", str(port)]
    return Server(command, port, folder, {"PYTHONPATH": os.fspath(Path(__file__).parents[1])})


async def _serve(port: int) -> None:
    parts = {size: sized(size).split(NAME) for size in SIZES}
    numbers = count()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                asked = SIZE.match(await reader.readuntil(b"\r\n\r\n"))
                assert asked is not None
                page = (b"S%07d" % next(numbers)).join(parts[int(asked[1])])
                head = (
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
                )
                writer.write(head % len(page) + page)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", port) as listening:
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
