"""What was posted is read as shops read it, within limits, and never in the way."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.capture.body import MAX_BODY, WatchedBody
from proxy.capture.form import JSON, MAX_FIELDS, MULTIPART, URLENCODED, read_form
from proxy.facts.address import clean

NAMES = st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable())
VALUES = st.text(max_size=30).filter(lambda text: "\ufffd" not in text)
FORMS = st.dictionaries(NAMES, VALUES, max_size=8)


@given(FORMS)
def test_urlencoded_fields_are_read(fields):
    body = urlencode(fields).encode()
    assert read_form(URLENCODED, body, whole=True) == {name: clean(value) for name, value in fields.items()}


@given(st.dictionaries(st.from_regex(r"[a-z\[\]_0-9]{1,12}", fullmatch=True), VALUES, max_size=8))
def test_multipart_fields_are_read(fields):
    parts = [
        f'--b0undary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    kind = MULTIPART + b'; boundary="b0undary"'
    read = read_form(kind, b"".join(parts) + b"--b0undary--\r\n", whole=True)
    assert read == {name: clean(value) for name, value in fields.items()}


@given(
    st.binary(max_size=300), st.sampled_from([URLENCODED, MULTIPART + b"; boundary=x", JSON]), st.booleans()
)
def test_nothing_that_is_posted_raises(body, kind, whole):
    assert isinstance(read_form(kind, body, whole=whole), dict)


@given(FORMS, st.integers(0, 200))
def test_of_a_beginning_only_whole_fields_count(fields, cut):
    body = urlencode(fields).encode()
    read = read_form(URLENCODED, body[:cut], whole=False)
    assert read.items() <= {name: clean(value) for name, value in fields.items()}.items()


def test_of_a_field_that_is_there_twice_the_last_counts():
    assert read_form(URLENCODED, b"wanted=0&wanted=1", whole=True) == {"wanted": "1"}


def test_inner_values_of_json_have_dotted_names():
    body = msgspec.json.encode({"items": [{"id": 7, "gift": True, "note": None}], "total": 1.5})
    assert read_form(JSON, body, whole=True) == {"items.0.id": "7", "items.0.gift": "true", "total": "1.5"}


def test_files_and_unfinished_parts_are_left_out():
    body = (
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n1\r\n'
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n2\r\n'
        b'--x\r\nContent-Disposition: form-data; name="b"\r\n\r\n3'
    )
    assert read_form(MULTIPART + b"; boundary=x", body, whole=False) == {"a": "2"}


def test_fields_are_bounded():
    assert (
        len(read_form(URLENCODED, urlencode({f"f{n}": "1" for n in range(2000)}).encode(), whole=True))
        <= MAX_FIELDS
    )
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    assert read_form(JSON, deep, whole=True) == {}


async def passed(body, sizes, headers):
    """What a watched body gives to the app, and its form."""
    pieces, at = [], 0
    for size in sizes:
        pieces.append(body[at : at + size])
        at += size
    pieces.append(body[at:])

    async def receive():
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    watched = WatchedBody(receive, headers)
    out = []
    while True:
        message = await watched()
        out.append(message["body"])
        if not message["more_body"]:
            return out, watched.form()


@pytest.mark.parametrize("sizes", [[], [1] * 12, [5, 3], [0, 0, 4]])
async def test_a_body_passes_as_it_comes_and_is_read_however_it_is_cut(sizes):
    body = b"id=p5&quantity=2"
    out, form = await passed(body, sizes, [(b"content-type", URLENCODED)])
    assert b"".join(out) == body
    assert len(out) == len(sizes) + 1
    assert form == {"id": "p5", "quantity": "2"}


async def test_no_more_than_the_limit_is_kept():
    body = b"id=p5&note=" + b"x" * (2 * MAX_BODY) + b"&id=p6"
    out, form = await passed(body, [MAX_BODY - 5, 10, 10], [(b"content-type", URLENCODED)])
    assert b"".join(out) == body
    assert form == {"id": "p5"}


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-type", b"image/png")],
        [],
        [(b"content-type", URLENCODED), (b"content-encoding", b"gzip")],
    ],
)
async def test_what_is_no_form_is_not_kept(headers):
    out, form = await passed(b"id=p5", [], headers)
    assert out == [b"id=p5"]
    assert form == {}
