"""docs/capture.md names what there is: events, fields, conditions, presets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from proxy.capture import EVENT_NAMES, presets
from proxy.capture.rules import FORM_FIELDS, LINE_FIELDS, VIEW_FACTS
from proxy.capture.success import KEYS

TEXT = (Path(__file__).parents[1] / "docs" / "capture.md").read_text("utf-8")


def rows(heading):
    section = TEXT.partition(heading)[2].partition("\n## ")[0]
    return [set(re.findall(r"`([a-z_.]+)`", row)) for row in re.findall(r"^\| (`.*)", section, re.MULTILINE)]


@pytest.mark.parametrize("event", FORM_FIELDS)
def test_the_fields_of_each_form_are_documented(event):
    same = {"product_id", "variant_id", "quantity"} if event == "cart.update" else set()
    assert any(event in row and set(FORM_FIELDS[event]) <= row | same for row in rows("## Rules for forms"))


@pytest.mark.parametrize("name", EVENT_NAMES)
def test_every_event_is_documented(name):
    assert f"`{name}`" in TEXT


def test_the_fields_of_a_line_are_documented():
    assert set(LINE_FIELDS) == set().union(*rows("| field of a line | is |"))


def test_the_facts_of_pages_are_documented():
    assert all(f"`{fact}`" in TEXT for facts in VIEW_FACTS.values() for fact in facts)


def test_the_conditions_of_success_are_documented():
    assert set(KEYS) <= set().union(*rows("### Success"))


@pytest.mark.parametrize("name", presets.NAMES)
def test_every_preset_is_documented(name):
    assert f'"{name}"' in TEXT
