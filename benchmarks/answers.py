"""What the events stub answers: 2.8 KB of JSON in the guide's shape, 16 products and 4 banners.

nginx makes all three kinds itself, so that the stub costs little and never becomes what is measured:

- ``/same``: the same answer every time: lists seen before.
- ``/lists``: each of the 16 places holds one of 625 products, chosen by the request's random id: 10,000
  products in 625¹⁶ lists, so no list is ever seen twice while every product soon was.
- ``/unseen``: product ids that never come again.
"""

from __future__ import annotations

import json

PLACES = 16
PRODUCTS_A_PLACE = 625
"""With 16 places 10,000 products; a share of exactly 0.16 %, as fine as nginx's split_clients can say."""

_NAMES = (
    "Soft sofa",
    "Wicker chair",
    "Oak table",
    "Reading lamp",
    "Wool rug",
    "Deep armchair",
    "Garden bench",
)
_ROOMS = ("living-room", "garden", "bedroom", "kitchen")


def product(product_id: str, number: int) -> str:
    """One product as the guide writes it."""
    fields = {
        "link": f"/product/{product_id}",
        "name": f"{_NAMES[number % len(_NAMES)]} {product_id}",
        "price": 19 + number % 1000,
        "photo_url": f"/products/{product_id}.jpg",
        "category_1": _ROOMS[number % len(_ROOMS)],
        "product_id": product_id,
    }
    return json.dumps(fields, separators=(",", ":"))


def _banners(first: int) -> str:
    banners = [
        {
            "banner_id": f"b{number}",
            "name": "",
            "link": f"/room/{number}",
            "photo_url": f"/banners/{number}.jpg",
        }
        for number in range(first, first + 2)
    ]
    return json.dumps(banners, separators=(",", ":"))


def answer(products: list[str]) -> str:
    """An answer with sixteen products and four banners."""
    half = PLACES // 2
    related, similar = ",".join(products[:half]), ",".join(products[half:])
    return (
        f'{{"main_banners":{_banners(1)},"sub_banners":{_banners(3)},'
        f'"related_product_skus":[{related}],"similar_product_skus":[{similar}]}}'
    )


SAME = answer([product(str(1001 + place), place) for place in range(PLACES)])


def locations() -> str:
    """The stub's three locations, as nginx configuration."""
    lists = answer([f"$product_{place}" for place in range(PLACES)])
    # A short name: nginx takes no parameter above 4 KiB.
    unseen = answer([product(f"${{n}}-{place}", place) for place in range(PLACES)])
    return "\n".join(
        (
            f"location = /same {{ return 200 '{SAME}'; }}",
            f"location = /lists {{ return 200 '{lists}'; }}",
            f"location = /unseen {{ set $n $connection-$connection_requests; return 200 '{unseen}'; }}",
        )
    )


def choices() -> str:
    """One ``split_clients`` a place: which product stands there, by the request's id."""
    share = 100 / PRODUCTS_A_PLACE
    blocks = []
    for place in range(PLACES):
        numbers = range(place * PRODUCTS_A_PLACE, (place + 1) * PRODUCTS_A_PLACE)
        rows = [f"{share:.2f}% '{product(str(number), number)}';" for number in numbers[1:]]
        rows.append(f"* '{product(str(numbers[0]), numbers[0])}';")
        blocks.append(f'split_clients "$request_id/{place}" $product_{place} {{\n' + "\n".join(rows) + "\n}")
    return "\n".join(blocks)
