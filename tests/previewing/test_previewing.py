"""Widgets shown without a shop: as text, as a page of its own, and in the gallery."""

from __future__ import annotations

import asyncio
import os
import re

import httpx
import pytest
import uvicorn
from harness import browser

from proxy.listening import bind, url_of
from proxy.models import WIDGETS
from proxy.previewing import EMPTY, Gallery, create_gallery, document, readable, sample, show
from proxy.previewing.gallery import names_of
from proxy.previewing.samples import picture
from proxy.previewing.showing import page_for
from proxy.serving import Server
from proxy.settings import Settings


def shown(widget, answer=None, **settings):
    return show(Settings(**settings), widget, sample() if answer is None else answer, page_for(widget))


@pytest.fixture
def templates(tmp_path):
    (tmp_path / "widgets").mkdir()
    return tmp_path


@pytest.mark.parametrize("widget", WIDGETS)
def test_every_widget_has_sample_goods_with_pictures_and_an_empty_state(widget):
    html = shown(widget).html
    sources = set(re.findall(r' src="([^"]+)"', html))
    assert sources
    assert all(picture(source) is not None for source in sources)
    assert shown(widget, EMPTY).html == ""
    assert shown(widget, b"not json").problem


def test_text_for_a_terminal_has_titles_names_prices_and_stars():
    text = readable(shown("related").html).plain
    lines = text.splitlines()
    assert lines[0] == "Recommended for you"
    assert all(line.startswith("  • ") for line in lines[2:])
    assert len(lines) == 10
    assert "out of 5 stars" in text
    assert "$" in text
    assert "<" not in text


def test_text_of_banners_is_what_they_say():
    assert readable(shown("main_banners").html).plain.splitlines()[0].startswith("  • Living room")


def test_a_page_of_its_own_needs_nothing_from_elsewhere():
    page = document(shown("products"), title="products", stylesheet=".datacue-rec{}", language="en_US")
    assert re.findall(r'src="(?!data:image/svg)', page) == []
    assert "<style>\n.datacue-rec{}" in page
    assert '<html lang="en-US">' in page


def test_the_operators_templates_are_used_and_their_mistakes_named(templates):
    file = templates / "widgets" / "product.html"
    file.write_text("<li>mine: {{ product.name }}</li>")
    assert "<li>mine: " in shown("related", templates=templates).html
    file.write_text("<li>\n{{ product.nam }}</li>")
    assert "product.html:2" in shown("related", templates=templates).problem
    file.write_text("<li>{% if %}</li>")
    assert "product.html:1" in shown("related", templates=templates).problem


@pytest.fixture
async def gallery(templates):
    """The gallery, served; (its address, the templates' folder)."""
    made = Gallery(Settings(templates=templates))
    server = Server(uvicorn.Config(create_gallery(made), lifespan="off", log_config=None, ws="none"))
    listener = bind("--serve", "127.0.0.1:0")
    serving = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
    await server.serving.wait()
    async with httpx.AsyncClient(base_url=url_of(listener), trust_env=False, timeout=30) as client:
        yield client, templates
        made.closing.set()
    server.should_exit = True
    await serving
    listener.close()


async def test_the_gallery_shows_every_widget_and_their_pictures(gallery):
    client, _ = gallery
    index = (await client.get("/")).text
    for widget in WIDGETS:
        assert index.count(f'src="/widgets/{widget}/sample"') == 2
    frame = (await client.get("/widgets/related/sample")).text
    photo = await client.get(re.search(r' src="(/products/[^"]+)"', frame)[1])
    assert photo.headers["content-type"] == "image/svg+xml"
    assert "nothing to show" in (await client.get("/widgets/related/empty")).text
    assert (await client.get("/widgets/none/sample")).status_code == 404
    assert (await client.get("/widgets/related/live")).status_code == 404
    assert (await client.get("/products/none.svg")).status_code == 404


async def test_a_change_is_told_and_a_mistake_shown_with_its_line_instead_of_a_crash(gallery):
    client, templates = gallery
    async with asyncio.timeout(30), client.stream("GET", "/changes") as stream:
        lines = stream.aiter_lines()
        await anext(lines)
        (templates / "widgets" / "product.html").write_text("<li class={{ list_name }}></li>")
        while (line := await anext(lines)) != "event: change":
            assert not line.startswith("event")
        assert "widgets" in await anext(lines)
    frame = await client.get("/widgets/related/sample")
    assert frame.status_code == 200
    assert "product.html:1" in frame.text
    assert "quote the value of `class`" in frame.text


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8002", "evil.example:80@127.0.0.1", ""]
)
async def test_on_loopback_nobody_elses_name_is_answered(gallery, host):
    client, _ = gallery
    for target in ("/", "/widgets/related/sample", "/changes"):
        assert (await client.get(target, headers={"host": host})).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8002", "LOCALHOST", "127.0.0.1", "[::1]:8002"])
async def test_this_machines_own_names_are_answered(gallery, host):
    client, _ = gallery
    assert (await client.get("/", headers={"host": host})).status_code == 200


def test_where_the_gallery_is_opened_to_others_every_name_is_answered():
    assert names_of("192.0.2.1") == names_of("shop.example") == ["*"]


async def test_a_file_whose_name_breaks_lines_breaks_no_event(gallery):
    client, templates = gallery
    async with asyncio.timeout(30), client.stream("GET", "/changes") as stream:
        lines = stream.aiter_lines()
        await anext(lines)
        (templates / "a\n\nevent: change\ndata: b.html").write_text("")
        while await anext(lines) != "event: change":
            pass
        assert (await anext(lines)).endswith("a event: change data: b.html")


async def test_the_gallery_fits_a_phone(gallery):
    client, _ = gallery
    if browser.program() is None:
        reason = "there is no Chromium on this machine: install chromium"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    async with browser.chromium() as chromium:
        page = await chromium.new_page(viewport={"width": 375, "height": 800})
        await page.goto(str(client.base_url))
        await page.wait_for_function("document.querySelector('.desktop .screen').style.height !== ''")
        wide, gap = await page.evaluate(
            """() => { const screen = document.querySelector(".desktop .screen").getBoundingClientRect();
            const phone = document.querySelector(".phone").getBoundingClientRect();
            return [document.documentElement.scrollWidth, phone.top - screen.bottom]; }"""
        )
    assert wide <= 375
    assert gap < 60
