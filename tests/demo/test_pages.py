from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from proxy.demo.catalogue import BANNERS, CATEGORY_BY_PATH, PRODUCTS
from proxy.demo.rendering import STATIC

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

PAGES = [
    "/",
    *(category.link for category in CATEGORY_BY_PATH.values()),
    "/category/bathroom?sort=price",
    *(product.link for product in PRODUCTS),
    "/product/double-bed-2?variant=18-c",
    "/search",
    "/search?q=sofa",
    "/search?q=unicorn",
    "/cart",
    "/wishlist",
    "/login",
    "/register",
]


async def test_every_page_is_well_formed(visitor: httpx.AsyncClient, read_page: Callable[[str], Any]) -> None:
    for path in PAGES:
        answer = await visitor.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert read_page(answer.text).problems == [], path
        assert len(answer.content) < 40_000, path


async def test_every_link_and_picture_leads_somewhere(
    visitor: httpx.AsyncClient, read_page: Callable[[str], Any]
) -> None:
    found = {"/static/icon.svg", *(banner.photo_url for banner in BANNERS)}
    for path in PAGES:
        page = read_page((await visitor.get(path)).text)
        found |= {link for link in (*page.links, *page.images) if not link.startswith("#")}
    assert all(link.startswith("/") for link in found)
    for link in sorted(found):
        assert (await visitor.get(link)).status_code in ({303} if link == "/account" else {200}), link


async def test_pages_bar_script_and_foreign_content(visitor: httpx.AsyncClient) -> None:
    for path in ("/", "/nowhere", "/products/18.svg", "/static/shop.css"):
        policy = (await visitor.get(path)).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src" not in policy


async def test_pages_are_private_and_pictures_are_not(visitor: httpx.AsyncClient) -> None:
    assert "private" in (await visitor.get("/")).headers["cache-control"]
    assert "public" in (await visitor.get("/products/18.svg")).headers["cache-control"]
    assert "set-cookie" not in (await visitor.get("/products/18.svg")).headers


async def test_looking_around_leaves_no_cookie_until_a_form_needs_it(visitor: httpx.AsyncClient) -> None:
    assert "set-cookie" not in (await visitor.get("/category/bedroom")).headers
    cookie = (await visitor.get("/product/sofa-4")).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "set-cookie" not in (await visitor.get("/product/sofa-4")).headers


@pytest.mark.parametrize(
    ("path", "slots"),
    [
        ("/", [("data-dc-banners", ""), ("data-dc-products", "")]),
        ("/category/kitchen", [("data-dc-products", "top"), ("data-dc-products", "recent")]),
        (
            "/product/sofa-4",
            [
                ("data-dc-products", "related"),
                ("data-dc-products", "similar"),
                ("data-dc-products", "recent"),
            ],
        ),
        ("/search?q=sofa", [("data-dc-products", "recent")]),
        ("/cart", [("data-dc-products", "")]),
        ("/nowhere", [("data-dc-products", "")]),
    ],
)
async def test_placeholders_are_where_widgets_belong(
    visitor: httpx.AsyncClient, read_page: Callable[[str], Any], path: str, slots: list[tuple[str, str]]
) -> None:
    page = read_page((await visitor.get(path)).text)
    found = [(name, slot[name] or "") for slot in page.slots for name in list(slot) if name in dict(slots)]
    assert found == slots


async def test_the_home_page_names_its_static_banner(
    visitor: httpx.AsyncClient, read_page: Callable[[str], Any]
) -> None:
    banner = read_page((await visitor.get("/")).text).slots[0]
    assert banner["data-dc-static-img"] == "/banners/campaign.svg"
    assert banner["data-dc-static-link"] == "/category/living-room"


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/product/none", "/category/attic", "/category/bathroom/sofas", "/products/999.svg", "/order/10001",
     "/rooms/attic.svg", "/banners/attic.svg", "/static/none.css", "/static/../shop.py", "/category/"],
)  # fmt: skip
async def test_what_is_not_there_is_a_404_page(
    visitor: httpx.AsyncClient, read_page: Callable[[str], Any], path: str
) -> None:
    answer = await visitor.get(path)
    assert answer.status_code == 404
    assert read_page(answer.text).problems == []
    assert "We looked everywhere" in answer.text


async def test_a_wrong_method_says_which_is_right(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/cart/add")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "term",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</title><svg onload=x>", "' autofocus onfocus='x",
     "{{ 7 * 7 }}", "</script><!--", "\u202e\u0000sofa", "<esi:include src='/x'/>", "a" * 5000],
)  # fmt: skip
async def test_hostile_search_terms_are_only_text(
    visitor: httpx.AsyncClient, read_page: Callable[[str], Any], term: str
) -> None:
    answer = await visitor.get("/search", params={"q": term})
    assert answer.status_code == 200
    page = read_page(answer.text)
    assert page.problems == []
    assert "<script>alert" not in answer.text
    assert "<esi:" not in answer.text
    assert " 49 " not in answer.text
    assert (
        page.form("/search").fields["q"]
        == " ".join(term.replace("\x00", " ").replace("\u202e", " ").split())[:100]
    )


async def test_search_finds_by_name_category_and_maker(visitor: httpx.AsyncClient) -> None:
    assert "Luxury Double Bed" in (await visitor.get("/search?q=luxury+beds")).text
    assert "Wicker Sofa" in (await visitor.get("/search?q=outdoors")).text
    assert "Copper Sauté Pan" in (await visitor.get("/search?q=saute")).text
    assert "Nothing for" in (await visitor.get("/search?q=sofa+unicorn")).text


async def test_sorting_by_price_goes_upwards(visitor: httpx.AsyncClient) -> None:
    text = (await visitor.get("/category/kitchen?sort=price")).text.partition('id="all"')[2]
    prices = [int(price) for price in re.findall(r"<strong[^>]*>\$(\d+)</strong>", text)]
    assert len(prices) == 12
    assert prices == sorted(prices)


def _luminance(color: str) -> float:
    if len(color) == 4:
        color = "#" + "".join(char * 2 for char in color[1:])
    channels = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_schemes(scheme: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 to 1."""
    blocks = re.findall(r":root \{(.*?)\}", (STATIC / "shop.css").read_text(encoding="utf-8"), re.DOTALL)
    tones = dict(
        re.findall(r"--([\w-]+): (#[0-9a-f]+);", blocks[0] + (blocks[1] if scheme == "dark" else ""))
    )
    for text, ground in (
        ("ink", "paper"), ("ink", "card"), ("ink", "tint"), ("soft", "paper"), ("soft", "card"), ("soft", "tint"),
        ("clay", "paper"), ("clay", "card"), ("paper", "clay"), ("on-green", "green"), ("on-green", "green-deep"),
        ("green", "paper"),
    ):  # fmt: skip
        low, high = sorted((_luminance(tones[text]), _luminance(tones[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)
