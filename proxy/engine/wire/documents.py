"""Request bodies: JSON, or a refusal that says where it isn't."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from proxy.engine.refusals import SHOWN_VALUE, FieldRefused

_BOM: Final = b"\xef\xbb\xbf"
_decode: Final = msgspec.json.Decoder().decode


def decode(body: bytes) -> Any:
    """The document in a body; a byte order mark is passed over.

    Raises:
        FieldRefused: the body is not JSON in UTF-8.
    """
    try:
        return _decode(body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        shown = body[:SHOWN_VALUE].decode(errors="replace")
        raise FieldRefused("body", shown, f"JSON ({failure})") from None
