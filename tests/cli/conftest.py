"""A command as an operator runs it: a process, in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest
from harness.process import ROOT

from proxy.cli import main


@pytest.fixture
def command(tmp_path):
    """Runs the command in a folder of its own: (exit code, standard output, standard error)."""

    async def run(*arguments, **environment):
        clean = {key: value for key, value in os.environ.items() if not key.startswith("DATACUE_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "proxy", *arguments,
            cwd=tmp_path, env={**clean, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, out.decode(), err.decode()

    return run


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """The same in this process, for what starts no loop of its own: a process each would cost a second."""
    monkeypatch.chdir(tmp_path)
    for key in [key for key in os.environ if key.startswith("DATACUE_")]:
        monkeypatch.delenv(key)

    def run(*arguments, **environment):
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setattr(sys, "argv", ["datacue-proxy", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run
