"""``datacue-proxy import`` as its user runs it: exit codes, what it says, what it leaves."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
import os
import shutil
import signal
import subprocess
from contextlib import suppress

import pytest
from harness.engine import engine
from harness.peers import reply

HEADER = "product_id,category_1,name,price,stock,photo_url,link\n"
SECONDS = 60


def row(number, price="9.50"):
    return f"p{number},Home,Chair {number},{price},5,/{number}.jpg,/p/{number}\n"


@pytest.fixture
def products(tmp_path):
    """A file of so many products, of which these have no price."""

    def make(amount=3, bad=(), name="products.csv"):
        path = tmp_path / name
        path.write_text(HEADER + "".join(row(n, "ask us" if n in bad else "9.50") for n in range(amount)))
        return path

    return make


class Batches:
    """The vendor's batch endpoint, in a ``Peer``: keeps the ids, and hangs where a test wants it to."""

    def __init__(self, peer):
        self.kept = []
        self.status = 207
        self.hang_after = None
        self.hanging = asyncio.Event()
        self.resume = asyncio.Event()
        self.toml = f'api_key = "key"\napi_secret = "hush-hush"\napi_url = "{peer.url}/v1"\n'
        peer.answers["/v1/batch"] = peer.answers["/v1/batch/orders"] = self._answer

    async def _answer(self, seen, writer):
        items = json.loads(seen.body)["batch"]
        if self.hang_after is not None and len(self.kept) >= self.hang_after:
            self.hanging.set()
            await self.resume.wait()
        if self.status == 207:
            self.kept += [item["product_id"] for item in items]
        told = [{"product_id": item["product_id"], "status": "OK"} for item in items]
        answer = reply(json.dumps({"status": told}).encode(), self.status, content_type="application/json")
        writer.write(answer)


@pytest.fixture
def batches(vendor):
    return Batches(vendor)


async def test_what_is_imported_is_recommended_by_the_engine_that_runs(command, products, tmp_path):
    async with engine(tmp_path / ".datacue") as view:
        code, _, err = await command("products", products(6))
        assert (code, "6 created." in err) == (0, True), err
        answer = await view(subtype="home")
    assert {item["product_id"] for item in answer["related_product_skus"]} == {f"p{n}" for n in range(6)}
    assert not list((tmp_path / ".datacue" / "imports").iterdir())


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(here, products, tmp_path):
    code, out, err = here("products", products(30, bad=range(25)), "--dry-run")
    assert (code, out) == (1, "")
    assert "30 items, 25 of them can't be sent." in err
    assert "line 2: price: 'ask us' is no amount of money" in err
    assert "… and 5 more." in err
    assert '"name": "Chair 25"' in err
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".csv") == [
        "products.csv", "products.failed.csv",
    ]  # fmt: skip
    assert not (tmp_path / ".datacue").exists()


async def test_good_items_go_bad_ones_are_mended_and_follow(command, products, batches, tmp_path):
    code, _, err = await command("products", products(5, bad=[1, 3]), toml=batches.toml)
    assert (code, batches.kept) == (1, ["p0", "p2", "p4"])
    assert "3 created, 2 can't be sent." in err
    failed = tmp_path / "products.failed.csv"
    with failed.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(one["_line"], one["_reason"], one["product_id"]) for one in rows] == [
        ("3", "price: 'ask us' is no amount of money", "p1"), ("5", "price: 'ask us' is no amount of money", "p3"),
    ]  # fmt: skip
    failed.write_text(failed.read_text().replace("ask us", "7"))
    code, _, err = await command("products", failed, toml=batches.toml)
    assert (code, batches.kept[3:]) == (0, ["p1", "p3"]), err


async def test_standard_input_and_json_are_for_programs(command, batches):
    stdin = gzip.compress(json.dumps({"products": [{"product_id": "p1"}, {"product_id": ""}]}).encode())
    code, out, err = await command("products", "-", "--json", "--update", toml=batches.toml, stdin=stdin)
    told = json.loads(out)
    assert (code, err, batches.kept) == (1, "", ["p1"])
    assert (told["items"], told["sent"], told["bad"], told["verb"]) == (2, 1, 1, "update")
    assert told["problems"] == [{"file": "standard input", "line": 1, "reason": "product_id: is missing"}]
    assert told["failed_files"] == ["stdin.failed.jsonl"]


async def test_several_files_are_one_import_and_keep_their_failures_apart(
    command, products, batches, tmp_path
):
    first, second = products(3, bad=[0], name="a.csv"), products(4, bad=[3], name="b.csv")
    code, _, err = await command("products", first, second, toml=batches.toml)
    assert (code, sorted(batches.kept)) == (1, ["p0", "p1", "p2"])
    assert "b.csv, line 3: is there already, on line 3 of" in err
    names = sorted(path.name for path in tmp_path.glob("*.failed.csv"))
    assert names == ["a.failed.csv", "b.failed.csv"]
    assert len((tmp_path / "b.failed.csv").read_text().splitlines()) == 4


def test_strict_sends_nothing_if_anything_is_wrong(here, products):
    code, _, err = here("products", products(3, bad=[1]), "--strict")
    assert code == 2
    assert "nothing was sent" in err


async def test_ctrl_c_says_how_to_go_on_and_going_on_sends_the_rest(start, command, here, products, batches):
    path = products(1_700)
    batches.hang_after = 1_000
    process = await start("products", path, "--concurrency", "1", toml=batches.toml)
    await asyncio.wait_for(batches.hanging.wait(), SECONDS)
    process.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(process.communicate(), SECONDS)
    assert (process.returncode, b"--resume goes on from here" in err) == (130, True), err.decode()
    assert b"Traceback" not in err

    batches.hang_after = None
    code, _, err = here("products", path, toml=batches.toml)
    assert code == 2
    assert "was imported in part already, up to item 1,000 of 1,700" in err
    assert len(batches.kept) == 1_000

    code, _, err = await command("products", path, "--resume", toml=batches.toml)
    assert code == 0, err
    assert "700 created, 1,000 done before." in err
    assert batches.kept == [f"p{number}" for number in range(1_700)]


async def test_a_key_that_is_not_accepted_stops_at_once_and_fresh_begins_anew(command, products, batches):
    path = products(3)
    batches.status = 401
    code, _, err = await command("products", path, toml=batches.toml)
    assert code == 3
    assert "Stopped: " in err
    assert "hush-hush" not in err
    batches.status = 207
    code, _, err = await command("products", path, "--fresh", toml=batches.toml)
    assert (code, batches.kept) == (0, ["p0", "p1", "p2"]), err


def test_a_file_of_bad_items_alone_starts_nothing(here, products, tmp_path):
    code, _, err = here("products", products(2, bad=[0, 1]))
    assert code == 1
    assert "0 created, 2 can't be sent." in err
    assert not (tmp_path / ".datacue" / "engine.sqlite").exists()


@pytest.mark.parametrize(
    ("arguments", "toml", "line"),
    [
        (("missing.csv",), "", "missing.csv: can't be read: No such file"),
        (("empty.csv",), "", "empty.csv: is empty"),
        (("book.xlsx",), "", "book.xlsx: is a spreadsheet"),
        (("half.csv.gz",), "", "half.csv.gz: can't be read"),
        (("good.csv", "--update", "--delete"), "", "--update: goes not together"),
        (("good.csv", "--resume", "--fresh"), "", "--resume: goes not together"),
        (("good.csv", "--encoding", "klingon"), "", "--encoding: 'klingon' is no encoding"),
        (("good.csv", "--delimiter", "::"), "", "--delimiter: '::' is no single character"),
        (("good.csv", "--map", "x=y"), "", "--map: there is no field 'y'"),
        (
            ("good.csv", "--set", "link=/p/{nocol}"),
            "",
            "--set: there is no column 'nocol' for link. Columns: pro",
        ),
        (
            ("good.csv", "--set", "link=/p/{nam}"),
            "",
            "--set: there is no column 'nam' for link. Did you mean",
        ),
        (("good.csv", "--encoding", "utf-16"), "", "good.csv: is not utf-16"),
        (("good.csv", "good.csv"), "", "FILE: good.csv is named twice"),
        (("good.csv",), 'api_key = "k"', "api_secret: is missing"),
    ],
)
def test_what_is_wrong_ends_in_one_line(here, tmp_path, arguments, toml, line):
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04rest")
    (tmp_path / "half.csv.gz").write_bytes(gzip.compress(HEADER.encode() * 500)[:-9])
    (tmp_path / "good.csv").write_text(HEADER + row(1))
    code, out, err = here("products", *arguments, toml=toml)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {line}"), err
    assert err.count("\n") == 1


def test_orders_can_not_be_updated(here):
    code, _, err = here("orders", "orders.csv", "--update")
    assert (code, err.count("\n")) == (2, 1)
    assert "--delete to cancel them" in err


async def test_another_files_journal_is_not_gone_on_with(command, products, batches, tmp_path):
    batches.status = 401
    assert (await command("products", products(3), toml=batches.toml))[0] == 3
    batches.status = 207
    code, _, err = await command("products", products(4), "--resume", toml=batches.toml)
    assert (code, len(batches.kept)) == (0, 4), err
    assert "begins from the start" in err


def test_orders_may_be_read_beside_the_products_that_they_name(here, tmp_path):
    (tmp_path / "products.csv").write_text("product_id,sku,title\n7,A-1,Chair\n")
    (tmp_path / "orders.csv").write_text("order_id,user_id,sku,quantity,price\no1,u1,A-1,1,9.50\n")
    code, out, _ = here("orders", "orders.csv", "--products", "products.csv", "--dry-run", "--json")
    assert code == 0
    [order] = json.loads(out)["sample"]
    assert order["cart"][0]["product_id"] == "7"


async def test_a_vendor_that_must_be_asked_again_is_told_beside_the_json(command, products, batches, vendor):
    asked = []

    async def later(seen, writer):
        asked.append(seen)
        if len(asked) == 1:
            writer.write(reply(b"{}", 503, content_type="application/json"))
        else:
            await batches._answer(seen, writer)

    vendor.answers["/v1/batch"] = later
    code, out, _ = await command("products", products(), "--json", toml=batches.toml)
    assert (code, json.loads(out)["sent"], len(asked)) == (0, 3, 2)
    asked.clear()
    code, out, err = await command("products", products(), toml=batches.toml)
    assert (code, out) == (0, "")
    assert "503: Service Unavailable. Again in " in err


def test_columns_without_end_are_not_all_told(here, tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(HEADER.strip() + "," + ",".join(f"x{n}" for n in range(2_000)) + "\n")
    _, _, err = here("products", path, "--dry-run")
    assert "x39 and 1,960 more" in err
    path.write_text("a" * 100_000)
    assert len(here("products", path, "--dry-run")[2]) < 400


def test_what_all_items_lack_is_told_with_its_mend(here, products):
    path = products()
    path.write_text(path.read_text().replace(",Home,", ",,"))
    assert "said once: --set category_1=TEXT" in here("products", path, "--dry-run")[2]


async def test_the_same_import_twice_at_once_is_refused_and_the_first_goes_on(
    start, command, products, batches, tmp_path
):
    path = products(600)
    batches.hang_after = 0
    first = await start("products", path, toml=batches.toml)
    await asyncio.wait_for(batches.hanging.wait(), SECONDS)
    for option in ([], ["--resume"], ["--fresh"]):
        code, _, err = await command("products", path, *option, toml=batches.toml)
        assert code == 2
        assert f"error: {path}: another import of these files is running. Wait until" in err
    first.kill()
    await first.communicate()
    batches.hang_after = None
    code, _, err = await command("products", path, "--resume", toml=batches.toml)
    assert (code, len(set(batches.kept))) == (0, 600), err
    assert list((tmp_path / ".datacue" / "imports").iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    """A disk that is soon full."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("nobody but root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_disk_that_is_full_stops_an_import_that_goes_on_when_there_is_room(
    start, command, products, batches, small_disk
):
    path, toml = products(1200), batches.toml + f'state_dir = "{small_disk}"\n'
    filler = small_disk / "filler"
    batches.hang_after = 500
    process = await start("products", path, "--concurrency", "1", toml=toml)
    await asyncio.wait_for(batches.hanging.wait(), SECONDS)
    fill(filler)
    batches.resume.set()
    _, err = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode == 3, err
    assert b"can't be written: its disk is full. Make room there." in err
    assert b"with --resume goes on from here." in err
    filler.unlink()
    batches.hang_after = None
    code, _, text = await command("products", path, "--resume", toml=toml)
    assert (code, len(set(batches.kept))) == (0, 1200), text


async def test_a_disk_that_is_full_from_the_start_sends_nothing(command, products, batches, small_disk):
    fill(small_disk / "filler")
    code, _, err = await command("products", products(3), toml=f'{batches.toml}state_dir = "{small_disk}"\n')
    assert (code, batches.kept) == (2, [])
    assert "Make room there, or name another state_dir. Nothing was sent." in err
    toml = f'{batches.toml}state_dir = "{small_disk}"\n'
    code, _, err = await command("products", "-", toml=toml, stdin=(HEADER + row(1)).encode() * 5000)
    assert code == 2
    assert "error: standard input: can't be copied into " in err
    assert "Make room there" in err


async def test_a_failed_file_without_room_is_written_by_resume(command, products, batches, small_disk):
    path = small_disk / "products.csv"
    shutil.copy(products(40, bad=[1, 2]), path)
    fill(small_disk / "filler")
    code, _, err = await command("products", path, toml=batches.toml)
    assert (code, len(batches.kept)) == (3, 38), err
    assert "products.failed.csv: can't be written: No space left on device. Make room on its disk." in err
    (small_disk / "filler").unlink()
    code, _, err = await command("products", path, "--resume", toml=batches.toml)
    assert (code, len(batches.kept)) == (1, 38), err
    assert len((small_disk / "products.failed.csv").read_text().splitlines()) == 3


def fill(path):
    """Takes what room there is."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


def test_one_item_is_one_item(here, products):
    _, _, err = here("products", products(1), "--dry-run")
    assert "1 item, 0 of them can't be sent." in err
