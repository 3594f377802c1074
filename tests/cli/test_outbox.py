"""``datacue-proxy outbox``, as an operator runs it: on the files, with and without a proxy."""

from __future__ import annotations

import asyncio
import json

import pytest

from proxy.events import encode
from proxy.models import Visitor
from proxy.outbox import Folder, Outbox, Priority, Record
from proxy.outbox.records import Dead

EVENT = {"type": "pageview", "subtype": "home"}


@pytest.fixture
def command(cli):
    """The command in a thread of this process: it starts a loop of its own."""

    async def run(*arguments, **environment):
        return await asyncio.to_thread(cli, *arguments, COLUMNS="200", **environment)

    return run


@pytest.fixture
async def filled(tmp_path):
    """Two events that wait and one that is dead."""
    async with Outbox(Folder(tmp_path / ".datacue" / "outbox")) as outbox:
        records = [
            Record(name, f"v{name}", Priority.VIEW, 1_700_000_000.0, encode(EVENT, Visitor(f"v{name}"), None))
            for name in ("a", "b", "c")
        ]
        await outbox.commit(records)
        claimed = await outbox.claim(1, 60.0)
        [held] = claimed.held
        await outbox.settle([Dead(held.record, "the events endpoint answered 400: no such product")])
    return held.record.id


async def test_an_empty_outbox_says_so(command):
    for arguments in (["status"], ["list"]):
        assert await command("outbox", *arguments) == (0, "Nothing waits.\n", "")
    assert await command("outbox", "list", "--json") == (0, "[]\n", "")
    assert await command("outbox", "status", "--json") == (0, "{}\n", "")


async def test_status_counts_what_waits_and_what_is_dead(command, filled):
    code, out, _ = await command("outbox", "status")
    assert code == 0
    assert "2 wait, the oldest since 2023-11-14T22:13:20Z; 1 dead" in out
    status = json.loads((await command("outbox", "status", "--json"))[1])
    assert (status["waiting"]["view"], status["dead"], status["stores"]) == (2, 1, 1)


async def test_list_shows_the_reason(command, filled):
    code, out, _ = await command("outbox", "list", "--dead")
    assert code == 0
    assert filled in out
    assert "pageview/home" in out
    assert "no such product" in out
    [row] = json.loads((await command("outbox", "list", "--dead", "--json"))[1])
    assert row["body"] == {"user": {"anonymous_id": f"v{filled}"}, "event": EVENT}
    assert (row["state"], row["priority"], row["target"]) == ("dead", "view", "events")
    waiting = json.loads((await command("outbox", "list", "--waiting", "--json"))[1])
    assert len(waiting) == 2
    assert len(json.loads((await command("outbox", "list", "--limit", "1", "--json"))[1])) == 1


async def test_a_dead_letter_is_replayed(command, filled):
    assert await command("outbox", "replay", filled) == (0, "1 will be sent again.\n", "")
    assert await command("outbox", "replay", "--all", "--json") == (0, '{\n  "count": 0\n}\n', "")
    assert json.loads((await command("outbox", "list", "--dead", "--json"))[1]) == []


async def test_events_are_dropped_by_id_or_all_of_a_state(command, filled):
    assert await command("outbox", "drop", "--all", "--dead") == (0, "1 dropped.\n", "")
    left = [row["id"] for row in json.loads((await command("outbox", "list", "--json"))[1])]
    assert filled not in left
    assert (await command("outbox", "drop", left[0]))[0] == 0
    assert await command("outbox", "drop", "--all") == (0, "1 dropped.\n", "")


async def test_an_id_that_is_not_there_is_said_by_the_exit_code(command, filled):
    assert (await command("outbox", "drop", "nothing"))[0] == 1
    assert (await command("outbox", "replay", "nothing"))[0] == 1


@pytest.mark.parametrize("name", ["drop", "replay"])
async def test_nothing_happens_to_all_of_them_by_oversight(command, filled, name):
    for arguments in ([], [filled, "--all"]):
        code, out, err = await command("outbox", name, *arguments)
        assert (code, out) == (2, "")
        assert err.startswith(f"error: outbox {name}: ")
        assert err.count("\n") == 1


async def test_an_outbox_of_another_kind_is_one_line(command):
    code, out, err = await command("outbox", "status", DATACUE_OUTBOX="redis://localhost")
    assert (code, out) == (2, "")
    assert err.startswith("error: outbox: ")
    assert err.count("\n") == 1
