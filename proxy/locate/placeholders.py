"""The vendor's own placeholders: what a tag, an include or a shortcode asks for.

Source: vendor guide ("Insert banners", "Insert products"), its later dialects and its WooCommerce plugin.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from proxy.locate.markup import text
from proxy.models import LIST_NAMES, WIDGETS, Slot, Widget

if TYPE_CHECKING:
    from collections.abc import Mapping

NEEDLES = (
    b"data-dc-banners",
    b"data-dc-main-insert-banner",
    b"data-dc-sub-insert-banner",
    b"data-dc-products",
    b"data-dc-product-carousels",
    b"datacue-recommendations-anchor",
)
"""Lower-case bytes, one of which each placeholder's tag holds."""

OPENINGS = (b"[datacue-", b"<esi:include", b"<!--#include")
"""How includes and shortcodes begin. They are replaced whole: nothing of them may leave before it is told."""

MAX_SHORTCODE = 512
"""Bytes of a shortcode: a name and a few attributes."""

MAX_BANNER = 99
"""Places of a custom banner layout; the vendor's editor offers a dozen."""

SHORTCODE = re.compile(rb"\[datacue-(banners|products)(?=[\s\]])([^\[\]<>]*)\]", re.IGNORECASE)
SHORTCODE_BEGUN = re.compile(rb"\[datacue-[^\[\]<>]*\Z")

_VENDOR_SCRIPT = re.compile(
    rb"\s*(?:https?:)?//cdn\.datacue\.co/js/datacue(?:-storefront)?\.js\s*(?:[?#].*)?",
    re.IGNORECASE | re.DOTALL,
)

_WORDS = re.compile(rb"(?:([\w-]+)\s*=\s*)?(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'=]+))")
_SSI = re.compile(rb"<!--#include\s+virtual\s*=\s*(?:\"([^\"]*)\"|'([^']*)')\s*-->", re.IGNORECASE)


def placeholder(found: Mapping[bytes, bytes]) -> Slot | None:
    """The slot that an element with these attributes holds."""
    if b"data-dc-banners" in found:
        return Slot(
            "banners",
            static_img=_link(found.get(b"data-dc-static-img")),
            static_link=_link(found.get(b"data-dc-static-link")),
        )
    for name, widget in (
        (b"data-dc-main-insert-banner", "main_banners"),
        (b"data-dc-sub-insert-banner", "sub_banners"),
    ):
        if name in found:
            place = found[name].strip()
            if not place.isdigit() or len(place) > len(str(MAX_BANNER)) or not int(place):
                return None
            return Slot(cast("Widget", widget), index=int(place))
    if b"data-dc-products" in found:
        return _products(found[b"data-dc-products"])
    if b"data-dc-product-carousels" in found:
        return Slot("products")
    if b"datacue-recommendations-anchor" in found.get(b"class", b"").split():
        return Slot("products")
    return None


def is_vendor_script(found: Mapping[bytes, bytes]) -> bool:
    """Whether a script of these attributes is one of the two that the vendor serves."""
    return _VENDOR_SCRIPT.fullmatch(found.get(b"src", b"")) is not None


def include(url: bytes, prefix: bytes) -> Slot | None:
    """The slot that an include of this URL stands for; None if it isn't one of our fragments."""
    path = url.partition(b"?")[0]
    start = prefix + b"/fragments/"
    widget = path[len(start) :].decode("latin-1")
    return Slot(widget) if path.startswith(start) and widget in WIDGETS else None


def ssi(comment: bytes, prefix: bytes) -> Slot | None:
    """The slot of ``<!--#include virtual="..." -->``, the whole comment given."""
    match = _SSI.fullmatch(comment)
    return None if match is None else include(match[1] or match[2] or b"", prefix)


def shortcode(match: re.Match[bytes]) -> Slot | None:
    """The slot of an unresolved shortcode, as SHORTCODE found it."""
    words = [
        (name.lower().replace(b"_", b"-"), double or single or bare)
        for name, double, single, bare in _WORDS.findall(match[2])
    ]
    if match[1].lower() == b"banners":
        named = dict(words)
        return Slot(
            "banners",
            static_img=_link(named.get(b"static-img")),
            static_link=_link(named.get(b"static-link")),
        )
    return _products(words[0][1] if words else b"")


def _products(value: bytes) -> Slot | None:
    wanted = value.strip().lower().decode("latin-1")
    if not wanted:
        return Slot("products")
    return Slot(wanted) if wanted in LIST_NAMES else None


def _link(value: bytes | None) -> str | None:
    return text(value).strip() or None if value is not None else None
