"""Rules for well-known shops, as data: one TOML file each, in the words of ``datacue.toml``."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any, Final

NAMES: Final = ("demo", "magento", "opencart", "oscar", "prestashop", "woocommerce")


def read(name: str) -> dict[str, Any]:
    """A preset's tables: ``pages``, ``slots``, ``capture``."""
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))
