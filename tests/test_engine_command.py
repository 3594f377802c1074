"""``datacue-proxy engine``: the backup, beside a running engine."""

from __future__ import annotations

import subprocess
import sys

import pytest
from harness.process import environment


def engine(*arguments, folder):
    return subprocess.run(
        [sys.executable, "-m", "proxy", "engine", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def store(tmp_path):
    from proxy.engine.store.database import Database

    database = Database(tmp_path / "engine.sqlite")
    yield tmp_path / "engine.sqlite"
    database.close()


def test_the_data_is_copied_while_an_engine_has_it_open(store, tmp_path):
    done = engine("--data", str(store), "--backup", str(tmp_path / "copy.sqlite"), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "copy.sqlite").stat().st_size > 0


@pytest.mark.parametrize(
    ("data", "copy"), [("missing.sqlite", "copy.sqlite"), ("engine.sqlite", "engine.sqlite")]
)
def test_what_cannot_be_copied_is_said_in_one_line(store, tmp_path, data, copy):
    done = engine("--data", data, "--backup", copy, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --backup: ")
    assert done.stderr.count("\n") == 1
