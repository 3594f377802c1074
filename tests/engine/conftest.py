"""A client that speaks to the engine as the guide says: key alone for events, a signature for REST."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from proxy.engine import create_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

KEY, SECRET = "key-1", "secret-1"
REPRESENTATION = {"prefer": "return=representation"}


Ids = Callable[[list[dict[str, Any]] | None], list[str]]
Restart = Callable[["Shop"], Awaitable[None]]


class Clock:
    """Time that only a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Shop:
    """One shop's client; requests go straight into the application."""

    def __init__(self, app: Any, clock: Clock, data: Path) -> None:
        self.app = app
        self.clock = clock
        self.data = data
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://engine")

    async def send(self, event: dict[str, Any], visitor: str = "v1", **extra: Any) -> httpx.Response:
        user = extra.pop("user", {"anonymous_id": visitor})
        headers = REPRESENTATION if extra.pop("rich", False) else {}
        query = {"limit": extra.pop("limit")} if "limit" in extra else {}
        document = {"user": user, "event": event, **extra}
        return await self.http.post("/", json=document, auth=(KEY, ""), headers=headers, params=query)

    async def view(self, product_id: object, visitor: str = "v1", **extra: Any) -> httpx.Response:
        return await self.send(
            {"type": "pageview", "subtype": "product", "product_id": product_id}, visitor, **extra
        )

    async def home(self, visitor: str = "v1", **extra: Any) -> dict[str, Any]:
        answer = await self.send({"type": "pageview", "subtype": "home"}, visitor, **extra)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rest(
        self, method: str, path: str, document: Any = None, *, raw: bytes | None = None
    ) -> httpx.Response:
        body = raw if raw is not None else b"" if document is None else json.dumps(document).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        return await self.http.request(method, f"/v1{path}", content=body, auth=(KEY, signature))

    async def add(self, product_id: object, category: str = "men", **fields: Any) -> None:
        product = {
            "product_id": product_id,
            "variant_id": "v",
            "category_1": category,
            "name": f"Product {product_id}",
            "price": 10,
            "stock": 5,
            "photo_url": f"/{product_id}.jpg",
            "link": f"/p/{product_id}",
            **fields,
        }
        answer = await self.rest("POST", "/products", product)
        assert answer.status_code == 201, answer.text


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def shop(tmp_path: Path, clock: Clock) -> AsyncIterator[Shop]:
    data = tmp_path / "engine.db"
    app = create_engine(data, api_key=KEY, api_secret=SECRET, clock=clock, seed=1)
    made = Shop(app, clock, data)
    yield made
    await made.http.aclose()
    await stop(app)


@pytest.fixture
def restarted() -> Restart:
    """The same shop after its engine was closed and opened again."""

    async def restart(shop: Shop) -> None:
        await stop(shop.app)

    return restart


@pytest.fixture
def ids() -> Ids:
    return lambda products: [product["product_id"] for product in products or []]


async def stop(app: Any) -> None:
    """The lifespan's shutdown, as a server runs it."""
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> dict[str, str]:
        return next(messages)

    async def send(message: dict[str, Any]) -> None:
        assert message["type"].endswith("complete")

    await app({"type": "lifespan"}, receive, send)
