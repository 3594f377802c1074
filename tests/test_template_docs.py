"""docs/templates.md and the code say the same, both ways."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, meta

from proxy.models import Banner, Product
from proxy.render.lint import lint_templates
from proxy.shipped import shipped
from proxy.widgets import (
    CONTEXTS,
    BannerContext,
    BannersContext,
    CategoriesContext,
    ProductContext,
    ProductsContext,
    Rating,
    Row,
)
from proxy.wording import LANGUAGES, Words

DOCS = (Path(__file__).parents[1] / "docs" / "templates.md").read_text("utf-8")
DOCUMENTED: dict[str, Any] = {
    "widgets/product.html": ProductContext,
    "widgets/products.html": ProductsContext,
    "widgets/categories.html": CategoriesContext,
    "widgets/banner.html": BannerContext,
    "widgets/banners.html": BannersContext,
    "Product": Product,
    "Banner": Banner,
    "Rating": Rating,
    "Row": Row,
    "Words": Words,
}


def section(title: str) -> str:
    found = re.search(rf"^###? {re.escape(title)}\n(.*?)(?=^##|\Z)", DOCS, re.DOTALL | re.MULTILINE)
    assert found, f"docs/templates.md has no section {title!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Cells of every table row below a header, without backquotes."""
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip().replace("\\|", "|").strip("`") for cell in row] for row in cells]


@pytest.mark.parametrize("title", DOCUMENTED)
def test_every_name_a_template_is_given_is_documented_with_its_type(title: str) -> None:
    given = {
        name: getattr(annotation, "__forward_arg__", annotation)
        for name, annotation in DOCUMENTED[title].__annotations__.items()
    }
    documented = {name: type_ for name, type_, _ in rows(section(title))}
    assert documented == given


@pytest.mark.parametrize("title", DOCUMENTED)
def test_every_documented_name_has_a_meaning(title: str) -> None:
    assert all(meaning for _, _, meaning in rows(section(title)))


def test_every_template_has_a_documented_context() -> None:
    folder = shipped("templates")
    shipped_names = {file.relative_to(folder).as_posix() for file in (folder / "widgets").glob("*.html")}
    assert shipped_names == set(CONTEXTS) == {title for title in DOCUMENTED if title.endswith(".html")}


@pytest.mark.parametrize("name", CONTEXTS)
def test_shipped_templates_use_documented_names_only(name: str) -> None:
    source = (shipped("templates") / name).read_text("utf-8")
    assert meta.find_undeclared_variables(Environment(autoescape=True).parse(source)) <= CONTEXTS[name]


def test_shipped_templates_follow_the_rules() -> None:
    assert lint_templates(shipped("templates") / "widgets") == []


def test_every_custom_property_of_the_stylesheet_is_documented_and_the_reverse() -> None:
    stylesheet = (shipped("static") / "datacue.css").read_text("utf-8")
    used = set(re.findall(r"var\((--datacue-[a-z-]+)", stylesheet))
    assert {name for name, *_ in rows(section("The look")) if name.startswith("--")} == used


def test_every_class_of_the_templates_is_documented_and_the_reverse() -> None:
    look = section("The look")
    main = {name for name, *_ in rows(look) if name.startswith("datacue-")}
    templates = "".join(file.read_text("utf-8") for file in shipped("templates").glob("widgets/*.html"))
    attributes = re.findall(r'class="([^"]*)"', templates)
    # Classes that end in data, such as datacue-{{ layout }}, are documented beside the one they go with.
    fixed = {name for text in attributes for name in re.findall(r"datacue[a-z-]*(?![a-z{-])", text)}
    assert {name for name in fixed if not name.endswith("-")} == main


def test_every_class_of_the_stylesheet_is_documented() -> None:
    stylesheet = (shipped("static") / "datacue.css").read_text("utf-8")
    stylesheet = re.sub(r"/\*.*?\*/", "", stylesheet, flags=re.DOTALL)
    documented = set(re.findall(r"datacue-[a-z0-9-]+", section("The look")))
    documented |= {f"datacue-stars-{halves}" for halves in range(1, 11)}
    documented |= {f"datacue-narrow-{count}" for count in range(5)}
    documented |= {f"datacue-banners-{layout}" for layout in ("low", "medium", "high", "narrow")}
    assert set(re.findall(r"\.(datacue-[a-z0-9-]+)", stylesheet)) <= documented


def test_every_language_is_documented() -> None:
    assert set(re.findall(r"\(`([a-z]{2})`\)", section("Words"))) == set(LANGUAGES)


def test_every_rule_of_the_stylesheet_weighs_less_than_a_class() -> None:
    stylesheet = (shipped("static") / "datacue.css").read_text("utf-8")
    stylesheet = re.sub(r"/\*.*?\*/", "", stylesheet, flags=re.DOTALL)
    selectors = [text.strip() for text in re.findall(r"([^{};]+)\{", stylesheet)]
    heavy = []
    for selector in selectors:
        if selector.startswith("@"):
            continue
        weighty = selector
        while ":where(" in weighty:  # inside out, as :where(:not(...)) nests
            weighty = re.sub(r":where\([^()]*\)", "", weighty)
        if re.search(r"[.#\[]|(?<!:):(?!:)", weighty):
            heavy.append(selector)
    assert heavy == []
