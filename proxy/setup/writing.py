"""A proposal as a ``datacue.toml`` that explains itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from proxy.checking.pages import WHYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.setup.proposal import Proposal

HEAD: Final = """\
# Settings of datacue-proxy. Every key can also be an environment variable: DATACUE_ and its name in capitals.
# All keys are in docs/settings.md. Is it all as it should be? datacue-proxy check
"""

CAPTURE: Final = """\
# What visitors do, told from the shop's own forms and pages (docs/capture.md). An example:
#
# [[capture]]
# event = "cart.add"
# path = "/cart/add"
# form = { product_id = "id", quantity = "qty?" }
"""

SLOT: Final = """\
# Places for widgets. An example:
#
# [[slots]]
# page = "home"
# selector = "main"
# position = "prepend"              # before, prepend, append, after, replace
# widget = "banners"
"""


def write(proposal: Proposal) -> str:
    """The file's text; ``settings.load`` reads it as it is."""
    return "\n".join(_lines(proposal)) + "\n"


def _lines(proposal: Proposal) -> Iterator[str]:
    yield HEAD
    yield f"upstream = {_text(proposal.answers.upstream)}"
    yield '# listen = "127.0.0.1:8000"         # where visitors come; ":80" for all addresses of this machine'
    yield ""
    if proposal.answers.datacue:
        yield "# DataCue answers, with the key in DATACUE_API_KEY and the secret in DATACUE_API_SECRET: keys"
        yield "# don't belong into files."
    else:
        yield "# The embedded engine answers, offline, until DATACUE_API_KEY and DATACUE_API_SECRET are set."
    yield ""
    yield from _consent(proposal)
    yield from _language(proposal)
    yield from _platform(proposal)
    yield from _pages(proposal)
    yield from _slots(proposal)
    if proposal.preset is None:
        yield CAPTURE


def _consent(proposal: Proposal) -> Iterator[str]:
    if proposal.answers.consent == "none":
        yield '# consent = "cookie_consent=all"    # only visitors with this cookie are personalized'
    else:
        yield f"consent = {_text(proposal.answers.consent)}"
    yield ""


def _language(proposal: Proposal) -> Iterator[str]:
    if proposal.locale is not None:
        yield f"locale = {_text(proposal.locale)}"
    else:
        yield '# locale = "en_US"                  # how prices and titles are written'
    if proposal.currency is not None:
        yield f"currency = {_text(proposal.currency)}"
    else:
        yield '# currency = "USD"'
    yield ""


def _platform(proposal: Proposal) -> Iterator[str]:
    if proposal.failure:
        yield f"# The shop could not be looked at: {' '.join(proposal.failure.split())}."
        yield "# Run datacue-proxy init --force again when it can, or write the rules below yourself."
        yield ""
    elif proposal.preset is not None:
        yield f"# This is {proposal.platform}: the preset knows its pages, its slots and its forms."
        yield "# Rules of yours come first; slots of yours replace the preset's."
        yield f"preset = {_text(proposal.preset)}"
        yield ""
    elif proposal.platform:
        yield f"# This looks like {proposal.platform}."
        yield ""


def _pages(proposal: Proposal) -> Iterator[str]:
    if proposal.preset is None:
        yield "# What a page shows decides its event and its widgets (docs/pages.md). Without a rule the page"
        yield "# itself is asked, and a few well-known paths."
        known = {
            kind: why
            for kind, why in proposal.sources.items()
            if kind not in {rule.kind for rule in proposal.rules} and why in WHYS
        }
        for kind, why in known.items():
            yield f"# - {kind}: no rule needed, {WHYS[why]} says it"
        yield ""
    for rule in proposal.rules:
        yield "[[pages]]"
        yield f"kind = {_text(rule.kind)}"
        yield f"path = {_text(rule.path)}"
        if rule.query:
            yield f"query = {_table(rule.query)}"
        if rule.facts:
            yield "# Where such a page shows what it doesn't say for machines:"
            yield f"facts = {_table(rule.facts)}"
        yield ""


def _slots(proposal: Proposal) -> Iterator[str]:
    if proposal.placeholders:
        kinds = ", ".join(proposal.placeholders)
        yield f"# DataCue's own placeholders are there already on pages of kind {kinds}."
        yield ""
    for slot in proposal.slots:
        yield "[[slots]]"
        listed = ", ".join(_text(kind) for kind in slot.kinds)
        yield f"page = {listed if len(slot.kinds) == 1 else f'[{listed}]'}"
        yield f"selector = {_text(slot.selector)}"
        yield f"position = {_text(slot.position)}"
        yield 'widget = "products"'
        yield ""
    if proposal.preset is None and not proposal.slots:
        yield SLOT


def _table(values: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{name} = {_text(value)}" for name, value in values.items()) + " }"


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are among its own (TOML 1.0, "String")."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
