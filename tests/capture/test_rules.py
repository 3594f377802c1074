"""Mistakes in ``[[capture]]`` name their key and the mend; what is right holds."""

from __future__ import annotations

import pytest

from proxy.capture import FormRule, compile_capture
from proxy.errors import SettingsError
from proxy.prepared import page_plan
from proxy.settings import Settings, load

ADD = {"event": "cart.add", "path": "/add", "form": {"product_id": "id"}}
CART = {"event": "cart", "path": "/cart", "lines": ".line", "line": {"product_id": "@data-id"}}

MISTAKES = [
    ({**ADD, "event": "cart.ad"}, "event", "cart.add"),
    ({**ADD, "method": "FETCH"}, "method", "POST"),
    ({**ADD, "path": "add"}, "path", '"/add"'),
    ({"event": "cart.add", "form": {"product_id": "id"}}, "path", "/cart/add"),
    ({**ADD, "form": {"prodct_id": "id"}}, "form.prodct_id", "product_id"),
    ({**ADD, "form": {"quantity": "qty"}}, "form", "product_id"),
    ({**ADD, "event": "cart.update"}, "form", "quantity"),
    ({**ADD, "form": {"product_id": ""}}, "form.product_id", "product_id ="),
    ({**ADD, "query": {"email": "mail"}}, "query.email", "product_id"),
    ({**ADD, "fields": {"colour": "red"}}, "fields.colour", "quantity"),
    ({**ADD, "success": {"statuses": 200}}, "success.statuses", "status"),
    ({**ADD, "success": {"status": "fine"}}, "success.status", "2xx"),
    ({**ADD, "success": {"location": "cart"}}, "success.location", '"/cart"'),
    ({**ADD, "success": {"cookie": [1]}}, "success.cookie", "quotes"),
    ({**ADD, "lines": ".line"}, "lines", "docs/capture.md"),
    ({"event": "signup", "path": "/join"}, "form", "user_id"),
    ({"event": "order", "method": "POST", "path": "/pay"}, "method", '"GET"'),
    ({**CART, "form": {"product_id": "id"}}, "form", "docs/capture.md"),
    ({"event": "cart", "lines": ".line", "line": {"link": "a@href"}}, "path", "page"),
    ({**CART, "page": "baskets"}, "page", "cart"),
    ({**CART, "lines": ".line:first"}, "lines", "CSS selector"),
    ({**CART, "line": {"quantity": "b"}}, "line", "product_id"),
    ({**CART, "line": {"product_id": "a + b"}}, "line.product_id", "CSS selector"),
    ({**CART, "line": {"product_id": "a", "colour": "b"}}, "line.colour", "price"),
    ({"event": "cart", "path": "/cart"}, "lines", ".cart-line"),
    ({"event": "checkout", "path": "/till", "line": {"link": "a@href"}}, "lines", ".cart-line"),
    ({"event": "order", "path": "/thanks", "facts": {"number": "b"}}, "facts.number", "order_id"),
    ({"event": "order", "path": "/thanks", "facts": {"order_id": "@id"}}, "facts.order_id", "CSS selector"),
    ({**CART, "empty": "p::before"}, "empty", "CSS selector"),
]


@pytest.mark.parametrize(("given", "key", "mend"), MISTAKES)
def test_a_mistake_names_its_key_and_the_mend(given, key, mend):
    with pytest.raises(SettingsError) as caught:
        page_plan(Settings(capture=[ADD, given]))
    assert caught.value.key == f"capture[1].{key}"
    assert mend in caught.value.mend
    assert "\n" not in str(caught.value)


def test_a_key_that_is_none_is_guessed(tmp_path):
    (tmp_path / "datacue.toml").write_text('[[capture]]\nevent = "logout"\npaths = "/logout"\n')
    with pytest.raises(SettingsError, match=r"capture\[0\]\.paths: is no setting. Did you mean path\?"):
        load(tmp_path / "datacue.toml")


def test_rules_may_stand_in_the_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATACUE_CAPTURE", '[{ event = "logout", path = "/logout" }]')
    assert load().capture[0].event == "logout"


@pytest.mark.parametrize(
    ("key", "value"),
    [("user_cookie", "a b"), ("user_jwt", "cookie"), ("user_jwt", "cookie:a..b"), ("preset", "shopify")],
)
def test_a_setting_of_identity_that_is_none_is_refused(monkeypatch, tmp_path, key, value):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError) as caught:
        load(**{key: value})
    assert caught.value.key == key


def test_a_checkout_may_be_a_form():
    rule = compile_capture("capture[0]", 0, {"event": "checkout", "method": "POST", "path": "/till"})
    assert isinstance(rule, FormRule)


async def test_the_first_rule_of_an_event_counts_and_different_events_all_do(shop):
    world = shop(
        capture=[
            {"event": "signup", "path": "/join", "form": {"email": "mail"}},
            {"event": "login", "path": "/join", "form": {"user_id": "mail"}},
            {"event": "login", "path": "/join", "form": {"user_id": "other"}},
        ]
    )
    told = await world.sends("POST /join", b"mail=a%40b&other=c", 303, "location: /")
    assert [deed.event for deed in told.deeds] == ["signup", "login"]
    assert told.deeds[1].fields == {"user_id": "a@b"}


async def test_forms_that_share_an_address_are_told_apart_by_their_fields(shop):
    login = {"event": "login", "path": "/me", "form": {"user_id": "name", "button": "login=*"}}
    signup = {"event": "signup", "path": "/me", "form": {"email": "name", "what": "do=join"}}
    world = shop(capture=[login, signup])
    for body, event in ((b"name=a&login=", "login"), (b"name=a&do=join", "signup"), (b"name=a&do=x", None)):
        told = await world.sends("POST /me", body, 303, "location: /")
        assert [deed.event for deed in told.deeds] == ([event] if event else [])


async def test_the_address_may_hold_fields(shop):
    rule = {"event": "wishlist.add", "path": "/wish/{product_id}", "query": {"variant_id": "v?"}}
    told = await shop(capture=[rule]).sends("POST /wish/a%2Fb?v=7")
    assert told.events == [{"type": "wishlist", "subtype": "add", "product_id": "a/b", "variant_id": "7"}]
