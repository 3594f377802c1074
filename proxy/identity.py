"""Who asks: a visitor's id in a signed cookie.

The cookie holds a UUID and, after a login, the shop's own user id, signed with HMAC-SHA-256 and
dated. It proves nothing but that we minted it: enough to keep visitors apart.

An edge in front, which asks for a page's fragments before the browser has the cookie, passes the visitor
on in a header: the same, signed for that purpose and for a few minutes.
"""

from __future__ import annotations

import hmac
import uuid
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from itsdangerous import BadData, TimestampSigner

from proxy.models import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_AGE = 400 * 24 * 3600
"""Seconds that a cookie lives: the most that browsers allow (RFC 6265bis, 5.5)."""

RENEW_AFTER = 24 * 3600
"""Seconds after which a page response rolls the cookie's date on: once a day is rolling enough, and
spares a signature on every other page."""

MAX_USER_ID = 256
"""Characters of a user id that are kept; longer ones aren't ids, and cookies have 4 KiB in all."""

MAX_KNOWN = 16_384
"""Verified cookies remembered in one process, about 5 MB: a visitor's next page needs no signature."""

SALT = "datacue.visitor"
"""Keeps a visitor's signature from being valid anywhere else that the same keys sign."""

INTRODUCTION_SALT = "datacue.introduction"
"""The same for what an edge is told: it is no cookie, and no cookie is it."""

INTRODUCTION_AGE = 600
"""Seconds that an introduction holds: an edge uses it for the page that it builds now."""

FIRST_SALT = b"datacue.first"
"""The same for the ids of visitors who came with nothing but an edge's word that it is one page view."""

DAY = 24 * 3600


class Identity(NamedTuple):
    """A visitor, and whether the browser should get (a new) cookie for it."""

    visitor: Visitor
    renew: bool


class _Signer(TimestampSigner):
    """itsdangerous' signer with our clock, so that time can be tested."""

    def __init__(self, keys: Sequence[str], clock: Callable[[], float], salt: str = SALT) -> None:
        super().__init__(list(keys), salt=salt, digest_method=sha256)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock())


class VisitorCookie:
    """Reads and writes the visitor's cookie.

    Args:
        keys: signing keys, newest last: the newest signs, all of them verify, so that adding one
            invalidates no live cookie.
        clock: seconds since the epoch.
        new_id: makes a visitor's id: a UUID, as the guide shows it.
        name: the cookie's name, without the ``__Host-`` that a secure connection adds.
    """

    def __init__(
        self,
        keys: Sequence[str],
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        name: str = "datacue",
    ) -> None:
        self._signer = _Signer(keys, clock)
        self._newest = _Signer(keys[-1:], clock)
        self._introducer = _Signer(keys, clock, INTRODUCTION_SALT)
        self._first_key = FIRST_SALT + keys[-1].encode()
        self._clock = clock
        self._new_id = new_id
        self._plain = name.encode()
        self._secure = b"__Host-" + self._plain
        # Only what verified is kept, by its exact bytes; its age is judged anew each time.
        self._known: dict[bytes, tuple[Visitor, float, bool]] = {}

    def name(self, *, secure: bool) -> bytes:
        """The cookie's name on such a connection."""
        return self._secure if secure else self._plain

    def recognize(self, headers: Sequence[tuple[bytes, bytes]], *, secure: bool) -> Identity:
        """The visitor of a request; a new one where the cookie is absent, forged or expired."""
        return self.of(self.values(headers, secure=secure))

    def values(self, headers: Sequence[tuple[bytes, bytes]], *, secure: bool) -> list[bytes]:
        """What the request's cookies of our name hold, verified or not."""
        return cookie_values(headers, self._secure if secure else self._plain)

    def of(self, values: Sequence[bytes]) -> Identity:
        """The visitor whom one of a request's ``values`` names; a new one where none does."""
        return self._first(values) or Identity(self.mint(), renew=True)

    def mint(self) -> Visitor:
        """A new visitor."""
        return Visitor(self._new_id())

    def known(self, headers: Sequence[tuple[bytes, bytes]], *, secure: bool) -> Identity | None:
        """The visitor of a request that may not mint one; None where the cookie names nobody."""
        return self._first(self.values(headers, secure=secure))

    def _first(self, values: Sequence[bytes]) -> Identity | None:
        for value in values:
            known = self._read(value)
            if known is not None:
                return known
        return None

    def _read(self, value: bytes) -> Identity | None:
        known = self._known.get(value) or self._verify(value)
        if known is None:
            return None
        visitor, signed_at, newest = known
        age = self._clock() - signed_at
        if not -RENEW_AFTER <= age <= MAX_AGE:  # a day of clock skew between machines is no forgery
            return None
        return Identity(visitor, age > RENEW_AFTER or not newest)

    def _verify(self, value: bytes) -> tuple[Visitor, float, bool] | None:
        try:
            payload, signed_at = self._signer.unsign(value, return_timestamp=True)
        except BadData:
            return None
        visitor = _decode(payload)
        if visitor is None:
            return None
        if len(self._known) >= MAX_KNOWN:
            del self._known[next(iter(self._known))]
        known = self._known[value] = (visitor, signed_at.timestamp(), self._newest.validate(value))
        return known

    def introduction(self, visitor: Visitor) -> bytes:
        """What an edge may hand back to us in a header, to say who it asks for."""
        return self._introducer.sign(_encode(visitor))

    def introduced(self, value: bytes) -> Visitor | None:
        """Whom an introduction names; None where it is forged, or `INTRODUCTION_AGE` away from now."""
        try:
            payload, signed_at = self._introducer.unsign(value, return_timestamp=True)
        except BadData:
            return None
        age = self._clock() - signed_at.timestamp()
        return _decode(payload) if abs(age) <= INTRODUCTION_AGE else None

    def first(self, *seen: bytes) -> Visitor:
        """The visitor of a page view that comes without a cookie, the same for all of its requests.

        Nobody needs to remember it: the id follows from what the requests have in common, our key and the
        day, and from nothing else can it be told.

        Args:
            seen: what the requests have in common; a view's ID, an address, a browser.
        """
        day = b"%d" % (self._clock() // DAY)
        said = b"".join(b"%d:%b" % (len(one), one) for one in (day, *seen))
        digest = hmac.digest(self._first_key, said, sha256)
        return Visitor(str(uuid.UUID(bytes=digest[:16], version=4)))

    def set_cookie(self, visitor: Visitor, *, secure: bool) -> tuple[bytes, bytes]:
        """The ``Set-Cookie`` field that makes a browser remember the visitor (RFC 6265bis, 4.1)."""
        value = self._newest.sign(_encode(visitor))
        rest = b"; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax" % MAX_AGE
        if secure:
            return b"set-cookie", self._secure + b"=" + value + rest + b"; Secure"
        return b"set-cookie", self._plain + b"=" + value + rest

    def remove_cookie(self, *, secure: bool) -> tuple[bytes, bytes]:
        """The ``Set-Cookie`` field that makes a browser forget the visitor."""
        rest = b"=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        if secure:
            return b"set-cookie", self._secure + rest + b"; Secure"
        return b"set-cookie", self._plain + rest


def _encode(visitor: Visitor) -> bytes:
    payload = visitor.anonymous_id.encode()
    if visitor.user_id is None:
        return payload
    return payload + b"~" + urlsafe_b64encode(visitor.user_id[:MAX_USER_ID].encode()).rstrip(b"=")


def _decode(payload: bytes) -> Visitor | None:
    identity, separator, user = payload.partition(b"~")
    try:
        anonymous_id = str(uuid.UUID(identity.decode("ascii")))
        if not separator:
            return Visitor(anonymous_id)
        padded = user + b"=" * (-len(user) % 4)
        return Visitor(anonymous_id, b64decode(padded, altchars=b"-_", validate=True).decode())
    except (ValueError, Base64Error):
        return None


def cookie_values(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """Every value that the request's ``Cookie`` fields hold under ``name``, in order."""
    found: list[bytes] = []
    for field, value in headers:
        if field == b"cookie" and name in value:
            for pair in value.split(b";"):
                key, _, content = pair.partition(b"=")
                if key.strip() == name:
                    found.append(content.strip().strip(b'"'))
    return found
