"""A visitor's next record goes out as soon as the one before it was settled."""

from __future__ import annotations

import asyncio
import time
import uuid

import pytest

from proxy.breaker import Breaker
from proxy.outbox import Folder, Outbox, Priority, Record, Relay


@pytest.mark.parametrize("gap", [0.0, 0.0005, 0.001, 0.002, 0.003])
async def test_a_record_committed_while_its_predecessor_is_settled_is_not_left_lying(tmp_path, gap):
    took = []

    async def send(record):
        await asyncio.sleep(0.001)
        took.append(record.id)

    for number in range(8):
        took.clear()
        async with Outbox(Folder(tmp_path / str(number))) as outbox:
            relay = Relay(outbox, send, breaker=Breaker())
            running = asyncio.get_running_loop().create_task(relay.run())
            ids = [str(uuid.uuid4()) for _ in range(10)]
            for one in ids:
                await outbox.commit((Record(one, "visitor", Priority.VIEW, time.time(), b"{}"),))
                await asyncio.sleep(gap)
            async with asyncio.timeout(20):  # a lane left claimed would stay so for a minute
                while len(took) < len(ids):
                    await asyncio.sleep(0.002)
            await relay.aclose()
            await running
        assert took == ids
