"""What a user's type checker sees of both faces: mypy, strict, on a program of theirs."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from harness.process import ROOT

import proxy.api

PROGRAM = """
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from proxy.api import DataCueClient, Product, SyncDataCueClient, User

async def awaited(client: DataCueClient, rows: AsyncIterator[dict[str, Any]]) -> None:
    reveal_type(await client.products.create(Product(product_id="p1", price=Decimal("1.50"))))
    reveal_type(client.users.delete)
    reveal_type(await client.overview())
    reveal_type(await client.users.ids())
    async for result in client.batch.create("products", rows):
        reveal_type(result)
    reveal_type(await client.batch.delete("users", ["u1"]))
    reveal_type(await client.events({"type": "login"}, user={"user_id": "u1"}))

def plain(client: SyncDataCueClient, rows: AsyncIterator[dict[str, Any]]) -> None:
    reveal_type(client.users.create({"user_id": "u1"}))
    reveal_type(client.overview())
    reveal_type(client.batch.cancel(["o1"]).collect())
    client.batch.create("users", rows)  # wrong: async
    client.products.create(User(user_id="u1"))  # wrong: a user
    client.orders.cancel(order="o1")  # wrong: no such argument
    Product(product_id="p1", price=1.5)  # wrong: a float
    client.batch.create("product", [])  # wrong: no such kind
"""

REVEALED = [
    "None",
    "def (user_id: str) -> typing.Coroutine[Any, Any, None]",
    "proxy.api.client.Overview",
    "list[str]",
    "proxy.api.chunks.ItemResult",
    "proxy.api.runs.BatchResult",
    "dict[str, Any] | None",
    "None",
    "proxy.api.client.Overview",
    "proxy.api.runs.BatchResult",
]


def test_both_faces_are_typed_and_mistakes_are_found(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(program)],
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    revealed = re.findall(r'Revealed type is "(.*)"$', done.stdout, re.MULTILINE)
    shown = [re.sub(r"Union\[(.*), None\]", r"\1 | None", found) for found in revealed]
    assert shown == REVEALED, done.stdout
    wrong = [number for number, line in enumerate(PROGRAM.splitlines(), 1) if "# wrong" in line]
    found = [int(number) for number in re.findall(r"program\.py:(\d+): error", done.stdout)]
    assert sorted(set(found)) == wrong, done.stdout


def test_what_is_exported_is_there_and_sorted():
    assert all(hasattr(proxy.api, name) for name in proxy.api.__all__)
    assert len(set(proxy.api.__all__)) == len(proxy.api.__all__)


@pytest.mark.parametrize("face", [proxy.api.DataCueClient, proxy.api.SyncDataCueClient])
def test_every_method_says_what_it_does(face):
    client = face("k", "s")
    for name in ("products", "categories", "users", "orders", "banners", "batch"):
        held = getattr(client, name)
        methods = [getattr(held, each) for each in dir(held) if not each.startswith("_")]
        assert methods
        for method in methods:
            assert method.__doc__, method
            assert method.__name__
