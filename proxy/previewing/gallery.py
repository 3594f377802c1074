"""Every widget with every kind of data at two widths, in a browser, anew whenever a file changes.

A developer's tool on loopback: unlike a shop's pages it may run a script, which only loads frames again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from proxy.models import WIDGETS, Page, PageKind, Widget
from proxy.prepared import static_files
from proxy.previewing.document import document
from proxy.previewing.samples import EMPTY, picture, sample
from proxy.previewing.showing import Shown, lists, page_for, show
from proxy.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from proxy.settings import Settings

POLL_SECONDS: Final = 0.4
"""Between two looks at the files: nobody saves more often."""

BEAT_SECONDS: Final = 15.0
"""Between two signs of life on a silent stream, so that one whose browser has gone ends."""

MAX_FILES: Final = 2_000
"""Files that are looked at: a folder with more isn't one of templates."""

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]", "::1")
"""Names of this machine for itself."""

DESCRIPTIONS: Final[dict[Widget, str]] = {
    "banners": "Every banner of the page: wide and narrow ones",
    "main_banners": "Wide banners alone",
    "sub_banners": "Narrow banners alone",
    "products": "Every list that the page's kind shows",
    "related": "Products that go with this one, or with this visitor",
    "similar": "Products like this one",
    "recent": "What the visitor looked at",
    "categories": "Rows of the categories that the visitor likes",
    "top": "What sells best in a category",
}


@dataclass
class Gallery:
    """What is shown.

    Attributes:
        settings: all of them; templates and static files are read anew at each look.
        kind: the page kind on which widgets stand; None: each where it mostly does.
        live: the answer that DataCue gave, once; None: it wasn't asked.
        host: where it listens. On loopback only loopback's names are answered: a page from elsewhere
            could let its own name lead here (DNS rebinding), and read templates and live answers.
    """

    settings: Settings
    kind: PageKind | None = None
    live: bytes | None = None
    host: str = "127.0.0.1"
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def answers(self) -> Mapping[str, bytes]:
        """By the name of the data."""
        found = {"sample": sample(), "empty": EMPTY}
        return found if self.live is None else {"live": self.live, **found}

    def page(self, widget: Widget) -> Page:
        """Where a widget stands."""
        return page_for(widget, self.kind)

    def shown(self, widget: Widget, data: str) -> Shown:
        """A widget as it is now."""
        return show(self.settings, widget, self.answers[data], self.page(widget))

    def stylesheet(self) -> str:
        """The widgets' CSS as it is now: the operator's, or ours."""
        file = static_files(self.settings.static).get("datacue.css")
        return file.body.decode("utf-8", "replace") if file is not None else ""

    def state(self) -> tuple[tuple[str, int, int], ...]:
        """What the files are like: differs after every change."""
        return tuple(self._files())

    def _files(self) -> Iterator[tuple[str, int, int]]:
        folders: list[Path] = [shipped("templates"), shipped("static")]
        folders += [
            folder for folder in (self.settings.templates, self.settings.static) if folder is not None
        ]
        left = MAX_FILES
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                try:
                    status = path.stat()
                except OSError:  # it was there a moment ago: editors write aside and rename
                    continue
                yield str(path), status.st_mtime_ns, status.st_size
                left -= 1
                if not left:
                    return


def create_gallery(gallery: Gallery) -> ASGIApp:
    """The gallery as an ASGI app."""

    async def index(_request: Request) -> Response:
        return HTMLResponse(_index(gallery))

    async def frame(request: Request) -> Response:
        widget, data = request.path_params["widget"], request.path_params["data"]
        if widget not in WIDGETS or data not in gallery.answers:
            return PlainTextResponse("no such widget\n", 404)
        html = document(
            gallery.shown(widget, data),
            title=f"{widget}: {data}",
            stylesheet=gallery.stylesheet(),
            language=gallery.settings.locale,
            base=gallery.settings.upstream if data == "live" else None,
            inline=False,
        )
        return HTMLResponse(html, headers={"cache-control": "no-store"})

    async def photo(request: Request) -> Response:
        svg = picture(request.url.path)
        if svg is None:
            return PlainTextResponse("no such picture\n", 404)
        return Response(svg, media_type="image/svg+xml", headers={"cache-control": "max-age=3600"})

    async def changes(_request: Request) -> Response:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(_changes(gallery), media_type="text/event-stream", headers=headers)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/widgets/{widget}/{data}", frame),
            Route("/changes", changes),
            Route("/products/{photo}.svg", photo),
            Route("/banners/{photo:path}.svg", photo),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=names_of(gallery.host), www_redirect=False)
        ],
    )


def names_of(host: str) -> list[str]:
    """The names under which a listener on this address is asked for, as ``Host`` has them."""
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # another name
        loopback = False
    return [*LOOPBACK, host] if loopback else ["*"]


async def _changes(gallery: Gallery) -> AsyncIterator[bytes]:
    """Server-sent events (HTML Standard, 9.2): one for each change of the files."""
    known, silent = gallery.state(), 0.0
    yield b"retry: 500\n\n: looking\n\n"
    while not gallery.closing.is_set():
        await asyncio.sleep(POLL_SECONDS)
        now = gallery.state()
        silent += POLL_SECONDS
        if now != known:
            changed = sorted({name for name, *_ in {*now} ^ {*known}})
            known, silent = now, 0.0
            yield b"event: change\ndata: " + told(changed) + b"\n\n"
        elif silent >= BEAT_SECONDS:
            silent = 0.0
            yield b": still looking\n\n"


def told(changed: Sequence[str]) -> bytes:
    """The first of the files that changed, on one line, whatever their names hold."""
    return " ".join(", ".join(changed[:3]).split()).encode("utf-8", "replace")


def _index(gallery: Gallery) -> str:
    settings = gallery.settings
    sections = []
    for widget in WIDGETS:
        page = gallery.page(widget)
        more = f" ({lists(page)})" if widget == "products" else ""
        sections.append({"widget": widget, "text": DESCRIPTIONS[widget] + more, "page": page.kind})
    return _PAGE.render(
        sections=sections,
        datas=[*gallery.answers],
        templates=settings.templates or "shipped templates",
        shows=f"{settings.layout}, {settings.locale}, {settings.currency}",
    )


_PAGE: Final = Environment(
    loader=PackageLoader("proxy", "previewing"), autoescape=True, undefined=StrictUndefined
).get_template("gallery.html")
