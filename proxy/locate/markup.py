"""How HTML is spelled: the WHATWG tokenizer's rules as regular expressions over lower-cased bytes.

Every pattern here works on ``page.lower()``, which keeps each byte in its place: names compare as
HTML compares them, and offsets hold for the page as it came. Values are then cut from the page itself.

No repeated *group* is possessive: Python before 3.11.5 matches those wrongly. Each pattern is
unambiguous instead, so that giving up costs no more than one pass.

Source: https://html.spec.whatwg.org/multipage/parsing.html, 13.2.5 (the sections' states are named below).
"""

from __future__ import annotations

import re
from html import unescape

MAX_TAG = 16 * 1024
"""Bytes from a tag's ``<`` to its ``>``. Real ones stay below 4 KiB, but for inline images, which come in
attributes that no rule of ours reads: such a page is left alone."""

_SPACE = rb" \t\n\r\f"
"""HTML's white space: not ``\\s``, which holds the vertical tab, too."""
_NAME = rb"[^" + _SPACE + rb"/>=]*+"
_END = rb"(?=[" + _SPACE + rb"/>])"

_VALUE = rb"\"[^\"]*+\"|'[^']*+'|[^" + _SPACE + rb">\"'][^" + _SPACE + rb">]*+|(?=>)"
_ATTRIBUTE = (
    rb"[^" + _SPACE + rb"/>]" + _NAME + rb"[" + _SPACE + rb"]*+"
    rb"(?:=[" + _SPACE + rb"]*+(?:" + _VALUE + rb")|(?!=))"
)
"""Attribute name to after attribute value (13.2.5.32 to .39). Where ``=`` stands, its value must be whole:
otherwise a quote that is still open would be read as a name, and the ``>`` in it as the tag's end."""

_ANY_REST = rb"(?:[" + _SPACE + rb"]++|/(?!>)|" + _ATTRIBUTE + rb")*/?>"
_TIDY_REST = (
    rb"(?:[" + _SPACE + rb"]++[a-z@:_]" + _NAME + rb"(?:=(?:\"[^\"]*+\"|'[^']*+'))?)*[" + _SPACE + rb"]*+/?>"
)
_PLAIN_REST = rb"(?: [a-z]" + _NAME + rb"(?:=\"[^\"]*+\")?)*>"
_REST = rb"(?:>|" + _PLAIN_REST + rb"|" + _TIDY_REST + rb"|" + _ANY_REST + rb")"
"""What follows a tag's name. The first three are what tags look like that programs write: each ends where the
fourth would, which does without them, and is three times as slow."""

TAG = re.compile(rb"<(/?)([a-z][^" + _SPACE + rb"/>]*+)" + _REST)
"""A whole tag: slash of an end tag, name (13.2.5.6 to .40)."""

_SELF_CLOSING = re.compile(rb"(?:[" + _SPACE + rb"]++|/(?!>)|" + _ATTRIBUTE + rb")*/>")

_ATTRIBUTES = re.compile(
    rb"([^" + _SPACE + rb"/>]" + _NAME + rb")[" + _SPACE + rb"]*+"
    rb"(?:=["
    + _SPACE
    + rb"]*+(?:\"([^\"]*+)\"|'([^']*+)'|([^"
    + _SPACE
    + rb">\"'][^"
    + _SPACE
    + rb">]*+)|$))?"
)

COMMENT_END = re.compile(rb"--!?>")
EMPTY_COMMENT = re.compile(rb"<!---?>")
"""The two comments that end in their own opening (13.2.5.43, abrupt closing)."""

RAW_TEXT = frozenset(
    (b"script", b"style", b"textarea", b"title", b"xmp", b"iframe", b"noembed", b"noframes"),
)
"""Elements whose text holds no markup. Not ``noscript``: its readers are those without JavaScript."""

RAW_END = {name: re.compile(rb"</" + name + _END) for name in RAW_TEXT}

SCRIPT_START = re.compile(rb"<!--|</script(?=[" + _SPACE + rb"/>])")
SCRIPT_EVENT = re.compile(rb"-->|</?script(?=[" + _SPACE + rb"/>])")
"""What changes the state of script data that isn't escaped, and that is (13.2.5.4, .15 to .31)."""

LONGEST_RAW_EVENT = len(b"</textarea")
"""How much of an unfinished chunk may belong to an event of the patterns above, without its look-ahead."""

VOID = frozenset(
    b"area base basefont bgsound br col embed frame hr image img input keygen link meta param source track"
    b" wbr".split()
)
"""Elements without content or end tag."""

_NEEDS_STATE = b"|".join((*sorted(RAW_TEXT), b"plaintext", b"svg", b"math", b"template"))

_RAW_ELEMENTS = b"|".join(
    name + _END + _REST + rb"(?:[^<]++|<(?!" + stop + rb"))*</" + name + rb">"
    for name, stop in (
        (b"script", b"!--|/script"),
        *((name, b"/" + name) for name in sorted(RAW_TEXT - {b"script"})),
    )
)

DRAWING = (
    b"path g circle ellipse line polyline polygon rect use defs symbol stop mask clippath lineargradient"
    b" radialgradient text tspan"
).split()
"""What icons are made of: SVG elements that hold no HTML, and whose names HTML doesn't have."""

_ICON = (
    b"svg" + _END + _REST + rb"(?:[^<]++|</?(?:" + b"|".join(DRAWING) + rb")" + _END + _REST + rb")*</svg>"
)

SKIP = re.compile(
    rb"(?:[^<]++"
    rb"|<(?:/[a-z]|[abcdefghjkloqruvwyz]|(?!(?:"
    + _NEEDS_STATE
    + rb")"
    + _END
    + rb")[a-z])[^"
    + _SPACE
    + rb"/>]*+"
    + _REST
    + rb"|<(?=[^a-z/!?])"
    rb"|<!--(?!#|-?>)(?:[^-]++|-(?!-!?>))*-->"
    rb"|<!(?!--)[^>]*+>"
    rb"|<(?:" + _ICON + rb"|" + _RAW_ELEMENTS + rb"))*"
)
"""As much plain markup as can be passed in one go, where nobody asks for single tags: text, ordinary tags,
ordinary comments, doctypes, raw text elements without escapes. It stops before anything else, or before what
is not whole. (No name in _NEEDS_STATE begins with one of the letters that are let through unseen.)"""

SKIP_WINDOW = 64 * 1024
"""Bytes given to SKIP at once: the pattern's memory grows with the number of tags passed."""


_SLASH = 0x2F


def is_self_closing(low: bytes, tag: re.Match[bytes]) -> bool:
    """Whether a tag ends in ``/>``, where the slash is no part of a value (13.2.5.40)."""
    return low[tag.end() - 2] == _SLASH and _SELF_CLOSING.fullmatch(low, tag.end(2), tag.end()) is not None


def attributes(tag: bytes) -> dict[bytes, bytes]:
    """Read the attributes of one tag.

    Args:
        tag: what stands between the tag's name and its ``>``, cut from the page itself.

    Returns:
        Lower-case names to values as they stand, character references and all. The first of equal
        names counts (13.2.5.33, duplicate attribute).
    """
    found: dict[bytes, bytes] = {}
    for name, double, single, bare in _ATTRIBUTES.findall(tag):
        found.setdefault(name.lower(), double or single or bare)
    return found


def text(value: bytes) -> str:
    """Decode an attribute's value for use in a link: character references resolved.

    The page's charset is not known here. UTF-8 is tried first; otherwise bytes are taken as they are,
    which is right for the ASCII that links consist of.
    """
    try:
        decoded = value.decode()
    except UnicodeDecodeError:
        decoded = value.decode("latin-1")
    return unescape(decoded) if "&" in decoded else decoded


def resolve(value: bytes) -> bytes:
    """Resolve character references in an attribute's value, in UTF-8."""
    return text(value).encode()
