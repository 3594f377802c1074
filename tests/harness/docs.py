"""Settings out of the documentation, so that what is written there is what is tested."""

from __future__ import annotations

import re

from harness.process import ROOT

PATIENT = {"DATACUE_DEADLINE": "10"}
"""Pages wait for their widgets, however busy the machine is: lateness has tests of its own."""


def settings_for(shop):
    """The TOML of a section of docs/shops.md, without its ``upstream``: a test says where its shop is."""
    section = (ROOT / "docs" / "shops.md").read_text("utf-8").partition(f"\n## {shop}\n")[2]
    toml = section.partition("```toml\n")[2].partition("```")[0]
    assert toml, f"docs/shops.md has no settings for {shop}"
    return "".join(line for line in toml.splitlines(keepends=True) if not line.startswith("upstream"))


def examples(page, language, section=None):
    """The blocks of a language in a page of docs/, from a heading on if one is named."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    if section is not None:
        _, found, text = text.partition(f"\n{section}\n")
        assert found, f"docs/{page} has no {section!r}"
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def example(page, language, section=None):
    """The first of them."""
    found = examples(page, language, section)
    assert found, f"docs/{page} has no {language}"
    return found[0]
