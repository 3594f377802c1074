"""Goods to show: the demo shop's, as the guide's answer has them."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import msgspec

from proxy.demo import illustrations
from proxy.demo.catalogue import BANNERS, CATEGORIES, PRODUCTS, as_banners, as_products

EMPTY: Final = b"{}"
"""An answer that has nothing to show."""

SHOWN: Final = 16
"""Products of a list: the longest section that can be set."""

_PHOTOS: Final = {
    variant.photo_url: (product, variant) for product in PRODUCTS for variant in product.variants
}
_BANNERS: Final = {banner.photo_url: banner for banner in BANNERS}


@cache
def sample() -> bytes:
    """An answer with every list of the guide, and goods of all sorts: reduced, rated, with long names."""
    firsts: dict[str, dict[str, Any]] = {}
    for row in as_products():
        if row["available"]:
            firsts.setdefault(row["product_id"], row)
    rows = [*firsts.values()]
    # Neighbours in the catalogue are alike: taking every third mixes them.
    mixed = [row for start in range(3) for row in rows[start::3]]
    banners = as_banners()
    return msgspec.json.encode(
        {
            "main_banners": [banner for banner in banners if banner["type"] == "main"][:3],
            "sub_banners": [banner for banner in banners if banner["type"] == "sub"][:4],
            "related_product_skus": mixed[:SHOWN],
            "similar_product_skus": mixed[SHOWN : 2 * SHOWN],
            "recent_product_skus": mixed[5 : 5 + SHOWN],
            "top_product_skus": mixed[9 : 9 + SHOWN],
            "category_product_skus": [
                {
                    "name": category.name,
                    "link": category.link,
                    "products": [row for row in rows if row["category_1"] == category.name][:SHOWN],
                }
                for category in CATEGORIES[:2]
            ],
        }
    )


def picture(path: str) -> str | None:
    """The SVG behind a photo's address; None where it isn't one of the samples'."""
    if path in _PHOTOS:
        return illustrations.product_photo(*_PHOTOS[path])
    banner = _BANNERS.get(path)
    return None if banner is None else illustrations.banner_photo(banner)
