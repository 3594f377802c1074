"""The crawl: robots.txt, then the sitemaps, then each page that is due."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from proxy.crawl import sitemap as sitemaps
from proxy.crawl.fetch import CrawlStopped, Fetched, NotFetched, address
from proxy.crawl.journal import MAX_PAGES, Due, Outcome
from proxy.errors import PeerError
from proxy.headers import value_of
from proxy.journal import JournalUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from proxy.crawl.catalogue import Catalogue
    from proxy.crawl.fetch import Fetcher
    from proxy.crawl.journal import Journal
    from proxy.crawl.reading import PageReader

MAX_DEPTH: Final = 3
"""Levels of sitemap indexes. sitemaps.org knows one; some shops' plugins make two."""

MAX_SITEMAPS: Final = 5_000
"""Sitemaps of one run; with some hundred addresses each they reach ``MAX_PAGES``."""

MAX_PAGE: Final = 8 * 1024 * 1024
"""Bytes of a page, unpacked: twenty times a large one."""

MAX_FAILURES: Final = 10
"""Pages in a row that the shop fails at, each several times: it is unwell, and is left alone."""

MAX_COMPLAINTS: Final = 100
"""Complaints that are kept for the end; all are counted."""

_OK: Final = 200
_UNCHANGED: Final = 304
_GONE: Final = frozenset({404, 410})


class Tally(Struct):
    """What a run has done so far."""

    found: int = 0
    """Pages that the sitemaps name."""
    known: int = 0
    """Those of them that were read before, and by the sitemap's word have not changed since."""
    due: int = 0
    """Those that are to be read now."""
    reading: bool = False
    """Whether the sitemaps are read, and the pages' turn has come."""
    pages: int = 0
    """Pages dealt with."""
    products: int = 0
    """Products, or variants of them, that the engine knows now."""
    unchanged: int = 0
    """Pages that are as they were, by the shop's own answer (304)."""
    gone: int = 0
    """Pages that are no more; their products are out of the lists."""
    denied: int = 0
    """Pages that robots.txt forbids."""
    elsewhere: int = 0
    """Addresses in the sitemaps that are not of the shop's origin."""
    errors: int = 0
    """Pages, sitemaps and products that came to nothing."""
    complaints: list[str] = field(default_factory=list)
    """Of the errors: which, and why."""
    finished: bool = False
    """Whether every page is dealt with."""

    def complain(self, about: str, why: str) -> None:
        """Counts an error."""
        self.errors += 1
        if len(self.complaints) < MAX_COMPLAINTS:
            self.complaints.append(f"{about}: {why}")


class Crawl:
    """One run.

    Args:
        fetcher: asks the shop.
        reader: reads its pages.
        journal: where the run is noted; it has begun.
        catalogue: gets the products.
        concurrency: pages in flight.
        tally: what has been done, for the caller to read at any time.
        watch: is called after whatever changes the tally.
        show: is called with each page's address and products.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        reader: PageReader,
        journal: Journal,
        catalogue: Catalogue,
        *,
        concurrency: int,
        tally: Tally,
        watch: Callable[[Tally], None] | None = None,
        show: Callable[[str, list[dict[str, Any]]], None] | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._reader = reader
        self._journal = journal
        self._catalogue = catalogue
        self._concurrency = concurrency
        self._watch = watch or (lambda _: None)
        self._show = show or (lambda *_: None)
        self._streak: list[Due] = []  # pages that failed since the last that did not
        self.tally = tally

    async def run(self, sitemap: str, limit: int | None = None) -> None:
        """Reads robots.txt, the sitemap and what it leads to, and the pages that are due.

        Args:
            sitemap: its address.
            limit: pages that are read, at most; None for all.

        Raises:
            CrawlStopped: going on makes no sense now.
            JournalUnusable: what is done can't be noted.
        """
        await self._fetcher.read_robots()
        await self._find(sitemap)
        tally = self.tally
        tally.found, tally.due = self._journal.counts()
        tally.known = tally.found - tally.due
        tally.reading = True
        if limit is not None:
            tally.due = min(tally.due, limit)
        self._watch(tally)
        await self._read(limit)
        tally.finished = self._journal.counts()[1] == 0
        if tally.finished:
            self._journal.finish()

    # -- the sitemaps -----------------------------------------------------------------------------

    async def _find(self, sitemap: str) -> None:
        """Notes every page that the sitemap, and those that it names, lead to."""
        waiting = deque([(sitemap, 1)])
        known = {sitemap}
        while waiting:
            url, depth = waiting.popleft()
            try:
                for entries in await self._sitemap(url):
                    self._journal.add(self._own(entry for entry in entries if not entry.nested))
                    for entry in self._own(entry for entry in entries if entry.nested):
                        if depth == MAX_DEPTH or len(known) == MAX_SITEMAPS:
                            self.tally.complain(entry.url, "is one sitemap too many, or too deep")
                        elif entry.url not in known:
                            known.add(entry.url)
                            waiting.append((entry.url, depth + 1))
                    self._watch(self.tally)
                    await asyncio.sleep(0)
            except (NotFetched, PeerError, sitemaps.SitemapError) as error:
                if depth == 1:
                    raise CrawlStopped(f"{url} {error}") from None
                self.tally.complain(url, str(error))

    async def _sitemap(self, url: str) -> Iterator[list[sitemaps.Entry]]:
        fetched = await self._fetcher.get(url, limit=sitemaps.MAX_SITEMAP)
        if fetched.status != _OK:
            raise sitemaps.SitemapError(f"answers {fetched.status}")
        return sitemaps.read(fetched.body)

    def _own(self, entries: Iterable[sitemaps.Entry]) -> Iterator[sitemaps.Entry]:
        """Those of the shop's own origin, within the limit."""
        for entry in entries:
            try:
                own = self._fetcher.is_home(address(entry.url))
            except NotFetched as error:
                self.tally.complain(entry.url, str(error))
                continue
            if not own:
                self.tally.elsewhere += 1
            elif self.tally.found >= MAX_PAGES:
                self.tally.complain(entry.url, f"is beyond {MAX_PAGES:,} pages")
            else:
                self.tally.found += not entry.nested
                yield entry

    # -- the pages --------------------------------------------------------------------------------

    async def _read(self, limit: int | None) -> None:
        # One source for all workers: each takes the next page.
        pages = islice(self._journal.due(), limit)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._concurrency):
                    group.create_task(self._work(pages))
        except* (CrawlStopped, JournalUnusable) as stopped:
            reason = stopped.exceptions[0]
        else:
            self._recovered()
            return
        raise reason

    async def _work(self, pages: Iterator[Due]) -> None:
        for page in pages:
            await self._fetcher.refresh_robots()
            await self._visit(page)
            self.tally.pages += 1
            self._watch(self.tally)

    async def _visit(self, page: Due) -> None:
        """Reads one page; nothing is awaited between the engine's word that it has it and the note of it."""
        conditions = []
        if page.etag is not None:
            conditions.append((b"if-none-match", page.etag))
        if page.modified is not None:
            conditions.append((b"if-modified-since", page.modified))
        try:
            fetched = await self._fetcher.get(page.url, limit=MAX_PAGE, conditions=conditions)
        except NotFetched as error:
            self._skip(page, error)
        except PeerError as error:
            self._fail(page, error)
        else:
            self._recovered()
            await self._take(page, fetched)

    def _skip(self, page: Due, error: NotFetched) -> None:
        outcome: Outcome = "skipped"
        if error.reason == "robots":
            self.tally.denied += 1
            outcome = "denied"
        elif error.reason == "elsewhere":
            self.tally.elsewhere += 1
        else:
            self.tally.complain(page.url, str(error))
        self._journal.done(page, outcome)

    def _fail(self, page: Due, error: PeerError) -> None:
        self.tally.complain(page.url, str(error))
        self._streak.append(page)
        if len(self._streak) == MAX_FAILURES:
            # Its pages aren't to blame. None of these is noted, so that the next run asks for them again.
            raise CrawlStopped(f"the shop fails at one page after the other: the last one {error}")

    def _recovered(self) -> None:
        """The shop is well: what failed before is those pages' own fault, and is left to the next run."""
        for page in self._streak:
            self._journal.done(page, "failed")
        self._streak.clear()

    async def _take(self, page: Due, fetched: Fetched) -> None:
        tally = self.tally
        if fetched.status == _UNCHANGED:
            tally.unchanged += 1
            self._journal.done(page, "unchanged")
        elif fetched.status in _GONE:
            gone = [
                {"product_id": product, "variant_id": variant, "available": False, "source": "page"}
                for product, variant in self._journal.only_on(page)
            ]
            await self._tell(page, gone)
            tally.gone += 1
            self._journal.done(page, "gone")
        elif fetched.status != _OK:
            tally.complain(page.url, f"answers {fetched.status}")
            self._journal.done(page, "failed")
        else:
            products = self._reader.products(fetched)
            self._show(page.url, products)
            await self._tell(page, products)
            tally.products += len(products)
            self._journal.done(
                page,
                "product" if products else "other",
                [(fields["product_id"], fields["variant_id"]) for fields in products],
                etag=value_of(fetched.headers, b"etag"),
                modified=value_of(fetched.headers, b"last-modified"),
            )

    async def _tell(self, page: Due, products: list[dict[str, Any]]) -> None:
        if products:
            for refusal in await self._catalogue.learn(products):
                self.tally.complain(page.url, f"the engine refuses a product: {refusal}")
