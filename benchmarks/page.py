"""The shop's product page: 25 KB of ordinary markup with three placeholders.

The page is kept in parts, so that what a contestant wrote between them can be cut out again: that the
rest came through byte for byte is checked before anything is timed.
"""

from __future__ import annotations

from random import Random

PAGE_BYTES = 25_000

SIZES = (6_000, 25_000, 100_000, 400_000, 1_000_000)
SLOT_COUNTS = (1, 2, 5, 10, 20)

PATH = "/product/1"
"""The page with placeholders."""

PUBLIC_PATH = "/product/public"
"""The same page, where the shop says that it is everybody's."""

INCLUDING_PATH = "/product/including"
"""The same page with one include, for a server that resolves those."""

BANNERS = b"<div data-dc-banners><!-- the shop's own banner --></div>"
RELATED = b'<div data-dc-products="related"></div>'
SIMILAR = b'<div data-dc-products="similar"></div>'
SLOTS = (BANNERS, RELATED, SIMILAR)
ONE_BANNER = b'<div data-dc-main-insert-banner="1"></div>'

INCLUDE = b'<!--#include virtual="/widgets.html" -->'

_WORDS = (
    *("oak", "solid", "frame", "linen", "cover", "soft", "deep", "seat", "wide", "living", "room", "sofa"),
    *("chair", "light", "warm", "natural", "grain", "wool", "hand", "made", "quiet", "corner", "evening"),
    *("long", "table", "family", "years", "care", "cloth", "colour", "delivery", "garden", "morning"),
)


def _sentences(random: Random, size: int) -> str:
    """About ``size`` characters of plain words, the same ones every time."""
    text = ""
    while len(text) < size:
        text += " ".join(random.choices(_WORDS, k=random.randint(6, 14))).capitalize() + ". "
    return text


def _parts(page_bytes: int) -> tuple[bytes, ...]:
    """What stands before, between and behind the slots."""
    random = Random(1)
    links = "".join(
        f'<li class="menu-item"><a href="/{word}" class="menu-link">{word.title()}</a></li>\n'
        for word in _WORDS
    )
    head = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Oak sofa - Shop</title>
<meta property="og:type" content="product">
<meta property="og:title" content="Oak sofa">
<link rel="stylesheet" href="/assets/shop.css">
<script type="application/ld+json">
{{"@context":"https://schema.org","@type":"Product","sku":"1","name":"Oak sofa","image":"/products/1.jpg",
"description":"{_sentences(random, 300)}",
"offers":{{"@type":"Offer","price":"299.00","priceCurrency":"USD"}}}}
</script>
<script>window.shop = {{currency: "USD", page: "product", items: [1, 2, 3]}};</script>
</head>
<body class="product">
<header><nav aria-label="Departments"><ul class="menu">
{links}</ul></nav></header>
<main>
"""
    product = """
<article class="product" data-sku="1">
<h1>Oak sofa</h1>
<img src="/products/1.jpg" alt="Oak sofa" width="800" height="600">
<p class="price">$299.00</p>
<form method="post" action="/cart"><input type="hidden" name="sku" value="1"><button>Add</button></form>
<div class="description">
"""
    while len(head) + len(product) < page_bytes * 0.55:
        product += f"<p>{_sentences(random, 400)}</p>\n"
    product += "</div>\n</article>\n"
    reviews = '\n<section class="reviews"><h2>Reviews</h2>\n'
    while len(head) + len(product) + len(reviews) < page_bytes * 0.93:
        reviews += f'<div class="review"><h3>{random.choice(_WORDS).title()}</h3>'
        reviews += '<span class="stars" title="4 of 5">&#9733;&#9733;&#9733;&#9733;</span>'
        reviews += f"<p>{_sentences(random, 180)}</p></div>\n"
    reviews += "</section>\n"
    foot = "\n</main>\n<footer>\n<p>"
    end = "</p>\n</footer>\n</body>\n</html>\n"
    written = sum(len(text.encode()) for text in (head, product, reviews, foot, end))
    room = max(0, page_bytes - written - sum(map(len, SLOTS)))
    foot += _sentences(random, room)[:room]
    return head.encode(), product.encode(), reviews.encode(), (foot + end).encode()


def sized(page_bytes: int) -> bytes:
    """The page with its three slots in about another size; not below 6 KB."""
    first, *others = _parts(page_bytes)
    return first + b"".join(slot + part for slot, part in zip(SLOTS, others, strict=True))


def slotted(count: int) -> bytes:
    """The page with ``count`` slots of one banner each, spread over its text."""
    first, product, reviews, foot = PARTS
    paragraphs = product.split(b"<p>")
    every = len(paragraphs) / count
    for number in range(count):
        paragraphs[int(number * every)] += ONE_BANNER
    return first + b"<p>".join(paragraphs) + reviews + foot


PARTS = _parts(PAGE_BYTES)
PAGE = PARTS[0] + b"".join(slot + part for slot, part in zip(SLOTS, PARTS[1:], strict=True))
INCLUDING_PAGE = PARTS[0] + PARTS[1] + INCLUDE + PARTS[2] + PARTS[3]
"""One include, where the first list stands: it brings all that the three slots would."""


FRAGMENTS = tuple(
    f"/_datacue/fragments/{widget}?page=product&amp;product_id=1".encode()
    for widget in ("banners", "related", "similar")
)
"""Where each slot's content can be had from by itself."""


def composed(include: bytes) -> bytes:
    """The page with an include instead of each slot; ``%b`` in ``include`` becomes its URL."""
    return PARTS[0] + b"".join(include % url + part for url, part in zip(FRAGMENTS, PARTS[1:], strict=True))


COMPOSED = {
    "ssi": composed(b'<!--#include virtual="%b" -->').replace(b"&amp;", b"&"),
    "esi": composed(b'<esi:include src="%b"/>'),
    "tailor": composed(b'<fragment src="http://fragments%b"></fragment>'),
}
"""As nginx, Varnish and Tailor resolve them."""

PAGES = {
    "1": PAGE,
    "including": INCLUDING_PAGE,
    **COMPOSED,
    **{f"{size}-bytes": sized(size) for size in SIZES},
    **{f"{count}-slots": slotted(count) for count in SLOT_COUNTS},
}
"""Every page of the shop, by its name in ``/product/``."""


def widgets_of(body: bytes) -> list[bytes]:
    """What stands in the three slots.

    Raises:
        ValueError: something of the shop's own page is missing, moved or changed.
    """
    if not body.startswith(PARTS[0]):
        raise ValueError("the page's beginning was changed")
    found = []
    at = len(PARTS[0])
    for number, part in enumerate(PARTS[1:], 1):
        begin = body.find(part, at)
        if begin < 0:
            raise ValueError(f"the shop's markup behind slot {number} was changed")
        found.append(body[at:begin])
        at = begin + len(part)
    if at != len(body):
        raise ValueError("something was added behind the page's end")
    return found
