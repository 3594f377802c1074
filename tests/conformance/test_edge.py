"""What the edge takes for a request, and what it refuses: RFC 9112, byte by byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.edge import REASONS

if TYPE_CHECKING:
    from .conftest import Mirrored

Play = Callable[[list[bytes]], tuple[bytes, list[dict[str, Any]], bool]]

GET = b"GET / HTTP/1.1\r\n"
HOST = b"Host: shop\r\n"
END = b"\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# Each row: the bytes, the status of the answer, the reason that is counted.
REFUSED: dict[str, tuple[bytes, int, str]] = {
    # Two lengths (RFC 9112, 6.3)
    "length and chunked": (
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "content-length-and-chunked",
    ),
    "chunked and length": (
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
        "content-length-and-chunked",
    ),
    "two lengths that differ": (
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        400,
        "duplicate-content-length",
    ),
    "two lengths that agree": (
        POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        400,
        "duplicate-content-length",
    ),
    "a list of lengths": (POST + b"Content-Length: 5, 5\r\n\r\nhello", 400, "content-length"),
    "a length with a plus": (POST + b"Content-Length: +5\r\n\r\nhello", 400, "content-length"),
    "a negative length": (POST + b"Content-Length: -5\r\n\r\nhello", 400, "content-length"),
    "a hexadecimal length": (POST + b"Content-Length: 0x5\r\n\r\nhello", 400, "content-length"),
    "a length with an underscore": (POST + b"Content-Length: 1_0\r\n\r\nhello", 400, "content-length"),
    "an empty length": (POST + b"Content-Length:\r\n\r\n", 400, "content-length"),
    "a length beyond 64 bits": (
        POST + b"Content-Length: 18446744073709551621\r\n\r\nhello",
        400,
        "content-length",
    ),
    "a length in foreign digits": (
        POST + "Content-Length: ٥\r\n\r\nhello".encode(),
        400,
        "content-length",
    ),
    # Transfer codings
    "gzip, chunked": (
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        400,
        "transfer-encoding",
    ),
    "chunked, identity": (
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        400,
        "transfer-encoding",
    ),
    "identity": (POST + b"Transfer-Encoding: identity\r\n\r\n", 400, "transfer-encoding"),
    "xchunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, "transfer-encoding"),
    "chunked in quotes": (POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', 400, "transfer-encoding"),
    "chunked with a parameter": (
        POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
        400,
        "transfer-encoding",
    ),
    "chunked after a vertical tab": (
        POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        400,
        "field-value",
    ),
    "an empty coding": (POST + b"Transfer-Encoding:\r\n\r\n", 400, "transfer-encoding"),
    "chunked twice": (
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "duplicate-transfer-encoding",
    ),
    "chunked and then identity": (
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        400,
        "duplicate-transfer-encoding",
    ),
    "chunked in HTTP/1.0": (
        b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "transfer-encoding",
    ),
    # Host (RFC 9112, 3.2)
    "no Host": (GET + b"Accept: */*\r\n\r\n", 400, "missing-host"),
    "no field at all": (GET + END, 400, "missing-host"),
    "no Host in HTTP/1.0": (b"GET / HTTP/1.0\r\n\r\n", 400, "missing-host"),
    "two Hosts": (GET + HOST + b"Host: other\r\n\r\n", 400, "duplicate-host"),
    "two equal Hosts": (GET + HOST + HOST + END, 400, "duplicate-host"),
    "an empty Host": (GET + b"Host:\r\n\r\n", 400, "host"),
    "a list of Hosts": (GET + b"Host: shop, other\r\n\r\n", 400, "host"),
    "a Host with a path": (GET + b"Host: shop/admin\r\n\r\n", 400, "host"),
    "a Host with user information": (GET + b"Host: a@shop\r\n\r\n", 400, "host"),
    "a Host with a space": (GET + b"Host: shop other\r\n\r\n", 400, "host"),
    "a Host with a port that is none": (GET + b"Host: shop:http\r\n\r\n", 400, "host"),
    "a Host with two ports": (GET + b"Host: shop:80:81\r\n\r\n", 400, "host"),
    "a Host beyond ASCII": (GET + "Host: schöp\r\n\r\n".encode(), 400, "host"),
    "a Host with a NUL": (GET + b"Host: sh\0op\r\n\r\n", 400, "field-value"),
    # Targets (RFC 9112, 3.2)
    "absolute-form of another host": (b"GET http://other/ HTTP/1.1\r\n" + HOST + END, 400, "host-mismatch"),
    "absolute-form of another port": (b"GET http://shop:81/ HTTP/1.1\r\n" + HOST + END, 400, "host-mismatch"),
    "absolute-form with user information": (b"GET http://a@shop/ HTTP/1.1\r\n" + HOST + END, 400, "target"),
    "absolute-form of another scheme": (b"GET ftp://shop/ HTTP/1.1\r\n" + HOST + END, 400, "target"),
    "CONNECT": (b"CONNECT shop:443 HTTP/1.1\r\n" + HOST + END, 400, "target"),
    "CONNECT with absolute-form": (b"CONNECT http://shop/ HTTP/1.1\r\n" + HOST + END, 400, "target"),
    "authority-form": (b"GET shop:443 HTTP/1.1\r\n" + HOST + END, 400, "target"),
    "asterisk-form": (b"GET * HTTP/1.1\r\n" + HOST + END, 400, "target"),
    "asterisk and more": (b"OPTIONS *x HTTP/1.1\r\n" + HOST + END, 400, "target"),
    "a target without a slash": (b"GET index.html HTTP/1.1\r\n" + HOST + END, 400, "target"),
    "a fragment": (b"GET /a#b HTTP/1.1\r\n" + HOST + END, 400, "target"),
    "a NUL in the target": (b"GET /a\0b HTTP/1.1\r\n" + HOST + END, 400, "target"),
    "a control byte in the target": (b"GET /a\x1fb HTTP/1.1\r\n" + HOST + END, 400, "target"),
    "a DEL in the target": (b"GET /a\x7fb HTTP/1.1\r\n" + HOST + END, 400, "target"),
    # Request line (RFC 9112, 3)
    "a space in the target": (b"GET /a b HTTP/1.1\r\n" + HOST + END, 400, "request-line"),
    "two spaces before the target": (b"GET  / HTTP/1.1\r\n" + HOST + END, 400, "request-line"),
    "two spaces before the version": (b"GET /  HTTP/1.1\r\n" + HOST + END, 400, "request-line"),
    "a space after the version": (b"GET / HTTP/1.1 \r\n" + HOST + END, 400, "request-line"),
    "a tab for a space": (b"GET\t/ HTTP/1.1\r\n" + HOST + END, 400, "request-line"),
    "a CR in the request line": (b"GET /\r HTTP/1.1\r\n" + HOST + END, 400, "bare-cr"),
    "no version": (b"GET /\r\n\r\n", 400, "request-line"),
    "no target": (b"GET HTTP/1.1\r\n" + HOST + END, 400, "request-line"),
    "HTTP/0.9": (b"GET / HTTP/0.9\r\n" + HOST + END, 400, "version"),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\n" + HOST + END, 400, "version"),
    "HTTP/2.0": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "version"),
    "HTTP/1.10": (b"GET / HTTP/1.10\r\n" + HOST + END, 400, "version"),
    "HTTP/01.1": (b"GET / HTTP/01.1\r\n" + HOST + END, 400, "version"),
    "http/1.1": (b"GET / http/1.1\r\n" + HOST + END, 400, "version"),
    "HTTP/1,1": (b"GET / HTTP/1,1\r\n" + HOST + END, 400, "version"),
    "a method in lower case": (b"get / HTTP/1.1\r\n" + HOST + END, 400, "method"),
    "a method in mixed case": (b"Get / HTTP/1.1\r\n" + HOST + END, 400, "method"),
    "a method with a colon": (b"GE:T / HTTP/1.1\r\n" + HOST + END, 400, "method"),
    "a method with a NUL": (b"GE\0T / HTTP/1.1\r\n" + HOST + END, 400, "method"),
    "a long method": (b"G" * 40 + b" / HTTP/1.1\r\n" + HOST + END, 400, "method"),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "method"),
    "a space before the method": (b" " + GET + HOST + END, 400, "leading-whitespace"),
    "a tab before the method": (b"\t" + GET + HOST + END, 400, "leading-whitespace"),
    "a space on a line before": (b" \r\n" + GET + HOST + END, 400, "leading-whitespace"),
    # Line ends (RFC 9112, 2.2)
    "LF throughout": (b"GET / HTTP/1.1\nHost: shop\n\n", 400, "bare-lf"),
    "LF after the request line": (b"GET / HTTP/1.1\n" + HOST + END, 400, "bare-lf"),
    "LF after a field": (GET + b"Host: shop\nA: b\r\n\r\n", 400, "bare-lf"),
    "LF for the empty line": (GET + HOST + b"\n", 400, "bare-lf"),
    "LF before the request line": (b"\n" + GET + HOST + END, 400, "bare-lf"),
    "CR CR LF": (GET + b"Host: shop\r\r\n\r\n", 400, "bare-cr"),
    "a CR in a value": (GET + HOST + b"A: b\rc\r\n\r\n", 400, "bare-cr"),
    "a CR in a name": (GET + HOST + b"A\rB: c\r\n\r\n", 400, "bare-cr"),
    "a smuggled field after CR": (GET + HOST + b"A: b\rContent-Length: 5\r\n\r\n", 400, "bare-cr"),
    # Fields (RFC 9112, 5)
    "a folded line": (GET + HOST + b"A: b\r\n c\r\n\r\n", 400, "obs-fold"),
    "a line folded with a tab": (GET + HOST + b"A: b\r\n\tc\r\n\r\n", 400, "obs-fold"),
    "white space before the first field": (GET + b" Host: shop\r\n\r\n", 400, "obs-fold"),
    "a space before the colon": (GET + b"Host : shop\r\n\r\n", 400, "space-before-colon"),
    "a tab before the colon": (
        POST + b"Content-Length\t: 5\r\n\r\nhello",
        400,
        "space-before-colon",
    ),
    "a field without a colon": (GET + HOST + b"nonsense\r\n\r\n", 400, "field-name"),
    "a field without a name": (GET + HOST + b": b\r\n\r\n", 400, "field-name"),
    "a space in a name": (GET + HOST + b"A B: c\r\n\r\n", 400, "field-name"),
    "a NUL in a name": (GET + HOST + b"A\0: c\r\n\r\n", 400, "field-name"),
    "a parenthesis in a name": (GET + HOST + b"A(b): c\r\n\r\n", 400, "field-name"),
    "a name beyond ASCII": (GET + HOST + b"\xe9: c\r\n\r\n", 400, "field-name"),
    "a NUL in a value": (GET + HOST + b"A: b\0c\r\n\r\n", 400, "field-value"),
    "a control byte in a value": (GET + HOST + b"A: b\x01c\r\n\r\n", 400, "field-value"),
    "a DEL in a value": (GET + HOST + b"A: b\x7fc\r\n\r\n", 400, "field-value"),
    "an escape in a value": (GET + HOST + b"A: \x1b[2J\r\n\r\n", 400, "field-value"),
    # Chunks (RFC 9112, 7.1)
    "a chunk without a size": (CHUNKED + b"\r\n", 400, "chunk"),
    "a chunk size that is none": (CHUNKED + b"z\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
    "a chunk size with 0x": (CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
    "a chunk size with a sign": (CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
    "a negative chunk size": (CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
    "a space before a chunk size": (CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
    "a space after a chunk size": (CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n", 400, "chunk"),
    "a chunk size beyond 64 bits": (CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
    "a chunk size ended by LF": (CHUNKED + b"5\nhello\r\n0\r\n\r\n", 400, "bare-lf"),
    "a chunk ended by LF": (CHUNKED + b"5\r\nhello\n0\r\n\r\n", 400, "chunk"),
    "a chunk ended by CR": (CHUNKED + b"5\r\nhello\r0\r\n\r\n", 400, "chunk"),
    "a chunk longer than it says": (CHUNKED + b"5\r\nhelloo\r\n0\r\n\r\n", 400, "chunk"),
    "a chunk shorter than it says": (CHUNKED + b"6\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
    "a NUL in an extension": (CHUNKED + b"5;a=\0\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
    "a CR in an extension": (CHUNKED + b"5;a\rb\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
    "a long extension": (CHUNKED + b"5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n", 400, "chunk"),
    "a long extension without an end": (CHUNKED + b"5;" + b"a" * 300, 400, "chunk"),
    "the last chunk ended by LF": (CHUNKED + b"0\n\r\n", 400, "bare-lf"),
    "the trailers ended by LF": (CHUNKED + b"0\r\n\n", 400, "bare-lf"),
    "a trailer ended by LF": (CHUNKED + b"0\r\nA: b\n\r\n", 400, "bare-lf"),
    "a trailer that is no field": (CHUNKED + b"0\r\nnonsense\r\n\r\n", 400, "field-name"),
    "a folded trailer": (CHUNKED + b"0\r\nA: b\r\n c\r\n\r\n", 400, "obs-fold"),
    "a request after the last chunk": (CHUNKED + b"0\r\n" + GET + HOST + END, 400, "field-name"),
    "endless trailers": (CHUNKED + b"0\r\n" + b"A: b\r\n" * 2000, 431, "head-too-large"),
    # Sizes
    "a head of 33 KiB": (GET + HOST + b"A: " + b"b" * 33 * 1024 + b"\r\n\r\n", 431, "head-too-large"),
    "a head without an end": (GET + HOST + b"A: b\r\n" * 6000, 431, "head-too-large"),
    "101 fields": (GET + HOST + b"A: b\r\n" * 100 + END, 431, "too-many-fields"),
    "a target of 9 KiB": (b"GET /" + b"a" * 9 * 1024 + b" HTTP/1.1\r\n" + HOST + END, 414, "target-too-long"),
    "a target without an end": (b"GET /" + b"a" * 40 * 1024, 414, "target-too-long"),
    "a length beyond the limit": (POST + b"Content-Length: 1001\r\n\r\n", 413, "body-too-large"),
    "chunks beyond the limit": (CHUNKED + b"3e8\r\n" + b"a" * 1000 + b"\r\n1\r\n", 413, "body-too-large"),
}

LAST = b"Connection: close\r\n\r\n"
KEPT_REQUEST = GET + HOST + LAST
LAST_CHUNKED = POST + b"Transfer-Encoding: chunked\r\n" + LAST

# Each row: the bytes, and what the app must have seen of the last request.
ACCEPTED: dict[str, tuple[bytes, dict[str, Any]]] = {
    "the simplest request": (GET + HOST + LAST, {"method": "GET", "target": "/", "body": ""}),
    "HTTP/1.0": (b"GET / HTTP/1.0\r\n" + HOST + END, {"http_version": "1.0"}),
    "a Host in upper case with a port": (
        GET + b"HOST: SHOP.Example:8080\r\n" + LAST,
        {"headers": [["host", "SHOP.Example:8080"], ["connection", "close"]]},
    ),
    "an IPv6 Host": (GET + b"Host: [::1]:8000\r\n" + LAST, {"target": "/"}),
    "absolute-form of our host": (
        b"GET http://SHOP/a?b HTTP/1.1\r\n" + HOST + LAST,
        {"target": "/a?b", "raw_path": "/a", "query_string": "b"},
    ),
    "absolute-form with the default port": (
        b"GET HTTPS://shop:443 HTTP/1.1\r\n" + HOST + LAST,
        {"target": "/"},
    ),
    "absolute-form with a query alone": (b"GET http://shop?b HTTP/1.1\r\n" + HOST + LAST, {"target": "/?b"}),
    "asterisk-form": (b"OPTIONS * HTTP/1.1\r\n" + HOST + LAST, {"target": "*", "path": "*"}),
    "asterisk-form in absolute-form": (
        b"OPTIONS http://shop HTTP/1.1\r\n" + HOST + LAST,
        {"target": "*"},
    ),
    "encoded slashes, dots and double slashes": (
        b"GET //a%2Fb/../c/./%2e%2E//%00?d=%26&e=/../?# HTTP/1.1".replace(b"#", b"") + b"\r\n" + HOST + LAST,
        {
            "target": "//a%2Fb/../c/./%2e%2E//%00?d=%26&e=/../?",
            "raw_path": "//a%2Fb/../c/./%2e%2E//%00",
            "path": "//a/b/../c/./..//\0",
            "query_string": "d=%26&e=/../?",
        },
    ),
    "an empty query": (b"GET /? HTTP/1.1\r\n" + HOST + LAST, {"target": "/?", "query_string": ""}),
    "what browsers leave unencoded": (
        b"GET /a|b?c={d}[e]^`\\'\" HTTP/1.1\r\n" + HOST + LAST,
        {"target": "/a|b?c={d}[e]^`\\'\""},
    ),
    "raw UTF-8 in the target": (
        "GET /é?ü HTTP/1.1\r\n".encode() + HOST + LAST,
        {"path": "/é", "raw_path": "/Ã©"},
    ),
    "broken UTF-8 in the target": (b"GET /%ff%C3 HTTP/1.1\r\n" + HOST + LAST, {"path": "/\ufffd\ufffd"}),
    "an unknown method": (b"M-SEARCH / HTTP/1.1\r\n" + HOST + LAST, {"method": "M-SEARCH"}),
    "empty lines before the request": (b"\r\n\r\n\r\n" + GET + HOST + LAST, {"target": "/"}),
    "white space around values": (
        GET + HOST + b"A: \t b c\t \r\nB:d\r\nC:\r\nD: \r\n" + LAST,
        {
            "headers": [
                ["host", "shop"],
                ["a", "b c"],
                ["b", "d"],
                ["c", ""],
                ["d", ""],
                ["connection", "close"],
            ]
        },
    ),
    "repeated fields": (
        GET + HOST + b"Cookie: a=1\r\nX: 1\r\nCookie: b=2\r\nX: 1\r\n" + LAST,
        {
            "headers": [
                ["host", "shop"],
                ["cookie", "a=1"],
                ["x", "1"],
                ["cookie", "b=2"],
                ["x", "1"],
                ["connection", "close"],
            ]
        },
    ),
    "a value beyond ASCII": (
        GET + HOST + b"A: \xe9\xff\r\n" + LAST,
        {"headers": [["host", "shop"], ["a", "\xe9\xff"], ["connection", "close"]]},
    ),
    "100 fields": (GET + HOST + b"A: b\r\n" * 98 + LAST, {"target": "/"}),
    "a head of 31 KiB": (GET + HOST + b"A: " + b"b" * 31 * 1024 + b"\r\n" + LAST, {"target": "/"}),
    "a length": (POST + b"Content-Length: 5\r\n" + LAST + b"hello", {"body": "hello"}),
    "a length of nothing": (POST + b"Content-Length: 0\r\n" + LAST, {"body": ""}),
    "a length with zeros before it": (POST + b"Content-Length: 005\r\n" + LAST + b"hello", {"body": "hello"}),
    "a body with a GET": (GET + HOST + b"Content-Length: 5\r\n" + LAST + b"hello", {"body": "hello"}),
    "a body with CRLFs": (
        POST + b"Content-Length: 8\r\n" + LAST + b"\r\n\r\n\r\n\n\n",
        {"body": "\r\n\r\n\r\n\n\n"},
    ),
    "chunks": (LAST_CHUNKED + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", {"body": "hello world"}),
    "no chunks": (LAST_CHUNKED + b"0\r\n\r\n", {"body": ""}),
    "chunks of CRLFs": (LAST_CHUNKED + b"4\r\n\r\n\r\n\r\n1\r\n\n\r\n0\r\n\r\n", {"body": "\r\n\r\n\n"}),
    "a coding in capitals": (
        POST + b"Transfer-Encoding: Chunked\r\n" + LAST + b"A\r\nhello hell\r\n0\r\n\r\n",
        {"body": "hello hell"},
    ),
    "chunk sizes with zeros before them": (
        LAST_CHUNKED + b"00005\r\nhello\r\n000\r\n\r\n",
        {"body": "hello"},
    ),
    "chunk extensions": (
        LAST_CHUNKED + b'5;a=b;c="d; e"\r\nhello\r\n0;last\r\n\r\n',
        {"body": "hello"},
    ),
    "trailers, which are dropped": (
        LAST_CHUNKED + b"5\r\nhello\r\n0\r\nHost: other\r\nX-DataCue-Off: 1\r\n\r\n",
        {
            "body": "hello",
            "headers": [["host", "shop"], ["transfer-encoding", "chunked"], ["connection", "close"]],
        },
    ),
    "a body of the limit": (POST + b"Content-Length: 1000\r\n" + LAST + b"a" * 1000, {"body": "a" * 1000}),
    "an upgrade with a body, which is none": (
        POST + b"Connection: upgrade, close\r\nUpgrade: x\r\nContent-Length: 1\r\n\r\na",
        {"extensions": ["datacue.informational"]},
    ),
    "an upgrade to h2c, which is none": (
        GET + HOST + b"Connection: upgrade, close\r\nUpgrade: h2c\r\n\r\n",
        {"extensions": ["datacue.informational"]},
    ),
    "an upgrade": (
        GET + HOST + b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
        {"extensions": ["datacue.informational", "datacue.tunnel"]},
    ),
    "pipelined requests": (
        GET + HOST + END + POST + b"Content-Length: 5\r\n\r\nhello" + CHUNKED + b"1\r\na\r\n0\r\n\r\n"
        b"\r\nPUT /last HTTP/1.1\r\n" + HOST + LAST,
        {"method": "PUT", "target": "/last"},
    ),
}


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("name", REFUSED)
def test_an_ambiguous_request_is_refused_and_the_connection_closed(mirrored: Mirrored, name: str) -> None:
    request, status, reason = REFUSED[name]
    answer = mirrored.edge.talk(request)  # to the end of the connection
    assert status_of(answer) == status
    assert answer.count(b"HTTP/1.1") == 1
    assert b"\r\nconnection: close\r\n" in answer
    assert mirrored.mirror.seen == []
    assert mirrored.edge.refused == [reason]
    assert reason in REASONS


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_unusual_but_clear_request_reaches_the_app_as_sent(mirrored: Mirrored, name: str) -> None:
    request, expected = ACCEPTED[name]
    answer = mirrored.edge.talk(request)
    assert status_of(answer) == 200
    seen = mirrored.mirror.seen[-1]
    assert {key: seen[key] for key in expected} == expected
    assert mirrored.edge.refused == []


@pytest.mark.parametrize("name", [*ACCEPTED, *REFUSED])
def test_a_request_sent_byte_by_byte_gives_the_same(mirrored: Mirrored, name: str) -> None:
    request = ACCEPTED[name][0] if name in ACCEPTED else REFUSED[name][0]
    if len(request) > 1500:
        pytest.skip("one packet a byte would take long; the splits below cover it")
    whole = mirrored.edge.talk(request)
    seen = mirrored.mirror.seen.copy()
    mirrored.mirror.seen.clear()
    refused = mirrored.edge.refused.copy()
    mirrored.edge.refused.clear()
    pieces = mirrored.edge.talk(*(request[at : at + 1] for at in range(len(request))))
    assert without_dates(pieces) == without_dates(whole)
    assert mirrored.mirror.seen == seen
    assert mirrored.edge.refused == refused


def without_dates(answer: bytes) -> list[bytes]:
    return [line for line in answer.split(b"\r\n") if not line.startswith(b"date: ")]


ANY_ROW = st.sampled_from([*(row[0] for row in ACCEPTED.values()), *(row[0] for row in REFUSED.values())])


@given(request=ANY_ROW, cuts=st.lists(st.integers(0, 40_000), max_size=8))
@settings(max_examples=400, deadline=None)
def test_how_bytes_fall_into_packets_makes_no_difference(play: Play, request: bytes, cuts: list[int]) -> None:
    points = sorted({0, len(request), *(cut % len(request) for cut in cuts)})
    packets = [request[start:stop] for start, stop in pairwise(points)]
    assert play(packets) == play([request])


CROWD = st.lists(st.integers(0, 3), min_size=1, max_size=5)


@given(request=ANY_ROW, cuts=st.lists(st.integers(0, 40_000), max_size=8), crowd=CROWD)
@settings(max_examples=200, deadline=None)
def test_a_request_that_waits_for_its_turn_is_read_as_any_other(
    play: Play, request: bytes, cuts: list[int], crowd: list[int]
) -> None:
    points = sorted({0, len(request), *(cut % len(request) for cut in cuts)})
    packets = [request[start:stop] for start, stop in pairwise(points)]
    assert play(packets, crowd) == play([request])


@given(targets=st.lists(st.integers(1, 9), min_size=2, max_size=6), crowd=CROWD)
@settings(max_examples=50, deadline=None)
def test_requests_sent_ahead_wait_for_their_turn_in_order(
    play: Play, targets: list[int], crowd: list[int]
) -> None:
    packets = [b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % target for target in targets]
    _, seen, ended = play(packets, crowd)
    assert [request["target"] for request in seen] == [f"/{target}" for target in targets]
    assert not ended


def test_a_keep_alive_connection_serves_one_request_after_another(mirrored: Mirrored) -> None:
    with mirrored.edge.connect() as client:
        for at in range(5):
            client.sendall(b"GET /%d HTTP/1.1\r\n" % at + HOST + END)
            answer = client.recv(65536)
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["target"] == f"/{at}"
            assert b"connection:" not in answer.lower().partition(b"\r\n\r\n")[0]


def test_a_good_request_before_a_bad_one_is_answered(mirrored: Mirrored) -> None:
    answer = mirrored.edge.talk(GET + HOST + END + GET + b"Host : shop\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 ") == 1
    assert answer.count(b"HTTP/1.1 400 ") == 1
    assert answer.index(b" 200 ") < answer.index(b" 400 ")
    assert len(mirrored.mirror.seen) == 1


def test_what_follows_a_refused_request_is_never_read_as_one(mirrored: Mirrored) -> None:
    smuggled = b"GET /smuggled HTTP/1.1\r\n" + HOST + END
    answer = mirrored.edge.talk(
        POST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % len(smuggled), smuggled * 3
    )
    assert answer.count(b"HTTP/1.1") == 1
    assert mirrored.mirror.seen == []


def test_a_body_that_says_too_much_is_refused_before_it_is_sent(mirrored: Mirrored) -> None:
    with mirrored.edge.connect() as client:
        client.sendall(POST + b"Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_waits_for_it_gets_100_continue(mirrored: Mirrored) -> None:
    with mirrored.edge.connect() as client:
        client.sendall(POST + b"Content-Length: 5\r\nExpect: 100-Continue\r\n\r\n")
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
