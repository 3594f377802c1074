"""What is one visitor's is never shared, whatever an address looks like (promise 21).

nginx and Varnish as docs/include has them, made careless: they also keep everything that looks like a file,
whatever its headers say.
"""

from __future__ import annotations

import asyncio
import itertools
import random

import pytest
from harness.edges import Nginx
from harness.includes import anonymous_id, documented, people, shell, tag
from harness.wire import BROWSER, ask

ROUNDS = 6
AT_ONCE = 12
"""Requests in flight."""

DISGUISES = (
    "",
    "/x.css",
    ";x.css",
    "%2fx.css",
    "%2Fx.css",
    "%00.css",
    "%00x.css",
    ".css",
    "%3fx.css",
    "%23x.css",
    "%0a.css",
)
PAGES = [f"/sofa{disguise}" for disguise in DISGUISES] + [
    "/sofa?x.css",
    "/sofa/../sofa/x.css",
    "//sofa/x.css",
]
FRAGMENT = "/_datacue/fragments/related"
FRAGMENTS = [f"{FRAGMENT}{disguise}?product_id=p1" for disguise in DISGUISES] + [
    f"{FRAGMENT}?product_id=p1&x.css",
    f"{FRAGMENT}?product_id=p1/x.css",
    f"/static/..{FRAGMENT}/x.css?product_id=p1",
    f"/static/%2e%2e{FRAGMENT}/x.css?product_id=p1",
    f"/static/x.css/..{FRAGMENT}?product_id=p1&x.css",
    "/%5fdatacue/fragments/related/x.css?product_id=p1",
    "/_datacue/visitor",
    "/_datacue/visitor/x.css",
    "/_datacue/visitor;x.css",
    "/_datacue/visitor%2fx.css",
]

CARELESS_NGINX = """        proxy_pass http://shop;
        proxy_cache pages;
        proxy_cache_valid any 10m;
        proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;
    }

    # Clicks"""
CARELESS_RECV = """set req.backend_hint = shop;
    if (req.url ~ "\\\\.css") {
        unset req.http.Cookie;
        return (hash);
    }
"""
CARELESS_RESPONSE = """sub vcl_backend_response {
    if (bereq.url ~ "\\\\.css") {
        unset beresp.http.Set-Cookie;
        unset beresp.http.Cache-Control;
        set beresp.ttl = 1h;
    }
"""


def careless(server):
    """Has the server keep whatever looks like a file."""
    if isinstance(server, Nginx):
        server.replacements |= {"        proxy_pass http://shop;\n    }\n\n    # Clicks": CARELESS_NGINX}
    else:
        server.replacements |= {
            "set req.backend_hint = shop;\n": CARELESS_RECV,
            "sub vcl_backend_response {\n": CARELESS_RESPONSE,
        }
    return server


@pytest.mark.parametrize("name", ["nginx", "varnish"])
async def test_hundreds_of_requests_by_two_visitors_and_strangers_never_cross(
    run_proxy, tmp_path, shop, vendor, name
):
    everywhere = shell(tag(name, "related"), tag(name, "recent"))
    shop.answers["*"] = everywhere  # a shop that takes whatever follows a page's address for its own business
    proxy = await run_proxy("deadline = 10\n")
    server = careless(documented(name, tmp_path / name, shop.address, proxy.address, patient=True))
    await server.start()
    try:
        one, other = [(await ask(server.address, "/_datacue/visitor")).cookie() for _ in range(2)]
        known = {anonymous_id(one): one, anonymous_id(other): other}
        strangers = itertools.count()
        asked = [(who, target) for who in (one, other, None) for target in PAGES + FRAGMENTS] * ROUNDS
        random.Random(21).shuffle(asked)
        turns = asyncio.Semaphore(AT_ONCE)
        personal = 0

        async def look(cookie, target):
            nonlocal personal
            agent = BROWSER if cookie else f"{BROWSER} {next(strangers)}"
            async with turns:
                got = await ask(server.address, target, cookie=cookie, user_agent=agent)
            seen, given = people(got.body), {anonymous_id(value) for value in got.all("set-cookie")}
            if cookie:
                assert seen | given <= {anonymous_id(cookie)}, target
            else:
                assert not (seen | given) & known.keys(), target
                assert len(seen | given) <= 1, target
            if seen or given:
                personal += 1
                assert got.get("cache-control") == "private, no-store", target
            return seen

        await asyncio.gather(*(look(*each) for each in asked))
        assert len(asked) > 500
        assert personal > 100, "there was something to cross"

        # And what a cache has kept by now gives nobody away to somebody who comes without anything.
        for target in PAGES + FRAGMENTS:
            assert not await look(None, target) & known.keys()
        assert len({anonymous_id for anonymous_id, _ in vendor.pageviews()}) > 2
    finally:
        await server.stop()
