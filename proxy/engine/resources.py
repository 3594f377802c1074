"""What the shop tells: products, categories, banners, users, orders; all of it inside `Shop.writing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from proxy.engine import catalog as catalogs
from proxy.engine.recommender import recommender as weights
from proxy.engine.refusals import FieldRefused
from proxy.engine.visitors import anonymous_name, user_name
from proxy.engine.wire.events import CartLine
from proxy.engine.wire.resources import NO_VARIANTS, Order, overlay

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.engine.catalog import Product
    from proxy.engine.shop import Lines, Shop

Fields = dict[str, Any]

COMPLETED: Final = "completed"


class Resources:
    """Creates, updates and deletes.

    Args:
        shop: what is changed.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def put_product(self, fields: Fields, *, update: bool) -> None:
        """Create or update a variant as the shop tells it; an update creates what is missing."""
        product, variant_id, fields = self._named(fields)
        known = product.variants.get(variant_id)
        told = overlay(known.told if update and known else None, fields)
        self._put_variant(
            product, variant_id, told, catalogs.after_told(known.learned if known else None, fields)
        )
        whole = product.variants.get(NO_VARIANTS)
        if variant_id != NO_VARIANTS and whole is not None and whole.learned:
            self._put_variant(product, NO_VARIANTS, whole.told, catalogs.after_told(whole.learned, fields))

    def learn_product(self, fields: Fields) -> None:
        """Take in what a page says of a product."""
        product, variant_id, fields = self._named(fields)
        known = product.variants.get(variant_id)
        learned = catalogs.after_page(known.learned if known else None, fields)
        if known is None or known.learned != learned:  # mostly the page has been read before
            self._put_variant(product, variant_id, known.told if known else None, learned)

    def drop_product(self, product_id: str, variant_id: str | None = None) -> bool:
        """Delete a variant, or a product with all of them; False if it wasn't there."""
        product = self._shop.catalog.get(product_id)
        names = [] if product is None else [name for name in product.variants if variant_id in {None, name}]
        for name in names:
            assert product is not None
            self._put_variant(product, name, None, None)
        return bool(names)

    def put_category(self, fields: Fields, *, update: bool) -> None:
        """Create or update a category."""
        category_id = fields["category_id"]
        merged = overlay(self._shop.catalog.categories.by_id.get(category_id) if update else None, fields)
        self._shop.records.put_document("categories", category_id, merged)
        self._shop.catalog.put_category(category_id, merged)

    def drop_category(self, category_id: str) -> bool:
        """Delete a category; False if it wasn't there."""
        known = category_id in self._shop.catalog.categories.by_id
        self._shop.records.drop_document("categories", category_id)
        self._shop.catalog.categories.drop(category_id)
        return known

    # Banners, users, orders.

    def put_banner(self, fields: Fields, *, update: bool) -> None:
        """Create or update a banner."""
        banner_id = fields["banner_id"]
        known = self._shop.banners.by_id.get(banner_id)
        merged = overlay(known.fields if known and update else None, fields)
        for field in ("type", "photo_url", "link"):
            if field not in merged:
                raise FieldRefused(field, None, "a value, as the banner doesn't exist yet")
        self._shop.records.put_banner(banner_id, merged)
        self._shop.banners.put(banner_id, merged)

    def drop_banner(self, banner_id: str) -> bool:
        """Delete a banner; False if it wasn't there."""
        known = banner_id in self._shop.banners.by_id
        self._shop.records.drop_banner(banner_id)
        self._shop.banners.drop(banner_id)
        return known

    def put_user(self, fields: Fields, *, update: bool) -> None:
        """Create or update a user; the anonymous ids that come along were this user."""
        user_id = fields["user_id"]
        known = self._shop.records.document("users", user_id)
        anonymous_ids = fields.get("anonymous_ids") or ()
        self._shop.records.put_document("users", user_id, overlay(known if update else None, fields))
        if anonymous_ids:
            self._shop.claim(user_id, anonymous_ids, self._shop.clock())
        if fields.get("cart") is not None:
            visitor = self._shop.visitors.get(user_name(user_id))
            lines = [CartLine(product_id, variant_id) for product_id, variant_id in fields["cart"]]
            self._shop.set_cart(visitor, self._shop.lines(lines))

    def drop_user(self, user_id: str) -> bool:
        """Erase a user, or an anonymous visitor: profile, events, the name on orders. False if unknown."""
        known = self._shop.records.document("users", user_id) is not None
        self._shop.records.drop_document("users", user_id)
        for name in (user_name(user_id), anonymous_name(user_id)):
            visitor = self._shop.visitors.peek(name)
            if visitor is not None:
                known = True
                self._shop.recommender.cart(visitor.number, (), self._shop.clock())
                self._shop.records.forget_visitor(name)
                self._shop.visitors.forget(name)
        self._shop.records.forget_buyer(user_id)
        return known

    def put_order(self, order: Order) -> None:
        """Create or update an order. A late creation doesn't undo a cancellation."""
        known = self._shop.records.order(order.order_id)
        time, user_id, status, cart = known or (self._shop.clock(), None, COMPLETED, [])
        if known is not None and status == COMPLETED:
            self._count_order(cart, time, -weights.ORDER)
        lines = cart if order.cart is None else self._shop.lines(order.cart)
        time = time if order.time is None else min(order.time, self._shop.clock())
        status = order.status or status
        user_id = order.user_id or user_id
        self._shop.records.put_order(order.order_id, time, user_id, status, lines)
        if status == COMPLETED:
            self._shop.recommender.order(order.order_id, [line[0] for line in lines], time)
            self._count_order(lines, time, weights.ORDER)
        else:
            self._shop.recommender.cancel(order.order_id)
        visitor = (
            None if user_id is None or known is not None else self._shop.visitors.peek(user_name(user_id))
        )
        if visitor is not None and set(visitor.cart) & {line[0] for line in lines}:
            self._shop.set_cart(visitor, [])

    def drop_order(self, order_id: str) -> bool:
        """Delete an order; False if it wasn't there."""
        known = self._shop.records.order(order_id)
        if known is None:
            return False
        time, _user_id, status, lines = known
        if status == COMPLETED:
            self._count_order(lines, time, -weights.ORDER)
        self._shop.recommender.cancel(order_id)
        self._shop.records.drop_order(order_id)
        return True

    # All of a kind.

    def ids(self, kind: str) -> list[str]:
        """The ids of all products, categories, banners, users or orders."""
        if kind == "products":
            return [product.product_id for product in self._shop.catalog.products if product.variants]
        if kind == "categories":
            return list(self._shop.catalog.categories.by_id)
        if kind == "banners":
            return list(self._shop.banners.by_id)
        return self._shop.records.keys(kind)

    def variants(self) -> int:
        """How many variants all products have."""
        return sum(len(product.variants) for product in self._shop.catalog.products)

    def drop_all(self, kind: str) -> None:
        """Delete everything of a kind."""
        drop: dict[str, Callable[[str], bool]] = {
            "products": self.drop_product,
            "categories": self.drop_category,
            "banners": self.drop_banner,
            "users": self.drop_user,
            "orders": self.drop_order,
        }
        for key in self.ids(kind):
            drop[kind](key)

    def wipe(self) -> None:
        """Forget everything."""
        self._shop.records.wipe()
        self._shop.load()

    def _named(self, fields: Fields) -> tuple[Product, str, Fields]:
        rest = {name: value for name, value in fields.items() if name not in {"product_id", "variant_id"}}
        return self._shop.product(fields["product_id"]), fields["variant_id"], rest

    def _put_variant(
        self, product: Product, variant_id: str, told: Fields | None, learned: Fields | None
    ) -> None:
        self._shop.records.put_variant(product.number, variant_id, told, learned)
        self._shop.catalog.put(product, variant_id, told, learned)
        self._shop.recommender.describe(product)

    def _count_order(self, lines: Lines, time: float, weight: float) -> None:
        for item in sorted({line[0] for line in lines}):
            self._shop.recommender.popularity.add(item, weight, time)
