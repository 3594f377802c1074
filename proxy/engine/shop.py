"""One shop as the engine knows it: the record and, rebuilt from it, everything in memory."""

from __future__ import annotations

from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any, Final

from proxy.engine.catalog import Catalog
from proxy.engine.compose import Composer
from proxy.engine.loading import load_behaviour, load_catalog
from proxy.engine.recommender.banners import Banners
from proxy.engine.recommender.recommender import Recommender
from proxy.engine.store.database import Database
from proxy.engine.store.records import Records
from proxy.engine.visitors import Visitor, Visitors, anonymous_name, user_name
from proxy.engine.wire import answers
from proxy.engine.wire.events import CartLine, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from proxy.engine.catalog import Product

Lines = list[list[Any]]
"""A cart as stored: item, variant id, quantity, unit price."""

FLUSH_EVERY: Final = 64
"""Events between two writes of the banners' counters, which are statistics, not answers."""


class Shop:
    """The store, and the catalogue, visitors and indexes over it. Changes are made inside `writing`.

    Args:
        data: the store's file.
        clock: Unix seconds.
        seed: makes every draw repeatable; None draws anew.

    Raises:
        StoreUnusable: see `Database`.
    """

    def __init__(self, data: str | Path, clock: Callable[[], float], seed: int | None = None) -> None:
        self.clock = clock
        self.random = Random(seed)  # noqa: S311  # draws banners, guards nothing
        self.database = Database(data)
        self.records = Records(self.database)
        self._since_flush = 0
        self._unnumbered: list[Product] = []
        self.load()

    def load(self) -> None:
        """Build everything in memory from the record."""
        self.visitors = Visitors(self.records)
        self.catalog = Catalog()
        self.banners = Banners(self.random)
        self.recommender = Recommender(self.catalog)
        load_catalog(self.records, self.catalog, self.banners)
        load_behaviour(self.records, self.catalog, self.recommender)
        self.composer = Composer(self.catalog, self.recommender, self.banners)

    def close(self) -> None:
        """Write the last statistics and let go of the file."""
        self._flush()
        self.database.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Everything inside is stored when this returns, or nothing of it."""
        try:
            with self.database.transaction():
                for product in self._unnumbered:  # left over from a transaction that failed
                    self.records.add_item(product.number, product.product_id)
                yield
        except BaseException:
            self.visitors.clear()  # they are loaded again as they are stored
            raise
        self._unnumbered.clear()

    def counted(self) -> None:
        """An event was recorded: now and then the banners' counters are written."""
        self._since_flush += 1
        if self._since_flush >= FLUSH_EVERY:
            self._flush()

    def product(self, product_id: str) -> Product:
        """The product of an id, numbered and stored now if it is new."""
        product = self.catalog.get(product_id)
        if product is None:
            product = self.catalog.add(product_id)
            self._unnumbered.append(product)
            self.records.add_item(product.number, product_id)
        return product

    def lines(self, cart: Iterable[CartLine]) -> Lines:
        """A cart as it is stored."""
        return [
            [self.product(line.product_id).number, line.variant_id, line.quantity, line.unit_price]
            for line in cart
        ]

    def set_cart(self, visitor: Visitor, lines: Lines) -> None:
        """The cart as the shop tells it, stored as if the visitor had changed it."""
        time = self.clock()
        visitor.fill_cart(tuple(line[0] for line in lines), time)
        detail = answers.encode(lines).decode()
        self.records.add_event(time, visitor.number, Kind.CART_UPDATE, None, detail, None)
        self.recommender.cart(visitor.number, visitor.cart, time)

    def claim(self, user_id: str, anonymous_ids: Iterable[str], time: float) -> Visitor:
        """What was done anonymously before a login becomes the user's; the anonymous id starts afresh."""
        user = self.visitors.get(user_name(user_id))
        for anonymous_id in anonymous_ids:
            name = anonymous_name(anonymous_id)
            anonymous = self.visitors.peek(name)
            if anonymous is None or not (anonymous.acts or anonymous.cart):
                continue
            self.records.claim(anonymous.number, user.number)
            for act in anonymous.acts:
                user.act(act)
            if anonymous.cart:
                user.fill_cart(anonymous.cart, time)
                self.recommender.cart(anonymous.number, (), time)
                self.recommender.cart(user.number, user.cart, time)
            self.recommender.sessions.claim(anonymous.number, user.number)
            self.visitors.forget(name)
        return user

    def _flush(self) -> None:
        self._since_flush = 0
        if not self.banners.changed:
            return
        with self.database.transaction():
            for banner_id in sorted(self.banners.changed):
                banner = self.banners.by_id[banner_id]
                self.records.count_banner(banner_id, banner.impressions, banner.clicks)
        self.banners.changed.clear()
