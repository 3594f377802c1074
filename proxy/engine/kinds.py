"""The kinds of resource, so that one table serves single requests and all dialects of batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from proxy.engine.refusals import FieldRefused
from proxy.engine.wire import resources, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.engine.engine import Engine


class Resource(NamedTuple):
    """How one kind is written. ``ids`` are its id fields, the first being the one a 207 names."""

    ids: tuple[str, ...]
    put: Callable[[Engine, Any, tuple[str, ...], bool], None]
    """Create or update: engine, document, ids from the URL, whether it is an update."""
    drop: Callable[[Engine, tuple[str, ...]], bool]
    """Delete by ids; False if it wasn't there."""


def _put_product(engine: Engine, document: Any, ids: tuple[str, ...], update: bool) -> None:  # noqa: FBT001  # a table's column
    engine.put_product(resources.read_product(document, *ids), update=update)


def _put_category(engine: Engine, document: Any, ids: tuple[str, ...], update: bool) -> None:  # noqa: FBT001  # a table's column
    engine.put_category(resources.read_category(document, *ids), update=update)


def _put_banner(engine: Engine, document: Any, ids: tuple[str, ...], update: bool) -> None:  # noqa: FBT001  # a table's column
    engine.put_banner(resources.read_banner(document, *ids, update=update), update=update)


def _put_user(engine: Engine, document: Any, ids: tuple[str, ...], update: bool) -> None:  # noqa: FBT001  # a table's column
    engine.put_user(resources.read_user(document, *ids), update=update)


def _put_order(engine: Engine, document: Any, ids: tuple[str, ...], update: bool) -> None:  # noqa: FBT001  # a table's column
    engine.put_order(resources.read_order(document, *ids, update=update))


KINDS: Final[dict[str, Resource]] = {
    "products": Resource(
        ("product_id", "variant_id"), _put_product, lambda engine, ids: engine.drop_product(*ids)
    ),
    "categories": Resource(("category_id",), _put_category, lambda engine, ids: engine.drop_category(*ids)),
    "banners": Resource(("banner_id",), _put_banner, lambda engine, ids: engine.drop_banner(*ids)),
    "users": Resource(("user_id",), _put_user, lambda engine, ids: engine.drop_user(*ids)),
    "orders": Resource(("order_id",), _put_order, lambda engine, ids: engine.drop_order(*ids)),
}


def cancel_order(engine: Engine, ids: tuple[str, ...]) -> bool:
    """What the guide calls deleting an order: it stays, marked as cancelled."""
    known = engine.records.order(ids[0]) is not None
    engine.put_order(resources.Order(order_id=ids[0], status="cancelled"))
    return known


def ids_of(kind: Resource, item: object) -> tuple[str, ...]:
    """The ids of a batch item: an object with id fields, or a bare id."""
    if not isinstance(item, dict):
        item = {kind.ids[0]: item}
    found = [values.required_ident(item, kind.ids[0])]
    for name in kind.ids[1:]:
        more = values.ident(item, name)
        if more is not None:
            found.append(more)
    return tuple(found)


def named_kind(name: object) -> str:
    """A batch's type; singular or plural, as people write it."""
    word = str(name).strip().lower() if isinstance(name, str) else ""
    for kind in KINDS:
        if word in {kind, kind.removesuffix("s"), kind.removesuffix("ies") + "y"}:
            return kind
    raise FieldRefused("type", name, "one of " + ", ".join(KINDS))
