"""A command as an operator runs it: a process, in a folder of its own."""

from __future__ import annotations

import pytest
from harness import commands


@pytest.fixture
def command(tmp_path):
    """Runs the command in a folder of its own: (exit code, standard output, standard error)."""

    async def run(*arguments, **environment):
        return await commands.run(*arguments, folder=tmp_path, **{"COLUMNS": "200", **environment})

    return run
