"""The engine without HTTP: events and resources in, lists out, each stored before it is answered."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any, Final

from proxy.engine import catalog as catalogs
from proxy.engine.compose import GUIDE_ANSWERS, LISTED, Composer
from proxy.engine.loading import load_behaviour, load_catalog
from proxy.engine.page import LIST_SIZE
from proxy.engine.recommender import recommender as weights
from proxy.engine.recommender.banners import Banners
from proxy.engine.recommender.recommender import Recommender
from proxy.engine.refusals import FieldRefused
from proxy.engine.store.database import Database
from proxy.engine.store.records import Records
from proxy.engine.visitors import Act, Visitor, Visitors, anonymous_name, user_name
from proxy.engine.wire import answers
from proxy.engine.wire.events import CartLine, Event, Kind
from proxy.engine.wire.resources import NO_VARIANTS, Order, overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from proxy.engine.catalog import Product

Fields = dict[str, Any]
Lines = list[list[Any]]
"""A cart as stored: item, variant id, quantity, unit price."""

FLUSH_EVERY: Final = 64
"""Events between two writes of the banners' counters, which are statistics, not answers."""
UNDESCRIBED: Final = 50_000
"""Products known only from events: visitors can make up ids, and each costs memory."""
COMPLETED: Final = "completed"


class Engine:
    """The engine over one store.

    Every change is made inside `writing`; `record` opens it by itself.

    Args:
        data: the store's file.
        clock: Unix seconds.
        seed: makes every draw repeatable; None draws anew.

    Raises:
        StoreUnusable: see `Database`.
    """

    def __init__(self, data: str | Path, clock: Callable[[], float], seed: int | None = None) -> None:
        self._clock = clock
        self._random = Random(seed)  # noqa: S311  # draws banners, guards nothing
        self._database = Database(data)
        self.records = Records(self._database)
        self._since_flush = 0
        self._unnumbered: list[Product] = []
        self._load()

    def close(self) -> None:
        """Write the last statistics and let go of the file."""
        self._flush()
        self._database.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Everything inside is stored when this returns, or nothing of it."""
        try:
            with self._database.transaction():
                for product in self._unnumbered:  # left over from a transaction that failed
                    self.records.add_item(product.number, product.product_id)
                yield
        except BaseException:
            self._visitors.clear()  # they are loaded again as they are stored
            raise
        self._unnumbered.clear()

    # Events.

    def record(self, event: Event, *, rich: bool = False, size: int = LIST_SIZE) -> bytes | None:
        """Store an event and answer it.

        Args:
            event: what happened.
            rich: the caller prefers a representation: lists wherever there are some, with all fields.
                Its word on unknown products is taken, as their pages are about to be learned.
            size: products per list.

        Returns:
            The answer's JSON; None where there is nothing to say (204).

        Raises:
            FieldRefused: the event is about a product that nobody has told us of.
        """
        now = self._clock()
        time = now if event.time is None else min(event.time, now)
        if event.product_id is not None:
            self._check_product(event.product_id, adopt=rich)
        with self.writing():
            product = None if event.product_id is None else self._product(event.product_id)
            visitor = self._visitor_of(event, time)
            lines = self._lines(self._described(event.cart, adopt=rich))
            fresh = self._store(event, visitor, product, lines, time)
        if fresh:
            self._apply(event, visitor, product, lines, time)
        self._since_flush += 1
        if self._since_flush >= FLUSH_EVERY:
            self._flush()
        if event.kind not in (LISTED if rich else GUIDE_ANSWERS):
            return None
        answer = self._composer.compose(
            event.kind, visitor, now, product=product, category=event.category, rich=rich, size=size
        )
        if answer.main or answer.sub:
            self._banners.show((*(answer.main or ()), *(answer.sub or ())))
        return self._composer.encode(answer, rich=rich)

    def explain(self, event: Event, *, size: int = LIST_SIZE) -> Fields:
        """Why each item of an event's answer would be there. Nothing is stored or counted."""
        name = user_name(event.user_id) if event.user_id else anonymous_name(event.anonymous_id or "")
        visitor = self._visitors.peek(name) or Visitor(0)
        product = None if event.product_id is None else self._catalog.get(event.product_id)
        if event.product_id is not None and product is None:
            raise FieldRefused("event.product_id", event.product_id, "the id of a known product")
        drawn = self._random.getstate()
        answer = self._composer.compose(
            event.kind, visitor, self._clock(), product=product, category=event.category, rich=True, size=size
        )
        self._random.setstate(drawn)
        return self._composer.explain(answer)

    def _check_product(self, product_id: str, *, adopt: bool) -> None:
        if self._catalog.known(product_id):
            return
        if not adopt:
            raise FieldRefused("event.product_id", product_id, "the id of a product that was created")
        if self._catalog.get(product_id) is None and self._catalog.undescribed >= UNDESCRIBED:
            raise FieldRefused("event.product_id", product_id, "a known product, as too many are unknown")

    def _described(self, cart: Iterable[CartLine], *, adopt: bool) -> list[CartLine]:
        """The lines that the catalogue has room for."""
        room = UNDESCRIBED - self._catalog.undescribed if adopt else 0
        kept: list[CartLine] = []
        for line in cart:
            if self._catalog.get(line.product_id) is None:
                room -= 1
                if room < 0:
                    continue
            kept.append(line)
        return kept

    def _visitor_of(self, event: Event, time: float) -> Visitor:
        if event.user_id is None:
            assert event.anonymous_id is not None
            return self._visitors.get(anonymous_name(event.anonymous_id))
        if event.anonymous_id is not None:
            return self._claim(event.user_id, (event.anonymous_id,), time)
        return self._visitors.get(user_name(event.user_id))

    def _claim(self, user_id: str, anonymous_ids: Iterable[str], time: float) -> Visitor:
        """What was done anonymously before a login becomes the user's; the anonymous id starts afresh."""
        user = self._visitors.get(user_name(user_id))
        for anonymous_id in anonymous_ids:
            name = anonymous_name(anonymous_id)
            anonymous = self._visitors.peek(name)
            if anonymous is None or not (anonymous.acts or anonymous.cart):
                continue
            self.records.claim(anonymous.number, user.number)
            for act in anonymous.acts:
                user.act(act)
            if anonymous.cart:
                user.cart = anonymous.cart
                self._recommender.cart(anonymous.number, (), time)
                self._recommender.cart(user.number, user.cart, time)
            self._recommender.sessions.claim(anonymous.number, user.number)
            self._visitors.forget(name)
        return user

    def _store(
        self, event: Event, visitor: Visitor, product: Product | None, lines: Lines, time: float
    ) -> bool:
        detail: str | None = None
        if event.kind in {Kind.CART_UPDATE, Kind.CHECKOUT}:
            detail = answers.encode(lines).decode()
        else:
            detail = event.variant_id or event.category or event.term or event.banner_id
        item = None if product is None else product.number
        fingerprint = None
        if event.time is not None:
            # A sender that gives a time may send the same event again after a lost answer.
            told = answers.encode([event.time, visitor.number, event.kind, item, detail])
            fingerprint = int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big", signed=True)
        return self.records.add_event(time, visitor.number, event.kind, item, detail, fingerprint)

    def _apply(
        self, event: Event, visitor: Visitor, product: Product | None, lines: Lines, time: float
    ) -> None:
        kind, find = event.kind, self._recommender
        if product is not None and kind in weights.WEIGHTS:
            visitor.act(Act(time, kind, product.number, event.variant_id))
            find.popularity.add(product.number, weights.WEIGHTS[kind], time)
            if kind is Kind.PRODUCT:
                find.sessions.view(visitor.number, product.number, time)
        elif kind in {Kind.CART_UPDATE, Kind.CHECKOUT}:
            before, visitor.cart = visitor.cart, tuple(line[0] for line in lines)
            find.cart(visitor.number, visitor.cart, time)
            for item in sorted(set(visitor.cart).difference(before)):
                find.popularity.add(item, weights.CART, time)
        elif kind is Kind.BANNER_CLICK and event.banner_id in self._banners.by_id:
            self._banners.click(event.banner_id)

    # Products and categories. To be called inside `writing`, as all that follow.

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
        product = self._catalog.get(product_id)
        names = [] if product is None else [name for name in product.variants if variant_id in {None, name}]
        for name in names:
            assert product is not None
            self._put_variant(product, name, None, None)
        return bool(names)

    def put_category(self, fields: Fields, *, update: bool) -> None:
        """Create or update a category."""
        category_id = fields["category_id"]
        merged = overlay(self._catalog.categories.by_id.get(category_id) if update else None, fields)
        self.records.put_document("categories", category_id, merged)
        self._catalog.put_category(category_id, merged)

    def drop_category(self, category_id: str) -> bool:
        """Delete a category; False if it wasn't there."""
        known = category_id in self._catalog.categories.by_id
        self.records.drop_document("categories", category_id)
        self._catalog.categories.drop(category_id)
        return known

    # Banners, users, orders.

    def put_banner(self, fields: Fields, *, update: bool) -> None:
        """Create or update a banner."""
        banner_id = fields["banner_id"]
        known = self._banners.by_id.get(banner_id)
        merged = overlay(known.fields if known and update else None, fields)
        for field in ("type", "photo_url", "link"):
            if field not in merged:
                raise FieldRefused(field, None, "a value, as the banner doesn't exist yet")
        self.records.put_banner(banner_id, merged)
        self._banners.put(banner_id, merged)

    def drop_banner(self, banner_id: str) -> bool:
        """Delete a banner; False if it wasn't there."""
        known = banner_id in self._banners.by_id
        self.records.drop_banner(banner_id)
        self._banners.drop(banner_id)
        return known

    def put_user(self, fields: Fields, *, update: bool) -> None:
        """Create or update a user; the anonymous ids that come along were this user."""
        user_id = fields["user_id"]
        known = self.records.document("users", user_id)
        anonymous_ids = fields.get("anonymous_ids") or ()
        self.records.put_document("users", user_id, overlay(known if update else None, fields))
        if anonymous_ids:
            self._claim(user_id, anonymous_ids, self._clock())
        if fields.get("cart") is not None:
            visitor = self._visitors.get(user_name(user_id))
            lines = [CartLine(product_id, variant_id) for product_id, variant_id in fields["cart"]]
            self._set_cart(visitor, self._lines(lines))

    def drop_user(self, user_id: str) -> bool:
        """Erase a user, or an anonymous visitor: profile, events, the name on orders. False if unknown."""
        known = self.records.document("users", user_id) is not None
        self.records.drop_document("users", user_id)
        for name in (user_name(user_id), anonymous_name(user_id)):
            visitor = self._visitors.peek(name)
            if visitor is not None:
                known = True
                self._recommender.cart(visitor.number, (), self._clock())
                self.records.forget_visitor(name)
                self._visitors.forget(name)
        self.records.forget_buyer(user_id)
        return known

    def put_order(self, order: Order) -> None:
        """Create or update an order. A late creation doesn't undo a cancellation."""
        known = self.records.order(order.order_id)
        time, user_id, status, cart = known or (self._clock(), None, COMPLETED, [])
        if known is not None and status == COMPLETED:
            self._count_order(cart, time, -weights.ORDER)
        lines = cart if order.cart is None else self._lines(order.cart)
        time = time if order.time is None else min(order.time, self._clock())
        status = order.status or status
        user_id = order.user_id or user_id
        self.records.put_order(order.order_id, time, user_id, status, lines)
        if status == COMPLETED:
            self._recommender.order(order.order_id, [line[0] for line in lines], time)
            self._count_order(lines, time, weights.ORDER)
        else:
            self._recommender.cancel(order.order_id)
        visitor = None if user_id is None or known is not None else self._visitors.peek(user_name(user_id))
        if visitor is not None and set(visitor.cart) & {line[0] for line in lines}:
            self._set_cart(visitor, [])

    def drop_order(self, order_id: str) -> bool:
        """Delete an order; False if it wasn't there."""
        known = self.records.order(order_id)
        if known is None:
            return False
        time, _user_id, status, lines = known
        if status == COMPLETED:
            self._count_order(lines, time, -weights.ORDER)
        self._recommender.cancel(order_id)
        self.records.drop_order(order_id)
        return True

    # All of a kind.

    def ids(self, kind: str) -> list[str]:
        """The ids of all products, categories, banners, users or orders."""
        if kind == "products":
            return [product.product_id for product in self._catalog.products if product.variants]
        if kind == "categories":
            return list(self._catalog.categories.by_id)
        if kind == "banners":
            return list(self._banners.by_id)
        return self.records.keys(kind)

    def variants(self) -> int:
        """How many variants all products have."""
        return sum(len(product.variants) for product in self._catalog.products)

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
        self.records.wipe()
        self._load()

    def backup(self, target: str | Path) -> None:
        """Copy the live store into a new file."""
        self._database.backup(target)

    # Shared by the above.

    def _named(self, fields: Fields) -> tuple[Product, str, Fields]:
        rest = {name: value for name, value in fields.items() if name not in {"product_id", "variant_id"}}
        return self._product(fields["product_id"]), fields["variant_id"], rest

    def _put_variant(
        self, product: Product, variant_id: str, told: Fields | None, learned: Fields | None
    ) -> None:
        self.records.put_variant(product.number, variant_id, told, learned)
        self._catalog.put(product, variant_id, told, learned)
        self._recommender.describe(product)

    def _product(self, product_id: str) -> Product:
        product = self._catalog.get(product_id)
        if product is None:
            product = self._catalog.add(product_id)
            self._unnumbered.append(product)
            self.records.add_item(product.number, product_id)
        return product

    def _lines(self, cart: Iterable[CartLine]) -> Lines:
        return [
            [self._product(line.product_id).number, line.variant_id, line.quantity, line.unit_price]
            for line in cart
        ]

    def _set_cart(self, visitor: Visitor, lines: Lines) -> None:
        """The cart as the shop tells it, stored as if the visitor had changed it."""
        time = self._clock()
        visitor.cart = tuple(line[0] for line in lines)
        detail = answers.encode(lines).decode()
        self.records.add_event(time, visitor.number, Kind.CART_UPDATE, None, detail, None)
        self._recommender.cart(visitor.number, visitor.cart, time)

    def _count_order(self, lines: Lines, time: float, weight: float) -> None:
        for item in sorted({line[0] for line in lines}):
            self._recommender.popularity.add(item, weight, time)

    def _load(self) -> None:
        self._visitors = Visitors(self.records)
        self._catalog = catalogs.Catalog()
        self._banners = Banners(self._random)
        self._recommender = Recommender(self._catalog)
        load_catalog(self.records, self._catalog, self._banners)
        load_behaviour(self.records, self._catalog, self._recommender)
        self._composer = Composer(self._catalog, self._recommender, self._banners)

    def _flush(self) -> None:
        self._since_flush = 0
        if not self._banners.changed:
            return
        with self._database.transaction():
            for banner_id in sorted(self._banners.changed):
                banner = self._banners.by_id[banner_id]
                self.records.count_banner(banner_id, banner.impressions, banner.clicks)
        self._banners.changed.clear()
