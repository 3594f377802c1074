"""Who isn't counted: bots, prefetches, and whoever asked not to be."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import unquote_to_bytes

import crawleruseragents
import re2

if TYPE_CHECKING:
    from collections.abc import Sequence

NotCounted = Literal["head", "prefetch", "health", "bot", "gpc", "dnt", "consent"]
"""Why a request gets the shop's own page: no cookie, no event."""

MAX_USER_AGENT: Final = 1_024
"""Bytes of a User-Agent that are looked at; browsers send some 120, in-app browsers up to 500."""

REMEMBERED_AGENTS: Final = 4_096
"""User-Agents whose answer is remembered: 4 MiB at most, and more than a busy shop sees in an hour."""

_MEMORY: Final = 32 << 20
"""Bytes that re2 may spend on its automaton of some 1,500 patterns; it uses a third."""

_HEALTH: Final = re2.compile(
    rb"^(?:kube-probe/|ELB-HealthChecker/|GoogleHC/|Consul Health Check|Amazon-Route53-Health-Check|Envoy/HC|"
    rb"HAProxy|Load Balancer Agent|Edge Health Probe|nginx/)"
)
_AHEAD: Final = re.compile(rb"prefetch|prerender|preview", re.IGNORECASE)
_SIGNALS: Final = frozenset({b"sec-gpc", b"dnt"})
_PURPOSES: Final = frozenset({b"sec-purpose", b"purpose", b"x-purpose", b"x-moz"})


def not_counted(
    method: str,
    headers: Sequence[tuple[bytes, bytes]],
    consent: tuple[str, str] | None,
    honour_signals: bool,  # noqa: FBT001 - a fixed signature: the doors pass all four in order
) -> NotCounted | None:
    """Why a request isn't counted; None: it is.

    Args:
        method: of the request. HEAD asks about a page and shows none.
        headers: of the request, names in lower case.
        consent: (cookie, value) that grant personalization; an empty value takes any. None: no need.
        honour_signals: whether ``Sec-GPC: 1`` and ``DNT: 1`` deny.
    """
    if method == "HEAD":
        return "head"
    agent = b""
    signals: set[bytes] = set()
    grants: list[bool] = []
    for name, value in headers:
        if name == b"user-agent":
            agent = value
        elif name in _PURPOSES and _AHEAD.search(value):
            return "prefetch"
        elif name in _SIGNALS and value.strip() == b"1":
            signals.add(name)
        elif name == b"cookie" and consent is not None:
            grants += _grants(value, consent[0].encode(), consent[1].encode())
    machine = _machine(agent)
    if machine is not None:
        return machine
    if honour_signals and signals:
        return "gpc" if b"sec-gpc" in signals else "dnt"
    if consent is not None and not (grants and all(grants)):
        return "consent"
    return None


@lru_cache(maxsize=REMEMBERED_AGENTS)
def _machine(agent: bytes) -> NotCounted | None:
    if _HEALTH.match(agent):
        return "health"
    return "bot" if is_bot(agent) else None


def is_bot(user_agent: bytes) -> bool:
    """Whether a User-Agent is a known crawler's.

    A missing one isn't: a shop's own server that includes a fragment often sends none.
    """
    return _CRAWLERS.search(user_agent[:MAX_USER_AGENT]) is not None


def _grants(cookies: bytes, name: bytes, value: bytes) -> list[bool]:
    """What each cookie of that name says.

    Of several, all must grant: their order means nothing (RFC 6265, 4.2.2).
    """
    found = []
    for pair in cookies.split(b";"):
        key, _, content = pair.partition(b"=")
        if key.strip() == name:
            content = content.strip().strip(b'"')
            found.append(value in {content, unquote_to_bytes(content)} if value else bool(content))
    return found


def compile_patterns(patterns: Sequence[str]) -> Any:
    """One automaton of many patterns; those that re2 can't take are left out.

    The list is updated apart from us: a pattern with a look-behind must not stop a shop from starting.
    """
    try:
        return _compile("|".join(patterns))
    except re2.error:
        return _compile("|".join(pattern for pattern in patterns if compiles(pattern)))


def compiles(pattern: str) -> bool:
    """Whether re2 takes a pattern."""
    try:
        _compile(pattern)
    except re2.error:
        return False
    return True


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    options.max_mem = _MEMORY
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern.encode("latin-1", "replace"), options)


_CRAWLERS: Final = compile_patterns(
    # and our own: a shop's catalogue is crawled through the proxy as well as around it
    [entry["pattern"] for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA] + ["^datacue-proxy"]
)
