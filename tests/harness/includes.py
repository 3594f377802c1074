"""The third door as docs/include sets it up: servers, tags, a shop of them, a vendor that knows everybody."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from harness.docs import example
from harness.edges import Apache, Caddy, Nginx, Varnish
from harness.peers import Vendor, page, product, reply

SHOP, DATACUE = "127.0.0.1:8080", "127.0.0.1:8000"
"""Where docs/ has the shop and us."""

FALLBACK = "What everybody sees"
"""In the documented tags, or at the address of the shop that they name."""

WIDGETS = ("related", "similar", "recent", "top", "products")
LISTS = ("related_product_skus", "similar_product_skus", "recent_product_skus", "top_product_skus")


def authority(address):
    return f"{address[0]}:{address[1]}"


VARNISH_TIMEOUTS = {
    "connect_timeout": "0.2s", "first_byte_timeout": "1s", "between_bytes_timeout": "1s", "timeout": "1s",
}  # fmt: skip
PATIENCE = {
    "nginx": {"connect_timeout 200ms": "connect_timeout 20s", "read_timeout 1s": "read_timeout 20s"},
    "varnish": {
        f".{name} = {documented};": f".{name} = 20s;" for name, documented in VARNISH_TIMEOUTS.items()
    },
    "apache": {"connectiontimeout=200ms timeout=1": "timeout=20"},
    "caddy": {"dial_timeout 200ms": "dial_timeout 20s", "header_timeout 1s": "header_timeout 20s"},
}
"""Documented timeouts and ours: where lateness isn't what is tested, a busy machine may take its time."""


def documented(name, folder, shop, datacue, *, patient=False):
    """A server as docs/include/NAME.md sets it up, between visitors and two addresses."""
    folder.mkdir(parents=True, exist_ok=True)
    server = _documented(name, folder, shop, datacue)
    if patient:
        server.replacements |= PATIENCE[name]
    return server


def _documented(name, folder, shop, datacue):
    page, places = f"include/{name}.md", {SHOP: authority(shop), DATACUE: authority(datacue)}
    match name:
        case "nginx":
            return Nginx(folder, example(page, "nginx"), {**places, "/var/cache/nginx": str(folder)})
        case "varnish":
            ports = {'.port = "8080"': f'.port = "{shop[1]}"', '.port = "8000"': f'.port = "{datacue[1]}"'}
            return Varnish(folder, example(page, "vcl"), ports)
        case "apache":
            modules = example(page, "sh").removeprefix("a2enmod ").split()
            return Apache(folder, example(page, "apache"), modules, places)
        case "caddy":
            return Caddy(folder, example(page, "caddyfile"), places)


def tag(name, widget, product_id="p1"):
    """What docs/include/NAME.md writes into a page, for another widget or product."""
    markup = example(f"include/{name}.md", "html").strip()
    markup = markup.replace("related", widget).replace("p1", product_id)
    return re.sub('(name|stub)="bestsellers"', rf'\1="{widget}-{product_id}"', markup)  # nginx: a block each


def shell(*markup, title="Oak sofa"):
    """A page of the shop, the same for everyone and cacheable."""
    body = page(*markup, "<p>the shop's own end</p>", title=title)
    return reply(body, 200, "cache-control: public, max-age=60", 'etag: "1"')


FALLBACK_PAGE = reply(f"<p>{FALLBACK}</p>".encode(), 200, "cache-control: public, max-age=60")
"""The shop's answer where a tag names an address for it."""


@dataclass
class Knowing(Vendor):
    """A DataCue whose every product is named after whoever it is for."""

    async def _event(self, seen, writer):
        anonymous_id = json.loads(seen.body)["user"]["anonymous_id"]
        self.recommendations = {
            key: [product(number, name=f"{key[:3]} for {anonymous_id}")] for number, key in enumerate(LISTS)
        }
        await super()._event(seen, writer)

    def pageviews(self):
        """(visitor, product) of each page view that came."""
        return [
            (event["user"]["anonymous_id"], event["event"].get("product_id"))
            for event in self.events
            if event["event"]["type"] == "pageview"
        ]


def people(body):
    """Whom a page's products are for."""
    return {found.decode() for found in re.findall(rb"\w{3} for ([0-9a-f-]{36})", body)}


def anonymous_id(cookie):
    """Of a Cookie field's value, or a Set-Cookie's."""
    return re.search(r"datacue=([0-9a-f-]{36})", cookie)[1]
