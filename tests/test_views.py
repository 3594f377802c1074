"""Which requests are one page view: shared calls, windows, limits, and never another visitor's."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.errors import ConnectFailed
from proxy.events import Context
from proxy.metrics import Metrics
from proxy.models import Page, Visitor
from proxy.personalize import Personalizer
from proxy.sharing import SharedViews
from proxy.views import ASKED_SECONDS, MAX_UNASKED, Asked, Views, view_id

ANNA, BERT = Visitor("11111111-1111-4111-8111-111111111111"), Visitor("22222222-2222-4222-8222-222222222222")
HOME = Page("home")
P1, P2 = Page("product", "p1"), Page("product", "p2")
WINDOW = 5.0


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Breaker:
    def allow(self):
        return True

    def succeeded(self):
        pass

    failed = abandoned = succeeded


class Keeper:
    """A disk that takes its time."""

    def __init__(self):
        self.begun = self.done = 0

    async def keep(self, event_id, pending, *, lease):
        self.begun += 1
        for _ in range(3):
            await asyncio.sleep(0)
        self.done += 1
        return True

    async def withdraw(self, event_id):
        pass

    release = withdraw


class World:
    """A worker with its vendor, who names in his answer whom and what he was asked for."""

    def __init__(self, clock, shared=False, window=WINDOW):
        self.clock = clock
        self.sent = []
        self.hold = None  # the vendor answers when it is set
        self.error = None
        self.keeper = Keeper()
        metrics = Metrics()
        self.core = Personalizer(
            send=self.send, breaker=Breaker(), renderer=None, metrics=metrics, keeper=self.keeper,
            deadline=0.3, clock=clock, now=lambda: 1_800_000_000.0,
        )  # fmt: skip
        more = {"metrics": metrics} if shared else {}
        self.views = (SharedViews if shared else Views)(self.core, window=window, clock=clock, **more)

    async def send(self, body):
        message = json.loads(body)
        self.sent.append(message)
        if self.hold is not None:
            await self.hold.wait()
        if self.error is not None:
            raise self.error
        item = {"product_id": message["user"]["anonymous_id"], "name": message["event"].get("product_id", "")}
        return json.dumps({"related_product_skus": [item]}).encode()

    async def look(self, visitor=ANNA, page=HOME, view="", address="", counts=True):
        asked = Asked(visitor, Context("192.0.2.1"), page, view, address, counts)
        return await self.views.look(asked, self.clock())


def said(seen):
    """The one item of an answer, as (visitor, product)."""
    if seen.answer is None:
        return None
    [raw] = seen.answer.related_product_skus
    item = json.loads(bytes(raw))
    return item["product_id"], item["name"]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def world(clock):
    world = World(clock)
    yield world
    await world.core.aclose(1.0)


@pytest.mark.parametrize("view", ["", "v1"])
async def test_fragments_of_one_page_view_share_one_call(world, view):
    seen = await asyncio.gather(*[world.look(page=P1, view=view) for _ in range(5)])
    seen.append(await world.look(page=P1, view=view))
    assert {said(one) for one in seen} == {(ANNA.anonymous_id, "p1")}
    assert len(world.sent) == 1


@pytest.mark.parametrize("view", ["", "v1"])
async def test_a_page_view_ends_with_its_window(world, clock, view):
    await world.look(view=view)
    clock.now += WINDOW - 0.01
    await world.look(view=view)
    assert len(world.sent) == 1
    clock.now += 0.02
    await world.look(view=view)
    assert len(world.sent) == 2
    assert len(world.views) == 1


async def test_another_view_id_is_another_page_view(world):
    await asyncio.gather(world.look(view="a"), world.look(view="b"))
    assert len(world.sent) == 2


async def test_a_view_id_never_gives_another_visitors_answer(world):
    seen = await asyncio.gather(world.look(ANNA, view="v"), world.look(BERT, view="v"))
    assert [said(one)[0] for one in seen] == [ANNA.anonymous_id, BERT.anonymous_id]
    unknown = await world.look(Visitor("33333333-3333-4333-8333-333333333333"), None, "v", counts=False)
    assert (unknown.answer, unknown.outcome) == (None, "unknown")


async def test_who_logs_in_is_answered_anew(world):
    await world.look(ANNA)
    await world.look(Visitor(ANNA.anonymous_id, "u1"))
    assert [sent["user"].get("user_id") for sent in world.sent] == [None, "u1"]


async def test_another_page_under_the_same_id_is_another_page_view(world):
    assert said(await world.look(page=P1, view="v"))[1] == "p1"
    assert said(await world.look(page=P2, view="v"))[1] == "p2"


async def test_a_variant_that_one_fragment_leaves_out_parts_none(world):
    await world.look(page=Page("product", "p1", "v1"))
    await world.look(page=P1)
    assert len(world.sent) == 1
    await world.look(page=Page("product", "p1", "v2"))
    assert len(world.sent) == 2


async def test_searches_and_categories_are_told_apart(world):
    for page in (
        Page("search", term="a"), Page("search", term="b"), Page("category", category_name="a"),
        Page("category", category_name="b"), Page("cart"), Page("404"),
    ):  # fmt: skip
        await world.look(page=page)
        await world.look(page=page)
    assert len(world.sent) == 6


async def test_what_does_not_know_its_page_belongs_to_the_view_of_its_id(world):
    seen = await asyncio.gather(world.look(page=None, view="v"), world.look(page=P1, view="v"))
    assert [said(one)[1] for one in seen] == ["p1", "p1"]
    assert (await world.look(page=None)).outcome == "unknown"
    assert len(world.sent) == 1


async def test_who_goes_while_it_waits_leaves_nothing_behind(world):
    waiting = asyncio.ensure_future(world.look(page=None, view="v"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert world.views._waiting == {}


async def test_what_does_not_know_its_page_is_found_by_its_address(world):
    await world.look(page=P1, address="/thing?x=1")
    assert said(await world.look(page=None, address="/thing?x=1"))[1] == "p1"
    assert (await world.look(page=None, address="/thing?x=2")).outcome == "unknown"


async def test_what_counts_nothing_waits_for_what_counts(world):
    silent = asyncio.ensure_future(world.look(view="v", counts=False))
    await asyncio.sleep(0)
    assert world.sent == []
    assert said(await world.look(view="v")) == said(await silent)
    assert (await world.look(view="other", counts=False)).answer is None
    assert (await world.look(page=P1, counts=False)).answer is None
    assert len(world.sent) == 1
    assert world.views._waiting == {}


async def test_a_page_without_an_event_is_unknown(world):
    assert (await world.look(page=Page("checkout"))).outcome == "unknown"
    assert world.sent == []


async def test_a_failed_call_is_not_made_again_in_its_view_and_stored_once(world):
    world.error = ConnectFailed("x", "vendor")
    seen = await asyncio.gather(*[world.look() for _ in range(5)])
    assert {one.outcome for one in seen} == {"error"}
    assert (await world.look()).outcome == "error"
    assert (len(world.sent), world.keeper.begun) == (1, 1)


async def test_no_fragment_ends_before_the_event_is_on_the_disk(world, clock):
    world.hold = asyncio.Event()

    async def late():
        seen = await world.views.look(Asked(ANNA, None, HOME), clock.now - 0.3)
        assert world.keeper.done == 1
        return seen.outcome

    assert await asyncio.gather(*[late() for _ in range(3)]) == ["late"] * 3
    assert world.keeper.begun == 1
    world.hold.set()


async def test_fragments_asked_one_by_one_wait_together_until_the_firsts_deadline(world, clock):
    world.hold = asyncio.Event()
    await world.views.look(Asked(ANNA, None, HOME), clock.now - 0.3)
    assert (await asyncio.wait_for(world.look(), 0.2)).outcome == "late"
    world.hold.set()


async def test_a_page_of_ours_and_its_fragments_are_one_page_view(world, clock):
    view = world.core.view(ANNA, None, clock())
    view.address = "/thing"
    view.begin(P1)
    assert said(await world.look(page=None, address="/thing"))[1] == "p1"
    assert said(await world.look(page=P1))[1] == "p1"
    again = world.core.view(ANNA, None, clock())
    again.begin(P1)  # a reload counts
    await again.settle()
    assert len(world.sent) == 2


async def test_a_window_of_no_length_remembers_nothing_and_fails_nobody(clock):
    world = World(clock, window=0)
    for _ in range(2):
        view = world.core.view(ANNA, None, clock())
        view.begin(P1)
        await view.settle()
    assert len(world.views) == 0
    assert said(await world.look(page=P1))[1] == "p1"
    assert len(world.sent) == 3
    await world.core.aclose(1.0)


async def test_a_page_whose_fragments_came_first_joins_them_by_its_id(world, clock):
    await world.look(page=P1, view="v")
    view = world.core.view(ANNA, None, clock())
    view.name = "v"
    view.begin(P1)
    await view.settle()
    assert len(world.sent) == 1


async def test_the_oldest_goes_when_there_are_too_many(world, monkeypatch):
    monkeypatch.setattr("proxy.views.MAX_VIEWS", 3)
    for number in range(6):
        await world.look(page=Page("product", str(number)))
    assert len(world.views) == 3
    assert sum(map(len, world.views._groups.values())) == 3


async def test_the_oldest_goes_when_answers_weigh_too_much(world, monkeypatch):
    await world.look()
    one = world.views.bytes
    assert one > 0
    monkeypatch.setattr("proxy.views.MAX_BYTES", 3 * one)
    for number in range(9):
        await world.look(page=Page("product", str(number)))
    assert world.views.bytes <= 3 * one


async def test_all_is_forgotten_in_time(world, clock):
    for number in range(9):
        await world.look(page=Page("product", str(number)), view=str(number))
    clock.now += WINDOW
    await world.look()
    assert (len(world.views), len(world.views._groups)) == (1, 1)


def pages(world, clock, *numbers):
    for number in numbers:
        world.core.view(ANNA, None, clock()).begin(Page("product", str(number)))


async def test_pages_are_set_aside_until_somebody_asks_for_a_fragment(world, clock):
    pages(world, clock, *range(3))
    assert (len(world.views), world.views._groups) == (3, {})
    assert said(await world.look(page=Page("product", "1")))[1] == "1"
    assert len(world.sent) == 3
    pages(world, clock, 4)  # from now on they are sorted in at once
    assert not world.views._aside
    clock.now += ASKED_SECONDS
    pages(world, clock, 5)
    assert len(world.views._aside) == 1


async def test_what_is_set_aside_is_bounded_and_forgotten_in_time(world, clock):
    pages(world, clock, *range(MAX_UNASKED + 5))
    assert len(world.views) == MAX_UNASKED
    clock.now += WINDOW
    pages(world, clock, 7)
    assert len(world.views) == 1


@given(
    asked=st.lists(
        st.tuples(
            st.sampled_from([ANNA, BERT]),
            st.sampled_from([None, HOME, P1, P2]),
            st.sampled_from(["", "a", "b"]),
            st.booleans(),
            st.sampled_from([0.0, 1.0, 4.0]),
        ),
        max_size=12,
    )
)
@settings(max_examples=20, deadline=None)
def test_nobody_is_ever_shown_what_is_another_visitors_or_another_pages(asked):
    async def run():
        world = World(Clock())
        for visitor, page, view, counts, later in asked:
            world.clock.now += later
            seen = await world.look(visitor, page, view, counts=counts)
            if seen.answer is not None:
                name = seen.page.product_id or ""
                assert said(seen) == (visitor.anonymous_id, name)
                assert page is None or (seen.page.kind, name) == (page.kind, page.product_id or "")
        await world.core.aclose(1.0)

    asyncio.run(run())


def test_an_id_of_a_request_that_the_browser_made_itself_says_nothing():
    name = (b"x-datacue-view", b"abc")
    assert view_id([name]) == "abc"
    assert view_id([name, (b"sec-fetch-dest", b"document")]) == "abc"
    assert view_id([name, (b"sec-fetch-dest", b"empty")]) == ""
    assert view_id([]) == ""


# Several workers -------------------------------------------------------------------------------


class Workers:
    """Workers that hear each other without a network; some are dead, some say nothing."""

    def __init__(self, clock, names):
        self.worlds = {name: World(clock, shared=True) for name in names}
        self.dead = set()
        self.first = names[0]
        for name, world in self.worlds.items():
            world.views.others = _Seat(self, name)

    @property
    def sent(self):
        return [one for world in self.worlds.values() for one in world.sent]

    async def aclose(self):
        for world in self.worlds.values():
            await world.core.aclose(1.0)


class _Seat:
    def __init__(self, workers, name):
        self.workers, self.name = workers, name

    def all(self):
        return list(self.workers.worlds)

    def responsible(self, key):
        return list(self.workers.worlds)

    async def ask(self, name, question, seconds):
        if name in self.workers.dead:
            raise ConnectFailed("gone", "proxy")
        return await self.workers.worlds[name].views.serve(question)


@pytest.fixture
async def workers(clock):
    workers = Workers(clock, ["a", "b", "c", "d"])
    yield workers
    await workers.aclose()


@pytest.mark.parametrize("view", ["", "v"])
async def test_fragments_at_different_workers_share_one_call(workers, view):
    worlds = list(workers.worlds.values()) * 2
    seen = await asyncio.gather(*[world.look(page=P1, view=view) for world in worlds])
    assert {said(one) for one in seen} == {(ANNA.anonymous_id, "p1")}
    assert {one.page for one in seen} == {P1}
    assert len(workers.sent) == len(workers.worlds["a"].sent) == 1


async def test_what_counts_nothing_waits_for_what_counts_at_another_worker(workers):
    silent = asyncio.ensure_future(workers.worlds["b"].look(page=None, view="v", counts=False))
    await asyncio.sleep(0)
    await workers.worlds["c"].look(page=P1, view="v")
    assert said(await silent)[1] == "p1"


async def test_a_page_that_came_to_any_worker_is_found(workers, clock):
    view = workers.worlds["c"].core.view(ANNA, None, clock())
    view.address = "/thing"
    view.begin(P1)
    for world in workers.worlds.values():
        assert said(await world.look(page=None, address="/thing"))[1] == "p1"
    seen = await asyncio.gather(*[world.look(page=P1) for world in workers.worlds.values()])
    assert {said(one) for one in seen} == {(ANNA.anonymous_id, "p1")}
    assert len(workers.sent) == 1


async def test_where_a_page_still_waits_its_fragments_are_late_and_count_nothing(workers, clock):
    page = workers.worlds["c"]
    page.hold = asyncio.Event()
    view = page.core.view(ANNA, None, clock())
    view.begin(P1)
    asked = Asked(ANNA, None, P1)
    for world in workers.worlds.values():
        assert (await world.views.look(asked, clock.now - 0.3)).answer is None
    page.hold.set()
    await view.recommendations()
    clock.now += 1.0
    assert said(await workers.worlds["b"].look(page=P1))[1] == "p1"
    assert len(workers.sent) == 1


async def test_the_next_in_line_helps_where_the_first_is_gone(workers):
    workers.dead = {"a"}
    seen = await asyncio.gather(*[workers.worlds[name].look(page=P1) for name in "bcd"])
    assert {said(one) for one in seen} == {(ANNA.anonymous_id, "p1")}
    assert len(workers.worlds["b"].sent) == len(workers.sent) == 1


async def test_who_is_left_alone_helps_itself(workers):
    workers.dead = {"a", "b", "c"}
    assert said(await workers.worlds["d"].look(page=P1))[1] == "p1"


async def test_two_workers_that_both_feel_responsible_make_one_call(workers):
    for name, world in workers.worlds.items():  # each thinks that it is the only one who is
        world.views.others.responsible = lambda key, name=name: [name]
    seen = await asyncio.gather(*[world.look(page=P1, view="v") for world in workers.worlds.values()])
    assert {said(one) for one in seen} == {(ANNA.anonymous_id, "p1")}
    assert len(workers.sent) == 1


@pytest.mark.parametrize("answer", [b"", b"{}}", b'{"page": 1}', b"\xff"])
async def test_who_answers_nonsense_is_passed_over(workers, answer):
    async def nonsense(message):
        return answer

    workers.worlds["a"].views.serve = nonsense
    assert said(await workers.worlds["b"].look(page=P1))[1] == "p1"


async def test_who_hangs_is_passed_over(workers, monkeypatch):
    async def hanging(name, question, seconds):
        raise TimeoutError

    monkeypatch.setattr(workers.worlds["b"].views.others, "ask", hanging)
    assert said(await workers.worlds["b"].look(page=P1))[1] == "p1"


async def test_another_versions_question_is_refused(workers):
    with pytest.raises(ValueError, match="left"):
        await workers.worlds["a"].views.serve(b'{"asked": {"visitor": {"anonymous_id": "x"}}}')
