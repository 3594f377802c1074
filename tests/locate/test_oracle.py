"""A marker fires if, and only if, it is in a real start tag: an independent tokenizer and tree say which are."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from turbohtml import Element, Namespace, parse

from proxy.locate import Plan

if TYPE_CHECKING:
    from conftest import Send

def html5lib_inputs(folder: Path) -> list[bytes]:
    found: dict[bytes, None] = {}
    for file in sorted((folder / "html5lib-tokenizer").glob("*.test")):
        tests = json.loads(file.read_text())
        for test in tests.get("tests", tests.get("xmlViolationTests")):
            text = test["input"]
            if test.get("doubleEscaped"):
                text = text.encode().decode("unicode_escape")
            states = test.get("initialStates") or ["Data state"]
            before = {"RCDATA state": "<title>", "RAWTEXT state": "<xmp>", "Script data state": "<script>", "PLAINTEXT state": "<plaintext>", "CDATA section state": "<svg><![CDATA["}
            for state in states:
                found[(before.get(state, "") + text).encode("utf-8", "surrogatepass")] = None
    return list(found)


@pytest.fixture(scope="session")
def inputs(test_data: Path) -> list[bytes]:
    return html5lib_inputs(test_data)


MARK = '<wbr data-dc-main-insert-banner="%d">'
"""Void, and without meaning: it may stand anywhere, and nothing nests in it."""

PARTS = (
    "text", "<p>", "</p>", "<div>", "</div>", "<ul><li>", "</ul>", "<table><tr><td>", "</td>", "</table>", "<b>", "</b>",
    "<a href=x>", "</a>", "<br/>", "<span title='", "'>", '<i class="', '">', "<img alt=", ">", "<", "</", "<!", "<?x",
    "<!--", "-->", "--!>", "<!-->", "<!--->", "->", "<!doctype html>", "<![CDATA[", "]]>", "]",
    "<script>", "</script>", "<SCRIPT type=x>", "</script ", "<style>", "</style>", "<textarea>", "</textarea>", "<title>",
    "</title>", "<xmp>", "</xmp>", "<iframe>", "</iframe>", "<noembed>", "</noembed>", "<noframes>", "</noframes>",
    "<plaintext>", "<svg>", "</svg>", "<math>", "</math>", "<path/>", "<g>", "</g>", "<foreignObject>", "</foreignObject>",
    "<desc>", "</desc>", "<mi>", "</mi>", "<annotation-xml encoding=text/html>", "</annotation-xml>", "<font color=x>",
    "<font>", "<template>", "</template>", "<body>", "<head>", "</head>", "<html>", "<h1>", "</h2>", "<button>", "<option>", "<li>", "<svg/>", "=", " ", "/", "\n", "\t",
)  # fmt: skip

documents = st.lists(st.one_of(st.sampled_from(PARTS), st.just(MARK), st.just(MARK)), min_size=2, max_size=14)


def real_marks(page: str) -> list[int]:
    """The numbers of the marks that stand in the oracle's tree as HTML elements, outside of templates."""
    found = []
    for element in parse(page).find_all():
        number = element.attrs.get("data-dc-main-insert-banner")
        inert = any(
            isinstance(a, Element) and a.tag == "template" and a.namespace == Namespace.HTML for a in element.ancestors
        )
        if number is not None and element.namespace == Namespace.HTML and not inert:
            found.append(int(number))
    return sorted(found)


def joined(parts: list[str]) -> str:
    numbers = count(1)
    return "".join(part % next(numbers) if part is MARK else part for part in parts)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=documents)
def test_a_marker_fires_only_in_a_real_start_tag(send: Send, parts: list[str]) -> None:
    page = joined(parts)
    passed = send(page.encode())
    assert passed.page == page.encode()
    assert passed.bailed is None
    assert [o.slot.index for o in passed.openings] == real_marks(page)
