"""Finds pages of a shop that are worth a look: from the home page on, by links that only show something."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urljoin, urlsplit

from msgspec import Struct, field

from proxy.checking import pages
from proxy.checking.looking import Seen
from proxy.checking.rehearsal import gave_up
from proxy.facts.address import SEARCH_PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.checking.rehearsal import Rehearsal, Visit

MAX_VISITS: Final = 14
"""Pages that are asked for, at most: a person who looks around opens as many."""

ENOUGH: Final = {"product": 2, "category": 2, "search": 1, "cart": 1, "checkout": 0, "order": 0, "404": 1}
"""Pages of a kind after which no more of it are looked for."""

SILENT: Final = 2
"""Links of one shape that said nothing of what they are: nor will its others."""

_HANDS_OFF: Final = re.compile(
    r"log-?(?:in|out)|sign-?(?:in|out|up)|regist|account|password|delete|remove|unsubscribe|wish|compare|"
    r"add[-_/]|/add|[?&]add|currency|/lang|setlang|redirect|download|feed|print|share|mailto|checkout|admin|"
    r"dashboard|tel:|action=",
    re.IGNORECASE,
)
"""Addresses that may do something, or belong to one person: nobody asks for them without being told to."""

_CART: Final = re.compile(
    r"/(?:cart|basket|warenkorb|panier|carrito|carrello|winkelwagen|bag)\b|route=checkout/cart"
)
_CONTENT: Final = re.compile(
    r"/(?:blog|news|about|contact|help|faq|terms|privacy|imprint|impressum|agb|legal|shipping|delivery|returns?|"
    r"policies|page|pages|cms|jobs|careers|press|stores?)(?:[/.?-]|$)",
    re.IGNORECASE,
)
"""Addresses of words rather than goods: looked at last."""

_NUMBER: Final = re.compile(r"\d+")
_SLUG: Final = re.compile(r"[a-z0-9]*[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.IGNORECASE)

MISSING: Final = "/datacue-proxy-looks-for-a-missing-page"
"""An address that no shop has: its answer is the shop's 404 page."""


class Explored(Struct):
    """What was found."""

    visits: list[Visit] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    """Of each visit, in the same order."""

    def of(self, kind: str) -> list[Visit]:
        """The visits of pages of a kind."""
        return [visit for visit in self.visits if _kind(visit) == kind]

    @property
    def links(self) -> list[str]:
        """Every link that was seen, each once."""
        return [*dict.fromkeys(link for seen in self.seen for link in seen.links)]


async def explore(rehearsal: Rehearsal, *, limit: int = MAX_VISITS) -> Explored:
    """Looks around in a shop.

    Args:
        rehearsal: asks it for pages.
        limit: pages that are asked for.

    Returns:
        Its home page first; then what its links led to.
    """
    found = Explored()
    await _visit(rehearsal, found, "/")
    if not found.visits[0].page or found.visits[0].failure:
        return found
    await _visit(rehearsal, found, MISSING)
    search = _search(found.seen[0], found.visits[0].url)
    if search is not None and not gave_up(found.visits):
        await _visit(rehearsal, found, search)
    asked = {visit.url for visit in found.visits}
    tried: Counter[str] = Counter()
    while len(found.visits) < limit and not gave_up(found.visits):
        link = _next(rehearsal, found, asked, tried)
        if link is None:
            break
        asked.add(link)
        tried[shape(link)] += 1
        await _visit(rehearsal, found, link)
        asked.add(found.visits[-1].url)
    return found


async def _visit(rehearsal: Rehearsal, found: Explored, target: str) -> None:
    visit = await rehearsal.open(target)
    found.visits.append(visit)
    found.seen.append(pages.seen(visit) if visit.page else Seen())


def _kind(visit: Visit) -> str:
    page = pages.page_of(visit)
    return page.kind if page is not None else "unknown"


def _next(rehearsal: Rehearsal, found: Explored, asked: set[str], tried: Counter[str]) -> str | None:
    """The link that most likely shows something new; None where every kind is there, or no link is left."""
    have = Counter(_kind(visit) for visit in found.visits)
    if all(
        have[kind] >= enough for kind, enough in ENOUGH.items() if kind in {"product", "category", "cart"}
    ):
        return None
    # A shape that many links have is the catalogue's; one that was tried often enough is known by now.
    shapes = Counter(map(shape, found.links))
    known_shapes = {shape(visit.url): told for visit in found.visits if (told := _kind(visit)) != "unknown"}
    best: tuple[tuple[float, ...], str] | None = None
    for place, link in enumerate(found.links):
        parts = urlsplit(link)
        if link in asked or not rehearsal.is_home(link) or _HANDS_OFF.search(f"{parts.path}?{parts.query}"):
            continue
        here = shape(link)
        page = rehearsal.core.classifier.from_request(parts.path.encode(), parts.query.encode())
        guessed = known_shapes.get(here) or ("cart" if _CART.search(link) else None)
        kind: str | None = page.kind if page is not None else guessed
        if kind is not None and have[kind] >= ENOUGH.get(kind, 0):
            continue
        if kind is None and tried[here] >= SILENT:
            continue
        score = (
            float(kind is not None),
            -float(bool(_CONTENT.search(parts.path))),
            -float(tried[here]),
            -float(bool(parts.query)),
            float(min(shapes[here], 12)),
            float(-place),
        )
        if best is None or score > best[0]:
            best = score, link
    return best[1] if best is not None else None


def shape(url: str) -> str:
    """What addresses of one kind of page have in common: their fixed words, their parts, their ending.

    >>> shape("http://shop/catalogue/the-shelf_12/")
    '/catalogue/w_0'
    """
    parts = urlsplit(url)
    segments = [segment for segment in parts.path.split("/") if segment]
    shaped = [_shaped(segment, last=at == len(segments) - 1) for at, segment in enumerate(segments)]
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    route = next((pair for pair in parts.query.split("&") if pair.startswith("route=")), "")
    return "/" + "/".join(shaped) + (f"?{'&'.join(names)}{route}" if names else "")


def _shaped(segment: str, *, last: bool) -> str:
    if not last:
        return _NUMBER.sub("0", segment)
    stem, dot, ending = segment.rpartition(".")
    if not dot or not ending.isalpha():
        stem, dot, ending = segment, "", ""
    return _NUMBER.sub("0", _SLUG.sub("w", stem)) + dot + ending


def _search(seen: Seen, url: str) -> str | None:
    """A search that the page's own form would make, for a word that the page itself uses."""
    for form in seen.forms:
        name = next((name for name in SEARCH_PARAMETERS if name in form.fields), None)
        if form.method == "GET" and name is not None:
            kept = {key: value for key, value in form.fields.items() if key and value and key != name}
            query = urlencode({**kept, name: _word(seen.links)})
            return f"{urljoin(url, form.action).partition('?')[0]}?{query}"
    return None


def _word(links: Iterable[str]) -> str:
    """A word out of the links, which goods are likely to have in their names."""
    words = Counter(_words(links))
    return words.most_common(1)[0][0] if words else "a"


def _words(links: Iterable[str]) -> Iterator[str]:
    for link in links:
        last = urlsplit(link).path.rstrip("/").rpartition("/")[2]
        if "-" in last:
            yield from (
                word for word in re.findall(r"[a-z]{4,}", last.lower()) if word not in {"html", "with"}
            )
