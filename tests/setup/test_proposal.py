"""What is proposed for shops of all kinds; and that it can be used as it is."""

from __future__ import annotations

import json
import tomllib

import pytest
from harness.peers import page, reply
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy import logs
from proxy.checking import check_up
from proxy.settings import Settings, load
from proxy.setup import Answers, Proposal, propose, write
from proxy.setup.addresses import Rule
from proxy.setup.markup import SlotPlace


def ld(**node):
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


def product(number):
    offer = {"price": 5, "priceCurrency": "EUR"}
    return ld(
        **{
            "@type": "Product",
            "sku": f"{number}",
            "name": f"Chair {number}",
            "image": "/c.jpg",
            "offers": offer,
        }
    )


@pytest.fixture
def put(shop):
    def put(path, *parts, language="de-AT"):
        body = page(*parts).replace(b"<html>", f'<html lang="{language}">'.encode())
        shop.answers[path] = reply(body)

    return put


@pytest.fixture
def proposed(shop, tmp_path, monkeypatch):
    """What is proposed, and the settings that the written file makes."""
    monkeypatch.chdir(tmp_path)

    async def run(**answers):
        proposal = await propose(Answers(shop.url, **answers), tmp_path / "state")
        (tmp_path / "datacue.toml").write_text(write(proposal), "utf-8")
        return proposal, load()

    return run


LINKS = '<a href="/p/chair-1">1</a><a href="/p/chair-2">2</a><a href="/c/sofas">s</a><a href="/c/beds">b</a><a href="/cart">c</a>'


async def test_a_shop_with_structured_data_gets_its_rules_slots_language_and_currency(
    proposed, put, tmp_path
):
    put("/", LINKS, "<main></main>")
    for number in (1, 2):
        put(f"/p/chair-{number}", LINKS, f"<main>{product(number)}</main><div class='product-tabs'></div>")
    for name in ("sofas", "beds"):
        put(f"/c/{name}", LINKS, "<main></main>")
    put("/cart", LINKS, "<main></main>")
    proposal, written = await proposed()
    assert {(rule.path, rule.kind) for rule in written.pages} == {
        ("/p/{slug}-{product_id}", "product"),
        ("/c/{category_name}", "category"),
    }
    assert {(slot.selector, slot.position) for slot in written.slots} == {
        ("main", "append"),
        (".product-tabs", "after"),
    }
    assert (written.locale, written.currency, written.preset) == ("de_AT", "EUR", None)
    report = await check_up(
        written.model_copy(update={"state_dir": tmp_path / "s"}),
        [],
        logs.configure("error", "json"),
        ask=False,
    )
    assert report.problems == []
    assert proposal.failure == ""


async def test_a_shop_that_says_nothing_for_machines_is_read_by_its_forms(proposed, put):
    put("/", LINKS, "<main></main>")
    for number in (1, 2):
        form = f'<form method="post" action="/basket/add"><input name="product_id" value="77{number}"></form>'
        shown = '<h1>Chair</h1><p class="price">5 EUR</p><div class="gallery"><img src="/a.jpg"></div>'
        put(f"/p/chair-{number}", LINKS, f"<main>{shown}{form}</main>")
    _, written = await proposed()
    [rule] = [rule for rule in written.pages if rule.kind == "product"]
    assert rule.path == "/p/{slug}"
    assert rule.facts == {
        "product_id": 'form input[name="product_id"]@value',
        "name": "h1",
        "price": ".price",
        "photo_url": ".gallery img@src",
    }


async def test_placeholders_that_are_there_already_need_no_slots(proposed, put):
    put("/", LINKS, "<main><div data-dc-products></div></main>")
    proposal, written = await proposed()
    assert proposal.placeholders == ["home"]
    assert written.slots == ()


PLATFORMS = {
    "WooCommerce": ('<link href="/wp-content/plugins/woocommerce/a.css">', "woocommerce"),
    "Magento 2": ('<script type="text/x-magento-init">{}</script>', "magento"),
    "Magento 1": ('<link href="/skin/frontend/rwd/default/css/styles.css">', None),
    "PrestaShop": ("<script>var prestashop = {};</script>", "prestashop"),
    "OpenCart": ('<link href="catalog/view/theme/default/stylesheet/stylesheet.css">', "opencart"),
    "Shopify": ('<script src="//cdn.shopify.com/s/files/1/a.js"></script>', None),
    "Shopware": ('<link href="/bundles/storefront/a.css">', None),
    "Saleor": ('<meta name="generator" content="Saleor">', None),
    "Solidus": ('<script src="/assets/solidus_starter.js"></script>', None),
    "Spree": ('<script src="/assets/spree/frontend/all.js"></script>', None),
    "a Django shop": ('<input type="hidden" name="csrfmiddlewaretoken" value="x">', None),
    "a Rails shop": ('<meta name="csrf-param" content="authenticity_token">', None),
}


@pytest.mark.parametrize("name", PLATFORMS)
async def test_shop_software_is_recognized_and_its_preset_taken(proposed, put, name):
    mark, preset = PLATFORMS[name]
    put("/", mark, "<main id='content'></main>")
    proposal, written = await proposed()
    assert (proposal.platform, written.preset) == (name, preset)


async def test_where_the_presets_place_is_missing_slots_that_fit_are_written(proposed, put):
    put("/", "<script>var prestashop = {};</script><main></main>")
    _, written = await proposed()
    assert written.preset == "prestashop"
    assert [(slot.selector, slot.kinds()) for slot in written.slots] == [("main", ["home"])]


async def test_a_preset_that_is_not_wanted_is_left_out(proposed, put):
    put("/", "<script>var prestashop = {};</script><main></main>")
    _, written = await proposed(use_preset=False)
    assert written.preset is None


async def test_a_shop_that_does_not_answer_still_gets_a_file_that_says_so(proposed, shop):
    await shop.stop()
    proposal, written = await proposed()
    assert "can't connect" in proposal.failure
    assert written.upstream == shop.url


TEXT = st.text(max_size=20)
PRINTABLE = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), max_size=20)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["name", "price"]), TEXT), PRINTABLE, PRINTABLE)
def test_whatever_was_found_the_file_says_just_that(facts, selector, platform):
    proposal = Proposal(
        Answers("http://shop"),
        platform=platform,
        rules=[Rule("product", "/{slug}", {"product_id": selector}, facts)],
        slots=[SlotPlace(("home", "404"), selector, "append")],
    )
    read = Settings.model_validate(tomllib.loads(write(proposal)))
    assert read.pages[0].facts == facts
    assert (read.slots[0].selector, read.slots[0].page) == (selector, ["home", "404"])


async def test_a_real_shop_is_understood_without_its_preset(oscar_shop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    proposal = await propose(Answers(oscar_shop.url, use_preset=False), tmp_path / "state")
    assert {(rule.kind, rule.path) for rule in proposal.rules} >= {
        ("product", "/catalogue/{slug}_{product_id}/"),
        ("category", "/catalogue/category/{category_name}_{number}"),
        ("home", "/catalogue/"),
    }
    (tmp_path / "datacue.toml").write_text(write(proposal), "utf-8")
    report = await check_up(load(state_dir=tmp_path / "s"), [], logs.configure("error", "json"), ask=False)
    assert report.problems == []
    assert {page.kind for page in report.pages} >= {"home", "product", "category", "search", "cart"}
