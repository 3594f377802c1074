"""A whole shop's history, with a hundredth of it bad and the command killed in the middle."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from harness import commands

KEY, SECRET = "key", "secret"
TOML = f'api_key = "{KEY}"\napi_secret = "{SECRET}"\n'

SHORT = {"products": 3_000, "users": 2_000, "orders": 2_500}
LONG = {"products": 100_000, "users": 50_000, "orders": 200_000}
SECONDS = 3_000


@dataclass
class History:
    """A file, and what is to become of it: good ids, and bad lines with a word of their reason."""

    path: object
    good: set = field(default_factory=set)
    bad: dict = field(default_factory=dict)


@pytest.fixture
async def engine(tmp_path):
    """The engine as a server of its own: its address, and what it holds of a kind."""
    arguments = ("engine", "--listen", "127.0.0.1:0", "--data", "engine.sqlite")
    keys = {"DATACUE_API_KEY": KEY, "DATACUE_API_SECRET": SECRET}
    process = await commands.start(*arguments, folder=tmp_path, **keys)
    line = (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
    url = re.search(r"http://[^ ,]+", line)[0].rstrip("/")
    signed = hmac.new(SECRET.encode(), b"", hashlib.sha256).hexdigest()
    async with httpx.AsyncClient(base_url=url, auth=(KEY, signed), trust_env=False, timeout=60) as client:

        async def held(kind, *, ids=True):
            for _ in range(600):  # until it listens
                try:
                    answer = (await client.get(f"/v1/overview/{kind}")).json()
                    return answer["ids"] or [] if ids else answer["count"]
                except httpx.ConnectError:
                    await asyncio.sleep(0.1)
            raise AssertionError("the engine does not answer")

        await held("users")
        yield url, held
    process.terminate()
    await process.communicate()


def products(folder, amount):
    """A table in which a hundredth of the rows is wrong, in four ways."""
    history = History(folder / "products.csv")
    columns = ["SKU", "Name", "Category", "Price", "Stock", "Image", "URL", "Description"]
    wrong = [
        ("price", {"Price": "ask us"}),
        ("name", {"Name": ""}),
        ("link", {"URL": "javascript:alert(1)"}),
        ("already", {"SKU": "p0"}),
    ]
    with history.path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, columns, delimiter=";")
        rows.writeheader()
        line = 2
        for number in range(amount):
            row = {
                "SKU": f"p{number}", "Name": f"Chair {number}", "Category": "Home > Chairs",
                "Price": f"{number % 400},50 €", "Stock": number % 9, "Image": f"/i/{number}.jpg",
                "URL": f"/p/{number}", "Description": "A <b>chair</b>;\nfor you" if number % 10 == 0 else "A chair",
            }  # fmt: skip
            if number % 100 == 50:
                word, change = wrong[number // 100 % len(wrong)]
                row |= change
                history.bad[line] = word
            else:
                history.good.add(row["SKU"])
            rows.writerow(row)
            line += 1 + row["Description"].count("\n")
    return history


def users(folder, amount):
    """JSON lines of which a hundredth can't be read, or lacks something."""
    history = History(folder / "users.jsonl")
    with history.path.open("w", encoding="utf-8") as file:
        for number in range(amount):
            user = {"user_id": f"u{number}", "first_name": f"Ada {number}", "email": f"u{number}@example.com"}
            text = json.dumps(user)
            if number % 200 == 50:
                text, history.bad[number + 1] = text[:-5], "no JSON"
            elif number % 200 == 150:
                text, history.bad[number + 1] = json.dumps({**user, "email": "nobody"}), "email"
            else:
                history.good.add(user["user_id"])
            file.write(text + "\n")
    return history


def orders(folder, amount):
    """A row for each line of an order, as shops export them."""
    history = History(folder / "orders.csv")
    with history.path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["order_id", "customer", "created_at", "sku", "quantity", "price"])
        line = 2
        for number in range(amount):
            bad = number % 100 == 50
            for place in range(1 + number % 3):
                amounts = "many" if bad and not place else 1 + place
                day = f"2026-{1 + number % 12:02}-{1 + number % 28:02} 12:00:00 +0100"
                rows.writerow(
                    [f"o{number}", f"u{number % 500}", day, f"p{(number + place) % 900}", amounts, "9.50"]
                )
                if bad:
                    history.bad[line] = "quantity"
                line += 1
            if not bad:
                history.good.add(f"o{number}")
    return history


MAKERS = {"products": products, "users": users, "orders": orders}


async def run_killed(start, engine, tmp_path, amounts, kind):
    url, held = engine
    history = MAKERS[kind](tmp_path, amounts[kind])
    toml = f'{TOML}api_url = "{url}/v1"\n'
    process = await start(kind, history.path, "--concurrency", "2", toml=toml)
    reading = asyncio.get_running_loop().create_task(process.communicate())
    async with asyncio.timeout(SECONDS):
        while await held(kind, ids=False) < amounts[kind] / 3 and process.returncode is None:
            await asyncio.sleep(0.01)
    assert process.returncode is None, (await reading)[1].decode()
    process.kill()
    await reading
    before = await held(kind, ids=False)
    assert before < len(history.good)

    process = await start(kind, history.path, toml=toml)
    _, err = await process.communicate()
    assert process.returncode == 2, err.decode()
    assert b"--resume" in err

    process = await start(kind, history.path, "--resume", "--json", toml=toml)
    out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 1, err.decode()
    told = json.loads(out)
    ids = await held(kind)
    assert len(ids) == len(set(ids))
    assert set(ids) == history.good
    assert told["sent_before"] > 0
    assert told["sent_before"] + told["sent"] == len(history.good)
    assert told["refused"] == 0
    [failed] = told["failed_files"]
    assert failed_lines(failed) == sorted(history.bad)
    for line, reason in reasons(failed):
        assert history.bad[line] in reason
    assert not list((tmp_path / ".datacue" / "imports").iterdir())


def reasons(path):
    with Path(path).open(newline="", encoding="utf-8") as file:
        if path.endswith(".csv"):
            found = list(csv.DictReader(file, delimiter=";" if "products" in path else ","))
        else:
            found = [json.loads(line) for line in file]
    return [(int(row["_line"]), row["_reason"]) for row in found]


def failed_lines(path):
    return [line for line, _ in reasons(path)]


@pytest.mark.parametrize("kind", ["orders"])
async def test_after_a_kill_every_good_line_is_there_once_and_every_bad_one_is_told(
    start, engine, tmp_path, kind
):
    await run_killed(start, engine, tmp_path, SHORT, kind)


@pytest.mark.slow
@pytest.mark.timeout(3 * SECONDS)
@pytest.mark.parametrize("kind", ["products", "users", "orders"])
async def test_a_whole_history_survives_a_kill(start, engine, tmp_path, kind):
    await run_killed(start, engine, tmp_path, LONG, kind)
