"""A call of the API and its answer, without any I/O: what is asked, and how the answer is read.

Both faces of the client send the same calls; what differs is who waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec

from proxy.api.errors import BadAnswer, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

T = TypeVar("T")

Method = Literal["GET", "POST", "PUT", "DELETE"]

DONE: Final = range(200, 300)


class Answer(NamedTuple):
    """An HTTP answer with its body, whole.

    Attributes:
        retry_after: the field's value, as it came.
        content_type: in lower case, without parameters.
    """

    status: int
    body: bytes
    content_type: str = ""
    retry_after: bytes = b""

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"  # a body may hold people, or echo a header


class Call(NamedTuple, Generic[T]):
    """One call, ready to be signed and sent.

    Attributes:
        path: below the API's URL, percent-encoded; None for the events URL itself.
        body: the exact bytes that are signed and sent.
        read: makes the result of an answer with a 2xx status; raises `BadAnswer`.
        repeatable: whether a second time changes nothing, so that it may be made again also where
            nobody knows whether the first one was acted on (``retry.py``).
    """

    method: Method
    path: str | None
    body: bytes
    read: Callable[[Answer, str], T]
    repeatable: bool

    @property
    def name(self) -> str:
        """How errors call it."""
        return f"{self.method} {'events' if self.path is None else self.path}"


def path_of(*segments: str) -> str:
    """A path of these segments, each encoded whole (RFC 3986, 2.1).

    A dot alone is encoded, too: as a segment it would be resolved on the way, and ``/products/..`` is
    another resource.

    Raises:
        InvalidInput: a segment is empty, or no Unicode text.
    """
    found = []
    for segment in segments:
        if not segment:
            raise InvalidInput("id", "expected an id, got nothing")
        try:
            encoded = quote(segment, safe="", errors="strict")
        except UnicodeEncodeError:
            raise InvalidInput("id", f"{segment!r} can't be written as UTF-8") from None
        found.append(encoded.replace(".", "%2E") if segment in {".", ".."} else encoded)
    return "/" + "/".join(found)


def encode(document: Any) -> bytes:
    """JSON, numbers as they were given: a Decimal's own digits, never by way of a float.

    Raises:
        InvalidInput: there is text that is no Unicode.
    """
    try:
        return _ENCODER.encode(document)
    except UnicodeEncodeError as error:
        raise InvalidInput("", f"holds text that can't be written as UTF-8: {error.object!r:.60}") from None


def _plain(value: Decimal) -> msgspec.Raw:
    return msgspec.Raw(format(value, "f").encode())  # no exponent: PHP and spreadsheets read this, too


_ENCODER: Final = msgspec.json.Encoder(decimal_format=_plain)


def nothing(_answer: Answer, _name: str) -> None:
    """Any 2xx will do (guide: 201 for creations, 204 for the rest), whatever its body."""


def reads(of: type[T]) -> Callable[[Answer, str], T]:
    """A reader of a JSON body of this type."""
    decoder = msgspec.json.Decoder(of)

    def read(answer: Answer, name: str) -> T:
        try:
            return decoder.decode(answer.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            said = answer.content_type or "no type"
            problem = f"{answer.status} with a body ({said}) that can't be read: {error}"
            raise BadAnswer(problem, name, answer.status) from None

    return read
