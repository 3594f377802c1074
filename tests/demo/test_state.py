from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.demo import state
from proxy.demo.catalogue import PRODUCTS
from proxy.demo.state import Cart, Session, Store, Wishlist

if TYPE_CHECKING:
    import pytest


def test_a_session_is_forgotten_after_a_week_of_silence() -> None:
    now = [0.0]
    store = Store(lambda: now[0])
    store.keep("a", Session())
    now[0] += state.SESSION_IDLE_SECONDS
    assert store.session("a") is not None
    now[0] += state.SESSION_IDLE_SECONDS + 1
    assert store.session("a") is None


def test_the_least_used_session_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_SESSIONS", 2)
    store = Store(lambda: 0.0)
    store.keep("a", Session())
    store.keep("b", Session())
    store.session("a")
    store.keep("c", Session())
    assert [store.session(each) is not None for each in "abc"] == [True, False, True]


def test_accounts_and_orders_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_ACCOUNTS", 1)
    monkeypatch.setattr(state, "MAX_ORDERS", 2)
    store = Store(lambda: 0.0)
    store.register("a@example.com", "A", "password")
    store.register("b@example.com", "B", "password")
    assert store.login("a@example.com", "password") is None
    assert store.login("b@example.com", "password") is not None

    session = Session()
    orders = [store.place(session, {}) for _ in range(3)]
    assert [store.order(each.order_id, session) is not None for each in orders] == [False, True, True]


def test_carts_and_wishlists_are_bounded() -> None:
    cart, wishlist = Cart(), Wishlist()
    buyable = [(p, v) for p in PRODUCTS for v in p.variants if v.available]
    assert [cart.put(*each, 1) for each in buyable].count(True) == state.MAX_LINES
    assert [wishlist.add(p) for p in PRODUCTS].count(True) == state.MAX_LINES
    assert cart.count == len(wishlist) == state.MAX_LINES
    assert cart.put(*buyable[0], 3), "what is there may still change"
    assert cart.count == state.MAX_LINES + 2
