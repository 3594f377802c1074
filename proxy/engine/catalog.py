"""The products in memory: which variant stands for each, whether it may be shown, and its card.

A variant is what the shop *told* us (REST, import) laid over what we *learned* from its pages; told
values win field by field. Availability alone follows the latest word: a page that says "sold out"
takes a product out at once, and the next told stock brings it back.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from proxy.engine.wire import answers
from proxy.engine.wire.resources import NO_VARIANTS, overlay

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

Fields = dict[str, Any]

_AVAILABILITY: Final = ("available", "stock")
_CATEGORY_LEVELS: Final = ("category_1", "category_2", "category_3", "category_4")


class Variant:
    """One variant: what was told, what was learned."""

    __slots__ = ("learned", "told", "variant_id")

    def __init__(self, variant_id: str, told: Fields | None, learned: Fields | None) -> None:
        self.variant_id = variant_id
        self.told = told
        self.learned = learned


class Product:
    """One product with its variants, numbered for the indexes.

    ``shown`` is the variant that stands for it, None while there is nothing to show; a product without
    name, photo or link is never shown.
    """

    __slots__ = ("_card", "_rich_card", "categories", "fields", "number", "product_id", "shown", "variants")

    def __init__(self, number: int, product_id: str) -> None:
        self.number = number
        self.product_id = product_id
        self.variants: dict[str, Variant] = {}
        self.shown: str | None = None
        self.fields: Fields = {}
        self.categories: tuple[str, ...] = ()
        self._card: bytes | None = None
        self._rich_card: bytes | None = None

    def card(self, *, rich: bool) -> bytes:
        """The product in a recommendation list, encoded (guide, "Home pageview")."""
        if rich:
            if self._rich_card is None:
                self._rich_card = answers.card(self.product_id, self.fields, self.categories, rich=True)
            return self._rich_card
        if self._card is None:
            self._card = answers.card(self.product_id, self.fields, self.categories, rich=False)
        return self._card

    def recent_card(self, variant_id: str | None, *, rich: bool) -> bytes:
        """The product in the list of recent ones, as the variant that was viewed while that can be bought."""
        chosen = variant_id if variant_id in self.variants and self._available(variant_id) else self.shown
        fields = self.fields if chosen == self.shown else self._fields(chosen)
        return answers.recent_card(self.product_id, chosen, fields, self.categories, rich=rich)

    def refresh(self, categories: Categories) -> None:
        """Work out again what is shown; to be called after each change of a variant."""
        told = [name for name, variant in self.variants.items() if variant.told is not None]
        names = told or [name for name, variant in self.variants.items() if variant.learned is not None]
        self._card = self._rich_card = None
        self.shown = None
        self.fields = self._fields(names[0]) if names else {}
        for name in names:
            fields = self._fields(name)
            if self._available(name) and all(fields.get(field) for field in ("name", "photo_url", "link")):
                self.shown, self.fields = name, fields
                break
        self.categories = categories.names_of(self.fields)

    def _layers(self, name: str | None) -> Iterator[Fields]:
        """The weakest first: what pages said of the product, what they said of the variant, what was told."""
        whole = self.variants.get(NO_VARIANTS)
        if name != NO_VARIANTS and whole is not None and whole.learned:
            yield whole.learned
        variant = self.variants.get(name or NO_VARIANTS)
        if variant is not None:
            if variant.learned:
                yield variant.learned
            if variant.told:
                yield variant.told

    def _fields(self, name: str | None) -> Fields:
        merged: Fields = {}
        for layer in self._layers(name):
            merged.update(layer)
        return merged

    def _available(self, name: str | None) -> bool:
        """For sale unless any layer says otherwise: told and learned each have a veto."""
        for layer in self._layers(name):
            stock = layer.get("stock")
            if layer.get("available") is False or (stock is not None and stock <= 0):
                return False
        return True


class Categories:
    """Category names and links by id, and the spelling-blind key by which names are compared."""

    def __init__(self) -> None:
        self.by_id: dict[str, Fields] = {}
        self._links: dict[str, str] = {}

    def put(self, category_id: str, fields: Fields) -> None:
        """Create or replace a category."""
        self.by_id[category_id] = fields
        if fields.get("link"):
            self._links[slug(fields.get("name") or category_id)] = fields["link"]

    def drop(self, category_id: str) -> None:
        """Forget a category; its products keep their place."""
        fields = self.by_id.pop(category_id, {})
        self._links.pop(slug(fields.get("name") or category_id), None)

    def link(self, name: str) -> str | None:
        """Where a category's page is, if a client has said so."""
        return self._links.get(slug(name))

    def names_of(self, fields: Fields) -> tuple[str, ...]:
        """A product's categories, the widest first, from whichever dialect it was told in."""
        found = [fields[level] for level in _CATEGORY_LEVELS if fields.get(level)]
        found += [str(value) for value in (fields.get("category_extra") or {}).values() if value]
        if fields.get("main_category"):
            found.insert(0, fields["main_category"])
        found += fields.get("categories") or ()
        for category_id in fields.get("category_ids") or ():
            found.append(self.by_id.get(category_id, {}).get("name") or category_id)
        return tuple(dict.fromkeys(found))


@lru_cache(maxsize=16_384)  # a shop has thousands of categories, and each of its products names some
def slug(name: str) -> str:
    """A category's key: letters and digits in lower case, so that ``Living room`` is ``living-room``."""
    return "-".join("".join(mark if mark.isalnum() else " " for mark in name.casefold()).split())


class Catalog:
    """Every product that was told, learned or seen, by id and by number."""

    def __init__(self) -> None:
        self.categories = Categories()
        self.products: list[Product] = []
        self.members: dict[str, set[int]] = {}
        """Numbers of the products of a category, by its slug; also of those that can't be shown now."""
        self.undescribed = 0
        """Products known from events alone."""
        self.version = 0
        """Changes whenever a product appears in a list's range or leaves it."""
        self.category_slugs: list[str] = []
        self._category_numbers: dict[str, int] = {}
        self._by_id: dict[str, Product] = {}
        self._shown = bytearray()

    def get(self, product_id: str) -> Product | None:
        """The product of an id, also one that was only ever seen in an event."""
        return self._by_id.get(product_id)

    def known(self, product_id: str) -> bool:
        """Whether the shop or one of its pages has described the product."""
        product = self._by_id.get(product_id)
        return product is not None and bool(product.variants)

    def add(self, product_id: str) -> Product:
        """The product of an id, numbered now if it is new."""
        product = self._by_id.get(product_id)
        if product is None:
            product = self._by_id[product_id] = Product(len(self.products), product_id)
            self.products.append(product)
            self._shown.append(0)
            self.undescribed += 1
        return product

    def showable(self) -> NDArray[np.int64]:
        """Numbers of the products that may be shown now."""
        return np.flatnonzero(np.frombuffer(self._shown, np.uint8)).astype(np.int64)

    def showable_of(self, category: str) -> Iterable[int]:
        """Numbers of a category's products (by slug) that may be shown now."""
        return [number for number in self.members.get(category, ()) if self._shown[number]]

    def category_number(self, name: str) -> int:
        """A number for a category's slug, for the indexes."""
        number = self._category_numbers.get(name)
        if number is None:
            number = self._category_numbers[name] = len(self.category_slugs)
            self.category_slugs.append(name)
        return number

    def put(self, product: Product, variant_id: str, told: Fields | None, learned: Fields | None) -> None:
        """Set both layers of a variant; with neither, it goes."""
        if told is None and learned is None:
            if product.variants.pop(variant_id, None) and not product.variants:
                self.undescribed += 1
        else:
            self.restore(product, variant_id, told, learned)
        self.refresh(product)

    def restore(self, product: Product, variant_id: str, told: Fields | None, learned: Fields | None) -> None:
        """Set both layers without working out what is shown: `refresh` is to follow."""
        if not product.variants:
            self.undescribed -= 1
        product.variants[variant_id] = Variant(variant_id, told, learned)

    def put_category(self, category_id: str, fields: Fields) -> None:
        """Create or replace a category; products that carry only its id show its name from now on."""
        before = self.categories.by_id.get(category_id, {}).get("name")
        self.categories.put(category_id, fields)
        if fields.get("name") != before:
            for product in self.products:
                if category_id in (product.fields.get("category_ids") or ()):
                    self.refresh(product)

    def find_category(self, name: str) -> str | None:
        """The slug of a category as an event names it: by id, name, path or link; None if none is known."""
        told = self.categories.by_id.get(name, {}).get("name")
        tail = name.rstrip("/").rpartition("/")[2]
        stem, _, number = tail.rpartition("_")
        for candidate in (told, name, tail, stem if number.isdecimal() else None):
            if candidate and slug(candidate) in self.members:
                return slug(candidate)
        return None

    def refresh(self, product: Product) -> None:
        """Work out again what a product shows and where it belongs."""
        before, was_shown = product.categories, product.shown is not None
        product.refresh(self.categories)
        if was_shown != (product.shown is not None):
            self._shown[product.number] = 0 if was_shown else 1
            self.version += 1
        if product.categories != before:
            self.version += 1
            for name in before:
                self.members.get(slug(name), set()).discard(product.number)
            for name in product.categories:
                self.members.setdefault(slug(name), set()).add(product.number)


def after_told(learned: Fields | None, told: Fields) -> Fields | None:
    """What stays learned once the shop has told: its word on stock ends what a page said before."""
    if learned is None or not any(field in told for field in _AVAILABILITY):
        return learned
    return {field: value for field, value in learned.items() if field not in _AVAILABILITY}


def after_page(learned: Fields | None, page: Fields) -> Fields:
    """What is learned once a page was read: its fields win over earlier pages'."""
    return overlay(learned, page)
