"""robots.txt → what may be asked for, and how often.

Source: RFC 9309. ``Crawl-delay`` isn't in it, but shops write it and crawlers keep to it.
"""

from __future__ import annotations

import math
import re
from typing import Final, NamedTuple

MAX_ROBOTS: Final = 512 * 1024
"""Bytes that are read: at least 500 KiB must be (RFC 9309, 2.5)."""

PATH: Final = b"/robots.txt"

_TOKEN: Final = re.compile(rb"[A-Za-z_-]+|\*")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})|[^\x21-\x7e]")
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Rule(NamedTuple):
    """One Allow or Disallow line.

    Attributes:
        allow: which of the two.
        octets: of the pattern: the longest that matches decides.
        parts: what stands between its ``*``.
        anchored: whether it ends with ``$``.
    """

    allow: bool
    octets: int
    parts: tuple[bytes, ...]
    anchored: bool

    def matches(self, target: bytes) -> bool:
        """Whether a normalized path and query falls under the pattern; takes no longer than its length."""
        first, *parts = self.parts
        if not target.startswith(first):
            return False
        at = len(first)
        if not parts:
            return not self.anchored or at == len(target)
        last = parts.pop() if self.anchored else b""
        for part in parts:
            found = target.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return len(target) - len(last) >= at and target.endswith(last)


class Robots(NamedTuple):
    """What a robots.txt says to us.

    Attributes:
        rules: of our group, or of ``*`` where none names us.
        delay: seconds between two requests; None where nothing is asked for.
    """

    rules: tuple[Rule, ...] = ()
    delay: float | None = None

    def allows(self, target: bytes) -> bool:
        """Whether we may ask for a path and query, as they are sent (RFC 9309, 2.2.2)."""
        if target.partition(b"?")[0] == PATH:
            return True
        normal = _normalized(target).replace(b"*", b"%2A").replace(b"$", b"%24")
        matching = [(rule.octets, rule.allow) for rule in self.rules if rule.matches(normal)]
        return max(matching, default=(0, True))[1]


class _Group:
    """The lines for one agent, of however many groups name it (RFC 9309, 2.2.1)."""

    def __init__(self) -> None:
        self.named = False
        self.rules: list[Rule] = []
        self.delay: float | None = None


def parse(text: bytes, agent: str) -> Robots:
    """Reads a robots.txt; what can't be read in it is skipped, as the RFC wants.

    Args:
        text: the file; MAX_ROBOTS bytes of it count.
        agent: our product token, letters, "-" and "_" alone; its case doesn't count.
    """
    ours, everybody = _Group(), _Group()
    current: list[_Group] = []
    begun = False  # whether the current group has rules, so that the next User-agent opens another
    for line in text[:MAX_ROBOTS].removeprefix(b"\xef\xbb\xbf").splitlines():
        name, colon, value = line.partition(b"#")[0].partition(b":")
        key, value = name.strip().lower(), value.strip()
        if not colon:
            continue
        if key == b"user-agent":
            if begun:
                current, begun = [], False
            token = _TOKEN.match(value)
            if token is not None and token[0].lower() == agent.lower().encode():
                ours.named = True
                current.append(ours)
            elif token is not None and token[0] == b"*":
                current.append(everybody)
        elif key in {b"allow", b"disallow"}:
            begun = True
            if value:
                for group in current:
                    group.rules.append(_rule(value, allow=key == b"allow"))
        elif key == b"crawl-delay":
            for group in current:
                group.delay = _seconds(value)
    chosen = ours if ours.named else everybody
    return Robots(tuple(chosen.rules), chosen.delay)


def _rule(pattern: bytes, *, allow: bool) -> Rule:
    anchored = pattern.endswith(b"$")
    normal = _normalized(pattern[:-1] if anchored else pattern).replace(b"$", b"%24")
    parts = tuple(re.split(rb"\*+", normal))
    return Rule(allow, len(normal) + anchored, parts, anchored)


def _normalized(path: bytes) -> bytes:
    """Equal paths in one spelling: unreserved characters bare, all else escaped in capitals."""

    def spell(match: re.Match[bytes]) -> bytes:
        octet = int(match[1], 16) if match[1] else match[0][0]
        return bytes((octet,)) if octet in _UNRESERVED else b"%%%02X" % octet

    return _ESCAPE.sub(spell, path)


def _seconds(value: bytes) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None
