"""What the page path and the operator see."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from proxy.errors import OutboxFull, OutboxUnavailable
from proxy.outbox import Folder, Outbox, Priority, Record
from proxy.outbox.records import Dead
from proxy.outbox.sqlite import SQLiteStore
from proxy.outbox.writer import QUEUE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    NewRecord: TypeAlias = Callable[..., Record]


class Held:
    """A folder whose store waits at a gate before each commit, and counts the transactions."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.gate = threading.Event()
        self.gate.set()
        self.transactions = 0
        self.broken = False

    def mine(self) -> Any:
        if self.broken:
            raise OutboxUnavailable("the disk is gone")
        outer = self

        class Gated(SQLiteStore):
            def add(self, held: Any) -> Any:
                outer.gate.wait()
                outer.transactions += 1
                if outer.broken:
                    raise OutboxUnavailable("the disk is gone")
                return super().add(held)

        self._folder.mine().close()
        assert self._folder._own is not None
        return Gated(self._folder._own)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._folder, name)


@pytest.fixture
def gated(folder: Folder) -> Held:
    return Held(folder)


async def test_commits_that_come_together_share_a_transaction(gated: Held, new_record: NewRecord) -> None:
    async with Outbox(gated) as outbox:
        gated.gate.clear()
        first = asyncio.ensure_future(outbox.commit([new_record()]))
        await asyncio.sleep(0)
        rest = [asyncio.ensure_future(outbox.commit([new_record()])) for _ in range(100)]
        await asyncio.sleep(0)
        gated.gate.set()
        await asyncio.gather(first, *rest)
        assert gated.transactions <= 2
        assert outbox.tally["committed", Priority.VIEW] == 101


async def test_a_cancelled_commit_is_counted_all_the_same(gated: Held, new_record: NewRecord) -> None:
    async with Outbox(gated) as outbox:
        gated.gate.clear()
        commit = asyncio.ensure_future(outbox.commit([new_record()]))
        await asyncio.sleep(0)
        commit.cancel()
        with pytest.raises(asyncio.CancelledError):
            await commit
        gated.gate.set()
        await outbox.withdraw(["unknown"])  # behind the commit
        assert outbox.tally["committed", Priority.VIEW] == 1
        assert [held.record.id for held in await outbox.list()] == ["r0"]


async def test_a_writer_that_is_too_far_behind_refuses_at_once(gated: Held, new_record: NewRecord) -> None:
    async with Outbox(gated) as outbox:
        gated.gate.clear()
        size = 200_000
        commits = [
            asyncio.ensure_future(outbox.commit([new_record(size=size)]))
            for _ in range(QUEUE_BYTES // size + 1)
        ]
        await asyncio.wait(commits, timeout=0.2)
        assert isinstance(commits[-1].exception(), OutboxUnavailable)
        gated.gate.set()
        results = await asyncio.gather(*commits, return_exceptions=True)
        lost = sum(isinstance(result, OutboxUnavailable) for result in results)
        assert outbox.tally["unavailable", Priority.VIEW] == lost < 5


async def test_a_failed_store_is_counted_and_opened_again(gated: Held, new_record: NewRecord) -> None:
    async with Outbox(gated) as outbox:
        outbox._writer._reopen_pause = 0.0  # type: ignore[union-attr]  # a second is long for a test
        await outbox.commit([new_record()])
        gated.broken = True
        for _ in range(3):
            with pytest.raises(OutboxUnavailable):
                await outbox.commit([new_record()])
        gated.broken = False
        await outbox.commit([new_record()])
        assert outbox.tally["unavailable", Priority.VIEW] == 3
        assert [held.record.id for held in await outbox.list()] == ["r0", "r4"]


async def test_records_without_room_are_named_and_the_rest_is_kept(
    folder: Folder, new_record: NewRecord
) -> None:
    async with Outbox(folder) as outbox:
        with pytest.raises(OutboxFull) as caught:
            await outbox.commit([new_record(), new_record(size=300_000)])
        assert caught.value.refused == {"r1"}
        assert [held.record.id for held in await outbox.list()] == ["r0"]
        assert outbox.tally["refused", Priority.VIEW] == 1


async def test_a_closed_outbox_is_unavailable(folder: Folder, new_record: NewRecord) -> None:
    outbox = Outbox(folder)
    async with outbox:
        pass
    with pytest.raises(OutboxUnavailable):
        await outbox.commit([new_record()])
    with pytest.raises(OutboxUnavailable):
        await outbox.withdraw(["r0"])


async def test_closing_finishes_what_was_submitted(folder: Folder, new_record: NewRecord) -> None:
    async with Outbox(folder) as outbox:
        commits = [asyncio.ensure_future(outbox.commit([new_record()])) for _ in range(50)]
        await asyncio.sleep(0)
    await asyncio.gather(*commits)
    async with Outbox(folder) as outbox:
        assert len(await outbox.list()) == 50


async def test_no_store_is_no_status(folder: Folder) -> None:
    assert await Outbox(folder).status() is None


async def test_the_operator_sees_all_workers_together(tmp_path: Path, new_record: NewRecord) -> None:
    async with Outbox(Folder(tmp_path)) as one, Outbox(Folder(tmp_path)) as two:
        await one.commit([new_record("a"), new_record("b")])
        await two.commit([new_record("a")])
        operator = Outbox(Folder(tmp_path))
        status = await operator.status()
        assert status is not None
        assert (status.stores, status.waiting["view"]) == (2, 3)
        assert [held.record.id for held in await operator.list(limit=2)] == ["r0", "r1"]
        assert await operator.forget("a") == 2
        assert await operator.drop(["r1"]) == 1
        assert await one.list() == []


async def test_a_dead_letter_is_replayed_from_outside(tmp_path: Path, new_record: NewRecord) -> None:
    record = new_record()
    async with Outbox(Folder(tmp_path)) as outbox:
        await outbox.commit([record])
        await outbox.claim(1, 60)
        await outbox.settle([Dead(record, "400")])
        operator = Outbox(Folder(tmp_path))
        assert [held.reason for held in await operator.list("dead")] == ["400"]
        assert await operator.replay() == 1
        assert [held.record.id for held in (await outbox.claim(1, 60)).held] == ["r0"]


async def test_a_forgotten_visitor_leaves_no_byte_on_the_disk(folder: Folder, new_record: NewRecord) -> None:
    async with Outbox(folder) as outbox:
        await outbox.commit([new_record("visitor-7f3a", size=size) for size in (20, 500, 20_000)])
        await outbox.commit([new_record("other")])
        assert await outbox.forget("visitor-7f3a") == 3
        files = [path for path in folder.path.iterdir() if path.is_file()]
        assert not any(b"visitor-7f3a" in path.read_bytes() for path in files)


async def test_a_log_that_fails_does_not_end_the_outbox(
    folder: Folder, new_record: NewRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def exception(self, event: str) -> None:
            raise TypeError(event)

    monkeypatch.setattr("proxy.outbox.writer._log", Broken())
    async with Outbox(folder) as outbox:
        outbox._writer._reopen_pause = 0.0  # type: ignore[union-attr]
        with pytest.raises(OutboxUnavailable, match="ZeroDivisionError"):
            await outbox._call(lambda _: 1 / 0)
        await outbox.commit([new_record()])
        assert len(await outbox.list()) == 1
