"""docs/import.md says what the command takes, what fields there are, and what its exit codes are."""

from __future__ import annotations

import re

import pytest
from harness.process import ROOT
from typer.main import get_command

from proxy.cli import assemble
from proxy.importer import NAMES, RESOURCES
from proxy.importer.guide import GUIDE

TEXT = (ROOT / "docs" / "import.md").read_text("utf-8")
TITLES = {
    "woocommerce": "WooCommerce",
    "shopify": "Shopify",
    "prestashop": "PrestaShop",
    "opencart": "OpenCart",
    "magento": "Magento 2",
}


def test_every_option_is_explained_and_no_other():
    command = get_command(assemble()).commands["import"]
    options = {name for option in command.params for name in option.opts if name.startswith("--")} - {
        "--help"
    }
    table = TEXT.partition("| option |")[2].partition("\n\n")[0]
    first = "\n".join(row.split("|")[1] for row in table.splitlines()[2:])
    assert set(re.findall(r"`(--[a-z-]+)", first)) == options


@pytest.mark.parametrize("resource", RESOURCES)
def test_what_must_be_there_is_what_the_docs_say(resource):
    [row] = [row for row in TEXT.splitlines() if row.startswith(f"| {resource} | `")]
    required = re.findall(r"`(\w+)`", row.split("|")[2])
    assert required == [name for name in GUIDE[resource].required if name != "variant_id"]


@pytest.mark.parametrize("platform", NAMES)
def test_every_platform_has_its_row(platform):
    assert f"`{platform}`" in TEXT
    assert f"\n| {TITLES[platform]} |" in TEXT
