"""The README's third door, as it stands there."""

from __future__ import annotations

import re

from harness.edges import Nginx
from harness.includes import DATACUE, SHOP, anonymous_id, authority, people
from harness.peers import page, reply
from harness.process import ROOT
from harness.wire import ask


def block(language, index=0):
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )[index]


async def test_the_readmes_nginx_fills_its_tag_for_the_visitor_whom_its_link_made_known(
    tmp_path, shop, vendor, run_proxy
):
    shop.answers["/sofa"] = reply(page(block("html", 1)))
    proxy = await run_proxy("deadline = 10\n")
    (tmp_path / "nginx").mkdir()
    places = {SHOP: authority(shop.address), DATACUE: authority(proxy.address)}
    server = Nginx(tmp_path / "nginx", block("nginx"), places)
    await server.start()
    try:
        cookie = (
            await ask(
                server.address, "/_datacue/visitor", sec_fetch_dest="style", sec_fetch_site="same-origin"
            )
        ).cookie()
        got = await ask(server.address, "/sofa", cookie=cookie)
    finally:
        await server.stop()
    assert people(got.body) == {anonymous_id(cookie)}
    assert vendor.pageviews() == [(anonymous_id(cookie), "p1")]
