"""A response's head: an ASGI start message in, bytes and their framing out."""

from __future__ import annotations

import http
import re
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

Framing = Literal["none", "length", "chunked", "close"]
"""How the body's end is told: there is none, by ``content-length``, by chunks, by the connection's end."""

_KNOWN_NAMES: Final = 1024
"""Field names remembered as valid. Shops use a few dozen; a shop that invents names must not grow us."""

_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

_SPECIAL: Final = frozenset({b"connection", b"content-length", b"date", b"keep-alive", b"transfer-encoding"})
"""Fields that are looked at; those about this connection are ours to say (RFC 9110, 7.6.1)."""

_BODYLESS: Final = frozenset({http.HTTPStatus.NO_CONTENT, http.HTTPStatus.NOT_MODIFIED})


def _status_line(status: int) -> bytes:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")


STATUS_LINES: Final = {status: _status_line(status) for status in range(100, 1000)}


class Answer(Struct, gc=False):
    """A response's head as it goes out."""

    head: bytes
    framing: Framing
    length: int
    """Bytes of content to come, where the framing is ``length``."""
    keep_alive: bool


class Template(Struct, frozen=True):
    """An answer's head but for its date, for answers that differ in nothing else."""

    before: bytes
    after: bytes
    framing: Framing
    length: int
    keep_alive: bool

    @classmethod
    def of(cls, answer: Answer, date: bytes) -> Template | None:
        """What is common to an answer and others of its kind.

        Args:
            answer: not yet begun.
            date: the value of its ``date``.

        Returns:
            None where that field isn't there just once.
        """
        parts = answer.head.split(b"\r\ndate: ")
        if len(parts) != 2 or not parts[1].startswith(date + b"\r\n"):  # noqa: PLR2004 - around one date
            return None
        before = parts[0] + b"\r\ndate: "
        return cls(before, parts[1][len(date) :], answer.framing, answer.length, answer.keep_alive)

    def dated(self, date: bytes) -> Answer:
        """The answer with this date."""
        return Answer(self.before + date + self.after, self.framing, self.length, self.keep_alive)


class InvalidResponse(RuntimeError):
    """The app asked for a response that can't be sent as it is: a bug in the app."""


_prefixes: dict[bytes, tuple[bytes, bytes]] = {}


def _prefix(name: bytes) -> tuple[bytes, bytes]:
    """Lower-case name, and the same with its colon, of a valid field name."""
    if _TOKEN.fullmatch(name) is None:
        raise InvalidResponse(f"invalid response field name {name!r}")
    lower = name.lower()
    if len(_prefixes) < _KNOWN_NAMES:
        _prefixes[name] = (lower, lower + b": ")
    return lower, lower + b": "


def informational(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A 1xx response, or the 101 that opens a tunnel: fields as given, no framing (RFC 9110, 15.2).

    Raises:
        InvalidResponse: for a field that would end its line.
    """
    lines = [STATUS_LINES[status]]
    for name, value in headers:
        lines += ((_prefixes.get(name) or _prefix(name))[1], value, b"\r\n")
    return _joined(lines)


def answer(
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    defaults: Iterable[tuple[bytes, bytes]],
    *,
    to_head: bool,
    http_version: str,
    keep_alive: bool,
) -> Answer:
    """Frame a final response (RFC 9112, 6.3).

    Args:
        status: 200 to 999.
        headers: of the app, in its order.
        defaults: fields to add where the app has none of that name.
        to_head: it answers HEAD.
        http_version: the request's.
        keep_alive: whether the connection may stay.

    Raises:
        InvalidResponse: for a field that would end its line, or a second or invalid ``content-length``.
    """
    lines = [STATUS_LINES[status]]
    length: int | None = None
    dated = False
    for name, value in headers:
        lower, prefix = _prefixes.get(name) or _prefix(name)
        if lower in _SPECIAL:
            if lower == b"content-length":
                if length is not None or not value.isdigit():
                    raise InvalidResponse(f"second or invalid content-length {value!r}")
                length = int(value)
                if status == http.HTTPStatus.NO_CONTENT:
                    continue  # RFC 9110, 8.6
            elif lower == b"date":
                dated = True
            elif lower != b"connection":
                continue
            else:
                options = {option.strip().lower() for option in value.split(b",")}
                keep_alive = keep_alive and b"close" not in options
                if options <= {b"close", b"keep-alive"}:
                    continue
        lines += (prefix, value, b"\r\n")
    for name, value in defaults:
        if name != b"server" and not (dated and name == b"date"):
            lines += (name, b": ", value, b"\r\n")
    framing = _framing(status, length, to_head=to_head, http_version=http_version)
    if framing == "chunked":
        lines += (b"transfer-encoding: ", b"chunked", b"\r\n")
    keep_alive = keep_alive and framing != "close"
    if not keep_alive:
        lines += (b"connection: ", b"close", b"\r\n")
    return Answer(_joined(lines), framing, length or 0, keep_alive)


def _framing(status: int, length: int | None, *, to_head: bool, http_version: str) -> Framing:
    if to_head or status in _BODYLESS:
        return "none"
    if length is not None:
        return "length"
    return "chunked" if http_version == "1.1" else "close"


def refusal(status: int, reason: str, defaults: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The last response of a connection whose client asked for something else than HTTP."""
    text = f"{http.HTTPStatus(status).phrase}: {reason}\n".encode("ascii")
    fields = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(text))]
    return answer(status, fields, defaults, to_head=False, http_version="1.1", keep_alive=False).head + text


def _joined(lines: list[bytes]) -> bytes:
    """End the head, and see that no value brought a line end of its own: one look at all of them.

    Args:
        lines: the status line, then name, value and line end of each field.
    """
    ends = 2 + len(lines) // 3  # of the status line, the empty line and each field
    lines.append(b"\r\n")
    head = b"".join(lines)
    if head.count(b"\n") != ends or head.count(b"\r") != ends or b"\0" in head:
        raise InvalidResponse("a response field value has CR, LF or NUL")
    return head
