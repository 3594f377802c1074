"""Who is called, and as whom."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple

import httpx

from proxy.api.call import DONE
from proxy.api.errors import InvalidInput
from proxy.signing import authorization

if TYPE_CHECKING:
    from proxy.api.call import Answer


class Credentials:
    """The key and the secret, and what is made of them. Prints as neither.

    Args:
        api_key: names the shop.
        api_secret: signs; it is never sent.
    """

    __slots__ = ("_api_key", "_api_secret")

    def __init__(self, api_key: str, api_secret: str) -> None:
        for field, value in (("api_key", api_key), ("api_secret", api_secret)):
            if not isinstance(value, str) or not value.strip():
                raise InvalidInput(field, "is empty")
        if ":" in api_key:
            raise InvalidInput("api_key", "has a colon, which ends a user name (RFC 7617, 2)")
        self._api_key = api_key
        self._api_secret = api_secret

    def __repr__(self) -> str:
        return "Credentials(…)"

    def blanked(self, answer: Answer) -> Answer:
        """A refusal without our key, which vendors like to quote in it."""
        if answer.status in DONE:
            return answer
        # By itself: a short key may be a part of the words around it.
        quoted = rb"(?<![0-9A-Za-z_-])" + re.escape(self._api_key.encode()) + rb"(?![0-9A-Za-z_-])"
        return answer._replace(body=re.sub(quoted, "…".encode(), answer.body))

    def signed(self, body: bytes) -> bytes:
        """``Authorization`` of a REST call (guide, "Authentication")."""
        return authorization(self._api_key, self._api_secret, body)

    def bare(self) -> bytes:
        """``Authorization`` of an event: the key alone (guide, "Browser Events")."""
        return b"Basic " + b64encode(f"{self._api_key}:".encode())


class Target(NamedTuple):
    """Who is called, and as whom.

    Attributes:
        api_url: of the REST API, with ``/v1``.
        events_url: of the events endpoint.
    """

    credentials: Credentials
    api_url: str
    events_url: str

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is spoken at all: without it, a trust store would be read for nothing (0.1 s)."""
        return not (self.api_url.startswith("http:") and self.events_url.startswith("http:"))


def checked_url(field: str, url: str) -> str:
    """An http(s) URL without user, query or fragment.

    Raises:
        InvalidInput: it is something else.
    """
    try:
        found = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise InvalidInput(field, "is no URL") from None
    if found.scheme not in {"http", "https"} or not found.host:
        raise InvalidInput(field, f"expected https://host/path, got {found.scheme or 'no'}://…")
    if found.userinfo or found.query or found.fragment:
        raise InvalidInput(field, "has a user, a query or a fragment, which an API's URL has not")
    return url
