"""What surrogates say to each other in heads."""

from __future__ import annotations

import pytest

from proxy import surrogate
from proxy.surrogate import Announcing, announced, asking, asks_for_esi, capable, forbids, processed

ASKS = b'content="ESI/1.0"'


def control(*values):
    return [(b"a", b"b"), *((b"surrogate-control", value) for value in values)]


def said(headers):
    return [value for name, value in headers if name == b"surrogate-control"]


def test_we_announce_ourselves_after_whoever_did_before():
    assert announced([(b"a", b"b")]) == [(b"a", b"b"), (b"surrogate-capability", b'datacue="ESI/1.0"')]
    before = [(b"surrogate-capability", b'x="ESI/1.0"'), (b"a", b"b"), (b"surrogate-capability", b'y="Z/1"')]
    assert announced(before) == [
        (b"a", b"b"),
        (b"surrogate-capability", b'x="ESI/1.0", y="Z/1", datacue="ESI/1.0"'),
    ]
    assert capable(before)
    assert not capable(before[1:])


@pytest.mark.parametrize(
    ("value", "asks"),
    [
        (ASKS, True), (b'max-age=60, content="ESI-Inline/1.0 ESI/1.0"', True), (b'no-store , CONTENT="ESI/1.0"', True),
        (b'content="ESI/1.0";datacue', True), (b'content="ESI/1.0";akamai', False), (b'content="ESI-Inline/1.0"', False),
        (b"content", False), (b"max-age=60", False), (b'x="content=ESI/1.0"', False), (b"", False), (b'content="ESI/1.0', False),
    ],
)  # fmt: skip
def test_a_page_asks_for_esi_by_name(value, asks):
    assert asks_for_esi(control(value)) is asks
    assert asks_for_esi([]) is False


def test_what_was_processed_is_taken_out_and_all_else_stays():
    assert said(processed(control(b"max-age=60;x, " + ASKS, b"no-store-remote"))) == [
        b"max-age=60;x, no-store-remote"
    ]
    assert said(processed(control(b'content="ESI/1.0 Other/2"'))) == [b'content="Other/2"']
    assert said(processed(control(ASKS))) == []
    assert processed(control(b"max-age=60")) == control(b"max-age=60")


def test_asking_keeps_what_was_said():
    assert said(asking(control(b"max-age=60"))) == [b"max-age=60, " + ASKS]
    assert asking(control(ASKS)) == control(ASKS)
    assert said(asking([])) == [ASKS]


def test_no_store_forbids():
    assert forbids(control(b"max-age=1, no-store"))
    assert not forbids(control(b'content="no-store"'))


def test_the_operator_hears_once_that_announcing_was_wrong():
    heard = []
    announcing = Announcing(wanted=True, complain=lambda: heard.append(1))
    announcing.unresolved()
    announcing.unresolved()
    assert (heard, announcing.going_on, announcing.wanted) == ([1], False, True)
    off = Announcing(wanted=False, complain=lambda: heard.append(2))
    off.unresolved()
    assert heard == [1]
    assert surrogate.UNKEPT == (b"surrogate-control", b'no-store, content="ESI/1.0"')
