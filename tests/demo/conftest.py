"""A running shop, a browser without a window, and a reader of its pages."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn

from proxy.demo.shop import create_shop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

VOID = {"img", "input", "link", "meta", "br", "hr"}


@dataclass
class Shop:
    url: str


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str]


@dataclass
class ReadPage(HTMLParser):
    """What tests ask about a page; ``problems`` says what is wrong with its markup."""

    html: str
    problems: list[str] = field(default_factory=list)
    ids: Counter[str] = field(default_factory=Counter)
    labelled: set[str] = field(default_factory=set)
    controls: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    slots: list[dict[str, str | None]] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    json_ld: list[dict[str, Any]] = field(default_factory=list)
    referenced: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self._script = False
        self._select: tuple[Form, str] | None = None
        self.feed(self.html)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self._open]
        self.problems += [f"id {name} is used {count} times" for name, count in self.ids.items() if count > 1]
        self.problems += [f"#{name} has no label" for name in self.controls if name not in self.labelled]
        self.problems += [f"#{name} is referred to but absent" for name in self.referenced - set(self.ids)]
        if self.headings.count(1) != 1:
            self.problems.append(f"{self.headings.count(1)} <h1>")
        for above, below in zip(self.headings, self.headings[1:], strict=False):
            if below > above + 1:
                self.problems.append(f"<h{below}> follows <h{above}>")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if len(found) != len(attrs):
            self.problems.append(f"an attribute of <{tag}> is written twice")
        if tag not in VOID:
            self._open.append(tag)
        if "style" in found or any(name.startswith("on") for name in found):
            self.problems.append(f"<{tag}> has inline style or script")
        if found.get("id"):
            self.ids[str(found["id"])] += 1
        for name in ("for", "aria-labelledby", "aria-describedby"):
            if found.get(name):
                self.referenced.add(str(found[name]))
        if any(name.startswith("data-dc-") for name in found):
            self.slots.append(found)
        handler = getattr(self, f"_see_{tag}", None)
        if handler:
            handler(found)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"path", "circle"}:
            self.problems.append(f"<{tag}/> outside SVG")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"</{tag}> where {self._open[-1:]} is open")
        else:
            self._open.pop()
        self._script = False

    def handle_data(self, data: str) -> None:
        if self._script:
            self.json_ld.append(json.loads(data))

    def _see_script(self, found: dict[str, str | None]) -> None:
        if found != {"type": "application/ld+json"}:
            self.problems.append(f"<script {found}>")
        self._script = True

    def _see_img(self, found: dict[str, str | None]) -> None:
        if found.get("alt") is None or not found.get("width") or not found.get("height"):
            self.problems.append(f"<img src={found.get('src')}> without alt or size")
        self.images.append(str(found["src"]))

    def _see_a(self, found: dict[str, str | None]) -> None:
        self.links.append(str(found["href"]))

    def _see_label(self, found: dict[str, str | None]) -> None:
        self.labelled.add(str(found["for"]))

    def _see_form(self, found: dict[str, str | None]) -> None:
        self.forms.append(Form(str(found["action"]), str(found.get("method", "get")), {}))

    def _see_input(self, found: dict[str, str | None]) -> None:
        if found.get("type") != "hidden":
            self.controls.append(str(found.get("id")))
        if found.get("type") != "radio" or "checked" in found:
            self.forms[-1].fields[str(found["name"])] = found.get("value") or ""

    def _see_select(self, found: dict[str, str | None]) -> None:
        self.controls.append(str(found.get("id")))
        self.forms[-1].fields[str(found["name"])] = "1"

    def form(self, action: str) -> Form:
        return next(each for each in self.forms if each.action == action)

    def node(self, kind: str) -> dict[str, Any]:
        return next(each for each in self.json_ld if each["@type"] == kind)


@pytest.fixture
def read_page() -> Callable[[str], ReadPage]:
    return ReadPage


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def shop() -> AsyncIterator[Shop]:
    """The shop behind a real server, one a file: sessions keep tests apart."""
    server = uvicorn.Server(uvicorn.Config(create_shop(), log_level="warning", lifespan="off"))
    # asyncio switches Nagle's algorithm off only where the protocol is named: 40 ms a request otherwise.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    serving = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
    # No need to wait: the listener queues who comes early.
    yield Shop(f"http://127.0.0.1:{listener.getsockname()[1]}")
    server.should_exit = True
    await serving
    listener.close()


@pytest.fixture
async def visitor(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=shop.url, trust_env=False) as client:
        yield client


@pytest.fixture
def post(visitor: httpx.AsyncClient) -> Callable[..., Any]:
    """Fills in a page's form as a browser would and sends it."""

    async def send(page: str, action: str, **typed: str) -> httpx.Response:
        form = ReadPage((await visitor.get(page)).text).form(action)
        assert form.method == "post"
        return await visitor.post(action, data={**form.fields, **typed})

    return send
