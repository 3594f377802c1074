"""The guide's own samples, sent to the engine: right status, right shape."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.guide import Sample, read_answers, read_samples

if TYPE_CHECKING:
    from tests.engine.conftest import Shop

DATA = Path(os.environ.get("DATACUE_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
GUIDE = DATA.parent / "datacue-api.md"
SAMPLES = read_samples(GUIDE) if GUIDE.is_file() else []
EXPECTED = {"POST": 201, "PUT": 204, "DELETE": 204}
ANSWERED = {"home", "product", "search"}

pytestmark = pytest.mark.skipif(not SAMPLES, reason=f"the guide is not at {GUIDE}")


def test_every_kind_of_sample_was_read() -> None:
    assert {sample.language for sample in SAMPLES} == {"browser", "python", "node", "php"}
    assert len(SAMPLES) >= 60


@pytest.mark.parametrize("sample", [each for each in SAMPLES if each.language == "browser"], ids=str)
async def test_each_browser_sample_is_answered_as_the_guide_says(shop: Shop, sample: Sample) -> None:
    for product_id in ("p1", "p2", "p3"):
        await shop.add(product_id)
    answer = await shop.send(sample.document)
    wanted = sample.document.get("subtype") or sample.document["type"]
    is_list = sample.document["type"] in {"pageview", "search"} and wanted in ANSWERED
    assert answer.status_code == (200 if is_list else 204)


@pytest.mark.parametrize("sample", [each for each in SAMPLES if each.language != "browser"], ids=str)
async def test_each_backend_sample_is_taken(shop: Shop, sample: Sample) -> None:
    if sample.path.startswith("/banners/") and sample.method == "PUT":
        banner = {"banner_id": "x1", "type": "main", "photo_url": "/b.jpg", "link": "/old"}
        await shop.rest("POST", "/banners", banner)
    answer = await shop.rest(sample.method, sample.path, sample.document)
    expected = 207 if sample.path.startswith("/batch") else EXPECTED[sample.method]
    assert answer.status_code == expected, answer.text
    if expected == 207 and sample.method != "DELETE":
        assert {state["status"] for state in answer.json()["status"]} == {"OK"}


async def test_answers_have_exactly_the_guides_fields(shop: Shop) -> None:
    home, product, search = read_answers(GUIDE)
    await shop.add(1, extra={"discount": "20%"})
    await shop.add(2)
    for kind in ("main", "sub"):
        banner = {"banner_id": kind, "type": kind, "photo_url": "/b", "link": "/l", "category_1": kind}
        await shop.rest("POST", "/banners", banner)
    await shop.view(1)
    ours = await shop.home()
    assert {name: set(items[0]) for name, items in ours.items()} == {
        name: set(items[0]) for name, items in home.items()
    }
    await shop.view(1, "new")
    viewed = (await shop.view(2, "new")).json()
    assert set(viewed) == set(product)
    assert set(viewed["recent_product_skus"][0]) == set(product["recent_product_skus"][0])
    found = (await shop.send({"type": "search", "term": "x"})).json()
    assert set(found) == set(search)


async def test_a_product_page_with_nothing_related_says_null_as_in_the_guide(shop: Shop) -> None:
    await shop.add(1)
    assert (await shop.view(1)).json()["related_product_skus"] is None
