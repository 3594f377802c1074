"""What is recommended and why: by example, by property, and against the goals on public data."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.eval import measures
from benchmarks.eval.data import read_orders, read_sessions
from benchmarks.eval.ours import EngineBaskets, EngineSessions
from proxy.engine.engine import Engine
from proxy.engine.recommender.banners import Banners
from proxy.engine.recommender.baskets import Baskets
from proxy.engine.recommender.popularity import HALF_LIFE, Popularity
from proxy.engine.recommender.sessions import RECENT_SESSIONS, SESSION_GAP, Sessions
from proxy.engine.wire.events import CartLine, Event, Kind

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import Ids, Shop

NOW = 1_700_000_000.0


async def explain(shop: Shop, event: dict[str, Any], visitor: str = "x") -> dict[str, Any]:
    return (await shop.rest("POST", "/explain", {"user": {"anonymous_id": visitor}, "event": event})).json()


async def test_home_recommends_what_others_looked_at_next(shop: Shop, ids: Ids) -> None:
    for product_id in range(30):
        await shop.add(product_id, f"category {product_id}")
    for visitor in ("a", "b", "c"):
        await shop.view(3, visitor)
        await shop.view(17, visitor)
    await shop.view(3, "me")
    assert ids((await shop.home("me"))["related_product_skus"])[0] == "17"


async def test_what_is_bought_together_is_related_and_directed(shop: Shop, ids: Ids) -> None:
    for product_id in ("phone", "case", "charger"):
        await shop.add(product_id, product_id)
    for number in range(12):
        cart = ["charger", "phone"] if number < 4 else ["case", "phone"]
        order = {"order_id": number, "cart": [{"product_id": product_id} for product_id in cart]}
        await shop.rest("POST", "/orders", order)
    answer = (await shop.view("phone")).json()
    assert ids(answer["related_product_skus"]) == ["case", "charger"]


async def test_similar_products_are_found_before_the_first_event(shop: Shop, ids: Ids) -> None:
    await shop.add("oak", "tables", name="Oak dining table", price=400)
    await shop.add("pine", "tables", name="Pine dining table", price=380)
    await shop.add("lamp", "lamps", name="Desk lamp", price=40)
    answer = (await shop.view("oak")).json()
    assert ids(answer["similar_product_skus"])[0] == "pine"


async def test_a_cart_is_not_recommended_what_it_holds(shop: Shop, ids: Ids) -> None:
    for product_id in range(4):
        await shop.add(product_id)
    await shop.send({"type": "cart", "subtype": "update", "cart": [{"product_id": 1}, {"product_id": 2}]})
    answer = await shop.send({"type": "pageview", "subtype": "cart"}, rich=True)
    assert set(ids(answer.json()["related_product_skus"])) == {"0", "3"}


async def test_each_item_says_why(shop: Shop) -> None:
    for product_id in (1, 2, 3):
        await shop.add(product_id)
    await shop.rest("POST", "/orders", {"order_id": 1, "cart": [{"product_id": 1}, {"product_id": 2}]})
    why = await explain(shop, {"type": "pageview", "subtype": "product", "product_id": 1})
    assert why["related_product_skus"][0] == {
        "product_id": "2",
        "method": "orders",
        "support": 1.0,
        "score": pytest.approx(why["related_product_skus"][0]["score"]),
    }
    assert {item["method"] for item in why["similar_product_skus"]} == {"content"}


async def test_explaining_changes_nothing(shop: Shop) -> None:
    await shop.add(1)
    before = await explain(shop, {"type": "pageview", "subtype": "home"})
    assert await explain(shop, {"type": "pageview", "subtype": "home"}) == before
    assert (await shop.home("x"))["recent_product_skus"] == []


async def test_one_category_does_not_take_the_whole_list(shop: Shop) -> None:
    for product_id in range(20):
        await shop.add(product_id, "chairs" if product_id > 3 else "lamps")
    listed = (await shop.home())["related_product_skus"]
    assert sum(card["category_1"] == "chairs" for card in listed) == 6


async def test_equal_seeds_answer_equally(tmp_path: Path) -> None:
    def answers(data: Path) -> list[bytes | None]:
        engine = Engine(data, lambda: NOW, seed=5)
        with engine.writing():
            for number in range(12):
                engine.resources.put_product(product(number), update=False)
                engine.resources.put_banner(
                    banner(number, "main" if number % 2 else "sub", f"c{number % 5}"), update=False
                )
        found = [engine.events.record(Event(Kind.HOME, anonymous_id="a"), rich=True) for _ in range(20)]
        engine.close()
        return found

    assert answers(tmp_path / "one.db") == answers(tmp_path / "two.db")


def product(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "product_id": str(number),
        "variant_id": "v",
        "category_1": f"c{number % 3}",
        "name": f"Product {number}",
        "photo_url": "/p.jpg",
        "link": f"/p/{number}",
        "price": 10.0,
        "stock": 1.0,
        **fields,
    }


def banner(number: int, kind: str, category: str) -> dict[str, Any]:
    return {"banner_id": f"b{number}", "type": kind, "category_1": category, "photo_url": "/b", "link": "/l"}


PRODUCTS = st.integers(0, 11)
ACTS = st.one_of(
    st.tuples(st.just("view"), PRODUCTS),
    st.tuples(st.just("cart"), st.lists(PRODUCTS, max_size=4)),
    st.tuples(st.just("order"), st.lists(PRODUCTS, max_size=5)),
    st.tuples(st.just("stock"), st.tuples(PRODUCTS, st.integers(0, 2))),
    st.tuples(st.just("drop"), PRODUCTS),
)
PAGES = [Kind.HOME, Kind.PRODUCT, Kind.CATEGORY, Kind.CART_PAGE, Kind.NOT_FOUND]


@given(acts=st.lists(ACTS, max_size=25), kind=st.sampled_from(PAGES), current=PRODUCTS)
@settings(max_examples=60, deadline=None)
def test_no_list_holds_what_must_not_be_shown(acts: list[tuple[str, Any]], kind: Kind, current: int) -> None:
    engine = Engine(":memory:", lambda: NOW, seed=1)
    cart: set[str] = set()
    with engine.writing():
        for number in range(12):
            engine.resources.put_product(product(number), update=False)
    for index, (act, told) in enumerate(acts):
        if act == "view":
            engine.events.record(Event(Kind.PRODUCT, anonymous_id="me", product_id=str(told)), rich=True)
        elif act == "cart":
            lines = tuple(CartLine(str(number)) for number in told)
            engine.events.record(Event(Kind.CART_UPDATE, anonymous_id="me", cart=lines), rich=True)
            cart = {str(number) for number in told}
        else:
            with engine.writing():
                if act == "order":
                    from proxy.engine.wire.resources import read_order

                    lines_ = [{"product_id": number} for number in told]
                    engine.resources.put_order(read_order({"order_id": index, "cart": lines_}))
                elif act == "stock":
                    engine.resources.put_product(
                        {"product_id": str(told[0]), "variant_id": "v", "stock": told[1]}, update=True
                    )
                else:
                    engine.resources.drop_product(str(told))
    asked = Event(
        kind, anonymous_id="me", product_id=str(current) if kind is Kind.PRODUCT else None, category="c1"
    )
    found = engine.events.explain(asked)
    shown = [
        item for name, items in found.items() if name.endswith("skus") for item in items if "method" in item
    ]
    shown += [item for row in found.get("category_product_skus", ()) for item in row["products"]]
    listed = [item["product_id"] for item in shown]
    available = {each.product_id for each in engine.shop.catalog.products if each.shown is not None}
    recommended = {item["product_id"] for item in shown if item["method"] != "viewed"}
    engine.close()
    assert len(listed) == len(set(listed))
    assert set(listed) <= available
    assert not recommended & cart
    assert kind is not Kind.PRODUCT or str(current) not in listed


@given(
    kinds=st.lists(st.tuples(st.sampled_from(["main", "sub"]), st.sampled_from("abc")), max_size=12),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_a_category_is_never_both_wide_and_narrow(kinds: list[tuple[str, str]], seed: int) -> None:
    banners = Banners(Random(seed))
    for number, (kind, category) in enumerate(kinds):
        banners.put(f"b{number}", banner(number, kind, category))
    main, sub = banners.choose({})
    assert not {each.category for each in main} & {each.category for each in sub}
    if any(kind == "main" for kind, _ in kinds):
        assert main


def test_a_banner_that_is_clicked_comes_first_more_often() -> None:
    banners = Banners(Random(1))
    for number in range(3):
        banners.put(
            f"b{number}",
            banner(number, "main", f"c{number}"),
            impressions=400,
            clicks=60 if number == 1 else 4,
        )
    first = [banners.choose({})[0][0].banner_id for _ in range(100)]
    assert first.count("b1") > 95


def test_a_liked_category_lifts_an_unknown_banner() -> None:
    def shows(likes: dict[str, float]) -> int:
        banners = Banners(Random(2))
        for number in range(4):
            banners.put(f"b{number}", banner(number, "main", f"c{number}"))
        return sum(banners.choose(likes)[0][0].banner_id == "b2" for _ in range(300))

    assert shows({"c2": 1.0}) > 2 * shows({})


async def test_every_returned_banner_is_an_impression_also_after_a_restart(shop: Shop) -> None:
    await shop.rest("POST", "/banners", banner(1, "main", "c"))
    for _ in range(3):
        await shop.home()
    await shop.send({"type": "click", "subtype": "banner", "banner_id": "b1"})
    shop.app.engine.close()
    shop.app._engine = None
    shown = (await explain(shop, {"type": "pageview", "subtype": "home"}))["main_banners"][0]
    assert (shown["support"], shown["score"]) == (3, pytest.approx(1 / 3))


def test_a_half_life_later_a_view_counts_half() -> None:
    import numpy as np

    popularity = Popularity()
    popularity.add(1, 1.0, NOW)
    popularity.add(2, 1.0, NOW + HALF_LIFE)
    first, second = popularity.top("*", 0, lambda: np.array([1, 2]))
    assert (first.item, first.score / second.score) == (2, pytest.approx(2.0))


def test_centuries_overflow_nothing() -> None:
    import numpy as np

    popularity = Popularity()
    for century in range(5):
        popularity.add(century, 1.0, century * 36_525 * 86_400.0)
    ranked = [pick.item for pick in popularity.top("*", 0, lambda: np.arange(5))]
    assert ranked[0] == 4


def test_a_pause_of_half_an_hour_begins_another_session() -> None:
    sessions = Sessions()
    sessions.view(1, 10, NOW)
    sessions.view(1, 11, NOW + SESSION_GAP)
    sessions.view(1, 12, NOW + 2 * SESSION_GAP + 1)
    assert len(sessions) == 2


def test_an_answer_looks_at_the_latest_sessions_only() -> None:
    sessions = Sessions()
    for visitor in range(5 * RECENT_SESSIONS):
        sessions.add([1, 2 if visitor < 3 * RECENT_SESSIONS else 3], NOW + visitor)
    assert [pick.item for pick in sessions.related([(1, NOW)], NOW)] == [1, 3]


def test_a_basket_that_comes_again_replaces_itself() -> None:
    baskets = Baskets("orders")
    for _ in range(3):
        baskets.put("o1", [1, 2], NOW)
    baskets.put("o1", [1, 3], NOW)
    assert [(pick.item, pick.support) for pick in baskets.related([1])] == [(3, 1.0)]
    baskets.drop("o1")
    assert baskets.related([1]) == []


def test_the_next_click_is_found_as_well_as_promised(test_data: Path) -> None:
    folder = test_data / "serenade"
    method = EngineSessions(read_sessions(folder / "train.tsv.gz"))
    found = measures.next_items(method, read_sessions(folder / "valid.tsv.gz"))
    assert found.reciprocal_rank >= 0.355


def test_what_is_bought_together_is_found_as_well_as_promised(test_data: Path) -> None:
    orders = read_orders(next((test_data / "uci-retail").glob("orders*.csv.gz")), {})
    split = orders[-1].time - 30 * 86_400
    method = EngineBaskets([order for order in orders if order.time <= split])
    asked = [order for order in orders if order.time > split and len(order.items) > 1][::6]
    left = measures.leave_one_out(method, asked)
    assert left.hit_rate >= 0.26
    assert left.reciprocal_rank >= 0.11
    assert measures.rest_of_basket(method, asked).hit_rate >= 0.64
