"""Pages that say something about themselves, whole or as the locator hands them on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from proxy.facts import PageFacts, read_facts
from proxy.locate import FactSelectors, Plan, Splicer
from proxy.models import RawFacts

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://shop.example/product/chair"
PAGES = Path(__file__).parent / "pages"


@pytest.fixture
def read() -> Callable[..., PageFacts]:
    """Reads raw facts given as keywords."""

    def reading(url: str = URL, charset: str = "utf-8", **raw: Any) -> PageFacts:
        return read_facts(RawFacts(**raw), charset=charset, page_url=url)

    return reading


@pytest.fixture
def read_page() -> Callable[..., PageFacts]:
    """Reads a page of the folder `pages`: name, address, and what an operator selects in it."""

    def reading(name: str, url: str, /, **selectors: str) -> PageFacts:
        splicer = Splicer(Plan(), FactSelectors(selectors) if selectors else None)
        splicer.feed((PAGES / name).read_bytes())
        splicer.close()
        return read_facts(splicer.facts, charset="utf-8", page_url=url)

    return reading


@pytest.fixture
def read_config(read: Callable[..., PageFacts]) -> Callable[..., PageFacts]:
    """Reads a script."""

    def reading(script: str, **options: Any) -> PageFacts:
        return read(scripts=[script.encode()], **options)

    return reading


@pytest.fixture
def read_jsonld(read: Callable[..., PageFacts]) -> Callable[..., PageFacts]:
    """Reads JSON-LD documents, given as text or value."""

    def reading(*documents: Any, **options: Any) -> PageFacts:
        texts = [d if isinstance(d, str) else json.dumps(d) for d in documents]
        return read(json_ld=[text.encode() for text in texts], **options)

    return reading


@pytest.fixture
def read_meta(read: Callable[..., PageFacts]) -> Callable[..., PageFacts]:
    """Reads meta elements."""

    def reading(meta: dict[str, str], **options: Any) -> PageFacts:
        return read(meta=[(key.encode(), value.encode()) for key, value in meta.items()], **options)

    return reading
