"""What a product is like: TF-IDF over its name, brand, categories, attributes and price band.

Needs no event at all, so a list of similar products is there from the first import on.
"""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BUDGET: Final = 4_000
"""Products touched for one answer, rare terms first: what shares only common terms isn't similar."""
SHORTEST_WORD: Final = 2
BANDS_PER_OCTAVE: Final = 2
"""Price bands per doubling: 20 and 28 share one at most times, 20 and 40 never."""

_ATTRIBUTES: Final = {"brand": 1.2, "color": 0.5, "size": 0.2, "type": 1.0}
_WORD: Final = 1.0
_CATEGORY: Final = 1.5
_TAG: Final = 0.8
_PRICE: Final = 0.5


class Content:
    """Terms of every product, and the products of every term."""

    def __init__(self) -> None:
        self._terms: dict[int, dict[str, float]] = {}
        self._having: dict[str, dict[int, None]] = {}

    def put(self, item: int, fields: dict[str, Any], categories: Sequence[str]) -> None:
        """Describe a product; without fields it is forgotten."""
        terms = dict(_terms(fields, categories)) if fields else {}
        before = self._terms.get(item, {})
        if terms == before:
            return
        for term in before.keys() - terms.keys():
            having = self._having[term]
            having.pop(item, None)
            if not having:
                del self._having[term]
        for term in terms.keys() - before.keys():
            self._having.setdefault(term, {})[item] = None
        if terms:
            self._terms[item] = terms
        else:
            self._terms.pop(item, None)

    def similar(self, item: int) -> tuple[dict[int, float], dict[int, float]]:
        """Products like an item: scores, and how many terms each shares."""
        terms = self._terms.get(item, {})
        products = len(self._terms)
        scores: dict[int, float] = {}
        support: dict[int, float] = {}
        left = BUDGET
        for term in sorted(terms, key=lambda each: (len(self._having[each]), each)):
            if left <= 0:
                break
            having = self._having[term]
            weight = (terms[term] * math.log(1.0 + products / len(having))) ** 2
            for other in islice(having, left):
                scores[other] = scores.get(other, 0.0) + weight
                support[other] = support.get(other, 0.0) + 1.0
            left -= len(having)
        scores.pop(item, None)
        for other in scores:
            scores[other] /= math.sqrt(len(self._terms[other]))
        return scores, support


def _terms(fields: dict[str, Any], categories: Sequence[str]) -> Iterator[tuple[str, float]]:
    for word in _words(fields.get("name") or ""):
        yield f"w:{word}", _WORD
    for name, weight in _ATTRIBUTES.items():
        if fields.get(name):
            yield f"{name}:{str(fields[name]).casefold()}", weight
    for category in categories:
        yield f"c:{category.casefold()}", _CATEGORY
    for tag in fields.get("tags") or ():
        yield f"t:{tag.casefold()}", _TAG
    price = fields.get("price")
    if price is not None and price > 0:
        yield f"p:{int(math.log2(price) * BANDS_PER_OCTAVE)}", _PRICE


def _words(name: str) -> Iterator[str]:
    for word in "".join(mark if mark.isalnum() else " " for mark in name.casefold()).split():
        if len(word) >= SHORTEST_WORD:
            yield word
