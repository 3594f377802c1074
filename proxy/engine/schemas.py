"""What travels, as JSON schemas for the API's description (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

ID: Final[Schema] = {"type": ["string", "integer"], "description": "An id, as text or integer."}
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


def ref(name: str) -> Schema:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(of: Schema) -> Schema:
    """An array of one schema."""
    return {"type": "array", "items": of}


def fields(properties: Schema, *required: str) -> Schema:
    """An object, and which of its fields must be there."""
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


_CATEGORIES: Final[Schema] = {f"category_{level}": _TEXT for level in (1, 2, 3, 4)}
_LINE: Final = fields(
    {"product_id": ID, "variant_id": ID, "quantity": _NUMBER, "unit_price": _NUMBER, "currency": _TEXT},
    "product_id",
)
_CARD: Final = fields(
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
_BANNER_CARD: Final = fields(
    {"banner_id": {"type": "string"}, "name": {"type": "string"}, "link": _TEXT, "photo_url": _TEXT},
    "banner_id",
)

SCHEMAS: Final[Schema] = {
    "Event": fields(
        {
            "user": fields(
                {
                    "user_id": {"type": ["string", "integer", "null"]},
                    "anonymous_id": {"type": ["string", "null"]},
                    "profile": _OBJECT,
                },
            ),
            "event": fields(
                {
                    "type": {
                        "enum": ["pageview", "cart", "search", "wishlist", "click", "checkout", "login"],
                    },
                    "subtype": {"type": "string"},
                    "product_id": ID,
                    "variant_id": ID,
                    "category_name": {"type": "string"},
                    "term": {"type": "string"},
                    "banner_id": ID,
                    "cart": array(_LINE),
                },
                "type",
            ),
            "context": fields({"ip": {"type": "string"}, "user_agent": {"type": "string"}}),
            "timestamp": _TIME,
        },
        "user",
        "event",
    ),
    "Lists": fields(
        {
            "main_banners": array(_BANNER_CARD),
            "sub_banners": array(_BANNER_CARD),
            "related_product_skus": {"anyOf": [array(_CARD), {"type": "null"}]},
            "similar_product_skus": array(_CARD),
            "recent_product_skus": array(_CARD),
            "top_product_skus": array(_CARD),
            "category_product_skus": array(
                fields(
                    {"name": {"type": "string"}, "link": _TEXT, "products": array(_CARD)}, "name", "products"
                ),
            ),
        },
        "recent_product_skus",
    ),
    "Product": fields(
        {
            "product_id": ID,
            "variant_id": ID,
            **_CATEGORIES,
            "category_extra": _OBJECT,
            "main_category": _TEXT,
            "categories": array({"type": "string"}),
            "category_ids": array(ID),
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
    "Category": fields({"category_id": ID, "name": _TEXT, "link": _TEXT}, "category_id"),
    "Banner": fields(
        {
            "banner_id": ID,
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
    "User": fields(
        {
            "user_id": ID,
            "anonymous_id": _TEXT,
            "email": _TEXT,
            "title": _TEXT,
            "first_name": _TEXT,
            "last_name": _TEXT,
            "profile": _OBJECT,
            "email_subscriber": {"type": ["boolean", "null"]},
            "cart": array(_LINE),
            "timestamp": _TIME,
        },
        "user_id",
    ),
    "Order": fields(
        {
            "order_id": ID,
            "user_id": ID,
            "order_status": {"enum": ["completed", "cancelled"]},
            "cart": array(_LINE),
            "timestamp": _TIME,
        },
        "order_id",
    ),
    "Refusal": fields(
        {
            "error": {"type": "string"},
            "field": {"type": "string"},
            "value": {},
            "expected": {"type": "string"},
        },
        "error",
    ),
    "States": fields(
        {
            "status": array(
                fields({"status": {"enum": ["OK", "error"]}, "error": {"type": "string"}}, "status"),
            ),
        },
        "status",
    ),
}
