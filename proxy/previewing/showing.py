"""A widget rendered as the proxy renders it, or the reason why it can't be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from proxy.checking import Notes
from proxy.errors import SettingsError
from proxy.models import Page, PageKind, Slot, Widget
from proxy.prepared import make_renderer, static_files
from proxy.widgets import decode_recommendations, shown_on

if TYPE_CHECKING:
    from proxy.settings import Settings

PAGES: dict[Widget, PageKind] = {"similar": "product", "top": "category"}
"""Where a widget is mostly seen, if not on the home page."""


class Shown(msgspec.Struct, frozen=True):
    """What became of a widget.

    Attributes:
        html: empty where there is nothing to show: the shop's own content stays, then.
        problem: why it could not be rendered; names the template and the line.
    """

    html: str = ""
    problem: str = ""


def page_for(widget: Widget, kind: PageKind | None = None) -> Page:
    """A page on which a widget would stand."""
    return Page(kind or PAGES.get(widget, "product" if widget == "products" else "home"))


def show(settings: Settings, widget: Widget, answer: bytes, page: Page) -> Shown:
    """Renders a widget, with the templates as they are now.

    Args:
        settings: all of them.
        widget: which.
        answer: the JSON that DataCue answers.
        page: where; ``products`` shows the lists of its kind.
    """
    notes = Notes()
    quiet = settings.model_copy(update={"stylesheet": False, "click_links": False})
    try:
        renderer = make_renderer(quiet, static_files(settings.static), notes)
        html = renderer.slot(Slot(widget), page, decode_recommendations(answer), utf8=True, first=False)
    except SettingsError as error:
        return Shown(problem=str(error))
    except msgspec.DecodeError as error:
        return Shown(problem=f"the answer can't be read: {error}")
    if html is None and notes.lines:
        _, failure = notes.lines[0]
        return Shown(problem=f"{failure['template']}: {failure['error']}")
    return Shown(html.decode() if html is not None else "")


def lists(page: Page) -> str:
    """What ``products`` shows on such a page."""
    return ", ".join(shown_on(page.kind))
