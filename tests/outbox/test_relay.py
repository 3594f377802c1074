"""The relay, on a clock that jumps, before a vendor that does as it is told."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.breaker import Breaker
from proxy.errors import (
    ConnectFailed,
    OutboxUnavailable,
    PeerError,
    PoolTimeout,
    ResponseTimeout,
    UnexpectedAnswer,
)
from proxy.outbox import Folder, Outbox, Priority, Record, Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
    from typing import TypeAlias

    NewRecord: TypeAlias = Callable[..., Record]


EPOCH = 1_800_000_000.0


def answered(status: int, retry_after: float | None = None) -> UnexpectedAnswer:
    return UnexpectedAnswer(f"HTTP {status}", "vendor", status, retry_after)


class Vendor:
    """Answers each record's attempts as its script says, then with success; notes when it was asked."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.scripts: dict[str, list[PeerError | None]] = {}
        self.failure: Exception | None = None
        self.latency = 0.01
        self.asked: list[tuple[float, str]] = []
        self.took: list[str] = []
        self.at_once = 0
        self.most_at_once = 0

    async def send(self, record: Record) -> None:
        self.asked.append((self._clock(), record.id))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.latency)
        finally:
            self.at_once -= 1
        script = self.scripts.get(record.id)
        if script and (failure := script.pop(0)) is not None:
            raise failure
        if self.failure is not None:
            raise self.failure
        self.took.append(record.id)

    def times(self, id_: str) -> list[float]:
        return [when for when, asked in self.asked if asked == id_]


class World:
    """An outbox, a relay and a vendor on virtual time."""

    def __init__(self, time: Any, folder: Folder, **options: Any) -> None:
        self.time = time
        self.start = time.wall()
        self.alarms: list[str | None] = []
        self.vendor = Vendor(time.monotonic)
        self.breaker = Breaker(clock=time.monotonic, jitter=lambda: 0.5)
        self.outbox = Outbox(folder, clock=time.wall)
        self.relay = Relay(
            self.outbox,
            self.vendor.send,
            breaker=self.breaker,
            clock=time.wall,
            jitter=lambda: 0.5,
            alarm=self.alarms.append,
            **options,
        )
        time.watch(self.outbox)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self.outbox:
            task = asyncio.get_running_loop().create_task(self.relay.run())
            try:
                yield
            finally:
                await self.relay.aclose()
                await task

    async def until(self, condition: Callable[[], object], seconds: float = 3600.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    async def took(self, ids: Iterable[str]) -> None:
        wanted = set(ids)
        await self.until(lambda: wanted <= set(self.vendor.took))


@pytest.fixture
def journey(virtual_time: Any, folder: Folder) -> Callable[..., None]:
    """Runs a coroutine function in a world of its own."""

    def run(story: Callable[[World], Coroutine[Any, Any, None]], **options: Any) -> None:
        time = virtual_time()
        world = World(time, folder, **options)

        async def main() -> None:
            async with world.running():
                await story(world)

        time.run(main())

    return run


def test_a_committed_record_is_sent_once_and_forgotten(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        await world.outbox.commit([new_record()])
        await world.took(["r0"])
        await asyncio.sleep(1000)
        assert world.vendor.took == ["r0"]
        assert await world.outbox.list() == []

    journey(story)


def test_a_leased_record_that_is_withdrawn_is_never_sent(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        await world.outbox.commit([new_record()], lease=5)
        await asyncio.sleep(1)
        await world.outbox.withdraw(["r0"])
        await asyncio.sleep(1000)
        assert world.vendor.asked == []

    journey(story)


def test_a_lease_that_ends_without_an_answer_is_sent(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        await world.outbox.commit([new_record()], lease=5)
        await world.took(["r0"])
        assert world.vendor.times("r0") == pytest.approx([5], abs=0.1)

    journey(story)


def test_a_released_lease_is_sent_at_once(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        await world.outbox.commit([new_record()], lease=500)
        await world.outbox.release(["r0"])
        await world.took(["r0"])
        assert world.vendor.times("r0")[0] < 1

    journey(story)


def test_a_visitors_order_is_kept_and_others_go_on(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        world.vendor.scripts["r0"] = [answered(500), answered(500), answered(500)]
        await world.outbox.commit([new_record("bad") for _ in range(3)] + [new_record("good")])
        await world.took(["r0", "r1", "r2", "r3"])
        assert world.vendor.took == ["r3", "r0", "r1", "r2"]

    journey(story)


def test_back_off_grows_with_every_failed_attempt(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        world.vendor.scripts["r0"] = [answered(500)] * 4
        await world.outbox.commit([new_record()])
        await world.took(["r0"])
        times = world.vendor.times("r0")
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert gaps == pytest.approx([0.5, 1, 2, 4], abs=0.1)

    journey(story)


@pytest.mark.parametrize("status", [400, 404, 410, 413, 422])
def test_what_the_vendor_will_never_take_is_a_dead_letter(
    journey: Any, new_record: NewRecord, status: int
) -> None:
    async def story(world: World) -> None:
        world.vendor.scripts["r0"] = [answered(status)]
        await world.outbox.commit([new_record(), new_record()])
        await world.took(["r1"])
        [dead] = await world.outbox.list("dead")
        assert dead.record.id == "r0"
        assert str(status) in dead.reason
        assert await world.outbox.replay(["r0"]) == 1
        await world.took(["r0"])

    journey(story)


@pytest.mark.parametrize(("asked", "waited"), [(30.0, 30.0), (-5.0, 0.5), (1e9, 600.0)])
def test_retry_after_holds_everything_back_and_is_clamped(
    journey: Any, new_record: NewRecord, asked: float, waited: float
) -> None:
    async def story(world: World) -> None:
        world.vendor.scripts["r0"] = [answered(503, asked)]
        await world.outbox.commit([new_record("a")])
        await world.until(lambda: world.vendor.asked and not world.relay.in_flight)
        await world.outbox.commit([new_record("b")])
        await world.took(["r0", "r1"])
        [_, again] = world.vendor.times("r0")
        assert waited <= again <= waited * 1.1 + 1
        if asked > 0:
            assert world.vendor.times("r1")[0] >= waited

    journey(story)


def test_throttling_without_a_time_slows_down_to_one_trial_at_a_time(
    journey: Any, new_record: NewRecord
) -> None:
    async def story(world: World) -> None:
        world.vendor.failure = answered(429)
        await world.outbox.commit([new_record(f"v{n}") for n in range(100)])
        await asyncio.sleep(60)
        assert 32 < len(world.vendor.asked) < 45
        assert world.breaker.state == "closed"  # it answers: pages may go on asking
        world.vendor.failure = None
        await world.took(f"r{n}" for n in range(100))

    journey(story)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_pauses_everything_and_raises_one_alarm(
    journey: Any, new_record: NewRecord, status: int
) -> None:
    async def story(world: World) -> None:
        world.vendor.failure = answered(status)
        await world.outbox.commit([new_record(f"v{n}") for n in range(100)])
        await asyncio.sleep(50)
        assert len(world.vendor.asked) == 32  # those in flight when the first one was refused
        await asyncio.sleep(600)
        assert 32 < len(world.vendor.asked) < 32 + 6
        [alarm] = world.alarms
        assert alarm is not None
        assert str(status) in alarm
        world.vendor.failure = None
        await world.took(f"r{n}" for n in range(100))
        assert world.alarms[1:] == [None]
        assert world.relay.paused is None

    journey(story)


def test_resume_lifts_a_pause_at_once(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        world.vendor.scripts["r0"] = [answered(401)]
        await world.outbox.commit([new_record()])
        await world.until(lambda: world.alarms)
        world.relay.resume()
        await world.took(["r0"])
        assert world.time.monotonic() < 5

    journey(story)


def test_a_dead_vendor_gets_one_probe_at_a_time(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        world.vendor.failure = ConnectFailed("refused", "vendor")
        await world.outbox.commit([new_record(f"v{n}") for n in range(200)])
        await world.until(lambda: world.breaker.state == "open")
        opened, world.vendor.most_at_once = len(world.vendor.asked), 0
        assert opened <= 32
        await asyncio.sleep(600)
        assert world.vendor.most_at_once == 1
        assert len(world.vendor.asked) - opened < 600 / 15 + 10
        world.vendor.failure = None
        await world.took(f"r{n}" for n in range(200))

    journey(story)


def test_a_vendor_that_hangs_is_given_up_and_asked_again(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        world.vendor.latency = 10_000.0
        await world.outbox.commit([new_record()])
        await asyncio.sleep(1)
        world.vendor.latency = 0.01
        await world.took(["r0"])
        assert len(world.vendor.asked) == 2

    journey(story)


def test_a_bug_in_the_sender_costs_no_record(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        world.vendor.failure = KeyError("oops")
        await world.outbox.commit([new_record()])
        await world.until(lambda: world.vendor.asked)
        await asyncio.sleep(1)
        world.vendor.failure = None
        await world.took(["r0"])

    journey(story)


def test_calls_in_flight_are_bounded(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        await world.outbox.commit([new_record(f"v{n}") for n in range(100)])
        await world.took(f"r{n}" for n in range(100))
        assert world.vendor.most_at_once == 4

    journey(story, concurrency=4)


def test_what_is_too_old_is_dropped_and_counted(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        world.vendor.failure = ConnectFailed("refused", "vendor")
        await world.outbox.commit([new_record("a"), new_record("b", priority=Priority.CART)])
        await asyncio.sleep(75)
        assert [held.record.id for held in await world.outbox.list()] == ["r1"]
        assert world.outbox.tally["dropped_age", Priority.VIEW] == 1

    journey(story, ages={Priority.VIEW: 60.0})


def test_a_store_that_was_opened_again_sends_nothing_twice(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        world.outbox._writer._reopen_pause = 0.0  # type: ignore[union-attr]  # real seconds, not virtual ones
        world.vendor.latency = 20.0
        await world.outbox.commit([new_record(), new_record()])
        await world.until(lambda: world.vendor.asked)
        with pytest.raises(OutboxUnavailable, match="ZeroDivisionError"):
            await world.outbox._call(lambda _: 1 / 0)  # a failure: the store is closed and opened anew
        await world.outbox.commit([new_record("other")])
        await world.took(["r0", "r1", "r2"])
        assert sorted(world.vendor.took) == ["r0", "r1", "r2"]
        assert world.vendor.times("r1")[0] > 19.9

    journey(story)


failures = st.sampled_from(
    [
        None,
        answered(500),
        answered(503, 3.0),
        answered(429),
        answered(401),
        answered(404),
        ConnectFailed("refused", "vendor"),
        ResponseTimeout("stalled", "vendor"),
        PoolTimeout("busy", "vendor"),
    ]
)


@given(
    visitors=st.lists(st.sampled_from("abcd"), min_size=1, max_size=15),
    scripts=st.lists(st.lists(failures, max_size=4), min_size=15, max_size=15),
    leases=st.lists(st.sampled_from([None, None, 2.0]), min_size=15, max_size=15),
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_fails_each_visitors_records_arrive_once_and_in_order(
    virtual_time: Any, visitors: list[str], scripts: list[Any], leases: list[float | None]
) -> None:
    with tempfile.TemporaryDirectory() as path:
        world = World(virtual_time(), Folder(Path(path)))

        async def main() -> None:
            async with world.running():
                for number, visitor in enumerate(visitors):
                    id_ = f"{visitor}{number:02}"
                    world.vendor.scripts[id_] = list(scripts[number])
                    record = Record(id_, visitor, Priority.VIEW, world.time.wall(), b"{}")
                    await world.outbox.commit([record], lease=leases[number])
                    await asyncio.sleep(0.1)
                while await world.outbox.list("waiting"):
                    await asyncio.sleep(60)
                dead = {held.record.id for held in await world.outbox.list("dead")}
                took = world.vendor.took
                assert len(took) == len(set(took)), "sent twice"
                assert len(took) + len(dead) == len(visitors), "lost"
                for visitor in "abcd":
                    of_one = [id_ for id_ in took if id_[0] == visitor]
                    assert of_one == sorted(of_one), "out of order"

        world.time.run(main())


def test_closing_waits_for_calls_in_flight_and_records_their_success(
    virtual_time: Any, folder: Folder, new_record: NewRecord
) -> None:
    time = virtual_time()
    world = World(time, folder)
    world.vendor.latency = 3.0

    async def main() -> None:
        async with world.running():
            await world.outbox.commit([new_record()])
            await world.until(lambda: world.vendor.asked)
        assert world.vendor.took == ["r0"]
        assert world.outbox.tally["sent", Priority.VIEW] == 1

    time.run(main())


def test_closing_keeps_what_was_not_answered_within_the_grace(
    virtual_time: Any, folder: Folder, new_record: NewRecord
) -> None:
    time = virtual_time()
    world = World(time, folder)
    world.vendor.latency = 25.0

    async def main() -> None:
        async with world.running():
            await world.outbox.commit([new_record()])
            await world.until(lambda: world.vendor.asked)
        assert world.vendor.took == []
        assert [held.record.id for held in await world.outbox.list()] == ["r0"]

    time.run(main())


def call(number: int) -> Record:
    return Record(f"call{number}", f"buyer{number}", Priority.PURCHASE, EPOCH + number, b"{}", "POST /orders")


def test_a_rest_api_that_is_down_or_refuses_us_stops_no_events(journey: Any, new_record: NewRecord) -> None:
    async def story(world: World) -> None:
        for number, failure in enumerate((ConnectFailed("refused", "vendor"), answered(503), answered(401))):
            world.vendor.scripts[f"call{number}"] = [failure] * 5
        await world.outbox.commit([call(number) for number in range(3)])
        await world.until(lambda: len(world.vendor.asked) >= 3)
        await world.outbox.commit([new_record()])
        await world.took(["r0"])
        assert world.breaker.state == "closed"
        assert world.alarms == []
        assert world.vendor.times("r0")[0] < 2
        await world.took(["call0", "call1", "call2"])

    journey(story)
