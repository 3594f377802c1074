"""What a check finds: findings with their mend, and pages with all that is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from proxy.models import PageKind

Level = Literal["ok", "hint", "problem"]
"""``ok``: it was looked at and is fine. ``hint``: worth knowing. ``problem``: something won't work."""

Section = Literal["settings", "shop", "datacue", "pages"]


class Finding(Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at."""

    section: Section
    level: Level
    about: str
    """The setting, the page or the file, as the operator knows it: ``slots[1].selector``."""
    text: str
    """What is the matter with it, on one line."""
    mend: str = ""
    """What to do about it."""


class SlotReport(Struct, frozen=True, omit_defaults=True):
    """A place for a widget in a page."""

    widget: str
    where: str
    """``placeholder``, or the rule: ``slots[0]``."""
    outcome: str
    """``ready`` (it would be asked for), ``unknown`` (no event goes out from such a page); where DataCue was
    asked ``hit``, ``empty``, ``late``, ``error`` or ``down``."""
    items: list[str] = []
    """What would be shown, where it was asked for: names, or ids."""


class FormReport(Struct, frozen=True, omit_defaults=True):
    """A form of a page that a ``[[capture]]`` rule is about."""

    method: str
    action: str
    event: str
    rule: str
    missing: list[str] = []
    """Form fields that the rule wants and the form doesn't have."""


class PageReport(Struct, frozen=True):
    """One page, as the proxy would treat it."""

    url: str
    status: int
    kind: PageKind | Literal["unknown"]
    """``unknown`` where nothing says it."""
    why: str
    """What said it, in the words of the ``X-DataCue`` field."""
    became: str
    """``rewritten``, ``untouched`` or ``bypass:<reason>``."""
    fields: dict[str, str] = {}
    """Of the event: ``product_id``, ``term`` and so on."""
    facts: dict[str, Any] = {}
    """What the page says of its product, user and order."""
    slots: list[SlotReport] = []
    events: list[dict[str, Any]] = []
    """The bodies that would be sent to the events endpoint."""
    calls: list[dict[str, Any]] = []
    """The calls that would be made to the REST API: ``target`` and ``document``."""
    forms: list[FormReport] = []
    links: list[str] = []
    """Where redirects led on the way, the last one being this page's own address."""


class Report(Struct):
    """Everything."""

    findings: list[Finding] = field(default_factory=list)
    pages: list[PageReport] = field(default_factory=list)

    @property
    def problems(self) -> list[Finding]:
        """What won't work."""
        return [finding for finding in self.findings if finding.level == "problem"]
