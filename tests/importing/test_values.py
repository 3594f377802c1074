"""Single values, as shops write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.importer import values
from proxy.importer.amounts import money
from proxy.importer.moments import moment
from proxy.importer.unusable import Unusable

EURO = "\u20ac"


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1299", "1299"),
        ("1299.00", "1299.00"),
        ("1,299.00", "1299.00"),
        ("1.299,00 " + EURO, "1299.00"),
        ("$1,299.00", "1299.00"),
        ("CHF 1'299.50", "1299.50"),
        ("1\u00a0299,50", "1299.50"),
        ("1 234 567,8", "1234567.80"),
        ("1,234,567", "1234567.00"),
        ("1.234.567", "1234567.00"),
        ("12,5", "12.50"),
        (",5", "0.50"),
        ("0.125", "0.13"),
        ("12.990000", "12.99"),
        ("USD 12", "12.00"),
        ("Rs. 100", "100.00"),
        ("12.00 USD", "12.00"),
        (1299, "1299"),
        (12.1, "12.10"),
        (Decimal("8.395"), "8.40"),
        ("0", "0"),
    ],
)
def test_money_is_read_as_it_is_meant(written, amount):
    assert money(written) == Decimal(amount)
    assert -2 <= money(written).as_tuple().exponent <= 0


@pytest.mark.parametrize("written", ["1.299", "1,299", "12.500"])
def test_an_amount_that_can_mean_two_is_refused_until_one_says_which(written):
    with pytest.raises(Unusable, match="two ways"):
        money(written)
    assert {money(written, "."), money(written, ",")} == {
        Decimal(written.replace(",", ".")).quantize(Decimal("0.01")),
        Decimal(written.replace(",", "").replace(".", "")),
    }


@pytest.mark.parametrize(
    "written",
    ["", "ask us", "1.2.3", "1,23,4", "12-34", "-5", "1e400", "nan", True, None, [], "9" * 30, "x" * 200],
)
def test_what_is_no_amount_is_refused(written):
    with pytest.raises(Unusable):
        money(written)


@given(
    st.decimals(0, 10**9, places=2),
    st.sampled_from([".", ","]),
    st.sampled_from(["", " ", "'", "\u00a0", "other"]),
    st.sampled_from(["{}", "{} " + EURO, "$ {}", "EUR {}"]),
)
def test_any_amount_in_any_spelling_is_read_back(amount, point, between, frame):
    if between == "other":
        between = "," if point == "." else "."
    written = frame.format(f"{amount:,.2f}".replace(",", "|").replace(".", point).replace("|", between))
    assert money(written) == amount


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2018-01-23T00:30:08.276Z", "2018-01-23T00:30:08.276Z"),
        ("2018-04-04 23:29:04Z", "2018-04-04T23:29:04Z"),
        ("2018-04-04T23:29:04-03:00", "2018-04-05T02:29:04Z"),
        ("2018-04-04T23:29:04-0300", "2018-04-05T02:29:04Z"),
        ("2026-03-17 08:00:00 -0500", "2026-03-17T13:00:00Z"),
        ("2026-03-17 08:00:00 UTC", "2026-03-17T08:00:00Z"),
        ("2018-04-04", "2018-04-04T00:00:00Z"),
        ("31.12.2018 9:05", "2018-12-31T09:05:00Z"),
        ("2018/12/31 23:59:59", "2018-12-31T23:59:59Z"),
        (1522884544, "2018-04-04T23:29:04Z"),
        ("1522884544000", "2018-04-04T23:29:04Z"),
    ],
)
def test_times_come_in_utc(written, read):
    assert moment(written) == read


@pytest.mark.parametrize("written", ["", "04/05/2018", "yesterday", "2018-13-01", True, [], "9" * 40])
def test_what_is_no_time_is_refused(written):
    with pytest.raises(Unusable):
        moment(written)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("plain", "plain"),
        ("<p>A <b>fine</b> chair.</p><p>Two</p>", "A fine chair. Two"),
        ("5 &lt; 6 &amp; more", "5 < 6 & more"),
        ("legs <5 cm", "legs <5 cm"),
        ("a<br/>b<script>x()</script><!-- no -->c", "a b c"),
        ("<style>p{}", ""),
    ],
)
def test_prose_loses_its_html(written, text):
    assert values.prose(written) == text


@pytest.mark.parametrize(
    "good", ["https://shop.example/p/1?a=b", "/p/1", "p/1.html", "?p=1", "//cdn.example/x.png"]
)
def test_addresses_may_be_whole_or_relative(good):
    assert values.url(good) == good


@pytest.mark.parametrize(
    "bad",
    ["javascript:alert(1)", "ftp://x/y", "https://", "data:text/html,x", "//", "http://[x", "a\x07b", ""],
)
def test_other_addresses_are_refused(bad):
    with pytest.raises(Unusable):
        values.url(bad)


@pytest.mark.parametrize(("written", "read"), [("7", 7), ("12.0000", 12), (3.0, 3), ("-2", 0), ("5,0", 5)])
def test_stock_is_whole_and_not_below_none(written, read):
    assert values.stock(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [("1", True), ("Yes", True), ("in stock", True), (False, False), ("disabled", False), (0, False)],
)
def test_yes_and_no_in_many_words(written, read):
    assert values.flag(written) is read


@pytest.mark.parametrize(
    ("reader", "bad"),
    [
        (values.flag, "perhaps"),
        (values.ident, "x" * 300),
        (values.ident, "a\nb"),
        (values.ident, True),
        (values.text, "x" * 70_000),
        (values.text, "a\0b"),
        (values.whole, "1.5"),
        (values.pieces, "0"),
        (values.email, "nobody"),
        (values.table, "[1]"),
        (values.rows, "{}"),
        (values.number, "many"),
    ],
)
def test_values_that_do_not_fit_are_refused(reader, bad):
    with pytest.raises(Unusable):
        reader(bad)
