"""Where the files are that ship beside the code."""

from __future__ import annotations

from pathlib import Path
from typing import Literal


def shipped(folder: Literal["templates", "static"]) -> Path:
    """A folder of ours: inside the installed package, or beside it in a working tree."""
    package = Path(__file__).parent
    installed = package / folder
    return installed if installed.is_dir() else package.parent / folder
