"""Connections to a shared socket: each worker takes one in a turn, and leaves what it can't take."""

import asyncio
import errno
import os
import socket
import tempfile
from contextlib import asynccontextmanager

import pytest
import uvloop

from proxy import accepting
from proxy.accepting import PLACE_BYTES, SLACK, Accepting, Shares


class Connection(asyncio.Protocol):
    def __init__(self, worker):
        self.worker = worker
        self.stopped = False

    def connection_made(self, transport):
        self.transport = transport
        self.worker.append(self)

    def data_received(self, data):
        self.transport.write(data)

    def shutdown(self):
        self.stopped = True


class Listener(socket.socket):
    """One whose process can't hold another connection for a while."""

    def __init__(self, shared):
        super().__init__(fileno=os.dup(shared.fileno()))
        self.refusals = []

    def accept(self):
        if self.refusals:
            raise OSError(self.refusals.pop(), "so it is")
        return super().accept()


@pytest.fixture
def anyio_backend():
    return "asyncio", {"loop_factory": uvloop.new_event_loop}


@pytest.fixture
def shared():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@asynccontextmanager
async def working(shared, *workers):
    """A worker for each list, on one loop; the lists get their connections."""
    listeners = [Listener(shared) for _ in workers]
    with tempfile.TemporaryFile() as file:
        file.truncate(PLACE_BYTES * 4)
        shares = Shares(file.fileno())
    shares.clear()
    those = [
        Accepting(listener, lambda own=own: Connection(own), shares, place, lambda own=own: len(own))
        for place, (listener, own) in enumerate(zip(listeners, workers, strict=True))
    ]
    try:
        yield those, listeners
    finally:
        for each in those:
            each.close()
        for own in workers:
            for connection in own:
                connection.transport.abort()
        for listener in listeners:
            listener.close()


async def asked(shared, count):
    """That many visitors come at the same time, and stay."""
    visitors = [socket.create_connection(shared.getsockname()) for _ in range(count)]
    for visitor in visitors:
        visitor.setblocking(False)
        await asyncio.get_running_loop().sock_sendall(visitor, b"hello")
    return visitors


async def answered(visitors):
    async with asyncio.timeout(5):
        for visitor in visitors:
            assert await asyncio.get_running_loop().sock_recv(visitor, 10) == b"hello"
            visitor.close()


async def test_of_a_burst_each_worker_takes_its_share(shared):
    one, other = [], []
    async with working(shared, one, other):
        await answered(await asked(shared, 40))
    assert len(one) + len(other) == 40
    assert abs(len(one) - len(other)) <= SLACK + len(other) // SLACK + 1


async def test_who_come_one_by_one_go_to_whoever_holds_fewest(shared):
    one, other = [], []
    visitors = []
    async with working(shared, one, other):
        for number in range(40):
            visitors += await asked(shared, 1)
            while len(one) + len(other) <= number:
                await asyncio.sleep(0.001)
        assert abs(len(one) - len(other)) <= SLACK + len(other) // SLACK + 1
        await answered(visitors)


async def test_whoever_others_let_go_first_and_does_not_come_is_not_waited_for(shared):
    hanging, busy = [], []
    async with working(shared, hanging, busy) as (those, _):
        asyncio.get_running_loop().remove_reader(
            those[0]._listener
        )  # it says that it holds none, and hears nothing
        await answered(await asked(shared, 5))
        assert (len(hanging), len(busy)) == (0, 5)
        asyncio.get_running_loop().add_reader(those[0]._listener, those[0]._heard)


async def test_who_is_gone_is_not_let_go_first(shared):
    gone, here = [], []
    async with working(shared, gone, here) as (those, _):
        those[0].close()
        those[0].tell()  # a last tick of its server
        assert those[0]._shares.fewest() == 0 == those[1].tell()
        await answered(await asked(shared, 3))
        assert those[1].tell() == those[1]._shares.fewest() == len(here) == 3


async def test_a_connection_is_as_the_loop_makes_it(shared):
    took = []
    async with working(shared, took):
        visitors = await asked(shared, 1)
        ours = visitors[0].getsockname()
        await answered(visitors)
        assert took[0].transport.get_extra_info("peername") == ours
        own = took[0].transport.get_extra_info("socket")
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_who_can_hold_no_more_leaves_them_to_others_and_comes_back(shared, monkeypatch):
    monkeypatch.setattr(accepting, "RETRY_SECONDS", 0.2)
    full, other = [], []
    async with working(shared, full, other) as (_, listeners):
        listeners[0].refusals = [errno.EMFILE]
        await answered(await asked(shared, 4))
        assert (len(full), len(other)) == (0, 4)
        await asyncio.sleep(0.3)
        await answered(await asked(shared, 20))
        assert full


async def test_a_visitor_who_has_gone_meanwhile_costs_nobody_else(shared):
    took = []
    async with working(shared, took) as (_, listeners):
        listeners[0].refusals = [errno.ECONNABORTED, errno.EPROTO, errno.EAGAIN]
        await answered(await asked(shared, 3))
    assert len(took) == 3


async def test_what_waits_when_a_worker_stops_is_for_the_others(shared):
    stopped, other = [], []
    async with working(shared, stopped, other) as (those, _):
        those[0].close()
        await answered(await asked(shared, 6))
    assert (len(stopped), len(other)) == (0, 6)


async def test_a_full_worker_can_be_stopped(shared):
    took = []
    async with working(shared, took) as (those, listeners):
        listeners[0].refusals = [errno.ENFILE]
        with socket.create_connection(shared.getsockname()):
            while listeners[0].refusals:
                await asyncio.sleep(0.01)
            those[0].close()
            await asyncio.sleep(0.05)
    assert took == []


async def test_who_has_just_come_is_told_that_the_worker_stops(shared):
    took = []
    async with working(shared, took) as (those, _):
        visitor = socket.create_connection(shared.getsockname())
        while not those[0]._opening:
            await asyncio.sleep(0)
        those[0].close()
        waiting = asyncio.get_running_loop().create_task(those[0].wait_closed())
        while not took:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        assert took[0].stopped
        await waiting
        visitor.close()
