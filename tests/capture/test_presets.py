"""Each preset against requests and pages as the shop's own conventions have them.

django-oscar's and the demo's are tested on the real shops: see ``tests/journey``.
"""

from __future__ import annotations

import pytest

from proxy.capture import presets
from proxy.capture.presets import NAMES
from proxy.prepared import page_plan
from proxy.settings import Preset, Settings

JSON = "application/json"


def cart(*lines):
    return {
        "type": "cart",
        "subtype": "update",
        "cart": [{"product_id": p} | ({"variant_id": v} if v else {}) for p, v in lines],
    }


def wish(what, product_id, **more):
    return {"type": "wishlist", "subtype": what, "product_id": product_id, **more}


LOGIN = {"type": "login"}
HASH = "set-cookie: woocommerce_cart_hash=3f; path=/"

REQUESTS = [
    # preset, request, body, (answer, fields…), event
    ("woocommerce", "POST /product/beanie/", b"quantity=2&add-to-cart=24", (200, HASH), cart(("24", None))),
    ("woocommerce", "POST /product/beanie/", b"quantity=2&add-to-cart=24", (200,), None),  # sold out
    (
        "woocommerce",
        "POST /product/hoodie/",
        b"attribute_pa_color=blue&quantity=1&add-to-cart=13&product_id=13&variation_id=29",
        (302, HASH, "location: /cart/"),
        cart(("13", "29")),
    ),
    ("woocommerce", "GET /shop/?add-to-cart=24", b"", (200, HASH), cart(("24", None))),
    (
        "woocommerce",
        "POST /?wc-ajax=add_to_cart",
        b"product_sku=woo-beanie&product_id=24&quantity=1",
        (200, HASH),
        cart(("24", None)),
    ),
    (
        "woocommerce",
        "POST /my-account/",
        b"username=ada&password=x&woocommerce-login-nonce=1&login=Log+in",
        (302, "location: /my-account/"),
        LOGIN,
    ),
    ("woocommerce", "POST /my-account/", b"username=ada&password=wrong&login=Log+in", (200,), None),
    ("woocommerce", "GET /?add_to_wishlist=24", b"", (302, "location: /wishlist/"), wish("add", "24")),
    (
        "woocommerce",
        "POST /wp-admin/admin-ajax.php",
        b"action=add_to_wishlist&add_to_wishlist=24&product_type=simple",
        (200,),
        wish("add", "24"),
    ),
    ("woocommerce", "GET /wishlist/?remove_from_wishlist=24", b"", (302,), wish("remove", "24")),
    (
        "opencart",
        "POST /index.php?route=checkout/cart/add",
        b"option%5B227%5D=17&quantity=1&product_id=42",
        (200,),
        cart(("42", None)),
    ),
    (
        "opencart",
        "POST /index.php?route=checkout/cart.add&language=en-gb",
        b"quantity=1&product_id=42",
        (200,),
        cart(("42", None)),
    ),
    ("opencart", "POST /index.php?route=account/wishlist/add", b"product_id=42", (200,), wish("add", "42")),
    ("opencart", "GET /index.php?route=account/wishlist&remove=42", b"", (302,), wish("remove", "42")),
    (
        "opencart",
        "POST /index.php?route=account/login",
        b"email=ada%40example.com&password=x",
        (302, "location: https://shop.example/index.php?route=account/account"),
        LOGIN,
    ),
    ("opencart", "POST /index.php?route=account/login", b"email=ada%40example.com&password=no", (200,), None),
    (
        "prestashop",
        "POST /cart",
        b"token=1&id_product=1&id_customization=0&group%5B1%5D=1&qty=1&add=1&action=update",
        (200,),
        cart(("1", None)),
    ),
    (
        "prestashop",
        "POST /cart",
        b"id_product=2&id_product_attribute=9&qty=1&add=1",
        (302, "location: /cart?action=show"),
        cart(("2", "9")),
    ),
    (
        "prestashop",
        "POST /login?back=my-account",
        b"back=my-account&email=ada%40example.com&password=x&submitLogin=1",
        (302, "location: /my-account"),
        LOGIN,
    ),
    ("prestashop", "POST /login", b"email=ada%40example.com&password=no&submitLogin=1", (200,), None),
    (
        "prestashop",
        "POST /module/blockwishlist/action?action=addProductToWishlist&params%5Bid_product%5D=2&params%5BidWishList%5D=1",
        b"",
        (200,),
        wish("add", "2"),
    ),
    (
        "magento",
        "POST /checkout/cart/add/uenc/aHR0cDovL3Nob3A,/product/6/",
        b"product=6&selected_configurable_option=&related_product=&item=6&form_key=k&qty=1",
        (200,),
        cart(("6", None)),
    ),
    (
        "magento",
        "POST /checkout/cart/add/uenc/aHR0cDovL3Nob3A,/product/62/",
        b"product=62&selected_configurable_option=51&super_attribute%5B93%5D=49&qty=1",
        (302, "location: /checkout/cart/"),
        cart(("62", "51")),
    ),
    (
        "magento",
        "POST /wishlist/index/add/",
        b"product=6&uenc=x&form_key=k",
        (302, "location: /wishlist/index/index/wishlist_id/1/"),
        wish("add", "6"),
    ),
    (
        "magento",
        "POST /wishlist/index/add/",
        b"product=6",
        (302, "location: /customer/account/login/referer/x/"),
        None,
    ),
    (
        "magento",
        "POST /customer/account/loginPost/referer/x/",
        b"form_key=k&login%5Busername%5D=ada%40example.com&login%5Bpassword%5D=x",
        (302, "location: /customer/account/"),
        LOGIN,
    ),
    (
        "magento",
        "POST /customer/account/loginPost/",
        b"login%5Busername%5D=ada%40example.com&login%5Bpassword%5D=no",
        (302, "location: /customer/account/login/"),
        None,
    ),
]


@pytest.mark.parametrize(("name", "line", "body", "answer", "event"), REQUESTS)
async def test_the_event_of_a_recorded_request(shop, name, line, body, answer, event):
    told = await shop(preset=name).sends(line, body, *answer)
    assert told.events == ([] if event is None else [event])


WOO_CART = """
<form class="woocommerce-cart-form"><table><tbody>
<tr class="woocommerce-cart-form__cart-item cart_item">
<td class="product-remove"><a href="/cart/?remove_item=1ff1" class="remove" data-product_id="24" data-product_sku="woo-beanie">&times;</a></td>
<td class="product-price" data-title="Price"><span class="woocommerce-Price-amount amount"><bdi>18.00<span>&euro;</span></bdi></span></td>
<td class="product-quantity"><input type="number" class="input-text qty text" name="cart[1ff1][qty]" value="2"></td>
<td class="product-subtotal"><span class="amount">36.00&euro;</span></td></tr>
<tr><td class="actions"><input type="submit"></td></tr></tbody></table></form>
"""
OPENCART_CART = """
<div id="content"><form action="index.php?route=checkout/cart/edit" method="post"><table><thead><tr><td>Image</td></tr></thead><tbody>
<tr><td class="text-center"><a href="http://shop.example/index.php?route=product/product&amp;product_id=42"><img></a></td>
<td class="text-left"><a href="http://shop.example/index.php?route=product/product&amp;product_id=42">Apple Cinema 30"</a></td>
<td class="text-left">Product 15</td>
<td class="text-left"><input type="text" name="quantity[3]" value="2"></td>
<td class="text-right">$110.00</td><td class="text-right">$220.00</td></tr></tbody></table></form></div>
"""
PRESTA_CART = """
<ul class="cart-items"><li class="cart-item"><div class="product-line-grid">
<div class="product-price h5"><div class="current-price"><span class="price">22,94&nbsp;&euro;</span></div></div>
<input class="js-cart-line-product-quantity" type="number" value="3" name="product-quantity-spin" min="1">
<a class="remove-from-cart" data-link-action="delete-from-cart" data-id-product="1" data-id-product-attribute="8"
href="/cart?delete=1&amp;id_product=1&amp;id_product_attribute=8"></a></div></li></ul>
"""
PAGES = [
    ("woocommerce", "/cart/", WOO_CART, "24", None, 2, 18),
    ("opencart", "/index.php?route=checkout/cart", OPENCART_CART, "42", None, 2, 110),
    ("prestashop", "/cart?action=show", PRESTA_CART, "1", "8", 3, 22.94),
]


@pytest.mark.parametrize(("name", "target", "html", "product", "variant", "quantity", "price"), PAGES)
def test_a_cart_page_is_read(shop, name, target, html, product, variant, quantity, price):
    world = shop(preset=name)
    assert world.opens(target, html).events == [cart((product, variant))]
    [line] = world.memory.lines
    assert (line.quantity, line.price) == (quantity, price)
    assert world.opens(target, html).events == []


EMPTY = [
    ("woocommerce", "/cart/", '<p class="cart-empty woocommerce-info">Your cart is empty.</p>'),
    ("prestashop", "/cart?action=show", '<span class="no-items">There are no more items</span>'),
    ("magento", "/checkout/cart/", '<div class="cart-empty"><p>You have no items.</p></div>'),
]


@pytest.mark.parametrize(("name", "target", "html"), EMPTY)
async def test_an_empty_cart_page_is_read(shop, name, target, html):
    world = shop(preset=name)
    requests = {request[0]: request for request in REQUESTS}
    first = next(request for request in REQUESTS if request[0] == name)
    assert requests
    assert (await world.sends(first[1], first[2], *first[3])).events
    assert world.opens(target, html).events == [cart()]


CHECKOUTS = [
    ("woocommerce", "/checkout/", "/checkout/order-received/81/?key=wc_order_x", "", "81"),
    ("prestashop", "/order", "/order-confirmation?id_cart=5&id_module=3&id_order=6&key=x", "", "6"),
    (
        "magento",
        "/checkout/",
        "/checkout/onepage/success/",
        '<div class="checkout-success"><p>Your order # is: <span>000000081</span>.</p></div>',
        "000000081",
    ),
]


@pytest.mark.parametrize(("name", "till", "thanks", "html", "number"), CHECKOUTS)
async def test_a_checkout_starts_and_ends_with_an_order(shop, name, till, thanks, html, number):
    world = shop(preset=name)
    first = next(request for request in REQUESTS if request[0] == name)
    await world.sends(first[1], first[2], *first[3])
    assert [event["type"] for event in world.opens(till).events] == ["checkout"]
    told = world.opens(thanks, html)
    [order] = told.orders
    assert order["order_id"] == number
    assert order["cart"][0]["product_id"] == first[4]["cart"][0]["product_id"]
    assert told.page.kind == "order"
    assert world.opens(thanks, html).orders == []


KINDS = [
    ("woocommerce", "/product/beanie/", "product", {}),
    ("woocommerce", "/product-category/clothing/hoodies/", "category", {"category_name": "hoodies"}),
    ("woocommerce", "/?s=hat&post_type=product", "search", {"term": "hat"}),
    ("woocommerce", "/my-account/orders/", "none", {}),
    ("opencart", "/index.php?route=product/product&path=57&product_id=49", "product", {"product_id": "49"}),
    ("opencart", "/index.php?route=product/category&path=20", "category", {}),
    ("opencart", "/index.php?route=product/search&search=mac", "search", {"term": "mac"}),
    ("opencart", "/index.php?route=common/home", "home", {}),
    ("prestashop", "/search?controller=search&s=mug", "search", {"term": "mug"}),
    ("magento", "/catalog/product/view/id/6/s/bag/", "product", {"product_id": "6"}),
    ("magento", "/catalogsearch/result/?q=bag", "search", {"term": "bag"}),
]


@pytest.mark.parametrize(("name", "target", "kind", "fields"), KINDS)
def test_the_kind_of_a_page(shop, name, target, kind, fields):
    page = shop(preset=name).opens(target).page
    assert page.kind == kind
    assert {field: getattr(page, field) for field in fields} == fields


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_can_be_used(name):
    Preset.model_validate(presets.read(name))
    page_plan(Settings(preset=name))


def test_the_setting_names_every_preset():
    assert Settings.model_fields["preset"].annotation.__args__[0].__args__ == NAMES


async def test_ones_own_rules_come_first_and_ones_own_slots_replace_the_presets(shop):
    mine = {"event": "cart.add", "path": "/product/{slug}", "form": {"product_id": "sku"}}
    world = shop(preset="woocommerce", capture=[mine], slots=[{"selector": "main", "widget": "recent"}])
    told = await world.sends("POST /product/beanie/", b"add-to-cart=24&sku=woo-beanie", 302, HASH)
    assert told.events == [cart(("woo-beanie", None))]
    assert len(world.plan.slots) == 1
