"""Who may call: HTTP Basic with the API key, and for the REST API a signature as the password.

Guide, "Authentication": the password is the hex HMAC-SHA256 of the request's raw body under the API
secret; an empty body is signed as the empty string. Events come from browsers and carry the key
alone; a password there is a mistake that would leak a secret, so it is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

from proxy.engine.refusals import Refused

_SCHEME: Final = b"basic "


class Credentials:
    """The shop's key and secret, and how requests prove them.

    Args:
        api_key: the public key, the Basic user name.
        api_secret: the signing secret; never leaves this object.
    """

    def __init__(self, api_key: str, api_secret: str) -> None:
        self._key = api_key.encode()
        self._secret = hmac.new(api_secret.encode(), digestmod=hashlib.sha256)

    def check_events(self, authorization: bytes | None) -> None:
        """Accept a request for the events endpoint, or raise `Refused` with 401."""
        key, password = _parts(authorization)
        if not hmac.compare_digest(key, self._key):
            raise Refused(401, "Unknown API key")
        if password:
            raise Refused(401, "Events take the API key alone: leave the password empty")

    def check_signed(self, authorization: bytes | None, body: bytes) -> None:
        """Accept a request for the REST API, or raise `Refused` with 401."""
        key, password = _parts(authorization)
        signature = self._secret.copy()
        signature.update(body)
        # Both are compared, and in constant time: the time taken says nothing about which one failed.
        known = hmac.compare_digest(key, self._key)
        signed = hmac.compare_digest(password.lower(), signature.hexdigest().encode())
        if not known:
            raise Refused(401, "Unknown API key")
        if not signed:
            raise Refused(401, "The password is not the hex HMAC-SHA256 of the request body")


def _parts(authorization: bytes | None) -> tuple[bytes, bytes]:
    """User name and password of a Basic header (RFC 7617, 2)."""
    if authorization is None or authorization[: len(_SCHEME)].lower() != _SCHEME:
        raise Refused(401, "Send the API key by HTTP Basic authentication")
    try:
        pair = base64.b64decode(authorization[len(_SCHEME) :].strip(), validate=True)
    except binascii.Error:
        raise Refused(401, "The Authorization header is not base64") from None
    key, _, password = pair.partition(b":")
    return key, password
