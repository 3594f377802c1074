"""What the visitor wants: the cart and the wishlist. Every change is a POST that leads to a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.routing import Route

from proxy.demo.catalogue import PRODUCT_BY_ID, PRODUCTS, Product, Variant
from proxy.demo.forms import Form, read_form
from proxy.demo.pages.browse import FALLBACK, popular
from proxy.demo.rendering import render, see_other
from proxy.demo.sessions import visit_of
from proxy.demo.state import MAX_QUANTITY

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_FULL = "That is more than we can carry: please remove something first."


def _product(form: Form) -> Product:
    found = PRODUCT_BY_ID.get(form.get("product_id", ""))
    if found is None:
        raise HTTPException(400)
    return found


def _thing(form: Form) -> tuple[Product, Variant, int]:
    product = _product(form)
    variant = product.variant(form.get("variant_id")) or product.first
    quantity = form.get("quantity", "1")
    # Longer digits than these are no quantity, and int() of very long ones is slow.
    if not (quantity.isascii() and quantity.isdigit() and len(quantity) <= len(str(MAX_QUANTITY))):
        raise HTTPException(400)
    return product, variant, int(quantity)


async def cart(request: Request) -> Response:
    """``GET /cart``."""
    return render(request, "cart.html", suggestions=popular(PRODUCTS, FALLBACK), json_ld=[])


async def cart_add(request: Request) -> Response:
    """``POST /cart/add``: product_id, variant_id, quantity."""
    product, variant, quantity = _thing(await read_form(request))
    session = visit_of(request).write()
    wanted = session.cart.quantity(product, variant) + quantity
    if not variant.available:
        session.notice = f"{product.name} is sold out."
    elif session.cart.put(product, variant, wanted):
        session.notice = f"{product.name} is in your cart."
    else:
        session.notice = _FULL
    return see_other("/cart")


async def cart_update(request: Request) -> Response:
    """``POST /cart/update``: product_id, variant_id, quantity; 0 removes."""
    product, variant, quantity = _thing(await read_form(request))
    session = visit_of(request).write()
    if session.cart.quantity(product, variant):
        session.cart.put(product, variant, quantity)
        session.notice = f"{product.name}: {quantity or 'removed'}."
    return see_other("/cart")


async def cart_remove(request: Request) -> Response:
    """``POST /cart/remove``: product_id, variant_id."""
    product, variant, _ = _thing(await read_form(request))
    session = visit_of(request).write()
    session.cart.put(product, variant, 0)
    session.notice = f"{product.name} is out of your cart."
    return see_other("/cart")


async def wishlist(request: Request) -> Response:
    """``GET /wishlist``."""
    return render(request, "wishlist.html", suggestions=popular(PRODUCTS, FALLBACK), json_ld=[])


async def wishlist_add(request: Request) -> Response:
    """``POST /wishlist/add``: product_id."""
    product = _product(await read_form(request))
    session = visit_of(request).write()
    session.notice = f"{product.name} is on your wishlist." if session.wishlist.add(product) else _FULL
    return see_other(product.link)


async def wishlist_remove(request: Request) -> Response:
    """``POST /wishlist/remove``: product_id."""
    product = _product(await read_form(request))
    session = visit_of(request).write()
    session.wishlist.remove(product)
    session.notice = f"{product.name} is off your wishlist."
    return see_other("/wishlist")


ROUTES = [
    Route("/cart", cart),
    Route("/cart/add", cart_add, methods=["POST"]),
    Route("/cart/update", cart_update, methods=["POST"]),
    Route("/cart/remove", cart_remove, methods=["POST"]),
    Route("/wishlist", wishlist),
    Route("/wishlist/add", wishlist_add, methods=["POST"]),
    Route("/wishlist/remove", wishlist_remove, methods=["POST"]),
]
