"""What every test may use: the test data's place and free ports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of shared test data: html5lib inputs, click sessions, orders."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("DATACUE_TEST_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}: set DATACUE_TEST_DATA to its place")
    return folder
