"""The proxy as one would write it first: Starlette, httpx, Jinja and lxml, each as its manual shows it.

It does the same work as ours on a page: a signed visitor cookie, one event to the recommender, three
widgets, put where the page's placeholders are. Nothing is made slow on purpose: one client is kept for
all requests, shop and recommender are asked at the same time, templates are compiled once.

Run it with ``uvicorn benchmarks.plain_proxy:app``; ``SHOP_URL`` and ``EVENTS_URL`` say where to ask.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import jinja2
import lxml.html  # type: ignore[import-untyped]  # it ships no types
from itsdangerous import BadSignature, TimestampSigner
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

SHOP_URL = os.environ.get("SHOP_URL", "http://127.0.0.1:8080")
EVENTS_URL = os.environ.get("EVENTS_URL", "http://127.0.0.1:8081/same")
MAX_AGE = 400 * 24 * 3600
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host"}
DROPPED = {"content-length", "content-encoding", "etag", "last-modified", "accept-ranges", *HOP_BY_HOP}

signer = TimestampSigner("a secret of the benchmark")
templates = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)

BANNERS = templates.from_string("""<section class="banners">
{% for banner in banners %}
<a class="banner" href="{{ banner.link }}"><img src="{{ banner.photo_url }}" alt="{{ banner.name }}" width="1200" height="720"></a>
{% endfor %}
</section>""")  # noqa: E501  one banner, one line

PRODUCTS = templates.from_string("""<section class="products" aria-labelledby="{{ name }}-title">
<h2 id="{{ name }}-title">{{ title }}</h2>
<ul role="list">
{% for product in products %}
<li class="product">
<a class="photo" href="{{ product.link }}"><img src="{{ product.photo_url }}" alt="" width="400" height="400" loading="lazy"></a>
<p class="title"><a href="{{ product.link }}"><bdi>{{ product.name }}</bdi></a></p>
{% if product.price %}
<p class="prices"><span class="price">{{ "$%.2f"|format(product.price) }}</span></p>
{% endif %}
</li>
{% endfor %}
</ul>
</section>""")  # noqa: E501  one photo, one line


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with httpx.AsyncClient() as client:
        app.state.client = client
        yield


def visitor_of(request: Request) -> tuple[str, bool]:
    """The visitor's id, and whether it is new."""
    try:
        return signer.unsign(request.cookies.get("visitor", ""), max_age=MAX_AGE).decode(), False
    except BadSignature:
        return str(uuid.uuid4()), True


async def recommendations(client: httpx.AsyncClient, request: Request, visitor: str) -> dict[str, Any]:
    """The answer to the page view's event."""
    event = {
        "user": {"anonymous_id": visitor},
        "event": {"type": "pageview", "subtype": "product", "product_id": request.path_params["product_id"]},
        "context": {
            "ip": request.client.host if request.client else None,
            "user_agent": request.headers.get("user-agent"),
        },
        "timestamp": datetime.now(UTC).isoformat(),
    }
    response = await client.post(EVENTS_URL, json=event, auth=("api-key", ""))
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


def personalized(page: bytes, answer: dict[str, Any]) -> bytes:
    """The page with its placeholders filled."""
    document = lxml.html.document_fromstring(page)
    for slot in document.xpath("//*[@data-dc-banners]"):
        banners = (answer.get("main_banners") or []) + (answer.get("sub_banners") or [])
        fill(slot, BANNERS.render(banners=banners))
    for slot in document.xpath("//*[@data-dc-products]"):
        name = slot.get("data-dc-products")
        products = answer.get(f"{name}_product_skus") or []
        fill(slot, PRODUCTS.render(name=name, title=name.title(), products=products[:8]))
    html: bytes = lxml.html.tostring(document, encoding="utf-8", doctype="<!doctype html>")
    return html


def fill(slot: lxml.html.HtmlElement, html: str) -> None:
    slot.text = None
    slot[:] = [lxml.html.fragment_fromstring(html)]


async def product_page(request: Request) -> Response:
    client: httpx.AsyncClient = request.app.state.client
    visitor, is_new = visitor_of(request)
    headers = [(name, value) for name, value in request.headers.items() if name not in HOP_BY_HOP]
    shop, answer = await asyncio.gather(
        client.get(f"{SHOP_URL}{request.url.path}", headers=headers, params=request.query_params),
        recommendations(client, request, visitor),
    )
    response = Response(personalized(shop.content, answer), shop.status_code)
    for name, value in shop.headers.multi_items():
        if name not in DROPPED:
            response.headers.append(name, value)
    response.headers["cache-control"] = "private, no-store"
    if is_new:
        signed = signer.sign(visitor).decode()
        response.set_cookie("visitor", signed, max_age=MAX_AGE, httponly=True, samesite="lax")
    return response


app = Starlette(routes=[Route("/product/{product_id}", product_page)], lifespan=lifespan)
