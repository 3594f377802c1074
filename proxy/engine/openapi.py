"""The API's description (OpenAPI 3.1), served at ``/openapi.json`` and rendered at ``/docs``."""

from __future__ import annotations

from typing import Any, Final

from proxy.engine.batch import MAX_ITEMS
from proxy.engine.kinds import KINDS
from proxy.engine.page import LIST_SIZE, MAX_LIST_SIZE

Schema = dict[str, Any]

_ID: Final[Schema] = {"type": ["string", "integer"], "description": "An id, as text or integer."}
_TEXT: Final[Schema] = {"type": ["string", "null"]}
_NUMBER: Final[Schema] = {
    "type": ["number", "string", "null"],
    "description": "A number, or text that reads as one.",
}
_OBJECT: Final[Schema] = {"type": ["object", "null"]}
_TIME: Final[Schema] = {
    "type": ["string", "null"],
    "description": "ISO 8601, such as 2018-01-23T00:30:08.276Z.",
}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _array(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _object(properties: Schema, *required: str) -> Schema:
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


_CATEGORIES: Final[Schema] = {f"category_{level}": _TEXT for level in (1, 2, 3, 4)}
_LINE: Final = _object(
    {"product_id": _ID, "variant_id": _ID, "quantity": _NUMBER, "unit_price": _NUMBER, "currency": _TEXT},
    "product_id",
)
_CARD: Final = _object(
    {
        "product_id": {"type": "string"},
        "name": _TEXT,
        "link": _TEXT,
        "photo_url": _TEXT,
        "price": {
            "type": ["number", "string", "null"],
            "description": "A text with two decimals in recent lists.",
        },
        "category_1": _TEXT,
        "variant_id": _TEXT,
        "extra": _OBJECT,
    },
    "product_id",
)
_BANNER_CARD: Final = _object(
    {"banner_id": {"type": "string"}, "name": {"type": "string"}, "link": _TEXT, "photo_url": _TEXT},
    "banner_id",
)

SCHEMAS: Final[Schema] = {
    "Event": _object(
        {
            "user": _object(
                {
                    "user_id": {"type": ["string", "integer", "null"]},
                    "anonymous_id": {"type": ["string", "null"]},
                    "profile": _OBJECT,
                },
            ),
            "event": _object(
                {
                    "type": {
                        "enum": ["pageview", "cart", "search", "wishlist", "click", "checkout", "login"],
                    },
                    "subtype": {"type": "string"},
                    "product_id": _ID,
                    "variant_id": _ID,
                    "category_name": {"type": "string"},
                    "term": {"type": "string"},
                    "banner_id": _ID,
                    "cart": _array(_LINE),
                },
                "type",
            ),
            "context": _object({"ip": {"type": "string"}, "user_agent": {"type": "string"}}),
            "timestamp": _TIME,
        },
        "user",
        "event",
    ),
    "Lists": _object(
        {
            "main_banners": _array(_BANNER_CARD),
            "sub_banners": _array(_BANNER_CARD),
            "related_product_skus": {"anyOf": [_array(_CARD), {"type": "null"}]},
            "similar_product_skus": _array(_CARD),
            "recent_product_skus": _array(_CARD),
            "top_product_skus": _array(_CARD),
            "category_product_skus": _array(
                _object(
                    {"name": {"type": "string"}, "link": _TEXT, "products": _array(_CARD)}, "name", "products"
                ),
            ),
        },
        "recent_product_skus",
    ),
    "Product": _object(
        {
            "product_id": _ID,
            "variant_id": _ID,
            **_CATEGORIES,
            "category_extra": _OBJECT,
            "main_category": _TEXT,
            "categories": _array({"type": "string"}),
            "category_ids": _array(_ID),
            "name": _TEXT,
            "brand": _TEXT,
            "description": _TEXT,
            "color": _TEXT,
            "size": _TEXT,
            "price": _NUMBER,
            "full_price": _NUMBER,
            "rating": _NUMBER,
            "available": {"type": ["boolean", "null"]},
            "stock": _NUMBER,
            "extra": _OBJECT,
            "photo_url": _TEXT,
            "link": _TEXT,
            "owner_id": _TEXT,
        },
        "product_id",
    ),
    "Category": _object({"category_id": _ID, "name": _TEXT, "link": _TEXT}, "category_id"),
    "Banner": _object(
        {
            "banner_id": _ID,
            "type": {"enum": ["main", "sub"]},
            "name": _TEXT,
            **_CATEGORIES,
            "photo_url": {"type": "string", "minLength": 1},
            "link": {"type": "string", "minLength": 1},
            "extra": _OBJECT,
        },
        "banner_id",
        "type",
        "photo_url",
        "link",
    ),
    "User": _object(
        {
            "user_id": _ID,
            "anonymous_id": _TEXT,
            "email": _TEXT,
            "title": _TEXT,
            "first_name": _TEXT,
            "last_name": _TEXT,
            "profile": _OBJECT,
            "email_subscriber": {"type": ["boolean", "null"]},
            "cart": _array(_LINE),
            "timestamp": _TIME,
        },
        "user_id",
    ),
    "Order": _object(
        {
            "order_id": _ID,
            "user_id": _ID,
            "order_status": {"enum": ["completed", "cancelled"]},
            "cart": _array(_LINE),
            "timestamp": _TIME,
        },
        "order_id",
    ),
    "Refusal": _object(
        {
            "error": {"type": "string"},
            "field": {"type": "string"},
            "value": {},
            "expected": {"type": "string"},
        },
        "error",
    ),
    "States": _object(
        {
            "status": _array(
                _object({"status": {"enum": ["OK", "error"]}, "error": {"type": "string"}}, "status"),
            ),
        },
        "status",
    ),
}

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
            **{code: _answer(text, _ref("Refusal")) for code, text in refusals.items()},
        },
    }


def _events() -> Schema:
    operation = _operation(
        "Record one event, or several in an array, and get the page's lists",
        {"anyOf": [_ref("Event"), {**_array(_ref("Event")), "maxItems": MAX_ITEMS}]},
        {
            "200": _answer(
                "The lists", {"anyOf": [_ref("Lists"), _array({"anyOf": [_ref("Lists"), {"type": "null"}]})]}
            ),
            "204": _answer("Recorded; there are no lists for it"),
            "207": _answer("Some events of the array were refused", _ref("States")),
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
        word = noun.lower()
        paths[f"/v1/{kind}"] = {
            "post": _operation(f"Create or replace a {word}", _ref(noun), {"201": _answer("Done")}),
        }
        where = f"/v1/{kind}/" + "/".join(f"{{{name}}}" for name in ids)
        changes = {key: value for key, value in SCHEMAS[noun].items() if key != "required"}
        paths[where] = {
            "put": _operation(f"Update a {word}", changes, {"204": _answer("Done")}, _path_ids(*ids)),
            "delete": _operation(f"Delete a {word}", None, {"204": _answer("Done")}, _path_ids(*ids)),
        }
    paths["/v1/products/{product_id}"] = {
        "delete": _operation(
            "Delete a product with all variants", None, {"204": _answer("Done")}, _path_ids("product_id")
        ),
    }
    return paths


def _batches() -> Schema:
    states = {"207": _answer("A status per item", _ref("States"))}
    paths: Schema = {}
    wrapped = _object(
        {"type": {"enum": list(KINDS)}, "batch": {"type": "array", "maxItems": MAX_ITEMS}}, "type", "batch"
    )
    paths["/v1/batch"] = {
        method: _operation(f"{verb} many", wrapped, states)
        for method, verb in (("post", "Create"), ("put", "Update"), ("delete", "Delete"))
    }
    for kind, noun in _NOUNS.items():
        changes = {key: value for key, value in SCHEMAS[noun].items() if key != "required"}
        either = {"anyOf": [_array(changes), _object({"batch": _array(changes)}, "batch")]}
        paths[f"/v1/batch/{kind}"] = {
            "post": _operation(f"Create many {kind}", either, states),
            "put": _operation(f"Update many {kind}", either, states),
            "delete": _operation(
                f"Delete many {kind}",
                {"anyOf": [_array(_ID), _object({"batch": {"type": "array"}}, "batch")]},
                states,
            ),
        }
        paths[f"/v1/batch/{kind}/all"] = {
            "delete": _operation(f"Delete all {kind}", None, {"204": _answer("Done")}),
        }
    return paths


def _others() -> Schema:
    counts = {kind: {"type": "integer"} for kind in ("categories", "orders", "users")}
    variants = _object({"products": {"type": "integer"}, "variants": {"type": "integer"}})
    overview = _object({**counts, "products": variants})
    listed = _object(
        {"ids": {"anyOf": [_array({"type": "string"}), {"type": "null"}]}, "count": {"type": "integer"}},
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
                _object({"products": _array(_ref("Product"))}, "products"),
                {"204": _answer("Learned"), "207": _answer("Some were refused", _ref("States"))},
            ),
        },
        "/v1/explain": {
            "post": _operation(
                "Why each item of an event's answer would be there; nothing is recorded",
                _ref("Event"),
                {"200": _answer("Method, support and score by list", {"type": "object"})},
            ),
        },
    }
    for kind in _NOUNS:
        paths[f"/v1/overview/{kind}"] = {
            "get": _operation(f"The ids of all {kind}", None, {"200": _answer("Ids", listed)}),
        }
    return paths
