"""A bug of ours, anywhere in a page's body, costs the page nothing (design, decision 3)."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from proxy.headers import Client
from proxy.locate import EsiProcessor, Plan
from proxy.metrics import Metrics
from proxy.models import Page
from proxy.rewriting import Rewriting

PAGE = b'<html><head></head><body><script>datacueConfig={}</script><div data-dc-products="related">own</div></body></html>'


class Bug(Exception):
    pass


class View:
    """A page view of a known or unknown kind, whose slots may fail."""

    def __init__(self, page, html):
        self.page = page
        self.html = html
        self.begun = self.answered = self.settled = page is not None
        self.remaining = 1.0
        self.outcomes, self.filled = [], False
        self.visitor = SimpleNamespace(user_id=None, profile=None)

    async def slot(self, slot, *, utf8):
        if isinstance(self.html, Exception):
            raise self.html
        return self.html if self.page is not None else None

    def begin(self, page):
        self.page = page

    async def settle(self):
        pass


class Log:
    def __init__(self):
        self.said = []

    def warning(self, event, **fields):
        self.said.append(fields.get("what"))


def rewriting(view, *, content_type=b"text/html; charset=utf-8", esi=False, **core):
    sent = []

    async def send(message):
        sent.append(message)

    log, metrics = Log(), Metrics()
    exchange = SimpleNamespace(
        core=SimpleNamespace(plan=Plan(), fact_selectors={}, metrics=metrics, log=log, learner=None, classifier=None, **core),
        scope={"headers": [], "raw_path": b"/", "query_string": b""},
        client=Client("127.0.0.1", "http", b"shop", trusted=False),
        accept_encoding=None, page=view.page, witness=None, send=send, named=False,
        esi_in_front=False, processes_esi=lambda headers: esi,
        remember=lambda fields: None, tell=lambda fields, became, kind: None, identify=lambda *_: None, known=lambda: False,
        body=None,
    )  # fmt: skip
    start = {"type": "http.response.start", "status": 200}
    return Rewriting(exchange, view, start, [], [], b"identity", content_type), sent, log


async def through(body, step):
    for at in range(0, len(PAGE), step):
        await body.on_message({"type": "http.response.body", "body": PAGE[at : at + step], "more_body": True})
    await body.on_message({"type": "http.response.body", "body": b"", "more_body": False})


def joined(sent):
    assert sent[0]["type"] == "http.response.start"
    assert sent[-1]["more_body"] is False
    return b"".join(message["body"] for message in sent[1:])


@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_a_slot_is_filled_and_all_else_is_the_shops(step):
    body, sent, log = rewriting(View(Page("home"), b"<p>ours</p>"))
    await through(body, step)
    assert joined(sent) == PAGE.replace(b"own", b"<p>ours</p>")
    assert log.said == []


@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_a_slot_that_fails_keeps_the_shops_content(step):
    body, sent, log = rewriting(View(Page("home"), Bug()))
    await through(body, step)
    assert joined(sent) == PAGE
    assert log.said == ["slot"]


@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_a_page_whose_facts_cannot_be_read_goes_on(step, monkeypatch):
    def fail(*_, **__):
        raise Bug

    monkeypatch.setattr("proxy.rewriting.read_facts", fail)
    body, sent, log = rewriting(View(None, b"<p>ours</p>"))
    await through(body, step)
    assert joined(sent) == PAGE
    assert "facts" in log.said


@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_a_page_whose_charset_cannot_be_found_goes_on_raw(step, monkeypatch):
    def fail(*_):
        raise Bug

    monkeypatch.setattr("proxy.charset.sniff", fail)
    body, sent, log = rewriting(View(Page("home"), b"<p>ours</p>"), content_type=b"text/html")
    await through(body, step)
    assert joined(sent) == PAGE
    assert log.said == ["charset"]


async def test_what_comes_after_the_page_may_fail_too():
    class Broken:
        def knows(self, facts):
            raise Bug

    view = View(Page("product", product_id="1"), b"<p>ours</p>")
    body, sent, log = rewriting(view)
    body.core.learner = Broken()
    await through(body, 1000)
    assert joined(sent) == PAGE.replace(b"own", b"<p>ours</p>")
    assert log.said == ["learning"]


async def test_a_page_is_held_no_longer_than_the_deadline():
    view = View(None, b"<p>ours</p>")
    view.remaining = 0.0
    body, sent, _ = rewriting(view)
    body.core.classifier = SimpleNamespace(from_facts=lambda page, facts: None)
    began = time.monotonic()
    await body.on_message({"type": "http.response.body", "body": PAGE, "more_body": True})
    assert b"".join(message.get("body", b"") for message in sent) == PAGE
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("after", [0, 5])
@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_a_page_whose_esi_cannot_be_processed_keeps_it(after, step, monkeypatch):
    body, sent, log = rewriting(View(Page("home"), b"<p>ours</p>"), esi=True)

    steps, go_on = iter(range(after)), EsiProcessor._next

    def fail(*what):
        if next(steps, None) is None:
            raise Bug
        return go_on(*what)

    monkeypatch.setattr(EsiProcessor, "_next", fail)
    await through(body, step)
    assert joined(sent) == PAGE.replace(b"own", b"<p>ours</p>")
    assert log.said == ["esi"]
