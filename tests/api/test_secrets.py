"""A canary for a secret: it is in nothing that is printed, logged or raised."""

from __future__ import annotations

import asyncio
import logging
import traceback
from base64 import b64encode

import pytest
from harness.peers import reply

from proxy.api import ApiError, DataCueClient, SyncDataCueClient
from proxy.api.credentials import Credentials

KEY, SECRET = "canary-key-1b7e", "canary-3f9c-secret"


def is_clean(text):
    return SECRET not in text and KEY not in text and b64encode(KEY.encode()).decode()[:12] not in text


async def broken(seen, writer):
    writer.close()


async def echo(seen, writer):
    """An error page that shows the whole request, as debug pages do."""
    writer.write(reply(b"<pre>" + seen.head + b"</pre>", 500))


async def quoted(seen, writer):
    """A refusal that names who is refused."""
    told = f'{{"error": "unknown key {KEY}"}}'.encode()
    writer.write(reply(told, 401, content_type="application/json"))


@pytest.mark.parametrize(
    "answer",
    [broken, echo, quoted, reply(b"{", 200), reply(b"", 401), reply(b"x", 302), None],
    ids=["broken", "echo", "quoted", "garbage", "401", "302", "nobody"],
)
async def test_no_failure_shows_them_not_even_with_every_frames_variables(fake, caplog, answer):
    caplog.set_level(logging.DEBUG)
    urls = {"api_url": f"{fake.url}/v1", "events_url": f"{fake.url}/", "retries": 0}
    if answer is None:
        await fake.stop()
    else:
        fake.say(answer)
    async with DataCueClient(KEY, SECRET, **urls) as client:
        caught = []
        plain = SyncDataCueClient(KEY, SECRET, **urls)
        for call in (
            client.overview,
            lambda: client.users.create({"user_id": "u1"}),
            lambda: client.events({"type": "login"}, user={"user_id": "u1"}),
            lambda: asyncio.to_thread(plain.overview),
        ):
            try:
                await call()
            except ApiError as error:
                caught.append(error)
        for error in caught:
            # Of our own frames on: what the test itself holds is not ours to hide.
            ours = error.__traceback__.tb_next
            told = traceback.TracebackException(ApiError, error, ours, capture_locals=True)
            assert is_clean("".join(told.format()))
            assert is_clean(repr(error) + str(error) + repr(vars(error)))
        assert caught
        plain.close()
        assert is_clean(repr(client) + repr(client.products) + repr(client.batch) + repr(plain))
    assert is_clean(caplog.text)


async def test_retries_are_told_without_them(fake, no_waits, capsys):
    fake.say(echo)
    async with DataCueClient(KEY, SECRET, api_url=f"{fake.url}/v1") as client:
        with pytest.raises(ApiError):
            await client.overview()
    said = capsys.readouterr()
    assert is_clean(said.out + said.err)
    assert len(fake.seen) == 5


def test_credentials_print_as_neither():
    held = Credentials(KEY, SECRET)
    assert is_clean(repr(held) + str(held) + f"{held}")
    assert not hasattr(held, "__dict__")


async def test_the_secret_itself_is_never_sent(fake):
    async with fake.client() as client:
        await client.users.create({"user_id": "u1"})
        await client.events({"type": "login"}, user={"user_id": "u1"})
    for seen in fake.seen:
        assert b"canary" not in seen.head
        assert b64encode(b"canary-3f9c-secret").rstrip(b"=")[:20] not in seen.head
