"""Two more contests: who forwards a page, and who composes one of our fragments."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from benchmarks import nginx, varnish
from benchmarks.contestants import (
    BANNERS,
    CARDS,
    Contestant,
    Field,
    WrongAnswer,
    check_personalized,
    check_untouched,
    proxy,
)
from benchmarks.page import widgets_of
from benchmarks.rivals import composers, through
from benchmarks.rivals.environments import Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.process import Server


@contextmanager
def forwarding(folder: Path, *, say: Callable[[str], None]) -> Iterator[Field]:
    """Who forwards a page: nginx, ours, and reverse proxies of Python.

    Raises:
        StartFailed, WrongAnswer: one that is installed doesn't run as it should.
    """
    with ExitStack() as stack:
        enter = stack.enter_context
        folder.mkdir()
        folder.chmod(0o755)
        shop = enter(nginx.shop(folder / "shop"))
        events = enter(nginx.events(folder / "events"))
        here = Field([], [shop, events], {})

        def add(key: str, title: str, make: Callable[[], Server]) -> None:
            say(f"starting: {title}")
            try:
                contestant = Contestant(key, title, enter(make()))
            except Missing as why:
                here.skipped[title] = str(why)
                return
            check_untouched(contestant)
            here.contestants.append(contestant)

        add("forwarding", "nginx proxy_pass", lambda: nginx.forwarding(folder / "forwarding", shop.port))
        add("through", "this proxy", lambda: proxy(folder / "through", shop, events, kind="none"))
        for factory, title in through.ASGI.items():
            add(factory, title, lambda name=factory: through.asgi(name, folder / name, shop.port))  # type: ignore[misc]
        add("proxy_py", "proxy.py, threaded", lambda: through.proxy_py(folder / "proxy_py", shop.port))
        add("mitmproxy", "mitmproxy, reverse", lambda: through.mitmproxy(folder / "mitmproxy", shop.port))
        yield here


@contextmanager
def composing(folder: Path, *, say: Callable[[str], None]) -> Iterator[Field]:
    """Who composes the page: ours in one go; nginx, Varnish and Tailor of fragments that we serve.

    Raises:
        StartFailed, WrongAnswer: one that is installed doesn't run as it should.
    """
    with ExitStack() as stack:
        enter = stack.enter_context
        folder.mkdir()
        folder.chmod(0o755)
        shop = enter(nginx.shop(folder / "shop"))
        events = enter(nginx.events(folder / "events"))
        here = Field([], [shop, events], {})

        say("starting: this proxy")
        alone = Contestant("alone", "this proxy, in one go", enter(proxy(folder / "alone", shop, events)))
        check_personalized(alone)
        here.contestants.append(alone)

        def add(key: str, title: str, make: Callable[[Path, int, int], Server]) -> None:
            say(f"starting: {title}")
            ours = enter(proxy(folder / f"{key}-ours", shop, events))
            guests = Contestant(key, title, ours)
            guests.invite()
            try:
                server = enter(make(folder / key, shop.port, ours.port))
            except Missing as why:
                here.skipped[title] = str(why)
                return
            contestant = Contestant(
                key, title, server, path=f"/product/{key}", cookies=guests.cookies, helpers=[ours]
            )
            _check_composed(contestant)
            here.contestants.append(contestant)

        add("ssi", "nginx SSI + our fragments", nginx.composing)
        if varnish.binary() is None:
            here.skipped["Varnish ESI + our fragments"] = "varnishd is not installed"
        else:
            add("esi", "Varnish ESI + our fragments", varnish.composing)
        add("tailor", "Tailor + our fragments", composers.tailor)
        yield here


def _check_composed(contestant: Contestant) -> None:
    """All three fragments are there, for each of two visits; the shop's own markup as well."""
    for _ in range(2):
        page = contestant.get()
        cards, banners = page.count(b'<li class="datacue-rec"'), page.count(b'class="datacue-banner ')
        banners += page.count(b'class="datacue-banner"')
        if (cards, banners) != (CARDS, BANNERS):
            raise WrongAnswer(f"{contestant.title}: {cards} products and {banners} banners in the page")
        if contestant.key != "tailor":  # which writes the page anew
            try:
                widgets_of(page)
            except ValueError as error:
                raise WrongAnswer(f"{contestant.title}: {error}") from None
