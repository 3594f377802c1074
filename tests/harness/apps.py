"""An ASGI app of a test, served in the test's own loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import uvicorn


@contextlib.asynccontextmanager
async def serving(app, **more):
    """Serves an app by uvicorn on a free port, with more of its settings; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", **more))
    server.capture_signals = contextlib.nullcontext
    task = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            assert not task.done()
            await asyncio.sleep(0.01)
        yield listener.getsockname()[:2]
    finally:
        server.should_exit = True
        await task
