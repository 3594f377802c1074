"""Sitemaps as sitemaps.org and the shops' plugins write them."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.crawl import sitemap
from proxy.crawl.sitemap import MAX_LOC, MAX_SITEMAP, Entry, SitemapError, read

NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
PAGE = "https://shop.example/product/1"


def entries(body):
    return [entry for some in read(body) for entry in some]


def urlset(inside):
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {NAMESPACE}>{inside}</urlset>'.encode()


def test_pages_with_what_is_said_of_their_change():
    body = urlset(f"<url><loc> {PAGE} </loc><lastmod>2026-11-01</lastmod></url><url><loc>{PAGE}0</loc></url>")
    assert entries(body) == [Entry(PAGE, "2026-11-01", False), Entry(f"{PAGE}0", None, False)]


def test_an_index_names_sitemaps():
    body = (
        f"<sitemapindex {NAMESPACE}><sitemap><loc>https://shop.example/1.xml</loc></sitemap></sitemapindex>"
    )
    assert entries(body.encode()) == [Entry("https://shop.example/1.xml", None, True)]


def test_escaped_and_cdata_addresses_are_read():
    body = urlset(
        "<url><loc>https://shop.example/?a=1&amp;b=2</loc></url><url><loc><![CDATA[https://shop.example/?a&b]]></loc></url>"
    )
    assert [entry.url for entry in entries(body)] == [
        "https://shop.example/?a=1&b=2",
        "https://shop.example/?a&b",
    ]


def test_a_product_photo_is_no_page():
    image = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
    photo = f"<image:image {image}><image:loc>https://shop.example/1.jpg</image:loc></image:image>"
    assert [entry.url for entry in entries(urlset(f"<url>{photo}<loc>{PAGE}</loc>{photo}</url>"))] == [PAGE]


def test_a_gzipped_sitemap_is_unpacked():
    assert [entry.url for entry in entries(gzip.compress(urlset(f"<url><loc>{PAGE}</loc></url>")))] == [PAGE]


def test_a_list_of_addresses_is_a_sitemap():
    body = f"\ufeff{PAGE}\r\n\r\n{PAGE}0".encode()
    assert [entry.url for entry in entries(body)] == [PAGE, f"{PAGE}0"]


def test_an_address_beyond_the_limit_is_left_out():
    body = urlset(f"<url><loc>{PAGE}{'x' * MAX_LOC}</loc></url><url><loc>{PAGE}</loc></url>")
    assert [entry.url for entry in entries(body)] == [PAGE]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "empty"),
        (b"<html><body>Not found</body></html>", "begins with <html>"),
        (b"<!doctype html><html><body>Not found</body></html>", "is broken"),
        (b"Service unavailable", "neither XML"),
        (b"x" * 5_000, "neither XML"),
        (gzip.compress(urlset(""))[:-9], "gzip"),
        (b'<!DOCTYPE urlset [<!ENTITY a "aaaa">]><urlset>&a;</urlset>', "entities"),
    ],
)
def test_what_is_no_sitemap_is_said_to_be_none(body, problem):
    with pytest.raises(SitemapError, match=problem):
        entries(body)


def test_what_stands_before_a_mistake_counts():
    found = read(urlset(f"<url><loc>{PAGE}</loc></url><url><loc>a&b</loc></url>"))
    assert [entry.url for entry in next(found)] == [PAGE]
    with pytest.raises(SitemapError, match="broken"):
        next(found)


def test_few_bytes_that_stand_for_too_many_are_refused(monkeypatch):
    monkeypatch.setattr(sitemap, "MAX_SITEMAP", 1 << 20)
    assert MAX_SITEMAP > 1 << 20
    with pytest.raises(SitemapError, match="larger than 1 MiB"):
        entries(gzip.compress(urlset(" " * (2 << 20))))


@settings(max_examples=50)
@given(st.lists(st.integers(0, 10**6)), st.integers(1, 40))
def test_however_the_file_is_cut_the_entries_are_the_same(numbers, piece):
    body = urlset("".join(f"<url><loc>{PAGE}{number}</loc></url>" for number in numbers))
    before = sitemap.PIECE
    try:
        sitemap.PIECE = max(piece, 20)
        assert [entry.url for entry in entries(body)] == [f"{PAGE}{number}" for number in numbers]
    finally:
        sitemap.PIECE = before
