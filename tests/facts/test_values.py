from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.facts import values

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.from_regex(r"[\d.,' €£$-]{0,30}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("£12.99", 12.99),
        ("1.299,00 €", 1299.0),
        ("$1,299.00", 1299.0),
        ("1\u00a0299,50 zł", 1299.5),
        ("1\u202f299,50", 1299.5),
        ("CHF 1'299.–", 1299.0),
        ("CHF 1’299.05", 1299.05),
        ("12.345.678,90", 12345678.90),
        ("12,345,678", 12345678.0),
        ("ab 1.299 €", 1299.0),
        ("0.999", 0.999),
        ("0,499 kg", 0.499),
        ("12,5", 12.5),
        ("1299", 1299.0),
        ("£10.00 – £20.00", 10.0),
        ("Now 10 20", 10.0),
        ("1.2345", 1.2345),
        ("1 234 5", 1.0),
        ("-5.00", None),
        ("free", None),
        ("", None),
    ],
)
def test_a_price_is_read_as_people_write_it(written: str, amount: float | None) -> None:
    assert values.written_price(written) == amount


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("1.299", 1.299),
        ("$1,299.00", 1299.0),
        (12, 12.0),
        (-1, None),
        (True, None),
        (None, None),
        (math.inf, None),
        (1e13, None),
        (10**400, None),
        ("nan", None),
        ([], None),
    ],
)
def test_a_price_for_machines_is_a_decimal(value: Any, amount: float | None) -> None:
    assert values.price(value) == amount


@given(
    st.decimals(min_value=0, max_value=999_999, places=2),
    st.sampled_from([(",", "."), (".", ","), (" ", ",")]),
)
def test_every_written_amount_comes_back(amount: Any, marks: tuple[str, str]) -> None:
    thousands, decimal = marks
    written = f"{amount:,.2f}".replace(",", "T").replace(".", decimal).replace("T", thousands)
    assert values.written_price(f"{written} €") == float(amount)


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("sku-1", "sku-1"),
        (" 42 ", "42"),
        (42, "42"),
        (42.0, "42"),
        (42.5, None),
        (True, None),
        (None, None),
        ("", None),
        ("a\nb", None),
        ("x" * 256, "x" * 256),
        ("x" * 257, None),
        (10**300, None),
        (math.nan, None),
        ({}, None),
    ],
)
def test_an_id_is_a_short_text_or_an_integer(value: Any, known: str | None) -> None:
    assert values.identifier(value) == known


def test_text_loses_tags_references_and_line_breaks() -> None:
    assert values.text(" <p>Tables &amp;\n Chairs</p> ") == "Tables & Chairs"


def test_text_is_cut() -> None:
    assert values.text("ab cd", 3) == "ab"


def test_an_endless_character_reference_is_no_error() -> None:
    assert values.text("&#" + "9" * 100_000 + ";") == "\ufffd"


def test_a_number_is_a_name_as_well() -> None:
    assert values.text(1984) == "1984"


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        ("utf-8", "Möbel".encode(), "Möbel"),
        ("iso-8859-1", "5 €".encode("cp1252"), "5 €"),
        ("windows-1251", "стул".encode("cp1251"), "стул"),
        ("shift_jis", "椅子".encode("cp932"), "椅子"),
        ("no-such-charset", b"chair", "chair"),
        ("punycode", b"chair", "chair"),
        ("hex", b"zz", "zz"),
        ("a\0b", b"chair", "chair"),
        ("utf-8", b"\xff", "\ufffd"),
    ],
)
def test_bytes_are_decoded_as_browsers_do(charset: str, raw: bytes, text: str) -> None:
    assert values.decode(raw, charset) == text


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("EUR", "EUR"),
        ("eur", "EUR"),
        ("12 CHF", "CHF"),
        ("£12", "GBP"),
        ("R$ 5", "BRL"),
        ("US$5", "USD"),
        ("$5", None),
        ("NOW EUROPE", "NOW"),
        ("Europe", None),
        (978, None),
    ],
)
def test_a_currency_is_a_code_or_an_unambiguous_sign(value: Any, code: str | None) -> None:
    assert values.currency(value) == code


@pytest.mark.parametrize(
    ("value", "best", "scaled"),
    [
        (4, 5, 80.0),
        ("4.4", "5", 88.0),
        (4, None, 80.0),
        (8, None, 80.0),
        (87, None, 87.0),
        (250, None, 100.0),
        ("92%", None, 92.0),
        (6, 5, 100.0),
        (4, 0, None),
        ("good", 5, None),
        ("4,5", "5", 90.0),
    ],
)
def test_a_rating_is_scaled_to_a_hundred(value: Any, best: Any, scaled: float | None) -> None:
    assert values.rating(value, best) == scaled


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("https://schema.org/InStock", True),
        ("http://schema.org/OutOfStock/", False),
        ("schema.org#SoldOut", False),
        ("in stock", True),
        ("In_Stock", True),
        ("PreOrder", True),
        ("perhaps", None),
        (True, True),
        (0, False),
        (None, None),
    ],
)
def test_availability_is_read_in_every_spelling(value: Any, known: bool | None) -> None:
    assert values.availability(value) is known


@pytest.mark.parametrize(("value", "pieces"), [("5", 5), (5.9, 5), (-3, 0), (None, None), (1e300, None)])
def test_stock_is_a_whole_number_from_zero(value: Any, pieces: int | None) -> None:
    assert values.stock(value) == pieces


def test_surrogates_are_joined_or_replaced() -> None:
    assert values.scrub("\ud83d\ude00 \ud83d") == "😀 \ufffd"


@given(anything)
def test_no_value_makes_a_reader_raise(value: Any) -> None:
    for reader in (
        values.text, values.identifier, values.number, values.price, values.currency,
        values.rating, values.availability, values.stock,
    ):  # fmt: skip
        reader(value)
    values.rating(5, value)
    list(values.each(value))


@given(st.binary(), st.text())
def test_no_bytes_make_a_decoder_raise(raw: bytes, charset: str) -> None:
    values.unescape(raw, charset).encode()
