"""Somebody with a browser that has JavaScript switched off, and an ear at the vendor's door."""

from __future__ import annotations

import asyncio
import json

import httpx
import lxml.html

from harness.wire import BROWSER


class Shopper(httpx.AsyncClient):
    """Keeps the page that is open, fills in its forms, follows its redirects.

    Args:
        url: of the shop. vendor: what DataCue hears.
    """

    def __init__(self, url, vendor, **headers):
        headers = {"user-agent": BROWSER, "accept": "text/html,*/*;q=0.8", **headers}
        super().__init__(base_url=url, headers=headers, follow_redirects=True, trust_env=False, timeout=60)
        self.vendor = vendor
        self.page = None

    async def open(self, target):
        self.page = await self.get(target)
        return self.page

    def forms(self):
        return [form for form in lxml.html.fromstring(self.page.text).forms if form.method == "POST"]

    async def submit(self, action, /, having=None, **typed):
        """Fills in the page's first form that goes there (None: anywhere) and sends it, as a browser does."""
        form = next(
            form
            for form in self.forms()
            if action in {form.action, None} and (having is None or having in form.fields)
        )
        filled = {name: value for name, value in form.fields.items() if value is not None} | typed
        headers = {"referer": str(self.page.url), "origin": str(self.page.url.join("/")).rstrip("/")}
        self.page = await self.post(form.action or self.page.url, data=filled, headers=headers)
        return self.page

    @property
    def anonymous_id(self):
        return self.cookies["datacue"].partition(".")[0].partition("~")[0]

    def heard(self):
        """What DataCue got since the last time: (where, document)."""
        seen, self.vendor.seen[:] = [*self.vendor.seen], []
        return [(f"{one.method} {one.target}", json.loads(one.body)) for one in seen]

    def told(self):
        """The events since the last time, page views left out."""
        events = [document["event"] for where, document in self.heard() if where == "POST /"]
        return [event for event in events if event["type"] != "pageview"]

    async def called(self, target):
        """The REST calls that came there, once there is one: they go by way of the disk."""
        async with asyncio.timeout(20):
            while True:
                found = [seen for seen in self.vendor.seen if seen.target == target]
                if found:
                    return found
                await asyncio.sleep(0.01)
