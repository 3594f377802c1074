"""JSON-LD scripts → schema.org nodes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from proxy.facts import graph, javascript, schemaorg, values
from proxy.facts.model import NOTHING, PageFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.facts.address import PageAddress

MAX_SCRIPTS: Final = 32
"""Scripts of a page that are read; SEO plugins write up to ten."""

MAX_DOCUMENT: Final = 512 * 1024
"""Bytes of a script; a longer one is left out, for half of it is no document."""

MAX_DEPTH: Final = 8
"""Lists and graphs within each other that are followed to find top-level nodes."""

_WRAPPED: Final = re.compile(r"^(?:\s|//|/\*|\*/|<!--|<!\[CDATA\[|﻿)+|(?:\s|//|/\*|\*/|-->|\]\]>|;)+$")
_CONTROL: Final = re.compile(r"[\x00-\x1f]")


def read(scripts: Iterable[bytes], *, charset: str, page: PageAddress) -> PageFacts:
    """The facts of a page's ``application/ld+json`` scripts."""
    found = [node for script in list(scripts)[:MAX_SCRIPTS] for node in nodes(script, charset=charset)]
    return schemaorg.read(found, page=page, why="json-ld") if found else NOTHING


def nodes(script: bytes, *, charset: str) -> Iterator[graph.Node]:
    """The top-level nodes of a script."""
    if len(script) <= MAX_DOCUMENT:
        yield from _nodes(document(values.decode(script, charset)), MAX_DEPTH)


def document(text: str) -> Any:
    """A script's value; None where nothing is readable.

    Comment and CDATA wrappers, raw line breaks in strings and trailing commas are what shops write
    and search engines put up with.
    """
    bare = _WRAPPED.sub("", text)
    if javascript.holds_surrogate(bare):
        return javascript.read_literal(_CONTROL.sub(" ", bare))
    try:
        return json.loads(bare, strict=False)
    except (ValueError, RecursionError):
        return javascript.read_literal(_CONTROL.sub(" ", bare))


def _nodes(value: Any, depth: int) -> Iterator[graph.Node]:
    """The top-level nodes of a document: itself, its list's, its graph's."""
    if depth == 0:
        return
    if isinstance(value, dict):
        if "@type" in value or "@graph" not in value:
            yield value
        yield from _nodes(value.get("@graph"), depth - 1)
    elif isinstance(value, list):
        for item in value[: graph.MAX_NODES]:
            yield from _nodes(item, depth - 1)
