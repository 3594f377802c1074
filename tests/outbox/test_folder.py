"""One file per worker; what a dead worker leaves is adopted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.errors import OutboxUnavailable
from proxy.outbox import Folder, Outbox, Record
from proxy.outbox.records import Dead, Held
from proxy.outbox.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    NewRecord: TypeAlias = Callable[..., Record]


def databases(path: Path) -> list[Path]:
    return sorted(path.glob("*.sqlite3"))


def leave_behind(path: Path, *records: Record) -> None:
    """A worker that commits and dies."""
    folder = Folder(path)
    store = folder.mine()
    with store.transaction():
        store.add([Held(record) for record in records])
    store.close()
    folder.release()


def test_two_workers_never_share_a_file(tmp_path: Path) -> None:
    one, two = Folder(tmp_path), Folder(tmp_path)
    assert one.mine().path != two.mine().path


def test_a_worker_takes_the_file_that_its_predecessor_left(tmp_path: Path) -> None:
    one = Folder(tmp_path)
    path = one.mine().path
    one.release()
    assert Folder(tmp_path).mine().path == path
    assert len(databases(tmp_path)) == 1


def test_an_owned_file_is_no_orphan(tmp_path: Path) -> None:
    one, two = Folder(tmp_path), Folder(tmp_path)
    one.mine()
    two.mine()
    assert one.orphaned() == []


def test_an_orphan_has_one_heir(tmp_path: Path, new_record: NewRecord) -> None:
    one, two = Folder(tmp_path), Folder(tmp_path)
    one.mine()
    two.mine()
    leave_behind(tmp_path, new_record())
    [orphan] = one.orphaned()
    assert two.orphaned() == []
    one.retire(orphan)
    assert [store.path for store in two.orphaned()] == [orphan.path]


def test_an_empty_orphan_is_deleted_with_its_lock(tmp_path: Path) -> None:
    one = Folder(tmp_path)
    mine = one.mine()
    leave_behind(tmp_path)
    [orphan] = one.orphaned()
    one.retire(orphan)
    assert databases(tmp_path) == [mine.path]
    assert not orphan.path.with_suffix(".lock").exists()


async def test_an_adopted_backlog_keeps_order_and_dead_letters(tmp_path: Path, new_record: NewRecord) -> None:
    early, dead = new_record("v"), new_record("dead")
    async with Outbox(Folder(tmp_path)) as outbox:
        await outbox.commit([new_record("v")])
        leave_behind(tmp_path, early, dead)
        orphan = Folder(tmp_path)
        store = orphan.mine()
        with store.transaction():
            store.claim(1.0, 10, 2.0)
            store.settle([Dead(dead, "400")], 1.0)
        store.close()
        orphan.release()
        assert await outbox.adopt() == 2
        assert [held.record.id for held in (await outbox.claim(10, 60)).held] == ["r0"]
        assert [held.reason for held in await outbox.list("dead")] == ["400"]
    assert len(databases(tmp_path)) == 1


async def test_a_record_in_both_files_is_merged(tmp_path: Path, new_record: NewRecord) -> None:
    record = new_record()
    async with Outbox(Folder(tmp_path)) as outbox:
        await outbox.commit([record])
        leave_behind(tmp_path, record)
        await outbox.adopt()
        assert len(await outbox.list()) == 1


async def test_an_orphan_that_finds_no_room_stays_on_the_disk(tmp_path: Path, new_record: NewRecord) -> None:
    async with Outbox(Folder(tmp_path, max_bytes=100_000)) as outbox:
        leave_behind(tmp_path, *(new_record(f"v{n}", size=150_000) for n in range(3)))
        assert await outbox.adopt() == 0
        assert len(await outbox.list()) == 3
        assert len(databases(tmp_path)) == 2


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    one = Folder(tmp_path)
    path = one.mine().path
    one._mine.close()  # type: ignore[union-attr]  # it was just opened
    one.release()
    path.write_bytes(b"this is no database" * 1000)
    store = Folder(tmp_path).mine()
    with store.transaction():
        assert store.check() == []
    assert len(list(tmp_path.glob("*.damaged-*"))) == 1


def test_damage_found_while_running_is_set_aside_at_the_next_opening(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    store = folder.mine()
    store.corrupt = True
    store.close()
    folder.mine()
    assert len(list(tmp_path.glob("*.damaged-*"))) == 1


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutboxUnavailable, match="can't use the outbox folder"):
        Folder(tmp_path / "file" / "outbox").mine()


def test_a_file_of_a_later_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    store = SQLiteStore(path)
    store._rows("PRAGMA user_version = 99")
    store.close()
    with pytest.raises(OutboxUnavailable, match="version 99"):
        SQLiteStore(path)
    with pytest.raises(OutboxUnavailable, match="version 99"):
        SQLiteStore(path, owner=False)


def test_a_file_whose_worker_died_before_the_first_record_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "begun.sqlite3").touch()
    assert Folder(tmp_path).every() == []


def test_a_file_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "damaged.sqlite3").write_bytes(b"this is no database" * 1000)
    with pytest.raises(OutboxUnavailable, match="NotADBError"):
        Folder(tmp_path).every()


def test_whoever_only_looks_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutboxUnavailable):
        SQLiteStore(tmp_path / "none.sqlite3", owner=False)
    assert list(tmp_path.iterdir()) == []
