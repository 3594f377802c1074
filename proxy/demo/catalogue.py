"""What the shop sells: categories of two levels, products with variants, banners.

The words and figures live in ``catalogue.toml``; here they become typed, checked nouns.
:func:`as_products` and :func:`as_banners` say the same in the JSON of the REST API (guide,
"Create Product", "Create Banner"), for whoever imports the shop's catalogue.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

NO_VARIANTS = "no-variants"
"""The variant of a product that has none (guide, "Create Product")."""

CURRENCY = "USD"


class _Leaf(Struct, frozen=True, forbid_unknown_fields=True):
    slug: str
    name: str
    tagline: str
    drawing: str


class _Branch(Struct, frozen=True, forbid_unknown_fields=True):
    slug: str
    name: str
    tagline: str
    text: str
    wall: str
    floor: str
    children: list[_Leaf]


class _VariantRow(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    color: str | None = None
    size: str | None = None
    price: Decimal | None = None
    full_price: Decimal | None = None
    stock: int | None = None


class _ProductRow(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    slug: str
    name: str
    category: str
    brand: str
    price: Decimal
    stock: int
    drawing: str
    style: int
    color: str
    accent: str
    material: str
    dimensions: str
    text: str
    full_price: Decimal | None = None
    rating: int | None = None
    reviews: int = 0
    variants: list[_VariantRow] = []


class Campaign(Struct, frozen=True, forbid_unknown_fields=True):
    """The shop's own banner, the same for every visitor."""

    title: str
    text: str
    link: str
    photo_url: str = "/banners/campaign.svg"


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    categories: list[_Branch]
    products: list[_ProductRow]
    campaign: Campaign


class Category(Struct, frozen=True):
    """A category of the first or second level.

    ``path`` is ``bathroom`` or ``bathroom/organizer``; ``wall`` and ``floor`` are the tones of its
    room in banners; ``drawing`` is the illustration that stands for it.
    """

    path: str
    name: str
    tagline: str
    text: str
    wall: str
    floor: str
    drawing: str
    parent: str | None = None
    children: tuple[Category, ...] = ()

    @property
    def link(self) -> str:
        """Its page."""
        return f"/category/{self.path}"

    @property
    def slug(self) -> str:
        """The last part of its path, as products and banners name it."""
        return self.path.rpartition("/")[2]


class Variant(Struct, frozen=True):
    """One buyable form of a product: a colour or a size."""

    variant_id: str
    color: str
    size: str | None
    price: Decimal
    full_price: Decimal | None
    stock: int
    photo_url: str
    link: str
    label: str
    """What tells it from its siblings, for people: "Sage", "4.7 litres", or "" for an only one."""

    @property
    def available(self) -> bool:
        """Whether it can be bought."""
        return self.stock > 0


class Product(Struct, frozen=True):
    """A product, with at least one variant; the first is shown unless another is asked for."""

    product_id: str
    slug: str
    name: str
    category: Category
    brand: str
    text: str
    material: str
    dimensions: str
    drawing: str
    style: int
    accent: str
    rating: int | None
    reviews: int
    variants: tuple[Variant, ...]

    @property
    def link(self) -> str:
        """Its page."""
        return f"/product/{self.slug}"

    @property
    def first(self) -> Variant:
        """The variant that cards show."""
        return self.variants[0]

    @property
    def available(self) -> bool:
        """Whether any variant can be bought."""
        return any(variant.available for variant in self.variants)

    @property
    def discount(self) -> int | None:
        """The first variant's discount in whole percent; None without one."""
        full, price = self.first.full_price, self.first.price
        return round(100 * (full - price) / full) if full else None

    def variant(self, variant_id: str | None) -> Variant | None:
        """The variant of that id, or None."""
        return next((each for each in self.variants if each.variant_id == variant_id), None)


class Banner(Struct, frozen=True):
    """A picture that leads to a category: ``main`` is wide (5:3), ``sub`` narrow (2:3)."""

    banner_id: str
    type: str
    name: str
    category: Category
    photo_url: str

    @property
    def link(self) -> str:
        """Where it leads."""
        return self.category.link


def _categories(branches: list[_Branch]) -> tuple[Category, ...]:
    return tuple(
        Category(
            path=branch.slug,
            name=branch.name,
            tagline=branch.tagline,
            text=branch.text,
            wall=branch.wall,
            floor=branch.floor,
            drawing=branch.children[0].drawing,
            children=tuple(
                Category(
                    path=f"{branch.slug}/{leaf.slug}",
                    name=leaf.name,
                    tagline=leaf.tagline,
                    text=f"{leaf.tagline}: {leaf.name.lower()} for the {branch.name.lower()}.",
                    wall=branch.wall,
                    floor=branch.floor,
                    drawing=leaf.drawing,
                    parent=branch.slug,
                )
                for leaf in branch.children
            ),
        )
        for branch in branches
    )


def _variant(row: _ProductRow, variant: _VariantRow, place: int) -> Variant:
    size = variant.size
    variant_id = f"{row.id}-{variant.id}" if row.variants else NO_VARIANTS
    return Variant(
        variant_id=variant_id,
        color=variant.color or row.color,
        size=size,
        price=variant.price or row.price,
        full_price=variant.full_price or row.full_price,
        stock=row.stock if variant.stock is None else variant.stock,
        photo_url=f"/products/{variant_id}.svg" if place else f"/products/{row.id}.svg",
        link=f"/product/{row.slug}?variant={variant_id}" if place else f"/product/{row.slug}",
        label=size or (variant.color or "").capitalize(),
    )


def _product(row: _ProductRow, categories: dict[str, Category]) -> Product:
    variants = row.variants or [_VariantRow(id=NO_VARIANTS)]
    return Product(
        product_id=row.id,
        slug=row.slug,
        name=row.name,
        category=categories[row.category],
        brand=row.brand,
        text=row.text,
        material=row.material,
        dimensions=row.dimensions,
        drawing=row.drawing,
        style=row.style,
        accent=row.accent,
        rating=row.rating,
        reviews=row.reviews,
        variants=tuple(_variant(row, variant, place) for place, variant in enumerate(variants)),
    )


def _banners(categories: tuple[Category, ...]) -> tuple[Banner, ...]:
    wide = [("main", category) for category in categories]
    narrow = [("sub", child) for category in categories for child in category.children]
    return tuple(
        Banner(
            banner_id=f"B{number}",
            type=kind,
            name=f"{category.name}: {category.tagline}",
            category=category,
            photo_url=f"/banners/{category.path}.svg",
        )
        for number, (kind, category) in enumerate(wide + narrow, 1)
    )


_FILE = msgspec.convert(
    tomllib.loads(
        files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8"), parse_float=Decimal
    ),
    _File,
)

CATEGORIES = _categories(_FILE.categories)
"""The six rooms, in the order of the menu; their ``children`` are the second level."""

CATEGORY_BY_PATH = {each.path: each for top in CATEGORIES for each in (top, *top.children)}

PRODUCTS = tuple(_product(row, CATEGORY_BY_PATH) for row in _FILE.products)

PRODUCT_BY_SLUG = {product.slug: product for product in PRODUCTS}
PRODUCT_BY_ID = {product.product_id: product for product in PRODUCTS}

BANNERS = _banners(CATEGORIES)

CAMPAIGN = _FILE.campaign


def as_number(amount: Decimal) -> int | float:
    """An amount as the guide's JSON writes it: ``1299``, or ``24.5`` where there are cents."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def as_products() -> list[dict[str, Any]]:
    """Every variant of every product, as ``POST /v1/products`` takes it.

    Ids and categories are those of the shop's pages (JSON-LD, breadcrumbs), so whoever reads both
    meets the same product. ``full_price`` and ``rating`` (0 to 100) are the later dialect's;
    ``extra.discount`` is the guide's.
    """
    rows = []
    for product in PRODUCTS:
        for variant in product.variants:
            row: dict[str, Any] = {
                "product_id": product.product_id,
                "variant_id": variant.variant_id,
                "category_1": CATEGORY_BY_PATH[product.category.parent or product.category.path].name,
                "category_2": product.category.name,
                "name": product.name,
                "brand": product.brand,
                "description": product.text,
                "color": variant.color,
                "size": variant.size or product.dimensions,
                "price": as_number(variant.price),
                "available": variant.available,
                "stock": variant.stock,
                "photo_url": variant.photo_url,
                "link": variant.link,
                "extra": {},
            }
            if variant.full_price is not None:
                row["full_price"] = as_number(variant.full_price)
                off = round(100 * (variant.full_price - variant.price) / variant.full_price)
                row["extra"] = {"discount": f"{off}%"}
            if product.rating is not None:
                row["rating"] = product.rating
            rows.append(row)
    return rows


def as_banners() -> list[dict[str, Any]]:
    """Every banner, as ``POST /v1/banners`` takes it."""
    rows = []
    for banner in BANNERS:
        category = banner.category
        row: dict[str, Any] = {
            "banner_id": banner.banner_id,
            "type": banner.type,
            "name": banner.name,
            "category_1": CATEGORY_BY_PATH[category.parent or category.path].name,
            "photo_url": banner.photo_url,
            "link": banner.link,
        }
        if category.parent:
            row["category_2"] = category.name
        rows.append(row)
    return rows
