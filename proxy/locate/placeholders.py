"""The vendor's own placeholders: what a tag, an include or a shortcode asks for.

Source: vendor guide ("Insert banners", "Insert products"), its later dialects and its WooCommerce plugin.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from msgspec import structs

from proxy.locate.marks import LOOK_AHEAD
from proxy.locate.markup import COMMENT_END, resolve, text
from proxy.locate.tokens import MAX_DIRECTIVE
from proxy.models import LIST_NAMES, WIDGETS, Include, Slot, Widget

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

OPENINGS = (b"[datacue-", b"<esi:include", b"<!--#")
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

MAX_GAP = 256
"""Bytes of white space between what belongs together: a line break and its indentation."""

_SPACE = rb"[ \t\n\r\f]"
_INCLUDE_END = re.compile(rb"%b{0,%d}</esi:include%b*+>" % (_SPACE, MAX_GAP, _SPACE))
_INCLUDE_END_BEGUN = b"</esi:include"
_DIRECTIVE = re.compile(
    rb"<!--#\s*(include|block)((?:\s+[a-z]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*-->", re.IGNORECASE
)
_PARAMETER = re.compile(rb"([a-z]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_ENDBLOCK = re.compile(rb"<!--#\s*+(?:endblock\s*+-->|(block)\s)", re.IGNORECASE)
_DIRECTIVE_BEGUN = b"<!--#"
_URL = re.compile(
    rb"\s*(?:(?:https?:)?//([^/?#@\s]++))?(/[^?#\s]*+)(?:\?([^#\s]*+))?(?:#\S*+)?\s*", re.IGNORECASE
)


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


def include(url: bytes, prefix: bytes, language: Literal["esi", "ssi"]) -> Slot | None:
    """The slot that an include of this URL stands for; None if it isn't one of our fragments.

    An absolute URL is taken for one whatever its host, which is to be compared with the page's own.
    """
    match = _URL.fullmatch(url)
    if match is None:
        return None
    start = prefix + b"/fragments/"
    widget = match[2][len(start) :].decode("latin-1")
    if not match[2].startswith(start) or widget not in WIDGETS:
        return None
    return Slot(widget, include=Include(language, match[3] or b"", (match[1] or b"").lower()))


def esi(found: Mapping[bytes, bytes], prefix: bytes) -> Slot | None:
    """The slot of an ``<esi:include>`` with these attributes (ESI Language Specification 1.0, 3.1)."""
    slot = include(resolve(found.get(b"src", b"")), prefix, "esi")
    if slot is None or slot.include is None or b"alt" not in found:
        return slot
    alt = include(resolve(found[b"alt"]), prefix, "esi")
    return structs.replace(slot, include=structs.replace(slot.include, alt=alt))


def include_end(low: bytes, end: int, *, final: bool) -> int:
    """Where an ``<esi:include>`` ends, the tag of which ends at ``end``: it may have an end tag of its own.

    Returns:
        -1 where more must come before that can be told.
    """
    match = _INCLUDE_END.match(low, end)
    if match is not None:
        return match.end()
    rest = low[end : end + 2 * MAX_GAP]
    begun = rest.lstrip(b" \t\n\r\f")
    head, tail = begun[: len(_INCLUDE_END_BEGUN)], begun[len(_INCLUDE_END_BEGUN) :]
    torn = len(rest) - len(begun) <= MAX_GAP > len(tail) and _INCLUDE_END_BEGUN.startswith(head)
    return -1 if torn and not tail.strip(b" \t\n\r\f") and not final else end


class Directive(NamedTuple):
    """What an SSI comment turned out to be.

    Attributes:
        slot: None if it isn't for us.
        end: of all that belongs to it.
        fallback: what stands there if there is nothing to say.
    """

    slot: Slot | None
    end: int
    fallback: bytes


def ssi(raw: bytes, i: int, end: int, prefix: bytes, *, final: bool) -> Directive | None:
    """What ``<!--#include virtual="..." -->`` asks for, or a block right before it that is its ``stub``.

    Sources: Apache mod_include, "include"; nginx ngx_http_ssi_module, "block" and "include".

    Args:
        raw: the page.
        i: where the comment begins.
        end: where it ends.
        prefix: of our URLs.
        final: whether the page ends with ``raw``.

    Returns:
        None where more must come before it can be told.
    """
    name, found = _directive(raw, i, end)
    if name == b"include":
        return Directive(_virtual(found, prefix), end, b"")
    stub = found.get(b"name")
    if not stub:
        return Directive(None, end, b"")
    none = Directive(None, end, b"")
    more = none if final else None
    closing = _ENDBLOCK.search(raw, end, i + LOOK_AHEAD)
    if closing is None:
        return more if len(raw) - i < LOOK_AHEAD else none
    if closing[1]:
        return none  # blocks don't nest: this one has no end
    gap = raw[closing.end() : closing.end() + MAX_GAP]
    start = closing.end() + len(gap) - len(gap.lstrip())
    rest = raw[start : start + MAX_DIRECTIVE]
    if not rest.startswith(_DIRECTIVE_BEGUN):
        return more if _DIRECTIVE_BEGUN.startswith(rest) else none
    last = COMMENT_END.search(raw, start, start + MAX_DIRECTIVE)
    if last is None:
        return more if len(rest) < MAX_DIRECTIVE else none
    name, found = _directive(raw, start, last.end())
    slot = _virtual(found, prefix) if name == b"include" and found.get(b"stub") == stub else None
    return none if slot is None else Directive(slot, last.end(), raw[end : closing.start()])


def _directive(raw: bytes, i: int, end: int) -> tuple[bytes, dict[bytes, bytes]]:
    """Name and parameters of an SSI comment; no name where it is none that concerns us."""
    match = _DIRECTIVE.fullmatch(raw, i, end)
    if match is None:
        return b"", {}
    parameters = _PARAMETER.findall(match[2])
    return match[1].lower(), {name.lower(): double or single for name, double, single in parameters}


def _virtual(found: Mapping[bytes, bytes], prefix: bytes) -> Slot | None:
    """The slot of an include with these parameters. With ``set`` nothing is shown where it stands."""
    if b"file" in found or b"set" in found:
        return None
    return include(found.get(b"virtual", b""), prefix, "ssi")


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
