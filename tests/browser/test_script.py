"""``static/datacue.js`` in a real browser, under a policy that allows the shop's own scripts alone."""

from __future__ import annotations

import asyncio
import json

import pytest
from harness.peers import page, product, reply
from harness.wire import BROWSER

pytestmark = pytest.mark.browser

SCRIPT = '<script src="/_datacue/static/datacue.js" defer></script>'
POLICY = "content-security-policy: default-src 'self'; require-trusted-types-for 'script'"
CLICK = {"type": "click", "subtype": "banner", "banner_id": "b1"}


@pytest.fixture
async def visitor(run_proxy, shop, vendor, chromium):
    """A browser on a page of a shop that carries the script; as a bot it would not be counted."""
    vendor.recommendations = {"related_product_skus": [product(1)]}
    shop.answers["*"] = reply(page(SCRIPT), 200, POLICY)
    proxy = await run_proxy('[[pages]]\npath = "/"\nkind = "home"\n')
    context = await chromium.new_context(user_agent=BROWSER)
    tab = await context.new_page()
    tab.complaints = []
    tab.on("console", lambda message: tab.complaints.append(message.text))
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.root = proxy.url
    await tab.goto(proxy.url + "/")
    vendor.seen.clear()
    yield tab
    await context.close()


async def events(vendor, count):
    async with asyncio.timeout(20):
        while len(vendor.events) < count:
            await asyncio.sleep(0.02)
    return vendor.events


async def test_an_event_is_tracked_and_its_answer_comes_back(visitor, vendor):
    answer = await visitor.evaluate(
        """async () => {
            await datacue.init('any key');
            datacue.identify(42, {segment: 'platinum'});
            return datacue.track({type: 'pageview', subtype: 'product', product_id: 'p1'});
        }"""
    )
    assert answer == vendor.recommendations
    [sent] = vendor.events
    anonymous_id = sent["user"]["anonymous_id"]
    assert sent["user"] == {"user_id": "42", "anonymous_id": anonymous_id, "profile": {"segment": "platinum"}}
    assert sent["event"] == {"type": "pageview", "subtype": "product", "product_id": "p1"}
    assert await visitor.evaluate("datacue.getUser()") == {"user_id": "42", "anonymous_id": anonymous_id}
    assert visitor.complaints == []


async def test_before_the_first_answer_the_visitor_has_no_name(visitor):
    assert await visitor.evaluate("datacue.getUser()") == {"user_id": None, "anonymous_id": None}


async def test_deferred_events_leave_with_the_next_page_in_order(visitor, vendor):
    steps = [{**CLICK, "banner_id": f"b{number}"} for number in range(5)]
    assert (
        await visitor.evaluate("steps => Promise.all(steps.map(step => datacue.track(step, true)))", steps)
        == [None] * 5
    )
    assert vendor.events == []
    await visitor.goto(visitor.root + "/next")
    sent = [message["event"] for message in await events(vendor, 5)]
    assert [event for event in sent if event["type"] == "click"] == steps
    await visitor.goto(visitor.root + "/after")
    await visitor.evaluate("datacue.track({type: 'login'})")
    clicks = [message for message in vendor.events if message["event"]["type"] == "click"]
    assert len(clicks) == 5


async def test_an_event_goes_on_when_the_page_is_left(visitor, vendor):
    await visitor.evaluate(f"datacue.track({json.dumps(CLICK)}); location = '/elsewhere'")
    assert CLICK in [message["event"] for message in await events(vendor, 1)]


async def test_a_mistake_rejects_the_promise_with_the_fields_name(visitor, vendor):
    said = await visitor.evaluate("datacue.track({type: 'search'}).catch(error => error.message)")
    assert "term" in said
    assert vendor.events == []


async def test_a_late_answer_resolves_with_nothing(visitor, vendor):
    vendor.delay = 1.5
    assert await visitor.evaluate("datacue.track({type: 'login'})") is None


async def test_another_origin_can_not_track(visitor, vendor, shop):
    shop.answers["/evil"] = reply(page())
    await visitor.goto(shop.url + "/evil")
    outcome = await visitor.evaluate(
        """async (url) => {
            const body = JSON.stringify({event: {type: 'login'}});
            const simple = await fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include', body})
                .then(() => 'opaque', () => 'failed');
            const honest = await fetch(url, {method: 'POST', credentials: 'include', body,
                headers: {'Content-Type': 'application/json'}}).then(() => 'answered', () => 'failed');
            return [simple, honest];
        }""",
        visitor.root + "/_datacue/track",
    )
    assert outcome == ["opaque", "failed"]
    assert vendor.events == []


def test_the_script_is_small(request):
    assert (request.config.rootpath / "static" / "datacue.js").stat().st_size < 3 * 1024
