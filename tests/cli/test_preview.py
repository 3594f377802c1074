"""``datacue-proxy preview``, as a shop's developer runs it."""

from __future__ import annotations

import asyncio
import re
import signal

import httpx
import pytest
from harness import commands
from harness.peers import product


def test_a_widget_is_shown_as_text_as_html_and_as_a_file(cli, tmp_path):
    code, out, err = cli("preview", "related")
    assert (code, err) == (0, "")
    assert out.startswith("Recommended for you\n")
    assert "\x1b" not in out
    code, out, _ = cli("preview", "related", "--html")
    assert out.startswith('<section class="datacue-rec-section datacue-related')
    code, out, err = cli("preview", "banners", "--output", "banners.html")
    assert (code, out) == (0, "")
    assert "data:image/svg+xml" in (tmp_path / "banners.html").read_text()


def test_nothing_to_show_tells_in_the_exit_code(cli):
    code, out, err = cli("preview", "top", "--empty")
    assert (code, out) == (1, "")
    assert "nothing to show" in err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "error: WIDGET: is missing"),
        (("relatd",), "error: WIDGET: there is no widget 'relatd'. Did you mean \"related\"?"),
        (("similar", "--live"), "error: --product-id: "),
        (("top", "--live", "--empty"), "error: --empty: "),
    ],
)
def test_what_is_asked_wrong_ends_in_one_line(cli, arguments, line):
    code, out, err = cli("preview", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.count("\n") == 1


async def test_live_data_is_a_page_view_and_its_visitor_is_erased(command, vendor):
    vendor.recommendations = {"similar_product_skus": [product(7)]}
    keys = {"DATACUE_API_KEY": "k", "DATACUE_API_SECRET": "s"}
    urls = {"DATACUE_EVENTS_URL": f"{vendor.url}/", "DATACUE_API_URL": f"{vendor.url}/v1"}
    code, out, err = await command("preview", "similar", "--live", "--product-id", "p1", **keys, **urls)
    assert code == 0
    assert "Product 7" in out
    assert "told to erase" in err
    assert vendor.taken[0]["event"] == {"type": "pageview", "subtype": "product", "product_id": "p1"}
    assert vendor.seen[-1].target == f"/v1/users/{vendor.taken[0]['user']['anonymous_id']}"


async def test_the_gallery_is_served_until_ctrl_c(tmp_path):
    process = await commands.start("preview", "--serve", "127.0.0.1:0", folder=tmp_path)
    try:
        line = await asyncio.wait_for(process.stderr.readline(), 60)
        url = re.search(rb"http://[\d.:]+\d", line)[0].decode()
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            assert "related" in (await client.get(url)).text
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
