"""Two more contests: who forwards a page, and who composes one of our fragments."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import partial
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
    stage,
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
    with stage(folder) as here, ExitStack() as stack:

        def add(key: str, title: str, make: Callable[[], Server]) -> None:
            say(f"starting: {title}")
            try:
                contestant = Contestant(key, title, stack.enter_context(make()))
            except Missing as why:
                here.skipped[title] = str(why)
                return
            check_untouched(contestant)
            here.contestants.append(contestant)

        shop = here.shop.port
        add("forwarding", "nginx proxy_pass", partial(nginx.forwarding, folder / "forwarding", shop))
        add("through", "this proxy", partial(proxy, folder / "through", here.shop, here.events, kind="none"))
        for factory, title in through.ASGI.items():
            add(factory, title, partial(through.asgi, factory, folder / factory, shop))
        add("proxy_py", "proxy.py, threaded", partial(through.proxy_py, folder / "proxy_py", shop))
        add("mitmproxy", "mitmproxy, reverse", partial(through.mitmproxy, folder / "mitmproxy", shop))
        yield here


@contextmanager
def composing(folder: Path, *, say: Callable[[str], None]) -> Iterator[Field]:
    """Who composes the page: ours in one go; nginx, Varnish and Tailor of fragments that we serve.

    Raises:
        StartFailed, WrongAnswer: one that is installed doesn't run as it should.
    """
    with stage(folder) as here, ExitStack() as stack:

        def ours(name: str) -> Server:
            return stack.enter_context(proxy(folder / name, here.shop, here.events))

        def add(key: str, title: str, make: Callable[[Path, int, int], Server]) -> None:
            say(f"starting: {title}")
            fragments = ours(f"{key}-ours")
            guests = Contestant(key, title, fragments)
            guests.invite()
            try:
                server = stack.enter_context(make(folder / key, here.shop.port, fragments.port))
            except Missing as why:
                here.skipped[title] = str(why)
                return
            contestant = Contestant(
                key, title, server, path=f"/product/{key}", cookies=guests.cookies, helpers=[fragments]
            )
            _check_composed(contestant)
            here.contestants.append(contestant)

        say("starting: this proxy")
        alone = Contestant("alone", "this proxy, in one go", ours("alone"))
        check_personalized(alone)
        here.contestants.append(alone)
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
