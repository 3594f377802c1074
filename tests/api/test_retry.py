"""What is made again, when, and what never."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

import pytest
from harness.peers import reply
from hypothesis import given
from hypothesis import strategies as st

from proxy.api import (
    BadAnswer,
    NoAnswer,
    NotSent,
    Rejected,
    SyncDataCueClient,
    Throttled,
    Untrusted,
    VendorFailed,
)
from proxy.api.retry import LONGEST_ASKED, is_safe, pause

OVERVIEW = b'{"products":{"products":1,"variants":2}}'
DONE = reply(b"", 201)
TAKEN = reply(b'{"status":[{"user_id":"u1","status":"OK"}]}', 207)


async def broken(seen, writer):
    writer.close()


def failing(status, *headers):
    return reply(b'{"error":"later"}', status, *headers)


@pytest.mark.parametrize("first", [failing(500), failing(502), failing(503), failing(429), broken])
async def test_what_may_be_done_twice_is_made_again_whatever_failed(fake, no_waits, first):
    fake.say(first, first, reply(OVERVIEW, 200))
    async with fake.client() as client:
        assert (await client.overview()).products.products == 1
    assert len(fake.seen) == 3


@pytest.mark.parametrize("first", [failing(500), broken])
async def test_a_batch_is_made_again_since_its_items_are_named(fake, no_waits, first):
    fake.say(first, TAKEN)
    async with fake.client() as client:
        assert (await client.batch.create("users", [{"user_id": "u1"}])).failed == []
    assert fake.bodies[0] == fake.bodies[1]


@pytest.mark.parametrize("first", [failing(429), failing(503)])
async def test_a_creation_is_made_again_where_nothing_was_done(fake, no_waits, first):
    fake.say(first, DONE)
    async with fake.client() as client:
        await client.users.create({"user_id": "u1"})
    assert len(fake.seen) == 2


@pytest.mark.parametrize(
    ("first", "kind"), [(failing(500), VendorFailed), (failing(504), VendorFailed), (broken, NoAnswer)]
)
async def test_a_creation_or_event_that_may_have_been_done_is_not(fake, no_waits, first, kind):
    fake.say(first)
    async with fake.client() as client:
        with pytest.raises(kind):
            await client.users.create({"user_id": "u1"})
        with pytest.raises(kind):
            await client.events({"type": "login"}, user={"user_id": "u1"})
    assert len(fake.seen) == 2


async def test_a_refusal_is_not_made_again(fake, no_waits):
    fake.say(failing(400))
    async with fake.client() as client:
        with pytest.raises(Rejected):
            await client.users.update({"user_id": "u1", "title": "Dr"})
    assert len(fake.seen) == 1


async def test_at_last_the_last_error_is_raised(fake, no_waits):
    fake.say(failing(500), failing(500), failing(503))
    async with fake.client(retries=2) as client:
        with pytest.raises(VendorFailed, match="503"):
            await client.overview()
    assert len(fake.seen) == 3


async def test_the_plain_face_makes_it_again_too(fake, no_waits):
    fake.say(failing(503), broken, reply(OVERVIEW, 200))
    with SyncDataCueClient("k", "s", api_url=f"{fake.url}/v1") as plain:
        await asyncio.to_thread(plain.overview)
    assert len(fake.seen) == 3


async def test_nobody_there_yet_is_waited_for(fake, no_waits):
    await fake.stop()
    async with fake.client(retries=0) as client:
        with pytest.raises(NotSent):
            await client.users.create({"user_id": "u1"})
    assert pause(repeatable=False)(NotSent("")) is True


async def test_the_vendor_says_when(fake):
    fake.say(failing(429, "retry-after: 0"), failing(503, "retry-after: 0"), reply(OVERVIEW, 200))
    before = time.monotonic()
    async with fake.client() as client:
        await client.overview()
    assert time.monotonic() - before < 5  # our own waits would be 0.5 s and 1 s; nobody's are an hour
    assert len(fake.seen) == 3


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("7", 7, 7),
        (3000, LONGEST_ASKED, LONGEST_ASKED),  # a date that many seconds from now
        (30, 1, 30),
        (-30, 0, 0),
        ("86400", LONGEST_ASKED, LONGEST_ASKED),
    ],
)
async def test_retry_after_is_heeded_in_both_forms_up_to_a_limit(fake, value, least, most):
    said = value if isinstance(value, str) else formatdate(time.time() + value, usegmt=True)
    fake.say(failing(429, f"retry-after: {said}"))
    async with fake.client(retries=0) as client:
        with pytest.raises(Throttled) as caught:
            await client.overview()
    assert least <= pause(repeatable=False)(caught.value) <= most


async def test_an_odd_retry_after_is_passed_over(fake):
    fake.say(failing(429, "retry-after: soon"))
    async with fake.client(retries=0) as client:
        with pytest.raises(Throttled) as caught:
            await client.overview()
    assert pause(repeatable=False)(caught.value) is True


@given(
    st.sampled_from(
        [
            NotSent(""),
            Untrusted(""),
            NoAnswer(""),
            BadAnswer("", "", 200),
            *(VendorFailed("", "", status) for status in (500, 502, 503, 504)),
            Throttled("", "", 429),
            Rejected("", "", 400),
        ]
    ),
    st.booleans(),
)
def test_nothing_is_made_again_that_is_not_retryable_or_not_safe(error, repeatable):
    again = is_safe(error, repeatable=repeatable)
    done_nothing = isinstance(error, NotSent | Throttled) or error.answered == 503
    assert not again or (error.retryable and (repeatable or done_nothing))


def test_errors_of_the_caller_are_not_ours_to_repeat():
    assert pause(repeatable=True)(KeyError("x")) is False
