"""What a page says about itself → `PageFacts`.

Four formats are read and laid over each other, the surest first: ``window.datacueConfig``, which is
written for DataCue; JSON-LD, microdata and OpenGraph, which are written for search engines. The first
that names the page's kind decides it; where a weaker one agrees on the kind, it fills what is missing.
What the operator selected wins over all. See ``docs/pages.md``.

In reading order: ``model`` (the answer), ``values`` and ``address`` (single values), ``tokens``,
``javascript``, ``config``, ``graph``, ``product``, ``schemaorg``, ``jsonld``, ``microdata``,
``opengraph``, ``selected``.
"""

from __future__ import annotations

from functools import reduce
from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec import msgpack, structs

from proxy.facts import config, jsonld, microdata, opengraph, selected
from proxy.facts.address import PageAddress, page_address
from proxy.facts.model import NOTHING, FactsSource, PageFacts, ProductFacts
from proxy.facts.selected import FACT_NAMES
from proxy.facts.values import scrub

if TYPE_CHECKING:
    from proxy.models import RawFacts

__all__ = ["FACT_NAMES", "NOTHING", "FactsSource", "PageFacts", "ProductFacts", "read_facts"]

_OF_THE_PRODUCT = ("name", "currency", "photo_url", "brand", "description", "categories", "rating")
"""Fields that every variant of a product may share; price, stock and availability are a variant's own."""

_OF_ONE_VARIANT = (*_OF_THE_PRODUCT, "variant_id", "price", "full_price", "available", "stock")


MAX_REMEMBERED = 1_024
"""Pages whose facts are remembered, the oldest forgotten first: some 3 KiB each."""

MAX_REMEMBERED_VARIANTS = 20
"""Products with more variants aren't remembered: a thousand of them would take 250 MiB."""

_remembered: dict[bytes, PageFacts] = {}


def read_facts(raw: RawFacts, *, charset: str, page_url: str) -> PageFacts:
    """Reads what the locator cut out of a page; a page that says the same again costs a digest.

    Args:
        raw: bytes of the page; each reader bounds what it looks at.
        charset: the page's encoding; an unknown one is taken for UTF-8.
        page_url: the page's absolute URL as the visitor sees it; links on its host become
            path-absolute, so that they work on any host that the proxy serves.

    Returns:
        The facts; `NOTHING` where there are none. Never raises, whatever the page holds.
    """
    page = page_address(page_url)
    key = _digest(raw, charset, page)
    facts = _remembered.get(key)
    if facts is None:
        facts = _read(raw, charset, page)
        if len(facts.products) <= MAX_REMEMBERED_VARIANTS:
            if len(_remembered) >= MAX_REMEMBERED:
                del _remembered[next(iter(_remembered))]
            _remembered[key] = facts
    return facts


def _digest(raw: RawFacts, charset: str, page: PageAddress) -> bytes:
    said = msgpack.encode((raw, scrub(charset), page.scheme, page.host, page.link))
    return blake2b(said, digest_size=16).digest()


def _read(raw: RawFacts, charset: str, page: PageAddress) -> PageFacts:
    found = (
        config.read(raw.scripts, charset=charset, page=page),
        jsonld.read(raw.json_ld, charset=charset, page=page),
        microdata.read(raw.microdata, charset=charset, page=page),
        opengraph.read(raw.meta, charset=charset, page=page),
    )
    return selected.apply(reduce(_fill, found), raw.selected, charset=charset, page=page)


def _fill(sure: PageFacts, weak: PageFacts) -> PageFacts:
    """Lays facts over weaker ones: those of another kind of page don't count."""
    if weak.kind is None or sure.kind not in {None, weak.kind}:
        return sure
    names = ["product_id", "category_name", "term"]
    if sure.kind is None:
        names += ["kind", "why", "variant_id"]
    filled = {name: getattr(weak, name) for name in names if not getattr(sure, name)}
    return structs.replace(sure, **filled, products=_fill_products(sure, weak))


def _fill_products(sure: PageFacts, weak: PageFacts) -> tuple[ProductFacts, ...]:
    """The surer products; each with what it lacks and the weaker format's product has."""
    if not sure.products or not weak.products:
        return sure.products or weak.products
    single = len(sure.products) == len(weak.products) == 1
    source = {
        name: value
        for name in (_OF_ONE_VARIANT if single else _OF_THE_PRODUCT)
        if (value := getattr(weak.products[0], name)) not in (None, ())
    }
    return tuple(
        structs.replace(
            product, **{name: value for name, value in source.items() if _lacks(getattr(product, name))}
        )
        for product in sure.products
    )


def _lacks(value: object) -> bool:
    """Whether a field may be filled: it is empty, or holds ids of categories where names may be had."""
    return value is None or (isinstance(value, tuple) and all(name.isdecimal() for name in value))
