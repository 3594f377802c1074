"""Who is logged in, by the shop's own cookie: its value, or a claim of the token in it.

Only the shop's ``Set-Cookie`` is believed, and kept in our signed cookie. What a client sends could name
anybody, and the recommendations would be that person's; a client that sends nothing is logged out, which
can only take something away from itself. So a token's signature needs no check: the shop has just
written it.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from proxy.facts.config import user_id
from proxy.identity import cookie_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.headers import Headers

MAX_VALUE: Final = 8 * 1024
"""Bytes of a cookie that are looked at: twice what browsers keep."""


class UserCookie(Struct, frozen=True):
    """Where the shop says who is logged in.

    Attributes:
        name: of the cookie.
        claim: of the JSON Web Token in it, inner ones with dots: ``user.id``; None: the value itself.
    """

    name: bytes
    claim: str | None = None

    def there(self, headers: Headers) -> bool:
        """Whether a request carries the cookie."""
        return bool(cookie_values(headers, self.name))

    def said(self, headers: Sequence[tuple[bytes, bytes]]) -> tuple[bool, str | None]:
        """Whether a response says who is logged in, and who: None for nobody."""
        spoke, found = False, None
        for name, field in headers:
            if name != b"set-cookie":
                continue
            pair, *attributes = field.split(b";")
            key, _, value = pair.partition(b"=")
            if key.strip() == self.name:
                spoke = True
                found = None if _ends(attributes) else self.user(value.strip().strip(b'"'))
        return spoke, found

    def user(self, value: bytes) -> str | None:
        """The id that a cookie's value holds; None for none."""
        if len(value) > MAX_VALUE:
            return None
        if self.claim is None:
            return user_id(unquote(value.decode("utf-8", "replace")))
        found: Any = _payload(value)
        for part in self.claim.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return user_id(found)


def _ends(attributes: list[bytes]) -> bool:
    """Whether a cookie is taken back (RFC 6265, 5.2.2); shops that do it say so by ``Max-Age`` or 1970."""
    for attribute in attributes:
        name, _, value = attribute.partition(b"=")
        name, value = name.strip().lower(), value.strip().lower()
        if (name == b"max-age" and value.lstrip(b"-").isdigit() and int(value[:20]) <= 0) or (
            name == b"expires" and b"1970" in value
        ):
            return True
    return False


def _payload(token: bytes) -> Any:
    """A token's claims (RFC 7519, 3); None where it is none."""
    parts = token.split(b".")
    try:
        padded = parts[1] + b"=" * (-len(parts[1]) % 4)
        return msgspec.json.decode(urlsafe_b64decode(padded))
    except (IndexError, Base64Error, ValueError, RecursionError):
        return None


def user_cookie(cookie: str | None, token: str | None) -> UserCookie | None:
    """From the settings ``user_cookie`` and ``user_jwt`` (``cookie:claim``)."""
    if token is not None:
        name, _, claim = token.partition(":")
        return UserCookie(name.encode(), claim)
    return None if cookie is None else UserCookie(cookie.encode())
