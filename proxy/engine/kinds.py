"""The kinds of resource, so that one table serves single requests and all dialects of batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from proxy.engine.refusals import FieldRefused
from proxy.engine.wire import resources, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.engine.engine import Engine


class Put(Protocol):
    """Create or update: the document, and the ids that the URL gave."""

    def __call__(self, engine: Engine, document: Any, ids: tuple[str, ...], *, update: bool) -> None:
        """Raises `FieldRefused` for what can't be."""


class Resource(NamedTuple):
    """How one kind is written. ``ids`` are its id fields, the first being the one a 207 names."""

    ids: tuple[str, ...]
    put: Put
    drop: Callable[[Engine, tuple[str, ...]], bool]
    """Delete by ids; False if it wasn't there."""


def _put_product(engine: Engine, document: Any, ids: tuple[str, ...], *, update: bool) -> None:
    engine.resources.put_product(resources.read_product(document, *ids), update=update)


def _put_category(engine: Engine, document: Any, ids: tuple[str, ...], *, update: bool) -> None:
    engine.resources.put_category(resources.read_category(document, *ids), update=update)


def _put_banner(engine: Engine, document: Any, ids: tuple[str, ...], *, update: bool) -> None:
    engine.resources.put_banner(resources.read_banner(document, *ids, update=update), update=update)


def _put_user(engine: Engine, document: Any, ids: tuple[str, ...], *, update: bool) -> None:
    engine.resources.put_user(resources.read_user(document, *ids), update=update)


def _put_order(engine: Engine, document: Any, ids: tuple[str, ...], *, update: bool) -> None:
    engine.resources.put_order(resources.read_order(document, *ids, update=update))


def _drop_product(engine: Engine, ids: tuple[str, ...]) -> bool:
    return engine.resources.drop_product(*ids)


def _drop_category(engine: Engine, ids: tuple[str, ...]) -> bool:
    return engine.resources.drop_category(*ids)


def _drop_banner(engine: Engine, ids: tuple[str, ...]) -> bool:
    return engine.resources.drop_banner(*ids)


def _drop_user(engine: Engine, ids: tuple[str, ...]) -> bool:
    return engine.resources.drop_user(*ids)


def _drop_order(engine: Engine, ids: tuple[str, ...]) -> bool:
    return engine.resources.drop_order(*ids)


KINDS: Final[dict[str, Resource]] = {
    "products": Resource(("product_id", "variant_id"), _put_product, _drop_product),
    "categories": Resource(("category_id",), _put_category, _drop_category),
    "banners": Resource(("banner_id",), _put_banner, _drop_banner),
    "users": Resource(("user_id",), _put_user, _drop_user),
    "orders": Resource(("order_id",), _put_order, _drop_order),
}


def cancel_order(engine: Engine, ids: tuple[str, ...]) -> bool:
    """What the guide calls deleting an order: it stays, marked as cancelled."""
    known = engine.shop.records.order(ids[0]) is not None
    engine.resources.put_order(resources.Order(order_id=ids[0], status="cancelled"))
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
