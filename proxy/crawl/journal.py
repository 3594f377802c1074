"""What was crawled: so that a run goes on where one ended, and the next asks for what has changed alone.

One SQLite file. A page is marked as read after the engine has kept its products, so that a kill at any
moment costs the pages in flight, which are read once more.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import apsw

from proxy.journal import BUSY_MILLISECONDS, JournalFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from proxy.crawl.sitemap import Entry

VERSION: Final = 1
"""Of the tables, in SQLite's user_version."""

MAX_PAGES: Final = 1_000_000
"""Pages of one run: some 200 MiB of journal, and six days at two a second."""

CHUNK: Final = 500
"""Pages read from the file at a time."""

_TABLES: Final = """
    CREATE TABLE pages (
        id INTEGER PRIMARY KEY,
        url TEXT NOT NULL UNIQUE,
        lastmod TEXT,              -- what the sitemap said in run `found`
        found INTEGER NOT NULL,
        done INTEGER,              -- the run that last dealt with it
        outcome TEXT,              -- what became of it then
        read_lastmod TEXT,         -- what the sitemap said when it was last read
        etag BLOB,
        modified BLOB
    );
    CREATE TABLE shown (           -- which page shows which product
        page INTEGER NOT NULL REFERENCES pages (id),
        product_id TEXT NOT NULL,
        variant_id TEXT NOT NULL,
        PRIMARY KEY (page, product_id, variant_id)
    ) WITHOUT ROWID;
    CREATE INDEX shown_products ON shown (product_id, variant_id);
"""

_DUE: Final = "found = :run AND done IS NOT :run AND (lastmod IS NULL OR lastmod IS NOT read_lastmod)"

Outcome = Literal["product", "other", "unchanged", "gone", "denied", "skipped", "failed"]
"""What became of a page: it shows products, it shows none, it is as it was, it is no more; robots.txt
forbids it, it can't be used, the shop failed."""

READ: Final = frozenset({"product", "other", "unchanged", "gone"})
"""Outcomes after which a page is asked for again only when it has changed."""


class Due(NamedTuple):
    """A page that is to be read.

    Attributes:
        id: in the journal.
        etag, modified: what the shop said when it was last read.
    """

    id: int
    url: str
    etag: bytes | None
    modified: bytes | None


class Journal(JournalFile):
    """The journal of a shop's crawls.

    Args:
        path: its file, made where there is none.
        dry: whether nothing is written: the file is copied into memory.

    Raises:
        JournalUnusable: see there.
    """

    def __init__(self, path: Path, *, dry: bool = False) -> None:
        connect = partial(_copy, path) if dry else partial(apsw.Connection, str(path))
        super().__init__(path, connect, tables=_TABLES, version=VERSION)
        self.run = int(self._get("run") or 0)

    def begin(self, sitemap: str, rules: str, *, fresh: bool = False) -> bool:
        """Begins a run, or goes on with one that was not finished.

        Args:
            sitemap: where pages come from; an unfinished run of another one isn't gone on with.
            rules: stands for the settings that say how pages are read: pages read under others are
                read again.
            fresh: whether every page is read again.

        Returns:
            Whether an unfinished run goes on.
        """
        with self._writing():
            if fresh or self._get("rules") != rules:
                self._database.execute(
                    "UPDATE pages SET done = NULL, read_lastmod = NULL, etag = NULL, modified = NULL"
                )
                self._set("rules", rules)
            elif self._get("unfinished") == sitemap:
                return True
            self.run += 1
            self._set("run", str(self.run))
            self._set("unfinished", sitemap)
        return False

    def finish(self) -> None:
        """Every page of this run is dealt with."""
        with self._writing():
            self._set("unfinished", None)

    def add(self, entries: Iterable[Entry]) -> None:
        """Notes pages that a sitemap names; the last word on a page's lastmod counts."""
        with self._writing():
            self._database.executemany(
                "INSERT INTO pages (url, lastmod, found) VALUES (?, ?, ?) ON CONFLICT (url)"
                " DO UPDATE SET lastmod = excluded.lastmod, found = excluded.found",
                ((entry.url, entry.lastmod, self.run) for entry in entries),
            )

    def counts(self) -> tuple[int, int]:
        """(pages that this run's sitemaps name, those of them that are still to be read)."""
        count = f"SELECT count(*), count(*) FILTER (WHERE {_DUE}) FROM pages WHERE found = :run"  # noqa: S608  a constant
        row: Any = self._database.execute(count, {"run": self.run}).fetchone()
        return row[0], row[1]

    def due(self) -> Iterator[Due]:
        """The pages that are still to be read, in the sitemaps' order."""
        last = 0
        columns = "id, url, etag, modified"
        query = f"SELECT {columns} FROM pages WHERE id > :last AND {_DUE} ORDER BY id LIMIT {CHUNK}"  # noqa: S608  constants
        while True:
            rows: Any = self._database.execute(query, {"run": self.run, "last": last}).fetchall()
            if not rows:
                return
            yield from (Due(*row) for row in rows)
            last = rows[-1][0]

    def done(
        self,
        page: Due,
        outcome: Outcome,
        products: Iterable[tuple[str, str]] = (),
        *,
        etag: bytes | None = None,
        modified: bytes | None = None,
    ) -> None:
        """Notes what became of a page.

        Args:
            page: which.
            outcome: what.
            products: (product, variant) that it shows, where it was read.
            etag: the shop's mark of this state of the page: sent along the next time.
            modified: the date of it, likewise.
        """
        with self._writing():
            self._database.execute(
                "UPDATE pages SET done = ?, outcome = ? WHERE id = ?", (self.run, outcome, page.id)
            )
            if outcome in READ:
                self._database.execute("UPDATE pages SET read_lastmod = lastmod WHERE id = ?", (page.id,))
            if outcome in {"product", "other", "gone"}:
                self._database.execute(
                    "UPDATE pages SET etag = ?, modified = ? WHERE id = ?", (etag, modified, page.id)
                )
                self._database.execute("DELETE FROM shown WHERE page = ?", (page.id,))
                self._database.executemany(
                    "INSERT OR IGNORE INTO shown VALUES (?, ?, ?)", ((page.id, *ids) for ids in products)
                )

    def only_on(self, page: Due) -> list[tuple[str, str]]:
        """The (product, variant) pairs that this page showed when it was read, and no other page."""
        query = """
            SELECT product_id, variant_id FROM shown AS here WHERE page = :page AND NOT EXISTS (
                SELECT 1 FROM shown
                WHERE product_id = here.product_id AND variant_id = here.variant_id AND page != :page
            )
        """
        rows: Any = self._database.execute(query, {"page": page.id}).fetchall()
        return list(rows)


def _copy(path: Path) -> apsw.Connection:
    memory = apsw.Connection(":memory:")
    if path.exists():
        file = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            file.set_busy_timeout(BUSY_MILLISECONDS)
            with memory.backup("main", file, "main") as backup:
                backup.step()
        finally:
            file.close()
    return memory
