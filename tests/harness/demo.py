"""The demo shop as a shop that includes: what stands in its placeholders is asked for by whatever is in front."""

from __future__ import annotations

import re

from starlette.responses import Response

from harness.includes import tag
from proxy.demo.shop import create_shop

SLOT = re.compile(r'<div class="slot" data-dc-(banners|products)(?:="(\w*)")?[^>]*>')
DIV = re.compile(r"<(/?)div\b")


def with_includes(html, name):
    """The page with docs/include/NAME.md's tags in its slots, each around what stood there.

    Nothing is said about the page: its address does.
    """
    out, done = [], 0
    for slot in SLOT.finditer(html):
        depth, end = 1, slot.end()
        while depth:
            found = DIV.search(html, end)
            depth += -1 if found[1] else 1
            inside, end = html[slot.end() : found.start()], found.end()
        markup = tag(name, slot[2] or slot[1]).replace("page=product&product_id=p1&", "")
        markup = markup.replace("page=product&amp;product_id=p1&amp;", "")
        out += [html[done : slot.start()], '<div class="slot">', markup.replace(OWN, inside)]
        done = slot.end() + len(inside)
    return "".join([*out, html[done:]])


OWN = "<ul><li>What everybody sees</li></ul>"
"""What the documented tags hold as the shop's own."""


class Including:
    """The demo shop, its pages with includes."""

    def __init__(self, name):
        self.shop = create_shop()
        self.name = name

    async def __call__(self, scope, receive, send):
        started, body = {}, b""

        async def collect(message):
            nonlocal body
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                body += message.get("body", b"")

        if scope["type"] != "http":
            await self.shop(scope, receive, send)
            return
        await self.shop(scope, receive, collect)
        headers = [(key, value) for key, value in started["headers"] if key != b"content-length"]
        if dict(headers).get(b"content-type", b"").startswith(b"text/html"):
            body = with_includes(body.decode(), self.name).encode()
        response = Response(body, started["status"])
        response.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]
        await response(scope, receive, send)
