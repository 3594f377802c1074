"""The journal's file: who may use it, and what a dry run leaves of it."""

from __future__ import annotations

from contextlib import closing

import pytest

from proxy.crawl import Journal
from proxy.crawl.sitemap import Entry
from proxy.journal import JournalUnusable

PAGES = [Entry(f"http://shop/{number}", None, nested=False) for number in range(1_200)]


def test_pages_come_in_the_sitemaps_order_and_once(tmp_path):
    with closing(Journal(tmp_path / "journal")) as journal:
        journal.begin("sitemap", "rules")
        journal.add(PAGES)
        journal.add(PAGES)
        assert [page.url for page in journal.due()] == [entry.url for entry in PAGES]


def test_another_sitemap_begins_another_run(tmp_path):
    with closing(Journal(tmp_path / "journal")) as journal:
        assert not journal.begin("sitemap", "rules")
        assert journal.begin("sitemap", "rules")
        assert not journal.begin("another", "rules")


def test_two_crawls_of_one_journal_are_refused(tmp_path):
    with closing(Journal(tmp_path / "journal")) as journal:
        journal.begin("sitemap", "rules")
        with pytest.raises(JournalUnusable, match="in use"):
            Journal(tmp_path / "journal")


def test_a_dry_run_knows_what_was_done_and_writes_nothing(tmp_path):
    path = tmp_path / "journal"
    with closing(Journal(path)) as journal:
        journal.begin("sitemap", "rules")
        journal.add(PAGES[:2])
        journal.done(next(journal.due()), "other")
    with closing(Journal(path, dry=True)) as journal:
        assert journal.begin("sitemap", "rules")
        for page in journal.due():
            assert page.url == PAGES[1].url
            journal.done(page, "other")
        assert journal.counts() == (2, 0)
    with closing(Journal(path)) as journal:
        assert journal.counts() == (2, 1)


def test_a_dry_run_makes_no_file(tmp_path):
    with closing(Journal(tmp_path / "journal", dry=True)) as journal:
        journal.begin("sitemap", "rules")
    assert not list(tmp_path.iterdir())
