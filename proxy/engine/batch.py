"""Batches in the three dialects that clients speak.

1. The guide's: ``/v1/batch`` with ``{"type": …, "batch": […]}``.
2. 2019-02: ``/v1/batch/<type>`` with ``{"batch": […]}``.
3. 2019-10 on: ``/v1/batch/<type>`` with a bare array; orders are deleted by bare ids.

Each is answered 207 with a status per item, in order; the good items of a half-bad batch are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from proxy.engine.kinds import KINDS, Resource, cancel_order, ids_of, named_kind
from proxy.engine.refusals import FieldRefused, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.engine.engine import Engine

MAX_ITEMS: Final = 500
"""Items of a batch (guide, "Batch")."""


def handle_batch(engine: Engine, method: str, kind: str | None, document: object) -> dict[str, Any]:
    """Carry out a batch inside one transaction.

    Args:
        engine: the engine, already writing.
        method: POST creates, PUT and PATCH update, DELETE deletes.
        kind: the kind that the URL names, if any.
        document: the decoded body.

    Returns:
        The 207's body.
    """
    items, wrapped = _items(document)
    if kind is None:
        kind = named_kind(document.get("type") if isinstance(document, dict) else None)
    if len(items) > MAX_ITEMS:
        raise Refused(413, f"At most {MAX_ITEMS} items in one batch, got {len(items)}")
    resource = KINDS[kind]
    if method == "DELETE":
        # The guide's DELETE of orders cancels them; only the bare ids of the latest dialect delete.
        drop = cancel_order if kind == "orders" and wrapped else resource.drop
        return {"status": [_deleted(engine, resource, drop, item) for item in items]}
    update = method != "POST"
    return {"status": [_written(engine, resource, item, update=update) for item in items]}


def _items(document: object) -> tuple[list[Any], bool]:
    if isinstance(document, list):
        return document, False
    if isinstance(document, dict) and isinstance(document.get("batch"), list):
        return document["batch"], True
    batch = document.get("batch") if isinstance(document, dict) else document
    raise FieldRefused("batch", batch, "an array of items")


def _written(engine: Engine, resource: Resource, item: object, *, update: bool) -> dict[str, Any]:
    name = _name(resource, item)
    if item is None:
        return {**name, "status": "OK"}  # clients' queues leave gaps; there is nothing to do
    try:
        resource.put(engine, item, (), update=update)
    except FieldRefused as refused:
        return {**name, "status": "error", **refused.as_json()}
    return {**name, "status": "OK"}


def _deleted(
    engine: Engine,
    resource: Resource,
    drop: Callable[[Engine, tuple[str, ...]], bool],
    item: object,
) -> dict[str, Any]:
    name = _name(resource, item)
    if item is None:
        return {**name, "status": "OK"}
    try:
        found = drop(engine, ids_of(resource, item))
    except FieldRefused as refused:
        return {**name, "status": "error", **refused.as_json()}
    if found:
        return {**name, "status": "OK"}
    noun = resource.ids[0].removesuffix("_id").capitalize()
    return {**name, "status": "error", "error": f"{noun} not found"}


def _name(resource: Resource, item: object) -> dict[str, Any]:
    """The ids of an item as they were sent."""
    first = resource.ids[0]
    if not isinstance(item, dict):
        return {first: item if isinstance(item, str | int) else None}
    return {first: item.get(first), **{name: item[name] for name in resource.ids[1:] if name in item}}
