"""Content codings: streaming, bounded, exact."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.coding import MAX_PIECE, SUPPORTED, CodingError, coding_of, decoder, encoder, narrow, negotiate

CODINGS = [b"identity", *SUPPORTED]
PAGE = b"<html><body>" + b"".join(b"<p class=c%d>text</p>" % i for i in range(5000)) + b"</body></html>"


def bare_deflate(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


COMPRESSED = {
    "gzip": (b"gzip", gzip.compress(PAGE)),
    "gzip of two members": (b"gzip", gzip.compress(PAGE[:999]) + gzip.compress(PAGE[999:])),
    "gzip padded with zeros": (b"gzip", gzip.compress(PAGE) + bytes(64)),
    "deflate": (b"deflate", zlib.compress(PAGE)),
    "deflate without zlib's header": (b"deflate", bare_deflate(PAGE)),
    "deflate with something after it": (b"deflate", zlib.compress(PAGE) + b"??"),
    "br": (b"br", brotli.compress(PAGE)),
    "zstd": (b"zstd", zstandard.compress(PAGE)),
    "zstd of two frames": (b"zstd", zstandard.compress(PAGE[:999]) + zstandard.compress(PAGE[999:])),
    "zstd with a skippable frame": (
        b"zstd",
        zstandard.compress(PAGE[:9]) + b"\x51\x2a\x4d\x18\x03\0\0\0abc" + zstandard.compress(PAGE[9:]),
    ),
    "zstd with something after it": (b"zstd", zstandard.compress(PAGE) + b"????"),
}


def opened(coding: bytes, data: bytes, step: int) -> bytes:
    undo = decoder(coding)
    pieces = [piece for at in range(0, len(data), step) for piece in undo.decode(data[at : at + step])]
    undo.close()
    assert all(0 < len(piece) <= MAX_PIECE for piece in pieces)
    return b"".join(pieces)


@pytest.mark.parametrize("step", [1, 7, 1000, 10**9])
@pytest.mark.parametrize("name", COMPRESSED)
def test_a_message_is_decoded_however_it_is_cut(name: str, step: int) -> None:
    coding, data = COMPRESSED[name]
    assert opened(coding, data, step) == PAGE


@pytest.mark.parametrize("coding", CODINGS)
@settings(max_examples=40, deadline=None)
@given(chunks=st.lists(st.binary(max_size=300), max_size=8))
def test_each_chunk_can_be_read_as_soon_as_it_was_encoded(coding: bytes, chunks: list[bytes]) -> None:
    apply, undo = encoder(coding), decoder(coding)
    for chunk in chunks:
        assert b"".join(undo.decode(apply.encode(chunk))) == chunk
    assert b"".join(undo.decode(apply.finish())) == b""
    undo.close()


@pytest.mark.parametrize(
    "name", ["gzip", "deflate", "br", "zstd", "gzip of two members", "zstd of two frames"]
)
def test_a_truncated_message_is_an_error_at_its_end(name: str) -> None:
    coding, data = COMPRESSED[name]
    for cut in (1, 2, 11, len(data) // 2, len(data) - 1):
        undo = decoder(coding)
        for _ in undo.decode(data[:cut]):
            pass
        with pytest.raises(CodingError, match="ended too early"):
            undo.close()


@pytest.mark.parametrize("coding", CODINGS)
def test_no_byte_at_all_is_an_empty_message(coding: bytes) -> None:
    undo = decoder(coding)
    assert list(undo.decode(b"")) == []
    undo.close()


@pytest.mark.parametrize("coding", SUPPORTED)
def test_what_is_not_the_coding_is_an_error(coding: bytes) -> None:
    undo = decoder(coding)
    with pytest.raises(CodingError) as caught:
        list(undo.decode(b"<!doctype html><html>" * 50))
    assert caught.value.coding == coding.decode()


def test_a_damaged_second_gzip_member_is_an_error() -> None:
    undo = decoder(b"gzip")
    with pytest.raises(CodingError):
        list(undo.decode(gzip.compress(b"one") + b"\x1f\x8b\xff\xff" + bytes(64)))


@pytest.mark.parametrize("coding", SUPPORTED)
def test_a_bomb_comes_in_bounded_pieces(coding: bytes) -> None:
    bomb = encoder(coding)
    data = bomb.encode(bytes(32 * 1024 * 1024)) + bomb.finish()
    size = 0
    for piece in decoder(coding).decode(data):
        assert len(piece) <= MAX_PIECE
        size += len(piece)
    assert size == 32 * 1024 * 1024


def test_zstd_history_is_bounded() -> None:
    huge = zstandard.ZstdCompressionParameters(window_log=27)
    compress = zstandard.ZstdCompressor(compression_params=huge).compressobj()
    data = compress.compress(b"x" * 1000) + compress.flush()
    with pytest.raises(CodingError):
        list(decoder(b"zstd").decode(data))


def test_bytes_after_a_finished_brotli_message_are_dropped() -> None:
    undo = decoder(b"br")
    assert b"".join(undo.decode(brotli.compress(b"page"))) == b"page"
    assert list(undo.decode(b"more")) == []
    undo.close()


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (None, b"identity"),
        (b"", b"identity"),
        (b"identity", b"identity"),
        (b"GZip", b"gzip"),
        (b"x-gzip", b"gzip"),
        (b"br", b"br"),
        (b" zstd ,", b"zstd"),
        (b"gzip, br", None),
        (b"compress", None),
        (b"identity, gzip", b"gzip"),
    ],
)
def test_content_encoding_names_one_coding_or_none_that_we_decode(
    header: bytes | None, coding: bytes | None
) -> None:
    assert coding_of(header) == coding


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, b"identity"),
        (b"", b"identity"),
        (b"gzip, deflate, br, zstd", b"zstd"),
        (b"gzip, deflate, br", b"br"),
        (b"gzip;q=1.0, br;q=0.5", b"gzip"),
        (b"GZIP ; Q=0.5", b"gzip"),
        (b"x-gzip", b"gzip"),
        (b"*", b"zstd"),
        (b"*;q=0", None),
        (b"identity;q=0", None),
        (b"identity;q=0, br;q=0.1", b"br"),
        (b"identity;q=0.5, gzip;q=0.1", b"identity"),
        (b"identity, *;q=0", b"identity"),
        (b"gzip;q=0", b"identity"),
        (b"compress", b"identity"),
        (b"br;q=2, gzip;q=0.8", b"gzip"),
        (b"br;q=, gzip;foo=1", b"identity"),
        (b"*;q=0.5, br;q=0, zstd;q=0", b"gzip"),
    ],
)
def test_the_answer_takes_the_coding_that_the_client_likes_best(
    accept: bytes | None, chosen: bytes | None
) -> None:
    assert negotiate(accept) == chosen


def test_among_equals_the_preferred_coding_is_taken() -> None:
    assert negotiate(b"gzip, deflate, br, zstd", prefer=b"gzip") == b"gzip"
    assert negotiate(b"gzip;q=0.5, br", prefer=b"gzip") == b"br"
    assert negotiate(b"br", prefer=b"identity") == b"br"


@pytest.mark.parametrize(
    ("accept", "asked"),
    [
        (None, b"identity"),
        (b"", b"identity"),
        (b"gzip, deflate, br, zstd, dcb, dcz", b"zstd, br, gzip, deflate"),
        (b"dcb, compress", b"identity"),
        (b"br;q=0.25, gzip;q=0", b"br;q=0.25"),
        (b"*;q=0.1, gzip;q=0.004", b"zstd;q=0.1, br;q=0.1, gzip;q=0.004, deflate;q=0.1"),
    ],
)
def test_the_shop_is_asked_only_for_what_we_decode(accept: bytes | None, asked: bytes) -> None:
    assert narrow(accept) == asked


@given(st.binary(max_size=60))
def test_any_accept_encoding_is_answered(accept: bytes) -> None:
    assert negotiate(accept) in {b"identity", *SUPPORTED, None}
    assert narrow(accept)
