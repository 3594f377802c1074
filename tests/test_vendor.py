"""``Retry-After`` in both forms, and secrets that stay out of sight."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy import logs
from proxy.headers import MAX_RETRY_AFTER, retry_after
from proxy.http1 import Origin, Pool
from proxy.settings import Settings
from proxy.vendor import EventsClient

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"120", 120.0),
        (b" 0 ", 0.0),
        (b"99999999999999999999", MAX_RETRY_AFTER),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True).encode(), 90.0),
        (format_datetime(datetime.fromtimestamp(NOW - 90, UTC), usegmt=True).encode(), 0.0),
        (b"Wed, 01 Jan 3000 00:00:00 GMT", MAX_RETRY_AFTER),
        (b"soon", None),
        (b"-5", None),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_clamped(value, seconds):
    assert retry_after(value, NOW) == seconds


@given(st.binary(max_size=40))
def test_whatever_it_says_it_is_bounded(value):
    wait = retry_after(value, NOW)
    assert wait is None or 0 <= wait <= MAX_RETRY_AFTER


async def test_the_key_is_not_in_anything_that_is_printed():
    pool = Pool(Origin.parse("http://127.0.0.1:1/"), source="vendor")
    client = EventsClient(pool, api_key="hidden-key", now=lambda: NOW)
    assert "hidden" not in repr(client) + repr(vars(client).get("_pool"))
    settings = Settings(api_key="hidden-key", api_secret="hidden-secret", secret_keys="hidden-a,hidden-b")
    assert "hidden" not in repr(settings) + str(settings)
    await pool.aclose()


def test_credentials_are_blanked_in_logs():
    fields = logs.blank_secrets(
        None,
        "info",
        {"error": "sent Authorization: Basic aGlkZGVuOmtleQ== to it", "api_secret": "hidden", "other": 1},
    )
    assert fields == {"error": "sent Authorization: Basic … to it", "api_secret": "…", "other": 1}
