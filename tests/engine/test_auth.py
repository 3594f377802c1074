"""Who may call (guide, "Authentication")."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.engine.conftest import Shop


HOME = {"user": {"anonymous_id": "a"}, "event": {"type": "pageview", "subtype": "home"}}


async def test_events_take_the_key_alone(shop: Shop) -> None:
    assert (await shop.http.post("/", json=HOME, auth=("key-1", ""))).status_code == 200


@pytest.mark.parametrize(("key", "password"), [("key-1", "secret-1"), ("other", ""), ("", "")])
async def test_events_refuse_a_password_or_an_unknown_key(shop: Shop, key: str, password: str) -> None:
    answer = await shop.http.post("/", json=HOME, auth=(key, password))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("header", ["", "Bearer x", "Basic", "Basic ???", "Basic a2V5LTE6eDp5"])
async def test_a_malformed_authorization_header_is_a_401(shop: Shop, header: str) -> None:
    assert (await shop.http.post("/", json=HOME, headers={"authorization": header})).status_code == 401


async def test_rest_verifies_the_signature_over_the_bytes_as_sent(shop: Shop) -> None:
    body = b'{ "product_id":"p\\/1",  "name":"caf\\u00e9" }'  # PHP escapes; nothing is serialized again
    signature = hmac.new(b"secret-1", body, hashlib.sha256).hexdigest()
    assert (await shop.http.post("/v1/products", content=body, auth=("key-1", signature))).status_code == 201


@pytest.mark.parametrize("password", ["", "secret-1", "0" * 64])
async def test_rest_refuses_what_is_not_signed(shop: Shop, password: str) -> None:
    body = json.dumps({"product_id": "1"}).encode()
    assert (await shop.http.post("/v1/products", content=body, auth=("key-1", password))).status_code == 401


async def test_the_raw_digest_of_the_guides_php_samples_is_no_signature(shop: Shop) -> None:
    body = b'{"product_id":"1"}'
    pair = b"key-1:" + hmac.new(b"secret-1", body, hashlib.sha256).digest()
    header = {"authorization": "Basic " + base64.b64encode(pair).decode()}
    assert (await shop.http.post("/v1/products", content=body, headers=header)).status_code == 401


async def test_health_needs_no_key(shop: Shop) -> None:
    answer = await shop.http.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok")


async def test_a_browsers_preflight_is_answered(shop: Shop) -> None:
    answer = await shop.http.options("/")
    assert answer.status_code == 204
    assert "authorization" in answer.headers["access-control-allow-headers"]
