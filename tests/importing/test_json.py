"""JSON: documents and lines, cut anywhere, and items that are broken."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.errors import SettingsError
from proxy.importer import jsonfile
from proxy.importer.jsonfile import JsonDocument, JsonLines

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=6
)  # fmt: skip
OBJECTS = st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), max_size=6)


class Sips(io.StringIO):
    """A text that comes in pieces of these sizes."""

    def __init__(self, text, sizes):
        super().__init__(text, newline=None)
        self._sizes = iter(sizes)

    def read(self, _size=-1):
        return super().read(next(self._sizes, 1))


def read(form, text, sizes=()):
    return [(record.line, record.fields) for record in form.read(Sips(text, sizes)) if not record.broken]


@given(OBJECTS, st.sampled_from([None, 0, 2]), st.booleans(), st.lists(st.integers(1, 40), max_size=30))
@example([{"a": '\\"]}'}, {"b": [{"c": "\\\\"}]}], None, True, [1] * 30)
@settings(max_examples=60, deadline=None)
def test_items_are_the_same_however_the_document_is_cut(objects, indent, held, sizes):
    document = {"before": {"products": 1}, "products": objects, "after": [1]} if held else objects
    text = json.dumps(document, indent=indent)
    assert [fields for _, fields in read(JsonDocument(("products",)), text, sizes)] == objects


def test_every_cut_of_a_document_gives_the_same_items_and_lines():
    text = '[ {"a": "x\\"y", "n": 12.50},\n\n {"b": [1, {"c": "]"}]},\n"o1", 7]\n'
    whole = read(JsonDocument(("products",)), text, [len(text)])
    assert whole == [
        (1, {"a": 'x"y', "n": 12.5}), (3, {"b": [1, {"c": "]"}]}), (4, {"": "o1"}), (4, {"": 7}),
    ]  # fmt: skip
    for cut in range(1, len(text)):
        assert read(JsonDocument(("products",)), text, [cut, len(text)]) == whole


@given(OBJECTS)
@settings(max_examples=30, deadline=None)
def test_lines_are_read_as_they_were_written(objects):
    text = "\n\n".join(map(json.dumps, objects))
    expected = [(1 + 2 * number, item) for number, item in enumerate(objects)]
    assert read(JsonLines(), text, [len(text)]) == expected


BROKEN = [
    '{"id": 2, "name": tru}',
    '{"id": 2, "name": "5" TV"}',
    '{"id": 2 "name": "x"}',
    '{"id": 2, "name": NaN}',
    '{"id": 2, "name": "x"',
    '{"id": 2, "name": "x',
    '{"id": 2, "lines": [{"id": 9}, {"id": 8]}',
    "[1, 2]",
]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("cut", [1, 7, 1_000])
def test_an_item_that_is_no_json_is_bad_alone(broken, cut, monkeypatch):
    monkeypatch.setattr(jsonfile, "CHUNK", cut)
    text = f'[\n{{"id": 1}},\n{broken},\n{{"id": 3}},\n{{"id": 4}}\n]'
    found = list(JsonDocument(()).read(io.StringIO(text)))
    assert [record.fields for record in found if not record.broken] == [{"id": 1}, {"id": 3}, {"id": 4}]
    [bad] = [record for record in found if record.broken]
    assert (bad.line, bad.raw.replace(" ", "")) == (3, broken.replace(" ", ""))


@pytest.mark.parametrize("broken", BROKEN)
def test_a_line_that_is_no_json_is_bad_alone(broken):
    found = list(JsonLines().read(io.StringIO(f'{{"id": 1}}\n{broken}\n{{"id": 3}}\n')))
    assert [record.fields for record in found if not record.broken] == [{"id": 1}, {"id": 3}]
    assert [record.line for record in found if record.broken] == [2]


def test_a_document_that_ends_too_early_says_so():
    found = list(JsonDocument(()).read(io.StringIO('[{"id": 1}, {"id": 2}')))
    assert [record.fields for record in found if not record.broken] == [{"id": 1}, {"id": 2}]
    assert found[-1].broken == "the document ends too early"


def test_what_follows_a_document_is_told():
    found = list(JsonDocument(()).read(io.StringIO('[{"id": 1}] [{"id": 2}]')))
    assert found[-1].broken == "something follows the end of the document"


def test_one_item_is_never_more_than_its_limit(monkeypatch):
    monkeypatch.setattr(jsonfile, "CHUNK", 64)
    monkeypatch.setattr(jsonfile, "MAX_ITEM", 512)
    text = '[{"id": 1},\n{"id": "' + "x" * 2_000 + '"},\n{"id": 3}]'
    found = list(JsonDocument(()).read(io.StringIO(text)))
    assert found[0].fields == {"id": 1}
    assert found[1].broken


@pytest.mark.parametrize(
    ("text", "name", "amount"),
    [
        ('{"product_id": "p1"}\n{"product_id": "p2"}\n', "file.json", 2),
        ('{"product_id": "p1"}', "file", 1),
        ('{"products": [{"product_id": "p1"}]}', "file.json", 1),
        ('{\n"type": "products",\n"batch": [{"product_id": "p1"}, {"product_id": "p2"}]}', "x", 2),
        (' [{"product_id": "p1"}]', "file.txt", 1),
        ('{"product_id": "p1"}\n', "file.jsonl.gz", 1),
    ],
)
def test_documents_and_lines_are_told_apart(records, text, name, amount):
    found = records(text, name=name)
    assert [record.fields["product_id"] for record in found] == ["p1", "p2"][:amount]


@pytest.mark.parametrize("text", ['{\n"shops": [1]}', "7", '{\n"a" 1}'])
def test_a_document_without_items_is_refused(records, text):
    with pytest.raises(SettingsError, match=r"no list named|neither an array|no JSON"):
        records(text, name="file.json", asked="json")


@pytest.mark.parametrize("text", ["[]", '{"items": []}', "[ ]\n"])
def test_a_document_with_no_items_is_an_import_of_nothing(items, text):
    assert items(text, name="file.json") == []


@pytest.mark.parametrize("text", ['[{"product_id": 1', "[" * 9_000, '[{"product_id":' + "9" * 5_000 + "}]"])
def test_a_document_of_which_nothing_can_be_read_says_why(items, text):
    with pytest.raises(SettingsError, match="holds nothing that can be read; line 1: "):
        items(text, name="file.json")
