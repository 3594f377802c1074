"""The REST API: one table of resources, whatever the dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import msgspec

from proxy.engine.refusals import FieldRefused, Refused
from proxy.engine.wire import resources

if TYPE_CHECKING:
    from proxy.engine.engine import Engine

_decode: Final = msgspec.json.Decoder().decode


def handle(engine: Engine, method: str, path: str, body: bytes) -> tuple[int, Any]:
    """Carry out a signed request; its status and the answer, None for none."""
    segments = [unquote(segment) for segment in path.strip("/").split("/")]
    match method, segments:
        case "POST", ["learn"]:
            document = _json(body)
            products = document.get("products") if isinstance(document, dict) else document
            if not isinstance(products, list):
                raise FieldRefused("products", products, "an array of products")
            for product in products:
                engine.learn_product(resources.read_product(product))
            return 204, None
        case "POST", ["products"]:
            engine.put_product(resources.read_product(_json(body)), update=False)
            return 201, None
        case "POST", ["banners"]:
            engine.put_banner(resources.read_banner(_json(body)))
            return 201, None
        case "POST", ["orders"]:
            engine.put_order(resources.read_order(_json(body)))
            return 201, None
        case _:
            raise Refused(404, f"Nothing is at /v1{path}")


def _json(body: bytes) -> Any:
    try:
        return _decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise FieldRefused("body", body[:80].decode(errors="replace"), f"JSON ({failure})") from None
