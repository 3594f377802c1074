"""Posted forms, as shops read them: urlencoded, multipart, JSON.

Nothing here decides what a body means to the shop: what can't be read is no form, and no event.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from proxy.facts.address import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FIELDS: Final = 500
"""Fields of a form that are read: a cart of a hundred lines has some 300."""

MAX_DEPTH: Final = 4
"""Nesting of a JSON body that is followed."""

URLENCODED: Final = b"application/x-www-form-urlencoded"
MULTIPART: Final = b"multipart/form-data"
JSON: Final = b"application/json"
FORMS: Final = frozenset({URLENCODED, MULTIPART, JSON})

_BOUNDARY: Final = re.compile(rb';\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME: Final = re.compile(rb';\s*name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILE: Final = re.compile(rb";\s*filename\*?=", re.IGNORECASE)


def media_type(content_type: bytes) -> bytes:
    """A content type without its parameters."""
    return content_type.partition(b";")[0].strip().lower()


def read_form(content_type: bytes, body: bytes, *, whole: bool) -> dict[str, str]:
    """A form's fields, cleaned; of a field that is there twice the last counts, as it does for shops.

    Args:
        content_type: of the request.
        body: as it came, or its beginning.
        whole: whether it is all of it; of a beginning, only fields that are surely whole count.
    """
    match media_type(content_type):
        case b"application/x-www-form-urlencoded":
            return dict(_urlencoded(body, whole=whole))
        case b"multipart/form-data":
            return dict(_multipart(content_type, body))
        case b"application/json" if whole:
            return dict(_json(body))
        case _:
            return {}


def _urlencoded(body: bytes, *, whole: bool) -> Iterator[tuple[str, str]]:
    """WHATWG URL, 5.1."""
    pairs = body.split(b"&", MAX_FIELDS)
    for pair in pairs[: MAX_FIELDS if whole else min(MAX_FIELDS, len(pairs) - 1)]:
        name, _, value = pair.partition(b"=")
        if name:
            yield _text(name), clean(_text(value))


def _text(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8", "replace")


def _multipart(content_type: bytes, body: bytes) -> Iterator[tuple[str, str]]:
    """RFC 7578; files are left out, and so is a part without its end."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        return
    delimiter = b"\r\n--" + (found[1] or found[2])
    parts = (b"\r\n" + body).split(delimiter, MAX_FIELDS + 1)
    for part in parts[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        disposition = next(
            (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-disposition:")), b""
        )
        name = _NAME.search(disposition)
        if name is not None and not _FILE.search(disposition):
            key = name[1].replace(b"%22", b'"').replace(b'\\"', b'"').decode("utf-8", "replace")
            yield key, clean(content.decode("utf-8", "replace"))


def _json(body: bytes) -> Iterator[tuple[str, str]]:
    """An object's scalars, inner ones under dotted names: ``items.0.id``."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return
    left = MAX_FIELDS
    for name, value in _scalars(document, "", MAX_DEPTH):
        yield name, clean(value)
        left -= 1
        if not left:
            return


def _scalars(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list) and depth:
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in inner:
            yield from _scalars(each, f"{name}.{key}" if name else str(key), depth - 1)
    elif isinstance(value, bool):
        yield name, "true" if value else "false"
    elif isinstance(value, str | int | float):
        yield name, str(value)
