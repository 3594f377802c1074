"""What surrogates tell each other in heads: who can process ESI, and what a page asks for.

A surrogate is a cache or proxy that acts for the shop: we, or a Varnish in front of us. It says what it can
(``Surrogate-Capability``), and the shop says in the answer what it shall do (``Surrogate-Control``).

Source: Edge Architecture Specification, https://www.w3.org/TR/edge-arch (2.1, 2.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from proxy.headers import ANNOUNCED, value_of, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.headers import Headers

CAPABILITY, OURS = ANNOUNCED
CONTROL = b"surrogate-control"

ESI = b"ESI/1.0"
TOKEN = b"datacue"
"""Our device token: unique among the surrogates in front of a shop."""

ASKS = b'content="' + ESI + b'"'

UNKEPT = (CONTROL, b"no-store, " + ASKS)
"""For a personal page whose ESI is left to a proxy in front of us: process it, and don't keep it."""

_DIRECTIVE = re.compile(
    rb"\s*(?P<name>[\w-]+)(?:\s*=\s*(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>[^\s,;\"]*)))?"
    rb"\s*(?:;\s*(?P<target>[\w-]+))?\s*(?:,|$)"
)


class Directive(NamedTuple):
    """One directive of ``Surrogate-Control``."""

    name: bytes
    value: bytes | None
    target: bytes
    written: bytes

    @property
    def ours(self) -> bool:
        """Whether it speaks to us: to everybody, or to our token."""
        return self.target in {b"", TOKEN}

    @property
    def processing(self) -> list[bytes]:
        """What shall be done with the content."""
        return self.value.split() if self.name == b"content" and self.value and self.ours else []


def directives(headers: Sequence[tuple[bytes, bytes]]) -> list[Directive]:
    """What a response says to surrogates. What can't be read is left out."""
    found = []
    for value in values_of(headers, CONTROL):
        for match in _DIRECTIVE.finditer(value):
            said = match["quoted"] if match["quoted"] is not None else match["bare"]
            written = match[0].strip().removesuffix(b",").strip()
            found.append(Directive(match["name"].lower(), said, (match["target"] or b"").lower(), written))
    return found


def announced(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """A request in which we say that we process ESI, after whoever said so before us."""
    said = values_of(headers, CAPABILITY)
    kept = [field for field in headers if field[0] != CAPABILITY] if said else list(headers)
    kept.append((CAPABILITY, b", ".join([*said, OURS])))
    return kept


def capable(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether a surrogate in front of us has said that it processes ESI."""
    return any(ESI in value for value in values_of(headers, CAPABILITY))


def asks_for_esi(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether a response asks for its ESI to be processed."""
    if value_of(headers, CONTROL) is None:
        return False
    return any(ESI in directive.processing for directive in directives(headers))


def forbids(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether a response forbids surrogates to keep it."""
    return any(directive.name == b"no-store" for directive in directives(headers))


def asking(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """A response that asks a surrogate in front of us to process its ESI; what else it says stays."""
    if asks_for_esi(headers):
        return list(headers)
    return _with(headers, [*[d.written for d in directives(headers)], ASKS])


def processed(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """A response whose ESI was processed: it no longer asks for that, while its caching directives stay.

    Each surrogate takes out what it has done (2.2, "content"). How long others may keep the result is still
    theirs to know.
    """
    if not asks_for_esi(headers):
        return list(headers)
    left = []
    for directive in directives(headers):
        wanted = directive.processing
        if ESI not in wanted:
            left.append(directive.written)
        elif others := [token for token in wanted if token != ESI]:
            left.append(b'content="%b"' % b" ".join(others))
    return _with(headers, left)


def _with(headers: Sequence[tuple[bytes, bytes]], written: list[bytes]) -> Headers:
    kept = [field for field in headers if field[0] != CONTROL]
    if written:
        kept.append((CONTROL, b", ".join(written)))
    return kept


class Announcing:
    """Whether the shop is told that we process ESI, and who hears when that was wrong.

    A shop whose framework writes includes of its own parts as soon as somebody announces ESI (Symfony's
    ``render_esi``) would have them unresolved: we include our own fragments only. After the first such page
    it isn't told any more, so it renders them itself, as before.

    Args:
        wanted: the setting ``esi``.
        complain: says so to the operator, once.
    """

    def __init__(self, *, wanted: bool, complain: Callable[[], None]) -> None:
        self.wanted = wanted
        self.going_on = wanted
        self._complain = complain

    def unresolved(self) -> None:
        """A page had an include that nobody resolves."""
        if self.going_on:
            self.going_on = False
            self._complain()
