"""The examples of docs/pages.md do what they say."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from proxy.classify import Classifier, compile_rule
from proxy.classify.counted import NotCounted
from proxy.facts import FACT_NAMES, read_facts
from proxy.models import PAGE_KINDS, Page, RawFacts

TEXT = (Path(__file__).parents[1] / "docs" / "pages.md").read_text("utf-8")
FENCED = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = FENCED.findall(TEXT)


def classifier(toml: str) -> Classifier:
    rules = [
        compile_rule(n, path=r.get("path"), query=r.get("query"), kind=r["kind"], fields=r.get("fields"))
        for n, r in enumerate(tomllib.loads(toml)["pages"])
    ]
    return Classifier(rules, builtin=False)


def requests() -> list[Any]:
    """(classifier, target, expected) of each line; in a section without rules they are about well-known paths."""
    found: list[Any] = []
    for section in re.split(r"^##", TEXT, flags=re.MULTILINE):
        blocks = dict(FENCED.findall(section))
        ours = classifier(blocks["toml"]) if "toml" in blocks else Classifier()
        found += [(ours, *re.split(r"\s{2,}", line)) for line in blocks.get("requests", "").splitlines()]
    return found


@pytest.mark.parametrize(("ours", "target", "expected"), requests())
def test_a_request_is_the_page_that_the_docs_say(ours: Classifier, target: str, expected: str) -> None:
    path, _, query = target.partition("?")
    assert _written(ours.from_request(path.encode(), query.encode())) == expected


def _written(page: Page | None) -> str:
    if page is None:
        return "-"
    fields = [(name, getattr(page, name)) for name in ("product_id", "variant_id", "category_name", "term")]
    return " ".join([page.kind, *(f"{name}={value}" for name, value in fields if value is not None)])


@pytest.mark.parametrize(
    ("language", "block", "facts"),
    [(a, b, c) for (a, b), (d, c) in pairwise(BLOCKS) if d == "facts"],
)
def test_a_page_says_what_the_docs_say(language: str, block: str, facts: str) -> None:
    raw = RawFacts(scripts=[block.encode()]) if language == "js" else RawFacts(json_ld=[block.encode()])
    found = read_facts(raw, charset="utf-8", page_url="https://shop.example/product/walnut-chair")
    lines = facts.splitlines()
    assert _holds(found, lines[0])
    assert all(_holds(product, line) for product, line in zip(found.products, lines[1:], strict=True))


def _holds(found: Any, line: str) -> bool:
    expected = dict(re.findall(r"(\w+)=(.*?)(?=\s\w+=|$)", line))
    values = {name: getattr(found, name) for name in expected}
    return {name: ",".join(v) if isinstance(v, tuple) else str(v) for name, v in values.items()} == expected


def test_there_are_examples() -> None:
    assert {language for language, _ in BLOCKS} == {"toml", "requests", "js", "json", "facts"}
    assert len(requests()) > 15


@pytest.mark.parametrize("word", [*PAGE_KINDS, *FACT_NAMES, *NotCounted.__args__])
def test_every_word_is_explained(word: str) -> None:
    assert f"`{word}`" in TEXT


def test_the_facts_of_a_rule_that_has_selectors_are_known() -> None:
    rules = [
        rule for language, block in BLOCKS if language == "toml" for rule in tomllib.loads(block)["pages"]
    ]
    assert all(set(rule.get("facts", {})) <= set(FACT_NAMES) for rule in rules)
