"""Fills the embedded engine's catalogue from the shop's sitemap, politely.

In reading order: ``robots`` and ``sitemap`` (what the shop's files say), ``pace`` (when to ask), ``fetch``
(one page, from the shop alone), ``reading`` (its products), ``journal`` (what was done), ``catalogue`` (the
engine), ``crawl`` (all together).
"""

from __future__ import annotations

from proxy.crawl.catalogue import Catalogue, EngineCatalogue, NoCatalogue
from proxy.crawl.crawl import Crawl, Tally
from proxy.crawl.fetch import AGENT, CrawlStopped, Fetcher, NotFetched, crawl_client
from proxy.crawl.journal import Journal
from proxy.crawl.pace import Pace
from proxy.crawl.reading import PageReader

__all__ = [
    "AGENT",
    "Catalogue",
    "Crawl",
    "CrawlStopped",
    "EngineCatalogue",
    "Fetcher",
    "Journal",
    "NoCatalogue",
    "NotFetched",
    "Pace",
    "PageReader",
    "Tally",
    "crawl_client",
]
