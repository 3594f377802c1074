"""How a file spells its letters: found out from all of its bytes, since the first ``é`` may come late.

A byte order mark decides; else NULs in every other byte tell UTF-16; else it is UTF-8 where that fits
all bytes, or nearly all of them (then the lines that don't fit are bad ones); else what Western
spreadsheets write: windows-1252, or latin-1 where that has no letter for a byte.
"""

from __future__ import annotations

import codecs
from typing import Final

MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

SAMPLE: Final = 4096
"""Bytes in which UTF-16 shows itself: every shop's file begins with Western column names."""

MANY, FEW = 0.4, 0.05
"""Shares of NULs among the high and the low bytes of UTF-16 text in a Western script."""

UNDEFINED_1252: Final = b"\x81\x8d\x8f\x90\x9d"
"""Bytes that windows-1252 has no letter for."""


class CharsetGuess:
    """Takes a file's bytes one after another, then says how they are spelled.

    Attributes:
        ragged: after ``result``: whether it is UTF-8 with a few bytes that don't fit.
    """

    def __init__(self) -> None:
        self._head = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._fitting = 0
        self._misfits = 0
        self._beyond_1252 = False
        self.ragged = False

    def feed(self, data: bytes) -> None:
        """Takes the next bytes."""
        if len(self._head) < SAMPLE:
            self._head += data[: SAMPLE - len(self._head)]
        self._beyond_1252 = self._beyond_1252 or any(byte in data for byte in UNDEFINED_1252)
        self._count(self._decoder.decode(data))

    def result(self) -> str:
        """The name of the codec, as Python knows it."""
        self._count(self._decoder.decode(b"", final=True))
        for mark, name in MARKS:
            if self._head.startswith(mark):
                self.ragged = name == "utf-8-sig" and bool(self._misfits)
                return name
        if wide := _utf16(self._head):
            return wide
        if self._fitting >= self._misfits:
            self.ragged = bool(self._misfits)
            return "utf-8"
        return "latin-1" if self._beyond_1252 else "windows-1252"

    def _count(self, text: str) -> None:
        """Counts letters beyond ASCII, and bytes that are none in UTF-8."""
        if text.isascii():
            return
        fitting = text.encode("utf-8", "ignore")
        letters = len(fitting.decode())
        self._misfits += len(text) - letters
        self._fitting += len(fitting) - letters  # bytes beyond the first of each letter


def _utf16(head: bytes) -> str:
    pairs = len(head) // 2
    if not pairs:
        return ""
    even, odd = head[0 : 2 * pairs : 2].count(0) / pairs, head[1 : 2 * pairs : 2].count(0) / pairs
    if odd > MANY and even < FEW:
        return "utf-16-le"
    return "utf-16-be" if even > MANY and odd < FEW else ""
