"""Memory: equal pages are read once, and nothing is ever served for other bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.locate import FactSelectors, Plan, Splicer, walk

if TYPE_CHECKING:
    import pytest
    from conftest import Send

PAGE = b"<title>t</title><div data-dc-products>own</div><p>text"
CHUNKS = [
    b"<div data-dc-products>",
    b"<p data-dc-banners>",
    b"text",
    b"</div>",
    b"</p>",
    b"<!--",
    b"-->",
    b"<title>",
    b"</title>",
    b"<scr",
]

pages = st.lists(st.lists(st.sampled_from(CHUNKS), min_size=1, max_size=6), min_size=2, max_size=12)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(many=pages, limit=st.sampled_from([0, 3000, 2**20]))
def test_a_page_is_the_same_with_and_without_memory(send: Send, many: list[list[bytes]], limit: int) -> None:
    remembering, forgetful = Plan(memory=limit), Plan(memory=0)
    for chunks in [*many, *many]:
        page = b"".join(chunks)
        cuts = [len(b"".join(chunks[:n])) for n in range(len(chunks))]
        assert send(page, remembering, cuts) == send(page, forgetful, cuts)
        assert remembering.memory.size <= limit


def test_an_equal_page_is_not_read_again(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan()
    first = send(PAGE, plan, [20])

    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(walk.Walk, "__init__", never)
    again = send(PAGE, plan, [20])
    assert again == first
    assert again.facts is not first.facts
    assert send(PAGE, plan, [20]).facts is again.facts


def test_a_page_that_turns_off_is_read_after_all(send: Send) -> None:
    plan = Plan()
    send(PAGE, plan, [20])
    other = PAGE[:20].replace(b"zzz", b"") + b"<div data-dc-products>other</div>"
    assert send(other, plan, [20]) == send(other, Plan(memory=0), [20])


def test_pages_with_other_fact_selectors_do_not_mix(send: Send) -> None:
    plan = Plan()
    page = b"<h1>a</h1><h2>b</h2>"
    one, two = FactSelectors({"n": "h1"}), FactSelectors({"n": "h2"})
    for _ in range(2):
        assert send(page, plan, facts=one).facts.selected == {"n": [b"a"]}
        assert send(page, plan, facts=two).facts.selected == {"n": [b"b"]}
        assert send(page, plan).facts.selected == {}


def test_the_least_recently_used_is_forgotten_first(send: Send) -> None:
    plan = Plan(memory=5000)
    send(PAGE, plan)
    for number in range(20):
        send(b"%d" % number * 100, plan)
        send(PAGE, plan)
    root = plan.search(None).root
    assert plan.memory.size <= 5000
    assert plan.memory.step(root, PAGE) is not None
    assert plan.memory.step(root, b"0" * 100) is None


def test_a_page_that_bailed_out_is_remembered_as_such(send: Send) -> None:
    plan = Plan()
    page = b"<div data-dc-products title='" + b"a" * 20_000
    assert send(page, plan).bailed == "tag"
    splicer = Splicer(plan)
    assert splicer.feed(page) == [page]
    assert splicer.bailed == "tag"


def test_only_the_beginning_of_long_pages_is_remembered(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.locate.splicer.MAX_PATH", 30)
    plan = Plan()
    cuts = range(0, len(PAGE), 10)
    assert send(PAGE, plan, cuts) == send(PAGE, plan, cuts)
    assert plan.memory.size < 4 * 700
