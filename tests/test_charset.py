"""Encodings: which pages may be read as ASCII, and which may be written to in UTF-8."""

from __future__ import annotations

import pytest

from proxy.charset import ascii_compatible, is_utf8, label, sniff

META = b'<!doctype html><head><meta charset="%s">'


@pytest.mark.parametrize(
    ("content_type", "first", "declared"),
    [
        (None, b"<html>", None),
        (b"text/html", b"<html>", None),
        (b"text/html; charset=UTF-8", b"<html>", "utf-8"),
        (b'text/html;x=y; charset = "ISO-8859-1"', b"<html>", "iso-8859-1"),
        (b"text/html; charset='windows-1251'", b"<html>", "windows-1251"),
        (b"text/html; charset=", b"<html>", None),
        (b'text/html; charset=""', b"<html>", None),
        (b"text/html; charset=latin1", b"\xef\xbb\xbf<html>", "utf-8"),
        (b"text/html; charset=utf-8", b"\xff\xfe<\0", "utf-16le"),
        (None, b"\xfe\xff\0<", "utf-16be"),
        (b"text/html; charset=latin1", META % b"utf-8", "latin1"),
        (None, META % b" Shift_JIS ", "shift_jis"),
        (None, b'<META HTTP-EQUIV=Content-Type CONTENT="text/html; charset=big5">', "big5"),
        (None, b'<meta content="text/html; charset=big5">', None),
        (None, b'<meta http-equiv=content-type content="text/html">', None),
        (None, b'<!-- <meta charset="big5"> --><meta charset=gbk>', "gbk"),
        (None, b'<metadata charset=big5><meta name=x><meta charset="">', None),
        (None, b'<meta charset="big5', None),
        (None, b" " * 1020 + b"<meta charset=big5>", None),
        (None, META % b"utf-16", "utf-8"),
    ],
)
def test_the_label_is_found_where_browsers_look(
    content_type: bytes | None, first: bytes, declared: str | None
) -> None:
    assert sniff(content_type, first) == declared


@pytest.mark.parametrize(
    "unlike",
    ["utf-16", "UTF-16LE", "utf-32", "utf-7", "ISO-2022-JP", "csISO2022JP", "iso-2022-kr", "hz-gb-2312", "ibm037", "cp500",
     "x-ebcdic-germany", "ucs-2", "iso-10646-ucs-2", "unicode", "unicodefffe", "csunicode", "unicode-1-1-utf-7", "ibm1047"],
)  # fmt: skip
def test_pages_whose_markup_is_not_ascii_are_left_alone(unlike: str) -> None:
    assert not ascii_compatible(b"text/html; charset=" + unlike.encode(), b"<html>")


@pytest.mark.parametrize(
    "like",
    ["utf-8", "iso-8859-1", "windows-1251", "shift_jis", "euc-jp", "big5", "gb18030", "koi8-r", "ibm866", "cp1252",
     "unicode-1-1-utf-8", "no-such-thing", "ibm850"],
)  # fmt: skip
def test_pages_whose_markup_is_ascii_are_read(like: str) -> None:
    assert ascii_compatible(b"text/html; charset=" + like.encode(), b"<html>")


def test_utf16_and_iso2022_are_known_undeclared() -> None:
    assert not ascii_compatible(None, "<html>".encode("utf-16-le"))
    assert not ascii_compatible(None, "<html>".encode("utf-16-be"))
    assert not ascii_compatible(None, b"<title>" + "日本".encode("iso2022_jp"))
    assert ascii_compatible(None, b"<html>")


def test_only_a_page_that_says_so_is_utf8() -> None:
    assert is_utf8(b"text/html; charset=utf8", b"")
    assert is_utf8(None, META % b"UTF-8")
    assert not is_utf8(None, b"<html>")
    assert not is_utf8(b"text/html; charset=latin1", META % b"utf-8")
    assert not is_utf8(b"text/html; charset=utf-9", b"")


def test_a_page_that_says_nothing_is_taken_for_utf8_when_it_is_read() -> None:
    assert label(None, b"<html>") == "utf-8"
    assert label(b"text/html; charset=koi8-r") == "koi8-r"
