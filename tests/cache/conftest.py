"""A page cache in front of a shop that answers as it is told."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from proxy.cache import PageCache, Purges, Store
from proxy.cache.landing import MAX_PAGE
from proxy.headers import TrustedProxies
from proxy.metrics import Metrics

NOW = 1_800_000_000.0
HTML = (b"content-type", b"text/html")


class Shop:
    """An ASGI shop that answers as it is told, and writes down what it was asked."""

    def __init__(self):
        self.asked = []
        self.answers = {}
        self.gate = None

    def says(self, path, body=b"<p>page</p>", control=b"public, max-age=60", *more, status=200):
        fields = [HTML, *more]
        if control:
            fields.append((b"cache-control", control))
        self.answers[path] = status, fields, body

    def validates(self, path, body, etag, control=b"max-age=60", *more):
        """Says 304 to who has this version."""

        def page(scope):
            fields = [HTML, (b"etag", etag), (b"cache-control", control), *more]
            if dict(scope["headers"]).get(b"if-none-match") == etag:
                return 304, fields[1:], b""
            return 200, fields, body

        self.answers[path] = page

    def echoes(self, path, *names, control=b"public, max-age=60", more=()):
        """Shows what a request said in these fields."""

        def page(scope):
            said = [value for name, value in scope["headers"] if name in names]
            return 200, [HTML, (b"cache-control", control), *more], b"|".join([b"<p>", *said])

        self.answers[path] = page

    async def __call__(self, scope, receive, send):
        self.asked.append((scope["method"], scope["path"], dict(scope["headers"])))
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.get(scope["path"], (404, [HTML], b"no"))
        status, fields, body = answer(scope) if callable(answer) else answer
        await send({"type": "http.response.start", "status": status, "headers": [*fields]})
        if scope["method"] == "HEAD":
            body = b""
        half = len(body) // 2
        await send({"type": "http.response.body", "body": body[:half], "more_body": True})
        await send({"type": "http.response.body", "body": body[half:], "more_body": False})


class World:
    """The cache, its shop, a clock that only tests move, and who asks."""

    def __init__(self, folder, *, shared=False):
        self.clock = SimpleNamespace(at=1000.0)
        self.shop = Shop()
        self.metrics = Metrics()
        self.folder = folder
        self.store = Store(4 * MAX_PAGE)
        self.cache = PageCache(
            self.shop,
            self.store,
            Purges(folder / "purges", lambda: self.clock.at),
            trusted=TrustedProxies(["127.0.0.1"]),
            metrics=self.metrics,
            clock=lambda: self.clock.at,
            now=lambda: NOW + self.clock.at - 1000.0,
            shared=shared,
        )

    async def ask(
        self, path="/", *fields, method="GET", host=b"shop.example", peer="203.0.113.9", query=b"",
        scheme="http", read=None, **more,
    ):  # fmt: skip
        """What somebody gets; ``read`` is awaited with each message of it, as slow clients have it."""
        sent = []

        async def send(message):
            sent.append(message)
            if read is not None:
                await read(message)

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query,
            "scheme": scheme, "headers": [(b"host", host), *fields], "client": (peer, 1), "extensions": {},
            **more,
        }  # fmt: skip
        await self.cache(scope, receive, send)
        start, *bodies = sent
        body = b"".join(message.get("body", b"") for message in bodies)
        assert not bodies[-1].get("more_body", False)
        return SimpleNamespace(status=start["status"], headers=dict(start["headers"]), body=body)

    def counted(self, outcome):
        self.metrics.refresh()
        return self.metrics.registry.get_sample_value("datacue_page_cache_total", {"outcome": outcome}) or 0

    async def refreshed(self):
        await self.until(lambda: not self.cache._refreshing)

    async def until(self, holds):
        for _ in range(1000):
            if holds():
                return
            await asyncio.sleep(0)
        raise AssertionError("it never came to that")


@pytest.fixture(scope="session")
def new_world():
    return World


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)
