"""A request that comes in a turn in which enough others have begun waits for the next, and loses nothing by it."""

import asyncio

import pytest

from proxy.turn import BEGINNINGS, Turn

ASK = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
async def crowded(wired):
    """Others were first."""
    Turn.of(asyncio.get_running_loop())._begun = BEGINNINGS
    return wired


async def turns():
    for _ in range(12):
        await asyncio.sleep(0)


async def test_it_is_answered_in_the_next_turn(crowded):
    crowded.connection.data_received(ASK)
    assert crowded.mirror.begun == 0
    await turns()
    assert [seen["target"] for seen in crowded.mirror.seen] == ["/a"]
    assert crowded.wire.sent


async def test_who_goes_on_sending_is_not_listened_to_meanwhile(crowded):
    crowded.connection.data_received(ASK[:10])
    crowded.connection.data_received(ASK[10:20])
    assert crowded.wire.paused
    await turns()
    assert not crowded.wire.paused
    crowded.connection.data_received(ASK[20:])
    await turns()
    assert len(crowded.mirror.seen) == 1


async def test_who_leaves_before_its_turn_costs_nothing(crowded):
    crowded.connection.data_received(ASK)
    crowded.connection.connection_lost(None)
    await turns()
    assert crowded.mirror.begun == 0
    assert not crowded.state.connections


async def test_a_deadline_that_passes_while_it_waits_for_us_is_not_the_clients(crowded):
    crowded.connection.data_received(ASK)
    crowded.connection._expired()
    await turns()
    assert crowded.refused == []
    assert len(crowded.mirror.seen) == 1


async def test_what_is_no_request_is_refused_in_its_turn(crowded):
    crowded.connection.data_received(b"GET /a HTTP/1.1\nHost: a\r\n\r\n")
    assert crowded.refused == []
    await turns()
    assert crowded.refused == ["bare-lf"]
    assert b"".join(crowded.wire.sent).startswith(b"HTTP/1.1 400 ")


async def test_a_server_that_stops_answers_it_and_closes(crowded):
    crowded.connection.data_received(ASK)
    crowded.connection.shutdown()
    await turns()
    assert len(crowded.mirror.seen) == 1
    assert b"connection: close" in b"".join(crowded.wire.sent)
    assert crowded.wire.ended


async def test_the_rest_of_a_head_is_no_request_and_renews_no_deadline(wired):
    wired.connection.data_received(ASK)
    await turns()
    wired.connection.data_received(b"GET /b HTTP/1.1\r\nHost: a\r\nX: ")
    due = wired.connection._deadline._at
    for _ in range(3 * BEGINNINGS):
        wired.connection.data_received(b"a")
        await turns()
        assert not wired.connection._deferred
    assert wired.connection._deadline._at == due


async def test_a_head_that_had_to_wait_has_its_deadline_from_its_turn_on(crowded):
    crowded.connection.data_received(b"GET /b HTTP/1.1\r\nHost: a\r\nX: ")
    await turns()
    due = crowded.connection._deadline._at
    Turn.of(asyncio.get_running_loop())._begun = BEGINNINGS
    crowded.connection.data_received(b"a")
    await turns()
    assert crowded.connection._deadline._at == due
