"""A request's head: bytes in, a :class:`Head` out, or a refusal.

RFC 9112 asks recipients to be strict where two of them could read a message differently (11.2, request
smuggling). One regular expression has to match every line from its first byte to its CRLF, so nothing is
skipped, mended or guessed. There is no second parser behind this one that could disagree with it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, NoReturn, get_args
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from proxy.errors import RequestRefused
from proxy.remember import Recent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.edge.limits import EdgeLimits

Reason = Literal[
    "bare-cr",
    "bare-lf",
    "body-timeout",
    "body-too-large",
    "chunk",
    "content-length",
    "content-length-and-chunked",
    "duplicate-content-length",
    "duplicate-host",
    "duplicate-transfer-encoding",
    "field-name",
    "field-value",
    "head-timeout",
    "head-too-large",
    "host",
    "host-mismatch",
    "leading-whitespace",
    "method",
    "missing-host",
    "obs-fold",
    "request-line",
    "space-before-colon",
    "target",
    "target-too-long",
    "too-many-connections",
    "too-many-fields",
    "transfer-encoding",
    "version",
    "write-timeout",
]
"""Why a request was refused or its connection given up: labels of a counter."""

REASONS: Final[tuple[Reason, ...]] = get_args(Reason)

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"  # RFC 9110, 5.6.2

# The target's bytes are not looked at more closely, since they are forwarded as they came; but no "#", which
# some servers cut off and others don't, and nothing that could end it.
_REQUEST_LINE: Final = re.compile(rb"([A-Z][A-Z_-]{0,30}) ([!\"$-~\x80-\xff]++) HTTP/1\.([01])\r\n")

# Possessive, so that a hostile line costs one pass; the look-behind makes every match start a line.
FIELD_LINE: Final = re.compile(rb"(?<=\n)(" + _TOKEN + rb"++):[ \t]*+([\t -~\x80-\xff]*+)\r\n")

_AUTHORITY: Final = rb"(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
_HOST: Final = re.compile(_AUTHORITY)
_ABSOLUTE_FORM: Final = re.compile(rb"(?i:(https?))://(" + _AUTHORITY + rb")((?:[/?].*)?)", re.DOTALL)
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")  # below 2**63: nobody's counter overflows
_DEFAULT_PORTS: Final = {b"http": b":80", b"https": b":443"}

_SINGLE: Final = frozenset({b"host", b"content-length", b"transfer-encoding"})
_NOTABLE: Final = _SINGLE | {b"connection", b"upgrade", b"expect"}

_UNUSUAL: Final = frozenset({b"upgrade", b"expect"})
_BODYLESS_METHODS: Final = frozenset({"GET", "HEAD"})

_DUPLICATE: Final[dict[bytes, Reason]] = {
    b"host": "duplicate-host",
    b"content-length": "duplicate-content-length",
    b"transfer-encoding": "duplicate-transfer-encoding",
}


_REMEMBERED: Final = 512
"""Field sections remembered: a browser asks for all pictures of a page with the very same one."""

_REMEMBERED_BYTES: Final = 4096
"""Of such a section. Together, with what is made of them, about 5 MB."""


class Frame(NamedTuple):
    """What a head says of its body's end and of the connection: see ``Head``."""

    http_version: Literal["1.0", "1.1"]
    content_length: int | None
    chunked: bool
    keep_alive: bool
    expects_continue: bool
    upgrade: bool
    bare: bool


class Section(Struct, gc=False):
    """What the field lines of a request say; shared by all requests that say the same, so never changed."""

    headers: list[tuple[bytes, bytes]]
    notable: dict[bytes, bytes]
    host: bytes
    lines: bytes | None = None
    """Themselves, where they are remembered."""
    frame: Frame | None = None
    """Of a GET of HTTP/1.1 with them, once somebody asked."""


_sections: Recent[bytes, Section] = Recent(_REMEMBERED)


class Head(Struct, gc=False):
    """A request's head, read the only way there is.

    ``headers`` are as they came, but for lower-case names and values without the white space around them;
    not to be changed.
    """

    method: str
    target: bytes
    """Origin-form or ``*``: what goes to the shop."""
    headers: list[tuple[bytes, bytes]]
    lines: bytes | None
    """The field lines that became ``headers``, byte for byte, where they came before and may well come again:
    what is worked out from ``headers`` may be remembered by them."""
    http_version: Literal["1.0", "1.1"]
    content_length: int | None
    chunked: bool
    keep_alive: bool
    expects_continue: bool
    upgrade: bool
    """It asks for another protocol on this connection, and we would carry that."""
    bare: bool
    """A GET or HEAD of HTTP/1.1 without any field about a body or another protocol: most requests."""

    @property
    def path(self) -> str:
        """The target's path, readable: what an app finds in its scope."""
        raw = self.target.partition(b"?")[0]
        return (unquote_to_bytes(raw) if b"%" in raw else raw).decode("utf-8", "replace")


def refuse(reason: Reason, status: int = 400) -> NoReturn:
    """Raise a refusal: the only way to, so that reasons stay within the vocabulary.

    Raises:
        RequestRefused: always.
    """
    raise RequestRefused(reason, status)


def check_partial(came: bytes | bytearray, seen: int, limits: EdgeLimits) -> None:
    """Refuse what can't become a head any more, though its end hasn't come.

    Without this a client that ends its lines with LF alone would wait for the deadline. The order of the
    checks makes the answer independent of how the bytes were split into packets.

    Args:
        came: the head so far, not empty.
        seen: how much of it was checked before.
        limits: the edge's.

    Raises:
        RequestRefused: 400, 414 or 431.
    """
    check_first(came)
    stop = limits.head_bytes
    if came.count(b"\n", seen, stop) != came.count(b"\r\n", max(0, seen - 1), stop):
        refuse("bare-lf")
    if len(came) >= stop:
        if b"\n" in came[:stop]:
            refuse("head-too-large", 431)
        refuse("target-too-long", 414)


def check_first(start: bytes | bytearray) -> None:
    """Refuse what doesn't begin like a request: a TLS hello, white space, a lone LF.

    Raises:
        RequestRefused: 400.
    """
    first = bytes(start[:1])
    if first in {b" ", b"\t"}:
        refuse("leading-whitespace")
    if first == b"\n":
        refuse("bare-lf")
    if not first.isupper() and first != b"\r":
        refuse("method")


def parse_head(head: bytes, limits: EdgeLimits) -> Head:
    """Read a whole head, from the request line to the empty line.

    Args:
        head: ends with the first CRLF CRLF of the stream.
        limits: the edge's.

    Raises:
        RequestRefused: 400, 414 or 431.
    """
    line = _REQUEST_LINE.match(head)
    if line is None:
        _diagnose_request_line(head)
    method, target, minor = line.groups()
    lines = head[line.end() :]
    section = _sections.get(lines)
    if section is None:
        section = _section(head, lines)
        if len(lines) <= _REMEMBERED_BYTES and _sections.again(lines):
            section.lines = lines
            _sections.keep(lines, section)
    if len(target) > limits.target_bytes:
        refuse("target-too-long", 414)
    if len(section.headers) > limits.fields:
        refuse("too-many-fields", 431)
    if not target.startswith(b"/"):
        target = _origin_form(method, target, section.host)
    usual = method == b"GET" and minor == b"1"
    frame = section.frame if usual else None
    if frame is None:
        frame = _frame(method.decode("ascii"), minor, section.notable)
        if usual:
            section.frame = frame
    return Head("GET" if usual else method.decode("ascii"), target, section.headers, section.lines, *frame)


def _section(head: bytes, lines: bytes) -> Section:
    """Read the field lines, with the empty one that ends them.

    Raises:
        RequestRefused: 400.
    """
    start = len(head) - len(lines)
    found = FIELD_LINE.findall(head, start)
    # A match holds exactly one LF and begins behind one: equal counts mean that they lie end to end.
    if len(found) != lines.count(b"\n") - 1:
        _diagnose_fields(head, start)
    headers = [(name.lower(), value.rstrip(b" \t")) for name, value in found]
    notable: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _NOTABLE:
            if name not in notable:
                notable[name] = value
            elif name in _SINGLE:
                refuse(_DUPLICATE[name])
            else:
                notable[name] += b"," + value
    host = notable.get(b"host")
    if host is None:
        refuse("missing-host")
    if _HOST.fullmatch(host) is None:
        refuse("host")
    return Section(headers, notable, host)


def _frame(method: str, minor: bytes, notable: Mapping[bytes, bytes]) -> Frame:
    """Where the body ends and what becomes of the connection (RFC 9112, 6.3 and 9.3)."""
    current = minor == b"1"
    content_length: int | None = None
    chunked = False
    length = notable.get(b"content-length")
    coding = notable.get(b"transfer-encoding")
    if coding is not None:
        if length is not None:
            refuse("content-length-and-chunked")
        if not current or coding.lower() != b"chunked":
            refuse("transfer-encoding")
        chunked = True
    elif length is not None:
        if _LENGTH.fullmatch(length) is None:
            refuse("content-length")
        content_length = int(length)
    keep_alive = current
    upgrade = False
    connection = notable.get(b"connection")
    if connection is not None and connection != b"keep-alive":
        options = {option.strip(b" \t").lower() for option in connection.split(b",")}
        keep_alive = current and b"close" not in options
        # A body and an upgrade on one request leave unclear where the new protocol begins, and h2c would
        # carry requests that nobody checks past us: both may be ignored (RFC 9110, 7.8).
        upgrade = (
            current
            and b"upgrade" in options
            and notable.get(b"upgrade", b"h2c").lower() != b"h2c"
            and not chunked
            and not content_length
        )
    bare = (
        current
        and method in _BODYLESS_METHODS
        and not chunked
        and content_length is None
        and notable.keys().isdisjoint(_UNUSUAL)
    )
    expects_continue = current and notable.get(b"expect", b"").lower() == b"100-continue"
    return Frame(
        "1.1" if current else "1.0", content_length, chunked, keep_alive, expects_continue, upgrade, bare
    )


def _origin_form(method: bytes, target: bytes, host: bytes) -> bytes:
    """Absolute-form of our own host and asterisk-form; the rest is refused (RFC 9112, 3.2)."""
    if target == b"*" and method == b"OPTIONS":
        return target
    absolute = _ABSOLUTE_FORM.fullmatch(target)
    if absolute is None or method == b"CONNECT":
        refuse("target")
    scheme, authority, rest = absolute.groups()
    port = _DEFAULT_PORTS[scheme.lower()]
    if authority.lower().removesuffix(port) != host.lower().removesuffix(port):
        refuse("host-mismatch")
    if rest.startswith(b"/"):
        return rest
    if not rest and method == b"OPTIONS":
        return b"*"  # RFC 9112, 3.2.4
    return b"/" + rest


def _diagnose_request_line(head: bytes) -> NoReturn:
    """Name what is wrong with the request line; it costs time only where a request is refused."""
    check_first(head)
    line = head[: head.index(b"\n") + 1]
    if not line.endswith(b"\r\n"):
        refuse("bare-lf")
    line = line[:-2]
    if b"\r" in line:
        refuse("bare-cr")
    parts = line.split(b" ")
    if len(parts) != 3 or not all(parts):  # noqa: PLR2004 - method, target, version: RFC 9112, 3
        refuse("request-line")
    if re.fullmatch(rb"HTTP/1\.[01]", parts[2]) is None:
        refuse("version")
    if re.fullmatch(rb"[A-Z][A-Z_-]{0,30}", parts[0]) is None:
        refuse("method")
    refuse("target")


def _diagnose_fields(head: bytes, start: int) -> NoReturn:
    """Name the first line that isn't a field line."""
    for line in head[start:-2].split(b"\n")[:-1]:
        diagnose_field(line)
    refuse("field-value")


def diagnose_field(line: bytes) -> None:
    """Refuse one line, given without its LF, by what is wrong with it.

    Raises:
        RequestRefused: 400; it returns where nothing is wrong.
    """
    if not line.endswith(b"\r"):
        refuse("bare-lf")
    if b"\r" in line[:-1]:
        refuse("bare-cr")
    if line[:1] in {b" ", b"\t"}:
        refuse("obs-fold")
    name, colon, _value = line.partition(b":")
    if colon and name.rstrip(b" \t") != name:
        refuse("space-before-colon")
    if not colon or re.fullmatch(_TOKEN + rb"+", name) is None:
        refuse("field-name")
    if re.search(rb"[^\t -~\x80-\xff\r]", line):
        refuse("field-value")
