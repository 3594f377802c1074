"""Links of widgets that say what was clicked: made once a card, the same for every visitor.

A token holds the event's source, the item's id and where it leads, signed with HMAC-SHA-256. It says
nothing of who clicks: the cookie does, so that a rendered card stays good for everyone. It never
expires, since a page may stay open for days and a catalogue link is no secret.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import b2a_base64
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from itsdangerous import Signer
from msgspec import Struct

from proxy.links import safe_url

if TYPE_CHECKING:
    from collections.abc import Sequence

SALT = "datacue.click"
"""Keeps a link's signature from being valid anywhere else that the same keys sign."""

SIGNATURE_BYTES = 16
"""Of the HMAC's 32: the shortest that RFC 2104, 5 allows. Every card carries two or three links."""

MAX_TOKEN = 4096
"""Characters of a token: the longest link that ``safe_url`` lets through, base64 and an id included."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")

SUBTYPES = frozenset({"related", "similar", "recent"})
"""Lists that the guide names in its table of product clicks."""


class Click(Struct, frozen=True):
    """What a link says.

    Attributes:
        source: ``banner``, or the name of the product's list.
        item_id: of the banner or the product.
        target: where it leads: an http(s) URL or a path from the root, in printable ASCII.
    """

    source: str
    item_id: str
    target: str

    @property
    def event(self) -> dict[str, Any]:
        """The guide's event ("Banner click", "Product click")."""
        if self.source == "banner":
            return {"type": "click", "subtype": "banner", "banner_id": self.item_id}
        # The guide's table wants the list's name and knows three; its sample says "product".
        subtype = self.source if self.source in SUBTYPES else "product"
        return {"type": "click", "subtype": subtype, "product_id": self.item_id}


class _Key:
    """A signing key as itsdangerous derives it, its two padded blocks digested beforehand (RFC 2104, 4)."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: str) -> None:
        derived = Signer(key, salt=SALT, digest_method=sha256).derive_key()
        block = derived.ljust(sha256().block_size, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def sign(self, said: bytes) -> bytes:
        """The signature."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(said)
        outer.update(inner.digest())
        return outer.digest()[:SIGNATURE_BYTES]


class ClickLinks:
    """Makes and reads the links ``{prefix}/click/{token}``.

    Args:
        keys: signing keys, newest last: the newest signs, all of them verify.
        prefix: of our own URLs, without a slash at its end.
    """

    def __init__(self, keys: Sequence[str], prefix: str) -> None:
        self._keys = [_Key(key) for key in reversed(keys)]
        self._newest = self._keys[0]
        self._path = f"{prefix}/click/"

    def link_for(self, kind: str, list_name: str, item_id: str, href: str) -> str:
        """The counted link of a card, as ``Renderer`` asks for it.

        ``href`` is what `safe_url` let through. A link that depends on the page it stands on (``?size=2``,
        ``sofa.html``) would lead elsewhere from our URL, and one too long for a token can't be made: they
        stay as they are.
        """
        if not _leads_from_anywhere(href):
            return href
        token = self._token("banner" if kind == "banner" else list_name, item_id, href)
        return href if len(token) > MAX_TOKEN else self._path + token

    def token(self, click: Click) -> str:
        """A click as URL-safe text."""
        return self._token(click.source, click.item_id, click.target)

    def _token(self, source: str, item_id: str, target: str) -> str:
        # No source and no target holds a line end, so whatever the id is, this reads back as it was.
        said = f"{source}\n{item_id}\n{target}".encode("utf-8", "replace")
        return _url_safe(said + self._newest.sign(said))

    def read(self, token: str) -> Click | None:
        """The click that was signed; None where the token is not, character by character, one of ours."""
        if len(token) > MAX_TOKEN or not token.isascii():
            return None
        try:
            signed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        said, signature = signed[:-SIGNATURE_BYTES], signed[-SIGNATURE_BYTES:]
        # Written again, it is the same text: decoding forgives characters that base64 ignores.
        if _url_safe(signed) != token or not any(
            compare_digest(key.sign(said), signature) for key in self._keys
        ):
            return None
        try:
            text = said.decode()
        except ValueError:  # signed, but not by us as we are now
            return None
        source, _, rest = text.partition("\n")
        item_id, _, target = rest.rpartition("\n")
        # What a release before this one let through is held against today's rules again.
        if safe_url(target) != target or not _leads_from_anywhere(target):
            return None
        return Click(source, item_id, target)


def _url_safe(data: bytes) -> str:
    """As RFC 4648, 5 writes it, without padding; in half of the time that base64's own takes."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


def _leads_from_anywhere(target: str) -> bool:
    """Whether a safe URL means the same on any page of the shop: it has a host, or a path from the root."""
    return target.startswith("/") or target[:8].lower().startswith(("http://", "https://"))
