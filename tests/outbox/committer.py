"""A program that commits records from many tasks and prints each id when it is acknowledged.

Run by the crash tests as a process of its own, to be killed::

    python committer.py FOLDER SEED [relay LOG]

With ``relay`` it also delivers, writing down in LOG what its vendor took.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from contextlib import suppress
from pathlib import Path

from proxy.breaker import Breaker
from proxy.errors import OutboxUnavailable
from proxy.outbox import Folder, Outbox, Priority, Record, Relay

COMMITTERS = 20


async def main(folder: Path, seed: int, log: Path | None) -> None:
    numbers = random.Random(seed)

    async def commit(outbox: Outbox, name: str) -> None:
        count = 0
        while True:
            count += 1
            body = b"x" * numbers.randrange(10, 2000)
            record = Record(f"{seed}-{name}-{count}", f"{seed}-{name}", Priority.VIEW, time.time(), body)
            leased = numbers.random() < 0.3
            try:
                await outbox.commit([record], lease=0.2 if leased else None)
            except OutboxUnavailable as error:
                print(f"lost {record.id} {error}", flush=True)
                await asyncio.sleep(0.01)
                continue
            # One write to a pipe: whoever reads it got the acknowledgement whole.
            os.write(1, f"kept {record.id}\n".encode())
            if leased and numbers.random() < 0.5:
                os.write(1, f"took {record.id}\n".encode())  # its answer came: it is delivered
                with suppress(OutboxUnavailable):
                    await outbox.withdraw([record.id])

    async def send(record: Record) -> None:
        os.write(vendor, f"{record.id}\n".encode())
        await asyncio.sleep(0.001)

    async with Outbox(Folder(folder)) as outbox:
        print("ready", flush=True)
        async with asyncio.TaskGroup() as tasks:
            for number in range(COMMITTERS):
                tasks.create_task(commit(outbox, str(number)))
            if log is not None:
                vendor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
                tasks.create_task(Relay(outbox, send, breaker=Breaker(), concurrency=8).run())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[4]) if len(sys.argv) > 4 else None))
