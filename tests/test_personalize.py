"""Order, deadline and fallback of one page view, with fakes of everything around it."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from proxy.errors import ConnectFailed, SettingsError, UnexpectedAnswer
from proxy.metrics import Metrics
from proxy.models import Page, Slot, Visitor
from proxy.personalize import Personalizer

HOME, RELATED = Page("home"), Slot("related")
VISITOR = Visitor("07d35b1a-5776-4ddf-8f1c-dd0d2db9c502")


class FakeBreaker:
    def __init__(self):
        self.open = False
        self.told = []

    def allow(self):
        return not self.open

    def succeeded(self):
        self.told.append("succeeded")

    def failed(self):
        self.told.append("failed")

    def abandoned(self):
        self.told.append("abandoned")


class FakeKeeper:
    def __init__(self):
        self.works = True
        self.log = []

    async def keep(self, event_id, pending, *, lease):
        self.log.append(("keep", pending.event["type"], lease is not None))
        await asyncio.sleep(0)
        return self.works

    async def withdraw(self, event_id):
        self.log.append(("withdraw",))

    async def release(self, event_id):
        self.log.append(("release",))


class FakeRenderer:
    def __init__(self):
        self.firsts = []
        self.error = None

    def slot(self, slot, page, answer, *, utf8, first):
        if self.error:
            raise self.error
        self.firsts.append(first)
        return b"<p>shown</p>" if answer.related_product_skus else None


class World:
    def __init__(self):
        self.answer = b'{"related_product_skus": [{"product_id": "1"}]}'
        self.error = None
        self.delay = 0.0
        self.sent = []
        self.breaker, self.keeper, self.renderer = FakeBreaker(), FakeKeeper(), FakeRenderer()
        self.metrics = Metrics()
        self.core = Personalizer(
            send=self.send, breaker=self.breaker, renderer=self.renderer, metrics=self.metrics,
            keeper=self.keeper, deadline=0.1, clock=time.monotonic, now=lambda: 1_800_000_000.0,
        )  # fmt: skip

    async def send(self, body):
        self.sent.append(json.loads(body))
        await asyncio.sleep(self.delay)
        if self.error is not None:
            raise self.error
        return self.answer

    def view(self):
        return self.core.view(VISITOR, None, time.monotonic())


@pytest.fixture
async def world():
    world = World()
    yield world
    await world.core.aclose(1.0)


async def test_the_call_starts_at_once_and_fills_every_slot(world):
    view = world.view()
    view.begin(HOME)
    assert [await view.slot(RELATED, utf8=True) for _ in range(3)] == [b"<p>shown</p>"] * 3
    assert len(world.sent) == 1
    assert world.renderer.firsts == [True, False, False]
    assert view.outcomes == [("related", "hit")] * 3


@pytest.mark.parametrize("answer", [b'{"related_product_skus": [{"product_id": "1"}]}', None, b"nonsense"])
async def test_what_was_forgotten_is_read_again_for_whoever_asks(world, answer):
    world.answer = answer
    for _ in range(3):  # new to us, then known
        view = world.view()
        view.forget()
        view.begin(HOME)
        before = await view.recommendations()
        view.forget()
        assert await view.recommendations() == before
        assert (before[0] is None) == (answer == b"nonsense")


async def test_beginning_twice_changes_nothing(world):
    view = world.view()
    view.begin(HOME)
    view.begin(Page("404"))
    await view.settle()
    assert [sent["event"]["subtype"] for sent in world.sent] == ["home"]


async def test_on_the_happy_path_nothing_touches_the_disk(world):
    view = world.view()
    view.begin(HOME)
    await view.slot(RELATED, utf8=True)
    await view.settle()
    assert view.settled
    assert world.keeper.log == []
    assert world.breaker.told == ["succeeded"]


async def test_a_slot_waits_for_the_deadline_and_no_longer(world):
    world.delay = 5
    view = world.view()
    view.begin(HOME)
    began = time.monotonic()
    assert await view.slot(RELATED, utf8=True) is None
    assert await view.slot(RELATED, utf8=True) is None
    assert 0.05 < time.monotonic() - began < 1.0
    assert view.outcomes == [("related", "late")] * 2
    assert world.breaker.told == ["failed"]


async def test_a_call_in_flight_is_kept_under_a_lease_and_withdrawn_when_it_is_answered(world):
    world.delay = 0.2
    view = world.view()
    view.begin(HOME)
    await view.settle()
    assert world.keeper.log == [("keep", "pageview", True)]
    await world.core.aclose(2.0)
    assert world.keeper.log[-1] == ("withdraw",)


async def test_a_call_that_fails_after_all_is_released(world):
    world.delay, world.error = 0.2, ConnectFailed("gone", "vendor")
    view = world.view()
    view.begin(HOME)
    await view.settle()
    await world.core.aclose(2.0)
    assert world.keeper.log == [("keep", "pageview", True), ("release",)]


async def test_a_failed_call_is_kept_without_a_lease(world):
    world.error = ConnectFailed("refused", "vendor")
    view = world.view()
    view.begin(HOME)
    assert await view.slot(RELATED, utf8=True) is None
    await view.settle()
    await view.settle()
    assert world.keeper.log == [("keep", "pageview", False)]
    assert view.outcomes == [("related", "error")]
    assert world.breaker.told == ["failed"]


@pytest.mark.parametrize(
    ("status", "told", "kept"),
    [
        (400, "succeeded", False),
        (422, "succeeded", False),
        (401, "failed", True),
        (429, "failed", True),
        (503, "failed", True),
    ],
)
async def test_a_refusal_is_final_where_it_is_about_the_event(world, status, told, kept):
    world.error = UnexpectedAnswer("no", "vendor", status)
    view = world.view()
    view.begin(HOME)
    await view.slot(RELATED, utf8=True)
    await view.settle()
    assert world.breaker.told == [told]
    assert bool(world.keeper.log) is kept


async def test_with_the_breaker_open_nobody_waits_and_nothing_is_lost(world):
    world.breaker.open = True
    view = world.view()
    view.begin(HOME)
    assert view.answered
    assert await view.slot(RELATED, utf8=True) is None
    await view.settle()
    assert world.sent == []
    assert view.outcomes == [("related", "down")]
    assert world.keeper.log == [("keep", "pageview", False)]


async def test_what_cannot_be_kept_is_counted_as_lost(world):
    world.breaker.open = True
    world.keeper.works = False
    view = world.view()
    view.begin(HOME)
    await view.settle()
    assert b'datacue_events_total{outcome="lost",type="pageview"} 1.0' in world.metrics.expose()


async def test_without_an_outbox_a_failed_event_is_counted_as_lost(world):
    world.core.keeper = None
    world.error = ConnectFailed("refused", "vendor")
    view = world.view()
    view.begin(HOME)
    await view.slot(RELATED, utf8=True)
    await view.settle()
    assert b'outcome="lost"' in world.metrics.expose()


@pytest.mark.parametrize("answer", [b"garbage{", b"[]", b'"x"'])
async def test_garbage_is_an_error_and_the_event_is_acknowledged_all_the_same(world, answer):
    world.answer = answer
    view = world.view()
    view.begin(HOME)
    assert await view.slot(RELATED, utf8=True) is None
    await view.settle()
    assert world.keeper.log == []
    assert view.outcomes == [("related", "error")]


async def test_an_answer_without_lists_is_empty(world):
    world.answer = None
    view = world.view()
    view.begin(HOME)
    assert await view.slot(RELATED, utf8=True) is None
    assert view.outcomes == [("related", "empty")]


async def test_a_template_that_fails_keeps_the_shops_content(world):
    world.renderer.error = SettingsError("templates", "broken", "mend it")
    view = world.view()
    view.begin(HOME)
    assert await view.slot(RELATED, utf8=True) is None
    assert view.outcomes == [("related", "failed")]


async def test_a_page_without_an_event_has_nothing_to_ask(world):
    view = world.view()
    assert view.answered
    view.begin(Page("checkout"))
    assert await view.slot(RELATED, utf8=True) is None
    await view.settle()
    assert world.sent == world.keeper.log == []
    assert view.outcomes == [("related", "unknown")]


async def test_further_events_of_the_page_are_settled_with_it(world):
    world.error = ConnectFailed("refused", "vendor")
    view = world.view()
    view.begin(HOME)
    view.track({"type": "login"})
    await view.settle()
    assert sorted(entry[1] for entry in world.keeper.log) == ["login", "pageview"]


async def test_the_shop_may_say_that_it_is_another_page(world):
    view = world.view()
    view.begin(HOME)
    view.restart(Page("category", category_name="beds"))
    await view.slot(RELATED, utf8=True)
    await view.settle()
    assert [sent["event"]["subtype"] for sent in world.sent] == ["home", "category"]


async def test_closing_cancels_what_does_not_end(world):
    world.delay = 60
    view = world.view()
    view.begin(HOME)
    await asyncio.sleep(0)
    await world.core.aclose(0.01)
    assert world.core.calls == set()
    assert world.breaker.told == ["abandoned"]
