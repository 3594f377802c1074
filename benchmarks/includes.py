"""``python -m benchmarks.includes``: fragments a second, and a page of three of them composed by others.

nginx and Varnish run the configurations of docs/include, so what is measured is what is advised. The page is
the same for all four, 31 KB, and no cache keeps it; the vendor answers from memory. Each page view makes one
call to the vendor, whoever composes the page.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import contest, nginx, varnish
from benchmarks.contestants import CARDS, ROOT, Contestant, Field, WrongAnswer, proxy, stage
from benchmarks.process import Server, StartFailed, free_port
from benchmarks.report import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.load import Round

WIDGETS = ("banners", "related", "similar")
FRAGMENT = "/_datacue/fragments/related?product_id=1"
CARD = b'<li class="datacue-rec"'


def block(page: str, language: str) -> str:
    """The first block of a language in a page of docs/include."""
    text = (ROOT / "docs" / "include" / page).read_text()
    found = re.search(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/include/{page} has no {language}"
    return found[1]


def page_of(tag: str) -> bytes:
    """A page with three slots in 31 KB; ``tag`` is what stands in one, with ``WIDGET`` for its name."""
    text = "<p>Oak, linen and warm light, for a home that you stay in.</p>\n" * 160
    slots = "".join(f"<section>{tag.replace('WIDGET', widget)}</section>\n{text}" for widget in WIDGETS)
    page = f"<!doctype html>\n<html><head><title>Oak sofa</title></head><body>\n{slots}</body></html>\n"
    return page.encode()


PAGES = {
    "ssi": page_of('<!--# include virtual="/_datacue/fragments/WIDGET" -->'),
    "esi": page_of('<esi:include src="/_datacue/fragments/WIDGET"/>'),
    "own": page_of("<div data-dc-products='WIDGET'></div>").replace(
        b"data-dc-products='banners'", b"data-dc-banners"
    ),
}


def behind_nginx(folder: Path, shop: Server, ours: Server) -> Server:
    """docs/include/nginx.md, where it doesn't compress: nobody else here does."""
    port = free_port()
    config = block("nginx.md", "nginx").replace("127.0.0.1:8080", f"127.0.0.1:{shop.port}")
    config = config.replace("127.0.0.1:8000", f"127.0.0.1:{ours.port}").replace("gzip on;", "")
    config = config.replace("/var/cache/nginx/pages", str(folder / "tmp" / "pages"))
    return nginx.server(folder, config.replace("listen 80;", f"listen 127.0.0.1:{port};"), port)


def behind_varnish(folder: Path, shop: Server, ours: Server) -> Server:
    """docs/include/varnish.md."""
    text = block("varnish.md", "vcl").replace('"8080"', f'"{shop.port}"')
    return varnish.server(folder, text.replace('"8000"', f'"{ours.port}"'))


@contextmanager
def started(folder: Path) -> Iterator[Field]:
    """Everybody, started and checked.

    Raises:
        StartFailed, WrongAnswer: one of them doesn't run as it should.
    """
    with stage(folder, pages=PAGES) as here, ExitStack() as stack:
        enter = stack.enter_context
        ours = enter(proxy(folder / "ours", here.shop, here.events, view_window=0))
        kept = enter(proxy(folder / "kept", here.shop, here.events, view_window=60))
        page = Contestant("page", "page, three slots: this proxy", ours, path="/product/own")
        page.invite()
        guests = Contestant("guests", "", kept, path="/product/own")
        guests.invite()

        def add(contestant: Contestant, cards: int = CARDS) -> None:
            found = contestant.get().count(CARD)
            if found != cards:
                raise WrongAnswer(f"{contestant.title}: {found} products, not {cards}")
            here.contestants.append(contestant)

        def composed(name: str, by: str, server: Server) -> Contestant:
            title = f"page, three includes: {by}"
            return Contestant(
                name, title, enter(server), path=f"/product/{name}", cookies=guests.cookies, helpers=[kept]
            )

        known, alone = "a fragment of a page view that is known", "a fragment, each a page view"
        add(Contestant("known", known, kept, path=FRAGMENT, cookies=guests.cookies), CARDS // 2)
        add(Contestant("alone", alone, ours, path=FRAGMENT, cookies=page.cookies), CARDS // 2)
        add(page)
        add(composed("ssi", "nginx", behind_nginx(folder / "nginx", here.shop, kept)))
        if varnish.binary() is not None:
            add(composed("esi", "Varnish", behind_varnish(folder / "varnish", here.shop, kept)))
        yield here


def row(title: str, rounds: Sequence[Round]) -> list[str]:
    """Medians over the rounds."""
    return [title, f"{median(one.rate for one in rounds):,.0f}", f"{median(one.p99 for one in rounds):.1f}"]


def main() -> int:
    """Prints a table; 1 for a contestant that fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.includes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    given = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="includes-") as name:
            Path(name).chmod(0o755)  # nginx's workers may run as another user
            with started(Path(name) / "stage") as held:
                rounds = contest.hold(held, rounds=given.rounds, seconds=given.seconds, say=lambda _: None)
    except (StartFailed, WrongAnswer) as error:
        print(f"benchmarks.includes: {error}", file=sys.stderr)
        return 1
    rows = [row(one.title, rounds[one.key]) for one in held.contestants]
    print("\n".join(table(["", "requests/s", "p99 ms"], rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
