"""The API's description (OpenAPI 3.1), served at ``/openapi.json`` and rendered at ``/docs``."""

from __future__ import annotations

from typing import Final

from proxy.engine.batch import MAX_ITEMS
from proxy.engine.kinds import KINDS
from proxy.engine.page import LIST_SIZE, MAX_LIST_SIZE
from proxy.engine.schemas import ID, SCHEMAS, Schema, array, fields, ref

_NOUNS: Final = {
    "products": "Product", "categories": "Category", "banners": "Banner", "users": "User", "orders": "Order",
}  # fmt: skip


def description() -> Schema:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "DataCue-compatible engine",
            "version": "1",
            "description": (
                "Events at /, the REST API below /v1. Values are read liberally: numbers as text, ids as "
                "integers, empty objects as []. A refusal names the field, the value and what was expected."
            ),
        },
        "paths": {
            "/": {"post": _events()},
            "/healthz": {
                "get": {
                    "summary": "Whether the engine answers",
                    "security": [],
                    "responses": {"200": _answer("It does", {"type": "string"}, "text/plain")},
                }
            },
            **_singles(),
            **_batches(),
            **_others(),
        },
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The API key, with an empty password.",
                },
                "signature": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The API key, and as password the hex HMAC-SHA256 of the raw body.",
                },
            },
        },
        "security": [{"signature": []}],
    }


def _answer(text: str, schema: Schema | None = None, media: str = "application/json") -> Schema:
    return {"description": text, **({"content": {media: {"schema": schema}}} if schema else {})}


def _operation(
    summary: str, body: Schema | None, responses: Schema, parameters: list[Schema] | None = None
) -> Schema:
    refusals = {
        "400": "A field that is missing or can't be meant",
        "401": "Key or signature is wrong",
        "404": "Nothing is there",
        "405": "Another method is meant",
        "413": f"More than {MAX_ITEMS} items or 5 MiB",
        "503": "The store can't be written: try again later",
    }
    return {
        "summary": summary,
        **({"parameters": parameters} if parameters else {}),
        **(
            {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}}
            if body
            else {}
        ),
        "responses": {
            **responses,
            **{code: _answer(text, ref("Refusal")) for code, text in refusals.items()},
        },
    }


def _events() -> Schema:
    operation = _operation(
        "Record one event, or several in an array, and get the page's lists",
        {"anyOf": [ref("Event"), {**array(ref("Event")), "maxItems": MAX_ITEMS}]},
        {
            "200": _answer(
                "The lists", {"anyOf": [ref("Lists"), array({"anyOf": [ref("Lists"), {"type": "null"}]})]}
            ),
            "204": _answer("Recorded; there are no lists for it"),
            "207": _answer("Some events of the array were refused", ref("States")),
        },
        [
            {
                "name": "limit",
                "in": "query",
                "description": f"Products per list; {LIST_SIZE} unless told.",
                "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIST_SIZE},
            },
            {
                "name": "Prefer",
                "in": "header",
                "description": "return=representation (RFC 7240) asks for lists with every page's event.",
                "schema": {"type": "string"},
            },
        ],
    )
    operation["security"] = [{"key": []}]
    return operation


def _path_ids(*names: str) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in names
    ]


def _singles() -> Schema:
    paths: Schema = {}
    for kind, noun in _NOUNS.items():
        ids = KINDS[kind].ids
        word = ("an " if noun[0] in "AEIOU" else "a ") + noun.lower()
        paths[f"/v1/{kind}"] = {
            "post": _operation(f"Create or replace {word}", ref(noun), {"201": _answer("Done")}),
        }
        where = f"/v1/{kind}/" + "/".join(f"{{{name}}}" for name in ids)
        changes = {key: value for key, value in SCHEMAS[noun].items() if key != "required"}
        paths[where] = {
            "put": _operation(f"Update {word}", changes, {"204": _answer("Done")}, _path_ids(*ids)),
            "delete": _operation(f"Delete {word}", None, {"204": _answer("Done")}, _path_ids(*ids)),
        }
    paths["/v1/products/{product_id}"] = {
        "delete": _operation(
            "Delete a product with all variants", None, {"204": _answer("Done")}, _path_ids("product_id")
        ),
    }
    return paths


def _batches() -> Schema:
    states = {"207": _answer("A status per item", ref("States"))}
    paths: Schema = {}
    wrapped = fields(
        {"type": {"enum": list(KINDS)}, "batch": {"type": "array", "maxItems": MAX_ITEMS}}, "type", "batch"
    )
    paths["/v1/batch"] = {
        method: _operation(f"{verb} many", wrapped, states)
        for method, verb in (("post", "Create"), ("put", "Update"), ("delete", "Delete"))
    }
    for kind, noun in _NOUNS.items():
        changes = {key: value for key, value in SCHEMAS[noun].items() if key != "required"}
        either = {"anyOf": [array(changes), fields({"batch": array(changes)}, "batch")]}
        paths[f"/v1/batch/{kind}"] = {
            "post": _operation(f"Create many {kind}", either, states),
            "put": _operation(f"Update many {kind}", either, states),
            "delete": _operation(
                f"Delete many {kind}",
                {"anyOf": [array(ID), fields({"batch": {"type": "array"}}, "batch")]},
                states,
            ),
        }
        paths[f"/v1/batch/{kind}/all"] = {
            "delete": _operation(f"Delete all {kind}", None, {"204": _answer("Done")}),
        }
    return paths


def _others() -> Schema:
    counts = {kind: {"type": "integer"} for kind in ("categories", "orders", "users")}
    variants = fields({"products": {"type": "integer"}, "variants": {"type": "integer"}})
    overview = fields({**counts, "products": variants})
    listed = fields(
        {"ids": {"anyOf": [array({"type": "string"}), {"type": "null"}]}, "count": {"type": "integer"}},
        "ids",
        "count",
    )
    paths: Schema = {
        "/v1/overview": {"get": _operation("What is stored", None, {"200": _answer("Counts", overview)})},
        "/v1/clients/sync": {
            "get": _operation(
                "What a shop's plugin should send again",
                None,
                {"200": _answer("null or full by kind", {"type": "object"})},
            ),
        },
        "/v1/clients": {"delete": _operation("Forget everything", None, {"204": _answer("Done")})},
        "/v1/learn": {
            "post": _operation(
                "What pages say of products; told values win",
                fields({"products": array(ref("Product"))}, "products"),
                {"204": _answer("Learned"), "207": _answer("Some were refused", ref("States"))},
            ),
        },
        "/v1/explain": {
            "post": _operation(
                "Why each item of an event's answer would be there; nothing is recorded",
                ref("Event"),
                {"200": _answer("Method, support and score by list", {"type": "object"})},
            ),
        },
    }
    for kind in _NOUNS:
        paths[f"/v1/overview/{kind}"] = {
            "get": _operation(f"The ids of all {kind}", None, {"200": _answer("Ids", listed)}),
        }
    return paths
