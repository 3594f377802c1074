"""Who runs: each server started, and what it returns checked, before anything is timed.

Every contestant gets the same request, a browser's, with the cookies that its own answers set for a few
hundred visitors. A page that is only nearly right counts as a failure here, not as a fast answer.
"""

from __future__ import annotations

import http.client
import importlib.util
import os
import re
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from benchmarks import nginx
from benchmarks.page import INCLUDING_PATH, PAGE, PAGES, PARTS, PATH, PUBLIC_PATH, widgets_of
from benchmarks.process import Server, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]

BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
}

SETTINGS = """
upstream = "http://127.0.0.1:{shop}"
events_url = "http://127.0.0.1:{events}/{answers}"
api_key = "benchmark"
listen = "127.0.0.1:{port}"
admin_listen = "127.0.0.1:{admin}"
state_dir = "{folder}/state"
log_level = "warning"
deadline = {deadline}  # as a rule a long one: waiting isn't what is measured
workers = {workers}
page_cache = {page_cache}
view_window = {view_window}

[[pages]]
path = "/product/{{product_id}}"
kind = "{kind}"
"""
"""Everything else is the default; one worker is, too."""

PATIENCE = 2.0
"""Seconds until a slot is left to the shop: a busy machine's stalls shall not do that."""

CARDS, BANNERS = 16, 4

VISITORS = 200
"""Under load, each request is another one's: nothing is gained by knowing a single visitor by heart."""


class Listening(Protocol):
    """A server, as far as others have to know it."""

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""


class WrongAnswer(Exception):
    """A contestant returned something else than it should."""


@dataclass
class Contestant:
    """A server and the request that it gets.

    Attributes:
        key: its name in tables of goals and in the JSON.
        title: its name for people.
        cookies: of the visitors, as their browsers send them.
        body_bytes: of the checked answer.
        helpers: servers that do a part of its work.
    """

    key: str
    title: str
    server: Server
    path: str = PATH
    cookies: list[str] = field(default_factory=list)
    body_bytes: int = 0
    helpers: list[Server] = field(default_factory=list)

    def cpu_seconds(self) -> float:
        """So far, of all of its processes."""
        return sum(server.cpu_seconds() for server in (self.server, *self.helpers))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}{self.path}"

    def invite(self) -> None:
        """Lets new visitors come, and keeps their cookies."""
        for _ in range(VISITORS):
            self.get(new=True)

    def get(self, *, new: bool = False) -> bytes:
        """One answer's body, for a visitor who comes again or a new one, whose cookie is kept.

        Raises:
            WrongAnswer: its status isn't 200, or it isn't HTML.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            headers = dict(BROWSER)
            if self.cookies and not new:
                headers["Cookie"] = self.cookies[0]
            connection.request("GET", self.path, headers=headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        media_type = response.headers.get_content_type()
        if response.status != http.HTTPStatus.OK or media_type != "text/html":
            raise WrongAnswer(f"{self.title}: {response.status} {media_type}")
        if cookie := response.headers.get("set-cookie"):
            self.cookies.append(cookie.partition(";")[0])
        self.body_bytes = len(body)
        return body


@dataclass
class Field:
    """All contestants, and the shop and the events endpoint, whose work is nobody's.

    Attributes:
        skipped: who is missing, and why.
    """

    shop: Server
    events: Server
    contestants: list[Contestant] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def servers(self) -> list[Server]:
        every = [self.shop, self.events]
        for contestant in self.contestants:
            every += (contestant.server, *contestant.helpers)
        return list(dict.fromkeys(every))


@contextmanager
def stage(
    folder: Path,
    *,
    pages: Mapping[str, bytes] = PAGES,
    events: Callable[[Path], Server] = nginx.events,
) -> Iterator[Field]:
    """A shop and an events endpoint in a folder of their own, and nobody yet who asks them."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)  # nginx's workers may run as another user
    with nginx.shop(folder / "shop", pages) as shop, events(folder / "events") as vendor:
        yield Field(shop, vendor)


@contextmanager
def started(folder: Path) -> Iterator[Field]:
    """All contestants, started and checked; ended at the block's end.

    Raises:
        StartFailed, WrongAnswer: a contestant that should run doesn't run as it should.
    """
    with stage(folder) as here, ExitStack() as stack:
        enter, add = stack.enter_context, here.contestants.append
        shop, events = here.shop, here.events

        forwarding = Contestant(
            "forwarding", "nginx proxy_pass", enter(nginx.forwarding(folder / "forwarding", shop.port))
        )
        through = Contestant(
            "through", "this proxy, pass-through", enter(proxy(folder / "through", shop, events, kind="none"))
        )
        for contestant in (forwarding, through):
            check_untouched(contestant)
            add(contestant)

        same = Contestant(
            "same",
            "this proxy, lists seen before",
            enter(proxy(folder / "same", shop, events, answers="same")),
        )
        widgets = check_personalized(same)
        including = Contestant(
            "including",
            "nginx SSI, one static include",
            enter(nginx.including(folder / "including", shop.port, b"".join(widgets))),
            path=INCLUDING_PATH,
        )
        _check_including(including, b"".join(widgets))
        add(including)
        add(same)

        kept = Contestant(
            "kept",
            "this proxy, and the page kept",
            enter(proxy(folder / "kept", shop, events, page_cache=64)),
            path=PUBLIC_PATH,
        )
        check_personalized(kept)
        add(kept)

        for answers, title in (("lists", "every list another"), ("unseen", "products never seen")):
            contestant = Contestant(
                answers, f"this proxy, {title}", enter(proxy(folder / answers, shop, events, answers=answers))
            )
            _check_changing(contestant, products_change=answers == "unseen")
            add(contestant)

        missing = [
            name for name in ("starlette", "httpx", "lxml", "jinja2") if not importlib.util.find_spec(name)
        ]
        if missing:
            here.skipped["Starlette + httpx + lxml"] = f"not installed: {', '.join(missing)}"
        else:
            plain = Contestant(
                "plain", "Starlette + httpx + lxml", enter(plain_proxy(folder / "plain", shop, events))
            )
            _check_plain(plain)
            add(plain)
        yield here


def proxy(
    folder: Path,
    shop: Listening,
    events: Listening,
    *,
    kind: str = "product",
    answers: str = "same",
    deadline: float = PATIENCE,
    workers: int = 1,
    page_cache: int = 0,
    view_window: int = 5,
) -> Server:
    """Our proxy as its user runs it: a settings file and ``run``."""
    folder.mkdir()
    port = free_port()
    config = folder / "datacue.toml"
    config.write_text(
        SETTINGS.format(
            shop=shop.port,
            events=events.port,
            answers=answers,
            port=port,
            admin=free_port(),
            folder=folder,
            kind=kind,
            deadline=deadline,
            workers=workers,
            page_cache=page_cache,
            view_window=view_window,
        )
    )
    command = [sys.executable, "-m", "proxy", "run", "--config", str(config)]
    return Server(command, port, folder, {"PYTHONPATH": str(ROOT)})


def plain_proxy(folder: Path, shop: Server, events: Server) -> Server:
    """The proxy as one would write it first, on uvicorn with all that makes it fast."""
    folder.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.plain_proxy:app", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    environment = {
        "PYTHONPATH": os.fspath(ROOT),
        "SHOP_URL": f"http://127.0.0.1:{shop.port}",
        "EVENTS_URL": f"http://127.0.0.1:{events.port}/same",
    }
    return Server(command, port, folder, environment)


# -- is it right? ----------------------------------------------------------------------------------


def check_untouched(contestant: Contestant) -> None:
    """The shop's page, byte for byte, from a new connection and another."""
    for _ in range(2):
        if contestant.get() != PAGE:
            raise WrongAnswer(f"{contestant.title}: the page isn't the shop's, byte for byte")


def check_personalized(contestant: Contestant) -> list[bytes]:
    """The widgets; all else of the page must be the shop's, byte for byte."""
    contestant.invite()
    _check_cookies(contestant)
    try:
        widgets = widgets_of(contestant.get())
    except ValueError as error:
        raise WrongAnswer(f"{contestant.title}: {error}") from None
    cards = sum(widget.count(b'<li class="datacue-rec"') for widget in widgets)
    banners = len(re.findall(rb'class="datacue-banner[ "]', widgets[0]))
    if (cards, banners) != (CARDS, BANNERS):
        raise WrongAnswer(f"{contestant.title}: {cards} products and {banners} banners in the page")
    return widgets


def _check_cookies(contestant: Contestant) -> None:
    if len(set(contestant.cookies)) != VISITORS:
        raise WrongAnswer(
            f"{contestant.title}: {VISITORS} new visitors got {len(contestant.cookies)} cookies"
        )


def _check_changing(contestant: Contestant, *, products_change: bool) -> None:
    first = _products(b"".join(check_personalized(contestant)))
    second = _products(b"".join(widgets_of(contestant.get())))
    if first == second or (products_change and first & second):
        raise WrongAnswer(f"{contestant.title}: lists that should be new were seen before")


def _products(html: bytes) -> set[bytes]:
    """What is shown, by its photos: links lead through the click endpoint."""
    return set(re.findall(rb'src="/products/([^"]+)"', html))


def _check_including(contestant: Contestant, widgets: bytes) -> None:
    if contestant.get() != PARTS[0] + PARTS[1] + widgets + PARTS[2] + PARTS[3]:
        raise WrongAnswer(f"{contestant.title}: the page isn't the shop's with our widgets in it")


def _check_plain(contestant: Contestant) -> None:
    """lxml writes the page anew, so only what it shows is compared."""
    contestant.invite()
    _check_cookies(contestant)
    body = contestant.get()
    found = body.count(b'<li class="product"'), body.count(b'<a class="banner"')
    shown = [b"<h1>Oak sofa</h1>", b'class="reviews"', b"</footer>"]
    if found != (CARDS, BANNERS) or not all(part in body for part in shown):
        raise WrongAnswer(f"{contestant.title}: {found[0]} products and {found[1]} banners in the page")
