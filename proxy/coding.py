"""Content codings: what a shop sends compressed is opened, read, and compressed again as the client allows.

Everything streams. A decoder gives bounded pieces, so that a small message that expands to gigabytes never
stands in memory; an encoder flushes with each chunk, so that a page's first bytes don't wait for its last.

Source: RFC 9110, 8.4 (content codings) and 12.5.3 (Accept-Encoding); RFC 1950 to 1952, 7932, 8878, 9659.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, Protocol

import brotli
import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SUPPORTED: tuple[bytes, ...] = (b"zstd", b"br", b"gzip", b"deflate")
"""What we decode and encode, best first: by processor time for a page at the levels below."""

MAX_PIECE = 64 * 1024
"""Bytes that a decoder gives at once: what one write to a socket takes well."""

ZSTD_STEP = 64
"""Bytes given to the zstd decoder at once: its binding can't be told how much to give. A block that repeats
one byte is four bytes long and stands for 128 KiB, so a step stays at 2 MiB."""

ZSTD_WINDOW = 8 * 1024 * 1024
"""Bytes of history that a zstd message may ask for (RFC 9659, 3)."""

GZIP_LEVEL = 5
BROTLI_QUALITY = 4
ZSTD_LEVEL = 3
"""Levels for what is compressed once and read once."""

REMEMBERED = 256
"""Accept-Encoding values whose answer is remembered: browsers of the world send a few dozen."""

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_MEMBER = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?:;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*)?",
)


class CodingError(Exception):
    """The message is not what its Content-Encoding says, or it ended too early.

    Args:
        coding: as the header names it.
        problem: what is wrong, for the log.
    """

    def __init__(self, coding: str, problem: str) -> None:
        super().__init__(f"{coding}: {problem}")
        self.coding = coding
        self.problem = problem


class Decoder(Protocol):
    """Undoes one coding."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes; give what they stand for, in pieces of bounded size.

        The iterator must be used up before the next call.

        Raises:
            CodingError: they stand for nothing.
        """
        ...

    def close(self) -> None:
        """The message is over.

        Raises:
            CodingError: it isn't whole. (No byte at all is: answers without content keep their header.)
        """
        ...


class Encoder(Protocol):
    """Applies one coding."""

    def encode(self, data: bytes) -> bytes:
        """Compress the next bytes, and flush: the client can read all that went in."""
        ...

    def finish(self) -> bytes:
        """The last bytes of the message."""
        ...


def _cut(piece: bytes) -> Iterator[bytes]:
    for at in range(0, len(piece), MAX_PIECE):
        yield piece[at : at + MAX_PIECE]


class _Identity:
    def decode(self, data: bytes) -> Iterator[bytes]:
        if data:
            yield data

    def close(self) -> None:
        pass

    def encode(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


class _ZlibDecoder:
    """gzip, in any number of members, and deflate: zlib's format, or the bare one that some servers send.

    What follows the last member is dropped, as browsers do: some servers pad with zeros.
    """

    def __init__(self, coding: Literal["gzip", "deflate"]) -> None:
        self._coding = coding
        self._inflate: zlib._Decompress | None = None
        self._begun = b""  # a member's first bytes, until they tell its format
        self._ended = False  # one member has
        self._over = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        while not self._over:
            if self._inflate is None:
                data, self._begun = self._begun + data, b""
                if len(data) < len(_GZIP_MAGIC):
                    self._begun = data
                    return
                if self._ended and (self._coding == "deflate" or not data.startswith(_GZIP_MAGIC)):
                    self._over = True
                    return
                self._inflate = zlib.decompressobj(self._window_bits(data))
            try:
                piece = self._inflate.decompress(data, MAX_PIECE)
            except zlib.error as error:
                raise CodingError(self._coding, str(error)) from error
            data = self._inflate.unconsumed_tail
            ended = self._inflate.eof
            if ended:
                data = self._inflate.unused_data
                self._inflate, self._ended = None, True
            if piece:
                yield piece
            if not ended and not data and len(piece) < MAX_PIECE:
                return

    def _window_bits(self, first: bytes) -> int:
        """How zlib is told the format (RFC 1950, 2.2: the check bits of its header)."""
        if self._coding == "gzip":
            return 16 + zlib.MAX_WBITS
        bare = first[0] & 0x0F != zlib.DEFLATED or int.from_bytes(first[:2], "big") % 31
        return -zlib.MAX_WBITS if bare else zlib.MAX_WBITS

    def close(self) -> None:
        if self._inflate is not None or (self._begun and not self._ended):
            raise CodingError(self._coding, "the message ended too early")


class _BrotliDecoder:
    def __init__(self) -> None:
        self._brotli = brotli.Decompressor()
        self._begun = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        if not data or self._brotli.is_finished():
            return
        self._begun = True
        while True:
            try:
                piece = self._brotli.process(data, output_buffer_limit=MAX_PIECE)
            except brotli.error as error:
                raise CodingError("br", "not a brotli stream") from error
            data = b""
            yield from _cut(piece)  # the limit is where brotli's buffer stops growing, not its size
            if not piece or self._brotli.is_finished():
                return

    def close(self) -> None:
        if self._begun and not self._brotli.is_finished():
            raise CodingError("br", "the message ended too early")


class _ZstdDecoder:
    """Any number of frames, skippable ones among them; what follows the last one is dropped."""

    def __init__(self) -> None:
        self._context = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._begun = b""
        self._ended = False
        self._over = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data and not self._over:
            if self._frame is None:
                data, self._begun = self._begun + data, b""
                if len(data) < len(_ZSTD_MAGIC):
                    self._begun = data
                    return
                if self._ended and not data.startswith(_ZSTD_MAGIC) and not _SKIPPABLE.match(data):
                    self._over = True
                    return
                self._frame = self._context.decompressobj()
            step, data = data[:ZSTD_STEP], data[ZSTD_STEP:]
            try:
                piece = self._frame.decompress(step)
            except zstandard.ZstdError as error:
                raise CodingError("zstd", str(error)) from error
            if self._frame.eof:
                data = self._frame.unused_data + data
                self._frame, self._ended = None, True
            yield from _cut(piece)

    def close(self) -> None:
        if self._frame is not None or (self._begun and not self._ended):
            raise CodingError("zstd", "the message ended too early")


class _ZlibEncoder:
    def __init__(self, window_bits: int) -> None:
        self._deflate = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, window_bits)

    def encode(self, data: bytes) -> bytes:
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH) if data else b""

    def finish(self) -> bytes:
        return self._deflate.flush()


class _BrotliEncoder:
    def __init__(self) -> None:
        self._brotli = brotli.Compressor(mode=brotli.MODE_TEXT, quality=BROTLI_QUALITY)

    def encode(self, data: bytes) -> bytes:
        return bytes(self._brotli.process(data) + self._brotli.flush()) if data else b""

    def finish(self) -> bytes:
        return bytes(self._brotli.finish())


class _ZstdEncoder:
    def __init__(self) -> None:
        self._zstd = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj()

    def encode(self, data: bytes) -> bytes:
        if not data:
            return b""
        return self._zstd.compress(data) + self._zstd.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def finish(self) -> bytes:
        return self._zstd.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH)


_DECODERS: dict[bytes, Callable[[], Decoder]] = {
    b"identity": _Identity,
    b"gzip": lambda: _ZlibDecoder("gzip"),
    b"x-gzip": lambda: _ZlibDecoder("gzip"),
    b"deflate": lambda: _ZlibDecoder("deflate"),
    b"br": _BrotliDecoder,
    b"zstd": _ZstdDecoder,
}
_ENCODERS: dict[bytes, Callable[[], Encoder]] = {
    b"identity": _Identity,
    b"gzip": lambda: _ZlibEncoder(16 + zlib.MAX_WBITS),
    b"deflate": lambda: _ZlibEncoder(zlib.MAX_WBITS),
    b"br": _BrotliEncoder,
    b"zstd": _ZstdEncoder,
}


def coding_of(content_encoding: bytes | None) -> bytes | None:
    """What a Content-Encoding header says.

    Returns:
        b"identity" or one of SUPPORTED; None for what we don't decode: an unknown coding, or several.
    """
    named = [one.strip(b" \t").lower() for one in (content_encoding or b"").split(b",")]
    codings = [one for one in named if one not in {b"", b"identity"}]
    if not codings:
        return b"identity"
    coding = b"gzip" if codings[0] == b"x-gzip" else codings[0]
    return coding if len(codings) == 1 and coding in SUPPORTED else None


def decoder(coding: bytes) -> Decoder:
    """A decoder for b"identity" or one of SUPPORTED.

    Raises:
        KeyError: for any other.
    """
    return _DECODERS[coding]()


def encoder(coding: bytes) -> Encoder:
    """An encoder for b"identity" or one of SUPPORTED.

    Raises:
        KeyError: for any other.
    """
    return _ENCODERS[coding]()


@lru_cache(maxsize=REMEMBERED)
def negotiate(accept_encoding: bytes | None, prefer: bytes = b"") -> bytes | None:
    """Choose the coding of the answer (RFC 9110, 12.5.3).

    Args:
        accept_encoding: the header's values joined by commas; None where the client sent none.
        prefer: a coding to take among equals: what the shop chose, say.

    Returns:
        One of SUPPORTED, or b"identity"; None if the client accepts nothing that we have.
    """
    if accept_encoding is None:
        return b"identity"
    weights = _weights(accept_encoding)
    other = weights.get(b"*", 0.0)
    best, best_weight = b"", 0.0
    for coding in (prefer, *SUPPORTED) if prefer in SUPPORTED else SUPPORTED:
        weight = weights.get(coding, other)
        if weight > best_weight:
            best, best_weight = coding, weight
    # Identity is acceptable unless it, or `*` for it, says q=0; unless named it is the last resort.
    identity = weights.get(b"identity", other if weights.get(b"*") == 0 else None)
    if best and (identity is None or best_weight >= identity):
        return best
    return b"identity" if identity is None or identity > 0 else None


@lru_cache(maxsize=REMEMBERED)
def narrow(accept_encoding: bytes | None) -> bytes:
    """What to ask the shop for: what the client accepts, as far as we can decode it.

    Returns:
        A value for Accept-Encoding; b"identity" where nothing else is left, and where the client sent none:
        it might not know any coding, and decoding for it is work for nothing.
    """
    if accept_encoding is None:
        return b"identity"
    weights = _weights(accept_encoding)
    other = weights.get(b"*", 0.0)
    wanted = [(coding, weights.get(coding, other)) for coding in SUPPORTED]
    kept = [
        coding if weight == 1 else coding + f";q={weight:.3f}".rstrip("0").rstrip(".").encode()
        for coding, weight in wanted
        if weight > 0
    ]
    return b", ".join(kept) or b"identity"


def narrowed(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """A request as the shop gets it: ``Accept-Encoding`` holds only what we can decode."""
    return [(name, narrow(value)) if name == b"accept-encoding" else (name, value) for name, value in headers]


def _weights(accept_encoding: bytes) -> dict[bytes, float]:
    """Codings to weights. A member that can't be read is left out; the last of equal ones counts."""
    found: dict[bytes, float] = {}
    for member in accept_encoding.decode("latin-1").split(","):
        match = _MEMBER.fullmatch(member)
        if match is not None:
            name = match[1].lower().encode()
            found[b"gzip" if name == b"x-gzip" else name] = float(match[2] or 1)
    return found
