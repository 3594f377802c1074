"""docs/api.md is run as it is written, and says of errors and limits what the code says."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest
from harness.process import ROOT, environment

import proxy.api
from proxy.api import batch, retry, transport

PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
IN_WORDS = {4: "four", 60.0: "a minute"}
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def run(program, engine, folder, *arguments):
    file = folder / "program.py"
    file.write_text(program)
    keys = {"DATACUE_API_KEY": "test-key", "DATACUE_API_SECRET": "canary-3f9c-secret"}
    done = subprocess.run(
        [sys.executable, "-W", "error", file, *arguments],
        cwd=folder, env=environment(**keys, DATACUE_API_URL=f"{engine.url}/v1"), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_program_prints_what_the_page_says(engine, tmp_path):
    (printed,) = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert run(PROGRAMS[0], engine, tmp_path) == printed


def test_the_script_sends_a_csv_file_and_names_the_bad_line(engine, tmp_path):
    (tmp_path / "stock.csv").write_text("product_id,variant_id,stock\np1,v1,5\np2,v1,many\np3,v1,0\n")
    said = run(PROGRAMS[1], engine, tmp_path, "stock.csv")
    assert said == "line 3: stock: expected a number such as \"12.50\", got 'many'\n"
    assert engine.ask("GET", "/overview/products")["ids"] == ["p1", "p3"]


async def test_the_loop_tells_what_failed(client, capsys):
    names = {}
    exec(compile(PROGRAMS[2], "api.md", "exec", dont_inherit=True), names)  # noqa: S102  ours, from docs/
    await names["sync"](client, [{"product_id": "p1"}, {"product_id": "p2", "price": "x"}])
    assert capsys.readouterr().out.startswith("1 () price: expected a number")


def test_the_page_has_every_error_and_no_other():
    errors = {
        name for name in proxy.api.__all__ if inspect.isclass(found := getattr(proxy.api, name))
        and issubclass(found, Exception)
    }  # fmt: skip
    table = PAGE.partition("## When something fails")[2].partition("**Retries**")[0]
    assert set(re.findall(r"`([A-Z]\w+)`", table)) == (errors - {"Refused"})


def test_the_page_has_every_verb():
    table = PAGE.partition("## What can be called")[2].partition("`create` replaces")[0]
    client = proxy.api.SyncDataCueClient("k", "s")
    for held in (client.products, client.orders, client.users, client.batch):
        for name in dir(held):
            assert name.startswith("_") or f"`{name}(" in table, name


@pytest.mark.parametrize(
    "words",
    [
        f"{IN_WORDS.get(retry.RETRIES)} unless told, with waits",
        f"waits of {retry.FIRST_WAIT} to {retry.LONGEST_WAIT:.0f} seconds",
        f"up to {IN_WORDS.get(retry.LONGEST_ASKED)}",
        f"({batch.CONCURRENCY} unless told;",
        (
            f"{transport.CONNECT_SECONDS:.0f} to connect, {transport.READ_SECONDS:.0f} without a byte, "
            f"{transport.WRITE_SECONDS:.0f} for each piece sent, {transport.POOL_SECONDS:.0f} for a free "
            f"connection, {transport.CALL_SECONDS:.0f} altogether"
        ),
    ],
)
def test_the_page_has_the_codes_own_figures(words):
    assert words in PAGE
