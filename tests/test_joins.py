"""A template that only prints and asks says the same as Jinja makes of it; all others are left to Jinja."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, StrictUndefined

from proxy.models import Product
from proxy.render import files
from proxy.render.joins import joined
from proxy.widgets import Rating
from proxy.wording import parse_locale, words_for

NAME = "widgets/product.html"
WORDS = words_for(parse_locale("en_US"), None)
TEXTS = st.sampled_from(["", "a", "<b>", "'\"&", "{{ x }}", "ö\ue000", "%s\n"])


def template(source):
    return Environment(
        loader=DictLoader({NAME: source}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template(NAME)


PRINTED = st.sampled_from(
    ["link", "product.name", "product.price", "product.extra", "brand", "words.now", "list_name"]
).map(lambda name: "{{ " + name + " }}")
ASKED = st.sampled_from(["brand", "product.price", "not brand", "rating", "not product.brand", "words.was"])
NODES = st.recursive(
    PRINTED | st.sampled_from(["text", "<p>\n", " \n\t", "\\'\"", "{# note #}", "{% raw %}{{ x }}{% endraw %}"]),
    lambda inner: st.builds(
        lambda test, yes, other, elsewhere, no: (
            "{% if " + test + " %}\n" + "".join(yes) + "{%- elif " + other + " %}" + "".join(elsewhere)
            + " {% else %}\n" + "".join(no) + "{% endif %}\n"
        ),
        ASKED, st.lists(inner, max_size=3), ASKED, st.lists(inner, max_size=2), st.lists(inner, max_size=2),
    ),
    max_leaves=8,
)  # fmt: skip

GIVEN = st.builds(
    lambda link, name, brand, price, rating: {
        "product": Product(
            product_id="1", name=name, link=link, photo_url="/p", price=price, extra={"<k>": name}
        ),
        "link": link,
        "list_name": "top",
        "price": None,
        "full_price": None,
        "brand": brand,
        "rating": rating,
        "stock": None,
        "button": None,
        "words": WORDS,
    },
    TEXTS, TEXTS, st.none() | TEXTS, st.none() | st.floats(0, 9), st.none() | st.just(Rating(3, "<3>")),
)  # fmt: skip


@settings(max_examples=150)
@given(source=st.lists(NODES, max_size=6).map("".join), given=GIVEN)
def test_what_is_joined_is_what_jinja_renders(source, given):
    made = template(source)
    join = joined(made)
    assert join is not None
    assert join(given) == made.render(given)


@pytest.mark.parametrize(
    "source",
    [
        "{{ link|upper }}",
        "{{ product.extra.discount }}",
        "{{ product['name'] }}",
        "{{ product.unheard_of }}",
        "{{ unheard_of }}",
        "{{ range }}",
        "{{ 1 }}",
        "{{ link ~ link }}",
        "{{ brand or 'x' }}",
        "{{ brand.upper() }}",
        "{% if price > 1 %}x{% endif %}",
        "{% if brand is none %}x{% endif %}",
        "{% if brand %}{{ link|e }}{% endif %}",
        "{% for x in brand %}{% endfor %}",
        "{% set a = 1 %}{{ a }}",
        "{% autoescape false %}{{ link }}{% endautoescape %}",
        "{% include 'other' %}",
        "{% macro a() %}{% endmacro %}",
    ],
)
def test_what_does_more_is_left_to_jinja(source):
    assert joined(template(source)) is None


def test_what_is_missing_is_an_error_there_too():
    join = joined(template("{{ rating.text }}"))
    with pytest.raises(AttributeError):
        join({"rating": None})


def test_shipped_cards_are_joined():
    loaded = files.load(None, {"price": str, "number": str})
    assert joined(loaded[NAME]) is not None


def test_a_file_that_changes_after_it_was_checked_changes_nothing(tmp_path):
    (tmp_path / "widgets").mkdir()
    file = tmp_path / NAME
    file.write_text("<li>{{ link }}</li>")
    loaded = files.load(tmp_path, {"price": str, "number": str})
    file.write_text("{% if %}")
    assert joined(loaded[NAME])({"link": "/a"}) == loaded[NAME].render(link="/a") == "<li>/a</li>"
