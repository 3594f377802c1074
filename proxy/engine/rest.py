"""The REST API (guide, "Products" to "Batch", and what later clients call): paths to actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from proxy.engine.batch import MAX_ITEMS, handle_batch
from proxy.engine.kinds import KINDS, named_kind
from proxy.engine.page import LIST_SIZE
from proxy.engine.refusals import FieldRefused, MethodRefused, Refused
from proxy.engine.wire import resources
from proxy.engine.wire.documents import decode
from proxy.engine.wire.events import read_event

if TYPE_CHECKING:
    from proxy.engine.engine import Engine

_COUNTED: Final = ("categories", "products", "orders", "users")
"""Kinds of the overview, in the vendor's order."""
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def handle(engine: Engine, method: str, path: str, body: bytes) -> tuple[int, Any]:
    """Carry out a signed request.

    Args:
        engine: the engine.
        method: the HTTP method.
        path: the path below ``/v1``, percent-encoded as it came.
        body: the raw body.

    Returns:
        The status, and the answer to encode; None for none.

    Raises:
        Refused: what was asked can't be done, and why.
    """
    segments = [unquote(segment) for segment in path.split("/") if segment]
    if not segments:
        raise Refused(404, "Nothing is at /v1 itself: see /docs")
    name, ids = segments[0], segments[1:]
    if name == "overview":
        _only(method, "GET")
        return 200, _overview(engine, ids)
    if name == "clients":
        return _clients(engine, method, ids)
    if name == "learn":
        _only(method, "POST")
        return _learn(engine, decode(body))
    if name == "explain":
        _only(method, "POST")
        return 200, engine.events.explain(read_event(decode(body)), size=LIST_SIZE)
    if name == "batch":
        return _batch(engine, method, ids, body)
    if name in KINDS:
        return _single(engine, method, name, ids, body)
    raise Refused(404, f"Nothing is at /v1{path}: see /docs")


def _single(engine: Engine, method: str, name: str, ids: list[str], body: bytes) -> tuple[int, Any]:
    kind = KINDS[name]
    if not ids:
        _only(method, "POST")
        document = decode(body)
        with engine.writing():
            kind.put(engine, document, (), update=False)
        return 201, None
    _only(method, "PUT", "PATCH", "DELETE")
    if name == "orders" and method == "PATCH" and ids[-1] == "status" and len(ids) > 1:
        ids = ids[:-1]  # PATCH /orders/<id>/status, as the vendor's PHP library has it
    key = _key(name, ids, variant=method != "DELETE")
    if method == "DELETE":
        with engine.writing():
            kind.drop(engine, key)  # what isn't there is gone already: a repeated request succeeds
        return 204, None
    document = decode(body)
    with engine.writing():
        kind.put(engine, document, key, update=True)
    return 204, None


def _key(name: str, ids: list[str], *, variant: bool) -> tuple[str, ...]:
    """Ids from the path; clients don't encode them, so that an id may hold slashes."""
    if name != "products":
        return ("/".join(ids),)
    if len(ids) == 1:
        return (ids[0], resources.NO_VARIANTS) if variant else (ids[0],)
    return "/".join(ids[:-1]), ids[-1]


def _batch(engine: Engine, method: str, ids: list[str], body: bytes) -> tuple[int, Any]:
    kind = named_kind(ids[0]) if ids else None
    if kind is not None and ids[1:] == ["all"]:
        _only(method, "DELETE")
        with engine.writing():
            engine.resources.drop_all(kind)
        return 204, None
    if ids[1:]:
        raise Refused(404, "A batch is at /v1/batch or /v1/batch/<type>")
    _only(method, *_WRITES)
    document = decode(body)
    with engine.writing():
        return 207, handle_batch(engine, method, kind, document)


def _overview(engine: Engine, ids: list[str]) -> Any:
    if not ids:
        found: dict[str, Any] = {kind: len(engine.resources.ids(kind)) for kind in _COUNTED}
        found["products"] = {"products": found["products"], "variants": engine.resources.variants()}
        return found
    if len(ids) > 1 or ids[0] not in KINDS:
        raise Refused(404, "An overview is of " + ", ".join(KINDS))
    listed = engine.resources.ids(ids[0])
    return {"ids": listed or None, "count": len(listed)}


def _clients(engine: Engine, method: str, ids: list[str]) -> tuple[int, Any]:
    if ids == ["sync"]:
        _only(method, "GET")
        # What the engine has nothing of, a shop's plugin is asked to send in full.
        return 200, {kind: None if engine.resources.ids(kind) else "full" for kind in _COUNTED}
    if ids:
        raise Refused(404, "Only /v1/clients and /v1/clients/sync are here")
    _only(method, "DELETE")
    with engine.writing():
        engine.resources.wipe()
    return 204, None


def _learn(engine: Engine, document: object) -> tuple[int, Any]:
    """What pages say of products: our own extension, for the proxy."""
    products = document.get("products") if isinstance(document, dict) else document
    if not isinstance(products, list):
        raise FieldRefused("products", products, "an array of products")
    if len(products) > MAX_ITEMS:
        raise Refused(413, f"At most {MAX_ITEMS} products in one request, got {len(products)}")
    refusals: list[dict[str, Any]] = []
    with engine.writing():
        for index, product in enumerate(products):
            try:
                engine.resources.learn_product(resources.read_product(product))
            except FieldRefused as refused:
                refusals.append({"index": index, "status": "error", **refused.as_json()})
    return (207, {"status": refusals}) if refusals else (204, None)


def _only(method: str, *allowed: str) -> None:
    if method not in allowed:
        raise MethodRefused(*allowed)
