"""``python -m benchmarks``: what it refuses before it starts anything."""

from __future__ import annotations

import sys

import pytest

from benchmarks.__main__ import main


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
