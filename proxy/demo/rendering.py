"""Templates into responses: one environment, autoescaping everywhere."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from proxy.demo.catalogue import CATEGORIES, CATEGORY_BY_PATH
from proxy.demo.forms import CSRF_FIELD
from proxy.demo.sessions import visit_of
from proxy.demo.state import FREE_DELIVERY_FROM, MAX_QUANTITY

if TYPE_CHECKING:
    from decimal import Decimal

    from starlette.requests import Request

HERE = Path(__file__).parent
STATIC = HERE / "static"

_ERRORS = {
    400: ("That didn't work", "Something in the request can't be read. Please go back and try again."),
    403: ("This form has expired", "For your safety, please go back, reload the page and send it again."),
    404: ("We looked everywhere", "This page has moved out, or never lived here."),
    405: ("That didn't work", "This address can't be used that way."),
    413: ("That was too much", "The form is larger than we can take."),
    415: ("That didn't work", "We only take ordinary forms."),
}


def money(amount: Decimal) -> str:
    """An amount as customers read it: ``$1,299``, ``$24.50``, or ``Free``."""
    if not amount:
        return "Free"
    return f"${amount:,.0f}" if amount == amount.to_integral_value() else f"${amount:,.2f}"


def day(seconds: float) -> str:
    """A date: ``23 November 2026`` (UTC)."""
    return f"{datetime.fromtimestamp(seconds, UTC):%d %B %Y}".lstrip("0")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    stylesheet = (STATIC / "shop.css").read_bytes()
    environment.filters.update(money=money, day=day)
    environment.globals.update(
        categories=CATEGORIES,
        category_by_path=CATEGORY_BY_PATH,
        csrf_field=CSRF_FIELD,
        free_delivery_from=FREE_DELIVERY_FROM,
        max_quantity=MAX_QUANTITY,
        # A new stylesheet gets a new address, so browsers may keep the old one for good.
        stylesheet=f"/static/shop.css?v={hashlib.sha256(stylesheet).hexdigest()[:8]}",
    )
    return environment


_ENVIRONMENT = _environment()


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page. It shows one visitor's basket, so no cache may share it."""
    visit = visit_of(request)
    html = _ENVIRONMENT.get_template(template).render(visit=visit, notice=visit.take_notice(), **context)
    return HTMLResponse(html, status, headers={"cache-control": "private, no-cache"})


def see_other(link: str) -> RedirectResponse:
    """After a POST: look there (RFC 9110, 15.4.4), so that a reload sends nothing twice."""
    return RedirectResponse(link, 303)


async def error_page(request: Request, error: Exception) -> Response:
    """The page for what can't be served."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    title, text = _ERRORS.get(status, ("Something broke", "It is our fault, not yours. Please try again."))
    response = render(request, "error.html", status=status, code=status, title=title, text=text)
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response
