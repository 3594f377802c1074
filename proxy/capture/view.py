"""What a page shows of a cart or an order: selected lines, schema.org's ``Order``, ``datacueConfig``."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from proxy.capture.model import MAX_LINES, MAX_QUANTITY, Deed, Line
from proxy.capture.rules import EMPTY, LINE, LINE_FIELDS
from proxy.capture.story import variant, whole
from proxy.events import timestamp
from proxy.facts import jsonld, microdata, values
from proxy.facts.address import PageAddress, clean
from proxy.facts.graph import Graph, Node, types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from proxy.capture.rules import ViewRule
    from proxy.models import Page, RawFacts

STATES: Final = frozenset({"completed", "cancelled"})
"""What ``order_status`` may be (guide, "Create Order")."""


def read_view(
    rule: ViewRule,
    fields: Mapping[str, str],
    facts: RawFacts,
    *,
    charset: str,
    page_of: Callable[[str], Page | None],
) -> Deed:
    """What a page that falls under a rule shows.

    Args:
        rule: which.
        fields: what its address says.
        facts: of the page.
        charset: of the page.
        page_of: the page that a link leads to, as far as ``[[pages]]`` tell.
    """
    found: dict[str, str] = {}
    lines: list[dict[str, str]] = []
    empty = False
    for entry in facts.selected.get(rule.name, ()):
        label, _, raw = entry.partition(b"\0")
        name = label.decode()
        if entry == LINE:
            if len(lines) == MAX_LINES:
                break
            lines.append({})
        elif entry == EMPTY:
            empty = True
        else:
            text = clean(values.unescape(raw, charset))
            into = lines[-1] if name in LINE_FIELDS and lines else found
            if text:
                into.setdefault(name, text)
    read = tuple(line for shown in lines if (line := _line(shown, page_of)) is not None)
    return Deed(rule.event, {**found, **fields}, read or (() if empty and not lines else None))


def _line(shown: Mapping[str, str], page_of: Callable[[str], Page | None]) -> Line | None:
    product_id, variant_id = shown.get("product_id"), shown.get("variant_id")
    if product_id is None and "link" in shown:
        page = page_of(shown["link"])
        if page is not None:
            product_id, variant_id = page.product_id, variant_id or page.variant_id
    quantity = _pieces(shown.get("quantity"))
    if not product_id or not quantity:
        return None
    price = values.written_price(shown["price"]) if "price" in shown else None
    if price is None and "total" in shown:
        total = values.written_price(shown["total"])
        price = None if total is None else round(total / quantity, 4)
    written = shown.get("currency") or shown.get("price") or shown.get("total")
    currency = values.currency(written) if written else None
    return Line(product_id, variant(variant_id), quantity, price, currency)


def _pieces(text: str | None) -> int:
    if text is None:
        return 1
    read = whole(text)
    if read is None:
        written = values.written_price(text)  # "Qty: 2", "2 pieces"
        read = 0 if written is None else min(int(written), MAX_QUANTITY)
    return read


def said_order(
    facts: RawFacts, order: dict[str, Any] | None, *, charset: str, page: PageAddress
) -> Deed | None:
    """The order that a confirmation page speaks of by itself, without any rule.

    Args:
        facts: of the page.
        order: its ``datacueConfig.order_details``, with ``order_id``.
        charset: of the page.
        page: where it stands.
    """
    if order is not None:
        return _configured(order)
    nodes: list[Node] = [node for script in facts.json_ld for node in jsonld.nodes(script, charset=charset)]
    if not nodes:
        nodes = microdata.items(facts.microdata, charset=charset)
    graph = Graph(nodes, page)
    return next(
        (deed for node in graph.nodes if "Order" in types(node) and (deed := _order(graph, node))), None
    )


def _configured(order: dict[str, Any]) -> Deed | None:
    """``order_details`` of an installed plugin."""
    order_id = values.identifier(order.get("order_id"))
    if order_id is None:
        return None
    details: dict[str, Any] = {}
    if order.get("order_status") in STATES:
        details["order_status"] = order["order_status"]
    moment = _moment(order.get("timestamp"))
    if moment is not None:
        details["timestamp"] = moment
    items = [item for item in values.each(order.get("cart")) if isinstance(item, dict)][:MAX_LINES]
    lines = tuple(line for item in items if (line := _item(item)) is not None)
    return Deed("order", {"order_id": order_id}, lines or None, details)


def _item(item: dict[str, Any]) -> Line | None:
    product_id = values.identifier(item.get("product_id"))
    quantity = whole(str(item.get("quantity") or 1))
    if product_id is None or not quantity:
        return None
    price = values.price(item.get("unit_price", item.get("price")))
    variant_id = values.identifier(item.get("variant_id", item.get("variant")))
    return Line(product_id, variant(variant_id), quantity, price, values.currency(item.get("currency")))


def _moment(value: Any) -> str | None:
    """A time as plugins write it (``2018-04-04 23:29:04Z``, ``…-0300``), as the guide's events do."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return None if moment.tzinfo is None else timestamp(moment.timestamp())


def _order(graph: Graph, node: Node) -> Deed | None:
    """schema.org's ``Order``: its offers, or the items that were ordered."""
    order_id = values.first(map(values.identifier, graph.each(node, "orderNumber")))
    if order_id is None:
        return None
    parts = [*graph.inner(node, "acceptedOffer"), *graph.inner(node, "orderedItem")]
    lines = tuple(line for part in parts[:MAX_LINES] if (line := _part(graph, part)) is not None)
    return Deed("order", {"order_id": order_id}, lines or None)


def _part(graph: Graph, part: Node) -> Line | None:
    thing = next(_things(graph, part), part)
    product_id = values.first(map(values.identifier, graph.each(thing, "productID"))) or graph.id(thing)
    if product_id is None:
        return None
    sku = values.first(map(values.identifier, graph.each(thing, "sku")))
    group = graph.group(thing)
    amount = next(iter(graph.each(part, "orderQuantity")), None)
    for quantity in islice(graph.inner(part, "eligibleQuantity"), 1):
        amount = graph.first(quantity, "value")
    pieces = 1 if amount is None else whole(str(amount))
    if not pieces:
        return None
    priced = part if "price" in part else next(iter(graph.inner(thing, "offers")), part)
    return Line(
        group or product_id,
        variant(product_id if group else sku if sku != product_id else None),
        pieces,
        values.first(map(values.price, graph.each(priced, "price"))),
        values.first(map(values.currency, graph.each(priced, "priceCurrency"))),
    )


def _things(graph: Graph, part: Node) -> Iterator[Node]:
    """The product that an offer or an order's item is about."""
    for name in ("itemOffered", "orderedItem"):
        yield from graph.inner(part, name)
