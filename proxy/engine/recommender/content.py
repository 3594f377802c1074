"""What a product is like: TF-IDF over its name, brand, categories, attributes and price band.

Needs no event at all, so a list of similar products is there from the first import on.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from proxy.engine.recommender.picks import Pick

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

BUDGET: Final = 4_000
"""Products touched for one answer, rare terms first: what shares only common terms isn't similar."""
LIMIT: Final = 60
"""Picks returned: enough for every list of a page after filtering."""
KNOWN: Final = 20_000
"""Items whose likes are remembered."""
STALE_SHARE: Final = 100
"""What is like an item is kept for n/100 changes among n products: always fresh in a small catalogue."""
SHORTEST_WORD: Final = 2
BANDS_PER_OCTAVE: Final = 2
"""Price bands per doubling: 20 and 28 share one at most times, 20 and 40 never."""

_WORD_MARKS: Final = re.compile(r"[^\W_]+")
_ATTRIBUTES: Final = {"brand": 1.2, "color": 0.5, "size": 0.2, "type": 1.0}
_WORD: Final = 1.0
_CATEGORY: Final = 1.5
_TAG: Final = 0.8
_PRICE: Final = 0.5


class Content:
    """Terms of every product, and the products of every term."""

    def __init__(self) -> None:
        self._terms: dict[int, dict[str, float]] = {}
        self._having: dict[str, array[int]] = {}
        self._lengths: NDArray[np.float64] = np.ones(1_024)
        self._changes = 0
        self._known: OrderedDict[int, tuple[int, list[Pick]]] = OrderedDict()

    def put(self, item: int, fields: dict[str, Any], categories: Sequence[str]) -> None:
        """Describe a product; without fields it is forgotten."""
        terms = dict(_terms(fields, categories)) if fields else {}
        before = self._terms.get(item, {})
        if terms == before:
            return
        self._changes += 1
        self._known.pop(item, None)
        for term in before.keys() - terms.keys():
            self._having[term].remove(item)
            if not self._having[term]:
                del self._having[term]
        for term in terms.keys() - before.keys():
            self._having.setdefault(term, array("i")).append(item)
        if terms:
            self._terms[item] = terms
        else:
            self._terms.pop(item, None)
        if item >= len(self._lengths):
            self._lengths = np.concatenate([self._lengths, np.ones(max(len(self._lengths), item + 1))])
        self._lengths[item] = math.sqrt(max(1, len(terms)))

    def similar(self, item: int) -> list[Pick]:
        """Products like an item, the most like first; support is the number of terms shared."""
        known = self._known.get(item)
        if known is not None and self._changes <= known[0]:
            return known[1]
        picks = self._find(item)
        self._known[item] = (self._changes + len(self._terms) // STALE_SHARE, picks)
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return picks

    def _find(self, item: int) -> list[Pick]:
        terms = self._terms.get(item, {})
        products = len(self._terms)
        touched: list[array[int]] = []
        weights: list[float] = []
        left = BUDGET
        for term in sorted(terms, key=lambda each: (len(self._having[each]), each)):
            if left <= 0:
                break
            having = self._having[term][:left]
            touched.append(having)
            weights.append((terms[term] * math.log(1.0 + products / len(self._having[term]))) ** 2)
            left -= len(having)
        if not touched:
            return []
        flat = np.concatenate([np.frombuffer(having, np.int32) for having in touched])
        others, where = np.unique(flat, return_inverse=True)
        each = np.repeat(np.array(weights), [len(having) for having in touched])
        scores = np.bincount(where, each) / self._lengths[others]
        shared = np.bincount(where)
        scores[others == item] = 0.0
        if len(others) > LIMIT:
            best = np.argpartition(-scores, LIMIT)[:LIMIT]
            others, scores, shared = others[best], scores[best], shared[best]
        order = np.lexsort((others, -scores))
        return [
            Pick(int(others[at]), float(scores[at]), "content", float(shared[at]))
            for at in order.tolist()
            if scores[at] > 0.0
        ]


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
    return (word for word in _WORD_MARKS.findall(name.casefold()) if len(word) >= SHORTEST_WORD)
