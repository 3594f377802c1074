"""Room for connections: as many open files as we may have."""

from __future__ import annotations

import subprocess
import sys

import pytest

from proxy.listening import MOST_FILES

LIMITED = """
import resource, sys
from proxy.listening import make_room
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
soft, most = (hard if word == "hard" else int(word) for word in sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
make_room()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("soft", "hard", "then"), [(256, 4096, 4096), (300, 300, 300), (4096, 5000, 5000)])
def test_the_soft_limit_of_open_files_becomes_the_hard_one(soft, hard, then):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(soft), str(hard)], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(then), str(hard)]


async def test_what_serves_has_room(run_proxy):
    proxy = await run_proxy()
    with open(f"/proc/{proxy.process.pid}/limits") as lines:  # noqa: PTH123, ASYNC230 -- no file, and no wait
        [line] = (line for line in lines if line.startswith("Max open files"))
    soft, hard = line.split()[3:5]
    assert int(soft) == MOST_FILES or soft == hard
