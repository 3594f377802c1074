"""Settings out of the documentation, so that what is written there is what is tested."""

from __future__ import annotations

from harness.process import ROOT

PATIENT = {"DATACUE_DEADLINE": "10"}
"""Pages wait for their widgets, however busy the machine is: lateness has tests of its own."""


def settings_for(shop):
    """The TOML of a section of docs/shops.md, without its ``upstream``: a test says where its shop is."""
    section = (ROOT / "docs" / "shops.md").read_text("utf-8").partition(f"\n## {shop}\n")[2]
    toml = section.partition("```toml\n")[2].partition("```")[0]
    assert toml, f"docs/shops.md has no settings for {shop}"
    return "".join(line for line in toml.splitlines(keepends=True) if not line.startswith("upstream"))
