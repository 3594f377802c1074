"""RFC 9111 as a table: what may be kept, for how long, and when it may be used."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.directives import LONGEST, Unreadable, directives, seconds
from proxy.cache.entry import Entry, chosen_by, vary_of
from proxy.cache.storable import Lifetime, lifetime

NOW = 1_800_000_000.0
HTML = (b"content-type", b"text/html; charset=utf-8")


def date(offset: float) -> bytes:
    return formatdate(NOW + offset, usegmt=True).encode()


def judged(fields, asked=(), status=200, delay=0.0):
    return lifetime([*asked], status, [HTML, *fields], now=NOW, delay=delay)


def cc(value: bytes):
    return (b"cache-control", value)


ETAG = (b"etag", b'"a"')

REFUSED = [
    # section, status, request, response, why
    ("3: only a final, whole answer", 206, [], [cc(b"max-age=60")], "status"),
    ("3: errors aren't kept", 500, [], [cc(b"max-age=60")], "status"),
    ("3: redirects aren't kept", 301, [], [cc(b"max-age=60")], "status"),
    ("3: no-store in the answer", 200, [], [cc(b"no-store, max-age=60")], "no-store"),
    ("3: no-store in the request", 200, [cc(b"no-store")], [cc(b"max-age=60")], "no-store"),
    ("3: private", 200, [], [cc(b"private, max-age=60")], "private"),
    ("3: private with fields", 200, [], [cc(b'private="x-user", max-age=60')], "private"),
    ("3.5: authorized, even where it says public", 200, [(b"authorization", b"Basic eA==")], [cc(b"public, max-age=60")], "authorized"),
    ("3: no lifetime, no validator", 200, [], [], "lifetime"),
    ("4.2.2: no guess from Last-Modified", 200, [], [(b"last-modified", date(-9999))], "lifetime"),
    ("4.2.1: a lifetime that is no number is none", 200, [], [cc(b"max-age=soon")], "lifetime"),
    ("4.2.1: a negative lifetime is none", 200, [], [cc(b"max-age=-1")], "lifetime"),
    ("5.3: Expires: 0", 200, [], [(b"expires", b"0")], "lifetime"),
    ("5.3: Expires in the past", 200, [], [(b"expires", date(-1)), (b"date", date(0))], "lifetime"),
    ("5.3: Expires twice", 200, [], [(b"expires", date(60)), (b"expires", date(90))], "lifetime"),
    ("5.2.2.10: s-maxage=0 wins over max-age", 200, [], [cc(b"max-age=60, s-maxage=0")], "lifetime"),
    ("4.1: Vary: *", 200, [], [cc(b"max-age=60"), (b"vary", b"accept, *")], "vary"),
    ("5.2: what can't be read", 200, [], [cc(b'max-age="60')], "unreadable"),
    ("ours: a cookie", 200, [], [cc(b"public, max-age=60"), (b"set-cookie", b"a=b")], "cookie"),
    ("ours: a part", 200, [], [cc(b"max-age=60"), (b"content-range", b"bytes 0-1/2")], "partial"),
    ("ours: a nonce", 200, [], [cc(b"max-age=60"), (b"content-security-policy", b"script-src 'nonce-abc'")], "nonce"),
    ("ours: a nonce that is only reported", 200, [], [cc(b"max-age=60"), (b"content-security-policy-report-only", b"script-src 'NONCE-abc'")], "nonce"),
    ("ours: who the visitor is", 200, [], [cc(b"max-age=60"), (b"x-datacue-user", b'{"user_id":"u"}')], "said"),
    ("ours: what the visitor did", 200, [], [cc(b"max-age=60"), (b"x-datacue-event", b'{"type":"login"}')], "said"),
    ("ours: what nobody understands", 200, [], [cc(b"max-age=60"), (b"x-datacue-event", b"{")], "said"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "status", "asked", "fields", "why"), REFUSED, ids=[row[0] for row in REFUSED]
)
def test_what_must_not_be_kept(rule, status, asked, fields, why):
    assert judged(fields, asked, status) == why


def test_what_is_no_page_is_not_kept():
    image = [(b"content-type", b"image/png"), cc(b"max-age=60")]
    assert lifetime([], 200, image, now=NOW, delay=0) == "type"


KEPT = [
    ("5.2.2.1: max-age", [cc(b"max-age=60")], 60),
    ("5.2.2.10: s-maxage wins", [cc(b"max-age=60, s-maxage=300")], 300),
    ("5.3: Expires minus Date", [(b"expires", date(90)), (b"date", date(-10))], 100),
    ("5.3: Expires without Date", [(b"expires", date(90))], 90),
    ("5.3: max-age wins over Expires", [cc(b"max-age=60"), (b"expires", date(900))], 60),
    ("5.2: names in any case", [cc(b"Max-Age=60")], 60),
    ("5.2: a quoted argument", [cc(b'max-age="60"')], 60),
    ("5.2: in several fields", [cc(b"public"), cc(b"max-age=60")], 60),
    ("5.2: extensions are ignored", [cc(b'community="UCI", max-age=60')], 60),
    ("4.2.1: of two the smaller", [cc(b"max-age=600, max-age=60")], 60),
    ("1.2.2: more than anybody can count", [cc(b"max-age=99999999999999999999")], LONGEST),
    ("4.3: nothing fresh, but it can be validated", [cc(b"public, max-age=0"), ETAG], 0),
    ("5.2.2.4: no-cache, but it can be validated", [cc(b"no-cache"), ETAG], 0),
    ("said: what page it is", [cc(b"max-age=60"), (b"x-datacue-event", b'[{"type":"pageview","subtype":"home"}]')], 60),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "fields", "fresh"), KEPT, ids=[row[0] for row in KEPT])
def test_what_may_be_kept_and_how_long(rule, fields, fresh):
    found = judged(fields)
    assert isinstance(found, Lifetime)
    assert found.fresh == fresh


AGES = [
    ("4.2.3: since Date", [(b"date", date(-20))], 0.0, 20),
    ("4.2.3: as Age says, and the delay", [(b"age", b"30"), (b"date", date(-20))], 2.0, 32),
    ("4.2.3: a clock that is ahead makes nothing younger", [(b"date", date(20))], 0.0, 0),
    ("5.1: an Age that is no number", [(b"age", b"old")], 1.0, 1),
]


@pytest.mark.parametrize(("rule", "fields", "delay", "age"), AGES, ids=[row[0] for row in AGES])
def test_how_old_an_answer_is_when_it_comes(rule, fields, delay, age):
    assert judged([cc(b"max-age=60"), *fields], delay=delay).age == age


def entry(control: bytes, *, clock=1000.0, **more) -> Entry:
    found = judged([cc(control), ETAG])
    assert isinstance(found, Lifetime)
    return Entry([HTML, cc(control), ETAG, *more.pop("headers", [])], b"page", (), found, clock)


USES = [
    # rule, response, seconds later, request, use
    ("4.2: fresh", b"max-age=60", 59, b"", "fresh"),
    ("4.2: at its end it is stale", b"max-age=60", 60, b"", "validate"),
    ("5.2.1.4: no-cache", b"max-age=60", 1, b"no-cache", "validate"),
    ("5.2.1.1: max-age=0, as a reload says", b"max-age=60", 1, b"max-age=0", "validate"),
    ("5.2.1.1: younger than asked for", b"max-age=60", 10, b"max-age=20", "fresh"),
    ("5.2.1.3: min-fresh", b"max-age=60", 50, b"min-fresh=20", "validate"),
    ("5.2.1.3: min-fresh that it has", b"max-age=60", 10, b"min-fresh=20", "fresh"),
    ("5.2.1.2: max-stale of any length", b"max-age=60", 6000, b"max-stale", "fresh"),
    ("5.2.1.2: max-stale long enough", b"max-age=60", 70, b"max-stale=20", "fresh"),
    ("5.2.1.2: max-stale too short", b"max-age=60", 90, b"max-stale=20", "validate"),
    ("5.2.2.2: must-revalidate wins over it", b"max-age=60, must-revalidate", 70, b"max-stale", "validate"),
    ("5.2.2.8: proxy-revalidate wins over it", b"max-age=60, proxy-revalidate", 70, b"max-stale", "validate"),
    ("5.2.2.10: s-maxage wins over it", b"s-maxage=60", 70, b"max-stale", "validate"),
    ("5.2.2.4: no-cache in the answer", b"no-cache, max-age=60", 1, b"", "validate"),
    ("5861 3: while it is asked for anew", b"max-age=60, stale-while-revalidate=30", 80, b"", "stale"),
    ("5861 3: not for ever", b"max-age=60, stale-while-revalidate=30", 90, b"", "validate"),
    ("5861 3: not against must-revalidate", b"max-age=60, stale-while-revalidate=30, must-revalidate", 80, b"", "validate"),
    ("5861 3: not against a reload", b"max-age=60, stale-while-revalidate=30", 80, b"no-cache", "validate"),
    ("5.2: a request that can't be read asks for nothing", b"max-age=60", 1, b'max-age="', "fresh"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "control", "later", "asked", "use"), USES, ids=[row[0] for row in USES])
def test_when_what_is_kept_may_be_used(rule, control, later, asked, use):
    assert entry(control).use([cc(asked)] if asked else [], 1000.0 + later) == use


@pytest.mark.parametrize(("pragma", "use"), [(b"no-cache", "validate"), (b"x", "fresh")])
def test_pragma_counts_where_cache_control_says_nothing(pragma, use):
    assert entry(b"max-age=60").use([(b"pragma", pragma)], 1001.0) == use


def test_pragma_is_ignored_beside_cache_control():
    asked = [(b"pragma", b"no-cache"), cc(b"max-age=30")]
    assert entry(b"max-age=60").use(asked, 1001.0) == "fresh"


@pytest.mark.parametrize(
    ("control", "later", "may"),
    [
        (b"max-age=60, stale-if-error=100", 150, True),
        (b"max-age=60, stale-if-error=100", 161, False),
        (b"max-age=60", 61, False),
        (b"max-age=60, stale-if-error=100, must-revalidate", 70, False),
    ],
)
def test_an_old_page_in_place_of_an_error_only_where_the_shop_allows_it(control, later, may):
    assert entry(control).may_replace_an_error(1000.0 + later) is may


# -- which answer is meant ---------------------------------------------------------------------------


def test_an_answer_is_meant_for_requests_that_say_the_same_in_the_fields_it_was_chosen_by():
    english = [(b"accept-language", b"en, de;q=0.5"), (b"cookie", b"a=1; datacue=x")]
    vary = vary_of([(b"vary", b"Accept-Language, Cookie")], english)
    found = Entry([], b"", vary, judged([cc(b"max-age=60")]), 0.0)
    assert found.meant_for([(b"accept-language", b"en,  de;q=0.5"), (b"cookie", b"a=1")])
    assert found.meant_for(
        [(b"accept-language", b"en"), (b"accept-language", b"de;q=0.5"), (b"cookie", b"a=1")]
    )
    assert not found.meant_for([(b"accept-language", b"de"), (b"cookie", b"a=1")])
    assert not found.meant_for([(b"accept-language", b"en, de;q=0.5"), (b"cookie", b"a=2")])
    assert not found.meant_for([(b"accept-language", b"en, de;q=0.5")])


def test_our_own_cookie_says_nothing_to_the_shop():
    ours = [(b"cookie", b"datacue=a.b; s=1; __Host-datacue=c")]
    assert chosen_by(ours, b"cookie") == b"s=1"
    assert chosen_by([(b"cookie", b"xdatacue=1")], b"cookie") == b"xdatacue=1"


# -- validation --------------------------------------------------------------------------------------


def test_a_304_changes_the_fields_but_not_those_that_describe_the_bytes():
    kept = entry(b"max-age=60", headers=[(b"content-length", b"4"), (b"x-old", b"1"), (b"age", b"9")])
    fresh = kept.freshened(
        [cc(b"max-age=90"), (b"content-length", b"0"), (b"x-new", b"2")], kept.lifetime, 2000.0
    )
    assert fresh.body == b"page"
    assert (b"content-length", b"4") in fresh.headers
    assert (b"x-old", b"1") in fresh.headers
    assert (b"x-new", b"2") in fresh.headers
    assert [value for name, value in fresh.headers if name == b"cache-control"] == [b"max-age=90"]
    assert b"age" not in dict(fresh.headers)


@pytest.mark.parametrize(
    ("tag", "another"), [(b'"a"', False), (b'W/"a"', False), (b'"b"', True), (b'W/"b"', True), (None, False)]
)
def test_a_304_speaks_of_the_version_that_its_tag_names(tag, another):
    fields = [] if tag is None else [(b"etag", tag)]
    assert entry(b"max-age=60").is_another(fields) is another
    untagged = Entry([HTML], b"page", (), entry(b"max-age=60").lifetime, 1000.0)
    assert not untagged.is_another(fields)


def test_a_304_without_a_date_is_of_now():
    kept = entry(b"max-age=60", headers=[(b"date", date(-9999))])
    fresh = kept.freshened([cc(b"max-age=60")], kept.lifetime, 2000.0)
    found = lifetime([], 200, fresh.headers, now=NOW, delay=0.0)
    assert isinstance(found, Lifetime)
    assert found.age == 0.0


def test_the_shop_is_asked_with_both_validators():
    kept = entry(b"max-age=60", headers=[(b"last-modified", date(-5))])
    assert kept.conditions() == [(b"if-none-match", b'"a"'), (b"if-modified-since", date(-5))]


KNOWN = [
    ([(b"if-none-match", b'"a"')], True),
    ([(b"if-none-match", b'"b", W/"a"')], True),
    ([(b"if-none-match", b"*")], True),
    ([(b"if-none-match", b'"b"')], False),
    ([(b"if-none-match", b'"b"'), (b"if-modified-since", date(0))], False),
    ([(b"if-modified-since", date(0))], True),
    ([(b"if-modified-since", date(-10))], False),
    ([(b"if-modified-since", b"yesterday")], False),
    ([], False),
]


@pytest.mark.parametrize(("asked", "known"), KNOWN)
def test_what_a_client_has_already_is_not_sent_again(asked, known):
    assert entry(b"max-age=60", headers=[(b"last-modified", date(-5))]).known_to(asked) is known


# -- how directives are written ----------------------------------------------------------------------

_TOKEN = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12)


@given(
    st.dictionaries(_TOKEN, st.none() | st.integers(0, 10**6), max_size=6),
    st.sampled_from([",", " , ", ",,"]),
)
def test_directives_are_read_as_they_are_written(wanted, comma):
    text = comma.join(name if number is None else f"{name}={number}" for name, number in wanted.items())
    found = directives([cc(text.encode())])
    assert {name.decode(): seconds(found, name) for name in found} == {
        name: 0 if number is None else number for name, number in wanted.items()
    }


@given(st.binary(max_size=40))
def test_whatever_stands_there_is_read_or_refused(value):
    try:
        found = directives([cc(value)])
    except Unreadable:
        return
    assert all(name == name.lower() for name in found)
