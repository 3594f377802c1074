"""How a REST call is signed (guide, "Authentication"): in one place for all who make one."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode


def authorization(api_key: str, api_secret: str, body: bytes) -> bytes:
    """The value of ``Authorization`` for a call with this body.

    The password is the lower-case hex HMAC-SHA-256 of the exact bytes that are sent, the empty string
    where there are none.
    """
    signature = hmac.new(api_secret.encode(), body, hashlib.sha256).hexdigest()
    return b"Basic " + b64encode(f"{api_key}:{signature}".encode())
