from __future__ import annotations

import pytest

from proxy.http1 import Origin


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path", "authority"),
    [
        ("http://shop", "http", "shop", 80, "", b"shop"),
        ("http://shop/", "http", "shop", 80, "", b"shop"),
        ("http://shop:8080/a/b/", "http", "shop", 8080, "/a/b", b"shop:8080"),
        ("https://shop:443/", "https", "shop", 443, "", b"shop"),
        ("https://shop:80", "https", "shop", 80, "", b"shop:80"),
        ("HTTP://Shop", "http", "shop", 80, "", b"shop"),
        ("http://[::1]:81", "http", "::1", 81, "", b"[::1]:81"),
        ("http://[fe80::1%25eth0]", "http", "fe80::1%eth0", 80, "", b"[fe80::1]"),
        ("http://möbel.de", "http", "xn--mbel-5qa.de", 80, "", b"xn--mbel-5qa.de"),
        ("http://shop_1", "http", "shop_1", 80, "", b"shop_1"),
    ],
)
def test_reads_an_origin(url: str, scheme: str, host: str, port: int, path: str, authority: bytes) -> None:
    origin = Origin.parse(url)
    assert (origin.scheme, origin.host, origin.port, origin.path) == (scheme, host, port, path)
    assert origin.authority == authority


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://shop", "must begin with http"),
        ("shop:8080", "must begin with http"),
        ("//shop", "must begin with http"),
        ("", "space or control"),
        ("http://", "names no host"),
        ("http://shop:0", "number from 1 to 65535"),
        ("http://shop:", "number from 1 to 65535"),
        ("http://shop:65536", "number from 1 to 65535"),
        ("http://shop:x", "number from 1 to 65535"),
        ("http://shop?a=b", "no query"),
        ("http://shop#", "no fragment"),
        ("http://sh op", "space or control"),
        ("http://shop\n", "space or control"),
        ("http://shop/ü", "percent-encoded"),
        ("http://sh*op", "valid host name"),
        ("http://[zz]", "not a URL"),
        ("http://" + "a" * 64, "valid host name"),
    ],
)
def test_says_what_is_wrong_with_a_url(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Origin.parse(url)


@pytest.mark.parametrize(
    "url", ["http://me:secret@shop", "http://me@shop", "ftp://me:secret@shop", "me:secret@shop"]
)
def test_never_repeats_a_password(url: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # its text is what is looked at
        Origin.parse(url)
    assert "secret" not in str(caught.value) or "//" not in url


def test_names_its_socket() -> None:
    assert str(Origin.parse("http://shop", uds="/run/shop.sock")) == "http://shop (socket /run/shop.sock)"
