"""Pages that say something about themselves, as the locator hands them on."""

from __future__ import annotations

import html
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from proxy.facts import PageFacts, read_facts
from proxy.models import RawFacts

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://shop.example/product/chair"
PAGES = Path(__file__).parent / "pages"
VOID = {"meta", "link", "img", "input", "br"}


class Cutter(HTMLParser):
    """The simplest thing that cuts `RawFacts` out of a well-formed page."""

    def __init__(self) -> None:
        super().__init__()
        self.raw = RawFacts()
        self.open: list[tuple[str, bytes, list[str] | None]] = []
        self.script: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: html.escape(value or "").encode() for name, value in attrs}
        if tag == "meta" and (key := at.get("property") or at.get("name")):
            self.raw.meta.append((key.lower(), at.get("content", b"")))
        self.script = at.get("type", b"").decode() if tag == "script" else None
        prop, text = at.get("itemprop", b""), None
        if "itemscope" in at:
            self.raw.microdata.append((b"open", at.get("itemtype", b""), prop))
        elif prop:
            named = [at[name] for name in ("content", "href", "src", "datetime", "value") if name in at]
            if named:
                self.raw.microdata.append((b"prop", prop, named[0]))
            else:
                text = []
        if tag not in VOID:
            kind = "item" if "itemscope" in at else "text" if text is not None else ""
            self.open.append((kind, prop, text))

    def handle_endtag(self, tag: str) -> None:
        self.script = None
        kind, prop, text = self.open.pop()
        if kind == "item":
            self.raw.microdata.append((b"close",))
        elif text is not None:
            self.raw.microdata.append((b"prop", prop, html.escape("".join(text)).encode()))

    def handle_data(self, data: str) -> None:
        if self.script == "application/ld+json":
            self.raw.json_ld.append(data.encode())
        elif self.script is not None and "datacueConfig" in data:
            self.raw.scripts.append(data.encode())
        for _, _, text in self.open:
            if text is not None:
                text.append(data)


@pytest.fixture
def read() -> Callable[..., PageFacts]:
    """Reads raw facts given as keywords."""

    def reading(url: str = URL, charset: str = "utf-8", **raw: Any) -> PageFacts:
        return read_facts(RawFacts(**raw), charset=charset, page_url=url)

    return reading


@pytest.fixture
def read_page() -> Callable[[str, str], PageFacts]:
    """Reads a page of the folder `pages`."""

    def reading(name: str, url: str) -> PageFacts:
        cutter = Cutter()
        cutter.feed((PAGES / name).read_text("utf-8"))
        cutter.close()
        return read_facts(cutter.raw, charset="utf-8", page_url=url)

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
