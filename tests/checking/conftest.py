"""A shop that a test writes, and a check of it."""

from __future__ import annotations

import json

import pytest
from harness.peers import page, reply

from proxy import logs
from proxy.checking import check_up
from proxy.settings import load


class Store:
    """Puts an ordinary shop's pages into a ``Peer``."""

    def __init__(self, peer):
        self.peer = peer
        self.url = peer.url

    def put(self, path, *parts, status=200, headers=(), title="shop"):
        self.peer.answers[path] = reply(page(*parts, title=title), status, *headers)

    def product(self, number, *parts, **more):
        node = {
            "@type": "Product", "sku": f"p{number}", "name": f"Chair {number}", "image": "/c.jpg",
            "offers": {"price": 5, "priceCurrency": "EUR"}, **more,
        }  # fmt: skip
        script = f'<script type="application/ld+json">{json.dumps(node)}</script>'
        self.put(f"/product/chair-{number}", script, *parts)

    def links(self, *paths):
        return "".join(f'<a href="{path}">x</a>' for path in paths)


@pytest.fixture
def store(shop):
    return Store(shop)


@pytest.fixture
def check(store, tmp_path, monkeypatch):
    """Checks the shop with these settings: the report."""
    monkeypatch.chdir(tmp_path)

    async def run(*urls, ask=False, upstream=None, **settings):
        loaded = load(upstream=upstream or store.url, state_dir=tmp_path / "state", **settings)
        return await check_up(loaded, urls, logs.configure("error", "json"), ask=ask)

    return run


@pytest.fixture
def says():
    """The findings of a level, each as a line."""

    def lines(report, level="problem"):
        return [f"{one.about}: {one.text}. {one.mend}" for one in report.findings if one.level == level]

    return lines
