"""Events in, lists out: each event is stored before it is answered."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from proxy.engine.compose import GUIDE_ANSWERS, LISTED
from proxy.engine.page import LIST_SIZE
from proxy.engine.recommender import recommender as weights
from proxy.engine.refusals import FieldRefused
from proxy.engine.visitors import Act, Visitor, anonymous_name, user_name
from proxy.engine.wire import answers
from proxy.engine.wire.events import CartLine, Event, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.engine.catalog import Product
    from proxy.engine.shop import Lines, Shop

UNDESCRIBED: Final = 50_000
"""Products known only from events: visitors can make up ids, and each costs memory."""


class Recorder:
    """Takes events.

    Args:
        shop: where they are kept, and what they are answered from.
    """

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

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
        now = self._shop.clock()
        time = now if event.time is None else min(event.time, now)
        if event.product_id is not None:
            self._check_product(event.product_id, adopt=rich)
        with self._shop.writing():
            product = None if event.product_id is None else self._shop.product(event.product_id)
            visitor = self._visitor_of(event, time)
            lines = self._shop.lines(self._described(event.cart, adopt=rich))
            fresh = self._store(event, visitor, product, lines, time)
        if fresh:
            self._apply(event, visitor, product, lines, time)
        self._shop.counted()
        if event.kind not in (LISTED if rich else GUIDE_ANSWERS):
            return None
        answer = self._shop.composer.compose(
            event.kind, visitor, now, product=product, category=event.category, rich=rich, size=size
        )
        if answer.main or answer.sub:
            self._shop.banners.show((*(answer.main or ()), *(answer.sub or ())))
        return self._shop.composer.encode(answer, rich=rich)

    def explain(self, event: Event, *, size: int = LIST_SIZE) -> dict[str, Any]:
        """Why each item of an event's answer would be there. Nothing is stored or counted."""
        name = user_name(event.user_id) if event.user_id else anonymous_name(event.anonymous_id or "")
        visitor = self._shop.visitors.peek(name) or Visitor(0)
        product = None if event.product_id is None else self._shop.catalog.get(event.product_id)
        if event.product_id is not None and product is None:
            raise FieldRefused("event.product_id", event.product_id, "the id of a known product")
        drawn = self._shop.random.getstate()
        answer = self._shop.composer.compose(
            event.kind,
            visitor,
            self._shop.clock(),
            product=product,
            category=event.category,
            rich=True,
            size=size,
        )
        self._shop.random.setstate(drawn)
        return self._shop.composer.explain(answer)

    def _check_product(self, product_id: str, *, adopt: bool) -> None:
        if self._shop.catalog.known(product_id):
            return
        if not adopt:
            raise FieldRefused("event.product_id", product_id, "the id of a product that was created")
        if self._shop.catalog.get(product_id) is None and self._shop.catalog.undescribed >= UNDESCRIBED:
            raise FieldRefused("event.product_id", product_id, "a known product, as too many are unknown")

    def _described(self, cart: Iterable[CartLine], *, adopt: bool) -> list[CartLine]:
        """The lines that the catalogue has room for."""
        room = UNDESCRIBED - self._shop.catalog.undescribed if adopt else 0
        kept: list[CartLine] = []
        for line in cart:
            if self._shop.catalog.get(line.product_id) is None:
                room -= 1
                if room < 0:
                    continue
            kept.append(line)
        return kept

    def _visitor_of(self, event: Event, time: float) -> Visitor:
        if event.user_id is None:
            assert event.anonymous_id is not None
            return self._shop.visitors.get(anonymous_name(event.anonymous_id))
        if event.anonymous_id is not None:
            return self._shop.claim(event.user_id, (event.anonymous_id,), time)
        return self._shop.visitors.get(user_name(event.user_id))

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
        return self._shop.records.add_event(time, visitor.number, event.kind, item, detail, fingerprint)

    def _apply(
        self, event: Event, visitor: Visitor, product: Product | None, lines: Lines, time: float
    ) -> None:
        kind, find = event.kind, self._shop.recommender
        if product is not None and kind in weights.WEIGHTS:
            visitor.act(Act(time, kind, product.number, event.variant_id))
            find.popularity.add(product.number, weights.WEIGHTS[kind], time)
            if kind is Kind.PRODUCT:
                find.sessions.view(visitor.number, product.number, time)
        elif kind in {Kind.CART_UPDATE, Kind.CHECKOUT}:
            before = visitor.cart
            if not visitor.fill_cart(tuple(line[0] for line in lines), time):
                return
            find.cart(visitor.number, visitor.cart, time)
            for item in sorted(set(visitor.cart).difference(before)):
                find.popularity.add(item, weights.CART, time)
        elif kind is Kind.BANNER_CLICK and event.banner_id in self._shop.banners.by_id:
            self._shop.banners.click(event.banner_id)
