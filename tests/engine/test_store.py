"""The record: durable when answered, migrated, held by one engine, copied while in use."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from proxy.engine import StoreUnusable, backup, create_engine
from proxy.engine.store.database import Database
from proxy.engine.store.schema import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import Ids, Restart, Shop

SERVER = """
import sys, uvicorn
from proxy.engine import create_engine
app = create_engine(sys.argv[1], api_key="key-1", api_secret="secret-1")
config = uvicorn.Config(app, fd=int(sys.argv[2]), log_level="error", lifespan="on")
uvicorn.Server(config).run()
"""


class Served:
    """An engine in a process of its own, to be killed."""

    def __init__(self, data: Path) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = listener.getsockname()
        listener.set_inheritable(True)
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(data), str(listener.fileno())],
            pass_fds=[listener.fileno()],
        )
        listener.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=30)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def post(connection: socket.socket, document: dict[str, Any]) -> int:
    """Send an event; its status, or 0 where the answer never came."""
    body = json.dumps(document).encode()
    key = base64.b64encode(b"key-1:").decode()
    head = (
        f"POST / HTTP/1.1\r\nhost: e\r\nauthorization: Basic {key}\r\n"
        f"prefer: return=representation\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    try:
        connection.sendall(head.encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            received = connection.recv(65_536)
            if not received:
                return 0
            answer += received
    except OSError:
        return 0
    return int(answer.split(b" ", 2)[1])


def test_what_was_answered_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    data = tmp_path / "engine.db"
    draw = random.Random(3)
    answered: list[str] = []
    for round_ in range(5):
        served = Served(data)
        with served.connect() as connection:
            for number in range(draw.randrange(20, 200)):
                name = f"r{round_}n{number}"
                event = {"type": "cart", "subtype": "update", "cart": [{"product_id": name}]}
                if post(connection, {"user": {"anonymous_id": name}, "event": event}) == 204:
                    answered.append(name)
            last = json.dumps({"user": {"anonymous_id": "x"}, "event": {"type": "login"}}).encode()
            connection.sendall(
                b"POST / HTTP/1.1\r\nhost: e\r\ncontent-length: %d\r\n\r\n" % len(last)
                + last[: draw.randrange(len(last))]
            )
            assert served.process.poll() is None, "the engine ended by itself"
            served.kill()
    stored = {row[0] for row in apsw.Connection(str(data)).execute("SELECT substr(name, 3) FROM visitors")}
    assert len(answered) > 100
    assert set(answered) <= stored
    assert apsw.Connection(str(data)).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_second_engine_on_the_same_file_is_refused(tmp_path: Path) -> None:
    first = Database(tmp_path / "engine.db")
    with pytest.raises(StoreUnusable, match="another engine"):
        Database(tmp_path / "engine.db")
    first.close()
    Database(tmp_path / "engine.db").close()


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "engine.db"
    apsw.Connection(str(data)).pragma("user_version", len(MIGRATIONS) + 1)
    with pytest.raises(StoreUnusable, match="newer version"):
        Database(data)
    with pytest.raises(StoreUnusable, match="newer version"):
        Database(data)  # the lock was given back


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "engine.db"
    data.write_bytes(b"this is not SQLite" * 100)
    with pytest.raises(StoreUnusable, match="can't be opened"):
        Database(data)


def test_a_new_file_is_at_the_latest_version(tmp_path: Path) -> None:
    database = Database(tmp_path / "made" / "engine.db")
    assert database.connection.pragma("user_version") == len(MIGRATIONS)
    assert database.connection.pragma("journal_mode") == "wal"
    database.close()


async def test_a_backup_of_a_running_engine_opens_as_the_same_shop(
    shop: Shop, tmp_path: Path, ids: Ids
) -> None:
    await shop.add(1)
    await shop.view(1)
    backup(shop.data, tmp_path / "copy.db")
    copy = create_engine(tmp_path / "copy.db", api_key="key-1", api_secret="secret-1")
    shop.http._transport.app = copy  # type: ignore[attr-defined]  # the same client, the other engine
    assert ids((await shop.home())["recent_product_skus"]) == ["1"]
    copy.engine.close()  # type: ignore[attr-defined]  # as its lifespan would
    shop.http._transport.app = shop.app  # type: ignore[attr-defined]


async def test_a_backup_never_overwrites(shop: Shop, tmp_path: Path) -> None:
    await shop.add(1)
    (tmp_path / "copy.db").touch()
    with pytest.raises(StoreUnusable, match="exists already"):
        backup(shop.data, tmp_path / "copy.db")
    with pytest.raises(StoreUnusable, match="doesn't exist"):
        backup(tmp_path / "missing.db", tmp_path / "new.db")


async def test_a_full_disk_is_a_503_and_over_when_there_is_room_again(
    shop: Shop, restarted: Restart, ids: Ids
) -> None:
    await shop.add(1)
    connection = shop.app.engine.shop.database.connection
    pages = connection.pragma("page_count")
    connection.pragma("max_page_count", pages)
    statuses = set()
    for number in range(400):
        statuses.add((await shop.view(f"new-{number}" * 20, f"visitor-{number}", rich=True)).status_code)
    assert statuses <= {200, 503}
    assert 503 in statuses
    connection.pragma("max_page_count", 2**31 - 2)
    assert (await shop.view(1)).status_code == 200
    await restarted(shop)
    assert ids((await shop.home())["recent_product_skus"]) == ["1"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnusable):
        Database(tmp_path / "engine.db")
