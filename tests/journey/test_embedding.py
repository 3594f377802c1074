"""The second door: the middleware inside ASGI shops, under a real uvicorn."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from harness.apps import serving
from harness.peers import page, product
from harness.wire import ask
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from proxy import PersonalizationMiddleware

SLOT = '<div data-dc-products="related"><p>the shop\'s own</p></div>'
PAGES = [{"path": "/product/{product_id}", "kind": "product"}]


@pytest.fixture
def settings(vendor, tmp_path):
    vendor.recommendations = {"related_product_skus": [product(1)]}
    return {
        "api_key": "test-key",
        "events_url": f"{vendor.url}/",
        "state_dir": tmp_path / "state",
        "pages": PAGES,
    }


def starlette(settings, handler, lifespan=None):
    return Starlette(
        routes=[Route("/{rest:path}", handler, methods=["GET", "POST"])],
        middleware=[Middleware(PersonalizationMiddleware, **settings)],
        lifespan=lifespan,
    )


async def test_a_starlette_shop_is_personalized(settings, vendor):
    async def shop(request):
        return HTMLResponse(page(SLOT))

    async with serving(starlette(settings, shop)) as address:
        got = await ask(address, "/product/p1")
    assert b"Product 1" in got.body
    assert got.get("set-cookie").startswith("datacue=")
    assert vendor.events[0]["event"]["product_id"] == "p1"


async def test_a_fastapi_shop_is_personalized_and_its_own_lifespan_runs(settings, vendor):
    ran = []

    @contextlib.asynccontextmanager
    async def lifespan(_app):
        ran.append("up")
        yield
        ran.append("down")

    app = FastAPI(lifespan=lifespan)
    app.add_middleware(PersonalizationMiddleware, **settings)

    @app.get("/product/{product_id}", response_class=HTMLResponse)
    async def product_page(product_id: str):
        return HTMLResponse(page(f"<h1>{product_id}</h1>", SLOT))

    async with serving(app) as address:
        got = await ask(address, "/product/p1")
    assert b"<h1>p1</h1>" in got.body
    assert b"Product 1" in got.body
    assert ran == ["up", "down"]


async def test_it_works_under_a_server_without_lifespan(settings, vendor):
    async def shop(request):
        return HTMLResponse(page(SLOT))

    async with serving(starlette(settings, shop), lifespan="off") as address:
        assert b"Product 1" in (await ask(address, "/product/p1")).body


async def test_the_app_identifies_tracks_and_places_widgets_itself(settings, vendor):
    async def shop(request: Request):
        datacue = request.state.datacue
        datacue.identify("u1", {"segment": "platinum"})
        datacue.track({"type": "login"})
        datacue.track({"type": "pageview", "subtype": "home"})
        return HTMLResponse(f"<main>{await datacue.widget('related')}</main>")

    async with serving(starlette(settings, shop)) as address:
        first = await ask(address, "/welcome")
        assert b"Product 1" in first.body
        await ask(address, "/product/p2", cookie=first.cookie())
    sent = {event["event"].get("subtype", event["event"]["type"]): event["user"] for event in vendor.events}
    assert {"login", "home", "product"} <= sent.keys()
    assert sent["home"]["user_id"] == "u1"
    assert sent["home"]["profile"] == {"segment": "platinum"}
    assert sent["product"]["user_id"] == "u1"
    assert sent["product"]["anonymous_id"] == sent["home"]["anonymous_id"]


async def test_for_a_visitor_who_is_not_personalized_the_handle_does_nothing(settings, vendor):
    async def shop(request: Request):
        datacue = request.state.datacue
        datacue.identify("u1")
        datacue.track({"type": "login"})
        return HTMLResponse(f"<main>{await datacue.widget('related')}</main>")

    async with serving(starlette(settings, shop)) as address:
        got = await ask(address, "/product/p1", sec_gpc="1")
    assert got.body == b"<main></main>"
    assert got.get("set-cookie") is None
    assert vendor.events == []


async def test_a_wrong_event_is_the_apps_own_error(settings, vendor):
    complaints = []

    async def shop(request: Request):
        try:
            request.state.datacue.track({"type": "search"})
        except ValueError as error:
            complaints.append(str(error))
        return HTMLResponse("ok")

    async with serving(starlette(settings, shop)) as address:
        await ask(address, "/x")
    assert "term" in complaints[0]


async def test_the_stylesheet_is_served_beside_the_shop(settings, vendor):
    async def shop(request):
        return HTMLResponse(page(SLOT))

    async with serving(starlette(settings, shop)) as address:
        got = await ask(address, "/product/p1")
        href = got.body.decode().partition('<link rel="stylesheet" href="')[2].partition('"')[0]
        css = await ask(address, href)
        missing = await ask(address, "/_datacue/nothing")
    assert css.status == 200
    assert css.get("content-type").startswith("text/css")
    assert "immutable" in css.get("cache-control")
    assert b".datacue-rec" in css.body
    assert missing.status == 404


async def test_clicks_are_counted_and_scripts_track_without_a_lifespan_too(settings, vendor):
    async def shop(request):
        return HTMLResponse(page(SLOT))

    settings["secret_keys"] = "a key of the test"
    async with serving(starlette(settings, shop)) as address:
        got = await ask(address, "/product/p1")
    href = got.body.decode().partition('href="/_datacue/click/')[2].partition('"')[0]
    async with serving(starlette(settings, shop), lifespan="off") as address:
        clicked = await ask(address, f"/_datacue/click/{href}", cookie=got.cookie())
        tracked = await ask(
            address,
            "/_datacue/track",
            method="POST",
            body=b'{"event":{"type":"login"}}',
            cookie=got.cookie(),
            sec_fetch_site="same-origin",
            content_type="application/json",
        )
    assert clicked.get("location") == "/product/1"
    assert tracked.status == 200
    sent = [event["event"] for event in vendor.events[1:]]
    assert sent == [{"type": "click", "subtype": "related", "product_id": "1"}, {"type": "login"}]


async def test_without_a_key_the_embedded_engine_answers(tmp_path):
    async def shop(request):
        number = request.path_params["rest"].removeprefix("product/")
        data = f'{{"@type":"Product","sku":"{number}","name":"Sofa {number}","image":"/{number}.jpg","offers":{{"price":"9.50","availability":"InStock"}}}}'
        return HTMLResponse(
            page(f'<script type="application/ld+json">{data}</script><div data-dc-products="recent"></div>')
        )

    app = starlette({"state_dir": tmp_path / "state", "pages": PAGES}, shop)
    async with serving(app) as address:
        first = await ask(address, "/product/p1")
        for number in range(20):
            again = await ask(address, f"/product/x{number}", cookie=first.cookie())
            if b"Sofa p1" in again.body:
                break
            await asyncio.sleep(0.05)
    assert b"Sofa p1" in again.body
    assert f"Sofa x{number}".encode() not in again.body.partition(b"datacue-recent")[2]
