"""Tables: every dialect, every encoding, exact lines, and rows that are broken."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from proxy.importer.csvfile import MAX_ROW

HEADER = ["product_id", "name", "price", "brand"]
LETTERS = st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"])
CELLS = st.text(LETTERS, max_size=12)
TABLES = st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=8)
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;\t|"),
        "quotechar": st.just('"'),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        "lineterminator": st.sampled_from(["\n", "\r\n"]),
    }
)


def written(rows, **dialect):
    if any("\r" in cell for row in rows for cell in row):
        dialect["quoting"] = csv.QUOTE_ALL  # Python's writer leaves a bare one unquoted
    file = io.StringIO(newline="")
    csv.writer(file, **dialect).writerows(rows)
    return file.getvalue()


@given(rows=TABLES, dialect=DIALECTS, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
@example(rows=[["a", "b\nc;d", "'", '"']], dialect={"delimiter": "|"}, encoding="utf-16")
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_in_any_dialect_is_read_as_it_was_written(records, rows, dialect, encoding):
    rows = [row for row in rows if any(row)]
    found = records(written([HEADER, *rows], **dialect).encode(encoding))
    assert [list(record.fields.values()) for record in found] == rows
    assert not any(record.broken for record in found)


@given(rows=TABLES, dialect=DIALECTS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_record_begins_on_its_line(records, rows, dialect):
    rows = [row for row in rows if any(row)]
    expected, line = [], 2
    for row in rows:
        expected.append(line)
        # Whatever ends a line in an editor ends one here.
        line += len(io.StringIO(written([row], **dialect), newline="").readlines())
    found = records(written([HEADER, *rows], **dialect))
    assert [record.line for record in found] == expected


@pytest.mark.parametrize("quote", ["'", '"'])
def test_either_quote_is_found_out(records, quote):
    rows = [["p1", 'it\'s; "fine"', "1", ""], ["p2", "b", "2", "c"]]
    text = written([HEADER, *rows], delimiter=";", quotechar=quote, quoting=csv.QUOTE_ALL)
    assert [list(record.fields.values()) for record in records(text)] == rows


def test_excels_word_on_the_delimiter_is_taken(records):
    [record] = records("sep=;\nproduct_id;name\np1;a, b\n")
    assert (record.line, record.fields) == (3, {"product_id": "p1", "name": "a, b"})


def test_empty_lines_and_rows_are_no_items(records):
    found = records("\n\nproduct_id,name\n\np1,a\n,\n\np2,b\n")
    assert [(record.line, record.fields["product_id"]) for record in found] == [(5, "p1"), (8, "p2")]


@pytest.mark.parametrize(
    ("encoding", "word"),
    [
        ("utf-8", "Größe"),
        ("latin-1", "Größe"),
        ("windows-1252", "5 €"),
        ("utf-16-le", "Größe"),
        ("utf-16-be", "日本語"),
    ],
)
def test_encodings_are_found_out(records, encoding, word):
    lines = "".join(f"p{number},plain,1,x\n" for number in range(3_000))
    found = records(f"product_id,name,price,brand\n{lines}p,{word},1,x\n".encode(encoding))
    assert found[-1].fields["name"] == word


def test_a_few_bytes_that_do_not_fit_make_bad_rows_alone(records):
    good = "".join(f"p{number},Größe,1,x\n" for number in range(5)).encode()
    found = records(b"product_id,name,price,brand\n" + good + b"bad,Gr\xf6sse,1,x\n" + good)
    assert [record.line for record in found if record.broken] == [7]
    assert found[5].broken == "name: holds bytes that are not utf-8"


def test_gzip_is_unpacked_whatever_the_name(records):
    packed = gzip.compress(b"product_id,name\np1,a\n")
    assert records(packed, name="products.csv")[0].fields == {"product_id": "p1", "name": "a"}


def test_a_row_that_is_too_short_or_too_long_is_bad_alone(records):
    found = records("product_id,name\np1,a\np2\np3,b,c\np4,d,,\np5,e\n")
    assert [(record.line, record.broken) for record in found] == [
        (2, ""),
        (3, "has 1 columns, the header has 2"),
        (4, "has 3 columns, the header has 2"),
        (5, ""),
        (6, ""),
    ]


@pytest.mark.parametrize("tail", ["", 'p5,"fine",2,\n'], ids=["to the end", "to the next quote"])
def test_a_quote_that_is_not_closed_costs_its_line_alone(records, tail):
    text = 'product_id,name,price,brand\np1,a,1,\np2,"12 inch,1,\np3,b,1,\np4,c,1,\n' + tail
    found = records(text)
    assert [record.fields["product_id"] for record in found if not record.broken][:3] == ["p1", "p3", "p4"]
    [broken] = [record for record in found if record.broken]
    assert (broken.line, broken.raw) == (3, ["p2", '"12 inch', "1", ""])
    assert "quote" in broken.broken


def test_a_quote_in_the_last_column_that_is_not_closed_costs_its_line_alone(records):
    found = records('product_id,name\np1,a\np2,"b\np3,c\n')
    assert [(record.line, bool(record.broken)) for record in found] == [(2, False), (3, True), (4, False)]


def test_an_endless_line_is_one_bad_row(records):
    found = records("product_id,name\np1,a\np2," + "x" * (3 * MAX_ROW) + "\np3,b\n")
    assert [(record.line, bool(record.broken)) for record in found] == [(2, False), (3, True), (4, False)]


def test_columns_without_a_name_or_with_one_twice_are_told_apart(records):
    [record] = records("product_id,name,,name\np1,a,b,c\n")
    assert record.fields == {"product_id": "p1", "name": "a", "column 3": "b", "name (2)": "c"}
