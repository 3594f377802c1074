"""Hands products to the engine, as the proxy does with those of pages that pass."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

import httpx
import msgspec

from proxy.crawl.fetch import CrawlStopped
from proxy.learning import MAX_BATCH, RETRY_SECONDS
from proxy.signing import authorization

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

MAX_ATTEMPTS: Final = 10
"""Times that the engine is told, a second apart: one that died is back by then."""


class Catalogue(Protocol):
    """Takes products."""

    async def learn(self, products: Sequence[dict[str, Any]]) -> list[str]:
        """Returns when the products are kept.

        Returns:
            Why some of them were refused.

        Raises:
            CrawlStopped: they can't be kept.
        """


class NoCatalogue:
    """Takes products and forgets them, for a dry run."""

    async def learn(self, products: Sequence[dict[str, Any]]) -> list[str]:  # noqa: ARG002  the protocol's
        """Keeps nothing."""
        return []


class EngineCatalogue:
    """The embedded engine's.

    Args:
        client: whose base URL is the engine's.
        api_key: the engine's key. api_secret: signs the calls.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        api_key: str,
        api_secret: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._sleep = sleep
        self._api_key = api_key
        self._api_secret = api_secret

    async def learn(self, products: Sequence[dict[str, Any]]) -> list[str]:
        """See ``Catalogue``."""
        refused: list[str] = []
        for start in range(0, len(products), MAX_BATCH):
            refused += await self._send(products[start : start + MAX_BATCH])
        return refused

    async def _send(self, products: Sequence[dict[str, Any]]) -> list[str]:
        body = msgspec.json.encode({"products": products})
        headers = {
            b"authorization": authorization(self._api_key, self._api_secret, body),
            b"content-type": b"application/json",
        }
        problem = ""
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                await self._sleep(RETRY_SECONDS)
            try:
                answer = await self._client.post("/v1/learn", content=body, headers=headers)
            except httpx.HTTPError as error:
                problem = f"can't be reached: {error or type(error).__name__}"
                continue
            if answer.status_code == httpx.codes.NO_CONTENT:
                return []
            if answer.status_code == httpx.codes.MULTI_STATUS:
                return [_reason(item) for item in answer.json()["status"]]
            problem = f"answers {answer.status_code}: {answer.text[:200]}"
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                break
        raise CrawlStopped(f"the engine {problem}")


def _reason(item: dict[str, Any]) -> str:
    return str(item.get("error") or item.get("message") or item)
