"""Page and visitor → event: the JSON that the guide's events endpoint wants, byte for byte.

One page view is one event, and its answer is the recommendations (design, decision 1). Whatever
else happened (a login, a cart) comes from the shop's own words, checked here against the guide.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from proxy.models import Page, Visitor

MAX_SAID = 64 * 1024
"""Bytes of one ``X-DataCue-Event`` value that are read: a full cart is a tenth of it."""

MAX_EVENTS = 20
"""Events that one response may say: more is a mistake, not a shopper."""

MAX_USER_AGENT = 1024
"""Characters of a user agent that are passed on: real ones have under 300."""


class Context(Struct, frozen=True, omit_defaults=True):
    """Where the visitor is (guide, "Context"): we send from a server, so the headers can't tell."""

    ip: str | None = None
    user_agent: str | None = None

    @classmethod
    def of(cls, ip: str, user_agent: bytes | None) -> Context:
        """From an address (empty: unknown) and the field of the request."""
        agent = user_agent.decode("utf-8", "replace")[:MAX_USER_AGENT] if user_agent else None
        return cls(ip or None, agent)


class _User(Struct, omit_defaults=True):
    user_id: str | None = None
    anonymous_id: str | None = None
    profile: dict[str, Any] | None = None


class _Message(Struct, omit_defaults=True):
    user: _User
    event: dict[str, Any]
    context: Context | None = None
    timestamp: str | None = None


_encoder = msgspec.json.Encoder()

PAGEVIEWS: dict[str, str] = {
    "home": "home",
    "product": "product",
    "category": "category",
    "cart": "cart",
    "404": "404",
}
"""Page kind → subtype. Search is an event type of its own; checkout and order are no page views."""

REQUIRED: dict[tuple[str, str | None], tuple[str, ...]] = {
    ("pageview", "home"): (),
    ("pageview", "product"): ("product_id",),
    ("pageview", "category"): ("category_name",),
    ("pageview", "cart"): (),
    ("pageview", "404"): (),
    ("search", None): ("term",),
    ("cart", "update"): ("cart",),
    ("wishlist", "add"): ("product_id",),
    ("wishlist", "remove"): ("product_id",),
    ("click", "banner"): ("banner_id",),
    ("click", "product"): ("product_id",),
    ("click", "related"): ("product_id",),
    ("click", "similar"): ("product_id",),
    ("click", "recent"): ("product_id",),
    ("checkout", "started"): ("cart",),
    ("login", None): (),
}
"""The guide's events: (type, subtype) → fields that must be there."""


def has_event(page: Page) -> bool:
    """Whether ``page_event`` makes one."""
    if page.kind == "product":
        return bool(page.product_id)
    if page.kind == "category":
        return bool(page.category_name)
    return bool(page.term) if page.kind == "search" else page.kind in PAGEVIEWS


def page_event(page: Page) -> dict[str, Any] | None:
    """The event of a page view; None where the guide knows none for such a page.

    Source: guide, "Home pageview", "Product pageview", "Category pageview", "Search".
    """
    if page.kind == "search":
        return {"type": "search", "term": page.term} if page.term else None
    subtype = PAGEVIEWS.get(page.kind)
    if subtype is None:
        return None
    event: dict[str, Any] = {"type": "pageview", "subtype": subtype}
    if page.kind == "product":
        if not page.product_id:
            return None
        event["product_id"] = page.product_id
        if page.variant_id:
            event["variant_id"] = page.variant_id
    elif page.kind == "category":
        if not page.category_name:
            return None
        event["category_name"] = page.category_name
    return event


def page_of(event: dict[str, Any]) -> Page | None:
    """The page that a pageview or search event speaks of; None for any other event."""
    if event.get("type") == "search":
        return Page("search", term=str(event["term"]), why="header")
    if event.get("type") != "pageview":
        return None
    for kind, subtype in PAGEVIEWS.items():
        if subtype == event["subtype"]:
            return Page(
                kind,  # type: ignore[arg-type]  # PAGEVIEWS' keys are page kinds
                product_id=_text(event.get("product_id")),
                variant_id=_text(event.get("variant_id")),
                category_name=_text(event.get("category_name")),
                why="header",
            )
    return None  # pragma: no cover  # check() let no other subtype through


def encode(
    event: dict[str, Any], visitor: Visitor, context: Context | None, happened: float | None = None
) -> bytes:
    """The request body for ``POST /`` of the events endpoint.

    Args:
        event: the guide's event object.
        visitor: who did it; both ids are sent where both are known (the user id wins there).
        context: address and browser of the visitor.
        happened: unix seconds, only for what is sent late (guide, "Timestamp").
    """
    return _encoder.encode(
        _Message(
            _User(visitor.user_id, visitor.anonymous_id, visitor.profile),
            event,
            context,
            None if happened is None else timestamp(happened),
        )
    )


def timestamp(moment: float) -> str:
    """Unix seconds as the guide writes them: ``2018-01-23T00:30:08.276Z``."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def check(event: object) -> dict[str, Any]:
    """An event as the shop said it, held against the guide.

    Raises:
        ValueError: naming the field and what the guide wants there.
    """
    if not isinstance(event, dict):
        raise TypeError("an event is a JSON object")
    kind, subtype = event.get("type"), event.get("subtype")
    if not isinstance(kind, str | None) or not isinstance(subtype, str | None):
        raise TypeError("type and subtype are strings")
    known = (kind, subtype) if (kind, subtype) in REQUIRED else (kind, None)
    required = REQUIRED.get(known)  # type: ignore[arg-type]  # unknown types simply aren't found
    if required is None:
        raise ValueError(f"type {kind!r} with subtype {subtype!r} is no event of the guide")
    for field in required:
        value = event.get(field)
        if field == "cart":
            _check_cart(value)
        elif not isinstance(value, str | int) or isinstance(value, bool) or value == "":
            raise ValueError(f"{kind} needs {field}, a non-empty string")
    return {
        key: str(value) if key.endswith("_id") and isinstance(value, int) else value
        for key, value in event.items()
    }


def _check_cart(cart: object) -> None:
    if not isinstance(cart, list):
        raise TypeError("cart is an array of {product_id, variant_id}")
    for item in cart:
        if not isinstance(item, dict) or not item.get("product_id"):
            raise ValueError("each item of cart needs a product_id")


def said(value: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    """Reads one ``X-DataCue-Event`` value: an event object, or an array of them.

    Returns:
        The events that hold, and a sentence for each that does not: the page goes on either way.
    """
    if len(value) > MAX_SAID:
        return [], [f"X-DataCue-Event has {len(value)} bytes, {MAX_SAID} are read"]
    try:
        spoken = msgspec.json.decode(value)
    except msgspec.DecodeError as error:
        return [], [f"X-DataCue-Event is no JSON ({error}): {_quote(value)}"]
    events: list[dict[str, Any]] = []
    complaints: list[str] = []
    items = spoken if isinstance(spoken, list) else [spoken]
    for item in items[:MAX_EVENTS]:
        try:
            events.append(check(item))
        except (TypeError, ValueError) as error:
            complaints.append(f"X-DataCue-Event: {error}: {_quote(msgspec.json.encode(item))}")
    if len(items) > MAX_EVENTS:
        complaints.append(f"X-DataCue-Event holds {len(items)} events, {MAX_EVENTS} are read")
    return events, complaints


def said_user(value: bytes) -> tuple[str | None, dict[str, Any] | None]:
    """Reads ``X-DataCue-User``: ``{"user_id": "u1", "profile": {...}}``, as (user id, profile).

    Raises:
        ValueError: it is not that; msgspec.DecodeError is one.
    """
    return user_of(msgspec.json.decode(value))


def user_of(spoken: object) -> tuple[str | None, dict[str, Any] | None]:
    """The guide's user object, as (user id, profile); what else it says is not for others to say.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(spoken, dict):
        raise TypeError("user is a JSON object")
    profile = spoken.get("profile")
    if profile is not None and not isinstance(profile, dict):
        raise TypeError("user.profile is a JSON object")
    return _text(spoken.get("user_id")), profile


def _text(value: object) -> str | None:
    """An id as text: shops send numbers, and 0 or "" for nobody."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return None if value in {0, "", "0"} else str(value)


def _quote(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    return text if len(text) <= 120 else text[:120] + "…"  # noqa: PLR2004  one line of a log
