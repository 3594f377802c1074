"""How the engine is told: signed, again where that helps, and heard where it refuses."""

from __future__ import annotations

import json

import httpx
import pytest
from harness.peers import reply

from proxy.crawl import CrawlStopped, EngineCatalogue
from proxy.crawl.catalogue import MAX_ATTEMPTS
from proxy.learning import MAX_BATCH
from proxy.signing import authorization

NO_CONTENT = b"HTTP/1.1 204 X\r\n\r\n"


@pytest.fixture
async def catalogue(shop, clock):
    """The engine's part is played by the peer that is a shop elsewhere."""
    async with httpx.AsyncClient(base_url=shop.url, trust_env=False) as client:
        yield EngineCatalogue(client, api_key="key", api_secret="secret", sleep=clock.sleep)


async def test_products_are_told_in_signed_batches(catalogue, shop):
    shop.answers["/v1/learn"] = NO_CONTENT
    products = [{"product_id": str(number)} for number in range(MAX_BATCH + 1)]
    assert await catalogue.learn(products) == []
    assert [product for seen in shop.seen for product in json.loads(seen.body)["products"]] == products
    for seen in shop.seen:
        assert seen.get("authorization") == authorization("key", "secret", seen.body).decode()


async def test_what_the_engine_refuses_is_said(catalogue, shop):
    body = json.dumps({"status": [{"index": 0, "status": "error", "error": "price: no number"}]}).encode()
    shop.answers["/v1/learn"] = reply(body, 207, content_type="application/json")
    assert await catalogue.learn([{"product_id": "1"}]) == ["price: no number"]


async def test_an_engine_that_starts_again_is_waited_for(catalogue, shop, clock):
    left = [b"", reply(b"", 503), NO_CONTENT]

    async def answer(_seen, writer):
        said = left.pop(0)
        writer.write(said)
        if not said:
            writer.close()

    shop.answers["/v1/learn"] = answer
    assert await catalogue.learn([{"product_id": "1"}]) == []
    assert clock.waits == [1, 1]


async def test_an_engine_that_is_gone_ends_the_crawl(catalogue, shop, clock):
    shop.answers["/v1/learn"] = reply(b"", 500)
    with pytest.raises(CrawlStopped, match="engine answers 500"):
        await catalogue.learn([{"product_id": "1"}])
    assert len(shop.seen) == MAX_ATTEMPTS


async def test_an_engine_that_does_not_know_us_ends_the_crawl_at_once(catalogue, shop):
    shop.answers["/v1/learn"] = reply(b"", 401)
    with pytest.raises(CrawlStopped, match="engine answers 401"):
        await catalogue.learn([{"product_id": "1"}])
    assert len(shop.seen) == 1
