"""A page as a shared cache may keep it: with includes in its slots, and not a byte that depends on who asks.

What says to a cache that it may keep a page is only what the shop said; nothing is added where it said
nothing. A page that the shop keeps from shared caches is no shell: it is personalized at once, as ever.

Sources: RFC 9111 (3, storing; 3.5, Authorization), RFC 9110 (8.8.3, entity tags), nginx
ngx_http_ssi_module, ESI Language Specification 1.0.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from html import escape
from typing import TYPE_CHECKING, Literal

from proxy import surrogate
from proxy.headers import DESCRIBES_BYTES, has_token, unsaid, value_of, values_of
from proxy.includes import query_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.headers import Headers
    from proxy.models import Page, Slot

Mode = Literal["none", "auto", "esi", "ssi"]
Language = Literal["esi", "ssi"]

MAX_VIRTUAL = 255
"""Bytes of an SSI include's URL: nginx refuses longer parameters, visibly, unless its ``ssi_value_length``
(256) is raised."""

MAX_SRC = 2048
"""Bytes of an ESI include's URL: what every cache takes as a request's target."""

_BLOCK_BYTES = 8
"""Of the digest in the name of the block that holds a slot's own content: nginx takes the page's first block
of a name, wherever it stands, so what differs must not have the same."""

_TAG = re.compile(rb'\s*(W/)?"([^"]*)"\s*(?:,|$)')
_MARKED = re.compile(rb"(.*)--dc(w?)\.([0-9a-f]+)", re.DOTALL)
_MARK_BYTES = 4
_SHOPS_OWN = re.compile(rb"<(?:!--#|!--esi|/?esi:)", re.IGNORECASE)


class Shells:
    """Makes shells, for as long as the settings stay.

    Args:
        mode: the setting ``shell``.
        prefix: of our own URLs.
        version: changes whenever an equal page of the shop may become another shell.
    """

    def __init__(self, mode: Mode, prefix: str, version: str) -> None:
        self.mode: Mode = mode
        self._below = f"{prefix}/fragments/"
        self._marks: dict[Language, bytes] = {
            language: blake2b(f"{language} {version}".encode(), digest_size=_MARK_BYTES).hexdigest().encode()
            for language in ("esi", "ssi")
        }

    def language(self, method: str, headers: Headers, *, trusted: bool) -> Language | None:
        """The language in which this request's page would leave as a shell; None: it won't.

        Nothing else of a request counts, neither who asks nor what for: a cache answers everybody alike.

        Args:
            method: of the request.
            headers: of the request.
            trusted: whether they came from a trusted proxy.
        """
        if self.mode == "none" or method not in {"GET", "HEAD"} or value_of(headers, b"upgrade") is not None:
            return None
        if self.mode == "auto":
            return "esi" if trusted and surrogate.capable(headers) else None
        return self.mode

    # -- what surrounds the page ------------------------------------------------------------------

    def request(self, headers: Headers, language: Language) -> tuple[Headers, bool]:
        """A request as the shop shall see it: its own entity tags in place of ours (13.1.2).

        Returns:
            Its fields, and whether a tag of ours was among them, so that a 304 speaks of a shell. A tag of
            another version is left out: its shell is not what we would make now.
        """
        if not any(b"--dc" in value for value in values_of(headers, b"if-none-match")):
            return headers, False
        fields: Headers = []
        ours = False
        for name, value in headers:
            if name != b"if-none-match":
                fields.append((name, value))
                continue
            left = []
            for weak, tag in _TAG.findall(value):
                marked = _MARKED.fullmatch(tag)
                if marked is None:
                    left.append(b'%b"%b"' % (weak, tag))
                elif marked[3] == self._marks[language]:
                    ours = True
                    left.append(b'%b"%b"' % (b"W/" if marked[2] else b"", marked[1]))
            if left:
                fields.append((name, b", ".join(left)))
        return fields, ours

    def response(self, headers: Headers, language: Language) -> Headers:
        """A shell's fields: the shop's, less what is true of its own bytes only."""
        fields = [
            (name, self.entity_tag(value, language)) if name == b"etag" else (name, value)
            for name, value in unsaid(headers)
            if name not in DESCRIBES_BYTES or name == b"etag"
        ]
        return self._chosen(surrogate.asking(fields) if language == "esi" else fields)

    def not_modified(self, headers: Headers, language: Language) -> Headers:
        """A 304's fields, where what was asked about is a shell."""
        return self._chosen(
            [
                (name, self.entity_tag(value, language)) if name == b"etag" else (name, value)
                for name, value in unsaid(headers)
            ]
        )

    def _chosen(self, fields: Headers) -> Headers:
        """With what chose the shell: a cache that hands on a browser's word of ESI keeps it for no other."""
        return [*fields, (b"vary", surrogate.CAPABILITY)] if self.mode == "auto" else fields

    def entity_tag(self, value: bytes, language: Language) -> bytes:
        """A shell's entity tag: the shop's, marked; weak, since it may be compressed in more than one way."""
        match = _TAG.fullmatch(value)
        if match is None:
            return value
        return b'W/"%b--dc%b.%b"' % (match[2], b"w" if match[1] else b"", self._marks[language])

    # -- what stands in its slots -----------------------------------------------------------------

    def include(self, slot: Slot, page: Page, content: bytes, language: Language) -> bytes | None:
        """What stands in a slot: an include around what the shop has there.

        Where nobody processes it, a browser shows the shop's content and takes the rest for comments. nginx
        puts the shop's content in where the fragment is empty.

        Args:
            slot: what to include.
            page: where it stands.
            content: the shop's own.
            language: of the include.

        Returns:
            None where it can't be written: then the shop's content stays.
        """
        if _SHOPS_OWN.search(content) or slot.static_img is not None:
            return None
        url = f"{self._below}{slot.widget}?{query_of(page)}"
        if slot.index is not None:
            url += f"&index={slot.index}"
        if language == "esi":
            if len(url) > MAX_SRC:
                return None
            kept = b"<esi:remove>%b</esi:remove>" % content if content else b""
            return b'%b<!--esi <esi:include src="%b" onerror="continue"/>-->' % (kept, escape(url).encode())
        if content:
            # nginx may show a stub twice where an include was empty, and once where it failed.
            url += "&fallback=error"
        if len(url) > MAX_VIRTUAL:
            return None
        if not content:
            return f'<!--# include virtual="{url}" -->'.encode()
        name = f"datacue-{blake2b(content, digest_size=_BLOCK_BYTES).hexdigest()}"
        block = b'<!--# block name="%b" -->%b<!--# endblock -->' % (name.encode(), content)
        return block + f'<!--# include virtual="{url}" stub="{name}" -->'.encode()


def shareable(asked: Sequence[tuple[bytes, bytes]], headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether shared caches may keep a response, as far as the shop has said (RFC 9111, 3).

    A cookie makes it one visitor's, whatever else it says: caches differ there.

    Args:
        asked: the request's fields.
        headers: the response's.
    """
    if value_of(headers, b"set-cookie") is not None or surrogate.forbids(headers):
        return False
    if any(has_token(headers, b"cache-control", token) for token in (b"private", b"no-store")):
        return False
    if has_token(headers, b"vary", b"*"):
        return False
    return value_of(asked, b"authorization") is None or any(
        has_token(headers, b"cache-control", token) for token in (b"public", b"s-maxage", b"must-revalidate")
    )
