"""``datacue-proxy`` commands as their user runs them: processes that end by themselves, or nearly so."""

from __future__ import annotations

import asyncio

from harness import forks
from harness.process import environment

RUN_SECONDS = 120


async def start(*arguments, folder, piped=False, **more):
    """``datacue-proxy`` in a folder of its own, its outputs in pipes; ``more`` are variables.

    Args:
        piped: whether its input is, too; else it is empty.
    """
    return await forks.start(
        [*map(str, arguments)],
        folder=folder,
        environment=environment(**more),
        stdin=asyncio.subprocess.PIPE if piped else None,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(*arguments, folder, **more):
    """The same to its end: (exit code, standard output, standard error)."""
    return await ended(await start(*arguments, folder=folder, **more))


async def ended(process, stdin=None):
    """What became of one that ends by itself."""
    out, err = await asyncio.wait_for(process.communicate(stdin), RUN_SECONDS)
    assert b"Traceback" not in err, err.decode()
    return process.returncode, out.decode(), err.decode()
