"""The embedded engine of a state folder, and what it answers to page views."""

from __future__ import annotations

from contextlib import asynccontextmanager

import httpx

from proxy import logs
from proxy.engine_host import EngineHost


@asynccontextmanager
async def engine(state_dir):
    """Runs it; gives a function that views a page: the fields of the event, and who looks."""
    host = EngineHost(state_dir, logs.configure("warning", "json"))
    await host.start()
    transport = httpx.AsyncHTTPTransport(uds=host.socket)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://engine.localhost") as client:

            async def view(user=None, **event):
                body = {"user": user or {"anonymous_id": "v1"}, "event": {"type": "pageview", **event}}
                answer = await client.post("/", json=body, auth=(host.keys.api_key, ""))
                return {name: found for name, found in answer.json().items() if name.endswith("_skus")}

            yield view
    finally:
        await host.aclose()
