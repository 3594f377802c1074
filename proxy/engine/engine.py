"""The engine without HTTP: events and resources in, lists out, each stored before it is answered."""

from __future__ import annotations

import hashlib
from random import Random
from typing import TYPE_CHECKING, Any, Final

from proxy.engine import catalog as catalogs
from proxy.engine import lists
from proxy.engine.recommender.banners import Banners
from proxy.engine.recommender.popularity import Popularity
from proxy.engine.refusals import FieldRefused
from proxy.engine.store.database import Database
from proxy.engine.store.records import Records
from proxy.engine.visitors import Act, Visitor, Visitors, anonymous_name, user_name
from proxy.engine.wire import answers
from proxy.engine.wire.events import CartLine, Event, Kind
from proxy.engine.wire.resources import NO_VARIANTS, Order, overlay

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from proxy.engine.catalog import Product

Fields = dict[str, Any]

WEIGHTS: Final = {Kind.PRODUCT: 1.0, Kind.PRODUCT_CLICK: 0.5, Kind.WISHLIST_ADD: 3.0}
"""What an act adds to a product's popularity; a view that follows a click counts by itself."""
CART_WEIGHT: Final = 4.0
ORDER_WEIGHT: Final = 8.0
FLUSH_EVERY: Final = 64
"""Events between two writes of the banners' counters, which are statistics, not answers."""
GUIDE_ANSWERS: Final = frozenset({Kind.HOME, Kind.PRODUCT, Kind.SEARCH})
"""Events that the guide answers with lists; all others with 204."""
LISTED: Final = GUIDE_ANSWERS | {Kind.CATEGORY, Kind.CART_PAGE, Kind.NOT_FOUND}
"""Events that have lists for whoever prefers a representation."""


class Engine:
    """The engine over one store.

    Args:
        data: the store's file.
        clock: Unix seconds.
        seed: makes every draw repeatable; None draws anew.

    Raises:
        StoreUnusable: see `Database`.
    """

    def __init__(self, data: str | Path, clock: Callable[[], float], seed: int | None = None) -> None:
        self._clock = clock
        self._database = Database(data)
        self._records = Records(self._database)
        self._visitors = Visitors(self._records)
        self._random = Random(seed)  # noqa: S311  # draws banners, guards nothing
        self._since_flush = 0
        self._load()

    def close(self) -> None:
        """Write the last statistics and let go of the file."""
        self._flush()
        self._database.close()

    # Events.

    def record(self, event: Event, *, rich: bool = False, size: int = lists.LIST_SIZE) -> bytes | None:
        """Store an event and answer it.

        Args:
            event: what happened.
            rich: the caller prefers a representation: lists wherever there are some, with all fields.
            size: products per list.

        Returns:
            The answer's JSON; None where there is nothing to say (204).

        Raises:
            FieldRefused: the event is about a product or banner that nobody has told us of.
        """
        now = self._clock()
        time = now if event.time is None else min(event.time, now)
        item = self._item_of(event, adopt=rich)
        with self._database.transaction():
            visitor = self._visitor_of(event)
            fresh = self._store(event, visitor, item, time)
        if fresh:
            self._apply(event, visitor, item, time)
        self._since_flush += 1
        if self._since_flush >= FLUSH_EVERY:
            self._flush()
        if event.kind not in (LISTED if rich else GUIDE_ANSWERS):
            return None
        return self._answer(event, visitor, item, rich=rich, size=size)

    def _item_of(self, event: Event, *, adopt: bool) -> Product | None:
        """The event's product. One that its page will describe in a moment is adopted on the proxy's word."""
        if event.product_id is None:
            return None
        if not adopt and not self._catalog.known(event.product_id):
            raise FieldRefused("event.product_id", event.product_id, "the id of a product that was created")
        return self._product(event.product_id)

    def _visitor_of(self, event: Event) -> Visitor:
        if event.user_id is None:
            assert event.anonymous_id is not None
            return self._visitors.get(anonymous_name(event.anonymous_id))
        if event.anonymous_id is not None:
            return self._claim(event.user_id, (event.anonymous_id,))
        return self._visitors.get(user_name(event.user_id))

    def _claim(self, user_id: str, anonymous_ids: tuple[str, ...]) -> Visitor:
        """What was done anonymously before a login becomes the user's; the anonymous id starts afresh."""
        user = self._visitors.get(user_name(user_id))
        for anonymous_id in anonymous_ids:
            name = anonymous_name(anonymous_id)
            anonymous = self._visitors.peek(name)
            if anonymous is None or not (anonymous.acts or anonymous.cart):
                continue
            self._records.claim(anonymous.number, user.number)
            for act in anonymous.acts:
                user.act(act)
            user.cart = anonymous.cart or user.cart
            self._visitors.forget(name)
        return user

    def _store(self, event: Event, visitor: Visitor, product: Product | None, time: float) -> bool:
        detail: str | None = None
        if event.cart or event.kind is Kind.CART_UPDATE:
            detail = answers.encode(self._lines(event.cart)).decode()
        else:
            detail = event.variant_id or event.category or event.term or event.banner_id
        fingerprint = None
        if event.time is not None:
            # A sender that gives a time may send the same event again after a lost answer.
            told = answers.encode([time, visitor.number, event.kind, product and product.number, detail])
            fingerprint = int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big", signed=True)
        item = None if product is None else product.number
        return self._records.add_event(time, visitor.number, event.kind, item, detail, fingerprint)

    def _apply(self, event: Event, visitor: Visitor, product: Product | None, time: float) -> None:
        kind = event.kind
        if product is not None and kind in WEIGHTS:
            visitor.act(Act(time, kind, product.number, event.variant_id))
            self._popularity.add(product.number, WEIGHTS[kind], time)
        elif kind in {Kind.CART_UPDATE, Kind.CHECKOUT}:
            before = visitor.cart
            visitor.cart = tuple(line[0] for line in self._lines(event.cart))
            for item in set(visitor.cart).difference(before):
                self._popularity.add(item, CART_WEIGHT, time)
        elif kind is Kind.BANNER_CLICK and event.banner_id in self._banners.by_id:
            self._banners.click(event.banner_id)

    def _lines(self, cart: tuple[CartLine, ...]) -> list[list[Any]]:
        return [
            [self._product(line.product_id).number, line.variant_id, line.quantity, line.unit_price]
            for line in cart
        ]

    def _answer(
        self, event: Event, visitor: Visitor, product: Product | None, *, rich: bool, size: int
    ) -> bytes:
        current = None if product is None else product.number
        hidden = set(visitor.cart)
        page = lists.Page(self._catalog, () if current is None else (current,), size)
        recent = [shown.recent_card(variant, rich=rich) for shown, variant in page.recent(visitor, current)]
        page.hide(hidden)
        parts: list[tuple[bytes, bytes]] = []
        kind = event.kind
        likes = lists.affinity(visitor, self._catalog) if kind is Kind.HOME else {}

        def cards(products: list[Product]) -> bytes:
            return answers.array([each.card(rich=rich) for each in products])

        if kind is Kind.HOME:
            main, sub = self._banners.choose(likes)
            parts.append((b"main_banners", answers.array([banner.card for banner in main])))
            parts.append((b"sub_banners", answers.array([banner.card for banner in sub])))
        if kind is Kind.PRODUCT and product is not None:
            parts.append((b"similar_product_skus", cards(page.take(self._similar(product)))))
            parts.append((b"related_product_skus", b"null"))
        if kind in {Kind.HOME, Kind.CART_PAGE, Kind.NOT_FOUND}:
            parts.append((b"related_product_skus", cards(page.take(self._popular()))))
        if kind is Kind.CATEGORY and event.category is not None:
            name = self._catalog.find_category(event.category)
            members = self._popular() if name is None else self._popular(self._catalog.members[name])
            parts.append((b"top_product_skus", cards(page.take(members))))
        if kind is Kind.HOME and rich:
            rows = []
            for name in sorted(likes, key=lambda each: (-likes[each], each))[: lists.CATEGORY_ROWS]:
                chosen = page.take(self._popular(self._catalog.members.get(name, set())))
                if chosen:
                    shown_name = next(each for each in chosen[0].categories if catalogs.slug(each) == name)
                    link = self._catalog.categories.link(shown_name)
                    rows.append(
                        answers.category_row(shown_name, link, [each.card(rich=True) for each in chosen])
                    )
            parts.append((b"category_product_skus", answers.array(rows)))
            parts.append((b"top_product_skus", cards(page.take(self._popular()))))
        parts.append((b"recent_product_skus", answers.array(recent)))
        return answers.document(parts)

    def _popular(self, items: set[int] | None = None) -> list[int]:
        return lists.by_popularity(
            self._popularity, range(len(self._catalog.products)) if items is None else items
        )

    def _similar(self, product: Product) -> list[int]:
        """Products that share the most category levels, the most wanted first."""
        shared: dict[int, int] = {}
        for name in product.categories:
            for item in self._catalog.members[catalogs.slug(name)]:
                shared[item] = shared.get(item, 0) + 1
        scores = self._popularity.scores
        return sorted(shared, key=lambda item: (-shared[item], -scores.get(item, 0.0), item))

    # Resources.

    def put_product(self, fields: Fields, *, update: bool) -> None:
        """Create or update a variant as the shop tells it; an update creates what is missing."""
        product_id, variant_id = fields.pop("product_id"), fields.pop("variant_id")
        with self._database.transaction():
            product = self._product(product_id)
            known = product.variants.get(variant_id)
            told = overlay(known.told if update and known else None, fields)
            learned = catalogs.after_told(known.learned if known else None, fields)
            self._put_variant(product, variant_id, told, learned)
            whole = product.variants.get(NO_VARIANTS)
            if variant_id != NO_VARIANTS and whole is not None and whole.learned:
                self._put_variant(
                    product, NO_VARIANTS, whole.told, catalogs.after_told(whole.learned, fields)
                )

    def learn_product(self, fields: Fields) -> None:
        """Take in what a page says of a product."""
        product_id, variant_id = fields.pop("product_id"), fields.pop("variant_id")
        product = self._product(product_id)
        known = product.variants.get(variant_id)
        learned = catalogs.after_page(known.learned if known else None, fields)
        if known is not None and known.learned == learned:
            return  # the usual case: the page has been read before, and nothing changed
        with self._database.transaction():
            self._put_variant(product, variant_id, known.told if known else None, learned)

    def drop_product(self, product_id: str, variant_id: str | None = None) -> None:
        """Delete a variant, or a product with all of them. What isn't there is gone already."""
        product = self._catalog.get(product_id)
        if product is None:
            return
        with self._database.transaction():
            for name in list(product.variants) if variant_id is None else [variant_id]:
                if name in product.variants:
                    self._put_variant(product, name, None, None)

    def put_banner(self, fields: Fields) -> None:
        """Create or update a banner."""
        banner_id = fields.pop("banner_id")
        known = self._banners.by_id.get(banner_id)
        merged = overlay(known.fields if known else None, fields)
        for field in ("type", "photo_url", "link"):
            if field not in merged:
                raise FieldRefused(field, None, "a value, as the banner doesn't exist yet")
        with self._database.transaction():
            self._records.put_banner(banner_id, merged)
        self._banners.put(banner_id, merged)

    def put_order(self, order: Order) -> None:
        """Create or update an order."""
        with self._database.transaction():
            known = self._records.order(order.order_id)
            time, user_id, status, cart = known or (self._clock(), None, "completed", [])
            lines = cart if order.cart is None else self._lines(order.cart)
            self._records.put_order(
                order.order_id,
                time if order.time is None else order.time,
                order.user_id or user_id,
                order.status or status,
                lines,
            )
        if known is None:
            for line in lines:
                self._popularity.add(line[0], ORDER_WEIGHT, time)

    def _put_variant(
        self, product: Product, variant_id: str, told: Fields | None, learned: Fields | None
    ) -> None:
        self._records.put_variant(product.number, variant_id, told, learned)
        self._catalog.put(product, variant_id, told, learned)

    def _product(self, product_id: str) -> Product:
        product = self._catalog.get(product_id)
        if product is None:
            product = self._catalog.add(product_id)
            self._records.add_item(product.number, product_id)
        return product

    # Start and statistics.

    def _load(self) -> None:
        self._catalog = catalogs.Catalog()
        self._popularity = Popularity()
        self._banners = Banners(self._random)
        for _item, product_id in self._records.numbered():
            self._catalog.add(product_id)
        for category_id, fields in self._records.documents("categories"):
            self._catalog.categories.put(category_id, fields)
        for item, variant_id, told, learned in self._records.variants():
            self._catalog.put(self._catalog.products[item], variant_id, told, learned)
        for banner_id, fields, impressions, clicks in self._records.banners():
            self._banners.put(banner_id, fields, impressions, clicks)
        for time, _visitor, kind, item in self._records.item_events():
            weight = WEIGHTS.get(Kind(kind))
            if weight is not None:
                self._popularity.add(item, weight, time)
        for _id, time, _user, _status, cart in self._records.orders():
            for line in cart:
                self._popularity.add(line[0], ORDER_WEIGHT, time)

    def _flush(self) -> None:
        self._since_flush = 0
        if not self._banners.changed:
            return
        with self._database.transaction():
            for banner_id in sorted(self._banners.changed):
                banner = self._banners.by_id[banner_id]
                self._records.count_banner(banner_id, banner.impressions, banner.clicks)
        self._banners.changed.clear()
