"""Tells the embedded engine about the products that pages show, so that a shop needs no import.

A page that was read before costs one look-up. Products go to the engine in the background, signed as
any REST call; the queue is short, since a page that comes again brings its product again.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from proxy.errors import PeerError
from proxy.signing import authorization

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.facts import ProductFacts
    from proxy.http1 import Pool
    from proxy.metrics import Metrics
    from proxy.models import RawFacts

MAX_KNOWN = 50_000
"""Pages remembered by the digest of what they said: 16 bytes each, and a large shop's whole catalogue."""

MAX_QUEUE = 1_000
"""Products that wait for the engine. One that finds it full is learned at its next page view."""

MAX_BATCH = 100
"""Products in one call: the engine answers page views in between."""

MAX_ANSWER = 64 * 1024
"""Bytes of the engine's answer that are read: it has none, or an error's sentence."""

RETRY_SECONDS = 1.0
"""After a call that failed: the engine is starting, or gone."""


class CatalogueLearner:
    """Owns the queue and the task that empties it.

    Args:
        pool: connections to the embedded engine.
        api_key: the engine's key. api_secret: signs the calls (guide, "Authentication").
    """

    def __init__(self, pool: Pool, *, api_key: str, api_secret: str, metrics: Metrics) -> None:
        self._pool = pool
        self._api_key = api_key
        self._api_secret = api_secret
        self._metrics = metrics
        self._known: dict[bytes, None] = {}
        self._queue: asyncio.Queue[tuple[bytes, dict[str, Any]]] = asyncio.Queue(MAX_QUEUE)

    def knows(self, facts: RawFacts) -> bool:
        """Whether a page that said the very same was learned already."""
        return _digest(facts) in self._known

    def learn(self, facts: RawFacts, products: Sequence[ProductFacts]) -> None:
        """Queues the products of a page; what doesn't fit is learned another time."""
        digest = _digest(facts)
        if len(self._known) >= MAX_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[digest] = None
        for product in products:
            fields = product_fields(product)
            if fields is None:
                self._metrics.learned("incomplete")
                continue
            try:
                self._queue.put_nowait((digest, fields))
            except asyncio.QueueFull:
                self._known.pop(digest, None)
                self._metrics.learned("postponed")
                return

    async def run(self) -> None:
        """Sends what is queued, for ever; the assembly owns the task."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            if await self._send([fields for _, fields in batch]):
                self._metrics.learned("learned", amount=len(batch))
            else:
                for digest, _ in batch:
                    self._known.pop(digest, None)
                self._metrics.learned("failed", amount=len(batch))
                await asyncio.sleep(RETRY_SECONDS)

    async def _send(self, products: list[dict[str, Any]]) -> bool:
        body = msgspec.json.encode({"products": products})
        message = (
            b"POST /v1/learn HTTP/1.1\r\nHost: %b\r\nAuthorization: %b\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        ) % (
            self._pool.origin.authority,
            authorization(self._api_key, self._api_secret, body),
            len(body),
            body,
        )
        try:
            answer = await self._pool.fetch(message, limit=MAX_ANSWER, idempotent=True)
        except PeerError as error:
            self._metrics.failures(error.source, type(error).__name__)
            return False
        return answer.status < 300  # noqa: PLR2004  a 2xx


def _digest(facts: RawFacts) -> bytes:
    said = hashlib.blake2b(digest_size=16)
    for text in (*facts.scripts, *facts.json_ld):
        said.update(text)
    for pair in (*facts.meta, *facts.microdata):
        said.update(b"\0".join(pair))
    for name, texts in facts.selected.items():
        said.update(name.encode() + b"\0".join(texts))
    return said.digest()


def product_fields(product: ProductFacts) -> dict[str, Any] | None:
    """A product in the words of the REST API (guide, "Create Product"); None where it can't be shown."""
    if not (product.product_id and product.name and product.link):
        return None
    stock = product.stock
    if stock is None and product.available is not None:
        stock = 1 if product.available else 0
    fields: dict[str, Any] = {
        "product_id": product.product_id,
        "variant_id": product.variant_id or "no-variants",
        "name": product.name,
        "price": product.price,
        "full_price": product.full_price,
        "brand": product.brand,
        "description": product.description,
        "photo_url": product.photo_url,
        "link": product.link,
        "stock": stock,
        "available": product.available,
        "rating": product.rating,
        "source": "page",
    }
    for level, name in enumerate(product.categories[:4], start=1):
        fields[f"category_{level}"] = name
    return {name: value for name, value in fields.items() if value is not None}
