"""A shop with a sitemap, a clock that only waiting moves, and a crawl of the one by the other."""

from __future__ import annotations

import json
import random
from contextlib import closing

import pytest
from harness.peers import page, reply

from proxy.classify import Classifier
from proxy.crawl import Crawl, Fetcher, Journal, Pace, PageReader, Tally, crawl_client
from proxy.locate import Plan

XML = "application/xml"


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self):
        self.now = 1_700_000_000.0
        self.waits = []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


class Kept(list):
    """A catalogue in which a test can look."""

    async def learn(self, products):
        self.extend(products)
        return []

    @property
    def ids(self):
        return [product["product_id"] for product in self]


class SitemapShop:
    """Puts a sitemap and product pages into a ``Peer``."""

    def __init__(self, peer):
        self.peer = peer
        self.pages = {}
        self.sitemap = f"{peer.url}/sitemap.xml"

    def product(self, number, *headers, lastmod=None, **more):
        """A product's page, in the sitemap."""
        path = f"/product/{number}"
        node = {
            "@type": "Product", "sku": str(number), "name": f"Lamp {number}", "url": path, "image": "/lamp.jpg",
            "offers": {"@type": "Offer", "price": "10", "availability": "https://schema.org/InStock"}, **more,
        }  # fmt: skip
        script = f'<script type="application/ld+json">{json.dumps(node)}</script>'
        self.peer.answers[path] = reply(page(script), 200, *headers)
        self.add(path, lastmod)
        return path

    def add(self, path, lastmod=None):
        """A line of the sitemap; of a path, or of a whole address."""
        self.pages[path] = lastmod
        self.peer.answers["/sitemap.xml"] = reply(
            urlset({self.url(path): changed for path, changed in self.pages.items()}), content_type=XML
        )

    def robots(self, *lines):
        self.peer.answers["/robots.txt"] = reply("\n".join(lines).encode(), content_type="text/plain")

    def url(self, path):
        return path if "://" in path else f"{self.peer.url}{path}"

    @property
    def asked(self):
        """Paths that were asked for, but for the shop's files on itself."""
        return [seen.target for seen in self.peer.seen if not seen.target.endswith((".txt", ".xml"))]


def urlset(pages):
    lines = [
        f"<url><loc>{url}</loc>{f'<lastmod>{lastmod}</lastmod>' if lastmod else ''}</url>"
        for url, lastmod in pages.items()
    ]
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(lines)}</urlset>'.encode()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def lamps(shop):
    return SitemapShop(shop)


@pytest.fixture
def fetching(clock):
    """Makes a fetcher whose waits cost no time."""

    def make(client, url, rate=2.0):
        pace = Pace(rate, clock=clock, sleep=clock.sleep)
        return Fetcher(client, url, pace, dice=random.Random(1), now=clock)

    return make


@pytest.fixture
def crawl(lamps, kept, fetching, tmp_path):
    """Crawls the shop once, with what is said in place of the usual."""

    async def run(*, limit=None, fresh=False, catalogue=kept, rules="", concurrency=1, journal="journal"):
        tally = Tally()
        with closing(Journal(tmp_path / journal)) as written:
            written.begin(lamps.sitemap, rules, fresh=fresh)
            async with crawl_client(concurrency) as client:
                crawling = Crawl(
                    fetching(client, lamps.sitemap),
                    PageReader(Classifier(), Plan(), {}),
                    written,
                    catalogue,
                    concurrency=concurrency,
                    tally=tally,
                )
                await crawling.run(lamps.sitemap, limit)
        return tally

    return run
