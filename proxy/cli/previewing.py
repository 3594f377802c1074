"""What ``datacue-proxy preview`` does, once its options are read."""

from __future__ import annotations

import asyncio
import signal
import sys
import uuid
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple

import uvicorn
import uvloop
from rich.console import Console

from proxy import logs
from proxy.checking.checkup import Asker
from proxy.classify import is_complete
from proxy.classify.rules import guess
from proxy.cli.style import FINE, PROBLEMS, PROGRAM, console
from proxy.errors import PeerError, SettingsError
from proxy.events import encode, page_event
from proxy.listening import bind, url_of
from proxy.models import PAGE_KINDS, WIDGETS, Page, Visitor, Widget
from proxy.previewing import EMPTY, Gallery, create_gallery, document, readable, sample, show
from proxy.previewing.showing import page_for
from proxy.serving import Server

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from proxy.settings import Settings

ADDRESS = "127.0.0.1:8002"
"""Where the gallery is, if nothing is said: beside the proxy and its admin address."""


class Wanted(NamedTuple):
    """What the command line asks for."""

    widget: str | None
    live: bool
    empty: bool
    page: str | None
    product_id: str | None
    category_name: str | None
    term: str | None


def run(settings: Settings, wanted: Wanted, *, html: bool, output: Path | None, serve: bool) -> int:
    """Shows a widget, or serves them all; the exit code.

    Raises:
        SettingsError: an option can't be used, or a template.
    """
    if wanted.live and wanted.empty:
        raise SettingsError("--empty", "doesn't go with --live", "Leave one of them out.")
    if serve:
        _serve(settings, wanted)
        return FINE
    widget = _widget(wanted.widget)
    page = _page(widget, wanted)
    answer = EMPTY if wanted.empty else uvloop.run(_ask(settings, page)) if wanted.live else sample()
    shown = show(settings, widget, answer, page)
    if shown.problem:
        raise SettingsError("preview", shown.problem, "docs/templates.md lists what a template is given.")
    if output is not None:
        gallery = Gallery(settings)
        base = settings.upstream if wanted.live else None
        text = document(
            shown, title=widget, stylesheet=gallery.stylesheet(), language=settings.locale, base=base
        )
        _write(output, text)
    elif html:
        sys.stdout.write(shown.html)
    elif shown.html:
        console().print(readable(shown.html), soft_wrap=True)
    if not shown.html:
        Console(stderr=True).print("There is nothing to show: what the shop put there stays.")
        return PROBLEMS
    return FINE


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        problem = f"{output} can't be written: {(error.strerror or str(error)).lower()}"
        raise SettingsError("--output", problem, "Name another file.") from None
    Console(stderr=True, highlight=False).print(f"{output} is written.", markup=False)


def _widget(name: str | None) -> Widget:
    if name is None:
        raise SettingsError("WIDGET", "is missing", f"Name one of: {', '.join(WIDGETS)}; or say --serve.")
    if name not in WIDGETS:
        mend = f"{guess(name, WIDGETS)}Name one of: {', '.join(WIDGETS)}."
        raise SettingsError("WIDGET", f"there is no widget {name!r}", mend)
    return name


def _page(widget: Widget, wanted: Wanted) -> Page:
    """The page that the options speak of."""
    facts = {"product": wanted.product_id, "category": wanted.category_name, "search": wanted.term}
    implied = next((kind for kind, value in facts.items() if value is not None), None)
    kind = wanted.page or implied
    if kind is not None and kind not in PAGE_KINDS:
        mend = f"{guess(kind, PAGE_KINDS)}Write one of: {', '.join(PAGE_KINDS)}."
        raise SettingsError("--page", f"{kind!r} is no page kind", mend)
    page = Page(
        page_for(widget, kind).kind,
        product_id=wanted.product_id,
        category_name=wanted.category_name,
        term=wanted.term,
    )
    if wanted.live and not is_complete(page):
        option = {"product": "--product-id", "category": "--category-name", "search": "--term"}[page.kind]
        raise SettingsError(option, f"a live {page.kind} page needs it", f"Add {option}, or another --page.")
    return page


async def _ask(settings: Settings, page: Page) -> bytes:
    """The answer to a page view of a made-up visitor, who is erased again.

    Raises:
        SettingsError: there is no such event, or DataCue didn't answer it.
    """
    event = page_event(page)
    if event is None:
        raise SettingsError("--page", f"a {page.kind} page makes no event", "Take another kind.")
    visitor = str(uuid.uuid4())
    async with AsyncExitStack() as stack:
        asker = Asker(settings, stack, logs.configure("error", settings.log_format))
        await asker.open()
        try:
            answer = await asker.send(encode(event, Visitor(visitor), None))
        except PeerError as error:
            raise SettingsError("--live", str(error), "See datacue-proxy check.") from None
        for finding in await asker.forget([visitor]):
            Console(stderr=True, highlight=False).print(f"{finding.text}.", markup=False, soft_wrap=True)
    return answer or EMPTY


def _serve(settings: Settings, wanted: Wanted) -> None:
    # `--serve 127.0.0.1:9000`: what follows is the address, not a widget.
    address = wanted.widget if wanted.widget is not None and ":" in wanted.widget else ADDRESS
    page = _page("products", wanted)
    kind = page.kind if wanted.page or wanted.live else None
    listener = bind("--serve", address)
    live = uvloop.run(_ask(settings, page)) if wanted.live else None
    gallery = Gallery(settings, kind, live, host=listener.getsockname()[0])
    uvloop.run(_serving(gallery, listener))


async def _serving(gallery: Gallery, listener: socket.socket) -> None:
    config = uvicorn.Config(
        create_gallery(gallery),
        loop="uvloop",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=2,
    )
    server = Server(config)

    def stop() -> None:
        gallery.closing.set()
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    serving = loop.create_task(server.serve(sockets=[listener]))
    await server.serving.wait()
    out = Console(stderr=True, highlight=False)
    out.print(f"{PROGRAM}: every widget is at {url_of(listener)}; Ctrl-C ends it.", soft_wrap=True)
    await serving
