"""schema.org's vocabulary, as JSON-LD and microdata both carry it.

A node is a dict of property to value or list of values; its types stand under ``@type``.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import structs

from proxy.facts import values
from proxy.facts.model import NOTHING, FactsSource, PageFacts, ProductFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.facts.address import PageAddress

Node: TypeAlias = dict[str, Any]

MAX_NODES: Final = 2_000
"""Nodes of a page that are looked at; a listing of 100 products with offers has some 500."""

MAX_VARIANTS: Final = 250
"""Variants of a product that are read."""

MAX_CRUMBS: Final = 12
"""Steps of a breadcrumb trail that are read."""

_GROUPS: Final = frozenset({"ProductGroup"})
_PRODUCTS: Final = frozenset({"Product", "ProductGroup", "IndividualProduct", "ProductModel", "SomeProducts"})
_LISTINGS: Final = frozenset({"CollectionPage", "ItemList", "OfferCatalog"})
_PAGES: Final = frozenset({"WebPage", "ItemPage", "CollectionPage", "SearchResultsPage"})
_STRUCK: Final = frozenset({"listprice", "strikethroughprice", "srp", "msrp", "regularprice"})
_IDS: Final = ("sku", "productID", "mpn", "gtin13", "gtin", "gtin14", "gtin12", "gtin8", "isbn")
_HOME_WORDS: Final = frozenset(
    [
        "home",
        "homepage",
        "start",
        "startseite",
        "accueil",
        "inicio",
        "início",
        "hjem",
        "hem",
        "etusivu",
        "strona",
        "shop",
        "store",
    ]
)
_HOME_PATH: Final = re.compile(r"/(?:[a-z]{2}(?:[-_][A-Za-z]{2})?/?)?(?:index\.\w+)?")
_LEVELS: Final = re.compile(r"\s*[>\u203a\u00bb]\s*")


def read(nodes: Sequence[Node], *, page: PageAddress, why: FactsSource) -> PageFacts:
    """What a page's nodes say.

    A product wins over the rest; but several unrelated products are a listing, whatever else they are.

    Args:
        nodes: the top-level ones in document order.
        page: where the page stands: it tells the page's product from those that it recommends.
        why: the format that the nodes come from.
    """
    return _Graph(nodes, page, why).facts()


def types(node: Node) -> frozenset[str]:
    """A node's types, without their namespace."""
    return frozenset(
        re.split(r"[/#:]", name.rstrip("/"))[-1]
        for name in values.each(node.get("@type"))
        if isinstance(name, str)
    )


class _Graph:
    """A page's nodes, with the references between them."""

    def __init__(self, nodes: Sequence[Node], page: PageAddress, why: FactsSource) -> None:
        self._nodes = list(nodes)[:MAX_NODES]
        self._page = page
        self._why = why
        self._by_id = {node["@id"]: node for node in self._nodes if isinstance(node.get("@id"), str)}

    def facts(self) -> PageFacts:
        """The page's kind and what belongs to it."""
        kinds = [(node, types(node)) for node in self._nodes]
        main = self._main_product(kinds)
        trail = self._trail(kinds)
        if main:
            return self._product_page(main, trail)
        if any("SearchResultsPage" in kind for _, kind in kinds):
            return PageFacts(kind="search", term=self._page.term, why=self._why)
        name = self._category(kinds, trail)
        if name is not None:
            return PageFacts(kind="category", category_name=name, why=self._why)
        if any("CheckoutPage" in kind for _, kind in kinds):
            return PageFacts(kind="checkout", why=self._why)
        return NOTHING

    def _each(self, node: Node, key: str) -> Iterator[Any]:
        """A property's values, references followed."""
        for value in values.each(node.get(key)):
            if isinstance(value, dict):
                if "@value" in value:
                    yield value["@value"]
                    continue
                if len(value) == 1 and isinstance(value.get("@id"), str):
                    yield self._by_id.get(value["@id"], value)
                    continue
            yield value

    def _inner(self, node: Node, key: str) -> Iterator[Node]:
        return (value for value in self._each(node, key) if isinstance(value, dict))

    def _text(self, node: Node, key: str, limit: int = values.MAX_TEXT) -> str | None:
        return next(filter(None, (values.text(value, limit) for value in self._each(node, key))), None)

    def _name(self, node: Node, key: str) -> str | None:
        """A name given as such or as a thing that has one: brand, category."""
        for value in self._each(node, key):
            name = self._text(value, "name") if isinstance(value, dict) else values.text(value)
            if name is not None:
                return name
        return None

    def _url(self, node: Node, *keys: str) -> str | None:
        for key in keys:
            for value in self._each(node, key):
                named = next(self._each(value, "@id"), None) if isinstance(value, dict) else value
                link = self._page.resolve(named)
                if link is not None:
                    return link
        return None

    def _id(self, node: Node) -> str | None:
        keys = ("productGroupID", *_IDS) if types(node) & _GROUPS else _IDS
        for key in keys:
            for value in self._each(node, key):
                read = values.identifier(value)
                if read is not None:
                    return re.sub(r"^(?:sku|mpn|isbn|gtin\d*):", "", read)
        named = node.get("@id")
        if not isinstance(named, str) or named.startswith(("#", "_:")):
            return None
        link = self._page.resolve(named)
        return values.identifier(named if link is None else re.sub(r"^https?://[^/]+", "", link))

    def _group(self, node: Node) -> str | None:
        """The id of the product that a variant belongs to."""
        for value in self._each(node, "isVariantOf"):
            read = self._id(value) if isinstance(value, dict) else values.identifier(value)
            if read is not None:
                return read
        return next(filter(None, map(values.identifier, self._each(node, "inProductGroupWithID"))), None)

    def _main_product(self, kinds: list[tuple[Node, frozenset[str]]]) -> list[Node]:
        """The page's own product, as one node or as several variants; empty on a listing."""
        for node, kind in kinds:
            if kind & _PAGES:
                entity = [inner for inner in self._inner(node, "mainEntity") if types(inner) & _PRODUCTS]
                if len(entity) == 1:
                    return entity
        candidates = [node for node, kind in kinds if kind & _PRODUCTS]
        related = self._related(candidates)
        listed = any(kind & _LISTINGS or "SearchResultsPage" in kind for _, kind in kinds)
        if related and not (listed and self._elsewhere(candidates[0])):
            return candidates
        here = [node for node in candidates if not self._elsewhere(node)]
        return here if self._related(here) else []

    def _related(self, candidates: list[Node]) -> bool:
        """Whether all are one product: the same id, group or name, as variants and plugins repeat it."""
        if not candidates:
            return False
        first, *others = (
            {self._id(node), self._group(node), self._text(node, "name")} - {None} for node in candidates
        )
        return all(first & other for other in others)

    def _elsewhere(self, node: Node) -> bool:
        link = self._url(node, "url", "mainEntityOfPage")
        return link is not None and not self._page.is_at(link)

    def _product_page(self, main: list[Node], trail: list[tuple[str, str | None]]) -> PageFacts:
        products: list[ProductFacts] = []
        for node in main:
            for product in self._variants(node):
                if all(
                    (product.product_id, product.variant_id) != (p.product_id, p.variant_id) for p in products
                ):
                    products.append(product)
        name = products[0].name
        crumbs = [
            crumb for crumb, link in trail if crumb != name and not self._page.is_at(link)
        ]  # the last step is the product itself
        if crumbs:
            products = [structs.replace(product, categories=tuple(crumbs)) for product in products]
        shown = [product for product in products if product.link == self._page.link and product.variant_id]
        return PageFacts(
            kind="product",
            product_id=products[0].product_id,
            variant_id=shown[0].variant_id if len(shown) == 1 else None,
            products=tuple(products[:MAX_VARIANTS]),
            why=self._why,
        )

    def _variants(self, node: Node) -> list[ProductFacts]:
        """A product's variants: ``hasVariant``, offers with a SKU each, or the product alone."""
        group = self._group(node)
        whole = self._product(node, self._offer(node))
        if group is not None:
            variant = self._id(node)
            return [
                structs.replace(whole, product_id=group, variant_id=variant if variant != group else None)
            ]
        variants = list(islice(self._inner(node, "hasVariant"), MAX_VARIANTS))
        if variants:
            return [_within(whole, self._product(variant, self._offer(variant))) for variant in variants]
        offers = list(islice(self._inner(node, "offers"), MAX_VARIANTS))
        skus = {sku for sku in map(self._id, offers) if sku is not None}
        if len(offers) > 1 and len(skus) == len(offers):
            return [_within(whole, self._product(offer, offer)) for offer in offers]
        return [whole]

    def _product(self, node: Node, offer: Node) -> ProductFacts:
        price, full_price, currency = self._price(offer)
        available = [values.availability(value) for value in self._each(offer, "availability")]
        levels = (
            next(self._each(level, "value"), None) if isinstance(level, dict) else level
            for source in (offer, node)
            for level in self._each(source, "inventoryLevel")
        )
        return ProductFacts(
            product_id=self._id(node),
            name=self._text(node, "name"),
            price=price,
            full_price=full_price,
            currency=currency,
            photo_url=self._photo(node),
            link=self._page.product_link(self._url(node, "url") or self._url(offer, "url")),
            brand=self._name(node, "brand") or self._name(node, "manufacturer"),
            description=self._text(node, "description", values.MAX_DESCRIPTION),
            categories=self._taxonomy(node),
            available=next((known for known in available if known is not None), None),
            stock=next(filter(None, map(values.stock, levels)), None),
            rating=self._rating(node),
        )

    def _offer(self, node: Node) -> Node:
        """The cheapest of a product's offers, as listings show it; empty where there is none."""
        offers = list(islice(self._inner(node, "offers"), MAX_VARIANTS))
        offers += [
            inner
            for offer in offers
            if "AggregateOffer" in types(offer) and "lowPrice" not in offer
            for inner in islice(self._inner(offer, "offers"), MAX_VARIANTS)
        ]
        priced = [(price, offer) for offer in offers if (price := self._price(offer)[0]) is not None]
        if priced:
            return min(priced, key=lambda pair: pair[0])[1]
        return offers[0] if offers else {}

    def _price(self, offer: Node) -> tuple[float | None, float | None, str | None]:
        """(price, full price, currency) of an offer, from itself or its ``priceSpecification``."""
        price = self._amount(offer, "price") if "price" in offer else self._amount(offer, "lowPrice")
        full_price = None
        currency = next(filter(None, map(values.currency, self._each(offer, "priceCurrency"))), None)
        for specification in islice(self._inner(offer, "priceSpecification"), MAX_CRUMBS):
            amount = self._amount(specification, "price")
            kind = values.text(next(self._each(specification, "priceType"), None)) or ""
            currency = currency or next(
                filter(None, map(values.currency, self._each(specification, "priceCurrency"))), None
            )
            if re.split(r"[/#]", kind)[-1].lower() in _STRUCK:
                full_price = amount
            elif price is None:
                price = amount
        return price, full_price, currency

    def _amount(self, node: Node, key: str) -> float | None:
        amounts = (values.price(value) for value in self._each(node, key))
        return next((amount for amount in amounts if amount is not None), None)

    def _photo(self, node: Node) -> str | None:
        for image in self._each(node, "image"):
            photo = (
                self._url(image, "contentUrl", "url", "@id")
                if isinstance(image, dict)
                else self._page.resolve(image)
            )
            if photo is not None:
                return photo
        return None

    def _rating(self, node: Node) -> float | None:
        for rated in self._inner(node, "aggregateRating"):
            counts = [
                values.number(v) for key in ("ratingCount", "reviewCount") for v in self._each(rated, key)
            ]
            if not counts or any(counts):  # plugins write zero stars where nobody has voted
                return values.rating(
                    next(self._each(rated, "ratingValue"), None), next(self._each(rated, "bestRating"), None)
                )
        return None

    def _taxonomy(self, node: Node) -> tuple[str, ...]:
        """``category``: a name, a list of names, or a path of them."""
        names = (
            self._text(value, "name") if isinstance(value, dict) else values.text(value)
            for value in islice(self._each(node, "category"), MAX_CRUMBS)
        )
        return tuple(dict.fromkeys(level for name in names if name for level in _LEVELS.split(name) if level))

    def _trail(self, kinds: list[tuple[Node, frozenset[str]]]) -> list[tuple[str, str | None]]:
        """The first breadcrumb trail as (name, link), without its first step home."""
        lists = [node for node, kind in kinds if "BreadcrumbList" in kind]
        lists += [trail for node, kind in kinds if kind & _PAGES for trail in self._inner(node, "breadcrumb")]
        for trail in lists:
            steps = list(islice(self._inner(trail, "itemListElement"), MAX_CRUMBS))
            steps.sort(key=lambda step: values.number(next(self._each(step, "position"), None)) or 0)
            crumbs = [crumb for step in steps if (crumb := self._crumb(step))[0]]
            if crumbs and _is_home(*crumbs[0]):
                del crumbs[0]
            if crumbs:
                return crumbs
        return []

    def _crumb(self, step: Node) -> tuple[str, str | None]:
        name, link = self._text(step, "name"), self._url(step, "item", "url")
        for item in self._inner(step, "item"):
            name = name or self._text(item, "name")
            link = link or self._url(item, "url")
        return name or "", link

    def _category(
        self, kinds: list[tuple[Node, frozenset[str]]], trail: list[tuple[str, str | None]]
    ) -> str | None:
        """The name of the category that a listing shows: the trail's last step, else its own."""
        if _HOME_PATH.fullmatch(self._page.path):
            return None
        listings = [node for node, kind in kinds if kind & _LISTINGS and self._lists_products(node)]
        products = sum(1 for _, kind in kinds if kind & _PRODUCTS)
        if not listings and products == 0:
            return None
        if trail:
            return trail[-1][0]
        return next(filter(None, (self._text(node, "name") for node in listings)), None)

    def _lists_products(self, listing: Node) -> bool:
        """Whether a list may be one of products: it isn't known to be one of something else."""
        items = list(islice(self._inner(listing, "itemListElement"), MAX_CRUMBS))
        items += [item for step in items for item in self._inner(step, "item")]
        kinds = [kind - {"ListItem", "Thing"} for kind in map(types, items)]
        return all(kind & _PRODUCTS or not kind for kind in kinds)


def _within(whole: ProductFacts, variant: ProductFacts) -> ProductFacts:
    """A variant of a product: what it doesn't say itself it has from the whole."""
    filled = {
        name: getattr(whole, name)
        for name in ProductFacts.__struct_fields__
        if getattr(variant, name) in (None, ())
    }
    variant_id = variant.product_id if variant.product_id != whole.product_id else None
    return structs.replace(variant, **{**filled, "product_id": whole.product_id, "variant_id": variant_id})


def _is_home(name: str, link: str | None) -> bool:
    path = re.sub(r"^https?://[^/]+", "", link or "")
    return name.lower() in _HOME_WORDS or _HOME_PATH.fullmatch(path) is not None
