"""Pages that say something about themselves, as the locator hands them on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from proxy.facts import PageFacts, read_facts
from proxy.models import RawFacts

URL = "https://shop.example/product/chair"


@pytest.fixture
def read() -> Callable[..., PageFacts]:
    def reading(url: str = URL, charset: str = "utf-8", **raw: Any) -> PageFacts:
        return read_facts(RawFacts(**raw), charset=charset, page_url=url)

    return reading


@pytest.fixture
def read_config(read: Callable[..., PageFacts]) -> Callable[..., PageFacts]:
    def reading(script: str, **options: Any) -> PageFacts:
        return read(scripts=[script.encode()], **options)

    return reading


@pytest.fixture
def read_jsonld(read: Callable[..., PageFacts]) -> Callable[..., PageFacts]:
    def reading(*documents: Any, **options: Any) -> PageFacts:
        texts = [d if isinstance(d, str) else json.dumps(d) for d in documents]
        return read(json_ld=[text.encode() for text in texts], **options)

    return reading


@pytest.fixture
def read_meta(read: Callable[..., PageFacts]) -> Callable[..., PageFacts]:
    def reading(meta: dict[str, str], **options: Any) -> PageFacts:
        return read(meta=[(key.encode(), value.encode()) for key, value in meta.items()], **options)

    return reading
