"""A page's schema.org nodes, with the references between them.

A node is a dict of property to value or list of values; its types stand under ``@type``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from proxy.facts import values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.facts.address import PageAddress

Node: TypeAlias = dict[str, Any]

MAX_NODES: Final = 2_000
"""Top-level nodes of a page that are looked at; a listing of 100 products has some 500."""

_IDS: Final = ("sku", "productID", "mpn", "gtin13", "gtin", "gtin14", "gtin12", "gtin8", "isbn")
_ID_SCHEME: Final = re.compile(r"(?:sku|mpn|isbn|gtin\d*):")
_ORIGIN: Final = re.compile(r"https?://[^/]+")


def types(node: Node) -> frozenset[str]:
    """A node's types, without their namespace."""
    return frozenset(
        re.split(r"[/#:]", name.rstrip("/"))[-1]
        for name in values.each(node.get("@type"))
        if isinstance(name, str)
    )


class Graph:
    """Reads the properties of nodes.

    Args:
        nodes: the top-level ones in document order.
        page: where the page stands, for its links.
    """

    def __init__(self, nodes: Sequence[Node], page: PageAddress) -> None:
        self.nodes = list(nodes)[:MAX_NODES]
        self.page = page
        self._by_id = {
            node["@id"]: node for node in self.nodes if len(node) > 1 and isinstance(node.get("@id"), str)
        }

    def each(self, node: Node, key: str) -> Iterator[Any]:
        """A property's values, references followed."""
        for value in values.each(node.get(key)):
            if isinstance(value, dict):
                if "@value" in value:
                    yield value["@value"]
                    continue
                if len(value) == 1 and isinstance(value.get("@id"), str):
                    yield self._by_id.get(value["@id"], value)
                    continue
            yield value

    def inner(self, node: Node, key: str) -> Iterator[Node]:
        """The nodes among a property's values."""
        return (value for value in self.each(node, key) if isinstance(value, dict))

    def text(self, node: Node, key: str, limit: int = values.MAX_TEXT) -> str | None:
        """A property's first readable text."""
        return values.first(values.text(value, limit) for value in self.each(node, key))

    def name(self, node: Node, key: str) -> str | None:
        """A name given as such or as a thing that has one: brand, category."""
        return values.first(
            self.text(value, "name") if isinstance(value, dict) else values.text(value)
            for value in self.each(node, key)
        )

    def first(self, node: Node, key: str) -> Any:
        """A property's first value, or None."""
        return next(self.each(node, key), None)

    def url(self, node: Node, *keys: str) -> str | None:
        """The first usable link among properties, given as such or as a thing's ``@id``."""
        named = (value for key in keys for value in self.each(node, key))
        return values.first(
            self.page.resolve(self.first(value, "@id") if isinstance(value, dict) else value)
            for value in named
        )

    def id(self, node: Node) -> str | None:
        """A product's id: its own number before others', and the address that names it at last."""
        keys = ("productGroupID", *_IDS) if "ProductGroup" in types(node) else _IDS
        number = values.first(values.identifier(value) for key in keys for value in self.each(node, key))
        if number is not None:
            return _ID_SCHEME.sub("", number, count=1)
        named = node.get("@id")
        if not isinstance(named, str) or named.startswith(("#", "_:")):
            return None
        link = self.page.resolve(named)
        return values.identifier(named if link is None else _ORIGIN.sub("", link, count=1))

    def group(self, node: Node) -> str | None:
        """The id of the product that a variant belongs to."""
        of = (
            self.id(value) if isinstance(value, dict) else values.identifier(value)
            for value in self.each(node, "isVariantOf")
        )
        return values.first(of) or values.first(
            map(values.identifier, self.each(node, "inProductGroupWithID"))
        )
