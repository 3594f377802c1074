"""A rehearsed page, told: what it is and why, what it says, its slots and forms, and what is wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from proxy.checking.looking import Seen, look
from proxy.checking.model import Finding, FormReport, PageReport, SlotReport
from proxy.classify import is_complete
from proxy.classify.rules import readable_path
from proxy.facts import NOTHING, read_facts
from proxy.facts.address import parameters
from proxy.judge import judge
from proxy.models import LIST_NAMES
from proxy.widgets import ANSWER_FIELD, shown_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.capture import FormRule
    from proxy.checking.looking import Form
    from proxy.checking.model import Level
    from proxy.checking.rehearsal import Visit
    from proxy.facts import PageFacts
    from proxy.models import Page, Slot
    from proxy.settings import Settings

FIELDS: Final = ("product_id", "variant_id", "category_name", "term")

NEEDED: Final = {"product": "product_id", "category": "category_name", "search": "term"}
"""The field without which a page of that kind makes no event."""

MAX_FORMS: Final = 20
"""Forms of a page that are told: a category has one for each of its products."""

MAX_VARIANTS: Final = 20
"""Variants of a product that are told."""

BYPASSES: Final = {
    "type": "it isn't HTML",
    "coding": "its content coding is none that we can read",
    "charset": "its charset isn't compatible with ASCII",
    "range": "it is a part of something",
    "no-transform": "its Cache-Control says no-transform",
    "off": "the shop says X-DataCue-Off",
    "rule": "a [[pages]] rule of kind none",
    "gpc": "Sec-GPC",
    "dnt": "DNT",
    "consent": "no consent was given",
}
"""Why a page is left alone, by the word of the ``X-DataCue`` field."""

WHYS: Final = {
    "path": "a well-known path",
    "header": "the shop's X-DataCue-Event",
    "status": "the status 404",
    "config": "window.datacueConfig",
    "json-ld": "JSON-LD",
    "microdata": "microdata",
    "opengraph": "OpenGraph",
    "selectors": "selected facts",
}


def explain(why: str, settings: Settings) -> str:
    """The reason for a page's kind, for people."""
    source, _, number = why.partition(":")
    if source == "rule":
        rule = settings.pages[int(number)]
        return f"pages[{number}]" + (f" ({rule.path})" if rule.path else "")
    if source == "preset":
        return f"preset {settings.preset}"
    return WHYS.get(why, why or "nothing says it")


def seen(visit: Visit, places: Sequence[str] = ()) -> Seen:
    """Links and forms of a visited page."""
    return look(visit.page, charset=visit.charset, url=visit.url, places=places)


def facts_of(visit: Visit) -> PageFacts:
    """What a visited page says about itself."""
    if visit.overheard is None:
        return NOTHING
    return read_facts(visit.overheard.facts, charset=visit.charset, page_url=visit.url)


def page_of(visit: Visit) -> Page | None:
    """What a visited page turned out to be."""
    view = visit.exchange.view
    return (view.page if view is not None else None) or visit.exchange.page


def report(visit: Visit, settings: Settings, *, asked: bool) -> PageReport:
    """All that is known of a page.

    Args:
        visit: of it.
        settings: all of them.
        asked: whether DataCue was asked in earnest.
    """
    page, facts = page_of(visit), facts_of(visit)
    slots = list(_slots(visit, page, settings, asked=asked))
    return PageReport(
        url=visit.url,
        status=visit.status,
        kind=page.kind if page is not None else "unknown",
        why=page.why if page is not None else "",
        became=_became(visit, slots),
        fields={name: value for name in FIELDS if page is not None and (value := getattr(page, name))},
        facts=_told(facts),
        slots=slots,
        events=visit.sent,
        calls=[{"target": one.target, "document": one.event} for one in visit.kept if one.target != "events"],
        forms=list(_forms(visit)),
        links=visit.trail,
    )


def _became(visit: Visit, slots: Sequence[SlotReport]) -> str:
    if visit.body is None:
        return f"bypass:{visit.exchange.ignored or judge(visit.status, visit.headers).bypass}"
    removed = visit.overheard is not None and any(one.slot is None for one in visit.overheard.openings)
    return "rewritten" if removed or any(slot.outcome in {"ready", "hit"} for slot in slots) else "untouched"


def _told(facts: PageFacts) -> dict[str, Any]:
    """Facts without what is empty; of many variants the first ones speak for all."""
    plain: dict[str, Any] = msgspec.to_builtins(facts)
    plain["products"] = [
        {name: value for name, value in product.items() if value not in (None, (), [], "")}
        for product in plain["products"][:MAX_VARIANTS]
    ]
    return {name: value for name, value in plain.items() if value and name not in {"kind", "why"}}


# -- slots ----------------------------------------------------------------------------------------


def _slots(visit: Visit, page: Page | None, settings: Settings, *, asked: bool) -> Iterator[SlotReport]:
    if visit.overheard is None or visit.exchange.view is None:
        return
    outcomes = iter(visit.exchange.view.outcomes)
    for opening in visit.overheard.openings:
        slot = opening.slot
        if slot is None or (slot.pages is not None and (page is None or page.kind not in slot.pages)):
            continue
        outcome = next(outcomes, ("", "unknown"))[1]
        if not asked and outcome in {"hit", "empty"}:
            outcome = "ready"
        items = _items(slot, page, visit.answers[0]) if outcome == "hit" and visit.answers else []
        yield SlotReport(slot.widget, place_of(visit, slot, settings), outcome, items)


def place_of(visit: Visit, slot: Slot, settings: Settings) -> str:
    """Who asked for a slot: the rule, or the page itself."""
    for number, rule in enumerate(visit.exchange.core.plan.slots):
        if rule.slot is slot:
            return f"slots[{number}]" if settings.slots else f"preset {settings.preset}: slots[{number}]"
    return "placeholder"


def _items(slot: Slot, page: Page | None, answer: bytes) -> list[str]:
    """What an answer holds for a widget, by name."""
    document: dict[str, Any] = msgspec.json.decode(answer)
    fields: list[str] = []
    if slot.widget == "products":
        fields = [ANSWER_FIELD[name] for name in shown_on(page.kind)] if page is not None else []
    elif slot.widget in LIST_NAMES:
        fields = [ANSWER_FIELD[slot.widget]]
    else:
        fields = ["main_banners"] * (slot.widget != "sub_banners")
        fields += ["sub_banners"] * (slot.widget != "main_banners")
    found: list[str] = []
    for field in fields:
        for item in document.get(field) or ():
            inner = item.get("products") if field == "category_product_skus" else [item]
            found += [str(one.get("name") or one.get("banner_id") or one.get("product_id")) for one in inner]
    return found


# -- forms ----------------------------------------------------------------------------------------


def _forms(visit: Visit) -> Iterator[FormReport]:
    """The page's forms that ``[[capture]]`` rules are about; equal ones once."""
    rules = visit.exchange.core.capture.rules
    if rules.none or not visit.page:
        return
    told: set[tuple[str, str, tuple[str, ...]]] = set()
    for form in seen(visit).forms:
        parts = urlsplit(form.action)
        path = readable_path(parts.path.encode() or b"/")
        for rule, address in rules.forms(form.method, path, parameters(parts.query.encode())):
            missing = _missing(rule, form, address)
            if missing is None or (rule.event, rule.here, tuple(missing)) in told:
                continue
            told.add((rule.event, rule.here, tuple(missing)))
            if len(told) <= MAX_FORMS:
                yield FormReport(form.method, form.action, rule.event, rule.here, missing)


def _missing(rule: FormRule, form: Form, address: dict[str, str]) -> list[str] | None:
    """Fields of the form that the rule wants and doesn't find; None where the form is another's."""
    if any(
        name not in form.fields or wanted not in {"*", "", form.fields[name]}
        for name, wanted in rule.demanded
    ):
        return None
    return [
        name
        for field, name, required in rule.form
        if required and name not in form.fields and field not in address
    ]


# -- what is wrong --------------------------------------------------------------------------------


def findings(visit: Visit, told: PageReport, settings: Settings) -> Iterator[Finding]:
    """What is wrong with a page, and what is worth knowing of it."""
    where = urlsplit(told.url).path or "/"
    wrong = list(_answer_findings(visit, where, settings))
    yield from wrong
    if wrong or visit.body is None:
        return
    page = page_of(visit)
    placeholders = sum(slot.where == "placeholder" for slot in told.slots)
    if told.kind == "unknown" and placeholders:
        text = f"nothing says what kind of page this is: no event goes out and its {placeholders} slots stay"
        mend = f'Add a [[pages]] rule for it, as path = "{where}" and kind = "category".'
        yield Finding("pages", "problem", where, text, mend)
    elif page is not None and not is_complete(page):
        yield _incomplete(where, page, settings)
    yield from _fact_findings(where, told, settings)
    if visit.overheard is not None and visit.overheard.bailed:
        why = {"tag": "a tag of its is too long", "depth": "its elements are nested too deeply"}
        text = f"the page is given up half-way: {why.get(visit.overheard.bailed, visit.overheard.bailed)}"
        yield Finding("pages", "problem", where, text, "Mend the page's HTML; until then it passes as it is.")
    for event, fields in visit.warnings:
        more = "; ".join(f"{key}: {value}" for key, value in fields.items() if key != "exc_info")
        yield Finding("pages", "problem", where, f"{event} ({more})", "See docs/operations.md.")
    for form in told.forms:
        if form.missing:
            text = f"the form to {urlsplit(form.action).path} has no field {', '.join(form.missing)}"
            mend = "Name the form's own field, or end the name with ? if it may be missing."
            yield Finding("pages", "problem", f"{form.rule}.form", f"{text} (on {where})", mend)


def _incomplete(where: str, page: Page, settings: Settings) -> Finding:
    needed = NEEDED[page.kind]
    text = f"a {page.kind} page ({explain(page.why, settings)}) without {needed}: no event goes out"
    about = page.why.replace("rule:", "pages[") + "]" if page.why.startswith("rule:") else where
    mend = f'Put {{{needed}}} into the rule\'s path, or facts = {{ {needed} = "a CSS selector" }} below it.'
    return Finding("pages", "problem", about, f"{text} from {where}", mend)


def _answer_findings(visit: Visit, where: str, settings: Settings) -> Iterator[Finding]:
    if visit.failure:
        mend = "Start the shop, or mend the setting upstream."
        if visit.late:
            mend = "Open it in a browser: what makes the shop so slow there has to be mended there."
        yield Finding("pages", "problem", where, visit.failure, mend)
        return
    location = visit.location
    if location is not None:
        yield _redirected(visit, where, location, settings)
        return
    if visit.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        text = f"the shop answers {visit.status}"
        yield Finding("pages", "problem", where, text, "Mend the shop first.")
    elif visit.body is None:
        bypass = visit.exchange.ignored or judge(visit.status, visit.headers).bypass
        if bypass in {"rule", "off"}:
            yield Finding("pages", "hint", where, f"left alone: {BYPASSES[bypass]}")
        else:
            text = f"not personalized: {BYPASSES.get(bypass, f'the shop answers {visit.status}')}"
            level: Level = "problem" if bypass in {"coding", "charset", "no-transform"} else "hint"
            yield Finding("pages", level, where, text, "docs/operations.md lists the reasons.")


def _redirected(visit: Visit, where: str, location: str, settings: Settings) -> Finding:
    here, there = urlsplit(visit.url), urlsplit(location)
    text = f"the shop redirects to {location}"
    if there.netloc == here.netloc and (here.scheme, there.scheme) == ("http", "https"):
        mend = "It wants https: end TLS before the proxy, send X-Forwarded-Proto; check https URLs."
        return Finding("pages", "problem", where, text, mend)
    if there.netloc != here.netloc:
        mend = (
            f"Check its own address, {there.scheme}://{there.netloc}{here.path}"
            if settings.preserve_host
            else "Leave preserve_host as it is: the shop builds links from the Host that it sees."
        )
        return Finding("pages", "problem", where, text, mend)
    return Finding("pages", "problem", where, f"{text}, and on, and on", "Mend the shop's redirects.")


def _fact_findings(where: str, told: PageReport, settings: Settings) -> Iterator[Finding]:
    """What the embedded engine couldn't show of a product."""
    if told.kind != "product" or not settings.embedded_engine or "product_id" not in told.fields:
        return
    product = (told.facts.get("products") or [{}])[0]
    missing = [name for name in ("name", "photo_url", "price") if name not in product]
    if missing:
        text = f"the page doesn't say its product's {' and '.join(missing)}: it can't be recommended"
        if missing == ["price"]:
            text = "the page doesn't say its product's price: its card shows none"
        mend = f'Add facts = {{ {missing[0]} = "a CSS selector" }} to its [[pages]] rule: docs/pages.md.'
        yield Finding("pages", "hint", where, text, mend)
