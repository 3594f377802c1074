"""``datacue-proxy preview``: how a widget looks, without a shop."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import Annotated

import typer

from proxy.cli.style import Config, helped
from proxy.models import PAGE_KINDS, WIDGETS
from proxy.settings import load


def _widgets(incomplete: str) -> list[str]:
    return [widget for widget in WIDGETS if widget.startswith(incomplete)]


def _kinds(incomplete: str) -> list[str]:
    return [kind for kind in PAGE_KINDS if kind != "none" and kind.startswith(incomplete)]


@helped(
    [
        "preview related",
        "preview products --page product --html",
        "preview banners --output banners.html",
        "preview similar --live --product-id p1",
        "preview --serve",
        "preview --serve 127.0.0.1:9000",
    ],
    "0 shown, 1 there is nothing to show, 2 wrong settings, or a template that can't be used.",
)
def preview(  # noqa: PLR0913  each is an option
    widget: Annotated[
        str | None,
        typer.Argument(metavar="[WIDGET]", help=", ".join(WIDGETS) + ".", autocompletion=_widgets),
    ] = None,
    *,
    config: Config = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live",
            help="Ask DataCue, or the embedded engine. That is a page view, and it counts: of a made-up"
            " visitor, erased afterwards where api_secret (or the embedded engine) allows it.",
        ),
    ] = False,
    empty: Annotated[bool, typer.Option("--empty", help="An answer that has nothing to show.")] = False,
    page: Annotated[
        str | None, typer.Option(metavar="KIND", help="Kind of the page.", autocompletion=_kinds)
    ] = None,
    product_id: Annotated[str | None, typer.Option(metavar="ID", help="Of a product's page.")] = None,
    category_name: Annotated[str | None, typer.Option(metavar="NAME", help="Of a category's page.")] = None,
    term: Annotated[str | None, typer.Option(metavar="TEXT", help="Of a search.")] = None,
    html: Annotated[bool, typer.Option("--html", help="The widget's HTML itself.")] = False,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="A whole HTML page.")] = None,
    serve: Annotated[
        bool,
        typer.Option(
            "--serve",
            help="A gallery of all widgets, anew whenever a template changes. HOST:PORT may follow;"
            " 127.0.0.1:8002 without.",
        ),
    ] = False,
) -> None:
    """Shows a widget with sample data: as text, as HTML, as a file, or all of them in a browser."""
    # Here, not above: no other command needs all this, and it takes a while to load.
    from proxy.cli.previewing import Wanted, run

    wanted = Wanted(widget, live, empty, page, product_id, category_name, term)
    code = run(load(config), wanted, html=html, output=output, serve=serve)
    if code:
        raise typer.Exit(code)
