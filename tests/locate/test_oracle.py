"""A marker fires if, and only if, it is in a real start tag: an independent tokenizer and tree say which are."""

from __future__ import annotations

import json
from itertools import count, cycle
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from turbohtml import Element, Namespace, parse

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Rules, Send


def html5lib_inputs(folder: Path) -> list[bytes]:
    found: dict[bytes, None] = {}
    for file in sorted((folder / "html5lib-tokenizer").glob("*.test")):
        tests = json.loads(file.read_text())
        for test in tests.get("tests", tests.get("xmlViolationTests")):
            text = test["input"]
            if test.get("doubleEscaped"):
                text = text.encode().decode("unicode_escape")
            states = test.get("initialStates") or ["Data state"]
            before = {
                "RCDATA state": "<title>",
                "RAWTEXT state": "<xmp>",
                "Script data state": "<script>",
                "PLAINTEXT state": "<plaintext>",
                "CDATA section state": "<svg><![CDATA[",
            }
            for state in states:
                found[(before.get(state, "") + text).encode("utf-8", "surrogatepass")] = None
    return list(found)


@pytest.fixture(scope="session")
def inputs(test_data: Path) -> list[bytes]:
    return html5lib_inputs(test_data)


MARK = '<wbr data-dc-main-insert-banner="%d">'
"""Void, and without meaning: it may stand anywhere, and nothing nests in it."""

MAX_MARKED = 400
UNLIKE = {"\0", "\r", *map(chr, range(0xD800, 0xE000))}

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
            isinstance(a, Element) and a.tag == "template" and a.namespace == Namespace.HTML
            for a in element.ancestors
        )
        if number is not None and element.namespace == Namespace.HTML and not inert:
            found.append(int(number))
    return sorted(found)


def joined(parts: list[str]) -> str:
    numbers = count(1)
    return "".join(part % next(numbers) if part is MARK else part for part in parts)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=documents)
def test_a_marker_fires_only_in_a_real_start_tag(send: Send, rules: Rules, parts: list[str]) -> None:
    page = joined(parts)
    real = real_marks(page)
    # With all ancestors known there is no doubt at all.
    passed = send(page.encode(), rules(("no > no", "after"), memory=0))
    assert [o.slot.index for o in passed.openings] == real
    # Otherwise a stray end tag in SVG or MathML is taken for an ancestor's.
    passed = send(page.encode())
    assert passed.page == page.encode()
    assert passed.bailed is None
    assert "<svg" in page or "<math" in page or [o.slot.index for o in passed.openings] == real


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=documents, data=st.data())
def test_cuts_make_no_difference(send: Send, rules: Rules, parts: list[str], data: st.DataObject) -> None:
    page = joined(parts).encode()
    plan = data.draw(
        st.sampled_from([rules(), rules(("b", "append"), ("li", "replace")), rules(("p b", "after"))])
    )
    whole = send(page, plan)
    assert whole.page == page
    assert whole.bailed is None
    cuts = sorted(data.draw(st.lists(st.integers(0, len(page)), max_size=5)))
    assert send(page, plan, cuts) == whole
    assert send(page, plan, range(1, len(page))) == whole


PLANS: list[list[tuple[str, str]]] = [[], [("b", "append"), ("h", "replace")], [("h > a", "after")]]


def test_the_html5lib_inputs_pass_whole_at_every_cut(
    send_all_ways: Send, rules: Rules, inputs: list[bytes]
) -> None:
    plans = [rules(*written) for written in PLANS]
    for page, plan in zip(inputs, cycle(plans), strict=False):
        assert send_all_ways(page, plan).bailed is None


@pytest.mark.slow
@pytest.mark.parametrize("written", PLANS)
def test_the_html5lib_inputs_pass_whole_at_every_cut_with_every_plan(
    send_all_ways: Send, rules: Rules, inputs: list[bytes], written: list[tuple[str, str]]
) -> None:
    for page in inputs:
        assert send_all_ways(page, rules(*written)).bailed is None


def test_no_html5lib_comment_or_raw_text_fires(send: Send, rules: Rules, inputs: list[bytes]) -> None:
    mark = (MARK % 1).encode()
    plan = rules(("no > no", "after"), memory=0)
    checked = 0
    for page in inputs:
        for marked in (mark + page, page + mark, page.replace(b"-", mark), page.replace(b"a", mark)):
            text = marked.decode("utf-8", "surrogatepass")
            # The oracle reads text, where NUL and CR are replaced; what it can't be told the same way is left out.
            if (
                len(marked) < MAX_MARKED
                and not set(text) & UNLIKE
                and "frameset" not in text
                and "<select" not in text
            ):
                checked += 1
                assert len(send(marked, plan).openings) == len(real_marks(text)), marked
    assert checked > len(inputs)
