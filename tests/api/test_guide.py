"""The guide's own samples: what the client sends for them is their JSON, byte for byte, and rightly signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from pathlib import Path

import pytest
from harness.peers import reply

from proxy.api import KINDS
from tests.engine.guide import read_samples

DATA = Path(os.environ.get("DATACUE_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
GUIDE = DATA.parent / "datacue-api.md"
SAMPLES = read_samples(GUIDE) if GUIDE.is_file() else []
KEY, SECRET = "test-key", "canary-3f9c-secret"

pytestmark = pytest.mark.skipif(not SAMPLES, reason=f"the guide is not at {GUIDE}")


def nameless(sample):
    """Samples whose items have no id: nobody could tell who is meant, so the client sends none of them."""
    return sample.section in {"Introduction", "Authentication"} or sample.section.startswith("Batch Update")


def backend():
    return [sample for sample in SAMPLES if sample.language != "browser" and not nameless(sample)]


def as_json(document):
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def proof(body):
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return "Basic " + base64.b64encode(f"{KEY}:{signature}".encode()).decode()


async def perform(client, sample):
    """What a shop's program would write for a sample."""
    _, first, *ids = sample.path.split("/")
    document = sample.document
    if first == "batch":
        kind = document.get("type") or ids[0]
        verb = {"POST": "create", "PUT": "update", "DELETE": "delete"}[sample.method]
        await getattr(client.batch, verb)(kind, document["batch"])
        return
    resource = getattr(client, first)
    named = dict(zip(KINDS[first].ids, ids, strict=False))
    if sample.method == "POST":
        await resource.create(document)
    elif sample.method == "PUT":
        await resource.update({**named, **document})
    else:
        await resource.delete(*ids)


@pytest.mark.parametrize("sample", backend(), ids=str)
async def test_each_backend_sample_is_sent_as_the_guide_shows_it(fake, sample):
    status = 207 if "/batch" in sample.path else 201 if sample.method == "POST" else 204
    fake.say(reply(b'{"status":[]}' if status == 207 else b"", status))
    async with fake.client() as client:
        await perform(client, sample)
    (seen,) = fake.seen
    body = b"" if sample.document is None else as_json(sample.document)
    path = sample.path.replace("/batch/users", "/batch")  # the guide's endpoint; PHP's sample has its own
    assert (seen.method, seen.target, seen.body) == (sample.method, f"/v1{path}", body)
    assert seen.get("authorization") == proof(body)
    assert seen.get("content-type") == ("application/json" if body else None)


@pytest.mark.parametrize("sample", [each for each in SAMPLES if each.language == "browser"], ids=str)
async def test_each_event_sample_is_sent_with_the_key_alone(fake, sample):
    user = {"user_id": "019mr8mf4r", "profile": {"sex": "female"}}
    async with fake.client() as client:
        assert await client.events(sample.document, user=user) is None
    (seen,) = fake.seen
    assert (seen.method, seen.target) == ("POST", "/")
    assert seen.body == as_json({"user": user, "event": sample.document})
    assert seen.get("authorization") == "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()


async def test_cancelling_is_the_guides_put(fake):
    async with fake.client() as client:
        await client.orders.cancel("o123")
    assert (fake.seen[0].method, fake.seen[0].target) == ("PUT", "/v1/orders/o123")
    assert fake.bodies == [{"order_status": "cancelled"}]


async def test_batches_are_deleted_and_cancelled_by_the_guides_id_fields(fake):
    fake.say_json({"status": []}, 207)
    async with fake.client() as client:
        await client.batch.delete("products", [{"product_id": "p1", "variant_id": "v1", "name": "sofa"}])
        await client.batch.cancel(["o1"])
    assert fake.bodies == [
        {"type": "products", "batch": [{"product_id": "p1", "variant_id": "v1"}]},
        {"type": "orders", "batch": [{"order_id": "o1"}]},
    ]
    assert {(seen.method, seen.target) for seen in fake.seen} == {("DELETE", "/v1/batch")}


def test_the_samples_cover_every_kind_and_verb():
    assert len(backend()) >= 40
    assert {"Create Product", "Update Banner", "Delete User", "Cancel Order"} <= {
        sample.section for sample in backend()
    }
