"""Whether an answer may be kept for everybody, and for how long (RFC 9111, 3 and 4.2).

Where the RFC leaves a choice, the cautious side is taken: only an explicit lifetime counts, only whole
pages that were asked for with GET and came with 200 are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from proxy.cache.directives import LONGEST, Unreadable, date_of, directives, for_everybody, seconds
from proxy.cache.entry import OK, chosen_by
from proxy.headers import value_of, values_of

if TYPE_CHECKING:
    from proxy.headers import Headers

USER, EVENT = b"x-datacue-user", b"x-datacue-event"

TARGETED = (b"surrogate-control", b"cdn-cache-control")
"""Fields that speak to caches in front of a shop; what they forbid to those, we don't do (RFC 9213)."""

FORBIDDING = (b"no-store", b"private", b"no-cache", b"max-age=0")

Refused = Literal[
    "status",
    "type",
    "authorized",
    "no-store",
    "private",
    "cookie",
    "vary",
    "partial",
    "nonce",
    "said",
    "lifetime",
    "unreadable",
    "large",
    "unframed",
    "token",
    "cookies",
]
"""Why an answer isn't kept, for metrics."""

SECRETS = (
    b"nonce", b"csrf", b"xsrf", b"authenticity_token", b"form_key", b"requestverificationtoken",
    b'"_token"', b"'_token'", b"[_token]",
)  # fmt: skip
"""What a page has that was made for one visit: even where the shop calls it public, it isn't kept. In lower
case."""


LONGEST_SECRET = 32
"""Bytes of the longest of them, and some."""


class Lifetime(msgspec.Struct, frozen=True):
    """How long an answer may be used; seconds.

    Attributes:
        fresh: from its origin on.
        age: that it had when it came.
        while_revalidate: and on_error: beyond being fresh (RFC 5861).
        strict: whether it must never be used stale.
        validated: whether it must be validated before each use.
    """

    fresh: float
    age: float
    while_revalidate: float
    on_error: float
    strict: bool
    validated: bool


def lifetime(
    asked: Headers, status: int, headers: Headers, *, now: float, delay: float
) -> Lifetime | Refused:
    """How long an answer to GET may be kept, or why it may not be.

    Args:
        asked: the request's fields.
        status: of the answer.
        headers: of the answer.
        now: unix seconds, when the answer's head came.
        delay: seconds since the request went out.
    """
    refused = _refused(asked, status, headers)
    if refused is not None:
        return refused
    try:
        given = directives(headers)
        wanted = directives(asked)
    except Unreadable:
        return "unreadable"
    if b"no-store" in given or b"no-store" in wanted:
        return "no-store"
    if b"private" in given:
        return "private"
    fresh = _freshness(headers, given, now)
    validated = b"no-cache" in given
    usable = fresh is not None and fresh > 0 and not validated
    if not usable and not _validators(headers):
        return "lifetime"
    if fresh is None and b"public" not in given and not validated:
        return "lifetime"
    shared = b"s-maxage" in given
    return Lifetime(
        fresh=fresh or 0.0,
        age=_age(headers, now, delay),
        while_revalidate=float(seconds(given, b"stale-while-revalidate") or 0),
        on_error=float(seconds(given, b"stale-if-error") or 0),
        strict=shared or b"must-revalidate" in given or b"proxy-revalidate" in given,
        validated=validated,
    )


def holds_secret(page: bytes) -> bool:
    """Whether there is something in a page that was made for one visit."""
    low = page.lower()
    return any(word in low for word in SECRETS)


def _refused(asked: Headers, status: int, headers: Headers) -> Refused | None:
    names = {name for name, _ in headers}
    media_type = (value_of(headers, b"content-type") or b"").partition(b";")[0].strip().lower()
    if status != OK:
        return "status"
    if media_type != b"text/html":
        return "type"
    if any(name == b"authorization" for name, _ in asked):
        return "authorized"
    if b"set-cookie" in names:
        return "cookie"
    if b"content-range" in names:
        return "partial"
    vary = b",".join(values_of(headers, b"vary")).lower()
    if b"*" in vary or b"forwarded-for" in vary or b"forwarded" in [one.strip() for one in vary.split(b",")]:
        return "vary"
    if any(
        refusal in value.lower()
        for name in TARGETED
        for value in values_of(headers, name)
        for refusal in FORBIDDING
    ):
        return "no-store"
    policies = (b"content-security-policy", b"content-security-policy-report-only")
    if any(b"'nonce-" in value.lower() for name, value in headers if name in policies):
        return "nonce"
    if b"cookie" not in vary and not for_everybody(headers) and chosen_by(asked, b"cookie"):
        return "cookies"
    if USER in names or not _mere_page_views(values_of(headers, EVENT)):
        return "said"
    return None


def _mere_page_views(said: list[bytes]) -> bool:
    """Whether the shop says of a page only what page it is: all else happened to one visitor."""
    for value in said:
        try:
            events = msgspec.json.decode(value)
        except msgspec.DecodeError:
            return False
        for event in events if isinstance(events, list) else [events]:
            if not isinstance(event, dict) or event.get("type") != "pageview":
                return False
    return True


def _freshness(headers: Headers, given: dict[bytes, bytes | None], now: float) -> float | None:
    """The lifetime that the shop said, or None: no guess is made (RFC 9111, 4.2.1)."""
    for name in (b"s-maxage", b"max-age"):
        found = seconds(given, name)
        if found is not None:
            return float(found)
    if value_of(headers, b"expires") is None:
        return None
    if len(values_of(headers, b"expires")) > 1:
        return 0.0
    expires = date_of(headers, b"expires")
    if expires is None:
        return 0.0  # "0", and whatever else is no date, is in the past (RFC 9111, 5.3)
    date = date_of(headers, b"date")
    return min(max(0.0, expires - (now if date is None else date)), float(LONGEST))


def _age(headers: Headers, now: float, delay: float) -> float:
    """Seconds since the answer was made, when it came (RFC 9111, 4.2.3)."""
    date = date_of(headers, b"date")
    apparent = max(0.0, now - date) if date is not None else 0.0
    said = value_of(headers, b"age") or b"0"
    corrected = (float(min(int(said[:10]), LONGEST)) if said.isdigit() else 0.0) + delay
    return max(apparent, corrected)


def _validators(headers: Headers) -> bool:
    return any(name in {b"etag", b"last-modified"} for name, _ in headers)
