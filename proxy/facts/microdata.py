"""Microdata, as the locator cut it out → schema.org nodes (HTML, 5 "Microdata")."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from proxy.facts import graph, schemaorg, values
from proxy.facts.model import NOTHING, PageFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.facts.address import PageAddress

MAX_STEPS: Final = 20_000
"""Openings, closings and properties that are read; a listing of 100 products has some 2,000."""

MAX_DEPTH: Final = 32
"""Items within items that are kept; what is deeper is left out with all it holds."""


def read(steps: Iterable[tuple[bytes, ...]], *, charset: str, page: PageAddress) -> PageFacts:
    """The facts of a page's ``itemscope`` elements."""
    nodes = items(steps, charset=charset)
    return schemaorg.read(nodes, page=page, why="microdata") if nodes else NOTHING


def items(steps: Iterable[tuple[bytes, ...]], *, charset: str) -> list[graph.Node]:
    """The top-level items in document order, with the others inside them.

    An item that is no property of the one around it is top-level, as the standard has it.
    """
    top: list[graph.Node] = []
    around: list[graph.Node] = []
    for step in islice(steps, MAX_STEPS):
        match step:
            case (b"open", itemtype, itemprop):
                node: graph.Node = {"@type": list(values.unescape(itemtype, charset).split())}
                parent = around[-1] if around else {}
                if not itemprop or not around:
                    top.append(node)
                elif len(around) < MAX_DEPTH:
                    _add(parent, itemprop, node, charset)
                around.append(node)
            case (b"close",) if around:
                around.pop()
            case (b"prop", itemprop, value) if around:
                _add(around[-1], itemprop, values.unescape(value, charset).strip(), charset)
    return top


def _add(node: graph.Node, itemprop: bytes, value: object, charset: str) -> None:
    for name in values.unescape(itemprop, charset).split():
        node.setdefault(name, []).append(value)
