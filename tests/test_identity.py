"""The visitor's cookie: promise 24."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.identity import (
    INTRODUCTION_AGE,
    MAX_AGE,
    MAX_USER_ID,
    RENEW_AFTER,
    VisitorCookie,
    cookie_values,
)
from proxy.models import Visitor

DAY = 24 * 3600


class Clock:
    def __init__(self, now=1_800_000_000.0):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def jar(clock, keys=("key-1",), **more):
    return VisitorCookie(list(keys), clock=clock, **more)


def sent(field):
    """The Cookie field with which a browser answers a Set-Cookie field."""
    return [(b"cookie", b"theme=dark; " + field[1].partition(b";")[0] + b"; other=1")]


def test_a_visitor_is_recognized_by_the_cookie_that_was_set(clock):
    cookie = jar(clock)
    new = cookie.recognize([], secure=False)
    assert new.renew
    again = cookie.recognize(sent(cookie.set_cookie(new.visitor, secure=False)), secure=False)
    assert again == (new.visitor, False)


def test_the_id_is_a_uuid_as_the_guide_shows(clock):
    assert uuid.UUID(jar(clock).recognize([], secure=True).visitor.anonymous_id).version == 4


def test_two_visitors_get_two_ids(clock):
    cookie = jar(clock)
    assert cookie.recognize([], secure=False).visitor != cookie.recognize([], secure=False).visitor


def test_over_https_the_cookie_is_host_bound_and_secure(clock):
    name, value = jar(clock).set_cookie(Visitor(str(uuid.uuid4())), secure=True)
    assert name == b"set-cookie"
    assert value.startswith(b"__Host-datacue=")
    attributes = {part.strip().lower() for part in value.split(b";")[1:]}
    assert attributes == {b"path=/", b"max-age=34560000", b"httponly", b"samesite=lax", b"secure"}


def test_over_plain_http_it_is_neither(clock):
    _, value = jar(clock).set_cookie(Visitor(str(uuid.uuid4())), secure=False)
    assert value.startswith(b"datacue=")
    assert b"secure" not in value.lower()


def test_a_cookie_of_the_other_scheme_is_not_looked_at(clock):
    cookie = jar(clock)
    visitor = cookie.recognize([], secure=False).visitor
    assert cookie.recognize(sent(cookie.set_cookie(visitor, secure=False)), secure=True).visitor != visitor


def test_a_user_id_travels_along(clock):
    cookie = jar(clock)
    visitor = Visitor(str(uuid.uuid4()), "Käthe/42; x=1")
    assert cookie.recognize(sent(cookie.set_cookie(visitor, secure=False)), secure=False).visitor == visitor


def test_a_user_id_without_end_is_cut(clock):
    cookie = jar(clock)
    field = cookie.set_cookie(Visitor(str(uuid.uuid4()), "x" * 10_000), secure=False)
    assert len(field[1]) < 1024
    assert cookie.recognize(sent(field), secure=False).visitor.user_id == "x" * MAX_USER_ID


def test_the_cookie_is_rolled_on_once_a_day(clock):
    cookie = jar(clock)
    field = cookie.set_cookie(Visitor(str(uuid.uuid4())), secure=False)
    clock.now += RENEW_AFTER - 1
    assert not cookie.recognize(sent(field), secure=False).renew
    clock.now += 2
    assert cookie.recognize(sent(field), secure=False).renew


def test_it_lives_for_400_days_and_no_longer(clock):
    cookie = jar(clock)
    visitor = Visitor(str(uuid.uuid4()))
    field = cookie.set_cookie(visitor, secure=False)
    clock.now += MAX_AGE
    assert cookie.recognize(sent(field), secure=False).visitor == visitor
    clock.now += 1
    assert cookie.recognize(sent(field), secure=False).visitor != visitor


def test_one_from_the_far_future_is_foreign(clock):
    cookie = jar(clock)
    visitor = Visitor(str(uuid.uuid4()))
    field = cookie.set_cookie(visitor, secure=False)
    clock.now -= 2 * DAY
    assert cookie.recognize(sent(field), secure=False).visitor != visitor


def test_a_new_key_invalidates_no_cookie_and_signs_the_next(clock):
    old, both, new = jar(clock, ["a"]), jar(clock, ["a", "b"]), jar(clock, ["b"])
    visitor = Visitor(str(uuid.uuid4()))
    seen = both.recognize(sent(old.set_cookie(visitor, secure=False)), secure=False)
    assert seen == (visitor, True)
    assert new.recognize(sent(both.set_cookie(visitor, secure=False)), secure=False) == (visitor, False)


def test_a_retired_key_is_worth_nothing(clock):
    visitor = Visitor(str(uuid.uuid4()))
    field = jar(clock, ["a"]).set_cookie(visitor, secure=False)
    assert jar(clock, ["b"]).recognize(sent(field), secure=False).visitor != visitor


@pytest.mark.parametrize(
    "payload", [b"nonsense", b"\xff\xfe", b"", b"4711~%%%", b"07d35b1a-5776-4ddf-8f1c-dd0d2db9c502~\xff"]
)
def test_what_we_signed_but_never_minted_is_replaced(clock, payload):
    cookie = jar(clock)
    forged = b"datacue=" + cookie._newest.sign(payload)
    assert cookie.recognize([(b"cookie", forged)], secure=False).renew


def test_of_two_cookies_the_first_valid_one_counts(clock):
    cookie = jar(clock)
    visitor = Visitor(str(uuid.uuid4()))
    value = cookie.set_cookie(visitor, secure=False)[1].partition(b";")[0]
    fields = [(b"cookie", b"datacue=forged; " + value), (b"cookie", b"datacue=other")]
    assert cookie.recognize(fields, secure=False).visitor == visitor


@pytest.mark.parametrize("secure", [True, False])
def test_removal_names_the_same_cookie(clock, secure):
    cookie = jar(clock)
    _, value = cookie.remove_cookie(secure=secure)
    assert value.startswith(cookie.name(secure=secure) + b"=;")
    assert b"Max-Age=0" in value
    assert (b"; Secure" in value) is secure


def test_quoted_values_and_lookalike_names():
    fields = [
        (b"cookie", b'datacue="a"; xdatacue=b;datacue=c'),
        (b"other", b"datacue=d"),
        (b"cookie", b"none=1"),
    ]
    assert cookie_values(fields, b"datacue") == [b"a", b"c"]


@given(st.binary(max_size=120))
def test_no_forgery_is_ever_taken(value):
    cookie = jar(Clock())
    assert cookie.recognize([(b"cookie", b"datacue=" + value)], secure=False).renew


@given(st.data())
def test_no_changed_byte_is_ever_taken(data):
    cookie = jar(Clock())
    field = cookie.set_cookie(Visitor(str(uuid.uuid4()), "u1"), secure=False)[1].partition(b";")[0]
    place = data.draw(st.integers(len(b"datacue="), len(field) - 1))
    other = data.draw(
        st.integers(33, 126).filter(lambda byte: byte not in {field[place], ord(";"), ord('"')})
    )
    changed = field[:place] + bytes([other]) + field[place + 1 :]
    # The last character of unpadded base64 holds bits that say nothing.
    if place < len(field) - 1:
        assert cookie.recognize([(b"cookie", changed)], secure=False).renew


def test_what_is_known_of_visitors_is_bounded_and_forgotten_ones_are_known_again(clock, monkeypatch):
    monkeypatch.setattr("proxy.identity.MAX_KNOWN", 3)
    cookie = jar(clock)
    fields = [cookie.set_cookie(Visitor(str(uuid.uuid4())), secure=False) for _ in range(5)]
    for field in fields * 2:
        assert not cookie.recognize(sent(field), secure=False).renew
        assert len(cookie._known) <= 3


def test_an_edge_hands_back_whom_it_was_introduced_to(clock):
    cookie = jar(clock)
    visitor = Visitor(str(uuid.uuid4()), "u1")
    said = cookie.introduction(visitor)
    assert cookie.introduced(said) == visitor
    clock.now += INTRODUCTION_AGE
    assert cookie.introduced(said) == visitor
    clock.now += 1
    assert cookie.introduced(said) is None


def test_an_introduction_is_no_cookie_and_a_cookie_no_introduction(clock):
    cookie = jar(clock)
    visitor = Visitor(str(uuid.uuid4()))
    said = cookie.introduction(visitor)
    assert cookie.known([(b"cookie", b"datacue=" + said)], secure=False) is None
    assert cookie.introduced(cookie.set_cookie(visitor, secure=False)[1].partition(b";")[0][8:]) is None
    assert cookie.introduced(b"0" + said) is None
    assert jar(clock, keys=("another",)).introduced(said) is None
    assert jar(clock, keys=("key-1", "newer")).introduced(said) == visitor


def test_a_page_view_without_a_cookie_has_one_visitor(clock):
    cookie, seen = jar(clock), (b"view", b"192.0.2.1", b"browser")
    visitor = cookie.first(*seen)
    assert uuid.UUID(visitor.anonymous_id).version == 4
    assert cookie.first(*seen) == jar(clock).first(*seen) == visitor
    others = [(b"view2", *seen[1:]), (b"view", b"192.0.2.2", b"browser"), (b"vie", b"w192.0.2.1", b"browser")]
    assert len({visitor, *[cookie.first(*other) for other in others]}) == 4
    assert jar(clock, keys=("another",)).first(*seen) != visitor
    clock.now += DAY
    assert cookie.first(*seen) != visitor
