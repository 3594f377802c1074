"""The shop's own login cookie: what it sets is believed, what it takes back as well."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.capture import user_cookie

PLAIN = user_cookie("uid", None)
TOKEN = user_cookie(None, "session:user.id")


def sets(*values):
    return [(b"content-type", b"text/html"), *((b"set-cookie", value.encode()) for value in values)]


def jwt(claims):
    parts = ({"alg": "none"}, claims)
    return ".".join(urlsafe_b64encode(msgspec.json.encode(part)).decode().rstrip("=") for part in parts) + "."


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["a=1"], (False, None)),
        (["uid=u1; Path=/; HttpOnly"], (True, "u1")),
        (['uid="u 1"'], (True, "u 1")),
        (["uid=ada%40example.com"], (True, "ada@example.com")),
        (["uid=0"], (True, None)),
        (["uid=; Path=/"], (True, None)),
        (["uid=u1; Max-Age=0"], (True, None)),
        (["uid=u1; max-age=-1"], (True, None)),
        (["uid=deleted; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], (True, None)),
        (["uid=; Max-Age=0", "uid=u2"], (True, "u2")),
        (["xuid=u1"], (False, None)),
    ],
)
def test_what_a_response_says(values, said):
    assert PLAIN.said(sets(*values)) == said


@pytest.mark.parametrize(
    ("claims", "user"),
    [
        ({"user": {"id": 7}}, "7"),
        ({"user": {"id": "u7"}}, "u7"),
        ({"user": {"id": None}}, None),
        ({"user": 7}, None),
        ({}, None),
        ([], None),
    ],
)
def test_a_claim_of_a_token(claims, user):
    assert TOKEN.said(sets(f"session={jwt(claims)}; Secure")) == (True, user)


@given(st.binary(max_size=200))
def test_no_value_raises(value):
    for cookie in (PLAIN, TOKEN):
        cookie.user(value)


def test_a_cookie_that_a_request_lacks_is_noticed():
    assert PLAIN.there([(b"cookie", b"a=1; uid=u1")])
    assert not PLAIN.there([(b"cookie", b"a=1; xuid=u1")])


def test_without_a_setting_there_is_none():
    assert user_cookie(None, None) is None
