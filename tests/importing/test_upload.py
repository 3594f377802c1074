"""Sending: each item once, whatever ends the run; the vendor's word on each; when to give up."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from contextlib import closing

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.api import DataCueClient
from proxy.importer import Journal, Tally, Upload, UploadStopped, upload
from proxy.importer.journal import Span, Spans
from proxy.journal import JournalUnusable


class Killed(BaseException):
    """The process ends here and now."""


class Vendor(httpx.AsyncBaseTransport):
    """The batch API: keeps what it gets, refuses what a test tells it to, and can end the world.

    Attributes:
        kept: ids by how often they came. refuse: id to message. poison: ids for which a whole batch is a 400.
        status: of all answers, if not 207. die: number of the call in which the sender is killed, and when.
    """

    def __init__(self, refuse=None, poison=(), status=None, die=None, late=False):
        self.kept = Counter()
        self.acknowledged = set()
        self.refuse, self.poison, self.status, self.die, self.late = (
            refuse or {},
            set(poison),
            status,
            die,
            late,
        )
        self.sizes = []

    async def handle_async_request(self, request):
        body = json.loads(await request.aread())
        ids = [item["user_id"] if isinstance(item, dict) else item for item in body["batch"]]
        self.sizes.append((len(ids), len(request.content)))
        if self.die == len(self.sizes) and not self.late:
            raise Killed
        if self.status:
            return httpx.Response(self.status, json={"error": "no"})
        if self.poison & set(ids):
            return httpx.Response(400, json={"error": f"{min(self.poison & set(ids))} has a bad name"})
        told = []
        for one in ids:
            if one in self.refuse:
                told.append({"user_id": one, "status": "error", "error": self.refuse[one]})
            else:
                self.kept[one] += 1
                told.append({"user_id": one, "status": "OK"})
        if self.die == len(self.sizes):
            raise Killed
        self.acknowledged |= set(ids)
        return httpx.Response(207, json={"status": told})


def users(amount):
    return [{"user_id": f"u{number}", "first_name": "Ada"} for number in range(amount)]


async def send(vendor, journal, documents, concurrency=1, verb="create", bad=()):
    """One run over all documents, as `sendable` gives them."""
    tally = Tally()
    client = DataCueClient("key", "secret", api_url="http://vendor/v1", retries=0, transport=vendor)
    async with client:
        job = Upload(client, "users", verb, journal, concurrency=concurrency, tally=tally)
        await job.run(
            (place, None if journal.is_done(place) else document)
            for place, document in enumerate(documents)
            if place not in bad
        )
    return tally


@pytest.fixture
def journal(tmp_path):
    with closing(Journal(tmp_path / "journal.sqlite")) as made:
        yield made


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(upload, "MAX_ITEMS", 4)


async def test_items_go_in_batches_of_the_guides_size(journal):
    vendor = Vendor()
    tally = await send(vendor, journal, users(1_203), concurrency=3)
    assert sorted(size for size, _ in vendor.sizes) == [203, 500, 500]
    assert (tally.done, tally.refused, len(vendor.kept)) == (1_203, 0, 1_203)


async def test_a_batch_stays_below_the_vendors_size(journal):
    vendor = Vendor()
    await send(vendor, journal, [{**user, "last_name": "x" * 60_000} for user in users(200)])
    assert len(vendor.kept) == 200
    assert max(length for _, length in vendor.sizes) < 5 << 20


async def test_what_the_vendor_refuses_is_noted_with_its_words(journal):
    tally = await send(Vendor(refuse={"u1": "u1 is no name"}), journal, users(5))
    assert (tally.done, tally.refused) == (4, 1)
    assert list(journal.failed()) == [(1, "u1 is no name")]


async def test_one_item_for_which_a_whole_batch_is_refused_is_found(journal, small):
    vendor = Vendor(poison=["u2", "u9"])
    tally = await send(vendor, journal, users(20))
    assert (tally.done, tally.refused) == (18, 2)
    assert [item for item, _ in journal.failed()] == [2, 9]
    assert set(vendor.kept.values()) == {1}


async def test_a_vendor_that_refuses_everything_is_not_asked_for_ever(journal):
    vendor = Vendor(poison=[user["user_id"] for user in users(2_000)])
    with pytest.raises(UploadStopped, match="10 items in a row were refused"):
        await send(vendor, journal, users(2_000))
    assert len(vendor.sizes) < 40
    assert not list(journal.failed())


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503, 301])
async def test_a_vendor_that_fails_stops_the_run_and_nothing_counts_as_refused(journal, status):
    with pytest.raises(UploadStopped):
        await send(Vendor(status=status), journal, users(20))
    assert not list(journal.failed())


async def test_what_was_under_way_when_a_run_was_killed_may_exist_already(tmp_path, small):
    path = tmp_path / "journal.sqlite"
    with closing(Journal(path)) as journal, pytest.raises(Killed):
        await send(Vendor(die=2, late=True), journal, users(12))
    exists = {f"u{number}": f"u{number} already exists" for number in (4, 5, 9)}
    with closing(Journal(path)) as journal:
        tally = await send(Vendor(refuse=exists), journal, users(12))
        assert (tally.known, tally.done, tally.refused) == (4, 7, 1)
        assert list(journal.failed()) == [(9, "u9 already exists")]


async def test_what_is_deleted_already_may_be_gone_after_a_kill(tmp_path, small):
    path = tmp_path / "journal.sqlite"
    with closing(Journal(path)) as journal, pytest.raises(Killed):
        await send(Vendor(die=1, late=True), journal, users(8), verb="delete")
    gone = {f"u{number}": "User not found" for number in (0, 1, 6)}
    with closing(Journal(path)) as journal:
        await send(Vendor(refuse=gone), journal, users(8), verb="delete")
        assert list(journal.failed()) == [(6, "User not found")]


@given(
    amount=st.integers(1, 40),
    kills=st.lists(st.tuples(st.integers(1, 6), st.booleans(), st.floats(0, 1)), max_size=4),
    concurrency=st.integers(1, 3),
    bad=st.sets(st.integers(0, 39), max_size=5),
    torn=st.booleans(),
)
@settings(max_examples=25, deadline=None)
async def test_after_any_kills_at_any_write_everything_is_there(
    tmp_path_factory, amount, kills, concurrency, bad, torn
):
    """A kill leaves the files as they are; a torn one also loses the end of what was written last."""
    folder = tmp_path_factory.mktemp("journals")
    documents = users(amount)
    refused = {"u3": "no", "u7": "no"}
    kept, told = Counter(), set()
    old, upload.MAX_ITEMS = upload.MAX_ITEMS, 4
    try:
        for number, (call, late, cut) in enumerate([*kills, (0, False, 1.0)]):
            here = folder / f"{number}.sqlite"
            vendor = Vendor(refuse=refused, die=call, late=late)
            with closing(Journal(here)) as journal:
                before = {place for place in range(amount) if journal.is_done(place)}
                assert {f"u{place}" for place in before} <= told | {f"u{place}" for place in bad}
                try:
                    await send(vendor, journal, documents, concurrency, bad=bad)
                except Killed:
                    # What a process leaves that is killed now: nothing is closed, nothing flushed.
                    snapshot(here, folder / f"{number + 1}.sqlite", cut if torn else 1.0)
                else:
                    snapshot(here, folder / f"{number + 1}.sqlite", 1.0)
                    failed = list(journal.failed())
            assert not {f"u{place}" for place in before} & set(vendor.kept)  # nothing done goes twice
            kept += vendor.kept
            told |= vendor.acknowledged
    finally:
        upload.MAX_ITEMS = old
    good = {f"u{place}" for place in range(amount) if place not in bad} - refused.keys()
    assert set(kept) == good
    assert {place for place, _ in failed} == {p for p in (3, 7) if p < amount and p not in bad}


def snapshot(path, target, share):
    shutil.copy(path, target)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        data = wal.read_bytes()
        target.with_name(target.name + "-wal").write_bytes(data[: int(len(data) * share)])


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=12), st.integers(0, 80))
def test_spans_hold_what_was_put_in(pairs, place):
    spans = sorted(Span(first, first + length) for first, length in pairs)
    assert (place in Spans(spans)) == any(span.first <= place <= span.last for span in spans)
    assert len(Spans(spans)) == len({one for span in spans for one in range(span.first, span.last + 1)})


def test_two_imports_of_one_journal_are_refused(tmp_path):
    with (
        closing(Journal(tmp_path / "journal.sqlite")),
        pytest.raises(JournalUnusable, match="another import of these files is running"),
    ):
        Journal(tmp_path / "journal.sqlite")


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, html="<h1>Back soon</h1>"), httpx.Response(207, json={})]
)
async def test_answers_that_nobody_can_read_stop_the_run_and_nothing_counts_as_refused(journal, answer):
    client = DataCueClient("key", "secret", retries=0, transport=httpx.MockTransport(lambda _: answer))
    async with client:
        run = Upload(client, "users", "create", journal, concurrency=1, tally=Tally())
        with pytest.raises(UploadStopped, match="the answer can't be read"):
            await run.run(enumerate(users(600)))
    assert not list(journal.failed())
