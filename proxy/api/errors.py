"""What can go wrong between a shop's program and the REST API, and whose it is.

The tree::

    ApiError                        request, source, retryable, answered
    ├── InvalidInput     client     what was given can't be sent; nothing was
    ├── NotSent          network    no connection: nothing was sent                        again
    │   └── Untrusted    network    the far end's certificate is not trusted
    ├── NoAnswer         network    the answer did not come (whole): it may have been done again
    ├── BadAnswer        vendor     an answer came that nobody can read
    ├── NoStatus         vendor     a batch's answer says nothing of this item             again
    ├── ItemRefused      client     a batch's answer refuses this item, and says why
    └── Refused                     an HTTP status that says no
        ├── Unauthorized client     401, 403: the key, the secret, or the clock of neither
        ├── NotFound     client     404, 410
        ├── TooLarge     client     413: more items or bytes than the vendor takes
        ├── Throttled    vendor     429: later                                             again
        ├── Rejected     client     any other 4xx: the message names the field
        ├── Elsewhere    client     3xx: the URL is not the API's; redirects are not followed
        └── VendorFailed vendor     5xx                                                    again

``source`` is ``client`` for whoever calls this package, ``network`` for the way there, ``vendor`` for
the far end. ``retryable`` (*again*, above) says whether the same call may be made again as it is with
some hope; which of them the client repeats by itself is in ``retry.py``.
"""

from __future__ import annotations

from typing import ClassVar

from proxy.errors import ProxyError, Source


class ApiError(ProxyError):
    """The root of the tree; see the module's docstring.

    Args:
        message: what happened: the vendor's own words where there are some.
        request: the call, as ``POST /products``; empty where it was never one.

    Attributes:
        answered: the HTTP status that came, None where none did.
    """

    source: Source = "client"
    status = 502
    answered: int | None = None

    def __init__(self, message: str, request: str = "") -> None:
        super().__init__(f"{request}: {message}" if request else message)
        self.message = message
        self.request = request


class InvalidInput(ApiError):
    """What was given can't be sent. Nothing was.

    Args:
        field: where, as the caller wrote it: ``cart[2].unit_price``; empty for the whole.
        problem: what is wrong with it.
    """

    status = 400

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


class NotSent(ApiError):
    """No connection: unknown host, refused, TLS failed, or none became free. Nothing was sent."""

    source: Source = "network"
    retryable: ClassVar[bool] = True


class Untrusted(NotSent):
    """The far end's certificate is not trusted, and will not be in a second, either."""

    retryable: ClassVar[bool] = False


class NoAnswer(ApiError):
    """The request went out, and the connection ended or fell silent before its answer was whole."""

    source: Source = "network"
    retryable: ClassVar[bool] = True
    status = 504


class BadAnswer(ApiError):
    """An answer that is not what the guide promises: not JSON, not the right JSON, or far too long."""

    source: Source = "vendor"

    def __init__(self, message: str, request: str = "", answered: int | None = None) -> None:
        super().__init__(message, request)
        self.answered = answered


class NoStatus(ApiError):
    """A batch was answered, but nothing readable was said of this item: nobody knows what became of it."""

    source: Source = "vendor"
    retryable: ClassVar[bool] = True


class ItemRefused(ApiError):
    """A batch was answered, and this item was refused. The message is the vendor's."""

    status = 400


class Refused(ApiError):
    """An HTTP status that says no.

    Args:
        message: the vendor's words, or what the status means.
        request: the call.
        answered: the status.
        retry_after: seconds that the vendor asks us to wait, if it does (RFC 9110, 10.2.3).
    """

    def __init__(self, message: str, request: str, answered: int, retry_after: float | None = None) -> None:
        super().__init__(f"{answered}: {message}", request)
        self.message = message
        self.answered = answered
        self.retry_after = retry_after


class Unauthorized(Refused):
    """401 or 403: the API key, the API secret, or the signature is not accepted."""

    status = 401


class NotFound(Refused):
    """404 or 410."""

    status = 404


class TooLarge(Refused):
    """413: more items than 500, or more bytes than the vendor takes."""

    status = 413


class Throttled(Refused):
    """429. Nothing was done."""

    source: Source = "vendor"
    retryable: ClassVar[bool] = True
    status = 503


class Rejected(Refused):
    """Any other 4xx: what was sent is not what the vendor takes."""

    status = 400


class Elsewhere(Refused):
    """3xx: a REST API does not redirect, so the URL is another's. Signed calls don't follow."""


class VendorFailed(Refused):
    """5xx. What was asked may have been done, unless it is 503."""

    source: Source = "vendor"
    retryable: ClassVar[bool] = True
