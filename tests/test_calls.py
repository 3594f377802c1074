"""Calls over real connections: what comes back, and what becomes of the event."""

from __future__ import annotations

import asyncio
import contextlib
import gc

import pytest
from harness.peers import Peer, reply

from proxy.answers import Answers
from proxy.calls import Call, Pending, Sending
from proxy.errors import ConnectionLost, MalformedResponse, UnexpectedAnswer
from proxy.http1 import Origin, Pool
from proxy.metrics import Metrics
from proxy.models import Visitor
from proxy.vendor import EventsClient

PENDING = Pending({"type": "pageview", "subtype": "home"}, Visitor("v"), None, 0.0)


@pytest.fixture
async def peer():
    peer = await Peer().start()
    yield peer
    await peer.stop()


@pytest.fixture
async def pool(peer):
    pool = Pool(Origin.parse(peer.url), source="vendor")
    yield pool
    await pool.aclose()


@pytest.fixture
async def client(pool, peer):
    """Its connection is open and idle: the next call needs no task."""
    client = EventsClient(pool, api_key="key", now=lambda: 0.0)
    peer.answers["/"] = reply(b'{"warm":1}')
    assert await client.send(b"{}") == b'{"warm":1}'
    return client


async def test_the_first_call_opens_a_connection_and_the_next_goes_out_over_it(client, peer):
    sending = client.send(b'{"a":1}')
    assert not isinstance(sending, asyncio.Task)
    assert await sending == b'{"warm":1}'
    assert [seen.body for seen in peer.seen] == [b"{}", b'{"a":1}']
    assert peer.connections == 1


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (reply(b"{}"), b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", None),
        (b"HTTP/1.1 102 Processing\r\n\r\n" + reply(b"{}"), b"{}"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", b"{}"),
    ],
)
async def test_an_answer_is_its_body_and_204_is_none(client, peer, answer, found):
    peer.answers["/"] = answer
    assert await client.send(b"{}") == found


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(b"no", 503, "retry-after: 7"), UnexpectedAnswer),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", MalformedResponse),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", MalformedResponse),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1048577\r\n\r\n", MalformedResponse),
    ],
)
async def test_what_is_no_answer_is_an_error(client, peer, answer, error):
    peer.answers["/"] = answer
    with pytest.raises(error):
        await client.send(b"{}")


async def test_a_vendor_that_hangs_up_is_an_error(client, peer):
    async def hang_up(_seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{")
        await writer.drain()
        writer.close()
        raise ConnectionError

    peer.answers["/"] = hang_up
    with pytest.raises(ConnectionLost):
        await client.send(b"{}")


async def test_an_answer_to_a_call_that_was_cancelled_goes_nowhere_else(client, peer):
    go = asyncio.Event()

    async def late(seen, writer):
        await go.wait()
        writer.write(reply(b'{"for":"%b"}' % seen.body))

    peer.answers["/"] = late
    first = client.send(b"first")
    while len(peer.seen) < 2:
        await asyncio.sleep(0.001)
    first.cancel()
    second = client.send(b"second")
    go.set()
    assert await second == b'{"for":"second"}'
    peer.answers["/"] = reply(b'{"then":1}')
    assert await client.send(b"third") == b'{"then":1}'
    assert first.cancelled()


async def test_a_call_cancelled_when_its_connection_breaks_stays_cancelled(client, peer, pool):
    peer.answers["/"] = lambda *_: asyncio.sleep(60)
    sending = client.send(b"{}")
    sending.cancel()
    await pool.aclose()
    with pytest.raises(asyncio.CancelledError):
        await sending


class FakeBreaker:
    def __init__(self):
        self.told = []

    def succeeded(self):
        self.told.append("succeeded")

    def failed(self):
        self.told.append("failed")

    def abandoned(self):
        self.told.append("abandoned")


class FakeKeeper:
    """A disk that is busy until it is let go on."""

    def __init__(self):
        self.log = []
        self.free = asyncio.Event()

    async def keep(self, _event_id, _event, *, lease):
        self.log.append(("keep", lease is not None))
        await self.free.wait()
        return True

    async def withdraw(self, _event_id):
        self.log.append("withdraw")

    async def release(self, _event_id):
        self.log.append("release")


class Caller:
    def __init__(self):
        self.answer = asyncio.get_running_loop().create_future()
        self.breaker, self.keeper, self.metrics = FakeBreaker(), FakeKeeper(), Metrics()
        self.loop = asyncio.get_running_loop()
        self.calls, self.answers = set(), Answers()

    def clock(self):
        return 0.0

    def send(self, _body):
        return self.answer

    async def done(self):
        while self.calls:
            await asyncio.gather(*self.calls, return_exceptions=True)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, "withdraw"),
        (UnexpectedAnswer("no", "vendor", 400), "withdraw"),
        (UnexpectedAnswer("no", "vendor", 503), "release"),
    ],
)
async def test_a_call_that_ends_while_the_disk_is_busy_tells_the_outbox_once(error, told):
    caller = Caller()
    call = Call(caller, PENDING)
    call.start()
    keeping = asyncio.ensure_future(call.keep())
    await asyncio.sleep(0)
    if error is None:
        caller.answer.set_result(b"{}")
    else:
        caller.answer.set_exception(error)
    # The disk is free before the call's end was heard of: the worst order.
    caller.keeper.free.set()
    await keeping
    await caller.done()
    assert caller.keeper.log == [("keep", True), told]


async def test_a_call_that_ends_after_the_disk_was_written_tells_the_outbox_once():
    caller = Caller()
    call = Call(caller, PENDING)
    call.start()
    caller.keeper.free.set()
    await call.keep()
    caller.answer.set_result(b"{}")
    await caller.done()
    assert caller.keeper.log == [("keep", True), "withdraw"]
    assert call.over


async def test_between_the_answer_and_its_hearing_the_call_is_not_over():
    caller = Caller()
    call = Call(caller, PENDING)
    call.start()
    caller.answer.set_result(b"{}")
    assert not call.over
    assert await call.ended(1.0)
    assert (call.outcome, call.answer) == ("acknowledged", b"{}")


async def test_a_bug_of_ours_says_nothing_of_the_vendor_and_is_told_to_the_loop():
    caller = Caller()
    told = []
    caller.loop.set_exception_handler(lambda _loop, context: told.append(context["exception"]))
    call = Call(caller, PENDING)
    call.start()
    caller.answer.set_exception(ZeroDivisionError())
    with contextlib.suppress(ZeroDivisionError):
        await caller.answer
    await asyncio.sleep(0)
    assert [type(error) for error in told] == [ZeroDivisionError]
    assert caller.breaker.told == ["abandoned"]
    assert call.recommendations is None


@pytest.mark.parametrize(
    ("end", "cancelled"), [(lambda s: s.cancel(), True), (lambda s: (s.set_result(b"{}"), s.tell()), False)]
)
async def test_who_listens_is_told_at_once_and_once(end, cancelled):
    told = []
    sending = Sending(loop=asyncio.get_running_loop())
    sending.listener = told.append
    end(sending)
    assert told == [sending]
    assert sending.cancelled() is cancelled
    sending.cancel()
    assert told == [sending]


async def test_a_call_that_is_over_before_anybody_listens_is_heard_all_the_same():
    caller = Caller()
    over = Sending(loop=asyncio.get_running_loop())
    over.set_result(b"{}")
    caller.send = lambda _body: over
    call = Call(caller, PENDING)
    call.start()
    await caller.done()
    assert call.over
    assert call.outcome == "acknowledged"


async def test_a_call_that_was_answered_leaves_no_cycle_behind(client, peer):
    """The collector's runs stop the loop for tens of milliseconds: a page must not bring them on."""
    caller = Caller()
    caller.send = client.send
    for _ in range(3):
        await client.send(b"{}")
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            call = Call(caller, PENDING)
            call.start()
            await call.ended(10)
            assert call.outcome == "acknowledged"
        del call
        await asyncio.sleep(0)
        assert gc.collect() < 20
    finally:
        gc.enable()


async def test_an_answer_that_is_nested_too_deeply_is_garbage_and_the_event_is_acknowledged():
    caller = Caller()
    caller.answer.set_result(b'{"category_product_skus": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    call = Call(caller, PENDING)
    call.start()
    await caller.done()
    assert call.outcome == "acknowledged"
    assert call.recommendations is None
    assert b'error="garbage",source="vendor"} 1.0' in caller.metrics.expose()
