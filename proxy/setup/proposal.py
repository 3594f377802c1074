"""What a shop's settings should be, out of what its pages show."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from msgspec import Struct, field, to_builtins

from proxy.checking import explore, open_rehearsed_shop
from proxy.checking.pages import facts_of, page_of, report
from proxy.errors import SettingsError
from proxy.settings import Settings
from proxy.setup.addresses import Rule, rule_for, slug_rules, tells
from proxy.setup.markup import SlotPlace, bought_id, fact_selectors, places, sells
from proxy.setup.platform import detect
from proxy.widgets import shown_on
from proxy.wording import parse_locale

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from proxy.checking import Visit
    from proxy.checking.exploring import Explored
    from proxy.models import PageKind

ROUNDS: Final = 3
"""Times that the shop is looked at: what one look teaches, the next one uses."""

CATEGORY_PATH: Final = re.compile(
    r"/(?:categor(?:y|ies)|product-category|collections?|c|kategorie|departments?|taxons?|t|shop|catalog(?:ue)?)/[^/]"
)
"""How addresses of categories begin, where nothing else tells."""

FEW_LINKS: Final = 2
"""Links to products that a category's page has at least."""


class Answers(Struct, frozen=True):
    """What the operator was asked, or would have been."""

    upstream: str
    consent: str = "none"
    use_preset: bool = True
    datacue: bool = False
    """Whether there is a DataCue key; it never goes into the file."""


class Proposal(Struct):
    """Settings, with the reasons that go into the file as comments."""

    answers: Answers
    platform: str = ""
    preset: str | None = None
    locale: str | None = None
    currency: str | None = None
    rules: list[Rule] = field(default_factory=list)
    slots: list[SlotPlace] = field(default_factory=list)
    placeholders: list[str] = field(default_factory=list)
    """Kinds of pages that have the vendor's placeholders already."""
    sources: dict[str, str] = field(default_factory=dict)
    """What says each kind of page, by kind: ``json-ld``."""
    looked: int = 0
    """Pages that were looked at."""
    failure: str = ""
    """Why the shop couldn't be looked at; everything above is a guess, then."""

    def settings(self, state_dir: Path) -> Settings:
        """As ``run`` would read them from the file that is written."""
        return Settings.model_validate(
            {
                "upstream": self.answers.upstream,
                "state_dir": state_dir,
                "consent": self.answers.consent,
                "preset": self.preset,
                "pages": tuple(to_builtins(rule) for rule in self.rules),
            }
        )


async def propose(answers: Answers, state_dir: Path) -> Proposal:
    """Looks at the shop, and learns from it.

    Args:
        answers: of the operator.
        state_dir: anything; nothing is written there.

    Raises:
        SettingsError: the shop's address can't be used.
    """
    proposal = Proposal(answers)
    for _ in range(ROUNDS):
        async with open_rehearsed_shop(proposal.settings(state_dir)) as rehearsal:
            explored = await explore(rehearsal)
        home = explored.visits[0]
        if not home.page:
            proposal.failure = _failure(home)
            return proposal
        before = (proposal.preset, len(proposal.rules))
        _learn(proposal, explored)
        if before == (proposal.preset, len(proposal.rules)):
            break
    _place(proposal, explored, state_dir)
    return proposal


def _failure(home: Visit) -> str:
    if home.failure:
        return home.failure
    if home.location is not None:
        return f"the home page redirects to {home.location}: say that address"
    return f"the home page answers {home.status} and is no HTML"


def _learn(proposal: Proposal, explored: Explored) -> None:
    """Platform, language, currency and rules, out of one look around."""
    platform = detect(explored.visits)
    if platform is not None:
        proposal.platform = platform.name
        if proposal.answers.use_preset and proposal.preset is None and not proposal.rules:
            proposal.preset = platform.preset
            if proposal.preset is not None:
                return  # its rules know the pages better than any guess
    proposal.locale = _locale(next((seen.language for seen in explored.seen if seen.language), ""))
    found = {
        product.currency
        for visit in explored.of("product")
        for product in facts_of(visit).products
        if product.currency
    }
    proposal.currency = next(iter(found)) if len(found) == 1 else None
    known = {rule.kind for rule in proposal.rules}
    if proposal.preset is None:
        found_rules = [*_home_rules(explored), *_product_rules(explored), *_category_rules(explored)]
        # The longest fixed beginning first: /shop/category/{name} before /shop/{name}.
        proposal.rules += [rule for rule in found_rules if rule.kind not in known]
        proposal.rules.sort(key=lambda rule: -len(rule.path.partition("{")[0]))


def _locale(language: str) -> str | None:
    """``<html lang>`` as a locale that prices can be written in."""
    try:
        return str(parse_locale(language.replace("-", "_"))) if language else None
    except (SettingsError, ValueError):
        return None


def _kinds(explored: Explored) -> dict[str, str]:
    return {
        visit.url: page.kind
        for visit in explored.visits
        if (page := page_of(visit)) is not None and visit.page
    }


def _home_rules(explored: Explored) -> list[Rule]:
    """Where the shop's first page is none of the well-known ones."""
    home = explored.visits[0]
    path = urlsplit(home.url).path
    return [Rule("home", path)] if home.page and page_of(home) is None and path != "/" else []


def _product_rules(explored: Explored) -> list[Rule]:
    """From pages that say their id; else from those that sell one thing."""
    kinds = _kinds(explored)
    pages = explored.of("product")
    known = [(visit.url, facts.product_id) for visit in pages if (facts := facts_of(visit)).product_id]
    if pages:
        rule = rule_for("product", "product_id", known)
        return [rule] if rule is not None and tells(rule, kinds) else []
    selling = [visit for visit in explored.visits if page_of(visit) is None and visit.page and sells(visit)]
    shown = fact_selectors(selling, ("name", "price", "photo_url", "categories"))
    rules = [rule for rule in _selling_rules(selling) if tells(rule, kinds)]
    return [Rule(rule.kind, rule.path, rule.query, {**rule.facts, **shown}) for rule in rules]


def _selling_rules(selling: Sequence[Visit]) -> list[Rule]:
    """The id as forms send it, where addresses hold it; or beside them; or the addresses' own number."""
    urls = [visit.url for visit in selling]
    bought = [(visit.url, *found) for visit in selling if (found := bought_id(visit)) is not None]
    if len(bought) == len(selling) and bought:
        rule = rule_for("product", "product_id", [(url, value) for url, _, value in bought])
        if rule is not None:
            return [rule]
        facts = {"product_id": f"form input[name={json.dumps(bought[0][1])}]@value"}
        return [Rule(rule.kind, rule.path, facts=facts) for rule in slug_rules("product", "slug", urls)]
    numbers = [(url, digits[-1]) for url in urls if (digits := re.findall(r"\d+", urlsplit(url).path))]
    rule = rule_for("product", "product_id", numbers) if numbers and len(numbers) == len(urls) else None
    return [rule] if rule is not None else []


def _category_rules(explored: Explored) -> list[Rule]:
    """From pages that nothing knows, whose address is a category's and whose links lead on."""
    if explored.of("category"):
        return []
    selling = {visit.url for visit in explored.visits if visit.page and sells(visit)}
    home = explored.visits[0].url
    urls = [
        visit.url
        for visit, seen in zip(explored.visits, explored.seen, strict=True)
        if page_of(visit) is None
        and visit.url not in {home, *selling}
        and CATEGORY_PATH.search(urlsplit(visit.url).path)
        and len(seen.links) > FEW_LINKS
    ]
    kinds = _kinds(explored) | dict.fromkeys(selling, "product")
    return [rule for rule in slug_rules("category", "category_name", urls) if tells(rule, kinds)]


def _place(proposal: Proposal, explored: Explored, state_dir: Path) -> None:
    """Slots for the pages that have no place for a widget, neither of the shop's own nor of the preset's."""
    settings = proposal.settings(state_dir)
    bare: list[tuple[PageKind, Visit]] = []
    full: list[tuple[PageKind, Visit]] = []
    for visit in explored.visits:
        page = page_of(visit)
        if page is None or not visit.page:
            continue
        told = report(visit, settings, asked=False)
        proposal.sources.setdefault(told.kind, told.why)
        if not shown_on(page.kind):
            continue
        if any(slot.where == "placeholder" for slot in told.slots):
            proposal.placeholders += [told.kind] * (told.kind not in proposal.placeholders)
        else:
            (full if told.slots else bare).append((page.kind, visit))
    proposal.looked = len(explored.visits)
    if bare:
        # Slots of our own replace the preset's: where one kind needs them, all do.
        proposal.slots = places([*full, *bare])
