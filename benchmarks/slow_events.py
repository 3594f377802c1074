"""The events endpoint that takes its time: ``python -m benchmarks.slow_events PORT SECONDS``."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from benchmarks.answers import SAME
from benchmarks.process import Server, free_port


def server(folder: Path, seconds: float) -> Server:
    """As a process of its own."""
    folder.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.slow_events", str(port), str(seconds)]
    return Server(command, port, folder, {"PYTHONPATH": os.fspath(Path(__file__).parents[1])})


async def _serve(port: int, seconds: float) -> None:
    body = SAME.encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length:")[2].split()[0]
                await reader.readexactly(int(length))
                await asyncio.sleep(seconds)
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", port) as listening:
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
