"""A shop's rules as the process has them, without the process: requests and pages in, events out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from proxy.capture import Memory, WatchedBody, read_view, tell
from proxy.capture.model import Deed
from proxy.classify.rules import readable_path
from proxy.facts.address import parameters
from proxy.locate import FactSelectors, Splicer
from proxy.prepared import page_plan
from proxy.settings import Settings


class Shop:
    """One visitor of a shop with these settings.

    Args:
        settings: ``preset`` or ``capture``.
    """

    def __init__(self, **settings):
        self.classifier, self.plan, self.selectors, self.rules = page_plan(Settings(**settings))
        self.memory = Memory()

    def _tell(self, deeds, *, named=False):
        told = tell(self.memory, deeds, currency="EUR", named=named)
        self.memory = told.memory
        return SimpleNamespace(events=told.events, orders=told.orders, deeds=deeds)

    async def sends(self, line, body=b"", answer=303, *fields, kind="application/x-www-form-urlencoded"):
        """A request (``POST /cart``) and the head of its answer: what that tells."""
        method, _, target = line.partition(" ")
        path, _, query = target.partition("?")

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        watched = WatchedBody(receive, [(b"content-type", kind.encode())])
        await watched()
        form = watched.form()
        headers = [
            (name.strip().encode(), value.strip().encode())
            for name, _, value in (f.partition(":") for f in fields)
        ]
        found = self.rules.forms(method, readable_path(path.encode()), parameters(query.encode()))
        deeds = {}
        for rule, address in found:
            if rule.success.holds(answer, headers, path.encode()) and rule.event not in deeds:
                read = rule.read(address, form)
                if read is not None:
                    deeds[rule.event] = Deed(rule.event, read)
        return self._tell(list(deeds.values()), named=True)

    def opens(self, target, html=""):
        """A page that was asked for: its kind, and what it tells."""
        path, _, query = target.partition("?")
        page = self.classifier.from_request(path.encode(), query.encode())
        views = self.rules.views(readable_path(path.encode()), parameters(query.encode()), page and page.kind)
        selectors = [selector for rule, _ in views for selector in rule.selectors]
        splicer = Splicer(self.plan, FactSelectors({}).joined(selectors))
        splicer.feed(html.encode())
        splicer.close()

        def page_of(link):
            path, _, query = link.partition("?")
            return self.classifier.from_request(path.encode(), query.encode())

        deeds = [read_view(rule, f, splicer.facts, charset="utf-8", page_of=page_of) for rule, f in views]
        told = self._tell(deeds)
        told.page = page
        return told


@pytest.fixture
def shop():
    return Shop
