"""The product in the test's own process, around a shop that answers what the test says."""

from __future__ import annotations

import contextlib

import pytest
from harness.apps import serving
from harness.peers import Seen, reply

from proxy.embedding import Personalization
from proxy.metrics import Metrics
from proxy.settings import load


class Told:
    """A log that keeps what it is told."""

    def __init__(self):
        self.events = []

    def __getattr__(self, level):
        return lambda event, **fields: self.events.append(event)


class Wrapped:
    """A shop as an ASGI app; ``answers`` and ``seen`` as a ``Peer`` has them, an answer may be a function of seen."""

    def __init__(self):
        self.answers = {}
        self.seen = []
        self.log = Told()
        self.speaks = None  # what an app inside says or shows of its visitor
        self.shown = ""

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            for _ in range(2):
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
            return
        headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        seen = Seen(scope["method"], scope["raw_path"].decode("latin-1"), headers)
        self.seen.append(seen)
        handle = scope.get("state", {}).get("datacue")
        if self.speaks == "widget":
            self.shown = str(await handle.widget("related"))
        elif self.speaks == "identify":
            handle.identify("u1")
        elif self.speaks == "track":
            handle.track({"type": "login"})
        answer = self.answers.get(scope["path"], self.answers.get("*", reply(b"no answer", 404)))
        if callable(answer):
            answer = answer(seen)
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        fields = [
            (name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)
        ]
        await send({"type": "http.response.start", "status": int(first.split()[1]), "headers": fields})
        if seen.method == "HEAD":
            body = b""
        half = len(body) // 2
        await send({"type": "http.response.body", "body": body[:half], "more_body": True})
        await send({"type": "http.response.body", "body": body[half:]})


@pytest.fixture
async def wrap(tmp_path, vendor, monkeypatch):
    """Puts the product around a shop, with these settings, and serves both at ``address``."""
    monkeypatch.chdir(tmp_path)
    async with contextlib.AsyncExitStack() as stack:

        async def run(*, embedded=False, **settings):
            shop = Wrapped()
            base = {
                "api_key": "test-key",
                "events_url": f"{vendor.url}/",
                "state_dir": str(tmp_path / f"state-{len(list(tmp_path.iterdir()))}"),
                "deadline": 10,
            }
            app = Personalization(shop, load(None, **base | settings), Metrics(), shop.log, embedded=embedded)
            shop.address = await stack.enter_async_context(serving(app, server_header=False))
            return shop

        yield run
