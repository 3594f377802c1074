"""Tokens of clicks: they read back as they were made, or not at all."""

from __future__ import annotations

import hmac
import string
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from itsdangerous import Signer
from msgspec import Raw, json

from proxy import clicks, identity
from proxy.clicks import Click, ClickLinks
from proxy.links import URL_LIMIT, safe_url
from proxy.models import Page, Recommendations, Slot, Visitor
from proxy.render import Renderer

LINKS = ClickLinks(["older", "newest"], "/_datacue")
CLICK = Click("related", "18", "/product/double-bed-2")
TOKEN = LINKS.token(CLICK)


def token_of(link):
    return link.removeprefix("/_datacue/click/")


@pytest.mark.parametrize(
    ("source", "event"),
    [
        ("banner", {"type": "click", "subtype": "banner", "banner_id": "x"}),
        ("related", {"type": "click", "subtype": "related", "product_id": "x"}),
        ("similar", {"type": "click", "subtype": "similar", "product_id": "x"}),
        ("recent", {"type": "click", "subtype": "recent", "product_id": "x"}),
        ("categories", {"type": "click", "subtype": "product", "product_id": "x"}),
        ("top", {"type": "click", "subtype": "product", "product_id": "x"}),
    ],
)
def test_a_click_is_the_guides_event(source, event):
    assert Click(source, "x", "/").event == event


@pytest.mark.parametrize(
    ("kind", "list_name", "source"), [("banner", "main_banners", "banner"), ("product", "top", "top")]
)
def test_a_link_says_what_was_clicked_and_where_it_leads(kind, list_name, source):
    link = LINKS.link_for(kind, list_name, "18", "/product/double-bed-2")
    assert LINKS.read(token_of(link)) == Click(source, "18", "/product/double-bed-2")


@given(key=st.text(min_size=1), payload=st.binary())
def test_a_signature_is_itsdangerous_own_cut_to_half(key, payload):
    signer = Signer(key, salt=clicks.SALT, digest_method=sha256)
    whole = hmac.digest(signer.derive_key(), payload, "sha256")
    signature = ClickLinks([key], "")._keys[0].sign(payload)
    assert signature == whole[: clicks.SIGNATURE_BYTES]


@given(item_id=st.text(), target=st.text(string.ascii_letters + "/?#%&=+;@:~", max_size=60))
def test_whatever_the_id_is_it_reads_back(item_id, target):
    target = safe_url("/" + target)
    if target is not None:
        click = Click("top", item_id, target)
        assert LINKS.read(LINKS.token(click)) == click


@settings(max_examples=300)
@given(href=st.text() | st.text("/\\:.@?#%\r\n\t eviljavascripthttps[]\u2025\uff0f\u3002", max_size=30))
def test_no_link_leads_off_what_the_catalogue_said(href):
    said = safe_url(href)
    if said is None:
        return
    link = LINKS.link_for("product", "top", "1", said)
    if link == said:
        return
    target = LINKS.read(token_of(link)).target
    assert target == said
    assert target.isascii()
    assert target.isprintable()
    assert urlsplit(target).scheme in {"", "http", "https"}


@pytest.mark.parametrize(
    "href",
    [
        "",
        "?size=2",
        "#reviews",
        "sofa.html",
        "./sofa",
        "../sofa",
    ],
)
def test_a_link_that_can_not_go_through_us_stays_as_it_is(href):
    assert LINKS.link_for("product", "top", "1", href) == href


def test_a_token_is_compact_and_safe_in_a_url():
    assert len(TOKEN) < 80
    assert set(TOKEN) <= set(string.ascii_letters + string.digits + "-_")


def test_the_longest_link_fits():
    longest = "/" + "x" * (URL_LIMIT - 1)
    link = LINKS.link_for("product", "categories", "1", longest)
    assert LINKS.read(token_of(link)).target == longest


def test_what_does_not_fit_is_linked_directly():
    assert LINKS.link_for("product", "top", "x" * 4000, "/a") == "/a"


def test_a_retired_key_reads_until_it_is_dropped():
    old = ClickLinks(["older"], "").token(CLICK)
    assert LINKS.read(old) == CLICK
    assert ClickLinks(["newest"], "").read(old) is None


def test_the_newest_key_signs():
    assert ClickLinks(["newest"], "").token(CLICK) == TOKEN


def test_the_visitors_signature_makes_no_link():
    cookie = identity.VisitorCookie(["newest"], clock=lambda: 0.0)
    _, field = cookie.set_cookie(Visitor("11111111-1111-4111-8111-111111111111"), secure=False)
    assert LINKS.read(field.partition(b"=")[2].partition(b";")[0].decode()) is None
    said = b"related\n18\n/product/double-bed-2"
    for salt in (clicks.SALT, identity.SALT, "itsdangerous.Signer", ""):
        signature = Signer("newest", salt=salt, digest_method=sha256).derive_key()
        digest = hmac.digest(signature, said, "sha256")[: clicks.SIGNATURE_BYTES]
        token = urlsafe_b64encode(said + digest).rstrip(b"=").decode()
        assert (LINKS.read(token) == CLICK) == (salt == clicks.SALT)


@given(position=st.integers(0, len(TOKEN) - 1), character=st.characters())
def test_every_character_counts(position, character):
    changed = TOKEN[:position] + character + TOKEN[position + 1 :]
    assert (LINKS.read(changed) is None) == (changed != TOKEN)


@given(st.text(max_size=100))
def test_what_nobody_signed_is_no_click(text):
    assert LINKS.read(text) is None
    assert LINKS.read(TOKEN + text) is None or not text


@pytest.mark.parametrize(
    "target",
    ["https://evil.example\r\nSet-Cookie: a=b", "javascript:alert(1)", "/\\evil", "sofa", "", "/ a", "/é"],
)
def test_even_a_signed_target_is_held_against_todays_rules(target):
    assert LINKS.read(LINKS.token(Click("top", "1", target))) is None


@pytest.mark.parametrize("text", [b"", b"related", b"related\n18", b"\xff"])
def test_a_signed_text_that_is_no_click_is_none(text):
    token = urlsafe_b64encode(text + LINKS._keys[0].sign(text)).rstrip(b"=")
    assert LINKS.read(token.decode()) is None


def test_nothing_too_long_is_even_looked_at():
    assert LINKS.read("a" * clicks.MAX_TOKEN + "." + "a" * 22) is None


def test_lists_and_cards_stay_remembered_for_every_visitor():
    renderer = Renderer(link_for=LINKS.link_for)
    item = {"product_id": "1", "name": "Sofa", "link": "/sofa", "photo_url": "/sofa.jpg"}
    answer = Recommendations(related_product_skus=[Raw(json.encode(item))])
    shown = {renderer.slot(Slot("related"), Page("home"), answer, utf8=True, first=False) for _ in range(3)}
    assert len(shown) == 1
    assert renderer.stats["lists"].hits == 1
    assert renderer.stats["cards"].misses == 2
