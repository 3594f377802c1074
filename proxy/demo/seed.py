"""What the demo's engine knows before the first click: the catalogue, the banners, a few weeks of shoppers.

The shoppers are made up, by the same dice every time. Each likes one or two rooms and buys what
stands together there, so that the lists have something to say from the first page on.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec

from proxy.demo.catalogue import as_banners, as_products

SHOPPERS = 160
"""Made-up shoppers: enough that every product was seen by several."""

DAYS = 21
"""Days over which they shopped."""

EVENTS_A_CALL = 100
"""Events in one call to the engine."""


async def seed(socket: str, api_key: str, api_secret: str) -> None:
    """Fills the engine behind a unix socket.

    Args:
        socket: where the engine listens.
        api_key: of the engine.
        api_secret: signs what goes to its REST API.

    Raises:
        httpx.HTTPError: the engine failed.
    """
    transport = httpx.AsyncHTTPTransport(uds=socket)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://engine.localhost", trust_env=False, timeout=30
    ) as client:
        engine = _Engine(client, api_key, api_secret)
        products = as_products()
        for product in products:
            await engine.post("/v1/products", product, signed=True)
        for banner in as_banners():
            await engine.post("/v1/banners", banner, signed=True)
        happened, orders = _history(products, time.time(), random.Random(2018))  # noqa: S311  dice, not secrets
        for start in range(0, len(happened), EVENTS_A_CALL):
            await engine.post("/", happened[start : start + EVENTS_A_CALL], signed=False)
        for order in orders:
            await engine.post("/v1/orders", order, signed=True)


class _Engine:
    """Posts to the engine: events with the key alone, everything else signed."""

    def __init__(self, client: httpx.AsyncClient, api_key: str, api_secret: str) -> None:
        self._client = client
        self._api_key = api_key
        self._api_secret = api_secret.encode()

    async def post(self, path: str, value: object, *, signed: bool) -> None:
        body = msgspec.json.encode(value)
        password = hmac.new(self._api_secret, body, hashlib.sha256).hexdigest() if signed else ""
        response = await self._client.post(
            path, content=body, auth=(self._api_key, password), headers={"content-type": "application/json"}
        )
        response.raise_for_status()


def _history(
    products: list[dict[str, Any]], now: float, dice: random.Random
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Events in the order in which they happened, and orders."""
    rooms: dict[str, list[dict[str, Any]]] = {}
    for product in products:
        rooms.setdefault(product["category_1"], []).append(product)
    happened: list[tuple[float, dict[str, Any]]] = []
    orders: list[dict[str, Any]] = []
    for number in range(SHOPPERS):
        moment = now - dice.uniform(0.05, DAYS) * 86_400
        visitor = str(uuid.UUID(int=dice.getrandbits(128), version=4))
        liked = dice.sample(sorted(rooms), k=dice.choice((1, 1, 2)))
        shelf = [product for room in liked for product in rooms[room]]
        # A shelf has its best sellers: the same few are looked at by most.
        seen = dice.choices(
            shelf, weights=[1 / (place + 1) for place in range(len(shelf))], k=dice.randint(3, 9)
        )
        for product in seen:
            moment += dice.uniform(20, 200)
            happened.append((moment, _view(visitor, product, moment)))
        if dice.random() < 0.35:  # noqa: PLR2004  about one in three of them buys
            bought = list({product["product_id"]: product for product in seen[-3:]}.values())
            orders.append(
                {
                    "order_id": f"demo-{number}",
                    "user_id": visitor,
                    "cart": [
                        {
                            "product_id": product["product_id"],
                            "variant_id": product["variant_id"],
                            "quantity": 1,
                            "unit_price": product["price"],
                            "currency": "USD",
                        }
                        for product in bought
                    ],
                    "timestamp": _iso(moment + 60),
                }
            )
    happened.sort(key=lambda pair: pair[0])
    return [event for _, event in happened], orders


def _view(visitor: str, product: dict[str, Any], moment: float) -> dict[str, Any]:
    return {
        "user": {"anonymous_id": visitor},
        "event": {"type": "pageview", "subtype": "product", "product_id": product["product_id"]},
        "timestamp": _iso(moment),
    }


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
