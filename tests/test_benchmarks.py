"""The benchmarks: what they refuse before they start anything, and that the quickest of them runs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks.__main__ import main
from benchmarks.contestants import ROOT


@pytest.fixture
def refusal(monkeypatch, capsys):
    """Runs it with arguments that it refuses, and returns the last line that it says."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["benchmarks", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        return capsys.readouterr().err.splitlines()[-1]

    return run


def test_an_interpreter_that_is_not_there_is_refused(refusal, tmp_path):
    path = tmp_path / "bin" / "python"
    assert refusal("--python", path).endswith(f"--python: there is no interpreter {path}")


def test_an_interpreter_without_our_packages_is_refused_with_what_it_lacks(refusal, tmp_path):
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    path.chmod(0o755)
    assert f"{path} can't run this: ModuleNotFoundError: " in refusal("--python", path)


@pytest.mark.parametrize("kind", ["through", "unseen"])
def test_a_page_between_transports_that_do_nothing_is_measured(kind):
    command = [sys.executable, "-m", "benchmarks.alone", "--one", kind, "--batches", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    (page,) = json.loads(done.stdout)
    assert page > 0
