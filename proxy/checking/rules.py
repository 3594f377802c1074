"""What the pages that were looked at say together: rules that came to nothing, kinds that nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from proxy.checking.model import Finding
from proxy.widgets import shown_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.checking.model import PageReport
    from proxy.locate import Plan
    from proxy.settings import Settings

SHOWN: Final = 3
"""Pages that a finding names."""


def findings(
    pages: Sequence[PageReport], plan: Plan, settings: Settings, *, explored: bool
) -> Iterator[Finding]:
    """What is wrong with the rules, by all pages together.

    Args:
        pages: as they were told.
        plan: of the slots.
        settings: all of them.
        explored: whether we chose the pages ourselves: then the usual kinds should be among them.
    """
    looked = [page for page in pages if not page.became.startswith("bypass")]
    yield from _idle_slots(looked, plan, settings)
    shown = [page for page in looked if page.kind != "unknown" and shown_on(page.kind)]
    bare = [page for page in shown if not page.slots]
    if bare and len(bare) == len(shown):
        text = f"no page looked at has a place for a widget: {_named(bare)}"
        mend = "Add [[slots]], or a placeholder such as <div data-dc-products></div> to the shop's pages."
        yield Finding("pages", "problem", "slots", text, mend)
    elif bare:
        text = f"no place for a widget on {_named(bare)}"
        yield Finding(
            "pages", "hint", "slots", text, "Add [[slots]] for these kinds, if they should have one."
        )
    unknown = [page for page in looked if page.kind == "unknown"]
    if unknown:
        text = f"nothing says what kind of page this is, so no event goes out: {_named(unknown)}"
        mend = "Add [[pages]] rules for pages that matter: docs/pages.md."
        yield Finding("pages", "hint", "pages", text, mend)
    found = {page.kind for page in looked}
    if explored and looked and "product" not in found:
        text = f"none of {len(looked)} pages is known to be a product's"
        mend = "Add a [[pages]] rule, or name a product's page: datacue-proxy check /product/1."
        yield Finding("pages", "problem", "pages", text, mend)


def _idle_slots(looked: Sequence[PageReport], plan: Plan, settings: Settings) -> Iterator[Finding]:
    """``[[slots]]`` whose selector matched nothing, on any page that it is for."""
    for number, rule in enumerate(plan.slots):
        here = f"slots[{number}]" if settings.slots else f"preset {settings.preset}: slots[{number}]"
        about = [page for page in looked if rule.slot.pages is None or page.kind in rule.slot.pages]
        if not about or any(slot.where == here for page in about for slot in page.slots):
            continue
        kinds = "page" if rule.slot.pages is None else f"{' or '.join(sorted(rule.slot.pages))} page"
        text = f'"{rule.selector.text}" matches nothing on any {kinds} looked at: {_named(about)}'
        mend = "Take a selector of an element that is there, or its kind out of page."
        yield Finding("pages", "problem", f"{here}.selector", text, mend)


def _named(pages: Sequence[PageReport]) -> str:
    paths = [urlsplit(page.url).path or "/" for page in pages]
    return ", ".join(paths[:SHOWN]) + (f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else "")
