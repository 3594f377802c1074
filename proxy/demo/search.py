"""Finding products by words: every word must occur, better places count more."""

from __future__ import annotations

import re
import unicodedata

from proxy.demo.catalogue import CATEGORY_BY_PATH, PRODUCTS, Product

MAX_TERM = 100
"""Characters of a search term that are looked at."""

_WORD = re.compile(r"\w+")


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    words = _WORD.findall("".join(char for char in plain if not unicodedata.combining(char)))
    # "sofas" finds "sofa" and the other way round.
    return [word.removesuffix("s") for word in words]


def _index(product: Product) -> list[tuple[int, str]]:
    room = CATEGORY_BY_PATH[product.category.parent or product.category.path]
    colors = " ".join({variant.color for variant in product.variants})
    fields = (
        (8, product.name),
        (5, product.category.name),
        (4, room.name),
        (3, product.brand),
        (2, f"{colors} {product.material}"),
        (1, product.text),
    )
    return [(weight, word) for weight, text in fields for word in _words(text)]


_INDEX = [(product, _index(product)) for product in PRODUCTS]


def find(term: str) -> list[Product]:
    """Products in which every word of the term begins some word, best first."""
    wanted = _words(term[:MAX_TERM])
    if not wanted:
        return []
    found: list[tuple[int, Product]] = []
    for product, index in _INDEX:
        best = [
            max((weight for weight, word in index if word.startswith(want)), default=0) for want in wanted
        ]
        if all(best):
            found.append((sum(best), product))
    found.sort(key=lambda hit: (-hit[0], -(hit[1].rating or 0)))
    return [product for _, product in found]
