"""``python -m oscar_shop FOLDER``: serves the shop of a folder on a free port until standard input ends.

The first line that it prints is its address. Each request's head goes to ``requests.jsonl``, as a
server's access log would have it.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

import django
import uvicorn


def main(folder):
    os.environ["OSCAR_SHOP_FOLDER"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "oscar_shop.settings"
    django.setup()

    from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
    from django.core.asgi import get_asgi_application

    app = ASGIStaticFilesHandler(get_asgi_application())
    with (
        Path(folder, "requests.jsonl").open("a", buffering=1) as log,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):

        async def logged(scope, receive, send):
            heads = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
            log.write(json.dumps({"method": scope["method"], "path": scope["path"], "headers": heads}) + "\n")
            await app(scope, receive, send)

        host, port = listener.getsockname()
        print(f"http://{host}:{port}", flush=True)
        server = uvicorn.Server(uvicorn.Config(logged, lifespan="off", access_log=False, proxy_headers=False))
        asyncio.run(serve(server, listener))


async def serve(server, listener):
    def ended():
        server.should_exit = True

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended)
    await server.serve(sockets=[listener])


main(sys.argv[1])
