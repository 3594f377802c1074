"""A command as an operator runs it: a process, in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest
from harness.process import ROOT


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
