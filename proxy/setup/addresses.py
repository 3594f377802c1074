"""``[[pages]]`` rules out of addresses: where in them is the id?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from proxy.classify import compile_rule
from proxy.classify.rules import readable_path
from proxy.facts.address import parameters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proxy.models import Page, PageKind

_EDGE: Final = "-_.~"
"""What parts an id from a name within one segment."""

TELLING: Final = 2
"""Addresses from which the fixed part can be told from the name."""


class Rule(Struct, frozen=True):
    """A ``[[pages]]`` rule that was found."""

    kind: PageKind
    path: str
    query: dict[str, str] = {}
    facts: dict[str, str] = {}

    def page(self, url: str) -> Page | None:
        """What the rule says of an address."""
        parts = urlsplit(url)
        rule = compile_rule(0, path=self.path, query=self.query, kind=self.kind, fields=None)
        return rule.match(readable_path(parts.path.encode() or b"/"), parameters(parts.query.encode()))


def rule_for(kind: PageKind, field: str, known: Sequence[tuple[str, str]]) -> Rule | None:
    """The rule that finds every page's id in its address.

    Args:
        kind: of the pages.
        field: the event's: ``product_id``.
        known: (address, the id that the page itself says).

    Returns:
        None where the addresses don't hold the ids.
    """
    for url, value in known:
        for path, query in _spelled(url, value, field):
            rule = Rule(kind, _generalized(path, [url for url, _ in known]), query)
            if all(_finds(rule, field, url, value) for url, value in known):
                return rule
    return None


def _finds(rule: Rule, field: str, url: str, value: str) -> bool:
    page = rule.page(url)
    return page is not None and getattr(page, field) == value


def _spelled(url: str, value: str, field: str) -> list[tuple[str, dict[str, str]]]:
    """The ways to read an id out of one address, the plainest first."""
    parts = urlsplit(url)
    found: list[tuple[str, dict[str, str]]] = []
    pairs = parse_qsl(parts.query)
    demanded = {name: f"{name}={text}" for name, text in pairs if name == "route"}
    for name, text in pairs:
        if text == value:
            found.append((parts.path, {**demanded, field: name}))
    segments = parts.path.split("/")
    for at in range(len(segments) - 1, -1, -1):
        held = _held(unquote(segments[at]), value, field)
        if held is not None:
            found.append(("/".join([*segments[:at], held, *segments[at + 1 :]]), {}))
    return found


def _held(segment: str, value: str, field: str) -> str | None:
    """A segment as a pattern, where it holds the id: whole, at its beginning, or at its end."""
    stem, dot, ending = segment.rpartition(".")
    if not dot or not ending.isalpha():
        stem, dot, ending = segment, "", ""
    braces = f"{{{field}}}"
    if stem == value:
        return f"{braces}{dot}{ending}"
    if stem.endswith(value) and stem[: -len(value)][-1:] in _EDGE and len(stem) > len(value) + 1:
        return f"{{slug}}{stem[-len(value) - 1]}{braces}{dot}{ending}"
    if stem.startswith(value) and stem[len(value) : len(value) + 1] in _EDGE and len(stem) > len(value) + 1:
        return f"{braces}{stem[len(value)]}{{slug}}{dot}{ending}"
    return None


def _generalized(path: str, urls: Sequence[str]) -> str:
    """A pattern whose fixed segments are those that all addresses share."""
    segments = path.split("/")
    others = [urlsplit(url).path.split("/") for url in urls]
    if any(len(other) != len(segments) for other in others):
        return path
    return "/".join(
        segment if "{" in segment or len({other[at] for other in others}) == 1 else f"{{part{at}}}"
        for at, segment in enumerate(segments)
    )


def slug_rules(kind: PageKind, field: str, urls: Sequence[str]) -> list[Rule]:
    """The rules for addresses that begin alike and end with a name.

    Args:
        kind: of the pages.
        field: what the name goes by: an event's field, or any other word.
        urls: ``TELLING`` of them at least.

    Returns:
        None of them where nothing fixed stands before the name; two where some names have parents.
    """
    paths = [urlsplit(url).path.rstrip("/").split("/") for url in dict.fromkeys(urls)]
    if len(paths) < TELLING:
        return []
    shared = 0
    while all(len(path) - 1 > shared and path[shared] == paths[0][shared] for path in paths):
        shared += 1
    fixed = "/".join(paths[0][:shared])
    if not fixed.strip("/"):
        return []
    last = f"{{{field}}}{_ending([path[-1] for path in paths])}"
    depths = {len(path) - shared for path in paths}
    rules = [Rule(kind, f"{fixed}/{{parents*}}/{last}")] if max(depths) > 1 else []
    return [*rules, Rule(kind, f"{fixed}/{last}")] if min(depths) == 1 else rules


def _ending(names: Sequence[str]) -> str:
    """What all names end with: ``.html``, or ``_{number}`` behind the name."""
    dots = {name.rpartition(".")[2] for name in names if "." in name}
    if len(dots) == 1 and all("." in name for name in names) and next(iter(dots)).isalpha():
        return f".{next(iter(dots))}"
    if all(re.fullmatch(r".*[^\d_]_\d+", name) for name in names):
        return "_{number}"
    return ""


def tells(rule: Rule, pages: Mapping[str, str]) -> bool:
    """Whether a rule takes no page of another kind.

    Args:
        rule: to be tried.
        pages: kinds, by address.
    """
    return not any(kind != rule.kind and rule.page(url) is not None for url, kind in pages.items())
