"""The file beneath the journals of imports and crawls: whose it is, and what becomes of a mistake."""

from __future__ import annotations

from contextlib import closing
from functools import partial

import apsw
import pytest

from proxy.journal import JournalFile, JournalInUse, JournalUnusable


@pytest.fixture
def opened(tmp_path):
    """Opens the journal of a folder of its own, with one table."""
    path = tmp_path / "journal"

    def make(version=1):
        connect = partial(apsw.Connection, str(path))
        return JournalFile(path, connect, tables="CREATE TABLE done (item INTEGER);", version=version)

    return make


def test_what_was_noted_is_there_when_it_is_opened_again(opened):
    with closing(opened()) as journal, journal._writing():
        journal._set("run", "7")
    with closing(opened()) as journal:
        assert (journal._get("run"), journal._get("other")) == ("7", None)


def test_a_transaction_that_fails_leaves_nothing(opened):
    def fail(journal):
        with journal._writing():
            journal._set("run", "7")
            raise KeyError

    with closing(opened()) as journal:
        with pytest.raises(KeyError):
            fail(journal)
        with journal._writing():
            journal._set("other", "8")
        assert (journal._get("run"), journal._get("other")) == (None, "8")


def test_two_runs_of_one_journal_are_refused(opened):
    with closing(opened()), pytest.raises(JournalInUse, match="in use by another run"):
        opened()


def test_a_file_that_is_no_database_is_refused(opened, tmp_path):
    (tmp_path / "journal").write_bytes(b"not a database, " * 1_000)
    with pytest.raises(JournalUnusable, match="can't be used"):
        opened()


def test_another_programs_database_is_refused_and_stays_as_it_is(opened, tmp_path):
    with closing(apsw.Connection(str(tmp_path / "journal"))) as other:
        other.execute("CREATE TABLE theirs (x)").fetchall()
    with pytest.raises(JournalUnusable, match="no journal of this version"):
        opened()
    with closing(apsw.Connection(str(tmp_path / "journal"))) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]


def test_a_journal_of_another_version_is_refused(opened):
    opened(version=1).close()
    with pytest.raises(JournalUnusable, match="no journal of this version"):
        opened(version=2)


def test_a_full_disk_ends_the_run_and_loses_nothing(opened):
    with closing(opened()) as journal:
        with journal._writing():
            journal._set("run", "7")
        journal._database.pragma("max_page_count", journal._database.pragma("page_count"))
        items = ((number,) for number in range(100_000))  # more than SQLite holds in memory
        with pytest.raises(JournalUnusable, match="its disk is full"), journal._writing():
            journal._database.executemany("INSERT INTO done VALUES (?)", items)
        assert journal._get("run") == "7"
