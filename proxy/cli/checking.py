"""What ``datacue-proxy check`` prints: a line for each thing that was looked at, a block for each page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import uvloop
from rich.text import Text

from proxy import logs
from proxy.checking import check_up
from proxy.checking.pages import BYPASSES, explain
from proxy.cli.style import console, print_json
from proxy.errors import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from proxy.checking import Finding, PageReport, Report, SlotReport
    from proxy.settings import Settings

MARKS = {"ok": ("✓", "green"), "hint": ("!", "yellow"), "problem": ("✗", "bold red")}
TITLES = {"settings": "Settings", "shop": "Shop", "datacue": "DataCue", "pages": "Pages"}

SHOWN_ITEMS = 8
"""Recommendations of a slot that are named."""

SHOWN_TEXT = 60
"""Characters of a fact: a line holds several."""

OUTCOMES = {
    "ready": "would be filled",
    "unknown": "stays as it is: no event goes out from here",
    "hit": "filled",
    "empty": "stays as it is: there was nothing to show",
    "late": "stays as it is: the answer was late",
    "error": "stays as it is: the call failed",
    "down": "stays as it is: DataCue is down",
    "failed": "stays as it is: a template failed",
}


def run(settings: Settings, urls: Sequence[str], *, ask: bool, as_json: bool) -> bool:
    """Checks, and tells; whether there are problems.

    Raises:
        SettingsError: something in the settings can't be used.
    """
    log = logs.configure("error", settings.log_format)
    report = uvloop.run(check_up(settings, urls, log, ask=ask))
    if as_json:
        told = {"ok": not report.problems, "problems": len(report.problems), **msgspec.to_builtins(report)}
        print_json(told)
    else:
        _tell(report, settings, console())
    return bool(report.problems)


def _tell(report: Report, settings: Settings, out: Console) -> None:
    for section, title in TITLES.items():
        found = [finding for finding in report.findings if finding.section == section]
        if not found and not (section == "pages" and report.pages):
            continue
        out.print(Text(title, style="bold"))
        if section == "pages":
            for page in report.pages:
                _tell_page(page, settings, out)
        for finding in found:
            _tell_finding(finding, out)
        out.print()
    problems, hints = len(report.problems), sum(one.level == "hint" for one in report.findings)
    looked = f"{counted(len(report.pages), 'page')} looked at"
    verdict = counted(problems, "problem") if problems else "no problems"
    more = f", {counted(hints, 'hint')}" if hints else ""
    out.print(Text(f"{looked}: {verdict}{more}.", style="bold red" if problems else "bold green"))


def _tell_finding(finding: Finding, out: Console) -> None:
    mark, style = MARKS[finding.level]
    line = Text.assemble("  ", (mark, style), " ", (finding.about, "bold"), f": {finding.text}")
    if finding.mend:
        line.append(f". {finding.mend}")
    out.print(line, soft_wrap=True)


def _tell_page(page: PageReport, settings: Settings, out: Console) -> None:
    target = urlsplit(page.url)._replace(scheme="", netloc="").geturl() or "/"
    head = Text.assemble("  ", (target, "bold cyan"), "  ")
    if page.status:
        head.append(f"{page.status}  ")
    bypass = page.became.partition(":")[2]
    if bypass and page.kind == "unknown":
        head.append(f"passes as it is ({BYPASSES.get(bypass, bypass)})", style="dim")
    else:
        head.append(page.kind, style="bold")
        head.append(f" by {explain(page.why, settings)}" if page.why else "")
    out.print(head, soft_wrap=True)
    rows: list[tuple[str, str]] = []
    if page.links:
        rows.append(("asked", ", ".join(urlsplit(link).path for link in page.links)))
    rows += [("says", line) for line in _facts(page.facts)]
    rows += [("slot", line) for line in _slots(page.slots)]
    rows += [("event", _json(event["event"])) for event in page.events]
    rows += [
        ("call", f"{one['target']} {json.dumps(one['document'], ensure_ascii=False)}") for one in page.calls
    ]
    for form in page.forms:
        lacks = f", but it has no field {', '.join(form.missing)}" if form.missing else ""
        rows.append(
            ("form", f"{form.method} {urlsplit(form.action).path} → {form.event} ({form.rule}){lacks}")
        )
    for name, text in rows:
        out.print(Text.assemble("      ", (f"{name:<6}", "dim"), text), soft_wrap=True)


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)


def _slots(slots: Sequence[SlotReport]) -> list[str]:
    """A line for each place and outcome; of what was asked for, a line a widget."""
    lines: dict[str, str] = {}
    for slot in slots:
        more = f" and {len(slot.items) - SHOWN_ITEMS} more" if len(slot.items) > SHOWN_ITEMS else ""
        items = f" with {', '.join(slot.items[:SHOWN_ITEMS])}{more}" if slot.items else ""
        rest = f" ({slot.where}): {OUTCOMES.get(slot.outcome, slot.outcome)}{items}"
        lines[rest] = f"{lines[rest]}, {slot.widget}" if rest in lines else slot.widget
    return [f"{widgets}{rest}" for rest, widgets in lines.items()]


def _facts(facts: dict[str, Any]) -> list[str]:
    """A line for the product that the page shows, or for whatever else it says."""
    lines = [
        f"{name}={_short(value)}"
        for name, value in facts.items()
        if name not in {"products", "product_id", "variant_id"}
    ]
    products = facts.get("products", ())
    for product in products[:1]:
        price = f"{product['price']:g} {product.get('currency', '')}".strip() if "price" in product else ""
        parts = [product.get("name", ""), price, product.get("brand", "")]
        parts += [" > ".join(product.get("categories", ())), product.get("photo_url", "")]
        parts += ["sold out"] * (product.get("available") is False)
        parts += [f"{len(products)} variants"] * (len(products) > 1)
        lines.append(", ".join(_short(part) for part in parts if part))
    return [line for line in lines if line]


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= SHOWN_TEXT else f"{text[: SHOWN_TEXT - 1]}…"
