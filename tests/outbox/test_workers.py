"""Promise 9: four workers on one folder: no corruption, and nothing sent twice without a crash."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from proxy.outbox import Folder

if TYPE_CHECKING:
    from pathlib import Path

WORKER = """
import asyncio, os, sys, time
from pathlib import Path
from proxy.breaker import Breaker
from proxy.outbox import Folder, Outbox, Priority, Record, Relay, relay

relay.HOUSEKEEPING = 0.05  # adopt all the time

async def main(folder, name, rounds):
    log = os.open(folder.parent / "vendor.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    async def send(record):
        await asyncio.sleep(0.001)
        os.write(log, f"{record.id}\\n".encode())

    for life in range(rounds):
        async with Outbox(Folder(folder)) as outbox:
            sender = Relay(outbox, send, breaker=Breaker(), concurrency=4)
            task = asyncio.get_running_loop().create_task(sender.run())
            for number in range(50):
                await outbox.commit([Record(f"{name}-{life}-{number}", f"v{number % 7}", Priority.VIEW, time.time(), b"{}")])
            await sender.aclose()
            await task
    async with Outbox(Folder(folder)) as outbox:
        print("left", len(await outbox.list(limit=10**6)), flush=True)

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
"""


@pytest.mark.parametrize(
    "rounds", [4, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def test_four_workers_adopt_each_others_files_and_send_everything_once(tmp_path: Path, rounds: int) -> None:
    folder = tmp_path / "outbox"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder), f"w{number}", str(rounds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for worker in workers:
        _, trouble = worker.communicate(timeout=1500)
        assert worker.returncode == 0, trouble.decode()
        assert b"unavailable" not in trouble
    left: Counter[str] = Counter()
    for store in Folder(folder).every():
        with store.transaction():
            assert store.check() == []
            left.update(held.record.id for held in store.read(None, 10**6))
        store.close()
    sent = Counter((tmp_path / "vendor.log").read_text().split())
    everything = {f"w{worker}-{life}-{n}" for worker in range(4) for life in range(rounds) for n in range(50)}
    assert sent.keys() | left.keys() == everything
    assert max((sent + left).values()) == 1, "sent twice, or sent and still kept"
    print(
        f"\n4 workers: {len(everything)} records, {sent.total()} sent, {left.total()} left, 0 twice, 0 lost"
    )
