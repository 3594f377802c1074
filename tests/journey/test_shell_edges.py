"""Shells in real caches, as docs/shells.md says: the shop is asked once, each visitor sees what is theirs."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from harness.edges import Nginx, Varnish
from harness.peers import page, product, reply
from harness.process import ROOT
from harness.wire import ask

SLOTS = "".join(
    f'<div data-dc-products="{name}"><p>own {name}</p></div>' for name in ("related", "similar", "recent")
)
RULE = 'deadline = 10\n[[pages]]\npath = "/product/{product_id}"\nkind = "product"\n'
PUBLIC = "cache-control: public, max-age=60"
SETTINGS = {"nginx": 'shell = "ssi"\n', "varnish": 'shell = "auto"\n'}


def example(path, language):
    text = (ROOT / "docs" / path).read_text()
    return re.search(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1]


@pytest.fixture
def per_visitor(vendor):
    """A DataCue that recommends to each visitor what bears their name; nothing similar."""

    async def answer(seen, writer):
        event = json.loads(seen.body)
        vendor.taken.append(event)
        name = event["user"]["anonymous_id"]
        lists = {
            f"{kind}_product_skus": [product(1, name=f"{kind} for {name}.")] for kind in ("related", "recent")
        }
        writer.write(reply(json.dumps(lists).encode(), content_type="application/json"))

    vendor.answers["*"] = answer
    return vendor


@pytest.fixture(
    params=[
        pytest.param("nginx", marks=pytest.mark.nginx),
        pytest.param("varnish", marks=pytest.mark.varnish),
    ]
)
async def edge(request, run_proxy, tmp_path):
    """The documented cache in front of a proxy that makes shells."""
    proxy = await run_proxy(SETTINGS[request.param] + RULE)
    folder = tmp_path / request.param
    folder.mkdir()
    port = str(proxy.address[1])
    if request.param == "nginx":
        config = example("include/nginx.md", "nginx")
        server = Nginx(
            folder, config,
            {
                "server 127.0.0.1:8080;": f"server 127.0.0.1:{port};", "server 127.0.0.1:8000;": f"server 127.0.0.1:{port};",
                "/var/cache/nginx/pages": str(folder / "pages"),
            },
        )  # fmt: skip
    else:
        server = Varnish(folder, example("shells.md", "vcl"), {'.port = "8000";': f'.port = "{port}";'})
    server.kind = request.param
    await server.start()
    yield server
    await server.stop()


def names(body):
    """Whose recommendations a page shows."""
    return set(re.findall(rb"(?:related|recent) for ([0-9a-f-]{36})\.", body))


async def test_a_shell_is_kept_and_each_visitor_sees_their_own(edge, shop, per_visitor):
    shop.answers["*"] = reply(page(SLOTS), 200, PUBLIC, 'etag: "abc"')
    cookies = []
    for _ in range(3):
        first = await ask(edge.address, "/product/p1", accept_encoding=None)
        assert first.get("cache-control") == "private, no-store"
        [name] = names(first.body)
        cookies.append(first.cookie())
        assert cookies[-1].startswith(f"datacue={name.decode()}.")
    assert len(shop.seen) == 1
    pages = await asyncio.gather(
        *(ask(edge.address, "/product/p1", cookie=cookie) for cookie in cookies for _ in range(5))
    )
    for number, got in enumerate(pages):
        mine = cookies[number // 5].split("=")[1][:36].encode()
        assert names(got.body) == {mine}
        assert got.body.count(mine) == 2
        assert b"esi:" not in got.body
        assert b"<!--" not in got.body
        assert b"own related" not in got.body
        assert (b"own similar" in got.body) == (edge.kind == "nginx")  # the fallback of what is empty
    assert len(shop.seen) == 1
    assert [seen.get("cookie") for seen in shop.seen] == [None]


async def test_a_page_view_of_a_kept_shell_is_one_event(edge, shop, per_visitor):
    shop.answers["*"] = reply(page(SLOTS), 200, PUBLIC)
    first = await ask(edge.address, "/product/p1")
    for _ in range(4):
        await ask(edge.address, "/product/p1", cookie=first.cookie())
    assert len(shop.seen) == 1
    seen = [(event["user"]["anonymous_id"], event["event"]["product_id"]) for event in per_visitor.taken]
    assert seen == [(first.cookie().split("=")[1][:36], "p1")] * 5


async def test_a_private_page_is_not_kept_and_is_its_visitors(edge, shop, per_visitor):
    shop.answers["*"] = reply(page(SLOTS), 200, "cache-control: private")
    first = await ask(edge.address, "/product/p1")
    name = first.cookie().split("=")[1][:36].encode()
    assert names(first.body) == {name}
    again = await ask(edge.address, "/product/p1", cookie=first.cookie())
    assert names(again.body) == {name}
    assert b"own similar" in again.body
    assert len(shop.seen) == 2
    assert {event["user"]["anonymous_id"].encode() for event in per_visitor.taken} == {name}
    assert len(per_visitor.taken) == 2


async def test_with_a_dead_vendor_the_page_stands(edge, shop, vendor):
    vendor.status = 500
    shop.answers["*"] = reply(page("<h1>shop</h1>", SLOTS), 200, PUBLIC)
    got = await ask(edge.address, "/product/p1")
    assert got.status == 200
    assert b"<h1>shop</h1>" in got.body
    assert (b"own related" in got.body) == (edge.kind == "nginx")
    assert got.body.endswith(b"</body></html>")
