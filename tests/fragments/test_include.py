"""What an including side gets when we ourselves fail."""

from __future__ import annotations

import pytest

from proxy.errors import SettingsError
from proxy.fragments import Fragments


async def broken():
    raise SettingsError("state_dir", "is gone", "Bring it back")


async def asked(path, query=b""):
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query,
        "headers": [(b"host", b"shop.example")], "scheme": "http", "client": ("127.0.0.1", 1),
    }  # fmt: skip
    await Fragments("/_datacue", {}, broken)(scope, None, send)
    return sent[0]["status"], sent[1]["body"], dict(sent[0]["headers"])


@pytest.mark.parametrize(
    ("path", "status"), [("/_datacue/fragments/related", 200), ("/_datacue/visitor", 204)]
)
async def test_what_cannot_be_opened_is_no_error_of_the_page_that_includes_us(path, status):
    got, body, headers = await asked(path)
    assert (got, body) == (status, b"")
    assert headers[b"cache-control"] == b"private, no-store"
    assert b"set-cookie" not in headers
