"""What a check says of pages: the very journey that a visitor's page takes, without its consequences."""

from __future__ import annotations

import asyncio
import gzip
import json
from contextlib import suppress

from harness.peers import page, product, reply
from harness.wire import ask

from proxy.checking import rehearsal

SLOT = "<div data-dc-products></div>"
RULE = {"path": "/product/{slug}-{product_id}", "kind": "product"}


async def test_a_page_is_told_with_its_kind_its_facts_and_the_event_that_would_be_sent(check, store, says):
    store.product(1, SLOT)
    report = await check("/product/chair-1")
    [told] = report.pages
    assert (told.kind, told.why, told.became, told.fields) == (
        "product", "json-ld", "rewritten", {"product_id": "p1"},
    )  # fmt: skip
    assert told.facts["products"][0]["name"] == "Chair 1"
    assert [(slot.widget, slot.where, slot.outcome) for slot in told.slots] == [
        ("products", "placeholder", "ready")
    ]
    [event] = told.events
    assert event["event"] == {"type": "pageview", "subtype": "product", "product_id": "p1"}
    assert says(report) == []


async def test_what_a_check_says_of_a_page_is_what_the_running_proxy_does(check, store, run_proxy, vendor):
    store.product(1, SLOT)
    store.put("/find", SLOT)
    toml = '[[pages]]\npath = "/find"\nquery = { term = "q" }\nkind = "search"\n'
    proxy = await run_proxy(toml)
    for target in ("/product/chair-1", "/find?q=red", "/other"):
        answer = await ask(proxy.address, target)
        [told] = (
            await check(target, pages=[{"path": "/find", "query": {"term": "q"}, "kind": "search"}])
        ).pages
        outcome = f"{told.became}; page={told.kind}; why={told.why or 'none'}"
        # Whether the shop's 404 has a slot is told only by the page: both call it what it became.
        assert answer.get("x-datacue").partition(";")[2] == outcome.partition(";")[2]
        if told.events:
            seen = vendor.events[-1]
            assert seen["event"] == told.events[-1]["event"]


async def test_nothing_is_sent_and_nothing_kept(check, store, vendor, tmp_path):
    vendor.answers["/v1/overview"] = reply(b"{}", content_type="application/json")
    store.product(1, SLOT)
    report = await check(
        "/product/chair-1",
        api_key="k",
        api_secret="s",
        events_url=f"{vendor.url}/",
        api_url=f"{vendor.url}/v1",
    )
    assert report.pages[0].events
    assert [seen.target for seen in vendor.seen] == ["/v1/overview"]
    assert not (tmp_path / "state").exists()


async def test_a_rule_without_the_field_that_its_event_needs_is_a_problem_with_its_mend(check, store, says):
    store.put("/p/chair", SLOT)
    report = await check("/p/chair", pages=[{"path": "/p/{slug}", "kind": "product"}])
    [line] = says(report)
    assert line.startswith("pages[0]: a product page (pages[0] (/p/{slug})) without product_id")
    assert "{product_id}" in line


async def test_placeholders_on_a_page_of_unknown_kind_are_a_problem(check, store, says):
    store.put("/about", SLOT)
    report = await check("/about")
    assert ["/about: nothing says what kind" in line for line in says(report)] == [True]


async def test_a_slot_whose_selector_matches_nothing_is_named(check, store, says):
    store.put("/", '<main><div id="here"></div></main>')
    slots = [
        {"selector": "#here", "widget": "top", "page": "home"},
        {"selector": ".gone", "widget": "recent", "page": "home"},
        {"selector": ".cart-only", "widget": "recent", "page": "cart"},
    ]
    report = await check("/", slots=slots)
    assert [line.partition(":")[0] for line in says(report)] == ["slots[1].selector"]
    assert '".gone" matches nothing on any home page looked at: /' in says(report)[0]
    assert [slot.where for slot in report.pages[0].slots] == ["slots[0]"]


async def test_a_shop_without_a_place_for_widgets_is_a_problem(check, store, says):
    store.put("/", "<p>hello</p>")
    report = await check("/")
    assert "no page looked at has a place for a widget: /" in says(report)[0]


async def test_an_empty_element_that_a_preset_has_a_slot_for_is_named_by_the_preset(check, store, says):
    store.put("/", "<p>hello</p>")
    report = await check("/", preset="opencart")
    assert says(report)[0].startswith("preset opencart: slots[0].selector: ")


async def test_forms_are_told_with_the_event_that_they_would_make(check, store, says):
    form = '<form method="post" action="/cart/add"><input name="id" value="7"><button name="go"></form>'
    store.product(1, SLOT, form)
    capture = [
        {"event": "cart.add", "path": "/cart/add", "form": {"product_id": "id", "quantity": "qty?"}},
        {"event": "wishlist.add", "path": "/cart/add", "form": {"product_id": "sku"}},
        {"event": "cart.remove", "path": "/cart/add", "form": {"product_id": "id", "x": "gone=*"}},
    ]
    report = await check("/product/chair-1", capture=capture)
    assert [(form.event, form.rule, form.missing) for form in report.pages[0].forms] == [
        ("cart.add", "capture[0]", []),
        ("wishlist.add", "capture[1]", ["sku"]),
    ]
    [line] = says(report)
    assert line.startswith("capture[1].form: the form to /cart/add has no field sku (on /product/chair-1)")


async def test_what_a_page_shows_of_a_cart_is_told_as_the_event_that_it_would_make(check, store):
    store.put("/cart", SLOT, '<li class="line"><a href="/product/chair-9">x</a><b>2</b></li>')
    capture = [
        {"event": "cart", "path": "/cart", "lines": ".line", "line": {"link": "a@href", "quantity": "b"}}
    ]
    report = await check("/cart", capture=capture, pages=[RULE])
    assert [event["event"]["type"] for event in report.pages[0].events] == ["pageview", "cart"]
    [line] = report.pages[0].events[1]["event"]["cart"]
    assert line["product_id"] == "9"


async def test_an_order_is_told_as_the_call_that_would_be_made(check, store):
    order = {
        "@type": "Order",
        "orderNumber": "77",
        "acceptedOffer": {"itemOffered": {"sku": "p1"}, "price": 5},
    }
    store.put("/order/7", f'<script type="application/ld+json">{json.dumps(order)}</script>')
    report = await check("/order/7", pages=[{"path": "/order/{n}", "kind": "order"}])
    [call] = report.pages[0].calls
    assert (call["target"], call["document"]["order_id"]) == ("POST /orders", "77")


async def test_a_compressed_page_is_read(check, store, shop):
    body = gzip.compress(page(SLOT))
    shop.answers["/"] = reply(body, 200, "content-encoding: gzip")
    report = await check("/")
    assert report.pages[0].slots[0].outcome == "ready"


async def test_a_redirect_within_the_shop_is_followed(check, store):
    store.peer.answers["/"] = reply(b"", 302, "location: /home/")
    store.put("/home/", SLOT)
    report = await check("/", pages=[{"path": "/home", "kind": "home"}])
    assert (report.pages[0].url, report.pages[0].kind) == (f"{store.url}/home/", "home")
    assert report.pages[0].links == [f"{store.url}/"]


async def test_a_shop_that_wants_https_or_another_name_is_a_problem_with_its_mend(check, store, says):
    host = store.url.removeprefix("http://")
    store.peer.answers["/a"] = reply(b"", 301, f"location: https://{host}/a")
    store.peer.answers["/b"] = reply(b"", 301, "location: https://www.shop.example/b")
    lines = says(await check("/a", "/b"))
    assert "X-Forwarded-Proto" in lines[0]
    assert "https://www.shop.example/b" in lines[1]


async def test_a_page_that_must_not_be_rewritten_says_why(check, store, says):
    store.put("/", SLOT, headers=["cache-control: no-transform"])
    report = await check("/")
    assert "Cache-Control says no-transform" in says(report)[0]
    assert report.pages[0].became == "bypass:no-transform"


async def test_pages_that_are_left_alone_are_no_problem(check, store, says):
    store.put("/account", SLOT)
    report = await check("/account", pages=[{"path": "/account", "kind": "none"}])
    assert report.pages[0].became == "bypass:rule"
    assert "left alone" in says(report, "hint")[0]


async def test_a_page_is_checked_as_a_visitor_who_consented(check, store):
    store.put("/", SLOT)
    report = await check("/", consent="ok=yes")
    assert report.pages[0].became == "rewritten"


async def test_asked_in_earnest_a_slot_names_what_would_be_shown_and_the_visitor_is_erased(
    check, store, vendor, says
):
    store.product(1, '<div data-dc-products="related"></div>')
    vendor.recommendations = {"related_product_skus": [product(2), product(3)]}
    vendor.answers["/v1/overview"] = reply(
        b'{"products":{"products":3,"variants":4}}', content_type="application/json"
    )
    report = await check(
        "/product/chair-1", ask=True, api_key="k", api_secret="s",
        events_url=f"{vendor.url}/", api_url=f"{vendor.url}/v1",
    )  # fmt: skip
    [slot] = report.pages[0].slots
    assert (slot.outcome, slot.items) == ("hit", ["Product 2", "Product 3"])
    visitor = vendor.taken[0]["user"]["anonymous_id"]
    assert [seen.target for seen in vendor.seen if seen.method == "DELETE"] == [f"/v1/users/{visitor}"]
    assert any("DataCue knows 3 products" in line for line in says(report, "ok"))


async def test_a_product_page_that_says_too_little_for_the_embedded_engine_is_a_hint(check, store, says):
    store.put("/product/x-5", SLOT)
    report = await check("/product/x-5", pages=[RULE])
    assert "name and photo_url and price" in says(report, "hint")[0]


async def test_a_page_that_drips_is_given_up_and_costs_no_more_than_its_time(check, store, says, monkeypatch):
    monkeypatch.setattr(rehearsal, "PAGE_SECONDS", 0.3)
    gone = asyncio.Event()

    async def drip(_seen, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n")
        with suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"1\r\n \r\n")
                await writer.drain()
                await asyncio.sleep(0.02)  # well within every limit between two bytes
        gone.set()

    store.peer.answers["/drip"] = drip
    store.put("/fine", SLOT)
    report = await check("/drip", "/fine")
    [line] = [one for one in says(report) if "given up" in one]
    assert line.startswith("/drip: the page isn't whole after 0.3 s, when it is given up. Open it")
    assert [page.status for page in report.pages] == [200, 200]
    await asyncio.wait_for(gone.wait(), 10)


async def test_a_shop_that_never_answers_is_asked_for_two_pages_alone(check, store, says, monkeypatch):
    monkeypatch.setattr(rehearsal, "PAGE_SECONDS", 0.3)

    async def never(_seen, _writer):
        await asyncio.Event().wait()

    paths = [f"/{number}" for number in range(5)]
    store.peer.answers.update(dict.fromkeys(paths, never))
    lines = says(await check(*paths))
    assert "pages: 2 pages came too late: 3 pages more not asked for" in lines[0]
    assert [seen.target for seen in store.peer.seen] == ["/0", "/1"]
    assert "/0: the page isn't there after 0.3 s" in lines[1]


async def test_an_address_of_another_host_is_told_to_be_asked_of_this_shop(check, store, says):
    store.put("/a", SLOT)
    home = store.url.removeprefix("http://")
    report = await check("/a", f"{store.url}/a", f"https://{home}/a", "https://other.example/a")
    [line] = [one for one in says(report, "hint") if "other.example" in one]
    assert line == (
        f"other.example: asked of the shop at {home}, as a visitor of other.example would. "
        "If other.example is another server, say --upstream https://other.example, or the path alone, /a"
    )
