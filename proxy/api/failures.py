"""What httpx raises, as the error of our own tree that it is."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import httpx

from proxy.api.errors import ApiError, BadAnswer, NoAnswer, NotSent, Untrusted

if TYPE_CHECKING:
    from proxy.api.call import Call


def failure(error: Exception, call: Call[Any]) -> ApiError:
    """The error of our own tree that an exception of httpx stands for."""
    said = str(error) or type(error).__name__
    match error:
        case (
            httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout() | httpx.UnsupportedProtocol()
        ):
            return not_sent(error, said, call)
        case httpx.DecodingError():
            return BadAnswer(f"a content coding that can't be undone: {said}", call.name)
        case httpx.TimeoutException() | TimeoutError():
            return NoAnswer("no answer in time", call.name)
        case _:
            return NoAnswer(f"the connection broke before the answer was whole: {said}", call.name)


def not_sent(error: Exception, said: str, call: Call[Any]) -> NotSent:
    """No connection; of a failed TLS handshake, whether it is the certificate's."""
    if isinstance(error, httpx.PoolTimeout):
        return NotSent("every connection was busy for too long", call.name)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Untrusted(f"can't be trusted: {cause.verify_message or said}", call.name)
        cause = cause.__context__
    return NotSent(f"can't be reached: {said}", call.name)
