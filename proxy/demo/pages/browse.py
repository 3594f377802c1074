"""Looking around: home, categories, products, search, and their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from proxy.demo import illustrations, structured
from proxy.demo.catalogue import (
    BANNERS,
    CAMPAIGN,
    CATEGORIES,
    CATEGORY_BY_PATH,
    PRODUCT_BY_SLUG,
    PRODUCTS,
    Product,
)
from proxy.demo.forms import one_line
from proxy.demo.rendering import render
from proxy.demo.search import MAX_TERM, find

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

POPULAR = 8
"""Products in the home page's own list: two rows on a desktop, as the vendor's sections."""

FALLBACK = 4
"""Products in a placeholder's own list: one row."""

_SORTS: dict[str, tuple[str, Callable[[Product], Any]]] = {
    "price": ("Price, low to high", lambda product: product.first.price),
    "price-desc": ("Price, high to low", lambda product: -product.first.price),
    "rating": ("Best rated", lambda product: -(product.rating or 0)),
}

_PHOTOS = {variant.photo_url: (product, variant) for product in PRODUCTS for variant in product.variants}
_BANNER_BY_URL = {banner.photo_url: banner for banner in BANNERS}


def popular(products: tuple[Product, ...] | list[Product], count: int) -> list[Product]:
    """The best rated that can be bought, best first."""
    buyable = [product for product in products if product.available]
    return sorted(buyable, key=lambda product: -(product.rating or 0))[:count]


def _similar(product: Product) -> list[Product]:
    """The best of its own category, filled up with its room's best."""
    others = [each for each in PRODUCTS if each is not product]
    own = [each for each in others if each.category is product.category]
    room = [each for each in others if each.category.parent == product.category.parent]
    ranked = dict.fromkeys([*popular(own, FALLBACK), *popular(room, FALLBACK * 2)])
    return list(ranked)[:FALLBACK]


async def home(request: Request) -> Response:
    """``GET /``."""
    loved = popular(PRODUCTS, POPULAR)
    reduced = [each for each in PRODUCTS if each.discount and each.available and each not in loved]
    return render(
        request,
        "home.html",
        campaign=CAMPAIGN,
        popular=loved,
        offers=sorted(reduced, key=lambda each: -(each.discount or 0))[:FALLBACK],
        json_ld=[structured.website()],
    )


async def category(request: Request) -> Response:
    """``GET /category/{c1}`` and ``GET /category/{c1}/{c2}``, sorted by ``?sort=``."""
    found = CATEGORY_BY_PATH.get(request.path_params["path"])
    if found is None:
        raise HTTPException(404)
    inside = {found.path, *(child.path for child in found.children)}
    products = [product for product in PRODUCTS if product.category.path in inside]
    sort = request.query_params.get("sort", "")
    if sort in _SORTS:
        products.sort(key=_SORTS[sort][1])
    return render(
        request,
        "category.html",
        category=found,
        room=CATEGORY_BY_PATH[found.parent] if found.parent else found,
        products=products,
        popular=popular(products, FALLBACK) if len(products) > POPULAR else [],
        sort=sort,
        sorts=[(key, label) for key, (label, _) in _SORTS.items()],
        trail=structured.trail(found),
        json_ld=[structured.collection(found, products), structured.breadcrumbs(structured.trail(found))],
    )


async def product(request: Request) -> Response:
    """``GET /product/{slug}``; another variant by ``?variant=``."""
    found = PRODUCT_BY_SLUG.get(request.path_params["slug"])
    if found is None:
        raise HTTPException(404)
    shown = found.variant(request.query_params.get("variant")) or found.first
    similar = _similar(found)
    room = [each for each in PRODUCTS if each.category.parent == found.category.parent and each is not found]
    trail = structured.trail(found.category, found)
    return render(
        request,
        "product.html",
        product=found,
        shown=shown,
        similar=similar,
        related=popular([each for each in room if each not in similar], FALLBACK),
        trail=trail,
        json_ld=[structured.product_node(found, shown), structured.breadcrumbs(trail)],
    )


async def search(request: Request) -> Response:
    """``GET /search?q=``."""
    term = one_line(request.query_params.get("q", "")[:MAX_TERM])
    products = find(term)
    return render(
        request,
        "search.html",
        term=term,
        products=products,
        suggestions=[] if products else popular(PRODUCTS, FALLBACK),
        json_ld=[structured.search_results(term, products)],
    )


def _svg(picture: str) -> Response:
    return Response(picture, media_type="image/svg+xml", headers={"cache-control": "public, max-age=86400"})


async def product_photo(request: Request) -> Response:
    """``GET /products/{id}.svg`` and ``GET /products/{id}-{variant}.svg``."""
    found = _PHOTOS.get(request.url.path)
    if found is None:
        raise HTTPException(404)
    return _svg(illustrations.product_photo(*found))


async def banner_photo(request: Request) -> Response:
    """``GET /banners/{category}.svg``, wide for rooms and narrow for what is in them."""
    if request.url.path == CAMPAIGN.photo_url:
        return _svg(illustrations.campaign_photo(CAMPAIGN))
    banner = _BANNER_BY_URL.get(request.url.path)
    if banner is None:
        raise HTTPException(404)
    return _svg(illustrations.banner_photo(banner))


async def room_photo(request: Request) -> Response:
    """``GET /rooms/{c1}.svg``: a room without words."""
    found = next((each for each in CATEGORIES if each.slug == request.path_params["room"]), None)
    if found is None:
        raise HTTPException(404)
    return _svg(illustrations.room_photo(found))


ROUTES = [
    Route("/", home),
    Route("/category/{path:path}", category),
    Route("/product/{slug}", product),
    Route("/search", search),
    Route("/products/{photo}.svg", product_photo),
    Route("/banners/{photo:path}.svg", banner_photo),
    Route("/rooms/{room}.svg", room_photo),
]
