"""What settings become before anything is opened: files read, rules compiled, addresses taken apart.

Whatever can't be used ends here, with a sentence that names the key and the mend.
"""

from __future__ import annotations

import hashlib
import mimetypes
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from proxy.capture import FormRule, Rules, ViewRule, compile_capture, presets
from proxy.classify import Classifier, compile_rule
from proxy.errors import SettingsError
from proxy.fragments import StaticFile
from proxy.headers import TrustedProxies
from proxy.http1 import Origin
from proxy.locate import FactSelectors, Plan, SelectorError, SlotRule, parse_selector
from proxy.models import PAGE_KINDS, Slot
from proxy.render import Renderer
from proxy.settings import Preset, SlotSettings
from proxy.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from proxy.clicks import ClickLinks
    from proxy.logs import Log
    from proxy.settings import Settings

SELECTOR_MEND = 'Write a CSS selector, as "main > .hero"; docs/settings.md says what it may hold.'


def static_files(override: Path | None) -> dict[str, StaticFile]:
    """The stylesheet and what else ships, with the operator's files in place of ours.

    Raises:
        SettingsError: the operator's folder can't be read.
    """
    files: dict[str, StaticFile] = {}
    folders = [shipped("static")]
    if override is not None:
        if not override.is_dir():
            raise SettingsError(
                "static", f"{override} is no folder", "Name the folder that holds your files."
            )
        folders.append(override)
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if not path.is_file() or path.name.startswith("."):
                continue
            try:
                body = path.read_bytes()
            except OSError as error:
                raise SettingsError("static", f"{path} can't be read: {error}", "Check it.") from None
            media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            if media_type.startswith("text/") or media_type.endswith("javascript"):
                media_type += "; charset=utf-8"
            version = hashlib.blake2b(body, digest_size=6).hexdigest()
            files[path.name] = StaticFile(body, media_type, version)
    return files


PagePlan = tuple[Classifier, Plan, "Mapping[str, FactSelectors]", Rules]
"""``[[pages]]``; where is looked for what; fact selectors by the rule that has them; ``[[capture]]``."""


def page_plan(settings: Settings) -> PagePlan:
    """``[[pages]]``, ``[[slots]]`` and ``[[capture]]``, compiled, with what the preset adds after them.

    Raises:
        SettingsError: naming the entry, the problem and the mend.
    """
    preset = Preset.model_validate(presets.read(settings.preset)) if settings.preset else Preset()
    rules = []
    selectors: dict[str, FactSelectors] = {}
    for index, page in enumerate((*settings.pages, *preset.pages)):
        rule = compile_rule(
            index, path=page.path, query=page.query, kind=page.kind, fields=page.fields, facts=page.facts
        )
        if index >= len(settings.pages):
            rule = replace(rule, why=f"preset:{index - len(settings.pages)}")
        rules.append(rule)
        if page.facts:
            try:
                selectors[rule.why] = FactSelectors(page.facts)
            except SelectorError as error:
                raise SettingsError(f"pages[{index}].facts", str(error), SELECTOR_MEND) from None
    # Slots don't take turns, as rules do: the preset's would stand beside the operator's own.
    slots = [_slot(f"slots[{index}]", entry) for index, entry in enumerate(settings.slots or preset.slots)]
    capture = [
        compile_capture(
            _named(settings, "capture", index),
            index,
            entry.model_dump(exclude_none=True, exclude_defaults=True),
        )
        for index, entry in enumerate((*settings.capture, *preset.capture))
    ]
    seen = Rules(
        [rule for rule in capture if isinstance(rule, FormRule)],
        [rule for rule in capture if isinstance(rule, ViewRule)],
    )
    plan = Plan(
        prefix=settings.prefix,
        slots=slots,
        facts=preset.facts,
        remove_vendor_scripts=settings.remove_vendor_scripts,
        collect_facts=settings.detect or seen.selects,
    )
    return Classifier(rules, settings.detect), plan, selectors, seen


def _named(settings: Settings, table: Literal["pages", "capture"], index: int) -> str:
    """How messages name a rule: the operator's own, or one that the preset adds after them."""
    beyond = index - len(getattr(settings, table))
    return f"{table}[{index}]" if beyond < 0 else f"preset {settings.preset}: {table}[{beyond}]"


def _slot(here: str, entry: SlotSettings) -> SlotRule:
    unknown = [name for name in entry.kinds() if name not in {*PAGE_KINDS, "*"}]
    if unknown:
        mend = f"Known kinds: {', '.join(PAGE_KINDS)}, or *."
        raise SettingsError(f"{here}.page", f"{unknown[0]!r} is no page kind", mend)
    try:
        selector = parse_selector(entry.selector)
    except SelectorError as error:
        raise SettingsError(f"{here}.selector", str(error), SELECTOR_MEND) from None
    return SlotRule(selector, entry.position, Slot(entry.widget, pages=entry.pages()))


def make_renderer(
    settings: Settings, static: Mapping[str, StaticFile], log: Log, clicks: ClickLinks | None = None
) -> Renderer:
    """What makes HTML of recommendations, with the operator's templates read and tried.

    Args:
        settings: all of them.
        static: by file name.
        log: where is said.
        clicks: makes the items' links; None, or ``click_links = false``, links directly.

    Raises:
        SettingsError: a template, or the locale or currency, can't be used.
    """
    stylesheet = static.get("datacue.css")
    href = None
    if settings.stylesheet and stylesheet is not None:
        href = f"{settings.prefix}/static/datacue.css?v={stylesheet.version}"
    return Renderer(
        templates=settings.templates,
        locale=settings.locale,
        currency=settings.currency,
        layout=settings.layout,
        section_size=settings.section_size,
        link_for=clicks.link_for if clicks is not None and settings.click_links else None,
        stylesheet_href=href,
        failed=lambda name, error: log.warning("a template failed", template=name, error=str(error)),
    )


def shell_version(settings: Settings) -> str:
    """Changes with whatever makes another shell of an equal page: the settings of pages, and we ourselves."""
    said = settings.model_dump_json(
        include={
            "prefix", "detect", "remove_vendor_scripts", "pages", "slots", "capture", "preset", "esi",
        }
    )  # fmt: skip
    try:
        return f"{version('datacue-proxy')} {said}"
    except PackageNotFoundError:  # run from a source tree
        return said


def trusted_proxies(settings: Settings) -> TrustedProxies:
    """Whose ``X-Forwarded-*`` is believed.

    Raises:
        SettingsError: an entry is neither an address nor a network.
    """
    try:
        return TrustedProxies(settings.trusted_proxies)
    except ValueError as error:
        raise SettingsError("trusted_proxies", str(error), "Write 10.0.0.0/8 or 192.0.2.1.") from None


def origin_of(key: str, url: str) -> Origin:
    """The origin that the setting ``key`` names.

    Raises:
        SettingsError: it names none.
    """
    try:
        return Origin.parse(url)
    except ValueError as error:
        raise SettingsError(key, str(error), "Write http://host:port.") from None
