from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from proxy.demo.state import MAX_QUANTITY

if TYPE_CHECKING:
    from collections.abc import Callable

Post = Any
ADDRESS = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "street": "12 St James's Square",
    "postcode": "SW1Y 4JH",
    "city": "London",
    "note": "",
    "payment": "invoice",
}


async def test_a_product_goes_into_the_cart_and_out_again(
    visitor: httpx.AsyncClient, post: Post, read_page: Callable[[str], Any]
) -> None:
    answer = await post("/product/sofa-4", "/cart/add", quantity="2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/cart")
    cart = (await visitor.get("/cart")).text
    assert "Contemporary Sofa is in your cart." in cart
    assert "$658" in cart
    assert read_page(cart).problems == []
    assert "is in your cart" not in (await visitor.get("/cart")).text

    await post("/cart", "/cart/update", quantity="3")
    assert "$987" in (await visitor.get("/cart")).text

    await post("/cart", "/cart/remove")
    assert "It is empty" in (await visitor.get("/cart")).text


async def test_a_variant_is_a_line_of_its_own(visitor: httpx.AsyncClient, post: Post) -> None:
    await post("/product/double-bed-2", "/cart/add")
    await post("/product/double-bed-2?variant=18-b", "/cart/add")
    cart = (await visitor.get("/cart")).text
    assert "160 × 200 cm" in cart
    assert "180 × 200 cm" in cart
    assert "$2,748" in cart


async def test_a_cart_holds_no_more_than_is_in_stock(visitor: httpx.AsyncClient, post: Post) -> None:
    await post("/product/sofa-2", "/cart/add", quantity=str(MAX_QUANTITY))
    assert "$3,570" in (await visitor.get("/cart")).text
    sold_out = await post("/product/sofa-2", "/cart/add", product_id="8", variant_id="no-variants")
    assert sold_out.status_code == 303
    cart = (await visitor.get("/cart")).text
    assert "Slim Corner Rack is sold out." in cart
    assert "/product/rack-4" not in cart


async def test_sold_out_products_have_no_buy_button(
    visitor: httpx.AsyncClient, read_page: Callable[[str], Any]
) -> None:
    page = read_page((await visitor.get("/product/rack-4")).text)
    assert [form.action for form in page.forms] == ["/search", "/wishlist/add"]


async def test_delivery_is_free_from_a_sum_on(visitor: httpx.AsyncClient, post: Post) -> None:
    await post("/product/mug-1", "/cart/add")
    cart = (await visitor.get("/cart")).text
    assert "$33" in cart
    assert "$182 more and delivery is free" in cart
    await post("/product/sofa-1", "/cart/add")
    assert "more and delivery is free" not in (await visitor.get("/cart")).text


async def test_a_product_is_saved_and_forgotten(visitor: httpx.AsyncClient, post: Post) -> None:
    answer = await post("/product/rug-1", "/wishlist/add")
    assert (answer.status_code, answer.headers["location"]) == (303, "/product/rug-1")
    assert "Berber Rug is on your wishlist." in (await visitor.get("/product/rug-1")).text
    assert "Berber Rug" in (await visitor.get("/wishlist")).text
    answer = await post("/product/rug-1", "/wishlist/remove")
    assert answer.headers["location"] == "/wishlist"
    assert "Nothing yet" in (await visitor.get("/wishlist")).text


async def test_a_customer_registers_leaves_and_comes_back(visitor: httpx.AsyncClient, post: Post) -> None:
    await post("/product/rug-1", "/wishlist/add")
    known = {"email": "grace@example.com", "password": "correct horse"}
    answer = await post("/register", "/register", name="Grace Hopper", **known)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert "Hello, Grace Hopper" in (await visitor.get("/account")).text

    await post("/account", "/logout")
    assert (await visitor.get("/account")).headers["location"] == "/login"
    assert "Nothing yet" in (await visitor.get("/wishlist")).text

    answer = await post("/login", "/login", **{**known, "email": "GRACE@example.com"})
    assert answer.headers["location"] == "/account"
    assert "Berber Rug" in (await visitor.get("/wishlist")).text
    assert (await visitor.get("/login")).headers["location"] == "/account"


async def test_logging_in_changes_the_session_id(visitor: httpx.AsyncClient, post: Post) -> None:
    await visitor.get("/login")
    before = visitor.cookies["shop_session"]
    await post("/register", "/register", name="Eve", email="eve@example.com", password="long enough")
    assert visitor.cookies["shop_session"] != before
    visitor.cookies.clear()
    visitor.cookies.set("shop_session", before)
    assert (await visitor.get("/account")).status_code == 303


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"name": "", "email": "x@example.com", "password": "long enough"}, "Please fill in your name."),
        ({"name": "X", "email": "nonsense", "password": "long enough"}, "look like an e-mail address"),
        ({"name": "X", "email": "x@example.com", "password": "short"}, "at least 8 characters"),
        ({"name": "X" * 101, "email": "x@example.com", "password": "long enough"}, "at most 100 characters"),
    ],
)
async def test_bad_input_is_explained_next_to_its_field(
    post: Post, read_page: Callable[[str], Any], typed: dict[str, str], error: str
) -> None:
    answer = await post("/register", "/register", **typed)
    assert answer.status_code == 422
    page = read_page(answer.text)
    assert page.problems == []
    assert error in answer.text.replace("&#39;", "'")
    assert any(name.startswith("error-") for name in page.referenced)
    assert page.form("/register").fields["email"] == typed["email"]
    assert page.form("/register").fields["password"] == ""


async def test_a_wrong_password_and_an_unknown_address_sound_the_same(post: Post) -> None:
    await post("/register", "/register", name="Kay", email="kay@example.com", password="long enough")
    await post("/account", "/logout")
    wrong = await post("/login", "/login", email="kay@example.com", password="wrong password")
    unknown = await post("/login", "/login", email="nobody@example.com", password="wrong password")
    assert wrong.status_code == unknown.status_code == 422
    for answer in (wrong, unknown):
        assert "This e-mail and password don&#39;t belong together." in answer.text


async def test_an_address_opens_one_account_only(post: Post) -> None:
    await post("/register", "/register", name="Lin", email="lin@example.com", password="long enough")
    await post("/account", "/logout")
    again = await post("/register", "/register", name="Lin", email="Lin@Example.com", password="another one")
    assert "There is an account with this address" in again.text


async def test_an_order_is_placed_and_seen_by_its_customer_only(
    shop: Any, visitor: httpx.AsyncClient, post: Post, read_page: Callable[[str], Any]
) -> None:
    await post("/product/sofa-4?variant=59-b", "/cart/add")
    checkout = read_page((await visitor.get("/checkout")).text)
    assert checkout.problems == []
    assert checkout.node("CheckoutPage")
    answer = await post("/checkout", "/checkout", **ADDRESS)
    assert answer.status_code == 303
    place = answer.headers["location"]
    page = (await visitor.get(place)).text
    assert "Thank you, Ada" in page
    assert "Terracotta" in page
    assert "$329" in page
    assert read_page(page).problems == []
    assert read_page(page).node("Order")["orderNumber"] == place.removeprefix("/order/")
    assert "It is empty" in (await visitor.get("/cart")).text
    async with httpx.AsyncClient(base_url=shop.url, trust_env=False) as stranger:
        assert (await stranger.get(place)).status_code == 404


async def test_a_customers_orders_are_in_the_account(visitor: httpx.AsyncClient, post: Post) -> None:
    await post("/register", "/register", name="Mary", email="mary@example.com", password="long enough")
    await post("/product/rug-2", "/cart/add")
    assert 'value="mary@example.com"' in (await visitor.get("/checkout")).text
    answer = await post("/checkout", "/checkout", **ADDRESS)
    assert answer.headers["location"] in (await visitor.get("/account")).text


async def test_checkout_explains_every_wrong_field(
    visitor: httpx.AsyncClient, post: Post, read_page: Callable[[str], Any]
) -> None:
    await post("/product/rug-2", "/cart/add")
    wrong = {"name": "", "email": "x", "street": "", "postcode": "!!!", "city": "", "payment": "gold"}
    answer = await post("/checkout", "/checkout", **wrong)
    assert answer.status_code == 422
    page = read_page(answer.text)
    assert page.problems == []
    assert {f"error-{name}" for name in wrong} <= page.referenced
    assert "6 fields need another look" in answer.text


async def test_checkout_with_an_empty_cart_leads_back(visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/checkout")).headers["location"] == "/cart"
    assert (await visitor.post("/checkout", data=ADDRESS)).headers["location"] == "/cart"


POSTS = ["/cart/add", "/cart/update", "/cart/remove", "/wishlist/add", "/wishlist/remove", "/login", "/register",
         "/logout"]  # fmt: skip


@pytest.mark.parametrize("action", POSTS)
async def test_forms_without_the_sessions_token_are_refused(
    shop: Any, visitor: httpx.AsyncClient, read_page: Callable[[str], Any], action: str
) -> None:
    thing = {"product_id": "59", "variant_id": "59-a"}
    assert (await visitor.post(action, data=thing)).status_code == 403
    token = read_page((await visitor.get("/product/sofa-4")).text).form("/cart/add").fields["csrf_token"]
    assert (await visitor.post(action, data={**thing, "csrf_token": token[::-1]})).status_code == 403
    async with httpx.AsyncClient(base_url=shop.url, trust_env=False) as stranger:
        await stranger.get("/product/sofa-4")
        answer = await stranger.post(action, data={**thing, "csrf_token": token})
    assert answer.status_code == 403
    assert "This form has expired" in answer.text


async def test_forged_cookies_are_replaced(visitor: httpx.AsyncClient) -> None:
    visitor.cookies.set("shop_session", "someone-elses-id.AAAA")
    answer = await visitor.get("/product/sofa-4")
    assert answer.status_code == 200
    assert "set-cookie" in answer.headers


async def test_forms_have_limits(visitor: httpx.AsyncClient) -> None:
    await visitor.get("/login")
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await visitor.post("/login", content=b"a" * 20_000, headers=form)).status_code == 413
    assert (await visitor.post("/login", content=b"&a=1" * 60, headers=form)).status_code == 400
    assert (await visitor.post("/login", content=b"a=%ff", headers=form)).status_code == 400
    assert (await visitor.post("/login", content=b"\xff", headers=form)).status_code == 400
    assert (await visitor.post("/login", json={"email": "x"})).status_code == 415


@pytest.mark.parametrize(
    "typed",
    [
        {"product_id": "999"},
        {"quantity": "-1"},
        {"quantity": "1e3"},
        {"quantity": "9" * 5000},
        {"quantity": "²"},
    ],
)
async def test_nonsense_in_a_cart_form_is_refused(post: Post, typed: dict[str, str]) -> None:
    assert (await post("/product/sofa-4", "/cart/add", **typed)).status_code == 400
